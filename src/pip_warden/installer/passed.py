"""Reads pip's options again as they are passed on: each by its first name, a value as the next word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pip_warden.installer.options import OPTIONS, Treatment

TAKING = frozenset(
    option.names[0] for option in OPTIONS if option.takes_value and option.treatment is Treatment.PASSED
)
"""Those that take a value."""


def last_value(options: Sequence[str], name: str) -> str | None:
    """Return the value of an option that counts, None where it was not given."""
    return dict(pairs(options)).get(name)


def pairs(options: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield each option with its value, ``""`` where it takes none."""
    rest = iter(options)
    for name in rest:
        yield name, next(rest) if name in TAKING else ""
