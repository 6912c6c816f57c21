"""The line about exemptions that end soon: who reads it in time need not learn it from a refusal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

from pip_warden.report.layout import Layout
from pip_warden.report.model import Line
from pip_warden.verdict.model import Accepted, PinnedByHash

_SOON = 30
"""Days."""


def ending_soon(lines: Iterable[Line], layout: Layout) -> Iterator[str]:
    """Yield how many releases of a run are pinned by hash until a day of the next thirty, and the first.

    Args:
        lines: The run's lines.
        layout: How it is laid out.
    """
    ends = dict(_ends(lines))
    if not ends:
        return
    name, last = min(ends.items(), key=lambda item: (item[1], item[0]))
    if len(ends) == 1:
        said = f"{name} is pinned by hash until {last}"
    else:
        said = f"{len(ends)} releases are pinned by hash for a few days more, {name} until {last}"
    yield from layout.labelled(
        ("note: ", "quiet"), f"{said}; `pip-warden trust list` shows what ends when", hang=2
    )


def _ends(lines: Iterable[Line]) -> Iterator[tuple[str, date]]:
    for line in lines:
        if not isinstance(line.verdict, Accepted):
            continue
        name, basis = line.verdict.artifact.name, line.verdict.basis
        if isinstance(basis, PinnedByHash) and basis.expires is not None and (basis.days_left or 0) <= _SOON:
            yield f"{name.project} {name.version}", basis.expires
