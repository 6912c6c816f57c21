"""What a project needs, as its locks and requirements files say together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from pathlib import Path

from packaging.version import Version

from pip_warden.digests import Digest
from pip_warden.display import escape_text
from pip_warden.errors import UsageError
from pip_warden.locks.files import contradiction
from pip_warden.locks.model import DirectReference, Lacking, LockedFile, LockedRelease
from pip_warden.locks.read import find_locks, read_lock
from pip_warden.names import ProjectName
from pip_warden.report.model import Place
from pip_warden.report.places import asked_at
from pip_warden.trust.model import TrustFile
from pip_warden.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class NeededRelease:
    """One release that is needed, for every platform.

    Attributes:
        project: Normalised name.
        version: Its version.
        where: File and line of each place that names it, for people.
        indexes: URL of each index that it is to come from, None for the tool's default; never empty.
        files: Every file that has a SHA-256.
        digests: SHA-256 digests whose files are not named.
        lacking: What has none.
    """

    project: ProjectName
    version: Version
    where: tuple[str, ...]
    indexes: tuple[str | None, ...]
    files: tuple[LockedFile, ...] = ()
    digests: frozenset[Digest] = frozenset()
    lacking: tuple[Lacking, ...] = ()

    @property
    def all_digests(self) -> frozenset[Digest]:
        """Return every digest that is demanded, of a named file or not."""
        return self.digests | {file.sha256 for file in self.files}


@dataclass(frozen=True, kw_only=True, slots=True)
class Need:
    """A project that is needed.

    Attributes:
        project: Normalised name.
        releases: By version; never empty.
    """

    project: ProjectName
    releases: tuple[NeededRelease, ...]

    @property
    def versions(self) -> tuple[Version, ...]:
        """Return the versions that are needed, oldest first."""
        return tuple(release.version for release in self.releases)


@dataclass(frozen=True, kw_only=True, slots=True)
class Needs:
    """All that a project needs.

    Attributes:
        paths: The files that say so.
        projects: From indexes, by name; never empty.
        direct: From elsewhere than an index, which no trust file can name.
    """

    paths: tuple[Path, ...]
    projects: tuple[Need, ...]
    direct: tuple[DirectReference, ...] = ()

    def of(self, project: ProjectName) -> Need | None:
        """Return what is needed of a project; None for nothing."""
        return next((need for need in self.projects if need.project == project), None)

    def unpinned(self, trust: TrustFile) -> tuple[ProjectName, ...]:
        """Return the projects that a trust file has no pin of, by name."""
        return tuple(need.project for need in self.projects if not trust.entries_of(need.project))


def needs_of(
    locks: Sequence[Path] = (),
    requirements: Sequence[Path] = (),
    *,
    directory: Path | None = None,
    source_urls: Iterable[str] = (),
) -> Needs:
    """Read what is needed: of the files that are named, else of a directory's only lock.

    Args:
        locks: Lock files.
        requirements: Requirements files in which every line is pinned.
        directory: Where a lock is looked for if no file is named; None for the working directory.
        source_urls: URLs of the trust file's sources, which a requirements file may name.

    Raises:
        UsageError: ``lock-needed``: there is no lock, or several; ``nothing-to-pin``: nothing is needed
            from an index (T05); ``lock-contradiction``: one file has two digests; else as ``read_lock``.
    """
    paths = (*locks, *requirements) or (_only_lock(directory or Path()),)
    urls = tuple(source_urls)
    read = [read_lock(path, source_urls=urls) for path in paths]
    by_release: dict[tuple[ProjectName, Version], list[LockedRelease]] = {}
    for release in (release for lock in read for release in lock.releases):
        by_release.setdefault((release.project, release.version), []).append(release)
    by_project: dict[ProjectName, list[NeededRelease]] = {}
    for (project, _), same in sorted(by_release.items(), key=lambda item: item[0]):
        by_project.setdefault(project, []).append(reduce(_together, map(_needed, same)))
    if not by_project:
        raise UsageError(
            "nothing-to-pin",
            f"expected a release from an index in {_named(paths)}, found none",
            hint="An empty lock proves nothing. Make it again, or name another with --lock or -r.",
        )
    return Needs(
        paths=tuple(paths),
        projects=tuple(Need(project=name, releases=tuple(found)) for name, found in by_project.items()),
        direct=tuple(dict.fromkeys(each for lock in read for each in lock.direct)),
    )


def places_of_needs(needs: Iterable[Need]) -> tuple[tuple[str, Place], ...]:
    """Return where each project is needed first, for a report; what was resolved is named by no line."""
    found = []
    for need in needs:
        asked = (asked_at(where) for release in need.releases for where in release.where)
        if (place := next(filter(None, asked), None)) is not None:
            found.append((str(need.project), place))
    return tuple(found)


def _only_lock(directory: Path) -> Path:
    found = find_locks(directory)
    if len(found) == 1:
        return found[0]
    place = escape_text(str(directory.absolute()))
    raise UsageError(
        "lock-needed",
        f"expected one lock in {place}, found {_named(found) if found else 'none'}",
        hint="Name what is meant with --lock FILE, or with -r FILE for a requirements file in which every "
        "line is pinned.",
    )


def _needed(release: LockedRelease) -> NeededRelease:
    return NeededRelease(
        project=release.project,
        version=release.version,
        where=(release.where,),
        indexes=(release.index,),
        files=release.files,
        digests=release.digests,
        lacking=release.lacking,
    )


def _together(one: NeededRelease, other: NeededRelease) -> NeededRelease:
    files = {file.name.filename: file for file in one.files}
    for file in other.files:
        known = files.setdefault(file.name.filename, file)
        if known.sha256 != file.sha256:
            said = f"{file.name.filename} with another SHA-256 than at {', '.join(one.where)}"
            raise contradiction(escape_text(said, 500), ", ".join(other.where))
    return NeededRelease(
        project=one.project,
        version=one.version,
        where=tuple(dict.fromkeys((*one.where, *other.where))),
        indexes=tuple(dict.fromkeys((*one.indexes, *other.indexes))),
        files=tuple(files.values()),
        digests=one.digests | other.digests,
        lacking=tuple(dict.fromkeys((*one.lacking, *other.lacking))),
    )


def _named(paths: Iterable[Path]) -> str:
    return ", ".join(escape_text(str(path)) for path in paths)
