"""How a command that edits the trust file ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from pip_warden.cli.reports import forget_files

if TYPE_CHECKING:
    from pip_warden.cli.outputs import Reports
    from pip_warden.cli.prompt import TerminalPrompt
    from pip_warden.errors import WardenError
    from pip_warden.first_use.draft import Draft
    from pip_warden.first_use.sync.outcome import SyncOutcome
    from pip_warden.names import ProjectName
    from pip_warden.report.edited import Why
    from pip_warden.strict_json import JSONValue


def print_edited(
    command: str,
    draft: Draft,
    person: TerminalPrompt,
    *,
    why: Why | None = None,
    refused: Sequence[tuple[ProjectName, WardenError]] = (),
    mirrors: Mapping[str, str] | None = None,
    exit_code: int = 0,
) -> int:
    """Print what a command did, where data is asked for, and return its exit code."""
    if person.is_data:
        from pip_warden.report.edited import Edited, render

        before = draft.before()
        edited = Edited(
            command=command,
            exit_code=exit_code,
            before=before,
            after=draft.trust() if draft.is_written else before,
            is_written=draft.is_written,
            why=why or {},
            refused=refused,
            mirrors=mirrors or {},
            warnings=person.warnings,
        )
        print(render(edited))
    return exit_code


def print_pinned(
    draft: Draft,
    person: TerminalPrompt,
    found: SyncOutcome,
    reports: Reports,
    mirrors: Mapping[str, str],
) -> int:
    """Tell what was pinned in each format that is asked for, and return the exit code.

    As text it was shown before it was asked about; then an error is raised, which ends the run as any other.

    Args:
        draft: The trust file.
        person: Who was asked.
        found: What was done.
        reports: In which formats it is told.
        mirrors: URL of the mirror of a source, by the source's name.

    Raises:
        WardenError: What ended the run, or the first of the files that could not be written.
    """
    from pip_warden.cli.common import print_report
    from pip_warden.cli.outputs import deliver, deliver_untold

    report = found.report(person.warnings)
    more = _more(draft, found, person, mirrors)
    if not reports.is_text:
        return print_report(report, reports, person, more=more)
    told = deliver(report, reports, person, None, more)
    deliver_untold(told, reports, person, None, more)
    if (error := found.error or told.error) is not None:
        forget_files()
        raise error
    return told.exit_code


def _more(
    draft: Draft, found: SyncOutcome, person: TerminalPrompt, mirrors: Mapping[str, str]
) -> dict[str, JSONValue]:
    """Return what JSON tells of the trust file."""
    from pip_warden.report.edited import Edited, told
    from pip_warden.trust.model import HashEntry

    before = draft.before()
    why = {
        (p.entry.project, p.version if isinstance(p.entry, HashEntry) else None): p.why for p in found.pins
    }
    edited = Edited(
        command="trust sync",
        exit_code=0,
        before=before,
        after=draft.trust() if draft.is_written else before,
        is_written=draft.is_written,
        why=why,
        refused=[(each.project, each.error) for each in found.unlucky],
        mirrors=mirrors,
        warnings=person.warnings,
    )
    return told(edited)
