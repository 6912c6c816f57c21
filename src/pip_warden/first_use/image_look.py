"""Looks at what a registry has, and finds out who signed an image: proved, but not pinned."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from packaging.version import InvalidVersion, Version

from pip_warden.display import escape_text
from pip_warden.errors import RefusedError, UsageError
from pip_warden.evidence.model import BadItem, Item
from pip_warden.faults import Fault
from pip_warden.oci.names import ImageReference, Repository
from pip_warden.session.images import ImageParts
from pip_warden.supply.images import ImageSupply
from pip_warden.trust.model import Identity, ImageEntry, Requirements, Revocation
from pip_warden.trust.placeholders import parse_image_subject, suggest_image_subject
from pip_warden.trust.roots import PinnedRoots
from pip_warden.values import dataclass
from pip_warden.verdict.identity import match_identity
from pip_warden.verdict.image import judge_image
from pip_warden.verdict.image_signers import ImageSigner, image_signers
from pip_warden.verdict.judged import JudgedImage
from pip_warden.verdict.model import AcceptedImage, Refused, VerdictError
from pip_warden.verdict.triggers import ASKED, USUAL, require_pinnable

_EVIDENCE_TAG = re.compile(r"sha256-[0-9a-f]{64}(\..*)?", re.ASCII)
"""Tags that evidence has: of the distribution specification, and of cosign 2."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedImage:
    """An image, and who signed it.

    Attributes:
        image: The image.
        evidence: All of its evidence.
        signers: Who signed it; at least one.
        root: Name of the trusted root that verified it.
        roots: The trusted roots.
        revoked: What the trust file revokes.
    """

    image: JudgedImage
    evidence: tuple[Item | BadItem, ...]
    signers: tuple[ImageSigner, ...]
    root: str
    roots: PinnedRoots
    revoked: tuple[Revocation, ...]

    def judge(self, entry: ImageEntry, signer: ImageSigner | None = None) -> AcceptedImage | Refused:
        """Judge the image by a pin; by that of a signer, only what this one said is read."""
        evidence = self.evidence if signer is None else signer.evidence
        return judge_image(self.image, evidence, entry=entry, roots=self.roots, revoked=self.revoked)

    def triggers_of(self, identity: Identity) -> frozenset[str]:
        """Return what a pin of an identity says of build triggers: the usual one, else the one that was seen.

        Raises:
            RefusedError: ``build-trigger-unsafe``.
        """
        found = self._signers_of(identity)
        return triggers_of(found[0]) if found else Requirements().build_trigger

    def project_ids_of(self, identity: Identity) -> tuple[str, ...]:
        """Return the ids of the projects that signed as an identity does: a path may have had several."""
        ids = (signer.claims.get("project-id") for signer in self._signers_of(identity))
        return tuple(dict.fromkeys(each for each in ids if each is not None))

    def _signers_of(self, identity: Identity) -> list[ImageSigner]:
        release = self.image.release
        return [
            signer
            for signer in self.signers
            if not isinstance(match_identity(signer.claims, (identity,), release), Fault)
        ]


def look_at(
    wanted: ImageReference,
    parts: ImageParts,
    *,
    root: str,
    roots: PinnedRoots,
    revoked: tuple[Revocation, ...],
) -> SignedImage:
    """Prove who signed an image; of a repository alone, the image of its highest version.

    Raises:
        RefusedError: ``no-release``; or nothing good signs it, with the code that says why.
        UndecidedError: The registry or a log could not be asked.
        UsageError: ``tag-needed``.
    """
    name = wanted
    if wanted.tag is None and wanted.digest is None:
        parts.reporter.step(f"listing the tags of {wanted.repository}")
        tag = choose_tag(wanted.repository, parts.registry.tags(wanted.repository))
        parts.reporter.note(f"no tag was named, so {wanted.repository}:{tag} is looked at")
        name = replace(wanted, tag=tag)
    parts.reporter.step(f"looking at {name}")
    digest = parts.registry.resolve(name).digest
    image = JudgedImage(repository=name.repository, digest=digest, tag=name.tag)
    supply = ImageSupply(registry=parts.registry, transport=parts.transport, roots=roots, logs=(root,))
    evidence = tuple(supply.evidence(name.repository, digest))
    signers = image_signers(image, evidence, root=root, roots=roots)
    if isinstance(signers, Refused):
        raise VerdictError(signers)
    return SignedImage(
        image=image, evidence=evidence, signers=signers, root=root, roots=roots, revoked=revoked
    )


def choose_tag(repository: Repository, tags: Iterable[str]) -> str:
    """Return the only tag of a repository, or that of its highest version; a registry tells no times.

    A version has a dot: a mere number may be a date, or the number of a build. Pre-releases count where there
    is nothing else.

    Raises:
        RefusedError: ``no-release``: there is no tag.
        UsageError: ``tag-needed``: none of them, or several, stand out.
    """
    named = [tag for tag in tags if not _EVIDENCE_TAG.fullmatch(tag)]
    if not named:
        raise RefusedError(
            "no-release",
            f"expected an image in {repository}, found no tag of one",
            hint="Check the repository. An image without a tag is named by its digest: REPOSITORY@sha256:…",
        )
    best = named if len(named) == 1 else _highest(named)
    if len(best) != 1:
        found = f"{len(named)} tags without a version" if not best else f"one version in {', '.join(best)}"
        raise UsageError(
            "tag-needed",
            f"expected a repository with one tag, or with one that has the highest version, found {found}",
            hint=f"Name an image: --image {repository}:TAG.",
        )
    return best[0]


def _highest(tags: Sequence[str]) -> list[str]:
    """Return the tags of the highest version, several where they spell it in several ways."""
    versions = {tag: version for tag in tags if (version := _version(tag)) is not None}
    finals = {tag: version for tag, version in versions.items() if not version.is_prerelease} or versions
    highest = max(finals.values(), default=None)
    return sorted(tag for tag, version in finals.items() if version == highest)


def _version(tag: str) -> Version | None:
    try:
        return Version(tag) if "." in tag else None
    except InvalidVersion:
        return None


def triggers_of(signer: ImageSigner) -> frozenset[str]:
    """Return the build triggers that a pin requires of a signer: the usual one, else the one that was seen.

    What is pinned after no yes is not among them: the pin then refuses the image, and says what to do.

    Raises:
        RefusedError: ``build-trigger-unsafe``.
    """
    if USUAL in signer.triggers:
        return frozenset({USUAL})
    trigger = signer.claims.get("build-trigger")
    require_pinnable(trigger)
    return frozenset({trigger or ""} & ASKED) or Requirements().build_trigger


def pinnable(signer: ImageSigner, look: SignedImage) -> tuple[Identity, frozenset[str]]:
    """Return how a signer can be pinned, and the build triggers that the pin requires.

    Raises:
        RefusedError: ``build-trigger-unsafe``; ``signer-unpinnable``.
    """
    claims = signer.claims
    try:
        subject = parse_image_subject(suggest_image_subject(claims.subjects[0], look.image.tag))
    except UsageError as err:
        raise RefusedError(
            "signer-unpinnable",
            f"expected {look.image.name} to be signed from a tag or branch that a pin can name, "
            f"found {escape_text(claims.subjects[0], 500)}: {err.message.rpartition(': ')[2]}",
            hint="Ask the publisher to sign images from a tag, or look at the image of another tag.",
        ) from err
    identity = Identity(
        issuer=claims.issuer,
        subject=subject,
        project_id=claims.get("project-id"),
        root=look.root,
        is_account=subject.project is None,
    )
    return identity, triggers_of(signer)
