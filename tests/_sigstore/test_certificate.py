"""A certificate that some client cannot read, or reads differently, is refused here (B23)."""

from __future__ import annotations

import base64
import json
import warnings
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import AuthorityInformationAccessOID as Access
from cryptography.x509.oid import ExtendedKeyUsageOID as Purpose
from cryptography.x509.oid import NameOID

from _sigstore.samples import CLAIMS, DATA, NOON, SUBJECT, changed, code, outcome
from pip_warden._sigstore import in_force, timed, verify
from pip_warden._sigstore.certificate import (
    check_authorities,
    check_readable,
    check_tsa_certificate,
    names_issuer,
)
from pip_warden._sigstore.root import Root, load_root
from pip_warden.errors import TrustRootError
from pip_warden.sandbox.sigstore import BundleForm, SigstoreService, der
from pip_warden.sandbox.sigstore.ca import key_usage
from pip_warden.strict_json import MalformedError

KEY, OTHER = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
Extension = tuple[x509.ExtensionType, bool]
IDENTIFIER = x509.SubjectKeyIdentifier(b"mine")
NAMES = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(SUBJECT)])
CA = (x509.BasicConstraints(ca=True, path_length=None), True)
SIGNS = (key_usage(signs_data=False), True)
CODE, STAMPS = Purpose.CODE_SIGNING, Purpose.TIME_STAMPING
OTHERS: dict[str, x509.ExtensionType] = {
    number: x509.UnrecognizedExtension(x509.ObjectIdentifier(number), b"\5\0")
    for number in ("1.2.3", "2.5.29.33", f"1.2.{2**31 - 1}", f"1.2.{2**31}")
}


def certificate(
    *extensions: Extension,
    key: ec.EllipticCurvePrivateKey = KEY,
    by: ec.EllipticCurvePrivateKey = KEY,
    serial: int = 1,
) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "whoever")])
    builder = x509.CertificateBuilder(
        issuer_name=name, subject_name=name, public_key=key.public_key(), serial_number=serial
    )
    builder = builder.not_valid_before(NOON).not_valid_after(NOON + timedelta(hours=1))
    for value, critical in extensions:
        builder = builder.add_extension(value, critical=critical)
    return builder.sign(by, hashes.SHA256())


def readable(found: x509.Certificate) -> bool:
    try:
        check_readable(found)
    except MalformedError:
        return False
    return True


def without_policies() -> x509.NameConstraints:
    return x509.NameConstraints(permitted_subtrees=[x509.DNSName("example.com")], excluded_subtrees=None)


def policies(*numbers: str) -> x509.CertificatePolicies:
    return x509.CertificatePolicies(
        [x509.PolicyInformation(x509.ObjectIdentifier(one), None) for one in numbers]
    )


def purposes(*numbers: x509.ObjectIdentifier) -> Extension:
    return x509.ExtendedKeyUsage(numbers), False


ADDRESS = x509.AccessDescription(Access.CA_ISSUERS, x509.UniformResourceIdentifier("http://ca.invalid"))


@pytest.mark.parametrize(
    ("extensions", "expected"),
    [
        ([], True),
        ([(IDENTIFIER, False), (NAMES, True), (policies("1.2.3", "1.2.4"), False)], True),
        ([(OTHERS["1.2.3"], False)], True),
        ([(x509.AuthorityInformationAccess([ADDRESS]), False)], True),
        ([(x509.AuthorityInformationAccess([]), False)], False),
        ([(x509.AuthorityInformationAccess([ADDRESS]), True)], False),
        ([(IDENTIFIER, True)], False),
        ([(x509.AuthorityKeyIdentifier(b"x", None, None), True)], False),
        ([(policies("1.2.3", "1.2.3"), False)], False),
        ([(policies(f"1.2.{2**31}"), False)], False),
        ([(OTHERS["2.5.29.33"], False)], False),
        ([(x509.PolicyConstraints(0, None), False)], False),
        ([(x509.InhibitAnyPolicy(0), False)], False),
        ([(without_policies(), False)], False),
        ([(without_policies(), False), CA], True),
        ([(OTHERS[f"1.2.{2**31 - 1}"], False)], True),
        ([(OTHERS[f"1.2.{2**31}"], False)], False),
        ([purposes(CODE, x509.ObjectIdentifier(f"1.2.{2**31}"))], False),
    ],
)
def test_b23_extensions_are_those_that_everybody_reads(extensions: list[Extension], expected: bool) -> None:
    assert readable(certificate(*extensions)) is expected


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        (SUBJECT, True),
        ("https://github.com/o/r/.github/workflows/a.yml@refs/heads/a!$&'()*+,;=b", True),
        ("https://example.com:8443/a%20b?c#d", True),
        ("https://[::1]/x", True),
        ("https://user@example.com", True),
        ("spiffe://example.com/x", True),
        ("urn:x:y", True),
        ("HTTPS://example.com/x", False),
        ("https://example.com/a b", False),
        ("https://example.com/<a>", False),
        ("https://example.com/a|b", False),
        ("https://example.com/a\\b", False),
        ("https://example.com/%zz", False),
        ("https://example.com/\n", False),
        ("https://example.com/\x7f", False),
        ("https://example.com/ä", False),
        ("https://ä.example/x", False),
        ("https://[bad/x", False),
        ("https://example.com:x/x", False),
        ("https://example..com/x", False),
        ("https://.example.com/x", False),
        ("https://example.com./x", False),
        ("https://exa mple.com/x", False),
        ("1a:b", False),
        (":b", False),
    ],
    ids=ascii,
)
def test_b23_a_name_is_written_as_everybody_writes_it(uri: str, expected: bool) -> None:
    name = x509.UniformResourceIdentifier._init_without_validation(uri)

    assert readable(certificate((x509.SubjectAlternativeName([name]), True))) is expected


