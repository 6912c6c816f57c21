"""What differs between installers: how one is started, and what is known of what it did."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from pip_warden.errors import WardenError
from pip_warden.install.backend import GateBackend
from pip_warden.install.request import Run
from pip_warden.installer.local import LocalInputs
from pip_warden.installer.surroundings import Surroundings
from pip_warden.installer.wanted import LocalProject
from pip_warden.values import dataclass


class Attempt(Protocol):
    """One run of one installer.

    Attributes:
        command: Its command line.
        report: Where it writes what it is about to install, if it does.
    """

    command: list[str]
    report: Path

    def hear(self, line: str) -> None:
        """Listen to a line that it prints."""

    def ended(self, backend: GateBackend) -> None:
        """Look at what it has left, however it ended.

        Raises:
            RefusedError: ``not-through-gate``.
        """

    def why_failed(self, shown: str, backend: GateBackend) -> WardenError:
        """Return the error of one that failed, ``shown`` for people, where no page was undecided."""

    def look_back(self, backend: GateBackend) -> None:
        """Check what one did that succeeded, and note what a reader must know besides the verdicts.

        Raises:
            RefusedError: ``not-through-gate``.
            InstallerError: It is not known what it did.
        """


@dataclass(frozen=True, kw_only=True, slots=True)
class Installer:
    """An installer.

    Attributes:
        name: What it is called.
        project_arguments: Returns its arguments for a project directory; may raise UsageError.
        attempt: Prepares a run of it: with the local files and projects that it may open, and its arguments
            for them.
    """

    name: str
    project_arguments: Callable[[LocalProject], list[str]]
    attempt: Callable[[Run, Surroundings, LocalInputs, list[str]], Attempt]
