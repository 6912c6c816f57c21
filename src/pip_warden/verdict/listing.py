"""Steps 1 and 2 for a project's page, once per project: may it be looked up, is the page its source's own, and what on it may be asked for?

A :class:`Listing` is the proof that its page was judged: only :func:`list_page` makes one.
"""

from __future__ import annotations

from dataclasses import dataclass

from pip_warden.index.candidate import Candidate, IndexPage, distinct
from pip_warden.names import ProjectName
from pip_warden.trust.model import Entry, HashEntry, Probe, TrustFile
from pip_warden.verdict import origin
from pip_warden.verdict.model import No, Refused, Step
from pip_warden.verdict.pin import not_pinned


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """What may be asked for of a project: decided before any file is fetched.

    Attributes:
        entry: The entry or probe by which the page was judged.
        page: The page, judged to be the pinned source's own.
        allowed: The candidates whose version the trust file allows, each once.
    """

    entry: Entry | Probe
    page: IndexPage
    allowed: tuple[Candidate, ...]

    def is_for(self, entry: Entry | Probe) -> bool:
        """Tell whether a page that was judged by one entry counts for another: of the same project, from the same place, probe or none."""
        mine, theirs = ((e.project, e.source, e.registry, isinstance(e, Probe)) for e in (self.entry, entry))
        return mine == theirs


def page_entry(project: ProjectName, trust: TrustFile) -> Entry | Refused:
    """Step 1: return the entry that says where the project's page is, or refuse to look it up anywhere."""
    return trust.page_entry(project) or refuse_unpinned(project, trust)


def refuse_unpinned(project: ProjectName, trust: TrustFile) -> Refused:
    """Make the verdict on a project that the trust file does not know."""
    return Refused(subject=project, no=No(Step.PIN, not_pinned(project, trust)))


def list_page(page: IndexPage, entry: Entry | Probe, trust: TrustFile) -> Listing | Refused:
    """Step 2: judge a page and every file URL on it, and list what may be asked for.

    Args:
        page: The page that the entry's source answered with.
        entry: What :func:`page_entry` returned; or a probe, for which every file may be asked for.
        trust: The trust file.
    """
    fault = origin.check_page(page, entry.project, entry, trust.source(entry.source))
    if fault is not None:
        return Refused(subject=entry.project, no=No(Step.ORIGIN, fault))
    listed = distinct(page.candidates)
    if isinstance(entry, Probe):
        return Listing(entry=entry, page=page, allowed=listed)
    return Listing(entry=entry, page=page, allowed=tuple(c for c in listed if _is_allowed(c, trust)))


def _is_allowed(candidate: Candidate, trust: TrustFile) -> bool:
    """Tell whether the trust file has an entry that decides this file's version, and for a hash entry lists it."""
    entry = trust.entry_for(candidate.project, candidate.name.version)
    if isinstance(entry, HashEntry):
        return entry.digest_for(candidate.name.filename) is not None
    return entry is not None
