"""What a lock says of single files: what is held against the gate, and against another lock."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pip_warden.digests import Digest
from pip_warden.locks.model import Lacking, Lock, LockedRelease, LockFormat
from pip_warden.names import ArtifactName, ProjectName
from pip_warden.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class LockEntry:
    """One file of a release that a lock names.

    Attributes:
        project: Its project.
        version: Its version, as text.
        name: Its name; None where the lock has none.
        sha256: Its digest; None where the lock has none, and it can be compared with nothing.
        url: Where it comes from; None where the lock does not say.
        index: The index of its release; None where the lock does not say.
        lacking: What there is in place of a digest.
        is_bare: Whether its file names releases and never files: it demands no digest of anything.
    """

    project: ProjectName
    version: str
    name: ArtifactName | None = None
    sha256: Digest | None = None
    url: str | None = None
    index: str | None = None
    lacking: Lacking | None = None
    is_bare: bool = False

    @property
    def release(self) -> str:
        """Return its release, for people."""
        return f"{self.project} {self.version}"

    def __str__(self) -> str:
        lacking = self.lacking or Lacking(filename="", why="no SHA-256")
        what = self.name.filename if self.name is not None else lacking.filename or self.release
        how = f" ({lacking.why})" if self.sha256 is None else f" with the SHA-256 {self.sha256}"
        place = self.url or lacking.place or self.index
        return f"{what}{how}{f' at {place}' if place else ''}"


class Known:
    """What some locks said before a run: a tool may write it into another one, in that one's form.

    Args:
        locks: The locks.
    """

    def __init__(self, locks: Iterable[Lock | None]) -> None:
        self._told: set[object] = {None}
        for entry in (entry for lock in locks for entry in entries_in(lock)):
            sha256, filename = entry.sha256, entry.name and entry.name.filename
            self._told |= {entry.index, (entry.project, entry.version)}
            if sha256 is not None:
                self._told |= {(entry.release, sha256), (filename, sha256), (entry.url, sha256)}

    def has(self, entry: LockEntry) -> bool:
        """Return whether one of the locks said as much."""
        if entry.index not in self._told:
            return False
        if entry.is_bare:
            return (entry.project, entry.version) in self._told
        what = entry.url or (entry.name.filename if entry.name is not None else entry.release)
        return entry.sha256 is not None and (what, entry.sha256) in self._told


def entries_in(lock: Lock | None) -> dict[LockEntry, None]:
    """Return every entry of a lock, those of a release one after the other."""
    releases = sorted(lock.releases, key=lambda each: (each.project, str(each.version))) if lock else ()
    is_bare = lock is not None and lock.format is LockFormat.REQUIREMENTS
    return dict.fromkeys(entry for release in releases for entry in _entries_of(release, is_bare=is_bare))


def _entries_of(release: LockedRelease, *, is_bare: bool) -> Iterator[LockEntry]:
    project, version, index = release.project, str(release.version), release.index
    for file in release.files:
        place = file.url if file.url is not None else file.path
        yield LockEntry(
            project=project, version=version, name=file.name, sha256=file.sha256, url=place, index=index
        )
    for digest in sorted(release.digests, key=str):
        yield LockEntry(project=project, version=version, sha256=digest, index=index)
    for lacking in release.lacking:
        yield LockEntry(project=project, version=version, index=index, lacking=lacking, is_bare=is_bare)
