"""What a URL of a registry asks for: a project's page, a file, or what is known of a release.

Read strictly: whatever is not one of a few shapes asks for nothing that is here. There are no queries, no
empty, dot or doubly encoded segments, and a name is what its parser takes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

from pip_warden.errors import NetworkError, UsageError
from pip_warden.installer.model import FileQuestion
from pip_warden.names import ProjectName, parse_artifact_name, parse_project_name, parse_version
from pip_warden.transport.urls import origin_of
from pip_warden.trust.source import Source
from pip_warden.values import dataclass

_SHA256 = re.compile(r"[0-9a-fA-F]{64}", re.ASCII)
_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*", re.ASCII)
"""Number or path of a GitLab project or group."""

_METADATA = ".metadata"
_INDEX = "simple"


@dataclass(frozen=True, kw_only=True, slots=True)
class PageRoute:
    """A project's page.

    Attributes:
        project: The project.
        source: Name of the source that it was asked of.
        registry: Path or number of the GitLab project that it was asked of, None where it was none.
        group: Path or number of the GitLab group that it was asked of, None where it was none.
    """

    project: ProjectName
    source: str
    registry: str | None = None
    group: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class FileRoute:
    """A file, or only its metadata (PEP 658).

    Attributes:
        asked: Which.
        is_metadata: Whether only its metadata is asked for.
    """

    asked: FileQuestion
    is_metadata: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ReleaseRoute:
    """What is known of a release (PyPI's JSON API).

    Attributes:
        project: The project.
        version: The release, a PEP 440 version.
        source: Name of the source that it was asked of.
    """

    project: ProjectName
    version: str
    source: str


Route = PageRoute | FileRoute | ReleaseRoute


@dataclass(frozen=True, kw_only=True, slots=True)
class _Path:
    """A URL in pieces: its origin, its path's segments as they were sent, and whether a slash ends it."""

    url: str
    origin: str
    segments: tuple[str, ...]
    is_folder: bool = False


def find_route(url: str, sources: Iterable[Source]) -> Route | None:
    """Return what an absolute URL asks of some sources, None where it is nothing that is here.

    A file is known by its name wherever it is: an index may have its files anywhere.
    """
    path = _read(url)
    if path is None:
        return None
    for source in sources:
        for home in dict.fromkeys((source.url, source.home)):
            root = _read(home)
            if root is None or root.origin != path.origin:
                continue
            found = (_in_index if source.type == _INDEX else _in_gitlab)(path, root, source.name)
            if found is not None:
                return found
    return _file(path)


def origin_in(url: str) -> str:
    """Return the origin of a URL, ``""`` where it is none that may be requested."""
    try:
        return str(origin_of(url))
    except NetworkError:
        return ""


def same_place(one: str, other: str) -> bool:
    """Return whether two URLs lead to the same file, however their characters are encoded (RFC 3986)."""
    if origin_in(one) != origin_in(other):
        return False
    return unquote(urlsplit(one).path) == unquote(urlsplit(other).path)


def _read(url: str) -> _Path | None:
    origin = origin_in(url)
    if not origin or "?" in url or "#" in url:
        return None
    segments = urlsplit(url).path.split("/")[1:]
    is_folder = bool(segments) and not segments[-1]
    segments = segments[:-1] if is_folder else segments
    if any(unquote(segment) in {"", ".", ".."} for segment in segments):
        return None
    return _Path(url=url, origin=origin, segments=tuple(segments), is_folder=is_folder)


def _in_gitlab(path: _Path, root: _Path, source: str) -> Route | None:
    match _below(path.segments, root.segments):
        case ["api", "v4", "projects", id_, "packages", "pypi", *rest]:
            registry, group = _id(id_), None
        case ["api", "v4", "groups", id_, "-", "packages", "pypi", *rest]:
            registry, group = None, _id(id_)
        case _:
            return None
    if registry is None and group is None:
        return None
    match rest:
        case ["simple", name] if (project := _project(name)) is not None:
            return PageRoute(project=project, source=source, registry=registry, group=group)
        case ["files", sha256, _] if _SHA256.fullmatch(sha256):
            return _file(path, sha256.lower())
    return None


def _in_index(path: _Path, root: _Path, source: str) -> Route | None:
    """Read a path of an index. PyPI has its JSON API beside it, where some other indexes have it, too."""
    below = _below(path.segments, root.segments)
    if len(below) == 1 and (path.is_folder or _file(path) is None):
        project = _project(below[0])
        return None if project is None else PageRoute(project=project, source=source)
    if root.segments[-1:] != (_INDEX,):
        return None
    match _below(path.segments, root.segments[:-1]):
        case ["pypi", name, version, "json"]:
            project, number = _project(name), _version(version)
            if project is not None and number is not None and not path.is_folder:
                return ReleaseRoute(project=project, version=number, source=source)
        case _:
            pass
    return None


def _below(segments: tuple[str, ...], root: tuple[str, ...]) -> list[str]:
    """Return what follows a root, nothing where it is another's."""
    return list(segments[len(root) :]) if segments[: len(root)] == root else []


def _file(path: _Path, sha256: str = "") -> FileRoute | None:
    if path.is_folder or not path.segments:
        return None
    is_metadata = path.url.endswith(_METADATA)
    end = -len(_METADATA) if is_metadata else None
    filename = unquote(path.segments[-1][:end])
    try:
        parse_artifact_name(filename)
    except UsageError:
        return None
    asked = FileQuestion(filename=filename, url=path.url[:end], sha256=sha256)
    return FileRoute(asked=asked, is_metadata=is_metadata)


def _id(segment: str) -> str | None:
    text = unquote(segment)
    return text if _ID.fullmatch(text) else None


def _project(segment: str) -> ProjectName | None:
    try:
        return parse_project_name(unquote(segment))
    except UsageError:
        return None


def _version(segment: str) -> str | None:
    text = unquote(segment)
    try:
        parse_version(text)
    except UsageError:
        return None
    return text
