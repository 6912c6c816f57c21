"""A report as JSON: keys in ``snake_case``, starting with ``schema_version``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from pip_warden.display import bare_url
from pip_warden.errors import UsageError, WardenError
from pip_warden.measures import Measured
from pip_warden.names import parse_artifact_name, parse_project_name, parse_version
from pip_warden.oci.names import ImageReference, spelled
from pip_warden.report.document import document
from pip_warden.report.figures import as_json
from pip_warden.report.model import Line, Place, Report
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

JUDGING = frozenset(
    {
        "safe-install",
        "run",
        "verify",
        "verify-release",
        "publish",
        "publish-evidence",
        "promote",
        "trust add",
        "trust sync",
        "trust update",
        "image verify",
        "image promote",
    }
)
"""The commands whose document is a report, also where an error ended them before there was one."""


def render(
    report: Report, measured: Measured | None = None, more: Mapping[str, JSONValue] | None = None
) -> str:
    """Render a report; foreign text is escaped by JSON itself (ASCII only).

    Args:
        report: The report.
        measured: What the run has cost; None where nobody measured it.
        more: What a command tells besides, by key.
    """
    places = dict(report.places)
    told: dict[str, JSONValue] = {
        "trust_file": report.trust_file or None,
        "target": report.target or None,
        "installer_exit_code": report.installer_code,
        report.about: [_line(line, places) | further(report, line) for line in report.lines],
        "unpinned": [
            {"project": name.project, "wanted_by": name.wanted_by, "requirement": _bare(name.requirement)}
            for name in report.unpinned
        ],
        "mirrors": [{"source": name, "url": url} for name, url in report.mirrors],
        "warnings": list(report.warnings),
        **(more or {}),
    }
    if measured is not None:
        told["measures"] = as_json(measured)
    return document(report.command, told, exit_code=report.exit_code, error=report.error)


def render_error(command: str, error: WardenError) -> str:
    """Render an error that ended a run before there was anything else to tell.

    What a judging command prints is a report nevertheless: whoever reads it finds the same keys.
    """
    if command not in JUDGING:
        return document(command, exit_code=error.exit_code, error=error)
    about: Literal["files", "images"] = "images" if command.startswith("image ") else "files"
    return render(Report(command=command, exit_code=error.exit_code, error=error, about=about))


def _line(line: Line, places: Mapping[str, Place]) -> dict[str, JSONValue]:
    shape: dict[str, JSONValue] = {
        **(_image(line.image, line.subject) if line.image is not None else _file(line, places)),
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
    if (error := line.unjudged) is not None:
        shape["undecided" if line.undecided is not None else "refused_early"] = {
            "code": error.code,
            "message": error.message,
            "hint": error.hint or None,
        }
    return shape


def _image(image: ImageReference, subject: str) -> dict[str, JSONValue]:
    return {
        "image": subject,
        "repository": str(image.repository),
        "tag": image.tag,
        "digest": None if image.digest is None else spelled(image.digest),
    }


def _file(line: Line, places: Mapping[str, Place]) -> dict[str, JSONValue]:
    project, version = _release(line.subject)
    place = None if project is None else places.get(project)
    return {
        "file": line.subject,
        "project": project,
        "version": version,
        "requirement": None if place is None else _place(place),
        "url": line.url or None,
    }


def _place(place: Place) -> JSONValue:
    return {"text": _bare(place.text) or None, "path": place.path, "line": place.line}


def _bare(requirement: str) -> str:
    """Return a requirement whose URL, if it has one, lets nobody in."""
    return re.sub(r"\S+://\S+", lambda url: bare_url(url[0]), requirement)


def _release(subject: str) -> tuple[str | None, str | None]:
    """Return project and version that a subject names: a file, ``NAME VERSION`` or ``NAME==VERSION``, a name.

    None for what it does not name. The outcome says whether it is to be believed.
    """
    try:
        if "/" not in subject and subject.endswith((".whl", ".tar.gz")):
            named = parse_artifact_name(subject)
            return named.project, str(named.version)
        name, *version = subject.replace("==", " ").split(" ")
        return parse_project_name(name), str(parse_version(version[0])) if len(version) == 1 else None
    except UsageError:
        return None, None


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
