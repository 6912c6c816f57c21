"""A command that runs under a supervisor, and what it prints."""

from __future__ import annotations

import contextlib
import io
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, cast

from pip_warden.installer import supervisor
from pip_warden.installer.isolation import Isolation
from pip_warden.installer.lines import lines_of

_LONGEST_WAIT = 10.0
"""Seconds the supervisor has to end everything before its group is killed: twice what it allows itself."""

_LEFT_OVER = 1 << 20
"""Bytes that are still read after the end: as many as a pipe holds at most (pipe(7), ``pipe-max-size``)."""


class Running:
    """A supervisor and its command.

    Args:
        command: The command line.
        environment: All of its environment.
        cwd: Its working directory; None for our own.
        kept: What the supervisor keeps open; None for nothing.
        waits: Whether it waits on its standard input for :meth:`tell`.
        output: The descriptor that takes its standard output; its other streams are our own then. None where
            it reads nothing and :meth:`lines` tells what it prints.
        isolation: What encloses it; None for nothing.

    Raises:
        OSError: It cannot be started.
        UsageError: ``cannot-isolate``: it could not be enclosed, and was not started.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        cwd: Path | None,
        kept: int | None,
        *,
        waits: bool = False,
        output: int | None = None,
        isolation: Isolation | None = None,
    ) -> None:
        self._isolation = isolation
        self._heard = b""
        self._gone = threading.Event()
        self._over, over = socket.socketpair()
        self._link, theirs = socket.socketpair()
        stdin, stdout, stderr = _streams(output, waits=waits)
        arguments, inherited = _supervised(command, theirs.fileno(), kept, isolation)
        try:
            with theirs:
                self._process = subprocess.Popen(  # noqa: S603 -- our own pip, or the user's own command
                    arguments,
                    env=dict(environment),
                    cwd=cwd,
                    stdin=stdin,
                    stdout=stdout,
                    stderr=stderr,
                    start_new_session=True,
                    pass_fds=inherited,
                )
            threading.Thread(target=self._listen, args=(over,), name="installer-end", daemon=True).start()
        except BaseException:
            # The supervisor sees it, and ends.
            for end in (self._link, self._over, over):
                end.close()
            if isolation is not None:
                isolation.close()
            raise
        self._settle()

    def tell(self, words: Sequence[str]) -> None:
        """Send a command that waits for them its last words, as the bytes they would be on a command line.

        One that does not read them is waited for, until it is ended.
        """
        message = json.dumps([os.fsencode(word).decode("latin-1") for word in words]).encode()
        # Where it has ended by now, its report says so.
        with contextlib.suppress(OSError), cast("IO[bytes]", self._process.stdin) as stream:
            stream.write(message)

    def lines(self) -> Iterator[str]:
        """Yield what the command prints, until it has ended or closes its output."""
        printed = Printed(cast("IO[bytes]", self._process.stdout).fileno(), self._over.fileno())
        return lines_of(io.BufferedReader(printed))

    def said(self) -> tuple[str, int]:
        """Wait for the end and return the supervisor's report: ``ended`` or ``errno``, and the number."""
        self._gone.wait()
        if self._isolation is not None and (failed := self._isolation.failed()) is not None:
            return "errno", failed
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
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._link.close()
        self._over.close()
        if self._isolation is not None:
            self._isolation.close()

    def _settle(self) -> None:
        """Let an isolated command begin."""
        if self._isolation is None:
            return
        try:
            self._isolation.settle()
        except BaseException:
            self.close()
            raise

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


def _streams(output: int | None, *, waits: bool) -> tuple[int | None, int, int | None]:
    """Return what a command gets as its standard streams; None for our own."""
    if output is not None:
        return None, output, None
    return subprocess.PIPE if waits else subprocess.DEVNULL, subprocess.PIPE, subprocess.STDOUT


def _supervised(
    command: Sequence[str], link: int, kept: int | None, isolation: Isolation | None
) -> tuple[list[str], list[int]]:
    """Return a supervisor's command line, and the descriptors that it inherits."""
    inherited, words = [link, *([kept] if kept is not None else [])], list(command)
    if isolation is not None:
        inherited, words = [*inherited, isolation.descriptor], isolation.enclosing(command)
    ours = [sys.executable, "-I", "-S", supervisor.__file__]
    return [*ours, str(link), "-" if kept is None else str(kept), *words], inherited


class Printed(io.RawIOBase):
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
