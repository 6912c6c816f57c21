"""A command of the user's own is given the user's terminal, and gives it back."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import termios

from installers.witness import LONGEST_WAIT

ASKS = "import termios as t; a = t.tcgetattr(0); a[3] &= ~t.ECHO; t.tcsetattr(0, t.TCSANOW, a)"
KILLED = f"{ASKS}; import os; os.kill(os.getpid(), 9)"
RUNS = """
import fcntl, os, sys, termios
from pip_warden.installer.pip import Child
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
print(Child().run_attached([sys.executable, "-c", sys.argv[1]], os.environ, None), flush=True)
"""


def echoes(terminal: int) -> bool:
    return bool(termios.tcgetattr(terminal)[3] & termios.ECHO)


def test_a_terminal_has_its_echo_again_after_a_command_that_was_killed() -> None:
    person, terminal = pty.openpty()
    try:
        assert echoes(person)
        done = subprocess.run(
            [sys.executable, "-c", RUNS, KILLED],
            stdin=terminal,
            capture_output=True,
            text=True,
            start_new_session=True,
            timeout=LONGEST_WAIT,
            check=False,
        )
        assert (done.returncode, done.stdout, echoes(person)) == (0, "-9\n", True), done.stderr
    finally:
        os.close(person)
        os.close(terminal)
