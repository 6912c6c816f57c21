"""Step 6 for detached signatures: makes a Sigstore bundle of ``.sig``, ``.crt`` and their log entry.

cosign 2 and 3 write ``.sig`` as base64 of DER and ``.crt`` as base64 of PEM; sigstore-python writes PEM and
ends it twice; other tools write PEM or DER.
"""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING

from pip_warden._sigstore.fields import canonical_base64
from pip_warden._sigstore.rekor import Hashedrekord
from pip_warden._sigstore.wire import LogEntry, WireBundle
from pip_warden.evidence.bundle import item_of, what_it_is_instead
from pip_warden.evidence.model import BadItem, EvidenceForm, Item
from pip_warden.faults import Fault
from pip_warden.strict_json import MalformedError
from pip_warden.values import dataclass

if TYPE_CHECKING:
    from pip_warden.digests import Digest

LARGEST_SIGNATURE = 64 << 10
LARGEST_CERTIFICATE = 256 << 10
"""Bytes; real ones have about a hundred and two thousand."""

_PEM = re.compile(
    r"-----BEGIN CERTIFICATE-----\r?\n(?P<body>(?:[A-Za-z0-9+/=]{1,76}\r?\n)+)"
    r"-----END CERTIFICATE-----(?:\r?\n){0,2}",
    re.ASCII,
)
_PEM_LINE = 64
_SEQUENCE = 0x30
_LONG_FORM = 0x80


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """A detached signature with its certificate, not verified.

    Attributes:
        label: Where they came from, for people.
        signature: DER.
        certificate: DER.
    """

    label: str
    signature: bytes
    certificate: bytes

    def wanted(self, digest: Digest) -> Hashedrekord:
        """Return what this pair's log entry must say for the file with a digest."""
        return Hashedrekord(digest=digest, signature=self.signature, pem=pem_of(self.certificate))


def read_pair(label: str, signature: bytes, certificate: bytes) -> Pair | Fault:
    """Read the contents of a ``.sig`` and a ``.crt`` file.

    Returns:
        The pair, or a fault: ``bad-detached-signature``, or one for what was saved instead.
    """
    fault = what_it_is_instead(
        signature, "a detached signature", largest=LARGEST_SIGNATURE
    ) or what_it_is_instead(certificate, "a signing certificate", largest=LARGEST_CERTIFICATE)
    if fault is not None:
        return fault
    try:
        return Pair(label=label, signature=_signature(signature), certificate=_certificate(certificate))
    except MalformedError as err:
        return Fault(
            code="bad-detached-signature",
            expected="base64 of a DER signature, and one certificate in PEM, base64 of PEM, or DER",
            found=str(err),
        )


def read_certificate(raw: bytes) -> bytes | Fault:
    """Read the content of a ``.crt`` file alone, and return its DER.

    Returns:
        DER, not looked into; or ``bad-detached-signature``, or a fault for what was saved instead.
    """
    fault = what_it_is_instead(raw, "a signing certificate", largest=LARGEST_CERTIFICATE)
    if fault is not None:
        return fault
    try:
        return _certificate(raw)
    except MalformedError as err:
        expected = "one certificate in PEM, base64 of PEM, or DER"
        return Fault(code="bad-detached-signature", expected=expected, found=str(err))


def complete(pair: Pair, digest: Digest, entry: LogEntry | None) -> Item | BadItem:
    """Return the bundle of a pair and its log entry.

    Args:
        pair: The signature and its certificate.
        digest: SHA-256 of the file.
        entry: What :func:`~pip_warden._sigstore.rekor.find_entry` found for ``pair.wanted(digest)``.
    """
    if entry is None:
        fault = Fault(
            code="no-log-entry",
            expected=f"an entry in the transparency log for a file with SHA-256 {digest}, "
            "this signature and this certificate",
            found="none",
            hint="The file or the signature was changed, or it was signed under another Sigstore instance "
            "than the trusted root's.",
        )
        return BadItem(label=pair.label, form=EvidenceForm.DETACHED, fault=fault)
    wire = WireBundle(
        certificate=pair.certificate,
        entry=entry,
        timestamps=(),
        signature=pair.signature,
        message_digest=digest.raw(),
        envelope=None,
    )
    return item_of(pair.label, EvidenceForm.DETACHED, wire)


def pem_of(der: bytes) -> bytes:
    """Write a certificate as PEM (RFC 7468: lines of 64 characters), as signing tools log it."""
    text = base64.b64encode(der).decode("ascii")
    lines = [text[at : at + _PEM_LINE] for at in range(0, len(text), _PEM_LINE)]
    return "\n".join(["-----BEGIN CERTIFICATE-----", *lines, "-----END CERTIFICATE-----", ""]).encode("ascii")


def _signature(raw: bytes) -> bytes:
    return _der(canonical_base64(_one_line(raw, "the signature"), "the signature"), "the signature")


def _certificate(raw: bytes) -> bytes:
    if raw[0] == _SEQUENCE:
        return _der(raw, "the certificate")
    if raw.startswith(b"-----BEGIN"):
        return _from_pem(raw)
    return _from_pem(canonical_base64(_one_line(raw, "the certificate"), "the certificate"))


def _from_pem(raw: bytes) -> bytes:
    match = _PEM.fullmatch(_ascii(raw, "the certificate"))
    if match is None:
        raise MalformedError("the certificate is not exactly one certificate in PEM")
    body = "".join(match["body"].split())
    return _der(canonical_base64(body, "the certificate"), "the certificate")


def _one_line(raw: bytes, what: str) -> str:
    """Return text without the line end that an editor or a shell adds."""
    text = _ascii(raw, what)
    return text.removesuffix("\n").removesuffix("\r")


def _ascii(raw: bytes, what: str) -> str:
    try:
        return raw.decode("ascii")
    except UnicodeDecodeError as err:
        raise MalformedError(f"{what} is not ASCII text") from err


def _der(data: bytes, what: str) -> bytes:
    """Return data that is exactly one DER SEQUENCE from its first byte to its last (X.690 section 10.1)."""
    if len(data) < 2 or data[0] != _SEQUENCE:
        raise MalformedError(f"{what} is not DER")
    length, start = data[1], 2
    if length & _LONG_FORM:
        count = length & ~_LONG_FORM
        start += count
        length = int.from_bytes(data[2:start], "big")
        if not 1 <= count <= 3 or length < _LONG_FORM or data[2] == 0:
            raise MalformedError(f"{what} is not DER")
    if start + length != len(data):
        raise MalformedError(f"{what} is not exactly one DER value")
    return data
