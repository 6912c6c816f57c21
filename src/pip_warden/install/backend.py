"""The gate as the loopback server sees it."""

from __future__ import annotations

from pathlib import Path

from pip_warden.install.files import GateFiles
from pip_warden.install.request import Run
from pip_warden.installer.installed import read_report
from pip_warden.installer.local import LocalInputs
from pip_warden.installer.model import LinkRequest, ListedFile, PlannedInstall, ServedFile
from pip_warden.installer.reconcile import reconcile_plan
from pip_warden.names import ProjectName


class GateBackend(GateFiles):
    """Passes an installer's requests to the gate.

    Args:
        run: The run.
        directory: Where copies are kept.
        local: The local files and projects that the user named.
        report: Where pip writes its report before it asks whether it may install.

    Attributes:
        has_agreed: Whether pip was told that it may install what it has.
        pages: The projects whose pages pip asked for.
    """

    def __init__(self, run: Run, directory: Path, local: LocalInputs, report: Path) -> None:
        super().__init__(run.gate, directory, run.measures)
        self._run = run
        self._local = local
        self._report = report
        self.has_agreed = False
        self.pages: set[ProjectName] = set()

    def page(self, project: ProjectName) -> tuple[ListedFile, ...]:
        """List a project's files that may be requested."""
        self.pages.add(project)
        return tuple(map(ListedFile.of, self.listing(project).allowed))

    def file(self, project: ProjectName, filename: str) -> ServedFile:
        """Fetch, judge and seal a file."""
        _, sealed = self.admit(project, filename)
        return self.served(sealed)

    def link(self, asked: LinkRequest) -> str:
        """Let pip open what the user named and nothing else."""
        return self._local.record(asked)

    def plan(self, items: tuple[PlannedInstall, ...]) -> None:
        """Agree that pip installs what was accepted."""
        accepted, measures = self._run.ledger.accepted_digests(), self._run.measures
        measures.asked("whether it may install")
        with measures.phase("reconcile"):
            read = reconcile_plan(items, read_report(self._report), accepted, self._local.directories)
        measures.count("bytes_hashed", read)
        self.has_agreed = True
        self._run.gate.agree()
