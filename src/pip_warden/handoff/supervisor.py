"""Stands between us and pip, so that pip ends with us, whatever ends us.

Run as a script by our own interpreter, with its standard library alone; it imports nothing of ours, and as little as it can. Its arguments are
the descriptor that links it to us, the one that it keeps open, or ``-``, and pip's command line.

It leads a session of its own. pip is in its process group, and inherits neither descriptor. The link is one end of a socket pair: when ours
closes, because we died or because we want it so, everything is killed. What is kept open is the listening socket of the loopback server: while any
pip of ours is left, nobody else can have its port, and with it the password.

What it says on the link:

* A line ``ended N``: pip's exit code, or minus the number of the signal that ended it.
* A line ``errno N``, before anything else: pip could not be started.
* Nothing: it was killed itself, or has killed everything.

What holds where:

* Its last act is to kill its process group, itself with it: what a build left behind there is gone on every system.
* On Linux it adopts what leaves that group (``PR_SET_CHILD_SUBREAPER``) and kills that too. Elsewhere a process that makes itself a daemon lives on.
* On Linux pip dies with it (``PR_SET_PDEATHSIG``). Elsewhere, and what pip started anywhere, we kill by the group. That is not promised where both of
  us are killed at once, one by one: whoever kills the group has all of it.
* A process that changed its user cannot be killed, and is not waited for.
"""

from __future__ import annotations

import _thread
import os
import sys
import time
from collections.abc import Callable

_SIGKILL = 9
"""On every system (POSIX.1-2017, kill). ``signal`` would take longer to import than all the rest."""

_SET_DEATH_SIGNAL = 1
_SET_CHILD_SUBREAPER = 36
"""``PR_SET_PDEATHSIG`` and ``PR_SET_CHILD_SUBREAPER`` of prctl(2)."""

_PATIENCE = 5.0
"""Seconds for what was killed to be gone; a process that waits for a broken disk is not."""

_NOT_STARTED = 127


def supervise(link: int, command: list[str]) -> None:
    """Run a command, say how it ended, and end whatever it left behind; this process with it.

    Args:
        link: What is closed at its other end when everything is to end.
        command: The command line.
    """
    prctl = _prctl()
    prctl(_SET_CHILD_SUBREAPER, 1)
    us = os.getpid()
    # From the main thread, and before there is another: the death signal comes when the thread that forked ends.
    pip = os.fork()
    if pip == 0:
        _become(command, link, us, prctl)
    ending = _thread.allocate_lock()
    said = ""
    try:
        _thread.start_new_thread(_end_with, (link, ending))
        said = f"ended {os.waitstatus_to_exitcode(os.waitpid(pip, 0)[1])}\n"
    finally:
        with ending:
            _end_descendants()
            _say(link, said)
            _end_group()


def _become(command: list[str], link: int, parent: int, prctl: Callable[..., int]) -> None:
    """Become the command, which dies with its parent."""
    try:
        prctl(_SET_DEATH_SIGNAL, _SIGKILL)
        # It may have died before that: then the signal never comes.
        if os.getppid() == parent:
            os.execvp(command[0], command)  # noqa: S606 -- pip, and no shell
    except OSError as err:
        _say(link, f"errno {err.errno}\n")
    finally:
        os._exit(_NOT_STARTED)


def _end_with(link: int, ending: _thread.LockType) -> None:
    """Wait until the other end of the link is closed, and end everything."""
    try:
        os.read(link, 1)
    finally:
        with ending:
            _end_descendants()
            _end_group()


def _end_descendants() -> None:
    """Kill our children until there are none: those of a killed one become ours where we are a subreaper."""
    until = time.monotonic() + _PATIENCE
    while _has_children() and time.monotonic() < until:
        if not _has_proc():
            return
        # None at all is no end: one was reaped while the others were listed, and what it had started is ours only now.
        killable = [_kill(child) for child in _children()]
        if killable and not any(killable):
            return
        time.sleep(0.001)


def _has_children() -> bool:
    """Reap what has ended and tell whether anything is left."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _children() -> list[int]:
    """List our children, dead ones that were not reaped too."""
    us, found = str(os.getpid()).encode(), []
    for name in os.listdir("/proc"):
        try:
            with open(f"/proc/{name}/stat", "rb") as stream:
                # The name of the program stands in brackets, and may have some in it.
                parent = stream.read().rpartition(b")")[2].split()[1]
        except (OSError, IndexError):
            continue
        if parent == us and name.isdigit():
            found.append(int(name))
    return found


def _kill(process: int) -> bool:
    """Kill a process and tell whether it ends: one that has just ended has, and what it started may be ours by now."""
    try:
        os.kill(process, _SIGKILL)
    except PermissionError:
        return False
    except OSError:
        return True
    return True


def _has_proc() -> bool:
    """Tell whether there is a ``/proc`` of Linux's form (proc_pid_stat(5))."""
    return os.path.isdir("/proc/self")


def _end_group() -> None:
    os.killpg(0, _SIGKILL)


def _say(link: int, message: str) -> None:
    try:
        os.write(link, message.encode())
    except OSError:
        # There is nobody to hear it.
        return


def _prctl() -> Callable[..., int]:
    """Return prctl(2), or what does nothing where there is none."""
    try:
        import ctypes

        return ctypes.CDLL(None).prctl
    except (ImportError, OSError, AttributeError, TypeError):
        return lambda *_arguments: -1


def _main(link: str, kept: str, *command: str) -> None:
    if os.getsid(0) != os.getpid():
        # The group that is killed in the end would be somebody else's.
        raise SystemExit("expected to lead a session")
    for descriptor in (link, kept):
        if descriptor != "-":
            os.set_inheritable(int(descriptor), False)
    supervise(int(link), list(command))


if __name__ == "__main__":
    _main(*sys.argv[1:])
