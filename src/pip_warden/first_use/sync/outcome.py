"""What a run has come to for each release that is needed, as a report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from packaging.version import Version

from pip_warden.errors import RefusedError, UndecidedError, WardenError
from pip_warden.first_use.needs import Need, NeededRelease
from pip_warden.first_use.sync.look import Pin
from pip_warden.first_use.sync.wishes import Wish
from pip_warden.names import ProjectName
from pip_warden.report.model import Line, Outcome, Place, Report, early_line, undecided_line
from pip_warden.report.places import asked_at
from pip_warden.trust.model import HashEntry, TrustFile

_Reasons = Mapping[tuple[ProjectName, Version | None], str]

_NOTHING = "the run has pinned nothing"


@dataclass(frozen=True, kw_only=True, slots=True)
class Unlucky:
    """A package that could not be pinned.

    Attributes:
        project: Its name.
        error: Why.
    """

    project: ProjectName
    error: WardenError


@dataclass(frozen=True, kw_only=True, slots=True)
class SyncOutcome:
    """What a run has come to.

    Attributes:
        needs: What is needed.
        trust: The trust file, as it is now.
        wishes: What of that was not pinned.
        pins: What was pinned; empty where nothing was written.
        unlucky: What could not be.
        error: What ended the run; None where nothing did.
    """

    needs: Sequence[Need]
    trust: TrustFile
    wishes: Sequence[Wish] = ()
    pins: Sequence[Pin] = ()
    unlucky: Sequence[Unlucky] = ()
    error: WardenError | None = None

    def report(self, warnings: Iterable[str]) -> Report:
        """Return it as a report.

        Args:
            warnings: What the user should look at.
        """
        lines = tuple(self._lines())
        is_said = self.error is not None and self.error.code in {line.code for line in lines}
        return Report(
            command="trust sync",
            exit_code=0 if self.error is None else self.error.exit_code,
            lines=lines,
            warnings=tuple(warnings),
            trust_file=str(self.trust.path),
            error=None if is_said else self.error,
            sources=self.trust.sources,
            places=tuple(self._places()),
        )

    def _lines(self) -> Iterator[Line]:
        told = {each.project: each for each in self.unlucky}
        sources = {wish.probe.project: wish.probe.source for wish in self.wishes}
        open_ = {(each.project, each.version) for wish in self.wishes for each in wish.releases}
        why = _why(self.pins)
        for need in self.needs:
            source = sources.get(need.project, "")
            line = _line_of(told[need.project], source) if need.project in told else None
            if line is not None:
                yield line
                continue
            for release in need.releases:
                is_open = (release.project, release.version) in open_
                yield self._line(release, why, source) if is_open else self._known(release)

    def _line(self, release: NeededRelease, why: _Reasons, source: str) -> Line:
        subject = f"{release.project} {release.version}"
        note = why.get((release.project, release.version)) or why.get((release.project, None))
        if note is None:
            return Line(subject=subject, outcome=Outcome.NOT_JUDGED, source=source, note=_NOTHING)
        return Line(subject=subject, outcome=Outcome.PINNED, source=source, note=note)

    def _known(self, release: NeededRelease) -> Line:
        entry = self.trust.entry_for(release.project, release.version)
        return Line(
            subject=f"{release.project} {release.version}",
            outcome=Outcome.PINNED_BEFORE,
            source="" if entry is None else entry.source,
        )

    def _places(self) -> Iterator[tuple[str, Place]]:
        """Yield where each package is needed first; what was resolved is named by no line."""
        for need in self.needs:
            found = (asked_at(where) for release in need.releases for where in release.where)
            place = next(filter(None, found), None)
            if place is not None:
                yield need.project, place


def _why(pins: Iterable[Pin]) -> _Reasons:
    """Return who signs each package (its version None), or why a release is pinned by hash."""
    found: dict[tuple[ProjectName, Version | None], str] = {}
    for pin in pins:
        is_hash = isinstance(pin.entry, HashEntry)
        how = "by hash" if is_hash else "by identity"
        found[pin.entry.project, pin.version if is_hash else None] = f"{how}: {pin.why}"
    return found


def _line_of(unlucky: Unlucky, source: str) -> Line | None:
    """Return the line of what was refused or undecided; None where the request itself is wrong."""
    match unlucky.error:
        case RefusedError() as error:
            return early_line(unlucky.project, error, source=source)
        case UndecidedError() as error:
            return undecided_line(unlucky.project, error)
        case _:
            return None
