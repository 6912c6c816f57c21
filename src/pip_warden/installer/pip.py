"""Runs pip, and commands of the user's own; no other module does."""

from __future__ import annotations

import errno
import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal

from pip_warden.errors import InstallerError
from pip_warden.installer.gate_port import HOST, INDEX_URL, GatePort
from pip_warden.installer.isolation import Isolation
from pip_warden.installer.python import Target, pip_runner
from pip_warden.installer.running import Running
from pip_warden.installer.terminal import terminal_kept

_TIMEOUT = "1800"
"""Seconds pip waits for the first byte: it comes after the verdict."""

LATER = "-"
"""Stands for arguments that are sent later."""

_GUARDED = Path(__file__).with_name("guarded_pip.py")


class Child:
    """A command that runs under a supervisor, which ends it with all its children when asked, or when we end.

    It runs one command after the other.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: Running | None = None
        self._begun: tuple[list[str], Mapping[str, str]] | None = None
        self._kept: int | None = None
        self._place: GatePort | None = None
        self._ended = False

    def keep_open(self, descriptor: int) -> None:
        """Have the supervisor, not pip, hold the listening socket: its port stays taken while pip runs."""
        self._kept = descriptor

    def isolate(self, place: GatePort) -> None:
        """Run each command in a network namespace of its own, where a place is all there is.

        Whatever starts a command then raises :class:`~pip_warden.errors.UsageError`, ``cannot-isolate``,
        where this system does not allow it.
        """
        self._place = place

    def begin(self, command: Sequence[str], environment: Mapping[str, str]) -> None:
        """Start a command whose last words are not known yet: it waits for them (``guarded_pip.py``).

        :meth:`run` sends them, or ends it where it is to run another command.

        Args:
            command: The beginning of the command line.
            environment: All of its environment.

        Raises:
            OSError: It cannot be started.
        """
        with self._lock:
            self._running = Running(
                [*command, LATER], environment, None, self._kept, waits=True, isolation=self._isolation()
            )
            self._begun = [*command], environment

    def close(self) -> None:
        """End what was begun, if it is still there, and release it."""
        if self._running is not None:
            self._running.close()

    def run(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        on_line: Callable[[str], None],
        cwd: Path | None,
        *,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> int:
        """Run a command to its end, pass on each line it prints, of bounded length, and return its exit code.

        The exit code is minus the number of the signal that ended it, where one did.

        ``meanwhile`` is called once it was started, which takes it longer than anything that is done then.
        Any exception that leaves this method (Ctrl-C, a closed output) ends the command first.

        Raises:
            InstallerError: ``pip-failed``: it cannot be started.
        """
        try:
            with self._lock:
                if self._ended:
                    return -signal.SIGTERM
                running, untold = self._start(command, environment, cwd)
            if untold is not None:
                # Not under the lock: a denial ends what does not listen.
                running.tell(untold)
            meanwhile()
            for line in running.lines():
                on_line(line)
            kind, number = running.said()
        finally:
            # Ctrl-C reaches only us, not its session: pip would go on to install without comparison.
            self.close()
        if kind == "errno":
            raise _not_started(command, number)
        return number

    @terminal_kept()
    def run_attached(
        self, command: Sequence[str], environment: Mapping[str, str], cwd: Path | None, *, output: int = 1
    ) -> int:
        """Run a command of the user's own to its end, on our own standard streams; return its exit code.

        As :meth:`run` does, but nobody reads what it prints. It leads a session of its own, so that a
        terminal's Ctrl-C reaches us alone, and we end it.

        Args:
            command: The command line.
            environment: All of its environment.
            cwd: Its working directory; None for our own.
            output: The descriptor that takes its standard output.

        Raises:
            InstallerError: ``command-failed``: it cannot be started.
            UsageError: ``cannot-isolate``: it was to be isolated (:meth:`isolate`), and cannot be.
        """
        try:
            with self._lock:
                if self._ended:
                    return -signal.SIGTERM
                running = self._running = Running(
                    command, environment, cwd, self._kept, output=output, isolation=self._isolation()
                )
            kind, number = running.said()
        except OSError as err:
            raise _not_started(command, err.errno, "command-failed") from err
        finally:
            self.close()
        if kind == "errno":
            raise _not_started(command, number, "command-failed")
        return number

    def _start(
        self, command: Sequence[str], environment: Mapping[str, str], cwd: Path | None
    ) -> tuple[Running, Sequence[str] | None]:
        """Start a command, or take the one that was begun for it, with what it is still to be told."""
        begun, self._begun = self._begun, None
        if begun is not None and self._running is not None:
            size = len(begun[0])
            if cwd is None and begun == ([*command[:size]], environment):
                return self._running, command[size:]
            self._running.close()
        try:
            self._running = Running(command, environment, cwd, self._kept, isolation=self._isolation())
        except OSError as err:
            raise _not_started(command, err.errno) from err
        return self._running, None

    def _isolation(self) -> Isolation | None:
        return None if self._place is None else Isolation(self._place)

    def end(self) -> None:
        """End it with all its children, and wait for that: after a denial it must not try another file."""
        with self._lock:
            self._ended = True
            running = self._running
        if running is not None:
            running.end()


def _not_started(command: Sequence[str], number: int | None, code: str = "pip-failed") -> InstallerError:
    return InstallerError(code, f"expected to start {command[0]}, found: {os.strerror(number or errno.EIO)}")


def how_it_ended(number: int) -> str:
    """Return in words what :meth:`Child.run` returns: ``exit code 1``, ``signal SIGSEGV``."""
    if number >= 0:
        return f"exit code {number}"
    # Real-time signals have no name (signal(7)).
    return f"signal {next((known.name for known in signal.Signals if known == -number), str(-number))}"


def command_line(
    target: Target, verb: Literal["install", "download"], arguments: Sequence[str], *, report: Path | None
) -> list[str]:
    """Build pip's command line. The proxy's password is in the environment, never here."""
    fixed = [
        "--isolated",
        "--no-input",
        "--disable-pip-version-check",
        "--no-cache-dir",
        "--index-url",
        INDEX_URL,
        "--trusted-host",
        HOST,
        "--retries",
        "0",
        "--timeout",
        _TIMEOUT,
        # Else a second pip, which is not wrapped, installs what builds need.
        "--use-feature",
        "inprocess-build-deps",
    ]
    reporting = ["--report", str(report)] if report is not None else []
    return [*guarded_pip(target), verb, *fixed, *reporting, *arguments]


def guarded_pip(target: Target) -> list[str]:
    """Return the beginning of every command line of our pip."""
    guarded = [str(_GUARDED), str(pip_runner().parent.parent), HOST]
    return [str(target.executable), "-I", *guarded]
