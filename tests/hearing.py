"""A command that hears Ctrl-C and the end of its terminal, however the tests were started."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_HEARING = """
import os, signal, sys
for number in (signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])
"""


def hearing(*words: str) -> list[str]:
    """Return a command that hears both.

    What is ignored stays so in a child: SIGINT in what a shell starts in the background, SIGHUP under nohup.
    """
    return [sys.executable, "-c", _HEARING, *words]


@contextlib.contextmanager
def in_a_terminal(home: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Type a command in a terminal of its own, with its own directory for temporary files."""
    temporary = home / "tmp"
    temporary.mkdir()
    with subprocess.Popen(
        hearing(*words),
        env={**os.environ, "TMPDIR": str(temporary)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()
