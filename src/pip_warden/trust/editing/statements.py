"""Where the tables and pairs of a TOML text are, in lines: what is edited is changed there and nowhere else.

A statement is the fewest lines that are TOML by themselves, so the parser that reads the file says where each
one ends. Lines keep their ends; blank lines and comments between statements belong to none.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile

from pip_warden.trust.editing.arrays import extended, uneditable
from pip_warden.values import dataclass

_LONGEST_STATEMENT = 1000
"""Lines: each further one means to parse all before it again."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Pair:
    """A key and its value.

    Attributes:
        keys: The dotted key's parts.
        spelled: The key as it is spelled, with the spaces before it and up to the equals sign.
        first: Its first line.
        end: The line after its last one.
    """

    keys: tuple[str, ...]
    spelled: str
    first: int
    end: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """A table's header and the pairs below it.

    Attributes:
        position: Which one it is, counted from 0.
        keys: The header's parts; none for what is before the first header.
        is_array: Whether it is ``[[…]]``.
        free: The line after the last statement before it: from there to its header, no line is of a value.
        first: The header's line.
        end: The line after its last pair.
        pairs: Its pairs, in order.
    """

    position: int
    keys: tuple[str, ...]
    is_array: bool
    free: int
    first: int
    end: int
    pairs: tuple[Pair, ...]


def lines_of(text: str) -> list[str]:
    """Split a text at the ends of lines that TOML has, and keep them."""
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def end_of_line(text: str) -> str:
    """Return how a text ends its lines."""
    return "\r\n" if "\r\n" in text else "\n"


def sections_of(lines: Sequence[str]) -> list[Section]:
    """Find every section of a valid TOML text.

    Raises:
        UsageError: ``trust-file-uneditable``: a statement is too long.
    """
    headers: list[tuple[tuple[str, ...], bool, int]] = [((), False, 0)]
    pairs: list[list[Pair]] = [[]]
    ends = [0]
    for first, end in _statements(lines):
        statement = "".join(lines[first:end])
        if statement.lstrip().startswith("["):
            headers.append((_keys(statement), statement.lstrip().startswith("[["), first))
            pairs.append([])
            ends.append(end)
        else:
            keys, spelled = _key_of(statement)
            pairs[-1].append(Pair(keys=keys, spelled=spelled, first=first, end=end))
            ends[-1] = end
    return [
        Section(
            position=position,
            keys=header[0],
            is_array=header[1],
            free=ends[position - 1] if position else 0,
            first=header[2],
            end=ends[position],
            pairs=tuple(pairs[position]),
        )
        for position, header in enumerate(headers)
    ]


def value_of(lines: Sequence[str], pair: Pair) -> object:
    """Return the value of a pair."""
    value: object = tomllib.loads("".join(lines[pair.first : pair.end]))
    for key in pair.keys:
        value = value[key] if isinstance(value, dict) else None
    return value


def without(lines: Sequence[str], sections: Iterable[Section]) -> list[str]:
    """Return the lines without some sections, in order.

    A comment goes with a section if no blank line is between them: above its header, or below its last pair
    where no other header follows it.
    """
    kept = list(lines)
    for free, first, end in reversed(_joined(sections)):
        above = len(list(takewhile(_is_comment, reversed(kept[free:first]))))
        start, stop = first - above, end_of_comments(kept, end)
        if start and _is_blank(kept[start - 1]):
            start -= 1
        elif stop < len(kept) and _is_blank(kept[stop]):
            stop += 1
        del kept[start:stop]
    return kept


def end_of_comments(lines: Sequence[str], end: int) -> int:
    """Return the line after the comments right below a section; those above the next one are its own."""
    below = end + len(list(takewhile(_is_comment, lines[end:])))
    return below if below == len(lines) or _is_blank(lines[below]) else end


def with_more(text: str, path: Sequence[str], items: Iterable[object]) -> str:
    """Return a text with more items in the array at a path of keys, which is in no array of tables.

    Raises:
        UsageError: ``trust-file-uneditable``.
    """
    lines = lines_of(text)
    pair, rest = _pair_at(sections_of(lines), tuple(path))
    return with_pair(lines, pair, extended("".join(lines[pair.first : pair.end]), rest, items))


def with_text(text: str, path: Sequence[str], old: str, new: str) -> str:
    """Return a text with another text within the value at a path of keys; it is the first one there.

    Raises:
        UsageError: ``trust-file-uneditable``.
    """
    lines = lines_of(text)
    pair, _ = _pair_at(sections_of(lines), tuple(path))
    return with_pair(lines, pair, "".join(lines[pair.first : pair.end]).replace(old, new, 1))


def with_pair(lines: Sequence[str], pair: Pair, statement: str) -> str:
    """Return the text of lines with another statement in the place of a pair."""
    return "".join([*lines[: pair.first], statement, *lines[pair.end :]])


def _pair_at(sections: Iterable[Section], path: tuple[str, ...]) -> tuple[Pair, tuple[str, ...]]:
    """Return the pair that has what is at a path of keys, and the path from the pair's section on."""
    for section in sections:
        for pair in section.pairs:
            keys = (*section.keys, *pair.keys)
            if not section.is_array and path[: len(keys)] == keys:
                return pair, path[len(section.keys) :]
    raise uneditable(None)


def _joined(sections: Iterable[Section]) -> list[tuple[int, int, int]]:
    """Return where each run of sections may begin, does, and ends; what is between two of a run is theirs."""
    runs: list[tuple[int, int, int]] = []
    following = -1
    for section in sections:
        if section.position == following:
            runs[-1] = (*runs[-1][:2], section.end)
        else:
            runs.append((section.free, section.first, section.end))
        following = section.position + 1
    return runs


def _statements(lines: Sequence[str]) -> Iterator[tuple[int, int]]:
    first = 0
    while first < len(lines):
        if _is_blank(lines[first]) or _is_comment(lines[first]):
            first += 1
            continue
        end = _end_of(lines, first)
        yield first, end
        first = end


def _end_of(lines: Sequence[str], first: int) -> int:
    for end in range(first + 1, min(first + _LONGEST_STATEMENT, len(lines)) + 1):
        if is_toml("".join(lines[first:end])):
            return end
    raise uneditable(None)


def _keys(header: str) -> tuple[str, ...]:
    keys = []
    value: object = tomllib.loads(header)
    while isinstance(value, dict) and value:
        [(key, value)] = value.items()
        keys.append(key)
        value = value[0] if isinstance(value, list) else value
    return tuple(keys)


def _key_of(statement: str) -> tuple[tuple[str, ...], str]:
    """Return the parts of a pair's key, and how it is spelled up to the equals sign, which no quotes hold."""
    for sign in re.finditer("=", statement):
        spelled = statement[: sign.start()]
        if is_toml(f"{spelled}= 0"):
            return _keys(f"{spelled}= 0"), spelled
    raise uneditable(None)


def is_toml(text: str) -> bool:
    """Return whether a text is TOML by itself."""
    try:
        tomllib.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _is_blank(line: str) -> bool:
    return not line.strip()


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")
