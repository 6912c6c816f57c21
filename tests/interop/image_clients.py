"""Every client that signs or verifies images, run as by its users, in a home that knows the registries."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from subprocess import CompletedProcess

from interop.clients import OLD_KEYS, SLSA, VENV, Bench, cosign_signing
from interop.stack.places import BIN, TRUST, Port
from pip_warden.oci.names import Repository

SAID, ELSE = "env=prod", "env=test"
"""What producers annotate images with, and what nobody does."""

_OLD = ("--new-bundle-format=false", "--use-signing-config=false")
_COMMIT = "ab" * 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Stored:
    """An image in a registry.

    Attributes:
        bench: Home and signer of the clients.
        repository: Its repository.
        digest: Its digest, as registries spell it.
        trust: The trust file that pins its signer.
        tag: The tag that it is named by, None where only the digest is.
    """

    bench: Bench
    repository: Repository
    digest: str
    trust: Path
    tag: str | None = "1.0"

    @property
    def name(self) -> str:
        """Return its reference, by tag where it has one."""
        return f"{self.repository}:{self.tag}" if self.tag else self.exact

    @property
    def exact(self) -> str:
        """Return its reference by digest, as cosign wants what it signs."""
        return f"{self.repository}@{self.digest}"


def trust_file(bench: Bench, *repositories: Repository, realm: str, ref: str = "v{tag}") -> Path:
    """Write a trust file that pins a bench's signer for repositories, at the ref that images are of."""
    root = (TRUST / "trusted_root.json").read_bytes()
    bench.path("trusted_root.json").write_bytes(root)
    head = f"""version = 1
[sigstore]
trusted-root = "trusted_root.json"
trusted-root-sha256 = "{hashlib.sha256(root).hexdigest()}"
issuers = ["{bench.issuer}"]
"""
    pins = [
        f"""[[image]]
repository = "{repository}"
realm = "{realm}"
[[image.identity]]
issuer = "{bench.issuer}"
subject = "{bench.subject.replace("v1.0", ref)}"
"""
        for repository in repositories
    ]
    path = bench.path("pytrust.toml")
    path.write_text("".join([head, *pins]), encoding="utf-8")
    return path


# Producers.


def cosign_sign(image: Stored, *more: str, log: str = "v1") -> None:
    """Cosign 3 ``sign``."""
    image.bench.must(
        BIN / "cosign", "sign", *cosign_signing(image.bench, log), "-a", SAID, *more, image.exact
    )


def cosign_sign_v2(image: Stored) -> None:
    """Cosign 3 ``sign``, logged in Rekor v2."""
    cosign_sign(image, log="v2")


def cosign_attest(image: Stored) -> None:
    """Cosign 3 ``attest``."""
    image.bench.must(
        BIN / "cosign", "attest", *cosign_signing(image.bench, "v1"), *_provenance(image), image.exact
    )


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


def warden_sign(image: Stored, *more: str) -> None:
    """``pip-warden image sign``."""
    _warden(image, "sign", "-a", SAID, *more)


def warden_sign_v2(image: Stored) -> None:
    """``pip-warden image sign``, logged in Rekor v2."""
    _warden(image, "sign", "-a", SAID, log="v2")


def warden_attest(image: Stored) -> None:
    """``pip-warden image attest``."""
    _warden(image, "attest")


def warden_annotate(image: Stored) -> None:
    """``pip-warden image annotate``."""
    _warden(image, "annotate", "-a", SAID)


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


def _warden(image: Stored, command: str, *more: str, log: str = "v1") -> None:
    bench = image.bench
    where = (f"--trust={image.trust}", f"--trust-config={TRUST / log / 'trust_config.json'}")
    environment = bench.variables | {"HOME": str(bench.directory), "SIGSTORE_ID_TOKEN": bench.token()}
    bench.must(VENV / "pip-warden", "image", command, *where, *more, image.name, **environment)


# Verifiers: each is asked for what is there; where wrong, for something else.

Verifier = Callable[..., CompletedProcess[str]]


def refuses(result: CompletedProcess[str]) -> bool:
    """Return whether a verifier decided against an image, where it could also fail to decide.

    Ours ends with 1, and with 3 where it is undecided. cosign ends with 1 for everything but for signatures
    that do not exist or do not match (10, 12), so that its words must tell.
    """
    if Path(result.args[0]).name == "pip-warden":
        return result.returncode == 1
    said = ("no matching", "no signatures found", "none of the expected claims", "none of the attestations")
    return result.returncode in {10, 12} or (
        result.returncode == 1 and any(words in result.stderr for words in said)
    )


def by_cosign(image: Stored, *, wrong: bool = False) -> CompletedProcess[str]:
    """Cosign 3 ``verify -a``."""
    return _by_cosign(image, "verify", _annotation(wrong))


def by_cosign_attested(image: Stored, *, wrong: bool = False) -> CompletedProcess[str]:
    """Cosign 3 ``verify-attestation``."""
    return _by_cosign(image, "verify-attestation", _type(wrong))


def by_cosign_as_before(image: Stored, *, wrong: bool = False) -> CompletedProcess[str]:
    """Cosign 3 ``verify -a`` for the format of cosign 2."""
    return _by_cosign(image, "verify", _annotation(wrong), old=True)


def by_cosign_attested_as_before(image: Stored, *, wrong: bool = False) -> CompletedProcess[str]:
    """Cosign 3 ``verify-attestation`` for the format of cosign 2."""
    return _by_cosign(image, "verify-attestation", _type(wrong), old=True)


def by_warden(image: Stored, *more: str, wrong: bool = False) -> CompletedProcess[str]:
    """``pip-warden image verify --require-annotation``, with further options."""
    return _by_warden(image, f"--require-annotation={ELSE if wrong else SAID}", *more)


def by_warden_attested(image: Stored, *, wrong: bool = False) -> CompletedProcess[str]:
    """``pip-warden image verify --require-provenance``, where wrong of another commit."""
    return _by_warden(image, "--require-provenance", *((f"--source-revision={_COMMIT}",) if wrong else ()))


def _annotation(wrong: bool) -> str:
    return f"--annotations={ELSE if wrong else SAID}"


def _type(wrong: bool) -> str:
    return f"--type={'https://example.com/other' if wrong else SLSA}"


def _by_cosign(image: Stored, command: str, wanted: str, *, old: bool = False) -> CompletedProcess[str]:
    bench = image.bench
    who = (f"--certificate-identity={bench.subject}", f"--certificate-oidc-issuer={bench.issuer}")
    trust = (_OLD[0], f"--rekor-url={Port.REKOR1.url}") if old else (f"--trusted-root={bench.root}",)
    return bench.run(BIN / "cosign", command, *trust, *who, wanted, image.name, **(OLD_KEYS if old else {}))


def _by_warden(image: Stored, *wanted: str) -> CompletedProcess[str]:
    return image.bench.run(
        VENV / "pip-warden", "image", "verify", f"--trust={image.trust}", *wanted, image.name
    )
