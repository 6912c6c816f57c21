"""Checks that every client can read a certificate, and reads it alike.

The library used here (cryptography) reads more than others do, and a certificate that one client refuses
proves nothing to it. So only keys, names and extensions that all of them know are accepted.

Sources: RFC 5280 section 4.2; RFC 3986 for URIs; Go's ``crypto/x509``, the strictest of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import pairwise
from typing import Any, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from pip_warden.strict_json import MalformedError

E = TypeVar("E", bound=x509.ExtensionType)

_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)
_LARGEST_ARC = 2**31 - 1
_NEVER_CRITICAL = frozenset(
    {
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.AUTHORITY_INFORMATION_ACCESS,
    }
)
_OF_A_CA = frozenset(
    {
        ExtensionOID.NAME_CONSTRAINTS,
        ExtensionOID.POLICY_CONSTRAINTS,
        ExtensionOID.INHIBIT_ANY_POLICY,
        x509.ObjectIdentifier("2.5.29.33"),  # policy mappings
    }
)
_KNOWN_CRITICAL = (
    ExtensionOID.BASIC_CONSTRAINTS,
    ExtensionOID.KEY_USAGE,
    ExtensionOID.EXTENDED_KEY_USAGE,
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
    ExtensionOID.CERTIFICATE_POLICIES,
    *_OF_A_CA,
)
_PLAIN = r"A-Za-z0-9._~!$&'()*+,;=:@\-"
_HOST = r"(?:[A-Za-z0-9_~\-]+(?:\.[A-Za-z0-9_~\-]+)*|\[[0-9A-Fa-f:.]+\])"
_AUTHORITY = rf"(?:[{_PLAIN}]*@)?{_HOST}(?::[0-9]*)?"
_URI = re.compile(
    rf"[a-z][a-z0-9+.\-]*:(?://(?:{_AUTHORITY})?(?=[/?#]|\Z)|(?!//))(?:[{_PLAIN}/?#\[\]]|%[0-9A-Fa-f]{{2}})*"
)


def check_readable(certificate: x509.Certificate) -> None:
    """Refuse what some clients read and others do not, whoever issued it.

    Raises:
        MalformedError: Some client cannot read it.
        ValueError: Its extensions cannot be read at all.
    """
    _check_key(certificate)
    if certificate.serial_number < 0:
        raise MalformedError("a certificate with a negative serial number")
    for extension in certificate.extensions:
        number = extension.oid
        if extension.critical and number in _NEVER_CRITICAL:
            raise MalformedError(f"a certificate whose extension {number.dotted_string} is marked critical")
        if _is_of_a_ca(number) and not _is_ca(certificate):
            raise MalformedError(f"a certificate of no CA with the extension {number.dotted_string}")
        check = _CHECKS.get(type(extension.value))
        if check is not None:
            check(extension.value)


@lru_cache(maxsize=1024)
def _is_of_a_ca(number: x509.ObjectIdentifier) -> bool:
    """Return whether only a CA's certificate has an extension; asked of a signer's twenty in every bundle.

    Raises:
        MalformedError: The number has an arc beyond 31 bits.
    """
    check_identifier(number)
    return number in _OF_A_CA


def _is_ca(certificate: x509.Certificate) -> bool:
    constraints = value_of(certificate, x509.BasicConstraints)
    return constraints is not None and constraints.ca


def _check_key(certificate: x509.Certificate) -> None:
    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        if not isinstance(key.curve, _CURVES):
            raise MalformedError(f"a key on the curve {key.curve.name}")
        # The key is encoded again with an uncompressed point.
        if (
            key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            not in certificate.tbs_certificate_bytes
        ):
            raise MalformedError("a key whose point is compressed")
    elif not isinstance(key, rsa.RSAPublicKey | ed25519.Ed25519PublicKey):
        raise MalformedError(f"a key of another kind: {type(key).__name__}")


def _check_purposes(purposes: x509.ExtendedKeyUsage) -> None:
    for number in purposes:
        check_identifier(number)


def _check_policies(listed: x509.CertificatePolicies) -> None:
    policies = [policy.policy_identifier for policy in listed]
    if len(set(policies)) != len(policies):
        raise MalformedError("a certificate that names a policy twice")
    for number in policies:
        check_identifier(number)


def _check_addresses(addresses: x509.AuthorityInformationAccess) -> None:
    if not list(addresses):
        raise MalformedError("a certificate with an empty list of addresses of its authority")


@lru_cache(maxsize=1024)
def check_identifier(number: x509.ObjectIdentifier) -> None:
    """Check that the arcs of an object identifier are within 31 bits.

    Raises:
        MalformedError: One of them is not.
    """
    if max(map(int, number.dotted_string.split("."))) > _LARGEST_ARC:
        raise MalformedError(f"an object identifier beyond all bounds: {number.dotted_string[:80]}")


def _check_names(names: Iterable[x509.GeneralName]) -> None:
    """Check that e-mail addresses are ASCII (RFC 5280: IA5String), and URIs survive a round trip in Go."""
    for name in names:
        if isinstance(name, x509.RFC822Name) and not name.value.isascii():
            raise MalformedError(f"a mail address that is not ASCII: {name.value[:200]!r}")
        if isinstance(name, x509.UniformResourceIdentifier) and not _URI.fullmatch(name.value):
            raise MalformedError(f"a name that is no URI: {name.value[:200]!r}")


_CHECKS: dict[type[x509.ExtensionType], Callable[[Any], None]] = {
    x509.ExtendedKeyUsage: _check_purposes,
    x509.CertificatePolicies: _check_policies,
    x509.AuthorityInformationAccess: _check_addresses,
    x509.SubjectAlternativeName: _check_names,
}
"""By the type that cryptography's reader makes, never one derived from it; asking for each costs more."""


