"""Where a finding belongs: the line of the user's own file that asked for a package, or that pins it."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

from packaging.utils import canonicalize_name

from pip_warden.disk import open_regular
from pip_warden.display import near
from pip_warden.report.model import Line, Place, Report
from pip_warden.report.summary import project_of

_TRUST_FILE = "pytrust.toml"
"""What is named where a run had no trust file: the file that would say who is trusted."""

_LARGEST = 8 << 20
"""Bytes of a trust file that are looked through."""

_LONGEST_LINE = 500
"""Characters of a line that are looked at."""

_TABLE = re.compile(r"(\[\[?) *([A-Za-z0-9_.\"'-]+) *\]\]?\s*(?:#.*)?")
_NAME = re.compile(r"""(name|repository)\s*=\s*(["'])([^"'\\]+)\2\s*(?:#.*)?""")
_KEYS = {"package": "name", "image": "repository"}

_ORIGIN = re.compile(r"(?:-[rc] )?(.+) \(line ([0-9]{1,9})\)")


class PlaceFinder:
    """Finds the place of each line of one report. The trust file is read once, and never believed."""

    def __init__(self, report: Report) -> None:
        self._asked: Mapping[str, Place] = dict(report.places)
        self._wanted_by = {
            each.project: project_of(each.wanted_by.removeprefix("to build ")) for each in report.unpinned
        }
        self._path = _near(report.trust_file or _TRUST_FILE)
        self._pinned = _entries(Path(report.trust_file)) if report.trust_file else {}

    def of(self, line: Line) -> Place:
        """Return where a line belongs: as :func:`place_of`."""
        if line.image is not None:
            return self.of_project(str(line.image.repository), line.source)
        # A setting that leads elsewhere is named by its place.
        return asked_at(line.subject) or self.of_project(project_of(line.subject), line.source)

    def of_project(self, name: str, source: str = "") -> Place:
        """Return where a project, or the repository of an image, belongs.

        Args:
            name: Its normalized name.
            source: Its source, where nothing else is known of it.
        """
        found = self._known(name) or self._known(self._wanted_by.get(name, ""))
        return found or Place(path=self._path, line=self._pinned.get(("source", source), 1))

    def _known(self, name: str) -> Place | None:
        if name in self._asked:
            asked = self._asked[name]
            return Place(path=_near(asked.path), line=asked.line)
        number = self._pinned.get(("name", name))
        return Place(path=self._path, line=number) if number else None

    @property
    def of_run(self) -> Place:
        """Where it belongs what is about the whole run: the trust file's first line."""
        return Place(path=self._path, line=1)


def place_of(report: Report, line: Line) -> Place:
    """Return where a line of a report belongs.

    That is where the package was asked for, else its entry in the trust file; of a name without a pin the
    same for the package that wanted it; else the source in the trust file, else that file's first line. Use
    a :class:`PlaceFinder` for more than one line.
    """
    return PlaceFinder(report).of(line)


def asked_at(origin: str) -> Place | None:
    """Return the place in pip's words ``-r FILE (line N)``, or in those of a lock; None where it has none."""
    match = _ORIGIN.fullmatch(origin)
    return Place(path=match[1], line=int(match[2])) if match and int(match[2]) else None


def as_uri(path: str) -> str:
    """Return a file as a URI reference (RFC 3986), relative to the repository's root where it lies below it.

    The repository's root is the nearest directory from the working directory upwards with a ``.git``; the
    working directory where there is none. A file elsewhere is named by its absolute URI.
    """
    try:
        absolute, root = Path(os.path.abspath(path)), _root()
    except OSError:  # the working directory is gone
        return _quoted(Path(path))
    if absolute.is_relative_to(root):
        return _quoted(absolute.relative_to(root))
    return f"file://{_quoted(absolute)}"


def _near(path: str) -> str:
    """Return a path relative to the working directory where it lies below it: so it is on every machine."""
    try:
        return near(Path(path)).removeprefix("./") if os.path.isabs(path) else path
    except OSError:
        return path


def _quoted(path: Path) -> str:
    return quote(path.as_posix(), errors="surrogatepass")


def _root() -> Path:
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here)


def _entries(path: Path) -> dict[tuple[str, str], int]:
    """Return the line of each entry of a trust file by its kind and name; nothing where it cannot be read."""
    try:
        with open_regular(path, follow=True) as stream:
            text = stream.read(_LARGEST).decode("utf-8", "replace")
    except (OSError, ValueError):
        return {}
    found: dict[tuple[str, str], int] = {}
    for kind, name, number in _scan(text):
        found.setdefault((kind, name), number)
    return found


def _scan(text: str) -> Iterator[tuple[str, str, int]]:
    """Yield kind, name and line of every entry. This reads lines, not TOML: it only has to be near."""
    key = ""
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw[:_LONGEST_LINE].strip()
        if table := _TABLE.fullmatch(line):
            key = _KEYS.get(table[2], "") if table[1] == "[[" else ""
            kind, _, name = table[2].partition(".")
            if kind == "source" and name:
                yield "source", name.strip("\"' "), number
        elif (entry := _NAME.fullmatch(line)) and entry[1] == key:
            yield "name", canonicalize_name(entry[3]) if key == "name" else entry[3], number
