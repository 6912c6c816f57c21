"""The ledger of a run: a line for every file, warnings, unpinned names, and the exit code."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pip_warden.disk import cannot_store, is_full
from pip_warden.errors import (
    DeliveryError,
    InstallerError,
    InternalError,
    RefusedError,
    UndecidedError,
    WardenError,
    outranks,
    worst,
)
from pip_warden.names import ArtifactName
from pip_warden.report.model import UNVERIFIED, Line, Outcome, Unpinned, unsaid


class Ledger:
    """The results of a run so far. Safe to use from several threads.

    Attributes:
        error: What ended the run; None while nothing did.
        installer_code: The installer's own exit code, None where none ran.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._judged: dict[tuple[str, str, Outcome], Line] = {}
        self._added: list[Line] = []
        self._unpinned: dict[str, Unpinned] = {}
        self._warnings: list[str] = []
        self.error: WardenError | None = None
        self.installer_code: int | None = None

    def record(self, line: Line) -> None:
        """Keep a line of what was judged, once for each name, digest and outcome."""
        with self._lock:
            self._judged.setdefault((line.subject, line.sha256, line.outcome), line)

    def note(self, subject: str, note: str) -> None:
        """Add one more thing to know to the lines of what was accepted under a name."""
        with self._lock:
            for key, line in self._judged.items():
                if line.subject == subject and line.outcome is Outcome.ACCEPTED:
                    self._judged[key] = replace(line, note=note)

    def add(self, line: Line) -> None:
        """Keep a line as it is."""
        with self._lock:
            self._added.append(line)

    def want(self, name: Unpinned) -> None:
        """Remember a name that the trust file does not know; the first that wanted it is kept."""
        with self._lock:
            self._unpinned.setdefault(name.project, name)

    def warn(self, text: str) -> None:
        """Remember what the user should look at."""
        with self._lock:
            self._warnings.append(text)

    @contextmanager
    def keeping_error(self, place: Path) -> Iterator[None]:
        """Keep what ends a run, or a part of it: a refusal, no verdict, a failure of the installer.

        What is wrong with the request itself, and what nobody expected, goes on.

        Args:
            place: What needs room, where a full disk is told without a name.
        """
        try:
            yield
        except (RefusedError, UndecidedError, InstallerError, DeliveryError, InternalError) as err:
            self._keep(err)
        except OSError as err:
            if not is_full(err):
                raise
            self._keep(cannot_store(err.filename or place, err))

    def _keep(self, error: WardenError) -> None:
        if self.error is None or outranks(error, self.error):
            self.error = error

    def lines(self) -> tuple[Line, ...]:
        """Return every line so far: what was judged, in the order of its requests, then the rest."""
        with self._lock:
            return (*self._judged.values(), *self._added)

    def unpinned(self) -> tuple[Unpinned, ...]:
        """Return every unpinned name so far, including (build) dependencies of accepted files."""
        with self._lock:
            return tuple(self._unpinned.values())

    def warnings(self) -> tuple[str, ...]:
        """Return what the user should look at."""
        with self._lock:
            return tuple(self._warnings)

    def accepted(self) -> Mapping[str, str]:
        """Return the SHA-256 of every file that was accepted, by its name."""
        return {line.subject: line.sha256 for line in self.lines() if line.outcome is Outcome.ACCEPTED}

    def accepted_digests(self) -> frozenset[str]:
        """Return the SHA-256 of every file that was accepted."""
        return frozenset(line.sha256 for line in self.lines() if line.outcome is Outcome.ACCEPTED)

    def accepted_from_sources(self) -> tuple[ArtifactName, ...]:
        """Return the name of every accepted file that came from a source; a local file comes from none."""
        lines = (line for line in self.lines() if line.source and line.outcome is Outcome.ACCEPTED)
        return tuple(name for line in lines if (name := line.accepted_name) is not None)

    def exit_code(self, *, strict: bool = False) -> int:
        """Return the exit code of the run (design decision D11).

        Args:
            strict: Whether a warning, or what is present and not verified, is a refusal.
        """
        # A program's own subclass may say 0; what ended a run is never a success.
        codes = {0 if self.error is None else self.error.exit_code or 70}
        outcomes = {line.outcome for line in self.lines()}
        codes |= {1} if Outcome.REFUSED in outcomes else set()
        codes |= {3} if Outcome.UNDECIDED in outcomes else set()
        if strict and (self.warnings() or outcomes & UNVERIFIED):
            codes.add(1)
        return worst(codes)

    def unsaid(self) -> WardenError | None:
        """Return the error that ended the run, unless a line says it already."""
        return unsaid(self.error, self.lines())
