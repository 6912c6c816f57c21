"""What every lock is read into. A lock's text is foreign: it is escaped where it is shown, not here."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from packaging.version import Version

from pip_warden.digests import Digest
from pip_warden.names import ArtifactName, ProjectName
from pip_warden.values import dataclass, field


class LockFormat(StrEnum):
    """A format that can be read, by the name that people know it by."""

    PYLOCK = "pylock.toml"
    UV = "uv.lock"
    POETRY = "poetry.lock"
    PDM = "pdm.lock"
    REQUIREMENTS = "requirements file"


class ReferenceKind(StrEnum):
    """What a project takes from elsewhere than an index."""

    VCS = "vcs"
    URL = "url"
    FILE = "file"
    DIRECTORY = "directory"


@dataclass(frozen=True, kw_only=True, slots=True)
class LockedFile:
    """One file of a release, with its SHA-256.

    Attributes:
        name: Its name, as its index spells it where the lock tells.
        sha256: The digest that the lock demands.
        size: Its size in bytes, None where the lock has none.
        url: Where the tool found it, without user name, query and fragment; None where the lock has none.
        path: Its path as the lock writes it, for a file that no URL leads to.
    """

    name: ArtifactName
    sha256: Digest
    size: int | None = None
    url: str | None = None
    path: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Lacking:
    """What a lock names but gives nothing to pin it by.

    Attributes:
        filename: The file; ``""`` for the whole release.
        why: What is lacking.
        place: Its URL, without user name, query and fragment, or its path; None where the lock has none.
        hashes: What the lock demands of it all the same, each ``ALGORITHM:HEX``.
    """

    filename: str
    why: str
    place: str | None = None
    hashes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Conditions:
    """When something is wanted: text as the lock writes it, for people. Nothing evaluates it.

    Attributes:
        markers: Markers (PEP 508); those of uv are of the packages that need it, where all have one.
        groups: Dependency groups of the project that name it.
        extras: Extras of the project that name it; in a requirements file those asked of it.
    """

    markers: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    extras: tuple[str, ...] = ()

    def __or__(self, other: Conditions) -> Conditions:
        return Conditions(
            # Without a marker it is always wanted, whatever the other says.
            markers=_both(self.markers, other.markers) if self.markers and other.markers else (),
            groups=_both(self.groups, other.groups),
            extras=_both(self.extras, other.extras),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class LockedRelease:
    """One release from an index, for every platform that the lock speaks of.

    Attributes:
        project: Normalised name.
        version: Its version.
        where: File and line, for people.
        index: URL of its index, without user name, query and fragment, or a path; None where the lock names
            none: the tool's default.
        files: Every file that has a SHA-256.
        digests: SHA-256 digests whose files the lock does not name.
        lacking: What has none.
        conditions: When it is wanted.
    """

    project: ProjectName
    version: Version
    where: str
    index: str | None = None
    files: tuple[LockedFile, ...] = ()
    digests: frozenset[Digest] = frozenset()
    lacking: tuple[Lacking, ...] = ()
    conditions: Conditions = field(default_factory=Conditions)


@dataclass(frozen=True, kw_only=True, slots=True)
class DirectReference:
    """What comes from elsewhere than an index: a repository, a URL, a local file or directory.

    Attributes:
        kind: Which of these.
        location: URL or path as the lock writes it, without user name and password.
        where: File and line, for people.
        project: Normalised name, None where the lock has none.
        version: Its version, None where the lock has none.
        is_editable: Whether it is installed in place.
        digests: The SHA-256 digests that the lock demands.
        conditions: When it is wanted.
    """

    kind: ReferenceKind
    location: str
    where: str
    project: ProjectName | None = None
    version: Version | None = None
    is_editable: bool = False
    digests: frozenset[Digest] = frozenset()
    conditions: Conditions = field(default_factory=Conditions)


@dataclass(frozen=True, kw_only=True, slots=True)
class Lock:
    """What a project needs.

    Attributes:
        path: The lock.
        format: Its format.
        releases: From indexes, by name, version and index.
        direct: From elsewhere, by name and location.
        requires_python: The Python versions that it speaks of; ``""``: not said.
        environments: Markers of the environments that it is limited to, or PDM's names of their platforms;
            empty: not limited.
    """

    path: Path
    format: LockFormat
    releases: tuple[LockedRelease, ...]
    direct: tuple[DirectReference, ...] = ()
    requires_python: str = ""
    environments: tuple[str, ...] = ()

    def releases_of(self, project: ProjectName) -> tuple[LockedRelease, ...]:
        """Return the releases of one project: several where platforms or indexes differ."""
        return tuple(release for release in self.releases if release.project == project)


def _both(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*one, *other)))
