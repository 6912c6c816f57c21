"""How text is laid out for people: folded to a width, in the colours of its reader.

Where there is no width (a file, a pipe) nothing is folded, so that ``grep`` finds whole lines. On a
terminal we fold ourselves: it would continue a long line at its left edge, where only lines of our own may
begin.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from pip_warden.values import dataclass

if TYPE_CHECKING:
    from rich.text import Text

Piece = str | tuple[str, str]
"""Text, or text with a role; it contains no line end."""

_LABEL = re.compile(r" *\S[^ ]*(?: [^ ]+){0,3}  +(?=\S)")
"""What stands before a value: ``  signed by   ``."""

_WIDEST_LABEL = 20
_WHO = frozenset({"signed by", "signer", "pinned as"})
"""Labels of who signed: what the eye shall meet first."""

_NARROWEST = 16
"""Columns that are always left for text, however far it is indented."""

_WITHOUT_LIMIT = 100_000
"""Columns of a table where nothing is folded."""


class Style(Protocol):
    """Colours a piece of text; the command line decides whether there is any."""

    def __call__(self, text: str, role: str, /) -> str:
        """Return the text in a role's colour: ``good bad unknown quiet strong`` or ``signer``."""


def plain(text: str, _role: str, /) -> str:
    """Colour nothing."""
    return text


@dataclass(frozen=True, kw_only=True, slots=True)
class Layout:
    """How text is laid out.

    Attributes:
        width: Columns; None where nothing is folded.
        style: Colours a piece of text.
    """

    width: int | None = None
    style: Style = plain

    def line(self, *pieces: Piece, indent: int = 0, hang: int | None = None) -> Iterator[str]:
        """Yield a line, folded where it is wider than there are columns; nothing of it is left out.

        Args:
            pieces: What it consists of, escaped.
            indent: Spaces before it.
            hang: Spaces before what is folded; by default two more than ``indent``.
        """
        hang = indent + 2 if hang is None else hang
        parts = [(piece, "") if isinstance(piece, str) else piece for piece in pieces]
        if self.width is None:
            yield (" " * indent + self._styled(parts)).rstrip()
            return
        width = max(_NARROWEST, self.width - hang)
        margin = self.width - width
        for number, folded in enumerate(_folded(parts, width)):
            yield (" " * min(hang if number else indent, margin) + self._styled(folded)).rstrip()

    def labelled(
        self, label: Piece, *value: Piece, indent: int = 0, hang: int | None = None
    ) -> Iterator[str]:
        """Yield a label and its value on one line; the value is folded, by default beneath itself.

        Args:
            label: The label, with the spaces that follow it.
            value: What the value consists of, escaped.
            indent: Spaces before the label.
            hang: Spaces before what is folded.
        """
        text, role = (label, "") if isinstance(label, str) else label
        first = indent + len(text)
        hang = first if hang is None else hang
        if self.width is None or self.width - max(first, hang) < _NARROWEST:
            yield from self.line(label, *value, indent=indent, hang=min(hang, indent + 4))
            return
        before = " " * indent + self._styled([(text, role)])
        for folded in replace(self, width=self.width - max(first, hang)).line(*value, hang=0):
            yield (before + folded).rstrip()
            before = " " * hang

    def block(self, text: str) -> Iterator[str]:
        """Yield each line of an escaped text; a value after a label is folded beneath itself."""
        for line in text.splitlines():
            bare = line.lstrip(" ")
            indent = len(line) - len(bare)
            label = _LABEL.match(line)
            if label is None or label.end() > _WIDEST_LABEL:
                yield from self.line(bare, indent=indent)
                continue
            name, value = line[indent : label.end()], line[label.end() :]
            value_role = "signer" if name.strip() in _WHO else ""
            yield from self.labelled(name, (value, value_role), indent=indent)

    def command(self, typed: str, *, indent: int = 2) -> Iterator[str]:
        """Yield a command that can be copied: where it is folded, a shell joins its lines again.

        Args:
            typed: The command as it is typed: quoted for a shell, escaped.
            indent: Spaces before it; a continued line has two more.
        """
        line, width = "", None if self.width is None else self.width - 2
        for group in _kept_together(typed):
            if not line:
                line = " " * indent + group
            elif width is not None and len(line) + 1 + len(group) > width:
                yield line + " \\"
                line = " " * (indent + 2) + group
            else:
                line += f" {group}"
        yield line

    def table(
        self, headings: Sequence[str], rows: Sequence[Sequence[str]], *, indent: int = 2
    ) -> Iterator[str]:
        """Yield a table without borders; a cell that is too wide is folded, never cut.

        Args:
            headings: One for each column.
            rows: A cell for each column, escaped.
            indent: Spaces before each line.
        """
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, padding=(0, 2, 0, 0), show_header=False, pad_edge=False)
        for _ in headings:
            table.add_column(overflow="fold")
        for row in (headings, *rows):
            table.add_row(*(Text(cell) for cell in row))
        width = _WITHOUT_LIMIT if self.width is None else max(_NARROWEST, self.width - indent)
        target = io.StringIO()
        Console(file=target, width=width, height=1, color_system=None, force_terminal=False).print(table)
        for number, line in enumerate(target.getvalue().splitlines()):
            text = line.rstrip()
            yield " " * indent + (self.style(text, "strong") if number == 0 else text)

    def _styled(self, parts: Sequence[tuple[str, str]]) -> str:
        return "".join(self.style(text, role) if role and text else text for text, role in parts)


def _kept_together(typed: str) -> list[str]:
    """Return the words of a command as they are typed, each option with its value."""
    groups: list[str] = []
    is_option = False
    for word in re.findall(r"""(?:'[^']*'|"[^"]*"|[^\s'"])+""", typed):
        if is_option and not word.startswith("-"):
            groups[-1] += f" {word}"
            is_option = False
        else:
            groups.append(word)
            is_option = word.startswith("-")
    return groups


def _folded(parts: Sequence[tuple[str, str]], width: int) -> Iterator[list[tuple[str, str]]]:
    """Yield the parts of each line, folded at spaces; a longer word is broken."""
    whole = "".join(part for part, _ in parts)
    if len(whole) <= width and whole.isascii():
        yield list(parts)
        return
    from rich.console import Console
    from rich.text import Text

    text = Text()
    for part, role in parts:
        text.append(part, role or None)
    console = Console(file=io.StringIO(), width=width, height=1, color_system=None)
    for line in text.wrap(console, width, overflow="fold"):
        yield list(_parts(line))


def _parts(line: Text) -> Iterator[tuple[str, str]]:
    """Yield each piece of a line with its role."""
    done = 0
    for span in sorted(line.spans):
        yield line.plain[done : span.start], ""
        yield line.plain[span.start : span.end], str(span.style)
        done = span.end
    yield line.plain[done:], ""
