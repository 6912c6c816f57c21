"""A command in a network namespace of its own reaches the gate, and nothing else.

Where this machine does not allow that, each of these tests checks that it is said, and nothing is started.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from installers.fake_backend import FakeBackend
from installers.witness import LONGEST_WAIT, TREE, Witness, is_held, wait_for_port
from pip_warden.errors import InstallerError, UsageError
from pip_warden.installer import isolate, isolation
from pip_warden.installer.environment import child_environment
from pip_warden.installer.gate_port import INDEX_URL, GatePort
from pip_warden.installer.isolation import Isolation
from pip_warden.installer.pip import Child
from pip_warden.installer.server import Server

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there are no namespaces elsewhere")

PATH = {"PATH": os.defpath}
BY_PYTHON = 1 << (signal.SIGPIPE - 1) | 1 << (signal.SIGXFSZ - 1)
"""The signals that Python ignores, as in ``SigIgn`` of proc_pid_status(5)."""

_ENTER = "import ctypes, sys; sys.exit(ctypes.CDLL(None).unshare(0x10000000 | 0x40000000) != 0)"


@pytest.fixture(scope="module")
def is_allowed() -> bool:
    """Return whether this machine allows what is tested, found out without the code that is tested."""
    policy = Path("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
    if policy.exists() and policy.read_text().strip() == "1":
        return False
    return subprocess.run([sys.executable, "-c", _ENTER], check=False).returncode == 0


@pytest.fixture
def place() -> Iterator[GatePort]:
    made = GatePort()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def child(place: GatePort) -> Child:
    made = Child()
    made.keep_open(place.fileno())
    made.isolate(place)
    return made


@contextlib.contextmanager
def as_allowed(is_allowed: bool) -> Iterator[None]:
    """Expect success where it is allowed, else the error."""
    if is_allowed:
        yield
        return
    with pytest.raises(UsageError) as caught:
        yield
    assert (caught.value.code, caught.value.exit_code) == ("cannot-isolate", 2)
    assert "--isolate-network" in caught.value.hint


def run(child: Child, script: str, *arguments: str, environment: dict[str, str] = PATH) -> list[str]:
    """Run a Python script and return what it prints."""
    lines: list[str] = []
    words = [sys.executable, "-I", "-c", script, *arguments]
    assert child.run(words, environment, lines.append, None) == 0, lines
    return lines


REACH = """
import json, os, socket, sys, urllib.request
index, port, port6, datagrams, name, path = sys.argv[1:]
def reach(family, kind, address, say=b""):
    try:
        with socket.socket(family, kind) as stream:
            stream.settimeout(60)
            stream.connect(address)
            if say:
                stream.send(say)
        return 0
    except OSError as err:
        return err.errno
