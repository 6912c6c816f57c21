"""How it is told what something says: to people, foreign text escaped and bounded; and as JSON.

What URLs in it let somebody in with is told to nobody: a package's requirements may have some.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from pip_warden.artifact.model import Contents
from pip_warden.display import escape_text, without_credentials

if TYPE_CHECKING:
    from pip_warden._sigstore.described import ClaimedCertificate
    from pip_warden.faults import Fault
    from pip_warden.inspection.model import (
        ClaimedLogEntry,
        ClaimedPiece,
        ClaimedProvenance,
        ClaimedStatement,
        InspectedFile,
        Inspection,
    )
    from pip_warden.report.layout import Layout
    from pip_warden.strict_json import JSONValue
    from pip_warden.verdict.statement import Subject

_MOST_LISTED = 20
_TEXT, _LONG_TEXT = 300, 2000

Told = Iterator[tuple[str, str]]
"""Labels, each with what is told; not escaped."""


def text(found: Inspection, layout: Layout) -> Iterator[str]:
    """Yield the lines for people.

    Args:
        found: What was found out.
        layout: How it is laid out.
    """
    about = escape_text(found.about, _TEXT)
    if found.is_verified:
        proved = ", and all of its evidence is by who is pinned" if found.all_pieces else " by its hash alone"
        yield from layout.line(("verified", "good"), f": {about} was accepted{proved}")
    else:
        yield from layout.line(
            ("UNVERIFIED", "unknown"), f": what {about} says; anybody could have written it"
        )
    for file in found.files:
        yield from _headed(file.filename, "", layout, is_verified=file.is_verified)
        yield from _lines(_of_file(file), layout)
        yield from _fault(file.fault, layout)
    for piece in found.all_pieces:
        yield from _headed(piece.label, piece.kind, layout, is_verified=piece.is_verified)
        yield from _lines(_of_piece(piece), layout)
        yield from _fault(piece.fault, layout)
    if found.report is None:
        yield from layout.line(
            "To prove who published it, add --verify: the trust file must pin its package."
        )


def _headed(name: str, kind: str, layout: Layout, *, is_verified: bool) -> Iterator[str]:
    mark = ("verified", "good") if is_verified else ("UNVERIFIED", "unknown")
    yield from layout.line(mark, f": {escape_text(name, _TEXT)}{f'  ({kind})' if kind else ''}", indent=2)


def _lines(told: Told, layout: Layout) -> Iterator[str]:
    """Yield a line for each value, but of one label no more than can be read."""
    counts: dict[str, int] = {}
    for label, value in told:
        counts[label] = counts.get(label, 0) + 1
        if counts[label] <= _MOST_LISTED:
            role = "signer" if label == "signer" else ""
            shown = escape_text(without_credentials(value), _LONG_TEXT if role else _TEXT)
            yield from layout.labelled(f"{label:19}  ", (shown, role), indent=4)
    for label, count in counts.items():
        if count > _MOST_LISTED:
            yield from layout.labelled(f"{label:19}  ", f"and {count - _MOST_LISTED} more", indent=4)


def _fault(fault: Fault | None, layout: Layout) -> Iterator[str]:
    if fault is not None:
        expected, found = (escape_text(without_credentials(each)) for each in (fault.expected, fault.found))
        said = f"[{fault.code}] expected {expected}, found {found}"
        yield from layout.labelled(("no good: ", "bad"), said, indent=4)


def _of_file(file: InspectedFile) -> Told:
    if file.artifact is not None:
        yield "sha256", file.artifact.digest.hex
        yield "size", f"{file.artifact.size} bytes"
        contents = file.artifact.contents
        if isinstance(contents, Contents):
            yield "name", f"{contents.project} {contents.version}"
            if contents.requires_python is not None:
                yield "requires python", contents.requires_python
            yield from (("requires", each) for each in contents.requires_dist)
            yield from (("build requires", each) for each in contents.build_requires)
            yield from (("tag", each) for each in sorted(contents.tags))
    if not file.evidence:
        yield "evidence", "none was found"


def _of_piece(piece: ClaimedPiece) -> Told:
    yield from piece.facts
    if piece.certificate is not None:
        yield from _of_certificate(piece.certificate)
    if piece.entry is not None:
        yield from _of_entry(piece.entry)
    if piece.timestamps:
        yield "time stamps", str(piece.timestamps)
    if piece.sha256 is not None:
        yield "of a file", f"sha256 {piece.sha256}"
    if piece.statement is not None:
        yield from _of_statement(piece.statement)


def _of_certificate(certificate: ClaimedCertificate) -> Told:
    yield from (("signer", each) for each in certificate.subjects)
    if certificate.issuer:
        yield "issuer", certificate.issuer
    yield from ((name, value) for name, value in certificate.claims if name != "issuer")
    yield "valid", f"{_moment(certificate.not_before)} to {_moment(certificate.not_after)}"
    yield "issued by", certificate.issued_by
    yield "serial", certificate.serial


def _of_entry(entry: ClaimedLogEntry) -> Told:
    proof = "with an inclusion proof" if entry.has_proof else "without an inclusion proof"
    yield "log entry", f"{entry.index} in {entry.log or f'the log {entry.log_id}'}, {entry.kind}, {proof}"
    if entry.logged_at is not None:
        yield "logged at", _moment(entry.logged_at)


def _of_statement(statement: ClaimedStatement) -> Told:
    yield "predicate", statement.predicate_type
    for subject in statement.subjects:
        digests = [*(("sha256", subject.sha256),) * bool(subject.sha256), *subject.others]
        yield (
            "subject",
            " ".join([subject.name or "(no name)", *(f"{name}:{value}" for name, value in digests)]),
        )
    if statement.provenance is not None:
        yield from _of_provenance(statement.provenance)
    yield from (("annotation", f"{key} = {value}") for key, value in statement.annotations)


def _of_provenance(built: ClaimedProvenance) -> Told:
    facts = (
        ("builder", built.builder),
        ("build type", built.build_type),
        ("invocation", built.invocation),
        ("started", built.started_on),
        ("finished", built.finished_on),
    )
    yield from ((label, value) for label, value in facts if value is not None)
    yield from (("built from", f"{uri or '(no URI)'} {digest}".rstrip()) for uri, digest in built.sources)


def _moment(when: datetime) -> str:
    return f"{when:%Y-%m-%d %H:%M:%S} UTC"


def as_json(found: Inspection) -> dict[str, JSONValue]:
    """Return what was found out, by key."""
    return {
        "verified": found.is_verified,
        "about": found.about,
        "inspected_files": [bare(_file_json(each)) for each in found.files],
        "inspected_evidence": [bare(_piece_json(each)) for each in found.pieces],
    }


def bare(value: JSONValue) -> JSONValue:
    """Return what is told with every text without credentials, also the keys of an image's annotations."""
    match value:
        case str():
            return without_credentials(value)
        case list():
            return [bare(each) for each in value]
        case dict():
            return {without_credentials(key): bare(each) for key, each in value.items()}
        case _:
            return value


