"""What a run did to lock files: each entry that one gained must have come through the gate.

A tool writes into its lock what it was shown, and also what it was told by a setting, a cache or a package.
So the lock is read before and after, and what is new is held against what the gate listed and served.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from itertools import groupby
from pathlib import Path

from packaging.version import Version

from pip_warden.command.backend import Demanded, Seen
from pip_warden.command.entries import Known, LockEntry, entries_in
from pip_warden.digests import Digest, digest_of
from pip_warden.display import escape_text
from pip_warden.errors import NetworkError, UsageError
from pip_warden.faults import Fault
from pip_warden.locks.files import public_url
from pip_warden.locks.model import DirectReference, Lacking, Lock, LockedRelease, ReferenceKind
from pip_warden.locks.read import read_lock
from pip_warden.locks.text import read_bytes
from pip_warden.names import parse_artifact_name
from pip_warden.report.ledger import Ledger
from pip_warden.report.model import Line, Outcome, Place, Unpinned, refused_line
from pip_warden.report.places import asked_at
from pip_warden.report.summary import counted
from pip_warden.transport.urls import origin_of
from pip_warden.trust.model import TrustFile
from pip_warden.values import dataclass

_SUFFIXES = {".lock", ".toml", ".txt"}
"""Of lock files, and of requirements files as tools write them."""

_MOST_NAMED = 3
"""How many of a release's entries a refusal names."""


@dataclass(frozen=True, kw_only=True, slots=True)
class LockState:
    """A lock file at one time.

    Attributes:
        path: The file.
        state: The SHA-256 of its bytes; None where there is no file, or none that can be read.
        lock: What it says; None where there is no file, or ``fault`` says why.
        fault: Why it cannot be read.
    """

    path: Path
    state: Digest | None = None
    lock: Lock | None = None
    fault: UsageError | None = None


class Shown:
    """What came through the gate in a run, for lock files to be held against.

    Args:
        seen: What was listed and served.
        origins: The origins that the gate answers for.
        locks: The run's lock files, as they were before: a tool may write what one of them says into another.
    """

    def __init__(self, seen: Seen, origins: Collection[str], locks: Iterable[LockState] = ()) -> None:
        self._known = Known(state.lock for state in locks)
        self._urls = {_plain(url): sha256 for url, sha256 in seen.listed.items()}
        self._digests = frozenset(seen.listed.values()) | seen.served
        names = map(parse_artifact_name, seen.listed_names)
        self._releases = frozenset((name.project, name.version) for name in names)
        self._seen = seen
        self._origins = frozenset(origins)

    def has(self, entry: LockEntry) -> bool:
        """Return whether what a lock says of a file is what the gate listed or served.

        A URL must be a listed one, with the digest that was listed there; where none was, a tool has computed
        it of what it was served, or demands none. Where files are not named, the release must be a listed
        one.
        """
        if entry.is_bare:
            return (entry.project, Version(entry.version)) in self._releases
        if not self._is_answered_for(entry.index):
            return False
        if entry.sha256 is None:
            return self._is_listed_without(entry.lacking)
        sha256 = entry.sha256.hex
        if entry.url is not None:
            listed = self._urls.get(_plain(entry.url))
            return listed == sha256 or (listed == "" and self.was_served(entry))
        if entry.name is not None:
            of_name = self._seen.listed_names.get(entry.name.filename, frozenset())
            return sha256 in of_name or ("" in of_name and self.was_served(entry))
        return sha256 in self._digests

    def why_not_judged(self, entry: LockEntry) -> str | None:
        """Return why an entry was not judged, ``""`` where it was, None where it came from elsewhere."""
        if self.has(entry):
            if entry.sha256 is None:
                return "named without a digest"
            return "" if self.was_served(entry) else "only listed"
        return "as another lock had it before" if self._known.has(entry) else None

    def was_served(self, entry: LockEntry) -> bool:
        """Return whether the bytes of an entry were judged in this run."""
        return entry.sha256 is not None and entry.sha256.hex in self._seen.served

    def _is_listed_without(self, lacking: Lacking | None) -> bool:
        if lacking is None or lacking.place is None or lacking.hashes:
            return False
        return self._urls.get(_plain(lacking.place)) == ""

    def _is_answered_for(self, index: str | None) -> bool:
        try:
            return index is None or str(origin_of(index)) in self._origins
        except NetworkError:
            return False


def read_state(path: Path, trust: TrustFile) -> LockState:
    """Read a lock file, which need not be there."""
    if not os.path.lexists(path):
        return LockState(path=path)
    state = None
    try:
        state = digest_of(read_bytes(path))
        lock = read_lock(path, source_urls=[source.url for source in trust.sources])
    except UsageError as err:
        return LockState(path=path, state=state, fault=err)
    return LockState(path=path, state=state, lock=lock)


def read_again(before: LockState, trust: TrustFile) -> LockState:
    """Read a lock file after the run: one that is byte for byte the same says the same."""
    if before.state is None or not os.path.lexists(before.path):
        return read_state(before.path, trust)
    try:
        is_same = digest_of(read_bytes(before.path)) == before.state
    except UsageError as err:
        return LockState(path=before.path, fault=err)
    return before if is_same else read_state(before.path, trust)


def want_unpinned(states: Iterable[LockState], trust: TrustFile, ledger: Ledger) -> None:
    """Remember each name in a lock that is not pinned: whoever is refused one is told all of them."""
    for state, release in _releases(states):
        if not trust.entries_of(release.project):
            ledger.want(Unpinned(project=release.project, wanted_by=state.path.name))


