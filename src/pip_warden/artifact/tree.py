"""Checks that member names form one plain tree, the same on every file system."""

from __future__ import annotations

import unicodedata
from enum import Enum, auto

from pip_warden.artifact.limits import LONGEST_NAME, MOST_MEMBERS
from pip_warden.artifact.problem import problem
from pip_warden.faults import FaultError

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_ODD = ("//", "/./", "/../", " /", "\\", ":")
_MOST_LETTERS = 32 << 20
"""Characters of all paths and of the directories above them, each once; real archives have 5 million."""
_LONGEST_SEGMENT = 255
"""Bytes of one name: NAME_MAX on every known system."""


class _Kind(Enum):
    FILE = auto()
    DIRECTORY = auto()
    IMPLIED = auto()


def is_plain_path(name: str) -> bool:
    """Return whether a name is a relative path of plain segments, with slashes, below the archive's root.

    On Windows ``C:`` is a drive and ``file:stream`` another file's stream, and spaces at the end of a name
    are dropped.
    """
    walled = f"/{name}/"
    if len(name) > LONGEST_NAME or any(odd in walled for odd in _ODD):
        return False
    if not (name.isascii() and name.isprintable()) and any(
        unicodedata.category(char) in _HIDDEN for char in name
    ):
        return False
    return len(name) <= _LONGEST_SEGMENT // 4 or all(
        len(part.encode()) <= _LONGEST_SEGMENT for part in name.split("/")
    )


class Tree:
    """Collects the members of one archive and refuses any that could land on another.

    Names are compared as the least exact file system would: case-folded, in Unicode's NFC, without dots at
    their ends.
    """

    def __init__(self) -> None:
        self._kinds: dict[str, _Kind] = {}
        self._count = 0
        self._letters = 0

    def add(self, name: str, *, is_directory: bool) -> None:
        """Add a member.

        Args:
            name: Its path, without the slash at the end of a directory's.
            is_directory: Whether it is a directory.

        Raises:
            FaultError: ``unsafe-member`` or ``archive-too-large``.
        """
        self._count += 1
        if self._count > MOST_MEMBERS:
            raise problem("archive-too-large", f"at most {MOST_MEMBERS} members", f"more than {MOST_MEMBERS}")
        if not is_plain_path(name):
            raise unsafe("member names that are plain relative paths", repr(name))
        key = _forgotten(name)
        end = key.rfind("/")
        while end > 0:
            above = self._kinds.get(key[:end])
            if above is _Kind.FILE:
                raise unsafe("members that lie in directories", f"{name!r}, which lies in a file")
            if above is not None:
                break  # and so is all above it
            self._keep(key[:end], _Kind.IMPLIED)
            end = key.rfind("/", 0, end)
        known = self._kinds.get(key)
        if known in {_Kind.FILE, _Kind.DIRECTORY} or (known is _Kind.IMPLIED and not is_directory):
            raise unsafe("each member once, whatever a file system thinks of case", f"{name!r} a second time")
        self._keep(key, _Kind.DIRECTORY if is_directory else _Kind.FILE)

    def _keep(self, key: str, kind: _Kind) -> None:
        """Store a path.

        The limit is on all stored paths, not on members alone: a deep one has up to one directory above it
        for each of its letters.
        """
        self._letters += len(key)
        if self._letters > _MOST_LETTERS:
            raise problem(
                "archive-too-large",
                f"at most {_MOST_LETTERS} characters in all paths",
                f"more than {_MOST_LETTERS}",
            )
        self._kinds[key] = kind


def _forgotten(name: str) -> str:
    """Return a name as the least exact file system stores it."""
    if name.isascii():
        folded = name.lower()
    else:
        folded = unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
    if "./" not in f"{folded}/":
        return folded
    return "/".join([part.rstrip(".") for part in folded.split("/")])


def unsafe(expected: str, found: str) -> FaultError:
    """Return the fault of a member that could be unpacked elsewhere than its name says."""
    return problem(
        "unsafe-member",
        expected,
        found,
        hint="Unpacked, it could land outside its place or replace another file. "
        "Do not use it; tell the publisher.",
    )
