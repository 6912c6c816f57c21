"""Verdicts on one bundle of each kind: real ones, such as current clients make, and the sandbox's.

Beside each, the sigstore library's bare verification of the same bundle: ``Bundle.from_json`` and a verifier
for the whole root, as its documentation builds it. Ours ends with a verdict of the inquiry.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sigstore.hashes import Hashed
from sigstore.models import Bundle
from sigstore.verify import Verifier
from sigstore.verify.policy import UnsafeNoOp
from sigstore_models.common.v1 import HashAlgorithm

from bench.measure import Taken
from bench.results import Row
from bench.small import library_verifier
from pip_warden._sigstore.root import Root, load_root
from pip_warden.artifact.inspect import inspect
from pip_warden.artifact.model import Artifact
from pip_warden.digests import digest_of, digest_of_file
from pip_warden.evidence.bundle import read_bundle
from pip_warden.evidence.model import Item
from pip_warden.evidence.pep740 import read_attestation
from pip_warden.names import ProjectName, parse_artifact_name
from pip_warden.sandbox import Sandbox
from pip_warden.session.settings import utc_now
from pip_warden.trust.model import COMMAND_LINE, Identity, IdentityEntry, Requirements, RootPin, TrustFile
from pip_warden.trust.subject import parse_subject
from pip_warden.verdict.inquiry import judge
from pip_warden.verdict.model import Accepted

REAL = Path(__file__).resolve().parents[2] / "tests" / "data" / "real"
REAL_FILE = "gitlab_oidc_project-0.0.3.tar.gz"
STACK = REAL.parent / "stack"
STACK_FILE = "acme_widgets-1.0-py3-none-any.whl"
ROUNDS = 20


@dataclass(frozen=True, kw_only=True)
class Case:
    """A file and one piece of evidence for it."""

    name: str
    raw: bytes
    bundle: bytes
    artifact: Artifact
    trust: TrustFile
    root: Root
    verifier: Verifier

    def ours(self) -> None:
        """Judge the file from the evidence's bytes."""
        is_pep740 = b"verification_material" in self.raw
        item = read_attestation("it", self.raw) if is_pep740 else read_bundle("it", self.raw)
        verdict = judge(
            self.artifact, (item,), trust=self.trust, roots={"default": self.root}, today=utc_now().date()
        )
        if not isinstance(verdict, Accepted):
            raise SystemExit(f"{self.name}: {verdict}")

    def bare(self) -> None:
        """Verify the evidence with the library alone."""
        bundle = Bundle.from_json(self.bundle)
        if bundle._inner.dsse_envelope is not None:  # noqa: SLF001 -- the library does not say which it is
            self.verifier.verify_dsse(bundle, UnsafeNoOp())
        else:
            hashed = Hashed(algorithm=HashAlgorithm.SHA2_256, digest=self.artifact.digest.raw())
            self.verifier.verify_artifact(hashed, bundle, UnsafeNoOp())


def verdicts(*, repeat: int) -> Iterator[tuple[str, Row]]:
    """Yield the row of each kind of bundle: a few verdicts on it, in one thread of this process, in turn."""
    with TemporaryDirectory() as name:
        for case in (*_real(), *_stack(), *_sandbox(Path(name))):
            taken = _in_turn({"pip-warden": case.ours, "sigstore-python": case.bare}, repeat)
            yield case.name, Row(facts={"files": ROUNDS}, tools=taken)


def _real() -> Iterator[Case]:
    raw = (REAL / f"{REAL_FILE}.publish.attestation").read_bytes()
    root = (REAL / "trusted_root.public-good.json").read_bytes()
    subject = "https://gitlab.com/facutuesca/gitlab-oidc-project//.gitlab-ci.yml@refs/heads/main"
    yield _case("real, PEP 740, public-good root", raw, REAL / REAL_FILE, root, subject, "https://gitlab.com")


def _stack() -> Iterator[Case]:
    """Bundles that current clients made with real servers; most have a promise and a time stamp."""
    root, subject = (
        (STACK / "trusted_root.json").read_bytes(),
        "https://127.0.0.1:17080/acme/widgets//.gitlab-ci.yml@refs/tags/v1.0",
    )
    # Of a bundle with the index 0 cosign leaves that out, and the library cannot read it.
    for path in sorted(set(STACK.glob("*.sigstore.json")) - set(STACK.glob("*first*"))):
        yield _case(
            f"stack, {path.name.removesuffix('.sigstore.json')}", path.read_bytes(), STACK / STACK_FILE, root,
            subject, "http://127.0.0.1:17080",
        )  # fmt: skip


def _sandbox(directory: Path) -> Iterator[Case]:
    with Sandbox() as sandbox:
        project = sandbox.project("acme/widgets")
        file, job = sandbox.wheel("widgets", "1.0"), sandbox.job(project, tag="v1.0")
        path = directory / file.name
        path.write_bytes(file.data)
        root = json.dumps(sandbox.sigstore.trusted_root()).encode()
        signed = [*sandbox.sign(file, job, ("bundle", "publish-bundle", "pep740")).items()]
        for name, raw in signed:
            yield _case(
                f"sandbox, {name.removeprefix(file.name)}", raw, path, root, job.san, sandbox.gitlab_url
            )


def _case(name: str, raw: bytes, path: Path, root: bytes, subject: str, issuer: str) -> Case:
    file = parse_artifact_name(path.name)
    artifact = Artifact(
        name=file, path=path, digest=digest_of_file(path), size=path.stat().st_size,
        contents=inspect(path, file),
    )  # fmt: skip
    identity = Identity(issuer=issuer, subject=parse_subject(subject))
    entry = IdentityEntry(
        project=ProjectName(file.project), source=COMMAND_LINE.name, identities=(identity,),
        require=Requirements(),
    )  # fmt: skip
    pin = RootPin(name="default", path=path, sha256=digest_of(root), issuers=(issuer,))
    trust = TrustFile(path=path, roots=(pin,), sources=(COMMAND_LINE,), entries=(entry,))
    return Case(
        name=name,
        raw=raw,
        bundle=_bundle(raw),
        artifact=artifact,
        trust=trust,
        root=load_root(root),
        verifier=library_verifier(root),
    )


def _bundle(raw: bytes) -> bytes:
    """Return a PEP 740 attestation, which the library does not read, as a bundle; a bundle unchanged."""
    if b"verification_material" not in raw:
        return raw
    item = read_attestation("it", raw)
    if not isinstance(item, Item):
        raise SystemExit(f"no evidence: {item}")
    return item.wire.to_json()


def _in_turn(works: dict[str, Callable[[], None]], repeat: int) -> dict[str, Taken]:
    taken = {name: Taken() for name in works}
    for _ in range(repeat):
        for name, work in works.items():
            wall, cpu = time.perf_counter(), time.process_time()
            for _ in range(ROUNDS):
                work()
            taken[name].wall.append(round(time.perf_counter() - wall, 4))
            taken[name].cpu.append(round(time.process_time() - cpu, 4))
    return taken
