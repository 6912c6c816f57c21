"""An install request, the same as it was read, and what one run of it works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pip_warden.events import SILENT, Reporter
from pip_warden.evidence.locate import LogEntryFinder
from pip_warden.gate import Gate, Guess
from pip_warden.installer.python import Target
from pip_warden.installer.surroundings import Surroundings
from pip_warden.installer.wanted import NamedRequirement, Wanted
from pip_warden.measures import UNMEASURED, Measures
from pip_warden.report.ledger import Ledger
from pip_warden.trust.model import TrustFile
from pip_warden.values import dataclass, field

if TYPE_CHECKING:
    from pip_warden.installer.uv import Uv

_SEVERAL = (
    "packages",
    "requirements",
    "constraints",
    "build_constraints",
    "editables",
    "options",
    "pass_env",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class InstallRequest:
    """What is to be installed, and where: what ``safe-install`` takes as arguments.

    Attributes:
        packages: Requirements as pip takes them: ``"acme-widgets>=1.0"``, or the path of a local wheel,
            sdist or project.
        requirements: Files of requirements (pip's ``-r``).
        constraints: Files of constraints (pip's ``-c``).
        build_constraints: Files of constraints on build dependencies.
        editables: Paths of local projects to install in editable mode (pip's ``-e``).
        python: The interpreter or virtual environment to install into; None for ``VIRTUAL_ENV``, else this
            process's own.
        options: Other options of pip's, as words: ``("--no-deps", "--upgrade")``. Those that would step
            around the gate are refused.
        dry_run: Resolve and verify, install nothing.
        download: Download into this directory instead of installing: all files or none, and never over other
            bytes.
        with_sdist: With ``download``: also the sdist of each release.
        strict: A package that is present and not verified, or was built and cannot be compared, or a newer
            release hidden by the index, is a refusal.
        report: Where a copy of pip's installation report goes.
        pass_env: Names of environment variables that builds may see.
        verbosity: How much pip says: each 1 is one ``-v``, each -1 one ``-q``.
        installer: ``"pip"``, or ``"uv"``: what uv has changed is compared afterwards, where our pip asks
            beforehand. uv takes those of pip's options that it has too, and has neither ``download`` nor
            ``report``.

    Raises:
        TypeError: A string stands where several are expected.
    """

    packages: tuple[str, ...] = ()
    requirements: tuple[str | PathLike[str], ...] = ()
    constraints: tuple[str | PathLike[str], ...] = ()
    build_constraints: tuple[str | PathLike[str], ...] = ()
    editables: tuple[str | PathLike[str], ...] = ()
    python: str | PathLike[str] | None = None
    options: tuple[str, ...] = ()
    dry_run: bool = False
    download: str | PathLike[str] | None = None
    with_sdist: bool = False
    strict: bool = False
    report: str | PathLike[str] | None = None
    pass_env: tuple[str, ...] = ()
    verbosity: int = 0
    installer: str = "pip"

    def __post_init__(self) -> None:
        """Refuse one string for several: each of its letters would be a package."""
        for name in _SEVERAL:
            if isinstance(getattr(self, name), str | bytes | PathLike):
                raise TypeError(f"{name} is a tuple; for one of them write {name}=(…,)")


@dataclass(frozen=True, kw_only=True, slots=True)
class PreparedRequest:
    """A request that was read: its requirements are parsed, and its target was asked what it is.

    Attributes:
        wanted: Requirements, local files and projects.
        build_constraints: Constraints on build dependencies.
        options: pip's own options, passed unchanged.
        target: The Python installed into.
        dry_run: Resolve and verify, install nothing.
        download: Download into this directory instead of installing.
        with_sdist: With ``download``: also the sdist of each release.
        strict: A package that is present and not verified, or was built and cannot be compared, or a newer
            release hidden by the index, is a refusal.
        report: Where a copy of pip's installation report goes.
        pass_env: Variables that builds may see.
        verbosity: pip's ``-v`` and ``-q``.
        uv: The uv that installs; None for our pip.
    """

    wanted: Wanted
    target: Target
    build_constraints: tuple[NamedRequirement, ...] = ()
    options: tuple[str, ...] = ()
    dry_run: bool = False
    download: Path | None = None
    with_sdist: bool = False
    strict: bool = False
    report: Path | None = None
    pass_env: tuple[str, ...] = ()
    verbosity: tuple[str, ...] = ()
    uv: Uv | None = None

    @property
    def every_option(self) -> tuple[str, ...]:
        """Return pip's own options: requirements files' and the command line's, of which the last counts."""
        return (*self.wanted.options, *self.options)


def say_nothing(_line: str) -> None:
    """Drop a line."""


class JudgingRun(Protocol):
    """A run of any installer, as far as it judges: of ours, or of a command of the user's."""

    @property
    def trust(self) -> TrustFile:
        """The trust file."""

    @property
    def gate(self) -> Gate:
        """The gate."""

    @property
    def ledger(self) -> Ledger:
        """The results of the run."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """What one run works with.

    Attributes:
        prepared: What is to be done.
        trust: The trust file.
        gate: The gate.
        ledger: The results of the run.
        workspace: A private directory of this run.
        environ: Our own environment.
        find_entry: How detached signatures of local files are looked up.
        reporter: Receives progress.
        on_line: Called with each line the installer prints.
        guesses: What the installer will probably look for.
        measures: Told what the run costs.
        surroundings: Of a pip that was begun; None where none was.
    """

    prepared: PreparedRequest
    trust: TrustFile
    gate: Gate
    ledger: Ledger
    workspace: Path
    environ: Mapping[str, str] = field(hash=False)
    find_entry: LogEntryFinder
    reporter: Reporter = SILENT
    on_line: Callable[[str], None] = say_nothing
    guesses: tuple[Guess, ...] = ()
    measures: Measures = UNMEASURED
    surroundings: Surroundings | None = None
