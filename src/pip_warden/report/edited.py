"""What a command did to the trust file, as data: one shape, whichever command it was."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from packaging.version import Version

from pip_warden.errors import WardenError
from pip_warden.names import ProjectName
from pip_warden.report.document import document
from pip_warden.report.model import Line, Outcome, Place, Report, error_line, unsaid
from pip_warden.report.pins import as_json, image_as_json
from pip_warden.strict_json import JSONValue
from pip_warden.trust.model import Entry, HashEntry, ImageEntry, TrustFile
from pip_warden.values import dataclass, field

Why = Mapping[tuple[ProjectName, Version | None], str]
"""Why a release, or a package (None), is pinned so or is not any more."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Edited:
    """What became of a trust file.

    Attributes:
        command: The command.
        exit_code: Of the run.
        before: The trust file as it was; without packages where there was none.
        after: It as it is now.
        is_written: Whether it was written.
        why: Reasons, where the command has some.
        refused: What stays as it is, and the error that says why.
        mirrors: Source and URL of each mirror that is set.
        warnings: What the user should look at.
    """

    command: str
    exit_code: int
    before: TrustFile
    after: TrustFile
    is_written: bool
    why: Why = field(default_factory=dict)
    refused: Sequence[tuple[ProjectName, WardenError]] = ()
    mirrors: Mapping[str, str] = field(default_factory=dict)
    warnings: Sequence[str] = ()


def render(edited: Edited) -> str:
    """Render it; foreign text is escaped by JSON itself (ASCII only)."""
    return document(edited.command, told(edited), exit_code=edited.exit_code)


def report_of(
    edited: Edited, error: WardenError | None = None, places: Sequence[tuple[str, Place]] = ()
) -> Report:
    """Return it as a report: a line for each release, package or repository that was pinned, or not.

    Args:
        edited: What was done.
        error: What ended the run; None where nothing did.
        places: Where each project is needed.
    """
    lines = [error_line(project, each) for project, each in edited.refused]
    lines += [_pinned_line(entry, edited.why) for entry in _beyond(edited.after, edited.before)]
    images = (each for each in edited.after.images if edited.before.image_entry(each.repository) != each)
    lines += [Line(subject=str(each.repository), outcome=Outcome.PINNED) for each in images]
    return Report(
        command=edited.command,
        exit_code=edited.exit_code if error is None else error.exit_code,
        lines=tuple(lines),
        warnings=tuple(edited.warnings),
        trust_file=str(edited.after.path),
        error=unsaid(error, lines),
        sources=edited.after.sources,
        places=tuple(places),
    )


def _pinned_line(entry: Entry, why: Why) -> Line:
    is_hash = isinstance(entry, HashEntry)
    reason = _why(entry, why)
    note = f"by {'hash' if is_hash else 'identity'}{f': {reason}' if reason else ''}"
    subject = f"{entry.project} {entry.version}" if isinstance(entry, HashEntry) else str(entry.project)
    return Line(subject=subject, outcome=Outcome.PINNED, source=entry.source, note=note)


def told(edited: Edited) -> dict[str, JSONValue]:
    """Return what is told of it, by key."""
    known = {source.name for source in edited.before.sources}
    return {
        "trust_file": str(edited.after.path),
        "is_written": edited.is_written,
        "added": _pins(_beyond(edited.after, edited.before), edited.why),
        "removed": _pins(_beyond(edited.before, edited.after), edited.why),
        "added_images": _images(edited.after, edited.before),
        "removed_images": _images(edited.before, edited.after),
        "added_sources": [
            {"name": each.name, "type": each.type, "url": each.url}
            for each in edited.after.sources
            if each.name not in known
        ],
        "refused": [
            {"project": project, "code": err.code, "message": err.message, "hint": err.hint or None}
            for project, err in edited.refused
        ],
        "mirrors": [{"source": name, "url": url} for name, url in edited.mirrors.items()],
        "warnings": list(edited.warnings),
    }


def _pins(entries: Iterable[Entry], why: Why) -> list[JSONValue]:
    return [as_json(entry) | {"why": _why(entry, why)} for entry in sorted(entries, key=_place)]


def _images(one: TrustFile, other: TrustFile) -> list[JSONValue]:
    """Return what one trust file pins of images and another does not: only those signers of each pin."""
    found: list[JSONValue] = []
    for entry in one.images:
        known = other.image_entry(entry.repository)
        if known != entry:
            found.append(image_as_json(_left(entry, known)))
    return found


def _left(entry: ImageEntry, known: ImageEntry | None) -> ImageEntry:
    if known is None or replace(known, identities=entry.identities) != entry:
        return entry
    return replace(entry, identities=tuple(each for each in entry.identities if each not in known.identities))


def _why(entry: Entry, why: Why) -> str | None:
    version = entry.version if isinstance(entry, HashEntry) else None
    return why.get((entry.project, version)) or why.get((entry.project, None))


def _place(entry: Entry) -> tuple[str, bool, Version]:
    is_hash = isinstance(entry, HashEntry)
    return entry.project, is_hash, entry.version if isinstance(entry, HashEntry) else Version("0")


def _beyond(one: TrustFile, other: TrustFile) -> Iterator[Entry]:
    """Yield what one trust file pins and another does not: only those files and signers of each pin."""
    for entry in one.entries:
        left: Entry = entry
        for known in other.entries_of(entry.project):
            left = _without(left, known)
        if left.files if isinstance(left, HashEntry) else left.identities:
            yield left


def _without(entry: Entry, known: Entry) -> Entry:
    """Return a pin without what another on the same terms has; a pin on other terms is another one."""
    if isinstance(entry, HashEntry):
        if not isinstance(known, HashEntry) or replace(known, files=entry.files) != entry:
            return entry
        return replace(entry, files=tuple(each for each in entry.files if each not in known.files))
    if isinstance(known, HashEntry) or replace(known, identities=entry.identities) != entry:
        return entry
    return replace(entry, identities=tuple(each for each in entry.identities if each not in known.identities))
