"""Two repositories behind an in-memory registry, a trust file that pins the second, and who signs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from _sigstore.samples import CLAIMS, ISSUER, NOON, service
from images import PATTERN, statement, subject
from oci.fake import APP, PROD, FakeRegistry, Image, artifact, image, index
from pins import image_trust_text
from pip_warden.digests import digest_of
from pip_warden.events import SILENT
from pip_warden.image.plan import read_plan
from pip_warden.image.promote import ImagePromotion, promote_image
from pip_warden.oci.manifest import IMAGE_INDEX, IMAGE_MANIFEST, Manifest, read_manifest
from pip_warden.oci.names import Repository, spelled
from pip_warden.oci.referrers import add_referrer, fallback_tag, referrers
from pip_warden.oci.registry import ImageRegistry
from pip_warden.sandbox.sigstore import SigstoreService
from pip_warden.session.images import ImageParts
from pip_warden.session.settings import Settings
from pip_warden.trust.file import load
from pip_warden.trust.model import TrustFile
from pip_warden.trust.roots import PinnedRoots
from pip_warden.verdict.image import judge_image
from pip_warden.verdict.judged import JudgedImage
from pip_warden.verdict.model import AcceptedImage
from stored_images import DATA, REAL, REPOSITORY, Log

ONE, TWO = image("one"), image("two")
BOTH = index(ONE, TWO, platforms=("linux/amd64", "linux/arm64"))
STRANGER: dict[str, Any] = {
    "ci_config_ref_uri": "gitlab.example.com/evil/widgets//.gitlab-ci.yml@refs/tags/v1.0"
}
PROVENANCE = "https://slsa.dev/provenance/v1"
WRITES = ("PUT ", "POST ", "PATCH ")


def trust_of(
    directory: Path, root: bytes, *identities: str, repository: Repository = PROD, more: str = ""
) -> TrustFile:
    """Write and read a trust file that pins one repository."""
    (directory / "trusted_root.json").write_bytes(root)
    text = image_trust_text(
        root_sha256=digest_of(root).hex,
        issuer=ISSUER,
        repository=str(repository),
        subjects=identities,
        more=more,
    )
    (directory / "pytrust.toml").write_text(text, encoding="utf-8")
    return load(directory / "pytrust.toml", check_owner=True)


@dataclass
class World:
    """Registries, and who promotes."""

    directory: Path
    trust: TrustFile
    sigstore: SigstoreService
    fake: FakeRegistry = field(default_factory=FakeRegistry)
    log: object = field(default_factory=Log)
    source: Repository = APP
    target: Repository = PROD

    @property
    def registry(self) -> ImageRegistry:
        return ImageRegistry(self.fake)

    def pin(self, *identities: str, more: str = "") -> None:
        """Pin the target."""
        root = json.dumps(self.sigstore.trusted_root()).encode()
        self.trust = trust_of(
            self.directory, root, *(identities or (PATTERN,)), repository=self.target, more=more
        )

    def sign(self, of: Manifest, said: Mapping[str, Any] | None = None, **claims: Any) -> Manifest:
        """Attach what the publisher, or whoever has these claims, signs."""
        return self.attach(artifact(of.described(), self.bundle(of, said, **claims)))

    def bundle(self, of: Manifest, said: Mapping[str, Any] | None = None, **claims: Any) -> str:
        said = statement(subject(of.digest)) if said is None else said
        return json.dumps(self.sigstore.sign_statement(said, CLAIMS | claims))

    def attach(self, one: Image, to: Repository | None = None) -> Manifest:
        """Put an artifact there, and list it."""
        to = to or self.source
        about = one.manifest.subject
        assert about is not None
        self.fake.shelf(to).blobs.update({spelled(digest_of(blob)): blob for blob in one.blobs})
        add_referrer(self.registry, to, about, one.manifest.content)
        return one.manifest

    def slip_in(self, one: Image, of: Manifest) -> None:
        """Have the source list an artifact first, whatever it says: a registry that checks nothing."""
        shelf = self.fake.shelf(self.source)
        shelf.blobs.update({spelled(digest_of(blob)): blob for blob in one.blobs})
        self.fake.keep(shelf, one.manifest)
        listed = json.loads(shelf.manifests[shelf.tags[fallback_tag(of.digest)]][0])
        listed["manifests"].insert(0, one.manifest.as_referrer().as_json())
        content = json.dumps(listed).encode()
        self.fake.keep(shelf, read_manifest(content, IMAGE_INDEX), fallback_tag(of.digest))

    @property
    def parts(self) -> ImageParts:
        return ImageParts(
            registry=self.registry,
            transport=self.log,  # type: ignore[arg-type]
            workspace=self.directory,
            reporter=SILENT,
            settings=Settings(environ={}),
        )

    def is_met_unproved(self) -> bool:
        """Return whether the target's tag is of an image that those who use it would refuse."""
        found = self.registry.find(self.target, "1.0")
        if found is None:
            return False
        entry, roots = self.trust.image_entry(self.target), PinnedRoots(self.trust.roots)
        assert entry is not None
        evidence = self.parts.supply(roots, entry).evidence(self.target, found.digest)
        image = JudgedImage(repository=self.target, digest=found.digest, tag="1.0")
        verdict = judge_image(image, evidence, entry=entry, roots=roots, revoked=self.trust.revoked)
        return not isinstance(verdict, AcceptedImage)

    def promote(
        self, ref: str = ":1.0", to: str = "", *, now: Any = NOON, dry_run: bool = False, **options: Any
    ) -> ImagePromotion:
        """Promote; both names begin with the repositories."""
        plan = read_plan(f"{self.source}{ref}", f"{self.target}{to}", now=now + timedelta(hours=1), **options)
        self.fake.log.clear()
        return promote_image(self.parts, self.trust, plan, dry_run=dry_run)

    def tag(self, tag: str = "1.0") -> str | None:
        return self.fake.shelf(self.target).tags.get(tag)

    def listed(self, of: Manifest) -> set[str]:
        """What refers to a manifest in the target."""
        return {spelled(one.digest) for one in referrers(self.registry, self.target, of.digest)}

    def writes(self) -> list[str]:
        return [short for short in self.fake.log if short.startswith(WRITES)]


