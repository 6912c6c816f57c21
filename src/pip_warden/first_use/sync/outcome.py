"""What a run has come to for each release that is needed, as a report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from packaging.version import Version

from pip_warden.errors import WardenError
from pip_warden.first_use.needs import Need, NeededRelease, places_of_needs
from pip_warden.first_use.sync.look import Pin
from pip_warden.first_use.sync.wishes import Wish
from pip_warden.names import ProjectName
from pip_warden.report.model import Line, Outcome, Report, error_line, unsaid
from pip_warden.trust.model import HashEntry, TrustFile
from pip_warden.values import dataclass

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

    @property
    def why(self) -> Mapping[tuple[ProjectName, Version | None], str]:
        """Return who signs each package (its version None), or why a release is pinned by hash."""
        return {
            (pin.entry.project, pin.version if isinstance(pin.entry, HashEntry) else None): pin.why
            for pin in self.pins
        }

    def report(self, warnings: Iterable[str]) -> Report:
        """Return it as a report.

        Args:
            warnings: What the user should look at.
        """
        lines = tuple(self._lines())
        return Report(
            command="trust sync",
            exit_code=0 if self.error is None else self.error.exit_code,
            lines=lines,
            warnings=tuple(warnings),
            trust_file=str(self.trust.path),
            error=unsaid(self.error, lines),
            sources=self.trust.sources,
            places=places_of_needs(self.needs),
        )

    def _lines(self) -> Iterator[Line]:
        told = {each.project: each for each in self.unlucky}
        sources = {wish.probe.project: wish.probe.source for wish in self.wishes}
        open_ = {(each.project, each.version) for wish in self.wishes for each in wish.releases}
        for need in self.needs:
            source = sources.get(need.project, "")
            if need.project in told:
                yield error_line(need.project, told[need.project].error, source=source)
                continue
            for release in need.releases:
                is_open = (release.project, release.version) in open_
                yield self._line(release, source) if is_open else self._known(release)

    def _line(self, release: NeededRelease, source: str) -> Line:
        subject = f"{release.project} {release.version}"
        if not self.pins:
            return Line(subject=subject, outcome=Outcome.NOT_JUDGED, source=source, note=_NOTHING)
        by_hash = self.why.get((release.project, release.version))
        note = (
            f"by identity: {self.why.get((release.project, None))}"
            if by_hash is None
            else f"by hash: {by_hash}"
        )
        return Line(subject=subject, outcome=Outcome.PINNED, source=source, note=note)

    def _known(self, release: NeededRelease) -> Line:
        entry = self.trust.entry_for(release.project, release.version)
        return Line(
            subject=f"{release.project} {release.version}",
            outcome=Outcome.PINNED_BEFORE,
            source="" if entry is None else entry.source,
        )
