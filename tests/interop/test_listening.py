"""What the stack listens on: loopback only, except for what its README lists."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import pytest

from interop.stack import services, supervisor
from interop.stack.places import STATE, Port
from pip_warden.sandbox import Sandbox

pytestmark = pytest.mark.interop
README = Path(__file__).parent / "stack" / "README.md"
_LISTENS = "0A"  # TCP_LISTEN; a datagram socket has no such state and counts whenever it is bound


@dataclass(frozen=True, kw_only=True, slots=True)
class Ear:
    """A socket that receives.

    Attributes:
        program: The program it belongs to.
        kind: ``tcp``, ``udp`` or ``raw``.
        address: Its address.
        port: Its port.
    """

    program: str
    kind: str
    address: IPv4Address | IPv6Address
    port: int


def test_nothing_listens_beyond_loopback_but_what_the_readme_lists(gitlab: Sandbox) -> None:
    pids = [pid for service in services.services() if (pid := supervisor.pid_of(service.name))]
    ears = [ear for pid in [*pids, os.getpid()] for ear in _ears(pid)]
    beyond = {(ear.program, ear.kind, ear.port) for ear in ears if not ear.address.is_loopback}
    inside = {(ear.kind, ear.port) for ear in ears if ear.address.is_loopback}

    assert len(pids) == len(services.services()) - 1  # the test's GitLab replaces the stack's
    assert {
        ("tcp", Port.MYSQL),
        ("tcp", Port.FULCIO),
        ("tcp", Port.GITLAB),
    } <= inside  # the sockets that exist are found
    assert beyond == _listed()


def test_its_unix_sockets_are_those_of_the_readme(gitlab: Sandbox) -> None:
    """A path in the state's directory; no abstract one, which every user of the machine could reach."""
    pids = [pid for service in services.services() if (pid := supervisor.pid_of(service.name))]
    paths = {path for pid in pids for path in _unix(pid)}
    told = re.findall(r"`\.cache/stack/([\w.-]+\.sock)`", README.read_text(encoding="utf-8"))

    assert paths == {str(STATE / name) for name in told}
    assert paths


def _listed() -> set[tuple[str, str, int]]:
    rows = re.findall(
        r"^\| `([\w-]+)` \| (tcp|udp) (\d+) \|", README.read_text(encoding="utf-8"), re.MULTILINE
    )
    return {(program, kind, int(port)) for program, kind, port in rows}


def _ears(leader: int) -> Iterator[Ear]:
    """Yield the network sockets of a process and of all its children, IPv4 and IPv6 (proc(5))."""
    for pid in _session(leader):
        sockets = _inodes(pid)
        program = Path(os.readlink(f"/proc/{pid}/exe")).name
        for kind, state in (("tcp", _LISTENS), ("udp", "07"), ("raw", "07")):
            for family in ("", "6"):
                table = Path(f"/proc/{pid}/net/{kind}{family}").read_text(encoding="ascii")
                for line in table.splitlines()[1:]:
                    words = line.split()
                    if words[3] == state and int(words[9]) in sockets:
                        address, _, port = words[1].partition(":")
                        yield Ear(program=program, kind=kind, address=_address(address), port=int(port, 16))


def _unix(leader: int) -> Iterator[str]:
    for pid in _session(leader):
        sockets = _inodes(pid)
        for line in Path(f"/proc/{pid}/net/unix").read_text(encoding="utf-8").splitlines()[1:]:
            words = line.split()
            if int(words[6]) in sockets and len(words) > 7:
                yield words[7]


def _session(leader: int) -> list[int]:
    """Return a process and, where it leads a session, all processes in it."""
    found = [leader]
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            fields = (directory / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[3]) == leader != int(directory.name):
            found.append(int(directory.name))
    return found


def _inodes(pid: int) -> set[int]:
    found = set()
    for file in Path(f"/proc/{pid}/fd").iterdir():
        try:
            target = os.readlink(file)
        except FileNotFoundError:
            continue
        if target.startswith("socket:["):
            found.add(int(target[8:-1]))
    return found


def _address(text: str) -> IPv4Address | IPv6Address:
    """Parse an address as the kernel prints it: 32-bit words, each in the machine's byte order."""
    words = [bytes.fromhex(text[at : at + 8])[::-1] for at in range(0, len(text), 8)]
    return ip_address(b"".join(words))