TCP, UDP = socket.SOCK_STREAM, socket.SOCK_DGRAM
print(json.dumps({
    "gate": urllib.request.urlopen(index).status,
    "loopback": reach(socket.AF_INET, TCP, ("127.0.0.1", int(port))),
    "loopback6": reach(socket.AF_INET6, TCP, ("::1", int(port6))),
    "datagram": reach(socket.AF_INET, UDP, ("127.0.0.1", int(datagrams)), b"out"),
    "elsewhere": reach(socket.AF_INET, UDP, ("192.0.2.1", 9)),
    "elsewhere6": reach(socket.AF_INET6, UDP, ("2001:db8::1", 9)),
    "abstract": reach(socket.AF_UNIX, TCP, "\\0" + name),
    "unix": reach(socket.AF_UNIX, TCP, path),
}))
"""
"""Tries to reach what listens. To connect a datagram socket sends nothing: it looks for a route."""


class Surroundings:
    """What listens on this machine besides the gate."""

    def __init__(self, directory: Path, stack: contextlib.ExitStack) -> None:
        self.loopback = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.datagrams = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self.datagrams.bind(("127.0.0.1", 0))
        self.loopback6 = self.loopback
        with contextlib.suppress(OSError):  # a machine may have no IPv6
            self.loopback6 = stack.enter_context(socket.create_server(("::1", 0), family=socket.AF_INET6))
        self.name = f"pip-warden-{os.getpid()}-{self.loopback.getsockname()[1]}"
        self.path = directory / "socket"
        for address in ("\0" + self.name, str(self.path)):
            stream = stack.enter_context(socket.socket(socket.AF_UNIX))
            stream.bind(address)
            stream.listen()

    def arguments(self) -> list[str]:
        ports = [one.getsockname()[1] for one in (self.loopback, self.loopback6, self.datagrams)]
        return [*map(str, ports), self.name, str(self.path)]

    def heard(self) -> bool:
        """Return whether a datagram has arrived."""
        try:
            return self.datagrams.recv(16, socket.MSG_DONTWAIT) == b"out"
        except BlockingIOError:
            return False


def _reached(tmp_path: Path, *, isolated: bool) -> tuple[dict[str, int], bool]:
    (tmp_path / "backend").mkdir()
    (tmp_path / "private").mkdir()
    place, child = GatePort(), Child()
    if isolated:
        child.isolate(place)
    with contextlib.ExitStack() as stack:
        around = Surroundings(tmp_path, stack)
        server = stack.enter_context(Server(FakeBackend(tmp_path / "backend"), place=place))
        environment = child_environment(PATH, proxy_url=server.proxy_url, private=tmp_path / "private")
        lines = run(child, REACH, f"{INDEX_URL}acme/", *around.arguments(), environment=environment)
        assert (server.denial, server.strays) == (None, ())
        return json.loads(lines[-1]), around.heard()


def test_the_gate_is_all_that_is_reached(tmp_path: Path, is_allowed: bool) -> None:
    with as_allowed(is_allowed):
        reached, heard = _reached(tmp_path, isolated=True)
        assert (reached.pop("gate"), reached.pop("unix"), heard) == (200, 0, False)
        assert reached.pop("elsewhere") == errno.ENETUNREACH
        assert set(reached) == {"loopback", "loopback6", "datagram", "elsewhere6", "abstract"}
        # The datagram is sent, and there is nobody: that is not said at once.
        assert reached.pop("datagram") == 0
        assert 0 not in reached.values()


def test_without_isolation_the_same_is_reached(tmp_path: Path) -> None:
    """Else the test above would show nothing."""
    reached, heard = _reached(tmp_path, isolated=False)
    assert (reached["gate"], reached["loopback"], reached["abstract"], reached["unix"]) == (200, 0, 0, 0)
    assert heard


SELF = """
import json, os, sys
made, outside = sys.argv[1:]
os.mkdir(made)
status = dict(line.partition(":")[::2] for line in open("/proc/self/status"))
def readable(path):
    try:
        return bool(open(path, "rb").read(1))
    except PermissionError:
        return False
print(json.dumps({
    "user": [os.getuid(), os.geteuid(), os.getgid(), os.getegid()],
    "capabilities": {name: int(value, 16) for name, value in status.items() if name.startswith("Cap")},
    "privileges": status["NoNewPrivs"].strip(),
    "descriptors": [number for number in range(256) if os.path.exists(f"/dev/fd/{number}")],
    "own": readable("/proc/self/environ"),
    "outside": readable(f"/proc/{outside}/environ"),
    "supervisor": readable(f"/proc/{os.getppid()}/environ"),
    "interfaces": [line.split(":")[0].strip() for line in open("/proc/net/dev")][2:],
}))
"""


def test_the_command_is_the_user_without_any_capability(
    tmp_path: Path, child: Child, is_allowed: bool
) -> None:
    made = tmp_path / "made"
    with as_allowed(is_allowed):
        found: dict[str, Any] = json.loads(run(child, SELF, str(made), str(os.getpid()))[-1])
        assert found["user"] == [os.getuid(), os.geteuid(), os.getgid(), os.getegid()]
        assert (made.stat().st_uid, made.stat().st_gid) == (os.geteuid(), os.getegid())
        assert found["capabilities"] == dict.fromkeys(["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"], 0)
        assert found["privileges"] == "1"
        assert found["descriptors"] == [0, 1, 2]
        assert "lo" in found["interfaces"]
        assert not {name for _, name in socket.if_nameindex()} & set(found["interfaces"]) - {"lo"}
        assert (found["own"], found["outside"], found["supervisor"]) == (True, False, False)
    assert made.exists() == is_allowed


def test_one_command_after_the_other_has_its_namespace(
    place: GatePort, child: Child, is_allowed: bool
) -> None:
    script = "import os, sys; print(os.readlink('/proc/self/ns/net'), sys.stdin.read())"
    ours, lines = f"{os.readlink('/proc/self/ns/net')} ", list[str]()
    with as_allowed(is_allowed):
        child.begin([sys.executable, "-I", "-c", script], PATH)
        assert child.run([sys.executable, "-I", "-c", script, "told"], PATH, lines.append, None) == 0
        lines += run(child, script)
        # A number may be had again: a namespace ends with its last socket, and the place has both.
        assert len({ours, *lines}) == 3
        assert '"told"' in lines[0]
        assert len(place.sockets) == 3
        assert {one.getsockname() for one in place.sockets} == {("127.0.0.1", place.port)}


def test_a_command_that_cannot_be_started_is_said_as_ever(child: Child, is_allowed: bool) -> None:
    with as_allowed(is_allowed):
        with pytest.raises(InstallerError) as caught:
            child.run(["/none"], PATH, print, None)
        assert (caught.value.code, caught.value.exit_code) == ("pip-failed", 4)
        assert caught.value.message == "expected to start /none, found: No such file or directory"
        assert child.run(["sh", "-c", "exit 127"], PATH, print, None) == 127


def test_the_command_ignores_no_signal(child: Child, is_allowed: bool) -> None:
    lines: list[str] = []
    with as_allowed(is_allowed):
        assert child.run(["grep", "SigIgn", "/proc/self/status"], PATH, lines.append, None) == 0
        assert int(lines[0].split()[1], 16) & BY_PYTHON == 0


def test_a_supervisor_that_cannot_be_started_is_said_as_ever(child: Child, tmp_path: Path) -> None:
    """In a directory that is not there; nothing is left open, which would be a warning, and an error here."""
    with pytest.raises(InstallerError) as caught:
        child.run(["true"], PATH, print, tmp_path / "none")
    assert caught.value.code == "pip-failed"


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[Witness]:
    with Witness(tmp_path / "witness") as made:
        yield made


def test_b08_what_it_left_running_ends_with_it(witness: Witness, child: Child, is_allowed: bool) -> None:
    with as_allowed(is_allowed):
        run(child, TREE, str(witness.path), "command", "leave", "backend", "daemon")
        assert witness.words(3).keys() == {"command", "backend", "daemon"}
        assert witness.all_gone()


def test_b08_a_denial_ends_it(witness: Witness, child: Child, is_allowed: bool) -> None:
    def deny(_line: str) -> None:
        witness.words(3)
        child.end()
        assert witness.all_gone()

    words = [sys.executable, "-I", "-c", TREE, str(witness.path), "command", "stay", "backend", "daemon"]
    with as_allowed(is_allowed):
        assert child.run(words, PATH, deny, None) == -signal.SIGKILL
        witness.wait()


WE = """
import os, sys
from pip_warden.errors import UsageError
from pip_warden.installer.pip import Child
from pip_warden.installer.gate_port import GatePort

