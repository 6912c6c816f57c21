"""What ``trust sync``, ``trust update`` and ``trust prune`` share: the options that name what is needed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from pip_warden.cli.common import with_options
from pip_warden.display import escape_text

if TYPE_CHECKING:
    from collections.abc import Callable

    from pip_warden.first_use.needs import Needs
    from pip_warden.first_use.task import Prompt
    from pip_warden.session.settings import Settings
    from pip_warden.trust.model import Source

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
            metavar="FILE",
            help="A pylock.toml, uv.lock, poetry.lock or pdm.lock; else the directory's only one.",
        ),
        click.option(
            "-r",
            "--requirement",
            "requirements",
            multiple=True,
            type=click.Path(dir_okay=False, path_type=Path),
            metavar="FILE",
            help="A requirements file.",
        ),
    ]
    return with_options(function, options)


def needs_from(
    options: Mapping[str, Any], sources: Iterable[Source], person: Prompt, directory: Path | None = None
) -> Needs:
    """Read what the options name, else a directory's only lock, and name what is of no index.

    Args:
        options: The values of :func:`need_options`.
        sources: The trust file's sources, with this machine's mirrors.
        person: Who is told.
        directory: The directory; None for the working directory.

    Raises:
        UsageError: As :func:`pip_warden.first_use.needs.needs_of` does.
    """
    from pip_warden.first_use.needs import needs_of

    needs = needs_of(
        options["locks"], options["requirements"], directory=directory, source_urls=urls_of(sources)
    )
    for each in needs.direct:
        name = f"{each.project} from " if each.project else ""
        tell_direct(f"{name}{each.location} ({each.kind.value}, {each.where})", person)
    return needs


def urls_of(sources: Iterable[Source]) -> list[str]:
    """Return what a requirements file may name as its index."""
    return [url for source in sources for url in (source.url, source.mirror) if url]


def tell_direct(what: str, person: Prompt) -> None:
    """Say what a trust file cannot pin: it is from no index."""
    person.note(f"{escape_text(what, 500)} is of no index, and is not pinned")


def mirrors_told(sources: Iterable[Source], settings: Settings, person: Prompt) -> Mapping[str, str]:
    """Return this machine's mirrors by source, and name each."""
    from pip_warden.session.mirrors import mirrors_of

    mirrors = mirrors_of(tuple(sources), settings)
    for name, url in mirrors.items():
        person.note(f"pages and files of {name} come from the mirror {url}")
    return mirrors
