"""Reads the files of a project that say where packages come from, strictly and within bounds."""

from __future__ import annotations

import errno
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pip_warden.disk import open_regular
from pip_warden.display import escape_text
from pip_warden.tools.model import Elsewhere
from pip_warden.values import dataclass, field

LARGEST_FILE = 1 << 20
"""Bytes of a project's file; a long ``pyproject.toml`` has fifty thousand."""

_SCRIPT = re.compile(r"^# /// script$\s(?P<content>(?:^#(?: .*)?$\s)+)^# ///$", re.MULTILINE)
"""The block of metadata in a script, by the regular expression of PEP 723."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Document:
    """A file of a project.

    Attributes:
        path: Its path.
        text: Its text.
        table: What it holds as TOML; empty for one that is none.
    """

    path: Path
    text: str = field(repr=False)
    table: Mapping[str, Any] = field(hash=False, repr=False)

    def where(self, *needles: str) -> str:
        """Return file and line, for people: of the first line that has the first needle that any line has.

        TOML's reader tells no lines. A comment does not count.
        """
        return at_line(self.path, self.text, *needles)


def at_line(path: Path, text: str, *needles: str) -> str:
    """Return a file and the line in it of the first needle that is there, for people."""
    name = escape_text(str(path))
    for needle in filter(None, needles):
        at = text.find(needle)
        while at >= 0:
            if not text[text.rfind("\n", 0, at) + 1 : at + 1].lstrip().startswith("#"):
                return f"{name} (line {text.count(chr(10), 0, at) + 1})"
            at = text.find(needle, at + 1)
    return name


def read_text(path: Path) -> str | Elsewhere | None:
    """Read a file.

    Returns:
        None where there is none; what is said of one that cannot be read.
    """
    try:
        with open_regular(path, follow=True) as stream:
            raw = stream.read(LARGEST_FILE + 1)
        if len(raw) > LARGEST_FILE:
            return unreadable(path, f"more than {LARGEST_FILE} bytes")
        return raw.decode("utf-8-sig")
    except OSError as err:
        if err.errno in {errno.ENOENT, errno.ENOTDIR}:
            return None
        return unreadable(path, err.strerror or type(err).__name__)
    except UnicodeDecodeError:
        return unreadable(path, "bytes that are not UTF-8")
    except ValueError:
        return unreadable(path, "a name that no file can have")


def read_toml(path: Path) -> Document | Elsewhere | None:
    """Read a file as TOML; the results are as those of :func:`read_text`."""
    text = read_text(path)
    if not isinstance(text, str):
        return text
    return parse_toml(path, text)


def parse_toml(path: Path, text: str) -> Document | Elsewhere:
    """Read text as TOML."""
    try:
        return Document(path=path, text=text, table=tomllib.loads(text))
    except (ValueError, RecursionError, OverflowError) as err:
        return unreadable(path, f"no TOML: {err}" if isinstance(err, tomllib.TOMLDecodeError) else "no TOML")


def script_metadata(path: Path) -> Iterator[Document | Elsewhere]:
    """Yield each block of metadata in a script (PEP 723), and what is said of one that cannot be read.

    A line ends as it does for uv, which also takes a block after a carriage return; what else Python holds
    for the end of a line (U+2028) ends none in TOML. A program need not be text; a script with metadata is.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        yield unreadable(path, "no regular file")
        return
    text = read_text(path) if path.is_file() else None
    if (
        isinstance(text, Elsewhere)
        and path.suffix.lower() in {".py", ".pyw"}
        and path.stat().st_size > LARGEST_FILE
    ):
        yield text
    if not isinstance(text, str):
        return
    plain = re.sub(r"\r\n?", "\n", text)
    for match in _SCRIPT.finditer(plain):
        lines = (line[2:] if line.startswith("# ") else line[1:] for line in match["content"].split("\n"))
        document = parse_toml(path, "\n".join(lines))
        if isinstance(document, Document):
            text = re.sub(r"^# ", "", plain, flags=re.MULTILINE)
            document = Document(path=path, text=text, table=document.table)
        yield document


def unreadable(path: Path, why: str) -> Elsewhere:
    """Make what is said of a file that nobody can tell the settings of."""
    return Elsewhere(
        what=f"it cannot be read: {escape_text(why)}", where=escape_text(str(path)), adds_source=True
    )


def below(table: object, *keys: str) -> Any:
    """Return what is at a path of keys, None where there is no such path."""
    for key in keys:
        if not isinstance(table, Mapping):
            return None
        table = table.get(key)
    return table


def tables(value: object) -> Iterator[Mapping[str, Any]]:
    """Yield a table, or the tables of a list."""
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, Mapping):
            yield item


def texts(value: object) -> Iterator[str]:
    """Yield a text, or the texts in a list or in a table's values, as deep as they are."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | Mapping):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from texts(item)
