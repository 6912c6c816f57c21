"""Sorts what a lock lists of a release into files that can be pinned by hash, and what is lacking."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from urllib.parse import unquote, urlsplit

from packaging.version import Version

from pip_warden.digests import Digest
from pip_warden.display import escape_text, without_userinfo
from pip_warden.errors import UsageError
from pip_warden.locks.model import Lacking, LockedFile
from pip_warden.locks.text import bad_lock
from pip_warden.names import ArtifactName, ProjectName, parse_artifact_name
from pip_warden.values import dataclass

_SHA256 = "sha256:"
_LARGEST_SIZE = 2**63 - 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Listed:
    """What a lock says of one file.

    Attributes:
        filename: Its name; ``""``: the last segment of its URL or path.
        hashes: Each ``ALGORITHM:HEX``.
        size: In bytes.
        url: Its URL.
        path: Its path.
    """

    filename: str = ""
    hashes: tuple[str, ...] = ()
    size: int | None = None
    url: str | None = None
    path: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Return every name that the lock gives it, the one that counts first."""
        return tuple(filter(None, (self.filename, _last_of_url(self.url), _last_of_path(self.path))))

    @property
    def artifact(self) -> ArtifactName | None:
        """Return its name as a wheel's or sdist's, None where it is neither."""
        return _artifact(next(iter(self.names), ""))


def sorted_out(
    listed: Iterable[Listed], project: ProjectName, version: Version, where: str
) -> tuple[tuple[LockedFile, ...], tuple[Lacking, ...]]:
    """Return the files of a release that have a SHA-256, and what has none, each by name.

    Raises:
        UsageError: ``bad-lock-file``: a digest is malformed; ``lock-contradiction``: one file has two.
    """
    files: dict[str, LockedFile] = {}
    lacking: dict[Lacking, None] = {}
    digests: dict[object, Digest] = {}
    for item in listed:
        found = _read(item, project, version, where)
        if isinstance(found, Lacking):
            lacking[found] = None
            continue
        known = digests.setdefault(found.name.choice, found.sha256)
        if known != found.sha256:
            raise contradiction(f"{found.name} with the SHA-256 {known}, and with {found.sha256}", where)
        files.setdefault(found.name.filename, found)
    return (
        tuple(sorted(files.values(), key=lambda file: file.name.filename)),
        tuple(sorted(lacking, key=lambda each: (each.filename, each.place or "", each.hashes))),
    )


def digests_of(hashes: Iterable[str], where: str) -> frozenset[Digest]:
    """Return the SHA-256 digests among ``ALGORITHM:HEX``.

    Raises:
        UsageError: ``bad-lock-file``: one is malformed.
    """
    values = (text.removeprefix(_SHA256) for text in hashes if text.startswith(_SHA256))
    try:
        return frozenset(map(Digest, values))
    except UsageError as err:
        raise bad_lock(where, f"what is no SHA-256 in hexadecimal: {err.message}") from err


def contradiction(found: str, where: str) -> UsageError:
    """Make the error for a lock that says two things of one release or file."""
    return UsageError(
        "lock-contradiction",
        f"expected each release and file once in {where}, found {escape_text(found, 400)}",
        hint="Find out which is meant: its tool writes such a lock for no project. Let it write it anew.",
    )


def public_url(text: str, where: str) -> str:
    """Return a URL without user name, query and fragment, which may hold secrets; a path as it is.

    Raises:
        UsageError: ``bad-lock-file``: it is no URL.
    """
    try:
        parts = urlsplit(text)
        if not parts.netloc:
            return without_userinfo(text)
        host = parts.netloc.rpartition("@")[2]
        return parts._replace(netloc=host, query="", fragment="").geturl()
    except ValueError as err:
        raise bad_lock(where, "what is no URL where there should be one") from err


def _read(item: Listed, project: ProjectName, version: Version, where: str) -> LockedFile | Lacking:
    url = public_url(item.url, where) if item.url is not None else None
    if item.size is not None and not 0 <= item.size <= _LARGEST_SIZE:
        raise bad_lock(where, "a size that no file has")
    filename, artifact = next(iter(item.names), "a file without a name"), item.artifact
    digests = digests_of(item.hashes, where)
    lacking = partial(Lacking, filename=filename, place=url or item.path, hashes=item.hashes)
    if artifact is None:
        return lacking(why="it is not named as a wheel or .tar.gz sdist is")
    if (artifact.project, artifact.version) != (project, version):
        return lacking(why=f"it is named as a file of {project} {version} is not")
    if not digests:
        others = sorted({text.partition(":")[0] for text in item.hashes})
        return lacking(why=f"no SHA-256, only {', '.join(others)}" if others else "no hash")
    (sha256,) = digests  # no format has room for two
    # uv writes a normalised name where the index spells it otherwise; a pin is found by the index's spelling.
    spelled = [other for other in map(_artifact, item.names[1:]) if other and other.choice == artifact.choice]
    name = next(iter(spelled), artifact)
    return LockedFile(name=name, sha256=sha256, size=item.size, url=url, path=item.path)


def _artifact(filename: str) -> ArtifactName | None:
    try:
        return parse_artifact_name(filename)
    except UsageError:
        return None


def _last_of_url(url: str | None) -> str:
    try:
        return unquote(urlsplit(url or "").path.rpartition("/")[2])
    except ValueError:
        return ""


def _last_of_path(path: str | None) -> str:
    return (path or "").replace("\\", "/").rpartition("/")[2]
