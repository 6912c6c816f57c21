"""The gate as the loopback server sees it."""

from __future__ import annotations

import tempfile
import threading
from functools import partial
from pathlib import Path

from pip_warden.disk import storing
from pip_warden.errors import RefusedError, WardenError
from pip_warden.install.request import Run
from pip_warden.installer.installed import read_report
from pip_warden.installer.local import LocalInputs
from pip_warden.installer.model import LinkRequest, ListedFile, PlannedInstall, ServedFile
from pip_warden.installer.reconcile import reconcile_plan
from pip_warden.names import ProjectName
from pip_warden.report.model import Line
from pip_warden.vault import Sealed, hand_over


class GateBackend:
    """Passes an installer's requests to the gate.

    Each accepted file is handed over in a directory of this run, and hashed again then; not for a request
    for its metadata alone.

    Args:
        run: The run.
        directory: Where copies are kept.
        local: The local files and projects that the user named.
        report: Where pip writes its report before it asks whether it may install.

    Attributes:
        directory: Where copies are kept.
        has_agreed: Whether pip was told that it may install what it has.
        pages: The projects whose pages pip asked for.
        taken: The names of the files that pip took whole, and not only their metadata.
        handed: Each file that was put where an installer may take it whole.
    """

    def __init__(self, run: Run, directory: Path, local: LocalInputs, report: Path) -> None:
        self._run = run
        self.directory = directory
        self._local = local
        self._report = report
        self._lock = threading.Lock()
        self._handed: set[str] = set()
        self.has_agreed = False
        self.pages: set[ProjectName] = set()
        self.taken: set[str] = set()
        self.handed: set[Sealed] = set()

    def page(self, project: ProjectName) -> tuple[ListedFile, ...]:
        """List a project's files that may be requested, and start to fetch its newest wheel."""
        self.pages.add(project)
        measures = self._run.measures
        measures.asked(f"the page of {project}")
        with measures.phase("answer", project), storing(self.directory):
            listing = self._run.gate.listing(project)
        self._run.gate.look_ahead_of(project)
        return tuple(map(ListedFile.of, listing.allowed))

    def file(self, project: ProjectName, filename: str) -> ServedFile:
        """Fetch, judge and seal a file."""
        measures = self._run.measures
        measures.asked(filename)
        with measures.phase("answer", filename), storing(self.directory):
            admission = self._run.gate.admit(project, filename)
        if admission.sealed is None:
            raise denied(admission.line)
        self._run.gate.look_ahead_from(admission)
        return ServedFile(
            metadata=admission.sealed.metadata, hand_over=partial(self._hand_over, admission.sealed)
        )

    def _hand_over(self, sealed: Sealed) -> Path:
        measures, filename = self._run.measures, sealed.name.filename
        self.handed.add(sealed)
        with measures.phase("hand_over", filename), storing(self.directory):
            return hand_over(sealed, self._directory_for(filename), measures)

    def _directory_for(self, filename: str) -> Path:
        """Return a directory that has no such file yet, however its file system compares names."""
        with self._lock:
            is_first = filename.casefold() not in self._handed
            self._handed.add(filename.casefold())
        return self.directory if is_first else Path(tempfile.mkdtemp(dir=self.directory))

    def sent(self, filename: str) -> None:
        """Remember that pip takes a file whole."""
        self.taken.add(filename)

    def carried(self, size: int) -> None:
        """Count what the installer was sent."""
        self._run.measures.count("bytes_sent", size)

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


def denied(line: Line) -> WardenError:
    """Return the error with which a request for a file is denied."""
    return line.undecided or RefusedError(line.code, f"{line.subject} is refused")
