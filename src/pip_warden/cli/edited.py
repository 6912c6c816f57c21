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
    from pip_warden.names import ProjectName
    from pip_warden.report.edited import Edited, Why
    from pip_warden.report.model import Report


def edited_by(
    command: str,
    draft: Draft,
    person: TerminalPrompt,
    *,
    why: Why | None = None,
    refused: Sequence[tuple[ProjectName, WardenError]] = (),
    mirrors: Mapping[str, str] | None = None,
) -> Edited:
    """Return what a command did.

    Args:
        command: The command.
        draft: The trust file.
        person: Who was asked.
        why: Reasons, where the command has some.
        refused: What stays as it is, and the error that says why.
        mirrors: URL of the mirror of a source, by the source's name.
    """
    from pip_warden.errors import worst
    from pip_warden.report.edited import Edited

    before = draft.before()
    return Edited(
        command=command,
        exit_code=worst(error.exit_code for _, error in refused),
        before=before,
        after=draft.trust() if draft.is_written else before,
        is_written=draft.is_written,
        why=why or {},
        refused=refused,
        mirrors=mirrors or {},
        warnings=person.warnings,
    )


def print_edited(edited: Edited, person: TerminalPrompt) -> int:
    """Print what a command did, where data is asked for, and return its exit code."""
    if person.is_data:
        from pip_warden.report.edited import render

        print(render(edited))
    return edited.exit_code


def print_pins(
    edited: Edited,
    report: Report,
    person: TerminalPrompt,
    reports: Reports,
    error: WardenError | None = None,
) -> int:
    """Tell what was pinned in each format that is asked for, and return the exit code.

    As text it was shown before it was asked about; then an error is raised, which ends the run as any other.

    Args:
        edited: What was done to the trust file, which JSON tells.
        report: What became of each package.
        person: Who was asked.
        reports: In which formats it is told.
        error: What ended the run; None where nothing did.

    Raises:
        WardenError: That, or why a file could not be written.
    """
    from pip_warden.cli.common import print_report
    from pip_warden.cli.outputs import deliver, deliver_untold
    from pip_warden.report.edited import told

    more = told(edited)
    if not reports.is_text:
        return print_report(report, reports, person, more=more)
    report = deliver(report, reports, person, None, more)
    deliver_untold(report, reports, person, None, more)
    if (error := error or report.error) is not None:
        forget_files()
        raise error
    return report.exit_code
