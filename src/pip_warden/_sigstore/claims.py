"""What a Fulcio certificate claims, decoded strictly.

Source: fulcio ``docs/oid-info.md``: extension 1 holds raw text, 8 and above a DER UTF8String.
"""

from __future__ import annotations

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from pip_warden._sigstore.result import CLAIM_NUMBERS, CertificateClaims
from pip_warden.faults import Fault

_ARC = "1.3.6.1.4.1.57264.1."
_RAW_ISSUER = 1
_NUMBERS = {
    x509.ObjectIdentifier(f"{_ARC}{number}"): number for number in (_RAW_ISSUER, *CLAIM_NUMBERS.values())
}
_UTF8_STRING = 0x0C
_LONG_FORM = 0x80
_NOBODY = frozenset({"https:", "https://", "https://<nil>", "https://%3Cnil%3E"})
"""What Fulcio writes for a token whose ``ci_config_ref_uri`` is empty or null, whatever its project."""


def read_claims(certificate: x509.Certificate) -> CertificateClaims | Fault:
    """Read the claims of a certificate.

    Returns:
        The claims, or a fault: ``bad-claims`` (an extension that is repeated or does not decode),
        ``issuer-disagrees`` (extensions 1 and 8 name different issuers), ``no-issuer``, ``bad-subject`` (not
        exactly one subject alternative name).
    """
    try:
        extensions = certificate.extensions
        values = _values(extensions)
        subject = _subject(extensions)
    except (ValueError, x509.DuplicateExtension, x509.UnsupportedGeneralNameType) as err:
        found = str(err)
        if isinstance(err, x509.DuplicateExtension):
            found = f"the extension {err.oid.dotted_string} more than once"
        return Fault(code="bad-claims", expected="certificate extensions as Fulcio writes them", found=found)
    if isinstance(subject, Fault):
        return subject
    issuer = _issuer(values)
    if isinstance(issuer, Fault):
        return issuer
    if "%" in subject and subject == values.get(CLAIM_NUMBERS["build-signer-uri"]):
        # The CA escapes a subject only where it must: one that had escapes already looks like another that
        # was escaped.
        return Fault(code="bad-subject", expected="a ref without percent signs", found=subject)
    return CertificateClaims(
        issuer=issuer,
        subjects=(subject,),
        values=tuple((name, values[number]) for name, number in CLAIM_NUMBERS.items() if number in values),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
    )


def _values(extensions: x509.Extensions) -> dict[int, str]:
    """Return the text of every claim, by its number."""
    listed: dict[int, list[x509.Extension[x509.ExtensionType]]] = {}
    for extension in extensions:
        if (claim := _NUMBERS.get(extension.oid)) is not None:
            listed.setdefault(claim, []).append(extension)
    found = {}
    for number in _NUMBERS.values():
        matching = listed.get(number, [])
        if len(matching) > 1:
            raise ValueError(f"extension {_ARC}{number} appears {len(matching)} times")
        for extension in matching:
            if not isinstance(extension.value, x509.UnrecognizedExtension):
                # A fault of the input, not of a caller.
                raise ValueError(f"extension {_ARC}{number} is not a claim")  # noqa: TRY004
            raw = extension.value.value
            found[number] = raw.decode("utf-8") if number == _RAW_ISSUER else decode_utf8_string(raw)
    return found


def decode_utf8_string(der: bytes) -> str:
    """Decode exactly one DER UTF8String (X.690 sections 8.1.3 and 10.1: shortest definite length).

    Raises:
        ValueError: It is anything else.
    """
    if len(der) < 2 or der[0] != _UTF8_STRING:
        raise ValueError("not a DER UTF8String")
    length, start = der[1], 2
    if length & _LONG_FORM:
        count = length & ~_LONG_FORM
        start += count
        octets = der[2:start]
        length = int.from_bytes(octets, "big")
        if not 1 <= count <= 4 or len(octets) != count or octets[0] == 0 or length < _LONG_FORM:
            raise ValueError("not the shortest DER length")
    if len(der) != start + length:
        raise ValueError("a DER length that is not the content's")
    return der[start:].decode("utf-8")


def _subject(extensions: x509.Extensions) -> str | Fault:
    names = [extension for extension in extensions if extension.oid == ExtensionOID.SUBJECT_ALTERNATIVE_NAME]
    found = [
        name.value if isinstance(name, x509.UniformResourceIdentifier | x509.RFC822Name) else None
        for extension in names
        if isinstance(extension.value, x509.SubjectAlternativeName)
        for name in extension.value
    ]
    if len(found) == 1 and found[0] and found[0] not in _NOBODY:
        return found[0]
    return Fault(
        code="bad-subject",
        expected="exactly one subject alternative name, a URI or mail address that names somebody",
        found=f"{len(found)}: {found!r}"[:400],
    )


def _issuer(values: dict[int, str]) -> str | Fault:
    named = {values[number] for number in (_RAW_ISSUER, CLAIM_NUMBERS["issuer"]) if number in values}
    if len(named) > 1:
        return Fault(
            code="issuer-disagrees",
            expected="the same issuer in extensions 1 and 8 of the certificate",
            found=" and ".join(sorted(named)),
        )
    issuer = values.get(_RAW_ISSUER, "")
    if not issuer:
        # The CA writes both. sigstore-python reads extension 1 alone, and a certificate must mean the same
        # to every client.
        return Fault(
            code="no-issuer",
            expected="an issuer in extension 1 of the certificate",
            found="one in extension 8 alone" if named else "a certificate that names no issuer",
        )
    return issuer


def claimed_signer(der: bytes) -> CertificateClaims | Fault:
    """Read the claims of a certificate that nobody has verified: they say who somebody claims to be.

    Args:
        der: The certificate.

    Returns:
        As :func:`read_claims`; or ``bad-certificate``.
    """
    try:
        return read_claims(x509.load_der_x509_certificate(der))
    except (ValueError, x509.InvalidVersion) as err:
        return Fault(code="bad-certificate", expected="an X.509 certificate", found=str(err))
