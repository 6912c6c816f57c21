"""What any X.509 certificate says, for people: nothing is verified, and whoever wrote it chose the words."""

from __future__ import annotations

import warnings
from datetime import datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm

from pip_warden._sigstore.claims import read_claims
from pip_warden.digests import Digest, digest_of
from pip_warden.faults import Fault
from pip_warden.values import dataclass

_MOST_NAMES = 32


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimedCertificate:
    """What a certificate says of itself.

    Attributes:
        sha256: The digest of its DER, which was computed here.
        subjects: Its first subject alternative names, each as text.
        issuer: The OIDC issuer, "" where it names none.
        claims: Fulcio's claims, ``(name, value)``; empty where they cannot be read.
        issued_by: The name of the CA (RFC 4514).
        serial: Its serial number in hexadecimal.
        not_before: Aware UTC.
        not_after: Aware UTC.
        fault: Why it can be no signer's, None where that takes verification.
    """

    sha256: Digest
    subjects: tuple[str, ...]
    issuer: str
    claims: tuple[tuple[str, str], ...]
    issued_by: str
    serial: str
    not_before: datetime
    not_after: datetime
    fault: Fault | None = None


def describe_certificate(der: bytes) -> ClaimedCertificate | Fault:
    """Read what a certificate says, whoever issued it and for whatever purpose.

    Returns:
        What it says; or the fault ``bad-certificate``.
    """
    try:
        with warnings.catch_warnings():  # of what RFC 5280 forbids; who only looks at it may see that
            warnings.simplefilter("ignore")
            return _described(der)
    except (ValueError, TypeError, x509.InvalidVersion, UnsupportedAlgorithm) as err:
        return Fault(code="bad-certificate", expected="an X.509 certificate", found=str(err) or "none")


def _described(der: bytes) -> ClaimedCertificate:
    certificate = x509.load_der_x509_certificate(der)
    found = read_claims(certificate)
    claims = None if isinstance(found, Fault) else found
    return ClaimedCertificate(
        sha256=digest_of(der),
        subjects=_names(certificate) if claims is None else claims.subjects,
        issuer="" if claims is None else claims.issuer,
        claims=() if claims is None else claims.values,
        issued_by=certificate.issuer.rfc4514_string(),
        serial=f"{certificate.serial_number:x}",
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        fault=found if isinstance(found, Fault) else None,
    )


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    """Return the alternative names of a certificate that is no signer's; none where they cannot be read."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except (
        ValueError,
        x509.ExtensionNotFound,
        x509.DuplicateExtension,
        x509.UnsupportedGeneralNameType,
    ):
        return ()
    return tuple(str(name.value) for name in list(extension.value)[:_MOST_NAMES])
