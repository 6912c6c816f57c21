"""What ``trust update`` and ``trust prune`` share: their options, and what they work with."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pip_warden.cli.common import load_trust
from pip_warden.cli.style import layout_of
from pip_warden.display import escape_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from pip_warden.first_use.needs import Needs
    from pip_warden.first_use.upkeep import Upkeep
    from pip_warden.trust.model import TrustFile

    F = TypeVar("F", bound=Callable[..., object])
else:
    F = TypeVar("F")


def need_options(function: F) -> F:
    """Add the options that name what the project needs."""
    options = [
        click.option(
            "--lock",
            "locks",
            multiple=True,
            type=click.Path(dir_okay=False, path_type=Path),
            help="A lock: pylock.toml, uv.lock, poetry.lock; else the working directory's only one.",
        ),
        click.option(
            "-r",
            "--requirement",
            "requirements",
            multiple=True,
            type=click.Path(dir_okay=False, path_type=Path),
            help="A requirements file in which every line is pinned.",
        ),
    ]
    for option in reversed(options):
        function = option(function)
    return function


def needs_from(trust: TrustFile, options: dict[str, Any]) -> Needs:
    """Read what the options name, else the working directory's lock.

    Raises:
        UsageError: As :func:`pip_warden.first_use.needs.needs_of` does.
    """
    from pip_warden.cli.session import settings_of
    from pip_warden.first_use.needs import needs_of
    from pip_warden.session.mirrors import mirrors_of

    mirrors = mirrors_of(trust.sources, settings_of(options)).values()
    urls = [*(source.url for source in trust.sources), *mirrors]
    return needs_of(options["locks"], options["requirements"], source_urls=urls)


@contextmanager
def open_upkeep(trust: Path | None, options: dict[str, Any]) -> Iterator[Upkeep]:
    """Open what a run works with.

    Raises:
        TrustFileError: There is no trust file, or it is faulty.
        UsageError: A setting is no good.
    """
    from pip_warden.cli.prompt import TerminalPrompt
    from pip_warden.cli.session import open_workspace, settings_of
    from pip_warden.first_use.draft import Draft
    from pip_warden.first_use.upkeep import Upkeep
    from pip_warden.session.mirrors import mirrors_of, places_of
    from pip_warden.session.opening import open_transport

    loaded = load_trust(trust)
    person, settings = TerminalPrompt.of(options), settings_of(options)
    mirrors = mirrors_of(loaded.sources, settings)
    for name, url in mirrors.items():
        person.note(f"pages and files of {name} come from the mirror {url}")
    places = places_of(replace(each, mirror=mirrors.get(each.name)) for each in loaded.sources)
    with open_workspace() as workspace, open_transport(settings, places, person) as transport:
        yield Upkeep(
            draft=Draft(loaded.path),
            transport=transport,
            workspace=workspace,
            now=settings.now().astimezone(UTC),
            person=person,
            mirrors=mirrors,
            is_offline=settings.offline,
        )


def table_text(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table; where it is too wide, each row as lines of its own."""
    layout = layout_of(sys.stdout)
    rows = [[escape_text(cell, 2000) for cell in row] for row in rows]
    columns = [max(map(len, column)) + 2 for column in zip(headings, *rows, strict=True)]
    if layout.width is None or layout.width >= sum(columns):
        return "\n".join(layout.table(headings, rows, indent=0))
    lines: list[str] = []
    for name, *cells in rows:
        labelled = zip(headings[1:], cells, strict=True)
        lines += [name, *(f"  {label}  {cell}" for label, cell in labelled if cell)]
    return "\n".join(lines)