def _file_json(file: InspectedFile) -> JSONValue:
    artifact = file.artifact
    shape: dict[str, JSONValue] = {}
    if artifact is not None:
        shape = {"sha256": artifact.digest.hex, "size": artifact.size}
        contents = artifact.contents
        if isinstance(contents, Contents):
            shape["metadata"] = {
                "name": contents.project,
                "version": str(contents.version),
                "requires_python": contents.requires_python,
                "requires": list(contents.requires_dist),
                "build_requires": list(contents.build_requires),
                "tags": [*sorted(contents.tags)],
            }
    return {
        "file": file.filename,
        "verified": file.is_verified,
        **shape,
        "evidence": [_piece_json(each) for each in file.evidence],
        "fault": _fault_json(file.fault),
    }


def _piece_json(piece: ClaimedPiece) -> JSONValue:
    certificate, entry, statement = piece.certificate, piece.entry, piece.statement
    return {
        "evidence": piece.label,
        "kind": piece.kind,
        "verified": piece.is_verified,
        "certificate": None if certificate is None else _certificate_json(certificate),
        "log_entry": None if entry is None else _entry_json(entry),
        "timestamps": piece.timestamps,
        "sha256": piece.sha256,
        "statement": None if statement is None else _statement_json(statement),
        "facts": _pairs(piece.facts),
        "fault": _fault_json(piece.fault),
    }


def _certificate_json(certificate: ClaimedCertificate) -> JSONValue:
    return {
        "sha256": certificate.sha256.hex,
        "subjects": list(certificate.subjects),
        "issuer": certificate.issuer or None,
        "claims": _pairs(certificate.claims),
        "issued_by": certificate.issued_by,
        "serial": certificate.serial,
        "not_before": certificate.not_before.isoformat(),
        "not_after": certificate.not_after.isoformat(),
    }


def _entry_json(entry: ClaimedLogEntry) -> JSONValue:
    return {
        "kind": entry.kind,
        "index": entry.index,
        "log": entry.log or None,
        "log_id": entry.log_id,
        "logged_at": None if entry.logged_at is None else entry.logged_at.isoformat(),
        "has_proof": entry.has_proof,
    }


def _statement_json(statement: ClaimedStatement) -> JSONValue:
    built = statement.provenance
    return {
        "predicate_type": statement.predicate_type,
        "subjects": [_subject_json(each) for each in statement.subjects],
        "annotations": _pairs(statement.annotations),
        "provenance": None
        if built is None
        else {
            "builder": built.builder,
            "build_type": built.build_type,
            "sources": [{"uri": uri, "digest": digest or None} for uri, digest in built.sources],
            "invocation": built.invocation,
            "started_on": built.started_on,
            "finished_on": built.finished_on,
        },
    }


def _subject_json(subject: Subject) -> JSONValue:
    return {
        "name": subject.name or None,
        "sha256": subject.sha256 or None,
        "others": _pairs(subject.others),
    }


def _pairs(pairs: Iterable[tuple[str, str]]) -> list[JSONValue]:
    return [{"name": name, "value": value} for name, value in pairs]


def _fault_json(fault: Fault | None) -> JSONValue:
    return None if fault is None else {"code": fault.code, "expected": fault.expected, "found": fault.found}
