"""The tables of a trust file's text that pin something, line by line: no other line is touched.

A layout that is not understood is not changed: the caller checks what the result means.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import lru_cache

from pip_warden.trust.editing.arrays import extended, uneditable
from pip_warden.trust.editing.statements import (
    Section,
    end_of_comments,
    end_of_line,
    lines_of,
    sections_of,
    with_pair,
    without,
)
from pip_warden.values import dataclass, field


@dataclass(frozen=True, slots=True)
class EntryTables:
    """A text, and its tables of one name.

    Args:
        text: The text of a valid trust file.
        count: How many such tables there are.
        key: Their name.

    Raises:
        UsageError: ``trust-file-uneditable``: they are not laid out as tables.
    """

    text: str
    count: int
    key: str = "package"
    _lines: tuple[str, ...] = field(init=False, repr=False)
    _tables: list[list[Section]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        tables: list[list[Section]] = []
        lines, sections = _laid_out(self.text)
        for section in sections:
            if section.keys == (self.key,) and section.is_array:
                tables.append([section])
            elif section.keys[:1] == (self.key,) and tables:
                tables[-1].append(section)
        if len(tables) != self.count:
            raise uneditable(None)
        object.__setattr__(self, "_lines", lines)
        object.__setattr__(self, "_tables", tables)

    def without(self, tables: Iterable[int]) -> str:
        """Return the text without some tables."""
        chosen = [section for table in sorted(tables) for section in self._tables[table]]
        return "".join(without(self._lines, chosen))

    def with_identity(self, table: int, block: str) -> str:
        """Return the text with another identity after those of a table.

        Args:
            table: Which table.
            block: The identity, written as a table.
        """
        identities = (self.key, "identity")
        end = end_of_line(self.text)
        lines = [line if line.endswith("\n") else line + end for line in self._lines]
        last = next((each for each in reversed(self._tables[table]) if each.keys == identities), None)
        if last is not None:
            at = end_of_comments(lines, last.end)
            return "".join([*lines[:at], end, block.replace("\n", end), *lines[at:]])
        for pair in self._tables[table][0].pairs:
            if pair.keys == identities[1:]:
                (value,) = tomllib.loads(f"[[{self.key}]]\n{block}")[self.key][0]["identity"]
                statement = "".join(self._lines[pair.first : pair.end])
                return with_pair(self._lines, pair, extended(statement, pair.keys, [value]))
        raise uneditable(None)


@lru_cache(maxsize=2)
def _laid_out(text: str) -> tuple[tuple[str, ...], tuple[Section, ...]]:
    """Return the lines and sections of a text, which an edit asks for several times."""
    lines = tuple(lines_of(text))
    return lines, tuple(sections_of(lines))
