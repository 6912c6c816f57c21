"""An install request, and what one run of it works with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pip_warden.events import SILENT, Reporter
from pip_warden.evidence.locate import EntryFinder
from pip_warden.gate import Gate
from pip_warden.installer.python import Target
from pip_warden.installer.wanted import Named, Wanted
from pip_warden.report.ledger import Ledger
from pip_warden.trust.model import TrustFile


@dataclass(frozen=True, kw_only=True, slots=True)
class InstallRequest:
    """What is to be done.

    Attributes:
        wanted: Requirements, local files and projects.
        build_constraints: Constraints on build dependencies.
        options: pip's own options, passed unchanged.
        target: The Python installed into.
        dry_run: Resolve and verify, install nothing.
        download: Download into this directory instead of installing.
        with_sdist: With ``download``: also the sdist of each release.
        strict: A package that is present and not verified, or a newer release hidden by the index, is a
            refusal.
        report: Where a copy of pip's installation report goes.
        pass_env: Variables that builds may see.
        verbosity: pip's ``-v`` and ``-q``.
    """

    wanted: Wanted
    target: Target
    build_constraints: tuple[Named, ...] = ()
    options: tuple[str, ...] = ()
    dry_run: bool = False
    download: Path | None = None
    with_sdist: bool = False
    strict: bool = False
    report: Path | None = None
    pass_env: tuple[str, ...] = ()
    verbosity: tuple[str, ...] = ()


def _say_nothing(_line: str) -> None:
    """Drop a line."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """What one run works with.

    Attributes:
        job: What is to be done.
        trust: The trust file.
        gate: The gate.
        ledger: The results of the run.
        workspace: A private directory of this run.
        environ: Our own environment.
        find_entry: How detached signatures of local files are looked up.
        reporter: Receives progress.
        on_line: Called with each line the installer prints.
    """

    job: InstallRequest
    trust: TrustFile
    gate: Gate
    ledger: Ledger
    workspace: Path
    environ: Mapping[str, str] = field(hash=False)
    find_entry: EntryFinder
    reporter: Reporter = SILENT
    on_line: Callable[[str], None] = _say_nothing