place, child = GatePort(), Child()
child.keep_open(place.fileno())
child.isolate(place)
print(place.port, flush=True)
try:
    child.run([sys.executable, "-I", "-c", *sys.argv[1:]], {"PATH": os.defpath}, lambda _: None, None)
except UsageError as err:
    sys.exit(err.code)
"""


@contextlib.contextmanager
def _ourselves(witness: Witness, *children: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Run an isolated command in a process that a test can end; yield that, and the port."""
    words = [sys.executable, "-c", WE, TREE, str(witness.path), "command", "stay", *children]
    with subprocess.Popen(
        words, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield process, int(process.stdout.readline())
        finally:
            process.kill()


def _is_refused(process: subprocess.Popen[str]) -> bool:
    return "cannot-isolate" in process.communicate(timeout=LONGEST_WAIT)[1]


def test_b08_it_ends_with_us_before_the_port_is_free(witness: Witness, is_allowed: bool) -> None:
    with _ourselves(witness, "backend", "daemon") as (process, port):
        if not is_allowed:
            assert _is_refused(process)
            return
        witness.words(3)
        assert is_held(port)
        process.send_signal(signal.SIGKILL)
        wait_for_port(port, witness)


def test_b08_it_ends_with_its_supervisor(witness: Witness, is_allowed: bool) -> None:
    """We are stopped meanwhile: its death signal outlasts that it entered namespaces."""
    with _ourselves(witness) as (process, _):
        if not is_allowed:
            assert _is_refused(process)
            return
        guard = int(witness.words(1)["command"][1])
        process.send_signal(signal.SIGSTOP)
        os.kill(guard, signal.SIGKILL)
        witness.wait()


# What this machine or its policy may refuse, without this machine.

FAKE = """
import os, socket, sys
sys.path.insert(0, os.path.dirname({path!r}))
import isolate

def call(name, *arguments):
    step = name + (str(arguments[0]) if name == "prctl" else "")
    if step == {refused!r}:
        raise OSError({number}, os.strerror({number}), name)

def write(path, text):
    if path == {refused!r}:
        raise OSError({number}, os.strerror({number}), path)

def bring_up(interface):
    if interface == {refused!r}:
        raise OSError({number}, os.strerror({number}))

isolate._call, isolate._write, isolate._bring_up = call, write, bring_up
if {refused!r} != "nothing":
    isolate._listen = lambda port: socket.create_server(("127.0.0.1", 0))
if {refused!r} == "all":
    raise SystemExit("it crashed")
isolate._libc = lambda: type("libc", (), {{"prctl": lambda *_: -1}})
isolate._main(*sys.argv[1:])
raise SystemExit(127)
"""


def _refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, child: Child, refused: str, number: int = errno.EPERM
) -> UsageError:
    """Run a command where one step is refused, and return the error."""
    script, mark = tmp_path / "stage.py", tmp_path / "ran"
    script.write_text(FAKE.format(path=isolate.__file__, refused=refused, number=number))
    monkeypatch.setattr(isolation, "_SCRIPT", script)
    with pytest.raises(UsageError) as caught:
        child.run(["touch", str(mark)], PATH, print, None)
    assert not mark.exists()
    assert (caught.value.code, caught.value.exit_code) == ("cannot-isolate", 2)
    assert "--isolate-network" in caught.value.hint
    return caught.value


