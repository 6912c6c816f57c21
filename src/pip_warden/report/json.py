"""A report as JSON: keys in ``snake_case``, starting with ``schema_version``."""

from __future__ import annotations

import json
from collections.abc import Mapping

from pip_warden.errors import TrustFileError, WardenError
from pip_warden.measures import Measured
from pip_warden.oci.names import spelled
from pip_warden.report.figures import as_json
from pip_warden.report.model import Line, Report
from pip_warden.report.statements import further_json as further
from pip_warden.strict_json import JSONValue
from pip_warden.verdict.model import (
    Accepted,
    AcceptedImage,
    ItemRefusal,
    PinnedByHash,
    Refused,
    SignedBy,
)

SCHEMA_VERSION = 1


def render(
    report: Report, measured: Measured | None = None, more: Mapping[str, JSONValue] | None = None
) -> str:
    """Render a report; foreign text is escaped by JSON itself (ASCII only).

    Args:
        report: The report.
        measured: What the run has cost; None where nobody measured it.
        more: What a command tells besides, by key.
    """
    document: dict[str, JSONValue] = {
        "schema_version": SCHEMA_VERSION,
        "command": report.command,
        "exit_code": report.exit_code,
        "trust_file": report.trust_file or None,
        "target": report.target or None,
        "installer_exit_code": report.installer_code,
        report.about: [_line(line) | further(report, line) for line in report.lines],
        "unpinned": [
            {"project": name.project, "wanted_by": name.wanted_by, "requirement": name.requirement}
            for name in report.unpinned
        ],
        "mirrors": [{"source": name, "url": url} for name, url in report.mirrors],
        "warnings": list(report.warnings),
        "error": _error(report.error) if report.error is not None else None,
    }
    document |= more or {}
    if measured is not None:
        document["measures"] = as_json(measured)
    return json.dumps(document, indent=2)


def render_error(command: str, error: WardenError) -> str:
    """Render an error that ended a run before there was a report."""
    document: dict[str, JSONValue] = {
        "schema_version": SCHEMA_VERSION,
        "command": command,
        "exit_code": error.exit_code,
        "error": _error(error),
    }
    return json.dumps(document, indent=2)


def _error(error: WardenError) -> JSONValue:
    return {
        "code": error.code,
        "message": error.message,
        "hint": error.hint or None,
        "faults": _faults(error),
    }


def _faults(error: WardenError) -> JSONValue:
    if not isinstance(error, TrustFileError):
        return []
    return [{"path": path, "message": message} for path, message in error.faults]


def _line(line: Line) -> dict[str, JSONValue]:
    shape: dict[str, JSONValue] = {
        **_name(line),
        "outcome": line.outcome.value.replace(", ", "_").replace(" ", "_"),
        "sha256": line.sha256 or None,
        "source": line.source or None,
        "note": line.note or None,
    }
    match line.verdict:
        case Accepted() | AcceptedImage() as accepted:
            shape["accepted"] = _basis(accepted)
            shape["bad_evidence"] = [item_value(item) for item in accepted.bad_items]
        case Refused() as refused:
            shape["refused"] = {
                "code": refused.code,
                "did_you_mean": list(refused.fault.meant),
                "step": int(refused.step),
                "step_name": refused.step.name.lower(),
                "expected": refused.fault.expected,
                "found": refused.fault.found,
                "hint": refused.fault.hint or None,
            }
            shape["bad_evidence"] = [item_value(item) for item in refused.bad_items]
        case None:
            pass
    if line.undecided is not None:
        undecided = line.undecided
        shape["undecided"] = {
            "code": undecided.code,
            "message": undecided.message,
            "hint": undecided.hint or None,
        }
    return shape


def _name(line: Line) -> dict[str, JSONValue]:
    if line.image is None:
        return {"file": line.subject}
    image = line.image
    return {
        "image": line.subject,
        "repository": str(image.repository),
        "tag": image.tag,
        "digest": None if image.digest is None else spelled(image.digest),
    }


def _basis(accepted: Accepted | AcceptedImage) -> JSONValue:
    match accepted.basis:
        case PinnedByHash(reason=reason, expires=expires):
            ends: dict[str, JSONValue] = {} if expires is None else {"expires": expires.isoformat()}
            return {"basis": "hash", "reason": reason, **ends}
        case SignedBy() as signed:
            return {
                "basis": "identity",
                "evidence": signed.label,
                "form": signed.form.value,
                "root": signed.root,
                "issuer": signed.claims.issuer,
                "subject": signed.claims.subjects[0],
                "signed_at": signed.claims.not_before.isoformat(),
                "log_index": signed.log_index,
                "claims": {name.replace("-", "_"): value for name, value in signed.claims.values},
            }


def item_value(item: ItemRefusal) -> JSONValue:
    """Return an item of evidence that is not good, and why."""
    return {
        "evidence": item.label,
        "form": item.form.value,
        "step": int(item.failure.step),
        "code": item.code,
        "expected": item.failure.fault.expected,
        "found": item.failure.fault.found,
    }
