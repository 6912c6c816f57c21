"""Runs between us and pip, so that pip ends when we end, whatever the reason.

Run as a script by our own interpreter, with its standard library alone; it imports nothing of ours, and as
little as possible. Its arguments are the descriptor that links it to us, the one that it keeps open, or
``-``, and pip's command line.

It leads a session of its own. pip is in its process group, and inherits neither descriptor. The link is one
end of a socket pair: when ours closes, because we died or on purpose, everything is killed. What is kept open
is the listening socket of the loopback server: while any pip of ours is left, no other process can have its
port, and with it the password.

What it writes to the link:

* A line ``ended N``: pip's exit code, or minus the number of the signal that ended it.
* A line ``errno N``, before anything else: pip could not be started.
* Nothing: it was killed itself, or has killed everything.

What it guarantees on which system:

* At the end it kills its process group, itself included: what a build left running there is gone on every
  system.
* On Linux it adopts what leaves that group (``PR_SET_CHILD_SUBREAPER``) and kills that too. Elsewhere, and
  where a build that was accepted kills the supervisor first, a process that makes itself a daemon lives on.
* On Linux pip dies with it (``PR_SET_PDEATHSIG``). Elsewhere, and what pip started anywhere, we kill by the
group. That is not promised where both of us are killed at once, one by one: killing the group ends it all.
* A process that changed its user cannot be killed, and is not waited for.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # `signal`, without its imports
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

_LONGEST_WAIT = 5.0
"""Seconds for killed processes to be gone; a process that waits for a broken disk does not go."""

_PROC = "/proc"
"""Linux has it; elsewhere it is missing, or has another form and lists no child."""

_NOT_STARTED = 127


def supervise(link: int, command: list[str]) -> None:
    """Run a command, report how it ended, and end whatever it left running, and this process.

    Args:
        link: A descriptor whose other end is closed when everything is to end.
        command: The command line.
    """
    prctl = _prctl()
    prctl(_SET_CHILD_SUBREAPER, 1)
    us = os.getpid()
    # From the main thread, and before there is another: the death signal is sent when the thread that forked
    # ends.
    pip = os.fork()
    if pip == 0:
        for ignored in (_signal.SIGPIPE, _signal.SIGXFSZ):
            # By Python alone, and what is ignored stays so for what is executed: `yes | head` would complain.
            _signal.signal(ignored, _signal.SIG_DFL)
        _become(command, link, us, prctl)
    ending = _thread.allocate_lock()
    said = ""
    try:
        _thread.start_new_thread(_end_with, (link, ending))
        said = f"ended {os.waitstatus_to_exitcode(os.waitpid(pip, 0)[1])}\n"
    finally:
        _end(link, said, ending)


def _become(command: list[str], link: int, parent: int, prctl: Callable[..., int]) -> None:
    """Execute the command in this process, which dies with its parent."""
    try:
        prctl(_SET_DEATH_SIGNAL, _SIGKILL)
        # The parent may have died before that: then the signal is never sent.
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
        _end(link, "", ending)


def _end(link: int, said: str, ending: _thread.LockType) -> None:
    """End everything, this process last. The first thread to get here does it."""
    with ending:
        try:
            _end_descendants()
            _say(link, said)
        finally:
            _end_group()


def _end_descendants() -> None:
    """Kill our children until there are none: a killed child's become ours where we are a subreaper."""
    until = time.monotonic() + _LONGEST_WAIT
    while _has_children() and _kill_children() and time.monotonic() < until:
        time.sleep(0.001)


def _has_children() -> bool:
    """Reap children that have ended and return whether any is left."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _children() -> list[int]:
    """List our children, dead ones that were not reaped too (proc_pid_stat(5))."""
    us, found = str(os.getpid()).encode(), []
    for name in os.listdir(_PROC):
        try:
            with open(f"{_PROC}/{name}/stat", "rb") as stream:
                # The program's name is in brackets, and may contain brackets.
                parent = stream.read().rpartition(b")")[2].split()[1]
        except (OSError, IndexError):
            continue
        if parent == us and name.isdigit():
            found.append(int(name))
    return found


def _kill_children() -> bool:
    """Kill our children and return whether to wait for them.

    Not where they cannot be listed, and not for those that none may kill.
    """
    if not os.path.isdir(_PROC):
        return False
    refused = 0
    children = _children()
    for child in children:
        try:
            os.kill(child, _SIGKILL)
        except ProcessLookupError:
            # The other thread has reaped it. Its children became ours by that.
            pass
        except OSError:
            refused += 1
    return refused == 0 or refused < len(children)


def _end_group() -> None:
    os.killpg(0, _SIGKILL)


def _say(link: int, message: str) -> None:
    try:
        os.write(link, message.encode())
    except OSError:
        # The other end is closed.
        return


def _prctl() -> Callable[..., int]:
    """Return prctl(2), or a function that does nothing where there is none."""
    try:
        import ctypes

        return ctypes.CDLL(None).prctl
    except (ImportError, OSError, AttributeError, TypeError):
        return lambda *_arguments: -1


def _main(link: str, kept: str, *command: str) -> None:
    if os.getsid(0) != os.getpid():
        # Otherwise the group that is killed in the end would be another's.
        raise SystemExit("expected to lead a session")
    for descriptor in (link, kept):
        if descriptor != "-":
            os.set_inheritable(int(descriptor), False)
    supervise(int(link), list(command))


if __name__ == "__main__":
    _main(*sys.argv[1:])
