"""Accepted files, as whoever serves them gets them from the gate."""

from __future__ import annotations

import tempfile
import threading
from functools import partial
from pathlib import Path

from pip_warden.disk import storing
from pip_warden.environments.model import AcceptedArchive
from pip_warden.errors import RefusedError, WardenError
from pip_warden.gate import Admission, Gate
from pip_warden.installer.model import ServedFile
from pip_warden.measures import UNMEASURED, Measures
from pip_warden.names import ProjectName
from pip_warden.report.model import Line
from pip_warden.vault import Sealed, hand_over
from pip_warden.verdict.listing import Listing


class GateFiles:
    """Asks the gate for pages and files, and has it look ahead.

    Each accepted file is handed over in a directory of this run, and hashed again then; not for a request
    for its metadata alone.

    Args:
        gate: The gate.
        directory: Where copies are kept.
        measures: Told what is asked for, and what it costs.

    Attributes:
        directory: Where copies are kept.
        taken: The names of the files that were taken whole, and not only their metadata.
    """

    def __init__(self, gate: Gate, directory: Path, measures: Measures = UNMEASURED) -> None:
        self._gate = gate
        self.directory = directory
        self._measures = measures
        self._lock = threading.Lock()
        self._folded: set[str] = set()
        self._handed: set[Sealed] = set()
        self.taken: set[str] = set()

    def listing(self, project: ProjectName) -> Listing:
        """Return which files of a project may be requested, and start to fetch its newest wheel.

        Raises:
            RefusedError: The project is not pinned, or its page is not its source's own.
            UndecidedError: The page could not be fetched.
        """
        self._measures.asked(f"the page of {project}")
        with self._measures.phase("answer", project), storing(self.directory):
            listing = self._gate.listing(project)
        self._gate.look_ahead_of(project)
        return listing

    def admit(self, project: ProjectName, filename: str) -> tuple[Admission, Sealed]:
        """Decide about a file, and return it accepted.

        Raises:
            RefusedError: It is refused.
            UndecidedError: It could not be decided about.
        """
        self._measures.asked(filename)
        with self._measures.phase("answer", filename), storing(self.directory):
            admission = self._gate.admit(project, filename)
        if admission.sealed is None:
            raise denied(admission.line)
        self._gate.look_ahead_from(admission)
        return admission, admission.sealed

    def served(self, sealed: Sealed) -> ServedFile:
        """Return an accepted file as the server gets it."""
        return ServedFile(metadata=sealed.metadata, hand_over=partial(self._hand_over, sealed))

    def sent(self, filename: str) -> None:
        """Remember that a file is taken whole."""
        self.taken.add(filename)

    def carried(self, size: int) -> None:
        """Count what was sent."""
        self._measures.count("bytes_sent", size)

    def handed_over(self) -> tuple[AcceptedArchive, ...]:
        """Return each file that was put where an installer may take it whole."""
        with self._lock:
            handed = sorted(self._handed, key=lambda sealed: sealed.name.filename)
        return tuple(AcceptedArchive(name=each.name, digest=each.digest, path=each.path) for each in handed)

    def _hand_over(self, sealed: Sealed) -> Path:
        measures, filename = self._measures, sealed.name.filename
        with self._lock:
            self._handed.add(sealed)
        with measures.phase("hand_over", filename), storing(self.directory):
            return hand_over(sealed, self._directory_for(filename), measures)

    def _directory_for(self, filename: str) -> Path:
        """Return a directory that has no such file yet, however its file system compares names."""
        with self._lock:
            is_first = filename.casefold() not in self._folded
            self._folded.add(filename.casefold())
        return self.directory if is_first else Path(tempfile.mkdtemp(dir=self.directory))


def denied(line: Line) -> WardenError:
    """Return the error with which a request for a file is denied."""
    return line.undecided or RefusedError(line.code, f"{line.subject} is refused")
