"""The gate: the only door through which a file reaches an installer, and the only module that knows the order.

::

    listing   trust file → index page → origin → what may be asked for
    admit     candidate → vault, or artifact → evidence → verdict → vault → sealed file

Every front end goes through it. Pages and files are decided once per run, whoever asks and however often; a file that nobody
asked for may have been fetched ahead, but is never reported.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Self, TypeVar

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from pip_warden.artifact.model import Artifact, Contents
from pip_warden.errors import RefusedError, TrustFileError, TrustRootError, UndecidedError
from pip_warden.events import SILENT, Reporter
from pip_warden.evidence.model import BadItem, Evidence, Item
from pip_warden.faults import Fault
from pip_warden.index.candidate import Candidate, IndexPage, distinct
from pip_warden.names import ArtifactName, ProjectName
from pip_warden.report.model import Line, Outcome, Unpinned, line_of, undecided_line
from pip_warden.supply import Supply
from pip_warden.trust.pins import HashEntry, IdentityEntry, TrustFile
from pip_warden.trust.shelf import RootShelf
from pip_warden.vault import Sealed, Vault, sealed_as
from pip_warden.verdict import origin
from pip_warden.verdict.model import Accepted, Exhibit, Refused, Step, Verdict
from pip_warden.verdict.pin import not_pinned

K = TypeVar("K")
T = TypeVar("T")

_WORKERS = 8


class PageRefusedError(RefusedError):
    """A project's page was refused: the project is not pinned, or the page is not its pinned source's own."""

    def __init__(self, refused: Refused) -> None:
        message = f"{refused.subject}: expected {refused.expected}, found {refused.found}"
        super().__init__(refused.code, message, hint=refused.hint)
        self.refused = refused


@dataclass(frozen=True, kw_only=True, slots=True)
class Listing:
    """What may be asked for of a project: decided before any file is fetched.

    Attributes:
        page: The page, judged to be the pinned source's own.
        allowed: The candidates whose version the trust file allows.
    """

    page: IndexPage
    allowed: tuple[Candidate, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Admission:
    """The gate's answer for one file: a sealed file only where the verdict is Accepted."""

    line: Line
    sealed: Sealed | None


A = TypeVar("A", bound=Admission | None)


