"""The gate's interface: each page and file is decided once in a run.

What was not requested may have been decided ahead, but is never reported.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Self

from packaging.version import Version

from pip_warden.artifact.model import Artifact
from pip_warden.digests import Digest
from pip_warden.errors import RefusedError, TrustFileError, TrustRootError, UndecidedError
from pip_warden.evidence.model import BadItem, Item
from pip_warden.gate.ahead import LookAhead
from pip_warden.gate.dependencies import unpinned_by
from pip_warden.gate.guess import Guess
from pip_warden.gate.model import Admission, GateParts
from pip_warden.gate.once import Once
from pip_warden.gate.one_file import admit, admit_again, admit_local
from pip_warden.index.candidate import Candidate, distinct
from pip_warden.names import ArtifactName, ProjectName
from pip_warden.report.ledger import Ledger
from pip_warden.report.model import Unpinned, line_of, undecided_line
from pip_warden.supply.ahead import Background
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
        self._again: Once[tuple[ArtifactName, Digest], Admission | None] = Once()
        self._evidence: dict[str, Digest | None] = {}
        self._background = Background(parts.allowance)
        self._ahead = LookAhead(
            self._background, lists=self._list_ahead, admits=self._admit_ahead, facts=parts.facts
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_exc: object) -> None:
        # An interrupted run does not wait for a registry.
        self.close(wait=kind is None or issubclass(kind, Exception))

    def close(self, *, wait: bool = True) -> None:
        """Give up what nobody asked for; with ``wait``, wait for that, and let the vault take large files."""
        self._background.close(wait=wait)
        if self._parts.postponed is not None:
            self._parts.postponed.take()
            if wait:
                self._parts.postponed.settle()

    def warm_up(self) -> None:
        """Load the verifier and the trusted roots in the background, while an installer starts."""
        self._background.submit(self._load_verifier)

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

    def peek(self, project: ProjectName) -> Listing | None:
        """List a project's files for our own use, None where that fails; nothing is recorded of it."""
        with suppress(RefusedError, UndecidedError):
            return self._list_once(project, "pip-warden")
        return None

    def meanwhile(self, work: Callable[[], object]) -> None:
        """Do something in the background; where the run ends before it has begun, it is left undone."""
        self._background.submit(work)

    def look_ahead(self, guesses: Iterable[Guess]) -> None:
        """Start to decide about what will probably be asked for, and what that requires."""
        self._ahead.start(guesses)

    def look_ahead_of(self, project: ProjectName) -> None:
        """Start to decide about the newest file of a project whose page was asked for."""
        self._ahead.asked(project)

    def look_ahead_from(self, admission: Admission) -> None:
        """Start to decide about what an accepted file that will be installed requires."""
        self._background.submit(partial(self._ahead.follow, admission))

    def agree(self) -> None:
        """An installer has all that it wants: the vault has time to take files while it installs."""
        if self._parts.postponed is not None:
            self._background.submit(self._parts.postponed.take)
            self._background.submit(self._parts.postponed.look)

    def admit(self, project: ProjectName, filename: str) -> Admission:
        """Decide about one file of a project and record that it was requested.

        Raises:
            RefusedError: As for :meth:`listing`, or the listing has no such file.
            UndecidedError: As for :meth:`listing`.
        """
        admission = self._admit_listed(self.listing(project), filename)
        self._record(admission)
        return admission

    def release(self, project: ProjectName, version: Version) -> tuple[Listing, tuple[Candidate, ...]]:
        """Return a project's page, and every wheel and sdist of a release on it, undecided.

        Raises:
            RefusedError: As for :meth:`listing`, or ``no-release``: the page has no such release.
            UndecidedError: As for :meth:`listing`.
        """
        listing = self.listing(project, wanted_by="you")
        files = tuple(c for c in distinct(listing.page.candidates) if c.name.version == version)
        if not files:
            raise RefusedError(
                "no-release",
                f"expected a release {version} of {project} on {listing.page.url}, found none",
                hint="Check the version; zero files are never a success.",
            )
        return listing, files

    def admit_release(self, project: ProjectName, version: Version) -> tuple[Admission, ...]:
        """Decide about every wheel and sdist of a release, including those that the trust file does not list.

        Raises:
            RefusedError: As for :meth:`release`.
            UndecidedError: As for :meth:`listing`.
        """
        listing, files = self.release(project, version)
        with ThreadPoolExecutor(_WORKERS, thread_name_prefix="release") as pool:
            admissions = tuple(pool.map(partial(self._admit_once, listing), files))
        for admission in admissions:
            self._record(admission)
        return admissions

    def admit_local(self, artifact: Artifact, evidence: Iterator[Item | BadItem]) -> Admission:
        """Decide about a local file, with the evidence that the user has for it.

        Raises:
            UndecidedError: It could not be determined whether there is an item of evidence.
        """
        admission = admit_local(self._parts, artifact, evidence)
        self._record(admission)
        return admission

    def admit_again(self, name: ArtifactName, digest: Digest) -> Admission | None:
        """Decide about a file that an earlier run installed, by the pins of now, as the vault has it.

        Nothing is recorded: nobody has asked for it. None where the vault does not have it.
        """
        return self._again.do((name, digest), partial(admit_again, self._parts, name, digest))

    def evidence_for(self, sha256: str) -> Digest | None:
        """Return the digest of what spoke for a file that was accepted in this run; None where a hash did."""
        return self._evidence.get(sha256)

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
        with self._parts.measures.phase("start", "the verifier"), suppress(TrustRootError, TrustFileError):
            import pip_warden._sigstore.verify  # noqa: F401 -- imported for its cost

            self._parts.roots.load_all()

    def _list_once(self, project: ProjectName, wanted_by: str) -> Listing:
        return self._listings.do(project, partial(self._list, project, wanted_by))

    def _list(self, project: ProjectName, wanted_by: str) -> Listing:
        entry = page_entry(project, self._parts.trust)
        if isinstance(entry, Refused):
            self._want(entry, wanted_by)
            raise VerdictError(entry)
        self._parts.reporter.step(f"looking up {project}")
        with self._parts.measures.phase("page", project):
            page = self._parts.supply.page(project, entry)
        listing = list_page(page, entry, self._parts.trust)
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
        return self._admissions.do(key, partial(admit, self._parts, candidate, listing, self._background))

    def _record(self, admission: Admission) -> None:
        """Record a decision that was asked for, and the unpinned names that an accepted file will require."""
        if isinstance(admission.line.verdict, Accepted):
            for name in unpinned_by(admission.line.verdict.artifact, self._parts.trust):
                self._ledger.want(name)
            self._evidence[admission.line.sha256] = admission.evidence
        self._ledger.record(admission.line)

    def _list_ahead(self, project: ProjectName) -> Listing | None:
        if not self._parts.trust.entries_of(project):
            return None
        work = partial(self._list, project, "the installer")
        return self._background.speculate(
            partial(self._listings.ahead, project, work, is_good=lambda _listing: True)
        )

    def _admit_ahead(self, listing: Listing, candidate: Candidate) -> Admission | None:
        key = (candidate.project, candidate.name.filename)
        work = partial(admit, self._parts, candidate, listing, self._background)
        return self._background.speculate(
            partial(self._admissions.ahead, key, work, is_good=lambda found: found.line.undecided is None)
        )
