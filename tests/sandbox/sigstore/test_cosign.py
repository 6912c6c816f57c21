"""cosign signs with the services and verifies what they sign, without knowing of the sandbox."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from interop.stack.places import BIN
from pip_warden.sandbox.sigstore import BundleForm, Lie, MediaType, SigstoreService
from pip_warden.sandbox.sigstore.wire import pem, spki_pem
from sandbox.sigstore.pipeline import CLAIMS, ISSUER, POLICY, SUBJECT, Issuer, parse, verifier_of

pytestmark = pytest.mark.interop
DATA = b"the bytes of a wheel"
WHO = ("--certificate-identity", SUBJECT, "--certificate-oidc-issuer", ISSUER)
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def home(tmp_path: Path, live: SigstoreService) -> Path:
    """A home with a file to sign and every form of the services' trust material."""
    (tmp_path / "file").write_bytes(DATA)
    (tmp_path / "root.json").write_text(json.dumps(live.trusted_root()))
    (tmp_path / "signing.json").write_text(json.dumps(live.signing_config()))
    (tmp_path / "ca.pem").write_bytes(b"".join(map(pem, live.authorities.current.chain)))
    (tmp_path / "ct.pub").write_bytes(spki_pem(live.ct_logs.current.public_key))
    (tmp_path / "rekor.pub").write_bytes(spki_pem(live.rekor.shards.current.public_key))
    return tmp_path


