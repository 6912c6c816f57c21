"""A command that hears Ctrl-C and the end of its terminal, however the tests were started."""

from __future__ import annotations

import sys

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