@pytest.mark.parametrize(("address", "expected"), [("a@b.example", True), ("ä@b.example", False)])
def test_b23_a_mail_address_is_ascii(address: str, expected: bool) -> None:
    name = x509.RFC822Name._init_without_validation(address)

    assert readable(certificate((x509.SubjectAlternativeName([name]), True))) is expected


@pytest.mark.parametrize(
    ("curve", "expected"),
    [
        (ec.SECP256R1(), True),
        (ec.SECP384R1(), True),
        (ec.SECP521R1(), True),
        (ec.SECP256K1(), False),
        (ec.SECP224R1(), False),
        (ec.BrainpoolP256R1(), False),
    ],
    ids=lambda found: getattr(found, "name", str(found)),
)
def test_b23_a_key_is_on_a_curve_that_everybody_knows(curve: ec.EllipticCurve, expected: bool) -> None:
    assert readable(certificate(key=ec.generate_private_key(curve))) is expected


def test_b23_a_key_is_written_in_full() -> None:
    public = KEY.public_key()
    info = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    algorithm, _ = der.read(der.read(info)[0].content)
    point = public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    packed = der.sequence(algorithm.raw, der.tlv(0x03, b"\0", point))
    body, *rest = der.read(der.read(certificate().public_bytes(Encoding.DER))[0].content)
    parts = [packed if part.raw == info else part.raw for part in der.read(body.content)]
    found = x509.load_der_x509_certificate(der.sequence(der.sequence(*parts), *(part.raw for part in rest)))

    assert found.public_key() == public
    assert readable(certificate())
    assert not readable(found)


def test_b23_a_serial_number_is_not_negative() -> None:
    raw = certificate(serial=0x7F).public_bytes(Encoding.DER)
    negative = raw.replace(b"\xa0\x03\x02\x01\x02\x02\x01\x7f", b"\xa0\x03\x02\x01\x02\x02\x01\x80")

    with warnings.catch_warnings(action="ignore"):
        assert not readable(x509.load_der_x509_certificate(negative))


def test_b23_an_authority_key_identifier_is_the_issuers() -> None:
    ca = certificate((IDENTIFIER, False))
    for stated, expected in ((b"mine", True), (b"other", False), (None, True)):
        issuer = (None, None) if stated else ([x509.DirectoryName(ca.subject)], 1)
        leaf = certificate((x509.AuthorityKeyIdentifier(stated, *issuer), False))
        assert names_issuer(leaf, ca) is expected
        assert names_issuer(leaf, certificate())
    assert names_issuer(certificate(), ca)


@pytest.mark.parametrize(
    ("extensions", "expected"),
    [
        ([CA, SIGNS], True),
        ([CA], True),
        ([CA, SIGNS, purposes(CODE)], True),
        ([CA, SIGNS, purposes(Purpose.ANY_EXTENDED_KEY_USAGE)], True),
        ([CA, SIGNS, (OTHERS["1.2.3"], False)], True),
        ([CA, SIGNS, (x509.PolicyConstraints(0, None), True), (policies("1.2.3"), True)], True),
        ([SIGNS], False),
        ([(x509.BasicConstraints(ca=False, path_length=None), True), SIGNS], False),
        ([CA, (key_usage(signs_data=True), True)], False),
        ([CA, SIGNS, purposes(Purpose.SERVER_AUTH)], False),
        ([CA, SIGNS, (OTHERS["1.2.3"], True)], False),
    ],
)
def test_b23_a_ca_may_issue(extensions: list[Extension], expected: bool) -> None:
    for chain in ((certificate(*extensions),), (certificate(CA), certificate(*extensions))):
        if expected:
            check_authorities(chain, CODE)
        else:
            with pytest.raises(MalformedError):
                check_authorities(chain, CODE)


def test_b23_a_ca_may_issue_as_deep_as_it_stands() -> None:
    shallow = certificate((x509.BasicConstraints(ca=True, path_length=0), True))
    check_authorities((shallow, certificate(CA)), CODE)
    with pytest.raises(MalformedError, match="deep"):
        check_authorities((certificate(CA), shallow), CODE)


