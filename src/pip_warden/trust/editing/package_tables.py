"""Changes the ``[[package]]`` tables of a trust file's text, line by line: no other line is touched.

What a file's line says is replaced, put in or taken out; the rest of the table stays, with its comments. A
layout that is not understood is not changed: the caller checks what the result means.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from packaging.version import Version

from pip_warden.digests import Digest
from pip_warden.names import parse_artifact_name
from pip_warden.trust.editing.arrays import uneditable
from pip_warden.trust.editing.entry_tables import EntryTables
from pip_warden.trust.editing.render import spelled
from pip_warden.trust.editing.statements import Pair, end_of_line, is_toml, value_of
from pip_warden.values import dataclass

Files = Mapping[str, Digest]
"""Digest of each file by its name."""

_FILES = ("package", "sha256")


@dataclass(frozen=True, slots=True)
class PackageTables(EntryTables):
    """A text, and its ``[[package]]`` tables."""

    def is_grouped(self, table: int) -> bool:
        """Return whether a table pins versions that only the names of its files say."""
        return not any(pair.keys == ("version",) for pair in self._tables[table][0].pairs)

    def with_changes(self, files: Mapping[int, Files], versions: Mapping[int, Version]) -> str:
        """Return the text with other files of some tables, none of which is said twice, and other versions.

        A file that stays keeps its line. A new one is put where it belongs by version and name, if possible
        in the place of one that goes.
        """
        edit = _Edit(self._lines, end_of_line(self.text))
        for table, version in versions.items():
            pair = next(pair for pair in self._tables[table][0].pairs if pair.keys == ("version",))
            edit.set(pair, spelled(str(version)))
        for table, new in files.items():
            self._put_files(edit, table, new)
        return edit.text()

    def with_values(self, values: Mapping[int, Mapping[str, str]]) -> str:
        """Return the text with other values of some tables' own keys; one that is not there is put in.

        Args:
            values: For each table the values by key, as they are spelled in TOML.
        """
        edit = _Edit(self._lines, end_of_line(self.text))
        for table, pairs in values.items():
            own = [pair for pair in self._tables[table][0].pairs if pair.keys[0] != "sha256"]
            for key, value in pairs.items():
                there = next((pair for pair in own if pair.keys == (key,)), None)
                if there is None:
                    edit.put_below(own[-1], f"{key} = {value}")
                else:
                    edit.set(there, value)
        return edit.text()

    def _put_files(self, edit: _Edit, table: int, files: Files) -> None:
        for section in self._tables[table]:
            if section.keys == _FILES:
                edit.list(section.pairs, section.first, files)
                return
        main = self._tables[table][0]
        for pair in main.pairs:
            if pair.keys == ("sha256",):
                edit.set(pair, _inline(files))
                return
        dotted = tuple(pair for pair in main.pairs if pair.keys[0] == "sha256")
        edit.list(dotted, dotted[0].first - 1 if dotted else 0, files)


class _Edit:
    """Collects which lines go and what is put in, all by the numbers of the lines as they were.

    Args:
        lines: The lines.
        end: How they end.
    """

    def __init__(self, lines: Sequence[str], end: str) -> None:
        self._lines = lines
        self._end = end
        self._gone: set[int] = set()
        self._taken: dict[int, list[str]] = {}

    def text(self) -> str:
        """Return the text with every change."""
        pieces = [
            text
            for number, line in enumerate(self._lines)
            for text in (*(() if number in self._gone else (line,)), *self._taken.get(number, ()))
        ]
        ended = (piece if piece.endswith("\n") else piece + self._end for piece in pieces[:-1])
        return "".join([*ended, *pieces[-1:]])

    def set(self, pair: Pair, value: str) -> None:
        """Give a pair another value; what follows that on its line stays."""
        statement = "".join(self._lines[pair.first : pair.end])
        rest = statement[len(pair.spelled) + 1 :]
        start = len(rest) - len(rest.lstrip())
        ends = (at for at in range(start + 1, len(rest) + 1) if rest[at:].lstrip()[:1] in {"", "#"})
        end = next((at for at in ends if is_toml(f"x ={rest[:at]}")), None)
        if end is None:
            raise uneditable(None)
        self._gone.update(range(pair.first, pair.end))
        changed = f"{pair.spelled}={rest[:start]}{value}{rest[end:]}"
        self._taken.setdefault(pair.end - 1, []).append(changed)

    def put_below(self, pair: Pair, statement: str) -> None:
        """Put another pair below one, as far from the margin."""
        margin = pair.spelled[: len(pair.spelled) - len(pair.spelled.lstrip())]
        self._taken.setdefault(pair.end - 1, []).append(f"{margin}{statement}{self._end}")

    def list(self, pairs: Sequence[Pair], above: int, files: Files) -> None:
        """Have a line for each file, where there were pairs, and a line above them all."""
        if not pairs:
            raise uneditable(None)
        before = _before_key(pairs[0])
        stay = {pair.keys[-1]: pair for pair in pairs if _says(self._lines, pair, files)}
        room = Room(above, pairs, stay)
        for name in sorted(files.keys() - stay.keys(), key=place_of):
            room.take(name, f"{before}{spelled(name)} = {spelled(str(files[name]))}{self._end}")
        for pair in pairs:
            if pair.keys[-1] not in stay:
                self._gone.update(range(pair.first, pair.end))
        for number, taken in room.taken.items():
            self._taken.setdefault(number, []).extend(taken)


class Room:
    """Finds a line for each new file: the place of one that goes, else after the file that it follows.

    Args:
        above: The line above the first file.
        pairs: The files that there were, in order.
        stay: Those of them that stay, by name.

    Attributes:
        taken: The new lines, by the number of the line that they follow.
    """

    def __init__(self, above: int, pairs: Sequence[Pair], stay: Mapping[str, Pair]) -> None:
        self._above = above
        self._pairs = pairs
        self._stay = stay
        self._used: set[int] = set()
        self.taken: dict[int, list[str]] = {}

    def take(self, name: str, line: str) -> None:
        """Put in the line of a file; names come in order."""
        after = [n for n, pair in enumerate(self._pairs) if self._is_before(pair, name)]
        first = after[-1] + 1 if after else 0
        at = self._above if not after else self._pairs[after[-1]].end - 1
        for number in range(first, len(self._pairs)):
            if self._pairs[number].keys[-1] in self._stay:
                break
            at = self._pairs[number].end - 1
            if number not in self._used:
                self._used.add(number)
                break
        self.taken.setdefault(at, []).append(line)

    def _is_before(self, pair: Pair, name: str) -> bool:
        return pair.keys[-1] in self._stay and place_of(pair.keys[-1]) < place_of(name)


def place_of(filename: str) -> tuple[Version, str]:
    """Return what files are sorted by: the version, then the name."""
    return parse_artifact_name(filename).version, filename


def _says(lines: Sequence[str], pair: Pair, files: Files) -> bool:
    """Return whether a pair already says what it should."""
    digest = files.get(pair.keys[-1])
    return digest is not None and value_of(lines, pair) in {digest.hex, digest.hex.upper()}


def _before_key(pair: Pair) -> str:
    """Return what is before a file's name on its line: spaces, and what is dotted before it."""
    key = pair.spelled.rstrip()
    name = pair.keys[-1]
    for quoted in (f'"{name}"', f"'{name}'"):
        if key.endswith(quoted):
            return key.removesuffix(quoted)
    raise uneditable(None)


def _inline(files: Files) -> str:
    return spelled({name: str(files[name]) for name in sorted(files, key=place_of)})
