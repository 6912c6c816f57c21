"""Says of an index, a reference or a path whether packages could come from there past the gate."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

from pip_warden.tools.around import Pinned, shown
from pip_warden.tools.model import Elsewhere
from pip_warden.values import dataclass

_NAMED = re.compile(
    r"[A-Za-z0-9][A-Za-z0-9._-]*\s*(?:\[[^\]]*\])?\s*@\s*(?P<place>[^\s=<>~!^*].*)", re.DOTALL
)
_REPOSITORY = re.compile(r"(?:git|hg|svn|bzr)\+|git@|(?:git|ssh)://|.*\.git(?:[@#/]|$)", re.IGNORECASE)
_URL = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://", re.IGNORECASE)
_ARCHIVE = re.compile(r".*\.(?:whl|zip|tar|tgz|tbz|tlz|txz|egg|tar\.[a-z0-9]+)(?:\[[^\]]*\])?", re.IGNORECASE)
_EXTRAS = re.compile(r"\[[^\[\]]*\]$")
_END = re.compile(r"\s*;.*|\s+--[a-z].*|#.*", re.DOTALL)

Found = Elsewhere | Path
"""What leads elsewhere, or a directory of the user's own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Bounds:
    """What is the user's own, and what the gate answers for.

    Attributes:
        root: The project's directory: what lies in it is the user's own.
        pinned: The indexes that the gate answers for.
    """

    root: Path
    pinned: Pinned

    def index(self, url: str, what: str, where: str) -> Iterator[Elsewhere]:
        """Yield what is said of an index."""
        if url and not self.pinned.has(url):
            yield Elsewhere(what=f"{what} {shown(url)}", where=where, adds_source=True)

    def path(self, text: str, base: Path, what: str, where: str) -> Iterator[Found]:
        """Yield a directory of the user's own, or what is said of another path.

        Args:
            text: The path, or a ``file:`` URL.
            base: The directory that it starts from.
            what: What names it.
            where: File and line.
        """
        path = self._own_directory(_as_path(text), base)
        yield path or Elsewhere(what=f"{what} {shown(text)}", where=where, adds_source=True)

    def directory(self, path: Path, what: str, where: str) -> Iterator[Found]:
        """Yield a directory of the user's own, or what is said of another."""
        own = self._own_directory(str(path), path)
        yield own or Elsewhere(what=f"{what} {shown(str(path))}", where=where, adds_source=True)

    def _own_directory(self, place: str, base: Path) -> Path | None:
        """Return a directory in the project, links resolved; it need not be there yet."""
        try:
            path = (base / Path(place).expanduser()).resolve()
            is_own = path.is_relative_to(self.root.resolve()) and not path.is_file()
        except (OSError, ValueError, RuntimeError):
            return None
        return path if is_own and not _ARCHIVE.fullmatch(place) else None

    def reference(self, text: str, base: Path, what: str, where: str) -> Iterator[Found]:
        """Yield what a requirement leads to: nothing, where it is one by name.

        A variable may stand for anything.

        Args:
            text: A requirement as PEP 508 has it, a URL or a path.
            base: The directory that a path starts from.
            what: What names it.
            where: File and line.
        """
        text = text.strip()
        named = _NAMED.fullmatch(text)
        place = _END.sub("", named["place"] if named else text).strip()
        if _REPOSITORY.match(place) or _REPOSITORY.match(text):
            yield Elsewhere(what=f"{what} {shown(place)}", where=where, adds_source=True)
        elif place.lower().startswith("file:"):
            yield from self.path(place, base, what, where)
        elif _URL.search(place) or "$" in place or "file:" in place.lower():
            yield Elsewhere(what=f"{what} {shown(place)}", where=where, adds_source=True)
        elif _is_path(place):
            yield from self.path(place, base, what, where)


def _is_path(place: str) -> bool:
    plain = _EXTRAS.sub("", place)
    return plain.startswith((".", "/", "~")) or "/" in plain or _ARCHIVE.fullmatch(plain) is not None


def _as_path(text: str) -> str:
    plain = _EXTRAS.sub("", text)
    if not plain.lower().startswith("file:"):
        return plain
    rest = plain[len("file:") :].partition("#")[0].partition("?")[0]
    return unquote(re.sub(r"^//(?:localhost)?(?=/|$)|^//", "", rest, count=1))
