"""Bundles that current clients made with the real servers: they verify, but not with one bit changed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pip_warden._sigstore.result import VerificationResult
from pip_warden._sigstore.root import load_root
from pip_warden._sigstore.verify import verify_bundle
from pip_warden.digests import digest_of_file
from pip_warden.evidence.bundle import read_bundle
from pip_warden.evidence.model import Item
from pip_warden.faults import Fault
from pip_warden.verdict.statement import Subject, read_statement

DATA = Path(__file__).parent / "data" / "stack"
WHEEL = DATA / "acme_widgets-1.0-py3-none-any.whl"
DIGEST = digest_of_file(WHEEL)
ROOT = load_root((DATA / "trusted_root.json").read_bytes())
BUNDLES = sorted(path.name for path in DATA.glob("*.sigstore.json"))
SUBJECT = "https://127.0.0.1:17080/acme/widgets//.gitlab-ci.yml@refs/tags/v1.0"


def proved(raw: bytes) -> VerificationResult | None:
    """Return what a bundle proves about the wheel; None where it proves nothing."""
    item = read_bundle("evidence", raw)
    found = verify_bundle(item.wire, DIGEST, ROOT) if isinstance(item, Item) else None
    if not isinstance(found, VerificationResult) or found.envelope is None:
        return found if isinstance(found, VerificationResult) else None
    statement = read_statement(found.envelope)
    subjects = () if isinstance(statement, Fault) else statement.subjects
    return found if Subject(name=WHEEL.name, sha256=DIGEST.hex) in subjects else None


def test_there_are_two_logs_and_four_producers() -> None:
    assert len(BUNDLES) == 8


@pytest.mark.parametrize("name", BUNDLES)
def test_it_is_proved(name: str) -> None:
    found = proved((DATA / name).read_bytes())

    assert found is not None
    assert (found.claims.subjects, found.claims.issuer) == ((SUBJECT,), "http://127.0.0.1:17080")
    assert "first" not in name or found.log_index == 0


@settings(max_examples=400)
@given(name=st.sampled_from(BUNDLES), at=st.floats(min_value=0, max_value=1, exclude_max=True))
def test_t14_no_bit_of_it_may_change(name: str, at: float) -> None:
    """Except in the wrapping of a time stamp.

    CMS (RFC 5652) signs neither its version numbers nor the signer's name, and no client reads them.
    """
    honest = (DATA / name).read_bytes()
    raw = bytearray(honest)
    bit = int(at * len(raw) * 8)
    raw[bit // 8] ^= 1 << bit % 8
    stamp = json.loads(honest)["verificationMaterial"]["timestampVerificationData"]["rfc3161Timestamps"][0]
    begin = honest.index(stamp["signedTimestamp"].encode())

    found = proved(bytes(raw))

    if begin <= bit // 8 < begin + len(stamp["signedTimestamp"]):
        assert found in (None, proved(honest))
    else:
        assert found is None


@pytest.mark.parametrize("bit", [1061, 1504])
def test_t14_a_strange_certificate_is_a_refusal_and_no_warning(bit: int, tmp_path: Path) -> None:
    """With one of these bits flipped, the serial number is negative or the country invalid: both warn."""
    raw = bytearray((DATA / "v2.cosign-first.sigstore.json").read_bytes())
    raw[bit // 8] ^= 1 << bit % 8
    (tmp_path / "strange").write_bytes(raw)
    who = (f"--certificate-identity={SUBJECT}", "--certificate-oidc-issuer=http://127.0.0.1:17080")
    done = subprocess.run(
        [
            Path(sys.executable).with_name("pip-warden"),
            "verify",
            f"--bundle={tmp_path / 'strange'}",
            *who,
            f"--trusted-root={DATA / 'trusted_root.json'}",
            f"--cache-dir={tmp_path / 'cache'}",
            WHEEL,
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "refused[bad-certificate-chain]" in done.stderr
    assert "Warning" not in done.stderr