def names_issuer(lower: x509.Certificate, upper: x509.Certificate) -> bool:
    """Return whether the authority key identifier is the issuer's key identifier, where both have one."""
    stated, own = value_of(lower, x509.AuthorityKeyIdentifier), value_of(upper, x509.SubjectKeyIdentifier)
    if stated is None or stated.key_identifier is None or own is None:
        return True
    return stated.key_identifier == own.digest


def check_authorities(chain: tuple[x509.Certificate, ...], purpose: x509.ObjectIdentifier) -> None:
    """Check that each CA may issue, for this purpose, at its depth in the chain (the issuing CA first).

    Raises:
        MalformedError: One of them may not.
    """
    for depth, ca in enumerate(chain):
        name = ca.subject.rfc4514_string()
        constraints = value_of(ca, x509.BasicConstraints)
        if constraints is None or not constraints.ca or not _may_sign(ca):
            raise MalformedError(f"{name!r} may not issue certificates")
        if constraints.path_length is not None and constraints.path_length < depth:
            raise MalformedError(f"{name!r} may not issue a CA {depth} certificates deep")
        if not _may_serve(ca, purpose):
            raise MalformedError(f"{name!r} is of another purpose than {purpose.dotted_string}")
        for extension in ca.extensions:
            if extension.critical and extension.oid not in _KNOWN_CRITICAL:
                raise MalformedError(f"{name!r} has the critical extension {extension.oid.dotted_string}")
    if not all(names_issuer(lower, upper) for lower, upper in pairwise(chain)):
        raise MalformedError("a chain in which a certificate names another key than its issuer's")


def check_tsa_certificate(leaf: x509.Certificate) -> None:
    """Check that a certificate is not a CA's, and is for time stamps only (RFC 3161 section 2.3).

    Raises:
        MalformedError: It is a CA's, or for another purpose too.
    """
    constraints, purposes = value_of(leaf, x509.BasicConstraints), _purposes(leaf)
    if (constraints and constraints.ca) or purposes != [ExtendedKeyUsageOID.TIME_STAMPING]:
        raise MalformedError("a certificate that is not for time stamps alone")


def chain_of(raw: Iterable[bytes]) -> tuple[x509.Certificate, ...]:
    """Load a chain of certificates (DER), each issued by the next.

    The library has exceptions of its own for versions, keys and curves that it does not know.

    Raises:
        MalformedError: One cannot be read, or was not issued by the next.
    """
    try:
        chain = tuple(map(x509.load_der_x509_certificate, raw))
        for lower, upper in pairwise(chain):
            lower.verify_directly_issued_by(upper)
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.InvalidVersion) as err:
        raise MalformedError(str(err) or type(err).__name__) from err
    return chain


def _may_sign(ca: x509.Certificate) -> bool:
    usage = value_of(ca, x509.KeyUsage)
    return usage is None or usage.key_cert_sign


def _may_serve(ca: x509.Certificate, purpose: x509.ObjectIdentifier) -> bool:
    purposes = _purposes(ca)
    return not purposes or purpose in purposes or ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE in purposes


def _purposes(certificate: x509.Certificate) -> list[x509.ObjectIdentifier]:
    return list(value_of(certificate, x509.ExtendedKeyUsage) or ())


def value_of(certificate: x509.Certificate, kind: type[E]) -> E | None:
    """Return an extension's value, None where it is absent."""
    try:
        found = certificate.extensions.get_extension_for_oid(kind.oid).value
    except x509.ExtensionNotFound:
        return None
    return found if isinstance(found, kind) else None