def versions_not_pinned(states: Iterable[LockState], trust: TrustFile) -> Iterator[str]:
    """Yield each release in a lock that no entry of its project pins: pages do not list it."""
    for state, release in _releases(states):
        if trust.entry_for(release.project, release.version) is None:
            yield f"{release.project} {release.version} in {state.path.name}"


def locked_places(states: Iterable[LockState]) -> tuple[tuple[str, Place], ...]:
    """Return where each project stands in a lock: in the first that has it."""
    found: dict[str, Place] = {}
    for _, release in _releases(states):
        if release.project not in found and (place := asked_at(release.where)) is not None:
            found[release.project] = place
    return tuple(found.items())


def _releases(states: Iterable[LockState]) -> Iterator[tuple[LockState, LockedRelease]]:
    for state in states:
        for release in state.lock.releases if state.lock is not None else ():
            yield state, release


def demanded(states: Iterable[LockState]) -> Demanded:
    """Return what locks demand: a file that is asked for by a lock alone is found by it.

    A URL for which they demand two things is found by its file's name.
    """
    urls: dict[str, set[str]] = {}
    names: dict[str, set[str]] = {}
    for state in states:
        for entry in entries_in(state.lock):
            if entry.sha256 is None or entry.name is None:
                continue
            names.setdefault(entry.name.filename, set()).add(entry.sha256.hex)
            if entry.url is not None:
                urls.setdefault(entry.url, set()).add(entry.sha256.hex)
    return Demanded(
        by_url={url: next(iter(found)) for url, found in urls.items() if len(found) == 1},
        by_name={name: frozenset(found) for name, found in names.items()},
    )


def compare_lock(
    before: LockState, after: LockState, *, shown: Shown, local: Collection[Path], ledger: Ledger
) -> None:
    """Hold what a lock gained against what came through the gate, and put what is found into the ledger.

    Args:
        before: The lock before the run. Where it could not be read, all that it says after it counts as new.
        after: The lock after it.
        shown: What the gate listed and served.
        local: Directories of the user's own projects, which a lock may refer to.
        ledger: Gets refused entries, one line for each release; what was not judged, likewise; and a
            lock that cannot be read: refused where the command wrote it, and else a warning.
    """
    if _hides(before, after):
        ledger.add(_refused(after.path.name, f"what cannot be read: {after.fault}"))
        return
    for fault in dict.fromkeys(str(state.fault) for state in (before, after) if state.fault is not None):
        ledger.warn(f"a lock cannot be read, and what it gained is not known: {fault}")
    if after.lock is None or after is before:
        return
    old = entries_in(before.lock)
    new = [entry for entry in entries_in(after.lock) if entry not in old]
    for release, entries in groupby(new, key=lambda entry: entry.release):
        for line in _judged(release, list(entries), shown, after.path.name):
            ledger.add(line)
    known = frozenset(map(_place, before.lock.direct)) if before.lock is not None else frozenset()
    for reference in after.lock.direct:
        if _place(reference) not in known and not _is_local(reference, after.path.parent, local):
            ledger.add(_refused(str(reference.project or reference.location), _described(reference)))


def _hides(before: LockState, after: LockState) -> bool:
    """Return whether a command wrote what cannot be read here, and its tool may read all the same.

    A version that is not known is none of these: a tool does not read it either, unless it is a newer one.
    Nor is what is no lock by its name: a tool may be told to write a bill of materials, or a directory.
    """
    if after.fault is None or after.fault.code == "lock-version":
        return False
    if after.path.suffix not in _SUFFIXES or after.path.is_dir():
        return False
    return before.fault is None or before.state != after.state


def _judged(release: str, entries: list[LockEntry], shown: Shown, lock: str) -> Iterator[Line]:
    bad, others = list[LockEntry](), dict[str, int]()
    for entry in entries:
        why = shown.why_not_judged(entry)
        if why is None:
            bad.append(entry)
        elif why:
            others[why] = others.get(why, 0) + 1
    if bad:
        more = f", and {len(bad) - _MOST_NAMED} more" if len(bad) > _MOST_NAMED else ""
        named = "; ".join(str(entry) for entry in bad[:_MOST_NAMED])
        yield _refused(release, f"in {lock}: {named}{more}")
    for why, number in others.items():
        note = f"{counted(number, 'file', 'files')} in {lock}, {why}"
        yield Line(subject=release, outcome=Outcome.NOT_JUDGED, note=note)


def _refused(subject: str, found: str) -> Line:
    fault = Fault(
        code="not-through-gate",
        expected="that the lock gains only what the gate listed or served",
        found=found,
        hint="Restore the lock, and find out which setting or package leads there.",
    )
    return refused_line(escape_text(subject), fault)


def _described(reference: DirectReference) -> str:
    return f"in {reference.where}: {reference.kind.value} {escape_text(reference.location, 300)}"


def _place(reference: DirectReference) -> tuple[object, ...]:
    """Return what tells a reference from another; the user's own have another version with each release."""
    return reference.kind, reference.project, reference.location, reference.digests


def _is_local(reference: DirectReference, directory: Path, local: Collection[Path]) -> bool:
    if reference.kind not in {ReferenceKind.FILE, ReferenceKind.DIRECTORY}:
        return False
    try:
        place = (directory / reference.location).resolve()
        return any(place.is_relative_to(each.resolve()) for each in local)
    except (OSError, ValueError, RuntimeError):  # a NUL, or links that lead round in a circle
        return False


def _plain(url: str) -> str:
    """Return a URL as locks are read: without user, query and fragment."""
    try:
        return public_url(url, "")
    except UsageError:
        return url
