"""How what is to be pinned is told: one table, then what speaks against it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pip_warden.display import escape_text, some_of
from pip_warden.first_use.sync.look import Pin
from pip_warden.trust.model import HashEntry

_HEAD = ("name", "version", "how", "who, or why by hash", "doubts")
_LONGEST = 300
_NAMED = 5


def table(pins: Sequence[Pin], numbers: Sequence[str]) -> str:
    """Return one line for each pin.

    Args:
        pins: The pins.
        numbers: For each the numbers of the doubts that :func:`doubts_of` lists.
    """
    rows = [_HEAD, *(_row(pin, number) for pin, number in zip(pins, numbers, strict=True))]
    rows = rows if any(numbers) else [row[:-1] for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def doubts_of(pins: Iterable[Pin]) -> dict[str, list[str]]:
    """Return each doubt once, with the packages that it is about, in order."""
    found: dict[str, list[str]] = {}
    for pin in pins:
        for doubt in pin.doubts:
            names = found.setdefault(doubt, [])
            if pin.entry.project not in names:
                names.append(pin.entry.project)
    return found


def told(number: int, doubt: str, names: Sequence[str]) -> str:
    """Return a doubt as a line, which a column of the table refers to by its number."""
    return f"[{number}] {some_of(names, _NAMED)}: {escape_text(doubt, 500)}"


def _row(pin: Pin, doubts: str) -> tuple[str, ...]:
    entry = pin.entry
    if not isinstance(entry, HashEntry):
        return entry.project, str(pin.version), "identity", escape_text(pin.why, _LONGEST), doubts
    files = f"{len(entry.files)} file{'' if len(entry.files) == 1 else 's'}"
    return entry.project, str(pin.version), "hash", f"{escape_text(pin.why, _LONGEST)}; {files}", doubts
