"""The main job: run pip through the gate.

::

    requirements → pinned? → loopback server → pip → reconciliation → report

Nothing is installed before every file was accepted: the first denial ends pip and everything it started, and pip asks once more before it installs.
"""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from packaging.utils import canonicalize_name

from pip_warden.artifact.local import check_local_project
from pip_warden.artifact.receive import copy_local
from pip_warden.disk import cannot_store, is_full, storing
from pip_warden.errors import (
    DeliveryError,
    InstallerError,
    RefusedError,
    UndecidedError,
    UsageError,
    WardenError,
)
from pip_warden.events import SILENT, Reporter
from pip_warden.evidence.locate import EntryFinder, Siblings, locate
from pip_warden.gate import Gate, newer_hidden, wanted_here
from pip_warden.handoff.door import Asked, Handed, Listed, Planned
from pip_warden.handoff.downloads import Download, check_directory, deliver, look
from pip_warden.handoff.environment import child_environment
from pip_warden.handoff.local import LocalThings, file_argument, project_arguments
from pip_warden.handoff.pip import Child, Installed, command_line, read_report
from pip_warden.handoff.python import Target, installed, marker_environment
from pip_warden.handoff.reconcile import (
    accepted_under_its_name,
    reconcile_directory,
    reconcile_plan,
    reconcile_report,
)
from pip_warden.handoff.report_file import check_report_file, write_report_file
from pip_warden.handoff.server import Server
from pip_warden.handoff.wanted import LocalFile, Named, Wanted, check_wanted, nothing_wanted, render
from pip_warden.names import ArtifactName, ProjectName, parse_artifact_name
from pip_warden.report.model import Line, Outcome, Report
from pip_warden.vault import hand_over

_EXIT_CODES = (1, 70, 3, 2, 4)
"""Which exit code outranks which (design decision D11): a refusal outranks every other."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """What is to be done.

    Attributes:
        wanted: Requirements, local files and projects.
        build_constraints: Constraints on build dependencies.
        options: pip's own options, passed unchanged.
        target: The Python installed into.
        dry_run: Resolve and verify, install nothing.
        download: Download into this directory instead of installing.
        with_sdist: With ``download``: also the sdist of each release.
        strict: A package that is present and not verified, or a newer release hidden by the index, is a refusal.
        report: Where a copy of pip's installation report goes.
        pass_env: Variables that builds may see.
        verbosity: pip's ``-v`` and ``-q``.
        trust_file: The trust file, for the report.
    """

    wanted: Wanted
    target: Target
    trust_file: str
    build_constraints: tuple[Named, ...] = ()
    options: tuple[str, ...] = ()
    dry_run: bool = False
    download: Path | None = None
    with_sdist: bool = False
    strict: bool = False
    report: Path | None = None
    pass_env: tuple[str, ...] = ()
    verbosity: tuple[str, ...] = ()


class _Course:
    """What a run has come to so far: gathered while it goes on, read once at its end."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self.warnings: list[str] = []
        self.error: WardenError | None = None
        self.installer_code: int | None = None


def accepted_digests(gate: Gate) -> frozenset[str]:
    """Return the SHA-256 of every file accepted in this run."""
    return frozenset(line.sha256 for line in gate.lines() if line.outcome is Outcome.ACCEPTED)


class GateDoor:
    """The gate as the server sees it. Each accepted file is handed over in a directory of this run, and hashed again then.

    Args:
        gate: The gate.
        directory: Where copies lie.
        local: What the user has on this machine, and named.
        report: Where pip writes its report before it asks whether it may install.

    Attributes:
        has_agreed: Whether pip was told that it may install what it has.
    """

    def __init__(self, gate: Gate, directory: Path, local: LocalThings, report: Path) -> None:
        self._gate = gate
        self._directory = directory
        self._local = local
        self._report = report
        self.has_agreed = False

    def page(self, project: ProjectName) -> tuple[Listed, ...]:
        """List what may be asked for of a project, and start to fetch its newest wheel."""
        with storing(self._directory):
            listing = self._gate.listing(project)
        self._gate.look_ahead(project)
        return tuple(
            Listed(
                filename=candidate.name.filename,
                sha256=candidate.claimed_sha256.hex if candidate.claimed_sha256 is not None else "",
                yanked=candidate.claimed_yanked,
                upload_time=candidate.claimed_upload_time.isoformat().replace("+00:00", "Z")
                if candidate.claimed_upload_time is not None
                else None,
                size=candidate.claimed_size,
            )
            for candidate in listing.allowed
        )

    def file(self, project: ProjectName, filename: str) -> Handed:
        """Fetch, judge and seal a file."""
        with storing(self._directory):
            admission = self._gate.admit(project, filename)
            if admission.sealed is None:
                raise _denied(admission.line)
            folder = Path(tempfile.mkdtemp(dir=self._directory))
            return Handed(path=hand_over(admission.sealed, folder), metadata=admission.sealed.metadata)

    def link(self, asked: Asked) -> str:
        """Let pip open what the user named and nothing else."""
        return self._local.record(asked)

    def plan(self, items: tuple[Planned, ...]) -> None:
        """Agree that pip installs what was accepted."""
        reconcile_plan(
            items, read_report(self._report), accepted_digests(self._gate), self._local.directories
        )
        self.has_agreed = True