@pytest.mark.parametrize(
    ("refused", "number", "found"),
    [
        ("unshare", errno.EPERM, "Operation not permitted (unshare)"),
        ("unshare", errno.ENOSYS, "Function not implemented (unshare)"),
        ("unshare", errno.ENOSPC, "No space left on device (unshare)"),
        ("/proc/self/setgroups", errno.EACCES, "Permission denied (/proc/self/setgroups)"),
        ("/proc/self/uid_map", errno.EPERM, "Operation not permitted (/proc/self/uid_map)"),
        ("/proc/self/gid_map", errno.EPERM, "Operation not permitted (/proc/self/gid_map)"),
        ("lo", errno.EPERM, "Operation not permitted (loopback interface)"),
        ("prctl38", errno.EINVAL, "Invalid argument (prctl)"),
        ("capset", errno.EPERM, "Operation not permitted (capset)"),
        # No step fails, and this is no other namespace: the port is taken.
        ("nothing", 0, "Address already in use (loopback interface)"),
        ("all", 0, "no answer of the process that makes it"),
    ],
)
def test_where_a_step_is_refused_nothing_is_started(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, child: Child, refused: str, number: int, found: str
) -> None:
    error = _refused(monkeypatch, tmp_path, child, refused, number)
    assert error.message == f"expected a network namespace for the command, found {found}"


@pytest.mark.parametrize(("index", "says"), [(0, "AppArmor"), (1, "userns_clone=1"), (2, "max_user_name")])
def test_the_setting_that_forbids_it_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, child: Child, index: int, says: str
) -> None:
    (tmp_path / str(index)).write_text(f"{isolation._POLICIES[index][1]}\n")
    (tmp_path / "2").touch()
    monkeypatch.setattr(
        isolation,
        "_POLICIES",
        [(tmp_path / str(at), bad, advice) for at, (_, bad, advice) in enumerate(isolation._POLICIES)],
    )
    assert says in _refused(monkeypatch, tmp_path, child, "unshare").hint


def test_where_no_setting_is_found_the_container_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, child: Child
) -> None:
    monkeypatch.setattr(isolation, "_POLICIES", ())
    assert "seccomp" in _refused(monkeypatch, tmp_path, child, "unshare").hint


def test_other_systems_have_none(monkeypatch: pytest.MonkeyPatch, place: GatePort) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(UsageError) as caught:
        Isolation(place)
    assert (caught.value.code, caught.value.exit_code) == ("cannot-isolate", 2)
    assert "darwin" in caught.value.message


@pytest.mark.parametrize("failure", [OSError(errno.EMFILE, "too many"), KeyboardInterrupt()])
def test_what_could_not_be_adopted_does_not_begin(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, child: Child, is_allowed: bool, failure: BaseException
) -> None:
    """Its connections would be answered by nobody."""

    def adopt(_place: GatePort, listening: socket.socket) -> None:
        listening.close()
        raise failure

    monkeypatch.setattr(GatePort, "adopt", adopt)
    mark, (end, kept) = tmp_path / "ran", os.pipe()
    child.keep_open(kept)
    expected: Any = type(failure) if is_allowed and not isinstance(failure, OSError) else UsageError
    with pytest.raises(expected) as caught:
        child.run(["touch", str(mark)], PATH, print, None)
    assert expected is not UsageError or caught.value.code == "cannot-isolate"
    assert not mark.exists()
    os.close(kept)
    os.set_blocking(end, False)
    assert os.read(end, 1) == b"", "the supervisor is left"
    os.close(end)


def test_what_the_c_library_refuses_is_an_error() -> None:
    """Not -1 that nobody looks at."""
    with pytest.raises(OSError, match="Invalid argument: 'prctl'"):
        isolate._call("prctl", 1 << 30, 0, 0, 0, 0)
    with pytest.raises(OSError, match="Function not implemented: 'no_such_call'"):
        isolate._call("no_such_call")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no such device elsewhere")
def test_what_cannot_be_written_is_named() -> None:
    """The system that forbids it says so at a write, which was tried once more and then named nothing."""
    with pytest.raises(OSError, match="No space left on device: '/dev/full'"):
        isolate._write("/dev/full", "0 0 1")
