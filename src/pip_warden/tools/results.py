"""Puts together what is known of a tool."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pip_warden.tools.model import Elsewhere, Tool
from pip_warden.tools.references import Found

MOST_FINDINGS = 200
"""Settings that lead elsewhere and are told; the first already decides."""


def tool_of_findings(
    *,
    name: str,
    environment: Mapping[str, str],
    environments: Iterable[Path | None],
    found: Iterable[Found],
    locks: Iterable[Path] = (),
    local: Iterable[Path] = (),
) -> Tool:
    """Return a tool; each finding, directory and lock counts once.

    Args:
        name: What it is called.
        environment: What it is given.
        environments: Where it installs; None where nobody knows.
        found: What leads elsewhere, and the user's own directories.
        locks: Locks that it may write.
        local: Further directories of the user's own.
    """
    all_found = list(_some_of(found))
    own = [*local, *(item for item in all_found if isinstance(item, Path))]
    return Tool(
        name=name,
        environment=dict(environment),
        environments=tuple(dict.fromkeys(filter(None, environments))),
        locks=tuple(dict.fromkeys(locks)),
        elsewhere=tuple(dict.fromkeys(item for item in all_found if isinstance(item, Elsewhere))),
        local=tuple(dict.fromkeys(own)),
    )


def _some_of(found: Iterable[Found]) -> Iterator[Found]:
    number = 0
    for item in found:
        yield item
        number += isinstance(item, Elsewhere) and item.adds_source
        if number >= MOST_FINDINGS:
            return
