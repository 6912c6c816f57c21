"""Trusted roots: their content, what is left out, and what is refused."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from hypothesis import given
from hypothesis import strategies as st

from _sigstore.samples import CLAIMS, DATA, changed, code, outcome, root_of, service
from pip_warden._sigstore.root import load_root
from pip_warden.digests import digest_of
from pip_warden.errors import TrustRootError
from pip_warden.sandbox.sigstore import der

REAL = (Path(__file__).parent.parent / "data" / "real" / "trusted_root.public-good.json").read_bytes()


def real() -> dict[str, Any]:
    value: dict[str, Any] = json.loads(REAL)
    return value


def encoded(value: object) -> bytes:
    return json.dumps(value).encode()


def test_the_real_root_is_read_whole() -> None:
    root = load_root(REAL)

    assert root.sha256 == digest_of(REAL)
    assert root.dropped == ()
    assert (len(root.authorities), len(root.ct_logs), len(root.logs)) == (2, 2, 2)
    assert root.rekor_v1_urls == ("https://rekor.sigstore.dev",)
    assert [log.url for log in root.logs] == [
        "https://rekor.sigstore.dev",
        "https://log2025-1.rekor.sigstore.dev",
    ]


@pytest.mark.parametrize(
    ("path", "new"),
    [
        ("publicKey.keyDetails", "ML_DSA_87"),
        ("publicKey.keyDetails", "A_KEY_OF_TOMORROW"),
        ("publicKey.rawBytes", "AAAA"),
        ("publicKey.validFor", ...),
        ("hashAlgorithm", "SHA3_384"),
        ("revoked", True),
        ("logId.keyId", "not base64"),
    ],
)
@pytest.mark.parametrize("part", ["tlogs", "ctlogs"])
def test_t16_what_is_unknown_is_left_out_and_the_rest_still_verifies(
    part: str, path: str, new: object
) -> None:
    sigstore = service()
    whole = json.loads(encoded(sigstore.trusted_root()))
    whole[part].append(changed(whole[part][0], path, new))

    root = load_root(encoded(whole))

    assert len(root.dropped) == 1
    assert root.dropped[0].startswith(f"{part}[1]: ")
    assert code(outcome(sigstore.sign_blob(DATA, CLAIMS), root)) == "proved"


def test_t16_a_ct_log_whose_id_is_not_its_keys_is_left_out() -> None:
    """RFC 6962 section 3.2; a transparency log may have an id of another kind (Rekor v2)."""
    whole = json.loads(encoded(service().trusted_root()))
    other = base64.b64encode(bytes(32)).decode()
    whole["ctlogs"].append(changed(whole["ctlogs"][0], "logId.keyId", other))
    whole["tlogs"].append(changed(whole["tlogs"][0], "logId.keyId", other))

    root = load_root(encoded(whole))

    assert [text.partition(":")[0] for text in root.dropped] == ["ctlogs[1]"]
    assert (len(root.ct_logs), len(root.logs)) == (1, 2)


@pytest.mark.parametrize("moment", ["2026-06-01T12:00:00", "2026-06-01", "noon", "1780315200"])
def test_t16_a_window_without_a_time_zone_is_none(moment: str) -> None:
    whole = json.loads(encoded(service().trusted_root()))
    whole["tlogs"].append(changed(whole["tlogs"][0], "publicKey.validFor.start", moment))

    assert [text.partition(":")[0] for text in load_root(encoded(whole)).dropped] == ["tlogs[1]"]


def test_t16_a_ca_that_cannot_be_read_is_left_out() -> None:
    sigstore = service()
    whole = json.loads(encoded(sigstore.trusted_root()))
    broken = changed(whole["certificateAuthorities"][0], "certChain.certificates.0.rawBytes", "AAAA")
    whole["certificateAuthorities"].insert(0, broken)

    root = load_root(encoded(whole))

    assert [text.partition(":")[0] for text in root.dropped] == ["certificateAuthorities[0]"]
    assert code(outcome(sigstore.sign_blob(DATA, CLAIMS), root)) == "proved"


def test_a_chain_that_does_not_hang_together_is_left_out() -> None:
    one, other = (json.loads(encoded(service().trusted_root())) for _ in range(2))
    foreign = other["certificateAuthorities"][0]["certChain"]["certificates"][1]
    whole = changed(one, "certificateAuthorities.0.certChain.certificates.1", foreign)

    with pytest.raises(TrustRootError) as caught:
        load_root(encoded(whole))

    assert caught.value.code == "bad-trusted-root"


@pytest.mark.parametrize("part", ["tlogs", "ctlogs", "certificateAuthorities"])
def test_a_root_without_one_of_its_parts_is_none(part: str) -> None:
    with pytest.raises(TrustRootError) as caught:
        load_root(encoded(real() | {part: []}))

    assert caught.value.code == "bad-trusted-root"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{}",
        b"[]",
        b"<html>",
        encoded(real() | {"mediaType": "application/vnd.dev.sigstore.trustedroot.v0.9+json"}),
        encoded(real() | {"revocations": []}),
        REAL.replace(b'"tlogs"', b'"ctlogs"', 1),
    ],
)
def test_what_is_no_root(raw: bytes) -> None:
    with pytest.raises(TrustRootError) as caught:
        load_root(raw)

    assert caught.value.code == "bad-trusted-root"
    assert caught.value.exit_code == 3


@given(raw=st.binary(max_size=200))
def test_t14_only_our_own_error_escapes(raw: bytes) -> None:
    with pytest.raises(TrustRootError):
        load_root(raw)


def test_verifiers_are_built_once() -> None:
    sigstore = service()
    root = root_of(sigstore)
    authority, ct_log, log = root.authorities[0], root.ct_logs[0], root.logs[0]

    verifier = root.verifier(authority, ct_log, log, root.timestamp_authorities)

    assert root.verifier(authority, ct_log, log, root.timestamp_authorities) is verifier
    assert root.verifier(authority, ct_log, log, ()) is not verifier


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://rekor.sigstore.dev", "rekor.sigstore.dev"),
        ("https://Log.Example:8443/path/", "Log.Example"),
        ("http://127.0.0.1:3000", "127.0.0.1"),
        ("http://[::1]:3000", "::1"),
        ("http://http@http:80", "http"),
        ("rekor.sigstore.dev", ""),
        ("http://[broken", ""),
        ("", ""),
    ],
)
def test_b23_a_logs_name_is_the_host_of_its_url(url: str, host: str) -> None:
    value = service().trusted_root()
    value["tlogs"][0]["baseUrl"] = url

    assert load_root(json.dumps(value).encode()).logs[0].host == host


def dropped(value: dict[str, Any]) -> str:
    """Read a root that has a part twice, the second time as it is here, and return what was left out."""
    return " ".join(load_root(json.dumps(value).encode()).dropped)


def test_b23_a_chain_ends_in_what_issues_itself() -> None:
    value = service().trusted_root()
    for part in ("certificateAuthorities", "timestampAuthorities"):
        whole = value[part][0]
        lacking = changed(whole, "certChain.certificates", whole["certChain"]["certificates"][:-1])

        assert dropped(value | {part: [whole, whole]}) == ""
        assert dropped(value | {part: [whole, lacking]}).startswith(f"{part}[1]: ")


def test_t09_a_name_tells_the_authority_only_where_no_other_certificate_has_it() -> None:
    value = service().trusted_root()
    part = value["certificateAuthorities"][0]
    root, twice = load_root(encoded(value)), value | {"certificateAuthorities": [part, part]}
    (authority,) = root.authorities
    own, above = (ca.subject for ca in authority.certificates)

    assert root.issuer(own) is authority
    assert root.issuer(above) is None
    assert load_root(encoded(twice)).issuer(own) is None


def test_b23_a_logs_key_has_one_form() -> None:
    value = service().trusted_root()
    for part in ("tlogs", "ctlogs"):
        whole = value[part][0]
        key = load_der_public_key(base64.b64decode(whole["publicKey"]["rawBytes"]))
        assert isinstance(key, ec.EllipticCurvePublicKey)
        algorithm, _ = der.read(der.read(base64.b64decode(whole["publicKey"]["rawBytes"]))[0].content)
        point = key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
        packed = der.sequence(algorithm.raw, der.tlv(0x03, b"\0", point))
        assert load_der_public_key(packed) == key
        id_of_it = base64.b64encode(hashlib.sha256(packed).digest()).decode()
        other = changed(whole, "publicKey.rawBytes", base64.b64encode(packed).decode())

        assert "compressed" in dropped(value | {part: [whole, changed(other, "logId.keyId", id_of_it)]})
        misnamed = changed(whole, "publicKey.keyDetails", "PKIX_ED25519")
        assert "PKIX_ED25519" in dropped(value | {part: [whole, misnamed]})


def test_b23_null_is_absent_where_a_field_is_known_and_nowhere_else() -> None:
    value = service().trusted_root()
    known = changed(value, "tlogs.0.publicKey.validFor.end", None)

    assert load_root(json.dumps(known).encode()).logs[0].window.end is None
    with pytest.raises(TrustRootError):
        load_root(json.dumps(value | {"zz": None}).encode())
    with pytest.raises(TrustRootError):
        load_root(json.dumps(changed(value, "tlogs.0.zz", None)).encode())