def world_of(directory: Path, *, referrers: bool = False) -> World:
    """An index in the source, signed by its publisher; the target is pinned to that."""
    sigstore = service()
    root = json.dumps(sigstore.trusted_root()).encode()
    world = World(directory, trust_of(directory, root, PATTERN), sigstore, FakeRegistry(referrers=referrers))
    world.fake.push(APP, BOTH, "1.0")
    world.sign(BOTH.manifest)
    return world


def cosign_world(directory: Path) -> World:
    """What cosign left, in both its formats; see ``stored_images``."""
    trust = trust_of(directory, (DATA / "trusted_root.json").read_bytes(), PATTERN)
    world = World(directory, trust, service(), source=REPOSITORY)
    shelf = world.fake.shelf(REPOSITORY)
    for digest, text in REAL["contents"].items():
        shelf.blobs[digest] = text.encode()
        if '"schemaVersion"' in text:
            shelf.manifests[digest] = (
                text.encode(),
                IMAGE_INDEX if '"manifests"' in text else IMAGE_MANIFEST,
            )
    shelf.blobs[spelled(digest_of(b"layer"))] = b"layer"  # the image's own, which is not in the file
    shelf.tags.update(REAL["tags"])
    return world


def codes(done: ImagePromotion) -> list[str]:
    return [line.code for line in done.report.lines]


def left(done: ImagePromotion) -> list[str]:
    return [item.code for item in done.left]


def wrapped(of: Manifest, bundle: str, **changes: Any) -> Image:
    """Wrap a bundle in an artifact with a test's changes."""
    honest = artifact(of.described(), bundle)
    content = json.dumps(json.loads(honest.manifest.content) | changes).encode()
    return replace(honest, manifest=read_manifest(content, IMAGE_MANIFEST))