class Installation:
    """One run of an installer through the gate.

    Args:
        gate: The gate.
        job: What is to be done.
        environ: Our own environment.
        workspace: A private directory of this run.
        find_entry: How detached signatures of local files are looked up.
        reporter: Told what happens.
        on_line: Told each line the installer prints.
    """

    def __init__(
        self,
        gate: Gate,
        job: Job,
        *,
        environ: Mapping[str, str],
        workspace: Path,
        find_entry: EntryFinder,
        reporter: Reporter = SILENT,
        on_line: Callable[[str], None] = lambda _line: None,
    ) -> None:
        self._gate = gate
        self._job = job
        self._environ = environ
        self._workspace = workspace
        self._find_entry = find_entry
        self._reporter = reporter
        self._on_line = on_line
        self._course = _Course()

    def run(self) -> Report:
        """Do the job and say how it went; a refusal, an error of a registry and pip's own failure are in the report.

        Raises:
            UsageError: The request itself is wrong.
        """
        job, wanted = self._job, self._job.wanted
        check_wanted(wanted, partial(marker_environment, job.target), build=job.build_constraints)
        if job.download is not None:
            check_directory(job.download)
        if job.report is not None:
            check_report_file(job.report)
        try:
            self._gate.require_pinned({named.project: "you" for named in wanted.named})
            self._gate.warm_up()
            for named in wanted.named:
                self._gate.look_ahead(named.project)
            self._run_pip(*self._admit_local())
        except (RefusedError, UndecidedError, InstallerError, DeliveryError) as err:
            self._course.error = err
        except OSError as err:
            if not is_full(err):
                raise
            self._course.error = cannot_store(err.filename or self._workspace, err)
        report = self._report()
        if report.exit_code == 0 and not report.lines:
            raise nothing_wanted("that pip wanted none of it")
        return report

    def _admit_local(self) -> tuple[LocalThings, list[str]]:
        """Judge local files, with the evidence beside them, and return what pip may open, and what it is given for it."""
        files: dict[Path, Path] = {}
        arguments = []
        for project in self._job.wanted.projects:
            check_local_project(project.path)
            self._course.lines.append(
                Line(subject=str(project.path), outcome=Outcome.LOCAL, note="your own project directory")
            )
            arguments += project_arguments(project)
        for file in self._job.wanted.files:
            name, copy = self._admit_file(file)
            files[copy.resolve()] = file.path
            arguments.append(file_argument(copy, name, file.extras))
        directories = frozenset(project.path.resolve() for project in self._job.wanted.projects)
        return LocalThings(files=files, directories=directories), arguments

    def _admit_file(self, file: LocalFile) -> tuple[ProjectName, Path]:
        directory = Path(tempfile.mkdtemp(dir=self._workspace))
        artifact = copy_local(file.path, directory)
        self._gate.require_pinned({artifact.name.project: file.path.name})
        evidence = locate(file.path.name, artifact.digest, [Siblings(file.path.parent)], self._find_entry)
        admission = self._gate.admit_local(artifact, evidence)
        if admission.sealed is None:
            raise _denied(admission.line)
        folder = Path(tempfile.mkdtemp(dir=self._workspace))
        return artifact.name.project, hand_over(admission.sealed, folder)

    def _run_pip(self, local: LocalThings, local_arguments: list[str]) -> None:
        job, child = self._job, Child()
        served = self._workspace / "served"
        private = self._workspace / "child"
        for directory in (served, private):
            directory.mkdir(mode=0o700)
        report = self._workspace / "report.json"
        staging = self._workspace / "download"
        door = GateDoor(self._gate, served, local, report)
        with Server(door, on_denial=child.end) as server:
            child.keep_open(server.fileno())
            environment = child_environment(
                self._environ, proxy_url=server.proxy_url, private=private, pass_env=job.pass_env
            )
            arguments = self._arguments(local_arguments, staging)
            command = command_line(
                job.target,
                "download" if job.download is not None else "install",
                arguments,
                report=report if job.download is None else None,
            )
            self._reporter.step("running pip")
            code = child.run(command, environment, self._on_line, None)
            self._course.warnings += [f"stopped at the gate: {stray}" for stray in server.strays]
            if server.denial is not None:
                raise server.denial
        self._course.installer_code = code
        if code != 0:
            raise self._pip_failed(code)
        if job.download is not None:
            self._keep(staging, job.download)
        else:
            items = read_report(report)
            if job.dry_run or not items:
                reconcile_report(items, accepted_digests(self._gate), local.directories)
            elif not door.has_agreed:
                raise InstallerError(
                    "unknown-pip",
                    "expected pip to ask before it installs, found that it did not",
                    hint="Do not trust what it installed; install pip-warden again, with the pip that it asks for.",
                )
            self._tell(items, report, environment)

    def _tell(self, items: tuple[Installed, ...], report: Path, environment: Mapping[str, str]) -> None:
        """Note what a reader must know beside the verdicts; the user's copy of the report is written whatever comes of that."""
        try:
            self._note_hidden({str(canonicalize_name(item.name)) for item in items})
            self._note_present(items, environment)
        finally:
            if self._job.report is not None:
                write_report_file(report, self._job.report)

    def _pip_failed(self, code: int) -> WardenError:
        """Say that pip failed; where a page could not be had, that is why, whatever pip made of it."""
        undecided = next((line.undecided for line in self._gate.lines() if line.undecided is not None), None)
        if undecided is not None:
            return UndecidedError(undecided.code, undecided.message, hint=undecided.hint)
        shown = f"signal {_signal_name(-code)}" if code < 0 else f"exit code {code}"
        return InstallerError(
            "pip-failed", f"expected pip to succeed, found {shown}", hint="pip's own words are above."
        )

    def _arguments(self, local: list[str], staging: Path) -> list[str]:
        """Spell the job for pip: every requirement in files rendered by us."""
        job, wanted = self._job, self._job.wanted
        arguments = [*job.verbosity, *wanted.options, *job.options]
        if job.dry_run and job.download is None:
            arguments.append("--dry-run")
        if job.download is not None:
            staging.mkdir(mode=0o700)
            arguments += ["--dest", str(staging)]
        # pip takes no file together with --only-deps; options of single requirements can only stand in one.
        as_words = "--only-deps" in job.options and not any(
            item.hashes or item.settings for item in wanted.named
        )
        arguments += [item.requirement for item in wanted.named] if as_words else []
        for option, items in (
            ("--requirement", () if as_words else wanted.named),
            ("--constraint", wanted.constraints),
            ("--build-constraint", job.build_constraints),
        ):
            if items:
                path = self._workspace / f"{option.strip('-')}.txt"
                path.write_text(render(items), encoding="utf-8")
                arguments += [option, str(path)]
        return arguments + local

    def _note_present(self, items: tuple[Installed, ...], environment: Mapping[str, str]) -> None:
        """What was wanted and not installed was there already: present, not verified."""
        taken = {str(canonicalize_name(item.name)) for item in items}
        wanted = {named.project for named in self._job.wanted.named} | _names(
            text for item in items for text in item.requires_dist
        )
        if not wanted - taken or "--no-deps" in self._job.options:
            wanted = {named.project for named in self._job.wanted.named}
        if not wanted - taken:
            return
        there = installed(self._job.target, environment)
        queue, seen = sorted(wanted - taken), set(taken)
        while queue:
            name = queue.pop(0)
            if name in seen or name not in there:
                continue
            seen.add(name)
            version, requires = there[name]
            self._course.lines.append(
                Line(
                    subject=f"{name} {version}", outcome=Outcome.PRESENT, note="was installed before this run"
                )
            )
            queue += sorted(_names(requires) - seen)

    def _note_hidden(self, taken: Iterable[str]) -> None:
        """Name newer releases that the index hides (design decision D2)."""
        projects = set(taken)
        by_time = "--uploaded-prior-to" in self._job.options
        accepted: dict[ProjectName, ArtifactName] = {}
        # A local file has no source, and no page that could hide anything: nothing is fetched for it.
        for name in (line.accepted_name for line in self._gate.lines() if line.source):
            if name is not None and name.project in projects:
                accepted[name.project] = max(
                    name, accepted.get(name.project, name), key=lambda known: known.version
                )
        for project, chosen in accepted.items():
            for candidate, why in newer_hidden(self._gate.listing(project), chosen, by_time=by_time):
                self._course.warnings.append(
                    f"{candidate.name} is newer than {chosen.version} and is passed over because the index calls it {why}"
                )

    def _keep(self, staging: Path, target: Path) -> None:
        """Put downloaded files where the user wants them, all or none, each checked against what was accepted."""
        files = list(reconcile_directory(staging, accepted_digests(self._gate)))
        if not files:
            raise RefusedError(
                "nothing-downloaded", "expected at least one file, found that pip downloaded none"
            )
        if self._job.with_sdist:
            files += self._add_sdists(files, staging)
        accepted = {
            line.subject: line.sha256 for line in self._gate.lines() if line.outcome is Outcome.ACCEPTED
        }
        found = [Download(path=file, digest=accepted_under_its_name(file, accepted)) for file in files]
        kept = look(found, target) if self._job.dry_run else deliver(found, target)
        for name in kept:
            self._reporter.note(f"{name} is in {target} already, the same bytes: kept")
        self._note_hidden(str(parse_artifact_name(file.name).project) for file in files)

    def _add_sdists(self, files: list[Path], staging: Path) -> list[Path]:
        """Admit the sdist of every release that was downloaded as a wheel."""
        added = []
        for name in [parse_artifact_name(file.name) for file in files]:
            if name.kind != "wheel":
                continue
            listing = self._gate.listing(name.project)
            found = [
                c.name for c in listing.allowed if c.name.kind == "sdist" and c.name.version == name.version
            ]
            if not found:
                raise RefusedError(
                    "no-sdist",
                    f"expected an sdist of {name.project} {name.version} beside its wheel, found none",
                    hint="Leave out --with-sdist.",
                )
            admission = self._gate.admit(name.project, found[0].filename)
            if admission.sealed is None:
                raise _denied(admission.line)
            if not (staging / found[0].filename).exists():
                added.append(hand_over(admission.sealed, staging))
        return added

    def _report(self) -> Report:
        course, job = self._course, self._job
        lines = (*self._gate.lines(), *course.lines)
        codes = {course.error.exit_code} if course.error is not None else set()
        codes |= {1 for line in lines if line.outcome is Outcome.REFUSED}
        codes |= {3 for line in lines if line.outcome is Outcome.UNDECIDED}
        if job.strict and (course.warnings or any(line.outcome is Outcome.PRESENT for line in lines)):
            codes.add(1)
        unpinned = (
            self._gate.unpinned()
            if any(line.verdict is not None and line.outcome is Outcome.REFUSED for line in lines)
            else ()
        )
        known = {line.subject for line in lines}
        waiting = tuple(
            Line(subject=named.requirement, outcome=Outcome.NOT_JUDGED, note="the run ended before it")
            for named in job.wanted.named
            if course.error is not None
            and not any(str(named.project) == str(s) or _is_of(s, named.project) for s in known)
        )
        return Report(
            command="safe-install",
            exit_code=next((code for code in _EXIT_CODES if code in codes), 0),
            lines=(*lines, *waiting),
            unpinned=unpinned,
            warnings=tuple(course.warnings),
            target=str(job.target),
            trust_file=job.trust_file,
            installer_code=course.installer_code,
            error=_unsaid(course.error, lines),
            only_source=self._gate.only_source(),
        )


def _signal_name(number: int) -> str:
    """Return a signal's name, or its number: real-time signals have none (signal(7))."""
    return next((known.name for known in signal.Signals if known == number), str(number))


def _unsaid(error: WardenError | None, lines: Iterable[Line]) -> WardenError | None:
    """Return the error that ended the run, unless a line says it already."""
    if error is None:
        return None
    said = {line.code for line in lines}
    return None if error.code in said else error


def _is_of(subject: str, project: ProjectName) -> bool:
    try:
        return parse_artifact_name(subject).project == project
    except UsageError:
        return False


def _denied(line: Line) -> WardenError:
    """Make the error that tells the server, and through it the installer, no."""
    if line.undecided is not None:
        return UndecidedError(line.undecided.code, line.undecided.message, hint=line.undecided.hint)
    return RefusedError(line.code, f"{line.subject} is refused")


def _names(requirements: Iterable[str]) -> set[str]:
    """Return the names that requirements want here, without extras."""
    wanted = (wanted_here(text) for text in requirements)
    return {str(project) for project in wanted if project is not None}