class Gate:
    """Fetches, judges and seals. Safe to use from several threads.

    Args:
        trust: The trust file.
        roots: Its trusted roots, read and checked when first needed.
        supply: Where pages, files and evidence come from.
        vault: Where accepted files are kept.
        workspace: A private directory of this run.
        reporter: Told what happens.
        read_again: Lets the interpreter that will read a file look at it too, where that is another one than ours.
        fresh: Ask the supply for every file and its evidence, even where the vault has them: what a registry holds *now* is in question.
    """

    def __init__(  # noqa: PLR0913 -- the parts that it is made of
        self,
        *,
        trust: TrustFile,
        roots: RootShelf,
        supply: Supply,
        vault: Vault,
        workspace: Path,
        reporter: Reporter = SILENT,
        read_again: Callable[[Artifact], Artifact] | None = None,
        fresh: bool = False,
    ) -> None:
        self._fresh = fresh
        self._read_again = read_again
        self._trust = trust
        self._roots = roots
        self._supply = supply
        self._vault = vault
        self._workspace = workspace
        self._reporter = reporter
        self._lock = threading.Lock()
        self._listings: dict[ProjectName, Future[Listing]] = {}
        self._admissions: dict[tuple[ProjectName, str], Future[Admission]] = {}
        self._lines: dict[tuple[str, str, Outcome], Line] = {}
        self._unpinned: dict[str, Unpinned] = {}
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="gate")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_exc: object) -> None:
        # Whoever interrupts a run does not wait for a registry.
        self.close(wait=kind is None or issubclass(kind, Exception))

    def close(self, *, wait: bool = True) -> None:
        """Stop fetching ahead and wait for what is under way, if so wished."""
        self._pool.shutdown(wait=wait, cancel_futures=True)

    def warm_up(self) -> None:
        """Load the verifier and the trusted roots in the background, while an installer starts."""
        self._pool.submit(self._load_verifier)

    def _load_verifier(self) -> None:
        """Pay for imports and roots early; a root that cannot be used is told to whoever needs it."""
        from pip_warden.verdict import judge  # noqa: F401 -- imported for its cost

        with suppress(TrustRootError, TrustFileError):
            self._roots.load_all()

    def listing(self, project: ProjectName, *, wanted_by: str = "the installer") -> Listing:
        """Decide what may be asked for of a project.

        Raises:
            RefusedError: The project is not pinned, or its page is not the pinned source's own.
            UndecidedError: The page could not be had.
        """
        try:
            return self._once(self._listings, project, partial(self._list, project, wanted_by)).result()
        except UndecidedError as err:
            self._record(undecided_line(project, err.code, err.message, err.hint))
            raise
        except PageRefusedError as err:
            self._record(line_of(err.refused))
            raise

    def look_ahead(self, project: ProjectName) -> None:
        """Start to fetch a project's page, and then its newest wheel, before anybody asks."""
        if self._trust.entries_of(project):
            self._pool.submit(self._fetch_newest, project)

    def admit(self, project: ProjectName, filename: str) -> Admission:
        """Decide about one file of a project and remember that it was asked for.

        Raises:
            RefusedError: As for :meth:`listing`, or the listing has no such file.
            UndecidedError: As for :meth:`listing`.
        """
        admission = self._admission(self.listing(project), filename)
        self._record(admission.line)
        return admission

    def admit_release(self, project: ProjectName, version: Version) -> tuple[Admission, ...]:
        """Decide about every wheel and sdist that a release has on its page, those that the trust file does not list included.

        Raises:
            RefusedError: As for :meth:`listing`, or ``no-release``: the page has no such release.
            UndecidedError: As for :meth:`listing`.
        """
        listing = self.listing(project)
        files = [c for c in distinct(listing.page.candidates) if c.name.version == version]
        if not files:
            raise RefusedError(
                "no-release",
                f"expected a release {version} of {project} on {listing.page.url}, found none",
                hint="Check the version; zero files are never a success.",
            )
        admissions = tuple(self._pool.map(partial(self._admitted, listing.page), files))
        for admission in admissions:
            self._record(admission.line)
        return admissions

    def admit_local(self, artifact: Artifact, evidence: Iterator[Item | BadItem]) -> Admission:
        """Decide about a file that the user has, with the evidence that they have for it.

        Raises:
            UndecidedError: It could not be told whether there is an item of evidence.
        """
        seen: list[Item | BadItem] = []
        exhibit = Exhibit(artifact=artifact, candidate=None, page=None, evidence=())
        verdict = self._judge(exhibit, _remembering(evidence, seen))
        admission = self._seal(verdict, artifact, source="", evidence=tuple(seen))
        self._record(admission.line)
        return admission

    def require_pinned(self, projects: dict[ProjectName, str]) -> None:
        """Refuse at once when any of several projects is unpinned, naming all of them.

        Args:
            projects: Each project and who wants it.

        Raises:
            RefusedError: ``not-pinned``.
        """
        missing = [project for project in projects if not self._trust.entries_of(project)]
        for project in missing:
            self._want(project, projects[project])
            self._record(line_of(_page_refused(project, Step.PIN, not_pinned(project, self._trust))))
        if missing:
            raise PageRefusedError(_page_refused(missing[0], Step.PIN, not_pinned(missing[0], self._trust)))

    def lines(self) -> tuple[Line, ...]:
        """Return a line for every file and page decided for somebody so far, in the order they were asked for."""
        with self._lock:
            return tuple(self._lines.values())

    def unpinned(self) -> tuple[Unpinned, ...]:
        """Return every unpinned name known so far, dependencies and build dependencies of accepted files included."""
        with self._lock:
            return tuple(self._unpinned.values())

    def only_source(self) -> str:
        """Return the name of the trust file's source where it has just one, else ``""``."""
        return self._trust.sources[0].name if len(self._trust.sources) == 1 else ""

    def _once(self, memo: dict[K, Future[T]], key: K, work: Callable[[], T]) -> Future[T]:
        """Do a piece of work once, however many threads ask; the first one does it itself."""
        with self._lock:
            known = memo.get(key)
            if known is not None:
                return known
            mine: Future[T] = Future()
            memo[key] = mine
        try:
            mine.set_result(work())
        except BaseException as err:
            mine.set_exception(err)
            raise
        return mine

    def _list(self, project: ProjectName, wanted_by: str) -> Listing:
        entries = self._trust.entries_of(project)
        if not entries:
            self._want(project, wanted_by)
            raise PageRefusedError(_page_refused(project, Step.PIN, not_pinned(project, self._trust)))
        entry = next((entry for entry in entries if isinstance(entry, IdentityEntry)), entries[0])
        self._reporter.step(f"looking up {project}")
        page = self._supply.page(project, entry)
        fault = origin.check_page(page, project, entry, self._trust.source(entry.source))
        if fault is not None:
            raise PageRefusedError(_page_refused(project, Step.ORIGIN, fault))
        return Listing(page=page, allowed=tuple(c for c in distinct(page.candidates) if self._allows(c)))

    def _allows(self, candidate: Candidate) -> bool:
        """Tell whether the trust file has an entry that decides this file's version, and for a hash entry lists it."""
        entry = self._trust.entry_for(candidate.project, candidate.name.version)
        if isinstance(entry, HashEntry):
            return entry.digest_for(candidate.name.filename) is not None
        return entry is not None

    def _want(self, project: str, wanted_by: str, requirement: str = "") -> None:
        with self._lock:
            self._unpinned.setdefault(
                project, Unpinned(project=project, wanted_by=wanted_by, requirement=requirement)
            )

    def _record(self, line: Line) -> None:
        """Keep a line for each file: one under a name that was seen already has a verdict of its own."""
        with self._lock:
            self._lines.setdefault((line.subject, line.sha256, line.outcome), line)

    def _admission(self, listing: Listing, filename: str) -> Admission:
        candidate = next((c for c in listing.allowed if c.name.filename == filename), None)
        if candidate is None:
            raise RefusedError(
                "unknown-file",
                f"expected a file listed for {listing.page.project}, found {filename!r}",
                hint="The file is not on the project's page, or its version is not allowed by the trust file.",
            )
        return self._admitted(listing.page, candidate)

    def _admitted(self, page: IndexPage, candidate: Candidate) -> Admission:
        key = (candidate.project, candidate.name.filename)
        return self._once(self._admissions, key, partial(self._admit, candidate, page)).result()

    def _fetch_newest(self, project: ProjectName) -> None:
        """Fetch and judge the newest wheel ahead; whatever goes wrong is told to whoever asks for it."""
        try:
            listing = self._once(
                self._listings, project, partial(self._list, project, "the installer")
            ).result()
            wheels = [c for c in listing.allowed if c.name.kind == "wheel" and c.claimed_yanked is None]
            newest = max(
                wheels, key=lambda c: (not c.name.version.is_prerelease, c.name.version), default=None
            )
            if newest is not None and sum(c.name.version == newest.name.version for c in wheels) == 1:
                self._admission(listing, newest.name.filename)
        except (RefusedError, UndecidedError):
            return

    def _admit(self, candidate: Candidate, page: IndexPage) -> Admission:
        fault = origin.check_release(page, candidate.name.version)
        if fault is not None:  # nothing is fetched that is refused whatever it is
            no = _page_refused(candidate.name.filename, Step.ORIGIN, fault)
            return Admission(line=line_of(no, source=candidate.source), sealed=None)
        try:
            return self._apart(partial(self._from_vault, candidate, page)) or self._apart(
                partial(self._fetch_and_judge, candidate, page)
            )
        except UndecidedError as err:
            return Admission(
                line=undecided_line(candidate.name, err.code, err.message, err.hint), sealed=None
            )

    def _apart(self, judged: Callable[[Path], A]) -> A:
        """Judge a file in a private directory of its own, which stays only where what lies in it is handed over."""
        directory = Path(tempfile.mkdtemp(dir=self._workspace))
        admission: Admission | None = None
        try:
            admission = found = judged(directory)
            return found
        finally:
            if admission is None or admission.sealed is None:
                shutil.rmtree(directory, ignore_errors=True)

    def _from_vault(self, candidate: Candidate, page: IndexPage, directory: Path) -> Admission | None:
        """Judge a stored file again, from its stored evidence. Anything but Accepted means: fetch it anew."""
        if self._fresh or candidate.claimed_sha256 is None:
            return None
        stored = self._vault.find(candidate.claimed_sha256, candidate.name, directory)
        if stored is None:
            return None
        exhibit = Exhibit(artifact=stored.artifact, candidate=candidate, page=page, evidence=())
        verdict = self._judge(exhibit, iter(stored.evidence))
        if not isinstance(verdict, Accepted):
            return None
        self._note_dependencies(stored.artifact)
        return Admission(line=line_of(verdict, source=candidate.source), sealed=sealed_as(verdict))

    def _fetch_and_judge(self, candidate: Candidate, page: IndexPage, directory: Path) -> Admission:
        self._reporter.step(f"fetching {candidate.name}")
        artifact = self._supply.receive(candidate, directory)
        entry = self._trust.entry_for(candidate.project, candidate.name.version)
        seen: list[Item | BadItem] = []
        found = (
            self._supply.evidence(candidate, artifact, entry)
            if isinstance(entry, IdentityEntry)
            else iter(())
        )
        exhibit = Exhibit(artifact=artifact, candidate=candidate, page=page, evidence=())
        verdict = self._judge(exhibit, _remembering(found, seen))
        return self._seal(verdict, artifact, source=candidate.source, evidence=tuple(seen))

    def _judge(self, exhibit: Exhibit, found: Iterator[Item | BadItem]) -> Verdict:
        """Judge with one item of evidence after the other, up to the first good one.

        Steps 1 to 5 come first, without any evidence, so that nothing more is fetched for a file that they refuse.
        """
        from pip_warden.verdict.judge import judge, speaks

        if self._read_again is not None:
            exhibit = replace(exhibit, artifact=self._read_again(exhibit.artifact))
        verdict = judge(exhibit, trust=self._trust, roots=self._roots)
        if isinstance(verdict, Accepted) or verdict.step is not Step.EVIDENCE:
            return verdict
        entry = self._trust.entry_for(exhibit.artifact.name.project, exhibit.artifact.name.version)
        items: list[Item | BadItem] = []
        for item in found:
            items.append(item)
            if isinstance(entry, IdentityEntry) and speaks(item, exhibit, entry, self._roots):
                break
        return judge(replace(exhibit, evidence=tuple(items)), trust=self._trust, roots=self._roots)

    def _seal(self, verdict: Verdict, received: Artifact, *, source: str, evidence: Evidence) -> Admission:
        match verdict:
            case Accepted(artifact=artifact):
                self._note_dependencies(artifact)
                sealed = self._vault.seal(verdict, evidence=evidence)
                return Admission(line=line_of(verdict, source=source), sealed=sealed)
            case Refused():
                return Admission(
                    line=line_of(verdict, source=source, sha256=received.digest.hex), sealed=None
                )

    def _note_dependencies(self, artifact: Artifact) -> None:
        """Remember the unpinned names that an accepted file will want, so that a refusal can list all of them."""
        contents = artifact.contents
        if not isinstance(contents, Contents):
            return
        for text in contents.requires_dist:
            self._note_dependency(text, f"{artifact.name}")
        for text in contents.build_requires:
            self._note_dependency(text, f"{artifact.name} (to build it)")

    def _note_dependency(self, text: str, wanted_by: str) -> None:
        project = wanted_here(text)
        if project is not None and not self._trust.entries_of(project):
            self._want(project, wanted_by, text)


