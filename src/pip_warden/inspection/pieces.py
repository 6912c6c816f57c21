"""Reads what an item of evidence says. Whoever wrote it chose the words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice

from pip_warden._sigstore.described import ClaimedCertificate, describe_certificate
from pip_warden._sigstore.result import Envelope
from pip_warden._sigstore.wire import LogEntry
from pip_warden.evidence.detached import Pair
from pip_warden.evidence.model import BadItem, EvidenceForm, Item
from pip_warden.faults import Fault
from pip_warden.inspection.model import ClaimedLogEntry, ClaimedPiece, ClaimedProvenance, ClaimedStatement
from pip_warden.strict_json import JSONValue
from pip_warden.verdict.statement import COSIGN_SIGN, Statement, read_statement

_KINDS = {
    EvidenceForm.BUNDLE: "Sigstore bundle",
    EvidenceForm.DSSE_BUNDLE: "Sigstore bundle",
    EvidenceForm.PEP740: "PEP 740 attestation",
    EvidenceForm.DETACHED: "detached signature",
}
_SLSA = "https://slsa.dev/provenance/"
_MOST = 256
"""Annotations and sources of one statement that are told; a report need not have room for more."""
_LAST_SECOND = 253402300799  # of the year 9999


def piece_of(item: Item | BadItem) -> ClaimedPiece:
    """Return what an item of a file's evidence says."""
    kind = _KINDS.get(item.form, item.form.value)
    if isinstance(item, BadItem):
        return ClaimedPiece(label=item.label, kind=kind, fault=item.fault)
    wire = item.wire
    piece = certified(ClaimedPiece(label=item.label, kind=kind), wire.certificate)
    piece = replace(
        piece,
        entry=_entry(wire.entry),
        timestamps=len(wire.timestamps),
        sha256=None if wire.message_digest is None else wire.message_digest.hex(),
    )
    if wire.envelope is None:
        return piece
    return stating(piece, Envelope(payload_type=wire.envelope.payload_type, payload=wire.envelope.payload))


def pair_piece(pair: Pair | Fault, label: str) -> ClaimedPiece:
    """Return what a detached signature and its certificate say, before a log is asked for them."""
    piece = ClaimedPiece(label=label, kind=_KINDS[EvidenceForm.DETACHED])
    return replace(piece, fault=pair) if isinstance(pair, Fault) else certified(piece, pair.certificate)


def certified(piece: ClaimedPiece, der: bytes) -> ClaimedPiece:
    """Add what a certificate says."""
    found = describe_certificate(der)
    if isinstance(found, ClaimedCertificate):
        return replace(piece, certificate=found, fault=piece.fault or found.fault)
    return replace(piece, fault=piece.fault or found)


def stating(piece: ClaimedPiece, envelope: Envelope) -> ClaimedPiece:
    """Add what a statement says, signed or not."""
    said = read_statement(envelope, named=False)
    if isinstance(said, Fault):
        return replace(piece, fault=piece.fault or said)
    statement = ClaimedStatement(
        predicate_type=said.predicate_type,
        subjects=said.subjects,
        annotations=tuple(islice(_annotations(said), _MOST)),
        provenance=_provenance(said.predicate) if said.predicate_type.startswith(_SLSA) else None,
    )
    return replace(piece, statement=statement)


def _entry(entry: LogEntry) -> ClaimedLogEntry:
    seconds, proof = entry.integrated_time, entry.proof
    return ClaimedLogEntry(
        kind=f"{entry.kind} {entry.version}",
        index=entry.log_index,
        log="" if proof is None else proof.checkpoint.signer,
        log_id=entry.log_id.hex(),
        logged_at=datetime.fromtimestamp(seconds, UTC) if 0 < seconds <= _LAST_SECOND else None,
        has_proof=proof is not None,
    )


def _annotations(said: Statement) -> Iterator[tuple[str, str]]:
    """Yield the annotations that are text: of an image they are its subjects', else the predicate's."""
    if said.predicate_type == COSIGN_SIGN:
        found = [subject.annotations for subject in said.subjects]
    else:
        found = [_at(said.predicate, "annotations")]
    for each in found:
        if isinstance(each, dict):
            yield from ((key, value) for key, value in each.items() if isinstance(value, str))


def _provenance(predicate: JSONValue) -> ClaimedProvenance:
    """Read what a predicate of any version says, as far as it says it in a known place.

    Source: slsa.dev/spec/v1.0/provenance, and v0.2 of it.
    """
    details = _at(predicate, "runDetails")
    metadata = _at(details, "metadata") or _at(predicate, "metadata")
    listed = _at(predicate, "buildDefinition", "resolvedDependencies") or _at(predicate, "materials")
    return ClaimedProvenance(
        builder=_text(_at(details, "builder", "id") or _at(predicate, "builder", "id")),
        build_type=_text(_at(predicate, "buildDefinition", "buildType") or _at(predicate, "buildType")),
        sources=tuple(map(_source, listed[:_MOST])) if isinstance(listed, list) else (),
        invocation=_text(_at(metadata, "invocationId") or _at(metadata, "buildInvocationId")),
        started_on=_text(_at(metadata, "startedOn") or _at(metadata, "buildStartedOn")),
        finished_on=_text(_at(metadata, "finishedOn") or _at(metadata, "buildFinishedOn")),
    )


def _source(listed: JSONValue) -> tuple[str, str]:
    digests = _at(listed, "digest")
    found = digests if isinstance(digests, dict) else {}
    texts = [f"{algorithm}:{value}" for algorithm, value in found.items() if isinstance(value, str)]
    return _text(_at(listed, "uri")) or "", texts[0] if texts else ""


def _text(value: JSONValue) -> str | None:
    return value if isinstance(value, str) else None


def _at(value: JSONValue, *keys: str) -> JSONValue:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
