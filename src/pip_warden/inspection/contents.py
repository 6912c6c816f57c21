"""Reads bytes by what they are, whatever their name: a bundle, certificate, envelope, statement, receipt."""

from __future__ import annotations

from dataclasses import replace

from pip_warden._sigstore.result import Envelope
from pip_warden._sigstore.wire_reader import read_envelope
from pip_warden.digests import digest_of
from pip_warden.environments.receipt import read_receipt
from pip_warden.evidence.bundle import what_it_is_instead
from pip_warden.evidence.detached import read_certificate
from pip_warden.evidence.names import SIGNATURE
from pip_warden.evidence.offered import read_any
from pip_warden.evidence.pep740 import LARGEST_PROVENANCE
from pip_warden.faults import Fault
from pip_warden.inspection.model import ClaimedPiece
from pip_warden.inspection.pieces import certified, piece_of, stating
from pip_warden.strict_json import MalformedError, loads_object
from pip_warden.verdict.statement import PAYLOAD_TYPE

LARGEST = LARGEST_PROVENANCE
"""Bytes of what is no wheel or sdist."""

NOT_INSPECTABLE = "not-inspectable"

_EXPECTED = (
    "a Sigstore bundle, a PEP 740 attestation or provenance object, an in-toto statement, a DSSE envelope, "
    "a certificate, a receipt, a wheel or an sdist"
)
_HINT = "Files are known by what is in them; wheels and sdists by their names."
_EVIDENCE = frozenset({"verificationMaterial", "attestation_bundles", "verification_material"})
"""Keys of a bundle, a provenance object and an attestation."""


def pieces_in(label: str, raw: bytes) -> tuple[ClaimedPiece, ...]:
    """Read what some bytes say; the result is never empty.

    Args:
        label: Where they came from, for people.
        raw: The bytes; of more than :data:`LARGEST`, only that they are too many counts.
    """
    fault = what_it_is_instead(raw, _EXPECTED, largest=LARGEST)
    if fault is not None:
        return (ClaimedPiece(label=label, kind="unknown", fault=fault),)
    if raw.lstrip()[:1] != b"{":
        return (_no_json(label, raw),)
    try:
        document = loads_object(raw, max_bytes=LARGEST)
    except MalformedError as err:
        return (_unknown(label, f"JSON that cannot be read: {err}"),)
    if document.keys() & _EVIDENCE:
        return tuple(map(piece_of, read_any(label, raw)))
    if "_type" in document:
        piece = ClaimedPiece(label=label, kind="in-toto statement, which nobody signed")
        return (stating(piece, Envelope(payload_type=PAYLOAD_TYPE, payload=raw)),)
    if "payloadType" in document:
        return (_envelope(label, raw),)
    if document.keys() >= {"archive_info", "basis"}:  # an installer's direct_url.json has the first alone
        return (_receipt(label, raw),)
    return (_unknown(label, "JSON of another kind"),)


def _envelope(label: str, raw: bytes) -> ClaimedPiece:
    piece = ClaimedPiece(label=label, kind="DSSE envelope, without the certificate that signed it")
    try:
        _, envelope = read_envelope(raw)
    except MalformedError as err:
        fault = Fault(code="bad-envelope", expected="a DSSE envelope with one signature", found=str(err))
        return replace(piece, fault=fault)
    return stating(piece, Envelope(payload_type=envelope.payload_type, payload=envelope.payload))


def _receipt(label: str, raw: bytes) -> ClaimedPiece:
    found = read_receipt(raw)
    piece = ClaimedPiece(label=label, kind="receipt of an installation")
    if isinstance(found, Fault):
        return replace(piece, fault=found)
    evidence = () if found.evidence is None else (("evidence", f"sha256 {found.evidence}"),)
    facts = (("archive", found.archive), ("basis", found.basis), *evidence, ("pin", f"sha256 {found.pin}"))
    return replace(piece, sha256=found.sha256.hex, facts=facts)


def _no_json(label: str, raw: bytes) -> ClaimedPiece:
    if label.endswith(SIGNATURE):
        facts = (("signature's SHA-256", digest_of(raw).hex),)
        return ClaimedPiece(
            label=label, kind="signature, which says nothing without its certificate", facts=facts
        )
    found = read_certificate(raw)
    if isinstance(found, Fault):
        return _unknown(label, "something else")
    return certified(ClaimedPiece(label=label, kind="certificate"), found)


def _unknown(label: str, found: str) -> ClaimedPiece:
    fault = Fault(code=NOT_INSPECTABLE, expected=_EXPECTED, found=found, hint=_HINT)
    return ClaimedPiece(label=label, kind="unknown", fault=fault)