def test_b23_a_chain_names_its_keys() -> None:
    lower = certificate(CA, (x509.AuthorityKeyIdentifier(b"other", None, None), False))
    with pytest.raises(MalformedError, match="another key"):
        check_authorities((lower, certificate(CA, (IDENTIFIER, False))), CODE)


@pytest.mark.parametrize(
    ("extensions", "expected"),
    [
        ([purposes(STAMPS)], True),
        ([purposes(STAMPS), CA], False),
        ([purposes(STAMPS, CODE)], False),
        ([purposes(STAMPS, x509.ObjectIdentifier("1.2.3"))], False),
        ([], False),
    ],
)
def test_b23_a_stamper_is_for_nothing_else(extensions: list[Extension], expected: bool) -> None:
    if expected:
        check_tsa_certificate(certificate(*extensions))
    else:
        with pytest.raises(MalformedError):
            check_tsa_certificate(certificate(*extensions))


# The callers


@pytest.mark.parametrize(
    ("whose", "expected"),
    [("nobody's", "proved"), ("the signer's", "bad-certificate"), ("the stamper's", "bad-signing-time")],
)
def test_b23_every_certificate_of_a_bundle_is_read(
    whose: str, expected: str, sigstore: SigstoreService, root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = sigstore.sign_blob(DATA, CLAIMS, form=BundleForm(timestamp=True))
    names = {"the signer's": "", "the stamper's": "CN=sandbox-tsa,O=pip-warden sandbox"}

    def check(found: x509.Certificate) -> None:
        if found.subject.rfc4514_string() == names.get(whose):
            raise MalformedError("nobody reads this")

    monkeypatch.setattr(verify, "check_readable", check)
    monkeypatch.setattr(timed, "check_readable", check)
    timed.check_certificate.cache_clear()  # what another test found good

    assert code(outcome(bundle, root)) == expected


def test_b23_a_leaf_that_names_another_key_is_not_this_cas(
    sigstore: SigstoreService, root: Root, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_force, "names_issuer", lambda *_: False)

    assert code(outcome(sigstore.sign_blob(DATA, CLAIMS), root)) == "bad-certificate-chain"


def _left_out(sigstore: SigstoreService, part: str, chain: list[x509.Certificate]) -> bool:
    listed = [{"rawBytes": base64.b64encode(one.public_bytes(Encoding.DER)).decode()} for one in chain]
    value: dict[str, Any] = sigstore.trusted_root()
    edited = changed(value, f"{part}.0.certChain.certificates", listed)
    try:
        return any(found.startswith(f"{part}[0]") for found in load_root(json.dumps(edited).encode()).dropped)
    except TrustRootError:
        return True


@pytest.mark.parametrize(
    ("part", "make", "expected"),
    [
        ("certificateAuthorities", lambda: [certificate(CA)], False),
        ("certificateAuthorities", lambda: [certificate(), certificate(CA)], True),
        ("certificateAuthorities", lambda: [certificate(CA), certificate(CA)], False),
        ("certificateAuthorities", lambda: [certificate(CA), certificate(CA, key=OTHER)], True),
        ("certificateAuthorities", lambda: [certificate(CA), certificate(CA, key=OTHER, by=OTHER)], True),
        ("certificateAuthorities", lambda: [certificate()], True),
        ("certificateAuthorities", lambda: [certificate(CA, (policies("1.2.3", "1.2.3"), False))], True),
        ("timestampAuthorities", lambda: [certificate(purposes(STAMPS)), certificate(CA)], False),
        ("timestampAuthorities", lambda: [certificate(purposes(STAMPS)), certificate()], True),
        ("timestampAuthorities", lambda: [certificate(purposes(CODE)), certificate(CA)], True),
    ],
)
def test_b23_a_root_has_authorities_that_may_be_such(
    part: str, make: Callable[[], list[x509.Certificate]], expected: bool, sigstore: SigstoreService
) -> None:
    assert _left_out(sigstore, part, make()) is expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2020-01-01T00:00:00Z", "proved"),
        ("2020-01-01T00:00:00.123456789+01:00", "proved"),
        ("2020-01-01 00:00:00Z", "bad-trusted-root"),
        ("20200101T000000Z", "bad-trusted-root"),
        ("2020-W01-1T00:00:00Z", "bad-trusted-root"),
        ("2020-01-01T00:00Z", "bad-trusted-root"),
        ("2020-01-01T00:00:00+0100", "bad-trusted-root"),
        ("2020-01-01T00:00:00", "bad-trusted-root"),
    ],
)
def test_b23_a_time_in_a_root_is_of_rfc_3339(written: str, expected: str, sigstore: SigstoreService) -> None:
    edited = changed(sigstore.trusted_root(), "certificateAuthorities.0.validFor.start", written)
    bundle = sigstore.sign_blob(DATA, CLAIMS)
    try:
        found = code(outcome(bundle, load_root(json.dumps(edited).encode())))
    except TrustRootError as err:
        found = err.code

    assert found == expected
