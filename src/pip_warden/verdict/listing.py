"""Steps 1 and 2 for a project's page, once per project.

May the project be looked up, is the page its source's own, and which of its files may be fetched? A
:class:`Listing` is the proof that its page was judged: only :func:`list_page` makes one.
"""

from __future__ import annotations

from pip_warden.faults import Fault
from pip_warden.index.candidate import Candidate, IndexPage, distinct
from pip_warden.names import ProjectName
from pip_warden.trust.model import Entry, HashEntry, Probe, TrustFile
from pip_warden.values import dataclass, field
from pip_warden.verdict import origin
from pip_warden.verdict.model import Refused, Step, StepFailure
from pip_warden.verdict.pin import not_pinned


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """The files of a project that may be fetched: decided before any file is.

    Attributes:
        entry: The entry or probe by which the page was judged.
        page: The page, judged to be the pinned source's own.
        allowed: The candidates whose version the trust file allows, each once.
    """

    entry: Entry | Probe
    page: IndexPage
    allowed: tuple[Candidate, ...]
    _judged: dict[str, Fault | None] = field(init=False, default_factory=dict, repr=False, compare=False)

    def is_for(self, entry: Entry | Probe) -> bool:
        """Return whether the page also counts as judged by another entry.

        It must be of the same project and source, and both are probes or neither is.
        """
        mine, theirs = ((e.project, e.source, e.registry, isinstance(e, Probe)) for e in (self.entry, entry))
        return mine == theirs

    def check_candidate(self, candidate: Candidate) -> Fault | None:
        """Judge that the page lists a candidate, and judge its release: that once, whoever asks first."""
        version = candidate.name.version
        spelled = str(version)  # 1.0 and 1.0.0 are one release, and each is told by its own spelling
        if spelled not in self._judged:
            self._judged[spelled] = origin.check_release(self.page, version)
        return origin.check_listed(candidate, self.page) or self._judged[spelled]


def page_entry(project: ProjectName, trust: TrustFile) -> Entry | Refused:
    """Step 1: return the entry that names the source of the project's page, or refuse to look it up."""
    return trust.page_entry(project) or refuse_unpinned(project, trust)


def refuse_unpinned(project: ProjectName, trust: TrustFile) -> Refused:
    """Return the refusal of a project that is not in the trust file."""
    return Refused(subject=project, failure=StepFailure(Step.PIN, not_pinned(project, trust)))


def list_page(page: IndexPage, entry: Entry | Probe, trust: TrustFile) -> Listing | Refused:
    """Step 2: judge a page and every file URL on it, and list the files that may be fetched.

    Args:
        page: The response of the entry's source.
        entry: What :func:`page_entry` returned; or a probe, for which every file may be fetched.
        trust: The trust file.
    """
    fault = origin.check_page(page, entry.project, entry, trust.source(entry.source))
    if fault is not None:
        return Refused(subject=entry.project, failure=StepFailure(Step.ORIGIN, fault))
    listed = distinct(page.candidates)
    if isinstance(entry, Probe):
        return Listing(entry=entry, page=page, allowed=listed)
    return Listing(entry=entry, page=page, allowed=tuple(c for c in listed if _is_allowed(c, trust)))


def _is_allowed(candidate: Candidate, trust: TrustFile) -> bool:
    """Return whether the trust file has an entry for this version, which lists the file if by hash."""
    entry = trust.entry_for(candidate.project, candidate.name.version)
    if isinstance(entry, HashEntry):
        return entry.digest_for(candidate.name.filename) is not None
    return entry is not None
