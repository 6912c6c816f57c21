"""Which cases of a test every run tries, where each starts processes and shows the like of what others show.

`make interop`, which comes before each change that lands, runs the others.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import pytest


def parametrized(
    names: str | tuple[str, ...],
    values: Iterable[Any],
    *,
    ordinary: Collection[int],
    ids: list[str] | None = None,
) -> pytest.MarkDecorator:
    """Parametrize a test as pytest does, and mark all cases `interop` but those at some places.

    Args:
        names: One name, or the names of tuples.
        values: The cases.
        ordinary: The places, from 0, of those that `make test` runs.
        ids: Their names, where they are not their values.
    """
    cases = []
    for place, value in enumerate(values):
        marks = () if place in ordinary else pytest.mark.interop
        cases.append(pytest.param(*([value] if isinstance(names, str) else value), marks=marks))
    assert set(ordinary) <= set(range(len(cases))), "there is no such case"
    return pytest.mark.parametrize(names, cases, ids=ids)
