"""What ``trust update`` and ``trust prune`` share: what they work with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from pip_warden.cli.common import load_trust
from pip_warden.cli.needs import mirrors_told
from pip_warden.cli.style import layout_of
from pip_warden.display import escape_text

if TYPE_CHECKING:
    from pip_warden.cli.prompt import TerminalPrompt
    from pip_warden.first_use.upkeep.opened import Upkeep


def check_named(path: Path, options: dict[str, Any]) -> None:
    """Check that locks are named where the trust file is further up: other projects may share it.

    What they need is in no lock of this directory, and would be taken out.

    Raises:
        UsageError: ``lock-needed``.
    """
    from pip_warden.errors import UsageError

    place, here = path.absolute().parent.resolve(), Path.cwd().resolve()
    if options["locks"] or options["requirements"] or place not in here.parents:
        return
    raise UsageError(
        "lock-needed",
        f"expected the locks of all that {escape_text(str(path))} is for, found none named, and that is "
        "further up than this directory",
        hint="What another project below it needs would be taken out. Name every lock with --lock FILE, "
        "or -r FILE; if this directory's is all that there is, name that.",
    )


@contextmanager
def open_upkeep(trust: Path | None, options: dict[str, Any]) -> Iterator[tuple[Upkeep, TerminalPrompt]]:
    """Open what a run works with, and the person at the terminal.

    Raises:
        TrustFileError: There is no trust file, or it is faulty.
        UsageError: A setting is no good.
    """
    from pip_warden.cli.prompt import TerminalPrompt
    from pip_warden.cli.session import open_workspace, settings_of
    from pip_warden.first_use.draft import Draft
    from pip_warden.first_use.upkeep.opened import Upkeep
    from pip_warden.session.mirrors import places_of
    from pip_warden.session.opening import open_transport

    loaded = load_trust(trust)
    person, settings = TerminalPrompt.of(options), settings_of(options)
    mirrors = mirrors_told(loaded.sources, settings, person)
    places = places_of(replace(each, mirror=mirrors.get(each.name)) for each in loaded.sources)
    with open_workspace() as workspace, open_transport(settings, places, person) as transport:
        upkeep = Upkeep(
            draft=Draft(loaded.path),
            transport=transport,
            workspace=workspace,
            now=settings.now().astimezone(UTC),
            person=person,
            mirrors=mirrors,
            is_offline=settings.offline,
        )
        yield upkeep, person


def table_text(headings: Sequence[str], rows: Sequence[Sequence[str]], stream: IO[str]) -> str:
    """Return a table for a stream; where it is too wide, each row as lines of its own."""
    layout = layout_of(stream)
    rows = [[escape_text(cell, 2000) for cell in row] for row in rows]
    columns = [max(map(len, column)) + 2 for column in zip(headings, *rows, strict=True)]
    if layout.width is None or layout.width >= sum(columns):
        return "\n".join(layout.table(headings, rows, indent=0))
    lines: list[str] = []
    for name, *cells in rows:
        labelled = zip(headings[1:], cells, strict=True)
        lines += [name, *(f"  {label}  {cell}" for label, cell in labelled if cell)]
    return "\n".join(lines)