@pytest.fixture
def cosign(home: Path) -> Run:
    environment = {
        "HOME": str(home),
        "PATH": "/usr/bin:/bin",
        "SIGSTORE_ROOT_FILE": str(home / "ca.pem"),
        "SIGSTORE_CT_LOG_PUBLIC_KEY_FILE": str(home / "ct.pub"),
        "SIGSTORE_REKOR_PUBLIC_KEY": str(home / "rekor.pub"),
    }

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [str(BIN / "cosign"), *arguments]
        return subprocess.run(
            command, cwd=home, env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    return run


def good(result: subprocess.CompletedProcess[str]) -> None:
    assert result.returncode == 0, result.stderr


def signing(issuer: Issuer) -> tuple[str, ...]:
    token = issuer.token(datetime.now(UTC))
    return "--yes", "--trusted-root=root.json", "--signing-config=signing.json", f"--identity-token={token}"


def test_cosign_signs_a_file_and_both_verify(
    live: SigstoreService, issuer: Issuer, cosign: Run, home: Path
) -> None:
    for name in ("first", "second"):
        good(cosign("sign-blob", *signing(issuer), f"--bundle={name}", "file"))
        good(cosign("verify-blob", "--trusted-root=root.json", *WHO, f"--bundle={name}", "file"))

    # The first is entry 0, whose defaults cosign leaves out and sigstore-python misses.
    assert (
        "logIndex" not in json.loads((home / "first").read_text())["verificationMaterial"]["tlogEntries"][0]
    )
    verifier_of(live).verify_artifact(DATA, parse(json.loads((home / "second").read_text())), POLICY)


def test_cosign_attests_and_verifies(issuer: Issuer, cosign: Run, home: Path) -> None:
    (home / "predicate").write_text("{}")
    kind = "--type=https://slsa.dev/provenance/v1"

    good(cosign("attest-blob", *signing(issuer), kind, "--predicate=predicate", "--bundle=b", "file"))
    good(cosign("verify-blob-attestation", "--trusted-root=root.json", *WHO, kind, "--bundle=b", "file"))


DETACHED = ("--new-bundle-format=false",)
PAIR = ("--signature=sig", "--certificate=crt")


def test_cosign_signs_and_verifies_detached(
    live: SigstoreService, issuer: Issuer, cosign: Run, home: Path
) -> None:
    token = f"--identity-token={issuer.token(datetime.now(UTC))}"
    services = (f"--fulcio-url={live.urls.fulcio}", f"--rekor-url={live.urls.rekor}")
    outputs = ("--output-signature=sig", "--output-certificate=crt")

    good(
        cosign(
            "sign-blob", "--yes", "--use-signing-config=false", *DETACHED, *services, *outputs, token, "file"
        )
    )
    good(cosign("verify-blob", *DETACHED, *PAIR, services[1], *WHO, "file"))


@pytest.mark.parametrize("crt", ["pem", "base64"])
def test_cosign_verifies_a_detached_pair(live: SigstoreService, cosign: Run, home: Path, crt: str) -> None:
    sig, certificate = live.sign_detached(DATA, CLAIMS, crt="pem" if crt == "pem" else "base64")
    (home / "sig").write_bytes(sig)
    (home / "crt").write_bytes(certificate)

    good(cosign("verify-blob", *DETACHED, *PAIR, f"--rekor-url={live.urls.rekor}", *WHO, "file"))


FORMS = {media_type.name: BundleForm(media_type=media_type) for media_type in MediaType} | {
    "stamped": BundleForm(timestamp=True),
    "only stamped": BundleForm(timestamp=True, promise=False),
    "as Go writes it": BundleForm(timestamp=True, omit_defaults=True),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
def test_cosign_verifies_every_form(live: SigstoreService, cosign: Run, home: Path, form: BundleForm) -> None:
    (home / "bundle").write_text(json.dumps(live.sign_blob(DATA, CLAIMS, form=form)))

    stamped = ("--use-signed-timestamps",) if form.timestamp else ()
    good(cosign("verify-blob", "--trusted-root=root.json", *stamped, *WHO, "--bundle=bundle", "file"))


LIES = {
    "ca": Lie(ca="foreign"),
    "sct": Lie(sct="forged"),
    "unknown log": Lie(sct="foreign"),
    "no sct": Lie(sct="absent"),
    "late": Lie(certificate_age=timedelta(hours=1)),
    "entry": Lie(entry="another"),
    "promise": Lie(promise="forged"),
    "checkpoint": Lie(checkpoint="forged"),
    "proof": Lie(proof="broken"),
    "signature": Lie(signature="foreign"),
    "subject": Lie(san="https://evil.example/x"),
    "issuer": Lie(extensions={1: "https://evil.example", 8: "https://evil.example"}),
}


@pytest.mark.parametrize("lie", LIES.values(), ids=list(LIES))
def test_cosign_refuses_every_lie(live: SigstoreService, cosign: Run, home: Path, lie: Lie) -> None:
    (home / "bundle").write_text(json.dumps(live.sign_blob(DATA, CLAIMS, lie=lie)))

    assert cosign("verify-blob", "--trusted-root=root.json", *WHO, "--bundle=bundle", "file").returncode == 1


def test_cosign_follows_a_rotation(live: SigstoreService, issuer: Issuer, cosign: Run, home: Path) -> None:
    (home / "before").write_text(json.dumps(live.sign_blob(DATA, CLAIMS)))
    for rotate in (live.rotate_ca, live.rotate_ct, live.rotate_rekor, live.rotate_tsa):
        rotate(end=False)
    (home / "root.json").write_text(json.dumps(live.trusted_root()))

    good(cosign("sign-blob", *signing(issuer), "--bundle=after", "file"))
    for name in ("before", "after"):
        good(cosign("verify-blob", "--trusted-root=root.json", *WHO, f"--bundle={name}", "file"))


@pytest.mark.parametrize("closed", ["authorities", "ct_logs", "shards"])
def test_cosign_refuses_what_was_signed_after_the_window(
    live: SigstoreService, cosign: Run, home: Path, closed: str
) -> None:
    """sigstore-python 4.5 does not refuse it (test_lies)."""
    (home / "bundle").write_text(json.dumps(live.sign_blob(DATA, CLAIMS)))
    end = live.start + timedelta(hours=1)
    match closed:
        case "authorities":
            live.authorities.generations[0].end = end
        case "ct_logs":
            live.ct_logs.generations[0].end = end
        case _:
            live.rekor.shards.generations[0].end = end
    (home / "root.json").write_text(json.dumps(live.trusted_root()))

    assert cosign("verify-blob", "--trusted-root=root.json", *WHO, "--bundle=bundle", "file").returncode == 1