def _page_refused(subject: str, step: Step, fault: Fault) -> Refused:
    return Refused(
        subject=subject,
        step=step,
        code=fault.code,
        expected=fault.expected,
        found=fault.found,
        hint=fault.hint,
    )


def _remembering(found: Iterator[Item | BadItem], seen: list[Item | BadItem]) -> Iterator[Item | BadItem]:
    for item in found:
        seen.append(item)
        yield item


def wanted_here(requirement: str) -> ProjectName | None:
    """Return the project that a requirement (PEP 508) wants on this machine, without extras.

    None where it wants none, or where nobody can say: a marker may compare what cannot be compared. That is for step 4 to judge; here people
    are only told what will be wanted.
    """
    try:
        parsed = Requirement(requirement)
        if parsed.marker is not None and not parsed.marker.evaluate({"extra": ""}):
            return None
    except (ValueError, KeyError, RecursionError):
        return None
    return ProjectName(str(canonicalize_name(parsed.name)))


def newer_hidden(
    listing: Listing, chosen: ArtifactName, *, by_time: bool
) -> tuple[tuple[Candidate, str], ...]:
    """Return newer releases that an installer passes over because of what the index says, each with what that is.

    Any Developer can set it for a whole version, so a newer release hidden by it is worth a look (design decision D2).

    Args:
        listing: The project's listing.
        chosen: The file that was taken.
        by_time: Whether the installer was told to pass over late uploads.
    """
    found = []
    for candidate in listing.allowed:
        is_newer = candidate.name.version > chosen.version
        if not is_newer or (candidate.name.version.is_prerelease and not chosen.version.is_prerelease):
            continue
        if candidate.claimed_yanked is not None:
            found.append((candidate, f"yanked ({candidate.claimed_yanked or 'no reason given'})"))
        elif by_time and candidate.claimed_upload_time is not None:
            found.append((candidate, f"uploaded at {candidate.claimed_upload_time:%Y-%m-%d %H:%M} UTC"))
    return tuple(found)
