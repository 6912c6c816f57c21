"""The gate's interface: each page and file is decided once in a run.

A file that was not requested may have been prefetched, but is never reported.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Self

from packaging.version import Version

from pip_warden.artifact.model import Artifact
from pip_warden.errors import RefusedError, TrustFileError, TrustRootError, UndecidedError
from pip_warden.evidence.model import BadItem, Item
from pip_warden.gate.dependencies import unpinned_by
from pip_warden.gate.model import Admission, GateParts
from pip_warden.gate.once import Once
from pip_warden.gate.one_file import admit, admit_local
from pip_warden.index.candidate import Candidate, distinct
from pip_warden.names import ProjectName
from pip_warden.report.ledger import Ledger
from pip_warden.report.model import Unpinned, line_of, undecided_line
from pip_warden.verdict.listing import Listing, list_page, page_entry, refuse_unpinned
from pip_warden.verdict.model import Accepted, Refused, VerdictError

_WORKERS = 8


class Gate:
    """Fetches, judges and seals. Safe to use from several threads.

    Args:
        parts: What it works with.
        ledger: Records every request.
    """

    def __init__(self, parts: GateParts, ledger: Ledger) -> None:
        self._parts = parts
        self._ledger = ledger
        self._listings: Once[ProjectName, Listing] = Once()
        self._admissions: Once[tuple[ProjectName, str], Admission] = Once()
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="gate")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_exc: object) -> None:
        # An interrupted run does not wait for a registry.
        self.close(wait=kind is None or issubclass(kind, Exception))

    def close(self, *, wait: bool = True) -> None:
        """Stop prefetching; with ``wait``, wait for what has begun."""
        self._pool.shutdown(wait=wait, cancel_futures=True)

    def warm_up(self) -> None:
        """Load the verifier and the trusted roots in the background, while an installer starts."""
        self._pool.submit(self._load_verifier)

    def listing(self, project: ProjectName, *, wanted_by: str = "the installer") -> Listing:
        """Decide which files of a project may be requested.

        Raises:
            VerdictError: The project is not pinned, or its page is not the pinned source's own.
            UndecidedError: The page could not be fetched.
        """
        try:
            return self._list_once(project, wanted_by)
        except UndecidedError as err:
            self._ledger.record(undecided_line(project, err))
            raise
        except VerdictError as err:
            self._ledger.record(line_of(err.refused))
            raise

    def look_ahead(self, project: ProjectName) -> None:
        """Start to prefetch a project's page, and then its newest wheel."""
        if self._parts.trust.entries_of(project):
            self._pool.submit(self._fetch_newest, project)

    def admit(self, project: ProjectName, filename: str) -> Admission:
        """Decide about one file of a project and record that it was requested.

        Raises:
            RefusedError: As for :meth:`listing`, or the listing has no such file.
            UndecidedError: As for :meth:`listing`.
        """
        admission = self._admit_listed(self.listing(project), filename)
        self._ledger.record(admission.line)
        return admission

    def admit_release(self, project: ProjectName, version: Version) -> tuple[Admission, ...]:
        """Decide about every wheel and sdist of a release, including those that the trust file does not list.

        Raises:
            RefusedError: As for :meth:`listing`, or ``no-release``: the page has no such release.
            UndecidedError: As for :meth:`listing`.
        """
        listing = self.listing(project, wanted_by="you")
        files = [c for c in distinct(listing.page.candidates) if c.name.version == version]
        if not files:
            raise RefusedError(
                "no-release",
                f"expected a release {version} of {project} on {listing.page.url}, found none",
                hint="Check the version; zero files are never a success.",
            )
        admissions = tuple(self._pool.map(partial(self._admit_once, listing), files))
        for admission in admissions:
            self._ledger.record(admission.line)
        return admissions

    def admit_local(self, artifact: Artifact, evidence: Iterator[Item | BadItem]) -> Admission:
        """Decide about a local file, with the evidence that the user has for it.

        Raises:
            UndecidedError: It could not be determined whether there is an item of evidence.
        """
        admission = self._noted(admit_local(self._parts, artifact, evidence))
        self._ledger.record(admission.line)
        return admission

    def require_pinned(self, projects: dict[ProjectName, str]) -> None:
        """Refuse at once when any of several projects is unpinned, and name all of them.

        Args:
            projects: Each project and what requires it.

        Raises:
            VerdictError: ``not-pinned``.
        """
        trust = self._parts.trust
        missing = [refuse_unpinned(name, trust) for name in projects if not trust.entries_of(name)]
        for refused in missing:
            self._want(refused, projects[ProjectName(refused.subject)])
            self._ledger.record(line_of(refused))
        if missing:
            raise VerdictError(missing[0])

    def _load_verifier(self) -> None:
        """Load the imports and roots early; a root that cannot be used is reported when it is needed."""
        import pip_warden._sigstore.verify  # noqa: F401 -- imported for its cost

        with suppress(TrustRootError, TrustFileError):
            self._parts.roots.load_all()

    def _list_once(self, project: ProjectName, wanted_by: str) -> Listing:
        return self._listings.do(project, partial(self._list, project, wanted_by))

    def _list(self, project: ProjectName, wanted_by: str) -> Listing:
        entry = page_entry(project, self._parts.trust)
        if isinstance(entry, Refused):
            self._want(entry, wanted_by)
            raise VerdictError(entry)
        self._parts.reporter.step(f"looking up {project}")
        listing = list_page(self._parts.supply.page(project, entry), entry, self._parts.trust)
        if isinstance(listing, Refused):
            raise VerdictError(listing)
        return listing

    def _want(self, refused: Refused, wanted_by: str) -> None:
        self._ledger.want(Unpinned(project=refused.subject, wanted_by=wanted_by))

    def _admit_listed(self, listing: Listing, filename: str) -> Admission:
        candidate = next((c for c in listing.allowed if c.name.filename == filename), None)
        if candidate is None:
            raise RefusedError(
                "unknown-file",
                f"expected a file listed for {listing.page.project}, found {filename!r}",
                hint="The file is not on the project's page, "
                "or its version is not allowed by the trust file.",
            )
        return self._admit_once(listing, candidate)

    def _admit_once(self, listing: Listing, candidate: Candidate) -> Admission:
        key = (candidate.project, candidate.name.filename)
        return self._admissions.do(key, lambda: self._noted(admit(self._parts, candidate, listing)))

    def _noted(self, admission: Admission) -> Admission:
        """Record the unpinned names that an accepted file will require."""
        if isinstance(admission.line.verdict, Accepted):
            for name in unpinned_by(admission.line.verdict.artifact, self._parts.trust):
                self._ledger.want(name)
        return admission

    def _fetch_newest(self, project: ProjectName) -> None:
        """Fetch and judge the newest wheel ahead; an error is reported when the file is requested."""
        with suppress(RefusedError, UndecidedError):
            listing = self._list_once(project, "the installer")
            wheels = [c for c in listing.allowed if c.name.kind == "wheel" and c.claimed_yanked is None]
            newest = max(
                wheels, key=lambda c: (not c.name.version.is_prerelease, c.name.version), default=None
            )
            if newest is not None and sum(c.name.version == newest.name.version for c in wheels) == 1:
                self._admit_once(listing, newest)
