"""Where a uv project is: its root, and the members of its workspace."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from pip_warden.tools.documents import Document, below, read_toml, texts
from pip_warden.tools.model import Elsewhere
from pip_warden.values import dataclass

_MOST_MEMBERS = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class UvProject:
    """A project.

    Attributes:
        root: The directory of its lock: the workspace's root, or the project itself.
        members: The directories of its projects, the root first; empty where there is none.
        start: The directory from which it was looked for.
    """

    root: Path
    members: tuple[Path, ...]
    start: Path


def find_project(start: Path) -> UvProject:
    """Return the project that a directory is in; where there is none, the directory as its root."""
    start = Path(os.path.normpath(start))
    own = next((path for path in _upwards(start) if (path / "pyproject.toml").is_file()), None)
    if own is None:
        return UvProject(root=start, members=(), start=start)
    for path in _upwards(own):
        document = read_toml(path / "pyproject.toml")
        members = _members(document) if isinstance(document, Document) else ()
        if own in members and not _excludes(document, own):
            return UvProject(root=path, members=members, start=start)
        if path != own and document is not None:
            break  # the nearest project above decides, as for uv
    return UvProject(root=own, members=(own,), start=start)


def _upwards(path: Path) -> Iterator[Path]:
    yield path
    yield from path.parents


def _members(document: Document) -> tuple[Path, ...]:
    """Return a workspace's root and members; empty where it is none.

    What it excludes counts as well: it is looked at, and nothing else.
    """
    workspace = below(document.table, "tool", "uv", "workspace")
    if workspace is None:
        return ()
    root = document.path.parent
    found = [root]
    for pattern in texts(below(workspace, "members")):
        for path in _matching(root, pattern):
            found.append(path)
            if len(found) > _MOST_MEMBERS:
                return tuple(found)
    return tuple(dict.fromkeys(found))


def _excludes(document: Document | Elsewhere | None, own: Path) -> bool:
    """Return whether a workspace excludes a project in its directory, which then is one by itself."""
    if not isinstance(document, Document) or own == document.path.parent:
        return False
    patterns = texts(below(document.table, "tool", "uv", "workspace", "exclude"))
    return any(own in _matching(document.path.parent, pattern) for pattern in patterns)


def _matching(root: Path, pattern: str) -> Iterator[Path]:
    plain = re.sub(r"^\./|/+$", "", pattern)
    if os.path.isabs(plain):
        root, plain = Path(root.anchor), plain.lstrip("/")
    try:
        for path in sorted(root.glob(plain)):
            if (path / "pyproject.toml").is_file():
                yield path
    except (OSError, ValueError, NotImplementedError, IndexError, RecursionError):
        return
