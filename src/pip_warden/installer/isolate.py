"""Runs between the supervisor and a command, and leaves the command no network but the gate.

Run as a script by our own interpreter, with its standard library alone; it imports nothing of ours. Its
arguments are the descriptor that links it to us, the port of the gate, and the command line. Linux only
(namespaces(7), user_namespaces(7), network_namespaces(7)).

It enters a user namespace, which alone allows an unprivileged process a network namespace, and that network
namespace. Nothing is there but a loopback interface of its own, and on it one listening socket, on the gate's
port. The socket is handed to us and stays where it was made, so what we accept from it comes from in there,
and nothing needs to be forwarded. In the namespace that we are in, our own socket has that port: that the
port was free here proves that this is another.

The command keeps its user and group, and what it writes is theirs: both are mapped to themselves, no other
is. Its supplementary groups still count for files and are shown as ``nogroup``. Before it is started, every
capability is given up:

* those that entering a user namespace gives, and the bounding set, so that being root, or a program with
  capabilities of its own, gives none back (capabilities(7)): the command cannot configure its network, enter
  another one, or look into processes outside its namespace;
* ``no_new_privs`` is set (prctl(2)). ``sudo`` works in no such namespace, since root is not mapped; so that
  takes nothing away, and programs with file capabilities run without them instead of failing.

A command that root runs therefore cannot give files to others, or write where root may only by privilege.

The link carries, each a message of its own:

* ``there`` with the listening socket: the command waits for a message of ours, or ends with the link.
* ``cannot N WHAT``: the system call or file that was refused, and the error's number. Nothing is started.
* ``errno N``: the command could not be started.

What it leaves open is said in :mod:`~pip_warden.installer.isolation`.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import signal
import socket
import struct
import sys
from typing import Any

_NEW_USER = 0x10000000
_NEW_NETWORK = 0x40000000
"""``CLONE_NEWUSER`` and ``CLONE_NEWNET`` of unshare(2); ``os.unshare`` is there from Python 3.12 on."""

_SET_INTERFACE_FLAGS = 0x8914
_INTERFACE_IS_UP = 1
"""``SIOCSIFFLAGS`` and ``IFF_UP`` of netdevice(7)."""

_READ_BOUNDING, _DROP_BOUNDING = 23, 24
_SET_NO_NEW_PRIVS = 38
_AMBIENT, _CLEAR_ALL = 47, 4
"""``PR_CAPBSET_READ``, ``PR_CAPBSET_DROP``, ``PR_SET_NO_NEW_PRIVS``, ``PR_CAP_AMBIENT`` of prctl(2)."""

_CAPABILITIES_VERSION = 0x20080522
"""``_LINUX_CAPABILITY_VERSION_3`` of capget(2): two words for each of three sets follow."""

_NOT_STARTED = 127


def enter(port: int) -> socket.socket:
    """Move this process into namespaces of its own, and listen there on the gate's port.

    Raises:
        OSError: The kernel or its policy does not allow it; its ``filename`` says which step.
    """
    user, group = os.geteuid(), os.getegid()
    _call("unshare", _NEW_USER | _NEW_NETWORK)
    # Without that an unprivileged process may map no group (user_namespaces(7)).
    _write("/proc/self/setgroups", "deny")
    _write("/proc/self/uid_map", f"{user} {user} 1")
    _write("/proc/self/gid_map", f"{group} {group} 1")
    try:
        _bring_up("lo")
        return _listen(port)
    except OSError as err:
        raise OSError(err.errno, err.strerror, "loopback interface") from err


def give_up_capabilities() -> None:
    """Give up every capability, for this process and whatever it executes.

    Raises:
        OSError: One could not be given up.
    """
    _call("prctl", _SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    _call("prctl", _AMBIENT, _CLEAR_ALL, 0, 0, 0)
    number = 0
    # Beyond the last one the kernel knows, reading fails.
    while _libc().prctl(*map(ctypes.c_ulong, (_READ_BOUNDING, number, 0, 0, 0))) >= 0:
        _call("prctl", _DROP_BOUNDING, number, 0, 0, 0)
        number += 1
    nothing = (ctypes.c_uint32 * 6)()
    _call("capset", (ctypes.c_uint32 * 2)(_CAPABILITIES_VERSION, 0), nothing)


def _bring_up(interface: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stream:
        fcntl.ioctl(
            stream, _SET_INTERFACE_FLAGS, struct.pack("16sh22x", interface.encode(), _INTERFACE_IS_UP)
        )


def _listen(port: int) -> socket.socket:
    # No SO_REUSEADDR: a port that is taken must be an error.
    listening = socket.socket()
    listening.bind(("127.0.0.1", port))
    listening.listen()
    return listening


def _write(path: str, text: str) -> None:
    # Unbuffered: what was refused would be written again at the end, and refused without the file's name.
    with open(path, "wb", buffering=0) as stream:
        try:
            stream.write(text.encode("ascii"))
        except OSError as err:
            raise OSError(err.errno, err.strerror, path) from err


def _libc() -> Any:
    return ctypes.CDLL(None, use_errno=True)


def _call(name: str, *arguments: Any) -> None:
    """Call a function of the C library that returns 0, or sets ``errno``."""
    words = [ctypes.c_ulong(word) if isinstance(word, int) else word for word in arguments]
    function = getattr(_libc(), name, None)
    if function is None or function(*words) != 0:
        number = ctypes.get_errno() if function is not None else errno.ENOSYS
        raise OSError(number, os.strerror(number), name)


def _main(link: str, port: str, *command: str) -> None:
    with socket.socket(fileno=int(link)) as ours:
        ours.set_inheritable(False)
        try:
            with enter(int(port)) as listening:
                give_up_capabilities()
                socket.send_fds(ours, [b"there"], [listening.fileno()])
        except OSError as err:
            ours.send(f"cannot {err.errno or errno.EIO} {err.filename or 'handing over'}".encode())
            return
        if not ours.recv(16):
            return
        for ignored in (signal.SIGPIPE, signal.SIGXFSZ):
            # As in the supervisor.
            signal.signal(ignored, signal.SIG_DFL)
        try:
            os.execvp(command[0], command)  # noqa: S606 -- the user's command, and no shell
        except OSError as err:
            ours.send(f"errno {err.errno}".encode())


if __name__ == "__main__":
    _main(*sys.argv[1:])
    raise SystemExit(_NOT_STARTED)
