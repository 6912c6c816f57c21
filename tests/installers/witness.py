"""Detects the end of processes that a test did not start itself: each of them holds a pipe open."""

from __future__ import annotations

import os
import select
import socket
import time
from pathlib import Path
from typing import Self

LONGEST_WAIT = 60.0

_TREE = """
import os, subprocess, sys, time
path, kind, then, *children = sys.argv[1:]
pipe = open(path, "a")
print(kind, os.getpid(), os.getppid(), os.environ.get("PORT"), file=pipe, flush=True)
for child in children:
    words = [sys.executable, "-c", SOURCE, path, child, "stay"]
    started = subprocess.Popen(words, start_new_session=child == "daemon", stdout=subprocess.PIPE)
    started.stdout.readline()
print("there", flush=True)
time.sleep(600 if then == "stay" else 0)
"""
TREE = f"SOURCE = {_TREE!r}\n{_TREE}"
"""Writes its name, its number and its parent's, and starts children; a daemon leaves its session."""


class Witness:
    """The reading end of a named pipe.

    Args:
        path: Where it is made; each watched process opens it for writing, and writes one line.
    """

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self.path = path
        # Opened for writing here too until the others have done so: else it would be at its end before that.
        self._own: int | None = os.open(path, os.O_RDWR)
        self._end = os.open(path, os.O_RDONLY)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self._let_go()
        os.close(self._end)

    def words(self, count: int) -> dict[str, list[str]]:
        """Wait for the lines of so many processes and return their words by the first."""
        text = ""
        while text.count("\n") < count:
            text += os.read(self._end, 4096).decode()
        self._let_go()
        return {line.split()[0]: line.split()[1:] for line in text.splitlines()}

    def all_gone(self) -> bool:
        """Return whether none of them is left now."""
        os.set_blocking(self._end, False)
        try:
            return os.read(self._end, 1) == b""
        except BlockingIOError:
            return False

    def wait(self) -> None:
        """Wait until none of them is left."""
        readable, _, _ = select.select([self._end], [], [], LONGEST_WAIT)
        assert readable, "somebody lives on"
        assert self.all_gone()

    def _let_go(self) -> None:
        if self._own is not None:
            os.close(self._own)
            self._own = None


def is_held(port: int) -> bool:
    """Return whether a process listens on a port of this machine: while it does, no other can."""
    with socket.socket() as other:
        other.settimeout(LONGEST_WAIT)
        return other.connect_ex(("127.0.0.1", port)) == 0


def wait_for_port(port: int, witness: Witness) -> None:
    """Wait until a port is free, and check that by then no process is left."""
    deadline = time.monotonic() + LONGEST_WAIT
    while is_held(port):
        assert time.monotonic() < deadline
        time.sleep(0.001)
    assert witness.all_gone()
