"""Reads rows of GitLab's API strictly into values."""

from __future__ import annotations

from packaging.version import Version

from pip_warden.digests import Digest
from pip_warden.display import escape_text
from pip_warden.errors import RegistryError, UsageError
from pip_warden.strict_json import JSONValue, MalformedError, loads
from pip_warden.transport import Response, redacted_url
from pip_warden.values import dataclass

MAX_JSON = 8 << 20
"""Bytes of the API's largest response."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ProjectInfo:
    """A GitLab project, as the server describes it.

    Attributes:
        id: Numeric id.
        path: Full path, ``group/name``.
        default_branch: None where the caller may not see the repository.
        visibility: ``public``, ``internal`` or ``private``; ``""`` where not given.
    """

    id: int
    path: str
    default_branch: str | None
    visibility: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PackageFile:
    """One row of a package's files. Of several with one name, the generic registry serves the newest.

    Attributes:
        id: Numeric id of the row; grows with time.
        package_id: Numeric id of the package.
        file_name: File name, unchanged.
        claimed_sha256: Its digest; a PyPI file's as the uploader gave it.
    """

    id: int
    package_id: int
    file_name: str
    claimed_sha256: Digest | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Owner:
    """The project of a group that a file belongs to."""

    project_id: int
    project_path: str | None
    package_id: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Package:
    """One row of a package list; a project's own list does not name the project."""

    id: int
    name: str
    version: str
    project_id: int | None
    project_path: str | None


def read_project(value: JSONValue, what: str) -> ProjectInfo:
    """Read the response about a project.

    Raises:
        RegistryError: ``bad-answer``.
    """
    row = read_object(value, what)
    branch = row.get("default_branch")
    return ProjectInfo(
        id=_id(row, "id", what),
        path=_text(row, "path_with_namespace", what),
        default_branch=branch if isinstance(branch, str) and branch else None,
        visibility=_text(row, "visibility", what) if "visibility" in row else "",
    )


def read_package(item: JSONValue) -> Package:
    """Read one row of a package list.

    Raises:
        RegistryError: ``bad-answer``.
    """
    what = "a package"
    row = read_object(item, what)
    path = row.get("project_path")
    return Package(
        id=_id(row, "id", what),
        name=_text(row, "name", what),
        version=_text(row, "version", what) if row.get("version") is not None else "",
        project_id=_id(row, "project_id", what) if row.get("project_id") is not None else None,
        project_path=path if isinstance(path, str) else None,
    )


def read_package_file(item: JSONValue) -> PackageFile:
    """Read one row of a package's files.

    Raises:
        RegistryError: ``bad-answer``.
    """
    what = "a package file"
    row = read_object(item, what)
    digest = row.get("file_sha256")
    return PackageFile(
        id=_id(row, "id", what),
        package_id=_id(row, "package_id", what),
        file_name=_text(row, "file_name", what),
        claimed_sha256=_digest(digest) if isinstance(digest, str) else None,
    )


def read_json(reply: Response, what: str) -> JSONValue:
    """Read a response as strict JSON.

    Raises:
        RegistryError: ``bad-answer``.
    """
    try:
        return loads(reply.body, max_bytes=MAX_JSON)
    except MalformedError as err:
        raise bad_answer(reply.url, f"no JSON for {what}: {err}") from err


def read_object(value: JSONValue, what: str) -> dict[str, JSONValue]:
    """Require an object.

    Raises:
        RegistryError: ``bad-answer``.
    """
    if isinstance(value, dict):
        return value
    raise bad_answer("", f"no object for {what}")


def _id(row: dict[str, JSONValue], key: str, what: str) -> int:
    value = row.get(key)
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    raise bad_answer("", f"no number under {key!r} of {what}")


def _text(row: dict[str, JSONValue], key: str, what: str) -> str:
    value = row.get(key)
    if isinstance(value, str):
        return value
    raise bad_answer("", f"no text under {key!r} of {what}")


def _digest(text: str) -> Digest | None:
    try:
        return Digest(text.lower())
    except UsageError:
        return None


def same_version(text: str, version: Version) -> bool:
    """Return whether a text is another spelling of a version (PEP 440)."""
    try:
        return Version(text) == version
    except ValueError:  # not a version, or one with more digits than Python reads
        return False


def bad_answer(url: str, found: str) -> RegistryError:
    """Build the error for a response that the API does not specify."""
    where = f" from {redacted_url(url)}" if url else ""
    return RegistryError(
        "bad-answer",
        f"expected an answer of GitLab's API{where}, found {escape_text(found)}",
        hint="Check the source's `url`: it must be the root of a GitLab instance.",
    )
