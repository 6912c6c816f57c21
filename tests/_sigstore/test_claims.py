"""Certificate claims: decoded strictly, or a fault."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given
from hypothesis import strategies as st

from pip_warden._sigstore import claims
from pip_warden._sigstore.claims import decode_utf8_string, read_claims
from pip_warden._sigstore.result import CertificateClaims
from pip_warden.faults import Fault

NOW = datetime(2026, 6, 1, tzinfo=UTC)
KEY = ec.generate_private_key(ec.SECP256R1())
ISSUER = b"https://gitlab.com"


def utf8(data: bytes) -> bytes:
    return bytes([0x0C, len(data)]) + data


def certificate(extensions: dict[int, bytes], names: list[x509.GeneralName]) -> x509.Certificate:
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(x509.Name([]))
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(NOW)
        .not_valid_after(NOW + timedelta(minutes=10))
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=True)
    for number, value in extensions.items():
        oid = x509.ObjectIdentifier(f"1.3.6.1.4.1.57264.1.{number}")
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, value), critical=False)
    return builder.sign(KEY, hashes.SHA256())


URI = x509.UniformResourceIdentifier("https://gitlab.com/a/b//.gitlab-ci.yml@refs/heads/main")
MAIL = x509.RFC822Name("a@example.com")


def code(extensions: dict[int, bytes], names: list[x509.GeneralName]) -> str:
    found = read_claims(certificate(extensions, names))
    return found.code if isinstance(found, Fault) else "claims"


def test_claims_are_read_by_number() -> None:
    found = read_claims(certificate({1: ISSUER, 8: utf8(ISSUER), 15: utf8(b"42"), 24: utf8(b"sub")}, [MAIL]))

    assert found == CertificateClaims(
        issuer="https://gitlab.com",
        subjects=("a@example.com",),
        values=(("issuer", "https://gitlab.com"), ("project-id", "42"), ("token-subject", "sub")),
        not_before=NOW,
        not_after=NOW + timedelta(minutes=10),
    )


@pytest.mark.parametrize(
    "other",
    [b"https://gitlab.com/", b"https://gitlab.com.evil", b"https://GITLAB.com", b"https://gitlab.com\0"],
)
def test_t27_both_issuers_must_agree(other: bytes) -> None:
    assert code({1: ISSUER, 8: utf8(other)}, [URI]) == "issuer-disagrees"
    assert code({1: other, 8: utf8(ISSUER)}, [URI]) == "issuer-disagrees"


def test_t28_an_issuer_is_mandatory() -> None:
    assert code({}, [URI]) == "no-issuer"
    assert code({1: b""}, [URI]) == "no-issuer"
    assert code({8: utf8(b"")}, [URI]) == "no-issuer"


@pytest.mark.parametrize(
    "names",
    [[], [URI, MAIL], [URI, URI], [x509.DNSName("gitlab.com")], [x509.UniformResourceIdentifier("")]],
    ids=["none", "two", "twice", "dns", "empty"],
)
def test_exactly_one_name(names: list[x509.GeneralName]) -> None:
    assert code({1: ISSUER}, names) == "bad-subject"


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"42",
        b"\x0c",
        b"\x0c\x03ab",
        b"\x0c\x01ab",
        b"\x0c\x81\x01a",
        b"\x13\x0242",
        b"\x0c\x80a\0\0",
        b"\x0c\x01\xff",
    ],
)
def test_what_is_no_utf8_string_is_refused(value: bytes) -> None:
    assert code({1: ISSUER, 15: value}, [URI]) == "bad-claims"


@given(text=st.text(max_size=400))
def test_utf8_strings_have_one_spelling(text: str) -> None:
    data = text.encode()
    size = (
        bytes([len(data)])
        if len(data) < 128
        else b"\x81" + bytes([len(data)])
        if len(data) < 256
        else b"\x82" + len(data).to_bytes(2, "big")
    )

    assert decode_utf8_string(b"\x0c" + size + data) == text
    with pytest.raises(ValueError, match="DER"):
        decode_utf8_string(b"\x0c\x83\x00" + len(data).to_bytes(2, "big") + data)


@pytest.mark.parametrize("subject", ["https://<nil>", "https://%3Cnil%3E", "https:", "https://"])
def test_t26_a_subject_that_is_nobodys(subject: str) -> None:
    assert code({1: ISSUER}, [x509.UniformResourceIdentifier(subject)]) == "bad-subject"


@pytest.mark.parametrize(("ref", "expected"), [("%C3%A9", "bad-subject"), ("é", "claims")])
def test_t26_two_refs_never_share_a_subject(ref: str, expected: str) -> None:
    """Fulcio writes the same subject for a branch ``é`` and a branch ``%C3%A9``; claim 9 is not escaped."""
    escaped = "https://gitlab.com/a/b//.gitlab-ci.yml@refs/heads/%C3%A9"
    claimed = escaped.replace("%C3%A9", ref)

    assert code({1: ISSUER, 9: utf8(claimed.encode())}, [x509.UniformResourceIdentifier(escaped)]) == expected


def test_a_repeated_extension_is_refused() -> None:
    """No builder makes one, so another's number is changed in the encoding; no signature is checked here."""
    once = certificate({1: ISSUER, 15: utf8(b"42"), 16: utf8(b"43")}, [URI])
    oid = bytes.fromhex("060a2b0601040183bf3001")
    encoded = once.public_bytes(Encoding.DER)
    assert encoded.count(oid + b"\x10") == 1
    twice = x509.load_der_x509_certificate(encoded.replace(oid + b"\x10", oid + b"\x0f"))

    found = read_claims(twice)
    assert isinstance(found, Fault)
    assert found.code == "bad-claims"


def test_a_claim_that_is_there_twice_has_no_value() -> None:
    """Should a library ever let both pass."""
    extension = certificate({15: utf8(b"42")}, [URI]).extensions[-1]

    with pytest.raises(ValueError, match="appears 2 times"):
        claims._values(x509.Extensions([extension, extension]))
