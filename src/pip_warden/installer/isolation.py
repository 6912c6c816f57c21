"""Runs a command in a network namespace that has nothing but the gate (``--isolate-network``); Linux only.

:mod:`~pip_warden.installer.isolate` does it, between the supervisor and the command, without privileges; this
is our side of it. What the supervisor promises holds as before: it stays outside, has the command and its
children below itself, and keeps the gate's port. Inside, only the command and what it starts could take the
port, and they have the password already.

From inside no address can be reached but the gate's: no other port of this machine, no abstract unix socket.
Nor can processes outside be looked into (``/proc/PID/environ``), even the user's own. What is left is no
network to the kernel, and the command could ask others to use theirs:

* unix sockets in the file system: Docker's, an SSH or GPG agent's, D-Bus; what may open them may use them;
* standard input, output and error, which are the user's and may be sockets; nothing else is inherited;
* files, shared memory, and signals to the user's other processes: all other namespaces are shared;
* in a virtual machine, sockets to its host (vsock(7)), which no namespace of most kernels closes.
"""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

from pip_warden.errors import UsageError
from pip_warden.installer.gate_port import GatePort

_SCRIPT = Path(__file__).with_name("isolate.py")

_WITHOUT = "Leave out --isolate-network: then the run detects, and does not prevent, what goes past the gate."
_APPARMOR = (
    f"AppArmor forbids it. An administrator allows it with a profile with `userns,` for {sys.executable}, "
    "or for everybody with `sysctl kernel.apparmor_restrict_unprivileged_userns=0`."
)
_POLICIES = (
    (Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"), "1", _APPARMOR),
    (
        Path("/proc/sys/kernel/unprivileged_userns_clone"),
        "0",
        "An administrator allows it with `sysctl kernel.unprivileged_userns_clone=1`.",
    ),
    (
        Path("/proc/sys/user/max_user_namespaces"),
        "0",
        "An administrator allows it with `sysctl user.max_user_namespaces=10000`.",
    ),
)
"""Where a system says that it does not allow it, what is there then, and what to do."""

_ELSEWHERE = "In a container, its runtime's seccomp profile has to allow unshare(2) to the user."


class Isolation:
    """What encloses one command.

    Args:
        place: Where the gate is. It adopts the socket that the command finds it by.

    Attributes:
        descriptor: To be inherited by whoever runs the command line that :meth:`enclosing` returns.

    Raises:
        UsageError: ``cannot-isolate``: this system has no network namespaces.
    """

    def __init__(self, place: GatePort) -> None:
        if not sys.platform.startswith("linux"):
            raise _cannot(f"a system without them: {sys.platform}", _WITHOUT)
        self._place = place
        self._ours, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.descriptor = self._theirs.fileno()

    def enclosing(self, command: Sequence[str]) -> list[str]:
        """Return the command line that runs a command in its namespace."""
        stage = [sys.executable, "-I", "-S", str(_SCRIPT)]
        return [*stage, str(self.descriptor), str(self._place.port), *command]

    def settle(self) -> None:
        """Wait until the namespace is there, and let the command begin.

        Raises:
            UsageError: ``cannot-isolate``: it is not allowed here. The command was not started.
        """
        # Else we would wait for ourselves where the other side has ended.
        self._theirs.close()
        try:
            said, passed, _, _ = socket.recv_fds(self._ours, 256, 1, socket.MSG_CMSG_CLOEXEC)
            for descriptor in passed:
                self._place.adopt(socket.socket(fileno=descriptor))
            if said != b"there" or not passed:
                raise _refused(said.decode())
            self._ours.send(b"begin")
        except OSError as err:
            raise _cannot(os.strerror(err.errno or errno.EIO), _WITHOUT) from err

    def failed(self) -> int | None:
        """Return, after the end, the number of the error that kept the command from being started, if any."""
        try:
            said = self._ours.recv(64, socket.MSG_DONTWAIT)
        except OSError:
            return None
        return int(said.removeprefix(b"errno ")) if said else None

    def close(self) -> None:
        """Release it. A command that has not begun does not begin."""
        self._theirs.close()
        self._ours.close()


def _refused(said: str) -> UsageError:
    """Return the error for what the other side said instead of handing over a socket; it may be nothing."""
    kind, _, rest = said.partition(" ")
    number, _, what = rest.partition(" ")
    if kind != "cannot":
        return _cannot("no answer of the process that makes it", _WITHOUT)
    return _cannot(f"{os.strerror(int(number))} ({what})", f"{_policy()} {_WITHOUT}")


def _policy() -> str:
    """Say what to do about a system's policy, as far as it says which one it has."""
    for path, refusing, advice in _POLICIES:
        try:
            if path.read_text(encoding="ascii").strip() == refusing:
                return advice
        except OSError:
            # The kernel has no such setting.
            continue
    return _ELSEWHERE


def _cannot(found: str, hint: str) -> UsageError:
    return UsageError(
        "cannot-isolate", f"expected a network namespace for the command, found {found}", hint=hint
    )
