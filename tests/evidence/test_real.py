"""The real attestation: accepted as it is, and refused with any one bit changed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pip_warden._sigstore.result import VerificationResult
from pip_warden._sigstore.root import Root, load_root
from pip_warden._sigstore.verify import verify_bundle
from pip_warden.digests import Digest, digest_of, digest_of_file
from pip_warden.evidence.model import BadItem, Item
from pip_warden.evidence.pep740 import read_attestation
from pip_warden.faults import Fault

REAL = Path(__file__).parent.parent / "data" / "real"
SDIST = REAL / "gitlab_oidc_project-0.0.3.tar.gz"
ATTESTATION = (REAL / "gitlab_oidc_project-0.0.3.tar.gz.publish.attestation").read_bytes()
CHUNKS = 32


@pytest.fixture(scope="module")
def root() -> Root:
    return load_root((REAL / "trusted_root.public-good.json").read_bytes())


@pytest.fixture(scope="module")
def digest() -> Digest:
    return digest_of_file(SDIST)


def verdict(raw: bytes, digest: Digest, root: Root) -> VerificationResult | Fault:
    item = read_attestation("a", raw)
    return item.fault if isinstance(item, BadItem) else verify_bundle(item.wire, digest, root)


def test_the_real_attestation_proves_who_signed(root: Root, digest: Digest) -> None:
    proved = verdict(ATTESTATION, digest, root)

    assert isinstance(proved, VerificationResult)
    assert proved.claims.issuer == "https://gitlab.com"
    assert proved.claims.subjects == (
        "https://gitlab.com/facutuesca/gitlab-oidc-project//.gitlab-ci.yml@refs/heads/main",
    )
    assert proved.claims.get("project-id") == "55235664"
    assert proved.claims.get("environment") is None
    assert proved.log_index == 149945774
    assert proved.log_time.isoformat() == "2024-11-19T17:37:00+00:00"
    assert proved.envelope is not None
    assert digest.hex.encode() in proved.envelope.payload


def passing(bits: range, digest: Digest, root: Root) -> list[int]:
    """Return which of some bits can be flipped without being noticed."""
    passed = []
    for bit in bits:
        flipped = bytearray(ATTESTATION)
        flipped[bit // 8] ^= 1 << (bit % 8)
        if isinstance(verdict(bytes(flipped), digest, root), VerificationResult):
            passed.append(bit)
    return passed


# A flipped bit can make a certificate of which cryptography only warns.
@pytest.mark.parametrize("chunk", range(4))
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_flipped_bit_anywhere_is_refused(chunk: int, root: Root, digest: Digest) -> None:
    """One in 23, each of the eight equally often; `make interop` flips every bit."""
    assert passing(range(23 * chunk, len(ATTESTATION) * 8, 23 * 4), digest, root) == []


# A bit costs a millisecond, and there are 64,864: too long for every day. Chunks let it run on every core.
@pytest.mark.interop
@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_every_flipped_bit_is_refused(chunk: int, root: Root, digest: Digest) -> None:
    assert passing(range(chunk, len(ATTESTATION) * 8, CHUNKS), digest, root) == []


def test_what_the_reader_writes_it_reads_again_unchanged() -> None:
    from pip_warden.evidence.bundle import read_bundle

    first = read_attestation("a", ATTESTATION)
    assert isinstance(first, Item)
    again = read_bundle("a", first.wire.to_json())

    assert isinstance(again, Item)
    assert again.wire == first.wire
    assert again.wire.envelope is not None


def test_t22_another_file_is_only_told_apart_by_its_statement(root: Root) -> None:
    proved = verdict(ATTESTATION, digest_of(b"another file"), root)

    assert isinstance(proved, VerificationResult)
    assert proved.envelope is not None
    assert digest_of(b"another file").hex.encode() not in proved.envelope.payload


def test_evidence_does_not_import_sigstore() -> None:
    import subprocess

    code = (
        "import sys, pip_warden.evidence.bundle, pip_warden.evidence.pep740, "
        "pip_warden.evidence.detached, pip_warden.evidence.locate;"
        "print(sorted({'sigstore', 'cryptography', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
