"""Resolves what is not locked, once, with the metadata of wheels alone: nothing is built, run or handed over.

pip resolves, behind our own index as in an installation. It lists every wheel of the source though nothing is
pinned, and answers for none of them but with its metadata. What comes out are names and versions; what is
pinned of them is decided afterwards, as for those of a lock.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from pip_warden.display import escape_line, escape_text
from pip_warden.errors import InstallerError, InternalError, RefusedError, UsageError
from pip_warden.faults import Fault
from pip_warden.first_use.needs import Need, NeededRelease
from pip_warden.first_use.observe import SignerObserver
from pip_warden.index.candidate import Candidate
from pip_warden.installer.installed import Installed, read_report
from pip_warden.installer.model import LinkRequest, ListedFile, PlannedInstall, ServedFile
from pip_warden.installer.pip import command_line
from pip_warden.installer.python import Target, choose_target
from pip_warden.installer.server import Server
from pip_warden.installer.surroundings import open_surroundings
from pip_warden.installer.wanted import NamedRequirement, Wanted, render
from pip_warden.names import ProjectName, parse_project_name, parse_version
from pip_warden.supply import is_foreign
from pip_warden.transport import Transport
from pip_warden.trust.model import Probe
from pip_warden.values import dataclass, field

_LARGEST_METADATA = 16 << 20
_MARK = b"Metadata-Version:"
_WORDS = 30
"""Lines of pip's that are told where it fails."""

Place = Callable[[ProjectName], Probe]
"""Says where a package is looked for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Discovered:
    """What was resolved.

    Attributes:
        projects: What is needed, by name.
        unresolved: What was asked for and has no wheel.
    """

    projects: tuple[Need, ...]
    unresolved: tuple[NamedRequirement, ...]


class DiscoveryBackend:
    """Tells pip of a source's wheels, and of nothing else.

    Args:
        observer: It judges that pages are the source's own.
        transport: The HTTP client.
        place: Where a package is looked for.

    Attributes:
        without_wheel: The projects whose pages list no wheel.
    """

    def __init__(self, observer: SignerObserver, transport: Transport, place: Place) -> None:
        self._observer = observer
        self._transport = transport
        self._place = place
        self._lock = threading.Lock()
        self._wheels: dict[ProjectName, dict[str, Candidate]] = {}
        self.without_wheel: set[ProjectName] = set()

    def page(self, project: ProjectName) -> tuple[ListedFile, ...]:
        """List a project's wheels whose digest the page says: without one pip would fetch them."""
        listing = self._observer.listing(self._place(project))
        wheels = {
            each.name.filename: each
            for each in listing.allowed
            if each.name.kind == "wheel" and each.claimed_sha256 and listing.check_candidate(each) is None
        }
        with self._lock:
            self._wheels[project] = wheels
            if not wheels:
                self.without_wheel.add(project)
        return tuple(map(ListedFile.of, wheels.values()))

    def file(self, project: ProjectName, filename: str) -> ServedFile:
        """Return a wheel's metadata."""
        with self._lock:
            candidate = self._wheels.get(project, {}).get(filename)
        if candidate is None:
            raise RefusedError(
                "metadata-only", f"expected a wheel of {project} that was listed, found another file"
            )
        return ServedFile(metadata=self._metadata(candidate), hand_over=_never)

    def sent(self, filename: str) -> None:
        """Never happens."""

    def carried(self, size: int) -> None:
        """Count nothing."""

    def link(self, asked: LinkRequest) -> str:
        """Open no link that is not the index's."""
        raise RefusedError(
            "refused-requirement",
            f"expected requirements by name, found {escape_text(asked.url)} of "
            f"{escape_text(asked.wanted_by or asked.name)}",
            hint="What is of no index cannot be pinned.",
        )

    def plan(self, items: tuple[PlannedInstall, ...]) -> None:
        """Let nothing be installed."""
        raise InternalError(
            "bug", f"{len(items)} distributions would be installed to find out what is needed"
        )

    def _metadata(self, candidate: Candidate) -> bytes:
        """Fetch the metadata file beside a wheel (PEP 658), else read it in the wheel, which is removed."""
        self._observer.reporter.step(f"reading the metadata of {candidate.name}")
        home = self._observer.trust.source(candidate.source).home
        reply = self._transport.get(
            f"{candidate.url}.metadata",
            max_bytes=_LARGEST_METADATA,
            label=f"the metadata of {candidate.name}",
            anonymous=is_foreign(candidate.url, home),
        )
        if reply.status == 200 and _MARK in reply.body:
            return reply.body
        directory = Path(tempfile.mkdtemp(dir=self._observer.workspace))
        try:
            contents = self._observer.supply.receive(candidate, directory).contents
        finally:
            shutil.rmtree(directory, ignore_errors=True)
        if isinstance(contents, Fault):
            raise RefusedError(
                contents.code,
                f"{candidate.name}: expected {contents.expected}, found {contents.found}",
                hint=contents.hint,
            )
        return contents.metadata


