"""What the files of a project add: indexes, links, repositories and files; and what is the user's own."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pip_warden.errors import UsageError
from pip_warden.installer.requirements_file import bad_file, read_file, resolve_name
from pip_warden.locks.model import ReferenceKind
from pip_warden.locks.read import read_lock
from pip_warden.tools.around import shown
from pip_warden.tools.documents import (
    Document,
    at_line,
    below,
    read_text,
    read_toml,
    script_metadata,
    texts,
    unreadable,
)
from pip_warden.tools.model import Elsewhere
from pip_warden.tools.references import Bounds, Found
from pip_warden.values import dataclass, field

_EDITABLE = re.compile(r"(?:-e|--e[a-z]*)[\s=]*(.*)", re.DOTALL)

MOST_FILES = 200
"""Projects or requirements files that name one another."""

Reader = Callable[[Document, Bounds], Iterator[Found]]
"""Reads the tables of one tool in ``pyproject.toml``."""


def of_project(start: Iterable[Path], bounds: Bounds, reader: Reader | None = None) -> Iterator[Found]:
    """Yield what the ``pyproject.toml`` of projects adds, and those of the directories that they name.

    Args:
        start: The directories of projects.
        bounds: What is the user's own.
        reader: Reads the tables of the tool.
    """
    queue, seen = list(start), set[Path]()
    while queue:
        directory = queue.pop(0)
        if directory in seen:
            continue
        seen.add(directory)
        if len(seen) > MOST_FILES:
            yield Elsewhere(
                what=f"more than {MOST_FILES} projects that name one another",
                where=shown(str(bounds.root)),
                adds_source=True,
            )
            return
        document = read_toml(directory / "pyproject.toml")
        for found in _of_document(document, bounds, reader):
            if isinstance(found, Path):
                queue.append(found)
            yield found


def _of_document(
    document: Document | Elsewhere | None, bounds: Bounds, reader: Reader | None
) -> Iterator[Found]:
    if isinstance(document, Elsewhere):
        yield document
    elif document is not None:
        yield from _standard(document, bounds)
        yield from reader(document, bounds) if reader else ()


_STANDARD: tuple[tuple[str, ...], ...] = (
    ("build-system", "requires"),
    ("project", "dependencies"),
    ("project", "optional-dependencies"),
    ("dependency-groups",),
)
"""Tables of requirements that every tool reads (PEP 518, PEP 621, PEP 735)."""


def _standard(document: Document, bounds: Bounds) -> Iterator[Found]:
    for keys in _STANDARD:
        yield from requirements_in(below(document.table, *keys), document, bounds)


def requirements_in(value: object, document: Document, bounds: Bounds) -> Iterator[Found]:
    """Yield what the requirements lead to that a table or list of a document holds."""
    for text in texts(value):
        plain = text.strip().removeprefix("-e ").replace("${PROJECT_ROOT}", str(document.path.parent))
        yield from bounds.reference(plain, document.path.parent, "requirement", document.where(text))


def of_metadata(path: Path, bounds: Bounds, reader: Reader | None = None) -> Iterator[Found]:
    """Yield what the metadata in a script adds (PEP 723); nothing, where it has none, or there is no file."""
    for document in script_metadata(path):
        if isinstance(document, Elsewhere):
            yield document
        else:
            yield from requirements_in(document.table.get("dependencies"), document, bounds)
            yield from reader(document, bounds) if reader else ()


def path_like(table: Mapping[str, Any], what: str, document: Document, bounds: Bounds) -> Iterator[Found]:
    """Yield what a dependency leads to that is a table with ``git``, ``url``, ``path`` or ``file``."""
    for key in ("git", "hg", "svn", "url"):
        if (value := table.get(key)) is not None:
            place = value if isinstance(value, str) else ""
            yield Elsewhere(
                what=f"{what}: {key} {shown(place)}", where=document.where(place, what), adds_source=True
            )
    for key in ("path", "file"):
        if (value := table.get(key)) is not None:
            place = value if isinstance(value, str) else "/"
            where = document.where(place, what)
            yield from bounds.path(place, document.path.parent, f"{what}: {key}", where)


@dataclass(frozen=True, kw_only=True, slots=True)
class RequirementsFiles:
    """Reads requirements files, and those that they name.

    Attributes:
        bounds: What is the user's own.
        reader: Reads the tables of the tool in a ``pyproject.toml`` that is given as such a file.
        seen: The files that were read.
    """

    bounds: Bounds
    reader: Reader | None = None
    seen: set[Path] = field(default_factory=set, hash=False)

    def read(self, name: str, base: Path, where: str) -> Iterator[Found]:
        """Yield what a requirements file adds.

        Args:
            name: Its name, as it is given.
            base: The directory that the name starts from.
            where: What names it.
        """
        if name.endswith(".toml"):
            yield from self._other(name, base)
            return
        try:
            path = resolve_name(name, base)
            if path in self.seen or len(self.seen) > MOST_FILES:
                return
            self.seen.add(path)
            if not path.is_file():
                # What can be read only once (a pipe) would be lost to the tool.
                raise bad_file(path, "no regular file")
            if self.reader is not None:  # uv takes scripts and projects for such files, too
                yield from of_metadata(path, self.bounds, self.reader)
                if path.name in {"setup.py", "setup.cfg"}:
                    yield from self.bounds.path(str(path.parent), base, "project", where)
                if path.suffix in {".py", ".cfg"}:
                    return
            content = read_file(path)
        except UsageError as err:
            yield Elsewhere(
                what=f"requirements file {shown(name)}: {err.message}", where=where, adds_source=True
            )
            return
        text = read_text(path)
        plain = text if isinstance(text, str) else ""
        for options in content.options:
            yield from self._options(options, path, plain)
        for line in content.lines:
            at = f"{shown(str(path))} (line {line.number})"
            yield from self._line(line.text, path.parent, at)

    def _line(self, text: str, base: Path, at: str) -> Iterator[Found]:
        """Yield what a line adds; uv takes the project of an option as it stands, pip without its quotes."""
        if not text.startswith("-"):
            yield from self.bounds.reference(text, base, "requirement", at)
            return
        given = _EDITABLE.match(text)
        if given is None:
            yield Elsewhere(what=f"option {shown(text)}", where=at, adds_source=True)
            return
        for place in dict.fromkeys((given[1], re.sub(r"""["'\\]""", "", given[1]))):
            found = list(self.bounds.reference(place, base, "requirement", at))
            yield from found or self.bounds.path(place, base, "requirement", at)

    def _other(self, name: str, base: Path) -> Iterator[Found]:
        """Yield what the file adds that is none of pip's own format: a lock, or a project."""
        if Path(name).name.startswith("pylock"):
            # Here it is read alone, and nobody compares it afterwards.
            yield from of_lock(base / name, self.bounds, is_input=True)
        else:
            yield from _of_document(read_toml(base / name), self.bounds, self.reader)

    def _options(self, options: Mapping[str, object], path: Path, text: str) -> Iterator[Found]:
        for key, value in options.items():
            for item in texts(value):
                at = at_line(path, text, item)
                if key in {"requirements", "constraints"}:
                    yield from self.read(item, path.parent, at)
                elif key in {"index_url", "extra_index_urls"}:
                    yield from self.bounds.index(item, "index", at)
                elif key == "find_links":
                    yield from self.bounds.index(item, "links", at)
                elif key == "editables":
                    yield from self.bounds.reference(item, path.parent, "requirement", at)


def of_lock(path: Path, bounds: Bounds, *, is_input: bool = False) -> Iterator[Found]:
    """Yield what a lock names by repository, URL or path.

    Args:
        path: The lock.
        bounds: What is the user's own.
        is_input: Whether the tool only reads it. Else one that cannot be read adds nothing here: whoever
            compares locks reads it, and says so.
    """
    try:
        lock = read_lock(path)
    except UsageError as err:
        if is_input and path.exists():
            yield unreadable(path, err.message)
        return
    indexes = {release.index: release.where for release in reversed(lock.releases) if release.index}
    for url, where in indexes.items():
        yield from bounds.index(url, "index", where)
    for release in lock.releases:
        for place in sorted({file.path for file in release.files if file.path}):
            yield Elsewhere(
                what=f"{release.project}: file {shown(place)}", where=release.where, adds_source=True
            )
    for reference in lock.direct:
        if reference.kind is ReferenceKind.DIRECTORY:
            yield from bounds.path(reference.location, lock.path.parent, "directory", reference.where)
        else:
            yield Elsewhere(
                what=f"{reference.project or '?'}: {reference.kind.value} {shown(reference.location)}",
                where=reference.where,
                adds_source=True,
            )
