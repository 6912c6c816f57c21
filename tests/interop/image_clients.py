"""Every client that signs or verifies images, run as by its users, in a home that knows the registries."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from subprocess import CompletedProcess

from interop.clients import OLD_KEYS, SLSA, Bench, Result
from interop.stack.places import BIN, TRUST, Port
from pip_warden._sigstore.rekor import find_log_entry
from pip_warden.evidence.image import image_evidence
from pip_warden.oci.credentials import RegistryCredentials
from pip_warden.oci.names import ImageReference, Repository
from pip_warden.oci.referrers import referrers
from pip_warden.oci.registry import ImageRegistry
from pip_warden.oci.wire import Wire
from pip_warden.transport import Transport
from pip_warden.trust.demands import demand, read_demands
from pip_warden.trust.file import load
from pip_warden.trust.roots import PinnedRoots
from pip_warden.verdict.image import judge_image
from pip_warden.verdict.judged import JudgedImage
from pip_warden.verdict.model import Refused

SAID, ELSE = "env=prod", "env=test"
"""What producers annotate images with, and what nobody does."""

_OLD = ("--new-bundle-format=false", "--use-signing-config=false")
_COMMIT = "ab" * 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """An image in a registry, with the tag ``1.0``, in a repository of its own.

    Attributes:
        bench: Home and signer of the clients.
        repository: Its repository.
        digest: Its digest, as registries spell it.
        trust: The trust file that pins its signer.
    """

    bench: Bench
    repository: Repository
    digest: str
    trust: Path

    @property
    def name(self) -> str:
        """Return its reference by tag."""
        return f"{self.repository}:1.0"

    @property
    def exact(self) -> str:
        """Return its reference by digest, as cosign wants what it signs."""
        return f"{self.repository}@{self.digest}"


def trust_file(bench: Bench, repository: Repository, realm: str) -> Path:
    """Write a trust file that pins a bench's signer for a repository."""
    root = (TRUST / "trusted_root.json").read_bytes()
    (bench.directory / "trusted_root.json").write_bytes(root)
    path = bench.path(f"{hashlib.sha256(str(repository).encode()).hexdigest()[:12]}.toml")
    path.write_text(
        f"""version = 1
[sigstore]
trusted-root = "trusted_root.json"
trusted-root-sha256 = "{hashlib.sha256(root).hexdigest()}"
issuers = ["{bench.issuer}"]
[[image]]
repository = "{repository}"
realm = "{realm}"
[[image.identity]]
issuer = "{bench.issuer}"
subject = "{bench.subject.replace("v1.0", "v{tag}")}"
""",
        encoding="utf-8",
    )
    return path


# Producers.


def cosign_sign(image: Stored, log: str = "v1") -> None:
    """Cosign 3 ``sign``."""
    image.bench.must(BIN / "cosign", "sign", *_signing(image.bench, log), "-a", SAID, image.exact)


def cosign_sign_v2(image: Stored) -> None:
    """Cosign 3 ``sign``, logged in Rekor v2."""
    cosign_sign(image, "v2")


def cosign_attest(image: Stored) -> None:
    """Cosign 3 ``attest``."""
    image.bench.must(BIN / "cosign", "attest", *_signing(image.bench, "v1"), *_provenance(image), image.exact)


def cosign_sign_as_before(image: Stored) -> None:
    """Cosign 3 ``sign`` in the format of cosign 2."""
    image.bench.must(
        BIN / "cosign", "sign", *_OLD, *_old_signing(image.bench), "-a", SAID, image.exact, **OLD_KEYS
    )


def cosign_attest_as_before(image: Stored) -> None:
    """Cosign 3 ``attest`` in the format of cosign 2."""
    words = (*_OLD, *_old_signing(image.bench), *_provenance(image), image.exact)
    image.bench.must(BIN / "cosign", "attest", *words, **OLD_KEYS)


def old_cosign_sign(image: Stored) -> None:
    """Cosign 2.2.3 ``sign``."""
    words = (*_old_signing(image.bench), "-a", SAID, image.exact)
    image.bench.must(BIN / "cosign-2.2.3", "sign", *words, **OLD_KEYS)


def old_cosign_attest(image: Stored) -> None:
    """Cosign 2.2.3 ``attest``."""
    words = (*_old_signing(image.bench), *_provenance(image), image.exact)
    image.bench.must(BIN / "cosign-2.2.3", "attest", *words, **OLD_KEYS)


