"""Runs pip; no other module does."""

from __future__ import annotations

import contextlib
import errno
import io
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Literal, cast

from pip_warden.errors import InstallerError
from pip_warden.installer import supervisor
from pip_warden.installer.lines import lines_of
from pip_warden.installer.python import Target, pip_runner
from pip_warden.installer.server import HOST, INDEX_URL

_TIMEOUT = "1800"
"""Seconds pip waits for the first byte: it comes after the verdict."""

_GUARDED = Path(__file__).with_name("guarded_pip.py")

_LONGEST_WAIT = 10.0
"""Seconds the supervisor has to end everything before its group is killed: twice what it allows itself."""

_LEFT_OVER = 1 << 20
"""Bytes that are still read after the end: as many as a pipe holds at most (pipe(7), ``pipe-max-size``)."""


class Child:
    """A pip that runs under a supervisor, which ends it with all its children when asked, or when we end.

    It runs one command after the other.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: _Running | None = None
        self._kept: int | None = None
        self._ended = False

    def keep_open(self, descriptor: int) -> None:
        """Have the supervisor, not pip, hold the listening socket: its port stays taken while pip runs."""
        self._kept = descriptor

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
                try:
                    self._running = running = _Running(command, environment, cwd, self._kept)
                except OSError as err:
                    raise _not_started(command, err.errno) from err
            meanwhile()
            for line in running.lines():
                on_line(line)
            kind, number = running.said()
        finally:
            # Ctrl-C reaches only us, not its session: pip would go on to install without comparison.
            if self._running is not None:
                self._running.close()
        if kind == "errno":
            raise _not_started(command, number)
        return number

    def end(self) -> None:
        """End it with all its children, and wait for that: after a denial it must not try another file."""
        with self._lock:
            self._ended = True
            running = self._running
        if running is not None:
            running.end()


class _Running:
    """A supervisor and its command.

    Raises:
        OSError: It cannot be started.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], cwd: Path | None, kept: int | None
    ) -> None:
        self._heard = b""
        self._gone = threading.Event()
        self._over, over = socket.socketpair()
        self._link, theirs = socket.socketpair()
        numbers = [theirs.fileno(), *([kept] if kept is not None else [])]
        arguments = [str(numbers[0]), "-" if kept is None else str(kept), *command]
        try:
            with theirs:
                self._process = subprocess.Popen(  # noqa: S603 -- our own pip in the user's interpreter
                    [sys.executable, "-I", "-S", supervisor.__file__, *arguments],
                    env=dict(environment),
                    cwd=cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    pass_fds=numbers,
                )
            threading.Thread(target=self._listen, args=(over,), name="installer-end", daemon=True).start()
        except BaseException:
            # The supervisor sees it, and ends.
            for end in (self._link, self._over, over):
                end.close()
            raise

    def lines(self) -> Iterator[str]:
        """Yield what the command prints, until it has ended or closes its output."""
        printed = _Printed(cast("IO[bytes]", self._process.stdout).fileno(), self._over.fileno())
        return lines_of(io.BufferedReader(printed))

    def said(self) -> tuple[str, int]:
        """Wait for the end and return the supervisor's report: ``ended`` or ``errno``, and the number."""
        self._gone.wait()
        first, newline, _ = self._heard.decode().partition("\n")
        kind, _, number = first.partition(" ")
        # A supervisor that reported nothing was killed, and pip with it.
        return (kind, int(number)) if newline else ("ended", -signal.SIGKILL)

    def end(self) -> None:
        """Have everything killed, and wait for that."""
        with contextlib.suppress(OSError):
            self._link.shutdown(socket.SHUT_WR)
        if not self._gone.wait(_LONGEST_WAIT):
            self._kill_group()
            self._gone.wait()

    def close(self) -> None:
        """Have everything killed that is left, and release it."""
        try:
            self._finish()
        except BaseException:
            # What comes next relies on it, whatever interrupts this.
            self._finish()
            raise

    def _finish(self) -> None:
        self.end()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._link.close()
        self._over.close()

    def _listen(self, over: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := self._link.recv(64):
                self._heard += chunk
        # If the supervisor was killed, its group is left; not waited for yet, its number is the group's.
        self._kill_group()
        self._gone.set()
        over.close()

    def _kill_group(self) -> None:
        # macOS does not allow signals to zombies.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)


class _Printed(io.RawIOBase):
    """What a command prints, until it has ended.

    A process that we cannot end may hold the stream for ever: another user's, or a daemon out of reach.

    Args:
        stream: Where the command prints.
        over: A descriptor that can be read from the command's end on.
    """

    def __init__(self, stream: int, over: int) -> None:
        self._stream, self._over = stream, over
        self._is_over = False
        self._left = _LEFT_OVER

    def readable(self) -> bool:
        """Return True: it can be read."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Wait for output, or for the command's end; after the end, do not wait."""
        if not self._is_over:
            self._is_over = self._over in _readable(self._stream, self._over, timeout=None)
        # Checked again at the end: the last output may have arrived between two checks of one call.
        if self._is_over and (self._left <= 0 or not _readable(self._stream, timeout=0)):
            return 0
        size = os.readv(self._stream, [buffer])
        self._left -= size if self._is_over else 0
        return size


def _readable(*descriptors: int, timeout: float | None) -> set[int]:
    """Return the descriptors that can be read without waiting, or are at their end."""
    with selectors.PollSelector() as selector:
        for descriptor in descriptors:
            selector.register(descriptor, selectors.EVENT_READ)
        return {key.fd for key, _ in selector.select(timeout)}


def _not_started(command: Sequence[str], number: int | None) -> InstallerError:
    return InstallerError(
        "pip-failed", f"expected to start {command[0]}, found: {os.strerror(number or errno.EIO)}"
    )


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
    guarded = [str(_GUARDED), str(pip_runner().parent.parent), HOST]
    return [str(target.executable), "-I", *guarded, verb, *fixed, *reporting, *arguments]
