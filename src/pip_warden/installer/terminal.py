"""The user's terminal, which a command of the user's own is given for a while."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_INPUT = 0


@contextmanager
def terminal_kept() -> Iterator[None]:
    """Give the terminal back as it was found (termios(3)).

    A command that asks for a password turns echo off, and one that is killed then turns it on for nobody. In
    the background the terminal is another's: it is left alone.
    """
    if not _is_ours():
        yield
        return
    import termios

    before = termios.tcgetattr(_INPUT)
    try:
        yield
    finally:
        if _is_ours():
            # A terminal that has gone meanwhile is nobody's.
            with suppress(termios.error):
                termios.tcsetattr(_INPUT, termios.TCSANOW, before)


def _is_ours() -> bool:
    """Return whether standard input is the terminal that we are in the foreground of."""
    try:
        return os.tcgetpgrp(_INPUT) == os.getpgrp()
    except OSError:
        return False