def _signing(bench: Bench, log: str) -> tuple[str, ...]:
    config = TRUST / log
    return (
        "--yes",
        f"--trusted-root={config / 'trusted_root.json'}",
        f"--signing-config={config / 'signing_config.json'}",
        f"--identity-token={bench.token()}",
    )


def _old_signing(bench: Bench) -> tuple[str, ...]:
    services = (f"--fulcio-url={Port.FULCIO.url}", f"--rekor-url={Port.REKOR1.url}")
    return "--yes", *services, f"--identity-token={bench.token()}"


def _provenance(image: Stored) -> tuple[str, str]:
    """Write a predicate about the job that signs it."""
    job = image.bench.variables
    source, commit = job["CI_PROJECT_URL"], job["CI_COMMIT_SHA"]
    predicate = {
        "buildDefinition": {
            "buildType": "https://example.com/shell-build/v1",
            "externalParameters": {"source": source},
            "resolvedDependencies": [{"uri": f"git+{source}", "digest": {"gitCommit": commit}}],
        },
        "runDetails": {"builder": {"id": f"{job['CI_SERVER_URL']}/-/runners"}},
    }
    path = image.bench.path("predicate.json")
    path.write_text(json.dumps(predicate), encoding="utf-8")
    return "--type=slsaprovenance1", f"--predicate={path}"


# Verifiers: each is asked for what is there, or for something else.

Verifier = Callable[[Stored, bool], Result]


def by_cosign(image: Stored, wrong: bool) -> Result:
    """Cosign 3 ``verify -a``."""
    return _by_cosign(image, "verify", _annotation(wrong))


def by_cosign_attested(image: Stored, wrong: bool) -> Result:
    """Cosign 3 ``verify-attestation``."""
    return _by_cosign(image, "verify-attestation", _type(wrong))


def by_cosign_as_before(image: Stored, wrong: bool) -> Result:
    """Cosign 3 ``verify -a`` for the format of cosign 2."""
    return _by_cosign(image, "verify", _annotation(wrong), old=True)


def by_cosign_attested_as_before(image: Stored, wrong: bool) -> Result:
    """Cosign 3 ``verify-attestation`` for the format of cosign 2."""
    return _by_cosign(image, "verify-attestation", _type(wrong), old=True)


def by_warden(image: Stored, wrong: bool) -> Result:
    """``pip-warden image verify --require-annotation``."""
    return _by_warden(image, f"--require-annotation={ELSE if wrong else SAID}")


def by_warden_attested(image: Stored, wrong: bool) -> Result:
    """``pip-warden image verify --require-provenance``, where wrong of another commit."""
    return _by_warden(image, "--require-provenance", *((f"--source-revision={_COMMIT}",) if wrong else ()))


def _annotation(wrong: bool) -> str:
    return f"--annotations={ELSE if wrong else SAID}"


def _type(wrong: bool) -> str:
    return f"--type={'https://example.com/other' if wrong else SLSA}"


def _by_cosign(image: Stored, command: str, wanted: str, *, old: bool = False) -> Result:
    bench = image.bench
    who = (f"--certificate-identity={bench.subject}", f"--certificate-oidc-issuer={bench.issuer}")
    trust = (_OLD[0], f"--rekor-url={Port.REKOR1.url}") if old else (f"--trusted-root={bench.root}",)
    return bench.run(BIN / "cosign", command, *trust, *who, wanted, image.name, **(OLD_KEYS if old else {}))


def _by_warden(image: Stored, *wanted: str) -> Result:
    """Judge with the library."""
    said = {
        name: [word.partition("=")[2] for word in wanted if word.startswith(f"--{name}")]
        for name in ("require-annotation", "source-revision")
    }
    demands = read_demands(
        annotations=said["require-annotation"],
        source_revision=said["source-revision"],
        provenance="--require-provenance" in wanted,
    )
    trust, repository = demand(load(image.trust, check_owner=False), demands), image.repository
    with Transport() as transport:
        login = RegistryCredentials(environ={"HOME": str(image.bench.directory)})
        registry = ImageRegistry(Wire(transport, login, realms=trust.realms))
        digest = registry.resolve(ImageReference(repository=repository, tag="1.0")).digest
        listed = referrers(registry, repository, digest)
        look = partial(find_log_entry, transport, (Port.REKOR1.url,))
        verdict = judge_image(
            JudgedImage(repository=repository, digest=digest, tag="1.0"),
            image_evidence(registry, repository, digest, listed, look),
            entry=trust.image_entry(repository),
            roots=PinnedRoots(trust.roots),
            revoked=trust.revoked,
        )
    return CompletedProcess(wanted, int(isinstance(verdict, Refused)), repr(verdict), "")
