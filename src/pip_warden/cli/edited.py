"""How a command that edits the trust file ends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pip_warden.cli.prompt import TerminalPrompt
    from pip_warden.errors import WardenError
    from pip_warden.first_use.draft import Draft
    from pip_warden.names import ProjectName
    from pip_warden.report.edited import Why


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