@dataclass(frozen=True, kw_only=True, slots=True)
class Discovery:
    """A resolver.

    Attributes:
        observer: It judges that pages are the source's own.
        transport: The HTTP client.
        place: Where a package is looked for.
        python: The interpreter or virtual environment whose markers count; None for ``$VIRTUAL_ENV``'s, else
            our own.
        environ: Our own environment.
    """

    observer: SignerObserver
    transport: Transport
    place: Place
    python: str | None = None
    environ: Mapping[str, str] = field(repr=False)

    def resolve(self, wanted: Wanted) -> Discovered:
        """Resolve requirements by name for one Python.

        What was asked for and has no wheel is left out, and returned.

        Raises:
            RefusedError: A page is not its source's own, or a dependency is by a link.
            UndecidedError: A page or metadata could not be fetched.
            UsageError: ``nothing-to-pin`` (T05); ``unresolved``: a dependency has no wheel, or nothing that
                was asked for has one.
            InstallerError: ``pip-failed``: pip could not resolve it.
        """
        if not wanted.named:
            raise _nothing("none")
        target = choose_target(self.python, self.environ, sys.executable, own_is_enough=True)
        named, unresolved = list(wanted.named), list[NamedRequirement]()
        while named:
            backend = DiscoveryBackend(self.observer, self.transport, self.place)
            found = self._run(target, backend, named, wanted)
            if found == ():
                raise _nothing(f"only such whose markers are false for Python {target.version}")
            if found is not None:
                return Discovered(projects=_needs(found, target), unresolved=tuple(unresolved))
            lacking = [each for each in named if each.project in backend.without_wheel]
            if not lacking:
                raise _unresolved(sorted(backend.without_wheel))
            unresolved += lacking
            named = [each for each in named if each not in lacking]
        raise _unresolved([each.project for each in unresolved])

    def _run(
        self, target: Target, backend: DiscoveryBackend, named: Sequence[NamedRequirement], wanted: Wanted
    ) -> tuple[Installed, ...] | None:
        """Have pip resolve; None where it failed and some project has no wheel."""
        workspace = Path(tempfile.mkdtemp(dir=self.observer.workspace))
        report, words = workspace / "report.json", deque[str](maxlen=_WORDS)
        with open_surroundings(target, self.environ, workspace=workspace) as around:
            child = around.child
            with Server(backend, on_denial=child.end, place=around.place) as server:
                arguments = _arguments(named, wanted, workspace)
                command = command_line(target, "install", arguments, report=report)
                code = child.run(command, around.environment, words.append, None)
                if server.denial is not None:
                    raise server.denial
        if code == 0:
            return read_report(report)
        if backend.without_wheel:
            return None
        for line in words:
            self.observer.reporter.note(f"pip: {escape_line(line)}")
        raise InstallerError(
            "pip-failed",
            f"expected pip to resolve what is wanted, found exit code {code}",
            hint="pip's own words are above. A lock that your tool makes needs no resolving: --lock FILE.",
        )


def _arguments(named: Sequence[NamedRequirement], wanted: Wanted, workspace: Path) -> list[str]:
    arguments = [*wanted.options, "--dry-run", "--ignore-installed"]
    for option, items in (("--requirement", named), ("--constraint", wanted.constraints)):
        if items:
            path = workspace / f"{option.strip('-')}.txt"
            path.write_text(render(items), encoding="utf-8")
            arguments += [option, str(path)]
    # Last, so that it outranks whatever the file says: an sdist would have to be built to know what it needs.
    return [*arguments, "--only-binary", ":all:"]


def _needs(found: Sequence[Installed], target: Target) -> tuple[Need, ...]:
    needs = {}
    for item in found:
        project = parse_project_name(item.name)
        release = NeededRelease(
            project=project,
            version=parse_version(item.version),
            where=(f"what was resolved for Python {target.version}",),
            indexes=(None,),
        )
        needs[project] = Need(project=project, releases=(release,))
    return tuple(needs[project] for project in sorted(needs))


def _nothing(found: str) -> UsageError:
    return UsageError(
        "nothing-to-pin",
        f"expected a requirement by name, found {found}",
        hint="What asks for nothing proves nothing. Name a lock with --lock, or a file with -r.",
    )


def _unresolved(names: Sequence[str]) -> UsageError:
    return UsageError(
        "unresolved",
        f"expected a wheel of everything that is needed, found none of {', '.join(names)}",
        hint=WAY_OUT,
    )


WAY_OUT = (
    "Only building an sdist could tell what it needs, and nothing is built here. Lock it with your tool and "
    "name the lock with --lock FILE, or pin the release with `pip-warden trust add NAME==VERSION --hash`."
)
"""What to do about what has no wheel."""


def _never() -> Path:
    raise RefusedError("metadata-only", "expected a request for metadata, found one for the whole file")
