"""B08: pip and its children end when we end, whatever the reason, and the port is not free before that."""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from installers.witness import LONGEST_WAIT, TREE, Witness, is_held, wait_for_port
from pip_warden.errors import InstallerError
from pip_warden.installer import running, supervisor
from pip_warden.installer.lines import lines_of
from pip_warden.installer.pip import Child
from pip_warden.installer.running import Printed, Running

LINUX = pytest.mark.skipif(sys.platform != "linux", reason="not promised elsewhere")
PATH = {"PATH": os.defpath}
BY_PYTHON = 1 << (signal.SIGPIPE - 1) | 1 << (signal.SIGXFSZ - 1)
"""The signals that Python ignores, as in ``SigIgn`` of proc_pid_status(5)."""

WE = """
import os, signal, socket, sys
from pip_warden.installer.pip import Child

# Whoever runs the tests may have it ignored.
signal.signal(signal.SIGHUP, signal.SIG_DFL)

with socket.create_server(("127.0.0.1", 0)) as listening:
    child = Child()
    child.keep_open(listening.fileno())
    environment = {"PATH": os.defpath, "PORT": str(listening.getsockname()[1])}
    child.run([sys.executable, "-c", *sys.argv[1:]], environment, print, None)
"""


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[Witness]:
    with Witness(tmp_path / "witness") as made:
        yield made


def tree(witness: Witness, then: str, *children: str) -> list[str]:
    return [TREE, str(witness.path), "pip", then, *children]


@contextlib.contextmanager
def ourselves(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a Child in a process that a test can end."""
    words = [sys.executable, "-c", WE, *arguments]
    with subprocess.Popen(words, start_new_session=True, stdout=subprocess.DEVNULL) as process:
        try:
            yield process
        finally:
            process.kill()


def run(*arguments: str) -> int:
    return Child().run([sys.executable, "-c", *arguments], PATH, lambda _line: None, None)


@LINUX
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_b08_pip_ends_with_us_before_its_port_is_free(witness: Witness, number: signal.Signals) -> None:
    """A process that got the port would be sent the run's password, and could respond with anything."""
    with ourselves(*tree(witness, "stay", "backend", "daemon")) as process:
        port = int(witness.words(3)["pip"][2])
        assert is_held(port)
        process.send_signal(number)
        wait_for_port(port, witness)


def test_b08_pip_ends_with_us_where_our_group_is_killed(witness: Witness) -> None:
    with ourselves(*tree(witness, "stay", "backend")) as process:
        port = int(witness.words(2)["pip"][2])
        os.killpg(process.pid, signal.SIGKILL)
        wait_for_port(port, witness)


@LINUX
def test_b08_pip_ends_with_its_supervisor(witness: Witness) -> None:
    """We are stopped meanwhile, and can do nothing about it."""
    with ourselves(*tree(witness, "stay")) as process:
        guard = int(witness.words(1)["pip"][1])
        process.send_signal(signal.SIGSTOP)
        os.kill(guard, signal.SIGKILL)
        witness.wait()


def test_b08_we_end_what_a_killed_supervisor_left(witness: Witness) -> None:
    guards = []

    def kill(_line: str) -> None:
        guards.append(int(witness.words(2)["pip"][1]))
        os.kill(guards[0], signal.SIGKILL)

    words = [sys.executable, "-c", *tree(witness, "stay", "backend")]
    assert Child().run(words, PATH, kill, None) == -signal.SIGKILL
    assert len(guards) == 1
    witness.wait()


def test_b08_a_supervisor_that_does_nothing_is_killed(
    witness: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "_LONGEST_WAIT", 0.0)
    child = Child()

    def stop(_line: str) -> None:
        os.kill(int(witness.words(2)["pip"][1]), signal.SIGSTOP)
        child.end()

    words = [sys.executable, "-c", *tree(witness, "stay", "backend")]
    assert child.run(words, PATH, stop, None) == -signal.SIGKILL
    witness.wait()


@LINUX
def test_b08_what_left_the_group_ends_with_pip(witness: Witness) -> None:
    """A daemon that a build left running would go on after the report, with the run's password."""
    assert run(*tree(witness, "leave", "backend", "daemon")) == 0
    assert witness.words(3).keys() == {"pip", "backend", "daemon"}
    assert witness.all_gone()


@LINUX
def test_b08_what_left_the_group_ends_at_a_denial(witness: Witness) -> None:
    child = Child()

    def deny(_line: str) -> None:
        witness.words(3)
        child.end()
        assert witness.all_gone()

    words = [sys.executable, "-c", *tree(witness, "stay", "backend", "daemon")]
    assert child.run(words, PATH, deny, None) == -signal.SIGKILL


@LINUX
def test_b08_no_name_hides_a_child(tmp_path: Path) -> None:
    """A program's name comes before its parent's number, and may look like the rest (proc_pid_stat(5))."""
    program = tmp_path / "x) S 1 (y"
    program.symlink_to(shutil.which("sleep") or "")
    with subprocess.Popen([program, "600"]) as process:
        try:
            assert process.pid in supervisor._children()
        finally:
            process.kill()


def test_b08_what_cannot_be_killed_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_process: int, _number: int) -> None:
        raise PermissionError

    monkeypatch.setattr(supervisor, "_PROC", "/")
    monkeypatch.setattr(supervisor, "_has_children", lambda: True)
    monkeypatch.setattr(supervisor, "_children", lambda: [11])
    monkeypatch.setattr(os, "kill", refuse)
    supervisor._end_descendants()


def test_b08_what_does_not_end_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may hang at a broken disk, and with it the signal that kills it."""
    monkeypatch.setattr(supervisor, "_LONGEST_WAIT", 0.0)
    monkeypatch.setattr(supervisor, "_has_children", lambda: True)
    monkeypatch.setattr(supervisor, "_kill_children", lambda: True)
    supervisor._end_descendants()


@pytest.mark.parametrize("is_orphan", [False, True])
def test_b08_pip_does_not_begin_where_its_supervisor_has_died(
    monkeypatch: pytest.MonkeyPatch, *, is_orphan: bool
) -> None:
    """It died before the death signal was requested, which is then never sent."""
    begun: list[str] = []

    def leave(code: int) -> None:
        raise SystemExit(code)

    monkeypatch.setattr(os, "execvp", lambda file, _words: begun.append(file))
    monkeypatch.setattr(os, "_exit", leave)
    with pytest.raises(SystemExit):
        supervisor._become(["pip"], -1, os.getppid() + is_orphan, lambda *_: 0)
    assert begun == ([] if is_orphan else ["pip"])


ALTERED = """
import sys
from pip_warden.installer import supervisor
exec(sys.argv[1])
supervisor._main(*sys.argv[2:])
"""
ELSEWHERE = "supervisor._prctl = lambda: lambda *_: -1; supervisor._PROC = '/none'"
REAPED = """
import os
gone = os.posix_spawn(sys.executable, [sys.executable, "-c", ""], {})
os.waitpid(gone, 0)
seen, children = [], supervisor._children
supervisor._children = lambda: children() if seen else seen.append(1) or [gone]
"""
NOT_YET = """
seen, children = [], supervisor._children
supervisor._children = lambda: children() if seen else seen.append(1) or []
"""


@contextlib.contextmanager
def altered(how: str, arguments: list[str]) -> Iterator[tuple[socket.socket, subprocess.Popen[bytes]]]:
    """Run a supervisor with replaced parts, and without a parent that would kill its group."""
    ours, theirs = socket.socketpair()
    command = [sys.executable, "-c", ALTERED, how, str(theirs.fileno()), "-", sys.executable, "-c"]
    with (
        ours,
        subprocess.Popen(
            [*command, *arguments],
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=[theirs.fileno()],
        ) as process,
    ):
        theirs.close()
        yield ours, process


@pytest.mark.parametrize(("then", "said"), [("stay", b""), ("leave", b"ended 0\n")])
def test_b08_where_there_is_neither_prctl_nor_proc_the_group_ends(
    witness: Witness, then: str, said: bytes
) -> None:
    with altered(ELSEWHERE, tree(witness, then, "backend")) as (link, process):
        witness.words(2)
        if then == "stay":
            link.shutdown(socket.SHUT_WR)
        assert link.recv(64) == said
        witness.wait()
        assert process.wait() == -signal.SIGKILL


@LINUX
@pytest.mark.parametrize("how", [REAPED, NOT_YET], ids=["reaped", "not yet"])
def test_b08_a_child_that_is_reaped_between_looking_and_killing(witness: Witness, how: str) -> None:
    """The thread that waits for pip reaps it too, and its children become ours at that moment."""
    with altered(how, tree(witness, "stay", "backend", "daemon")) as (link, process):
        witness.words(3)
        link.shutdown(socket.SHUT_WR)
        assert process.wait() == -signal.SIGKILL
        assert witness.all_gone()


GIVES_AWAY = """
import socket, sys
with socket.socket(socket.AF_UNIX) as other:
    other.connect(sys.argv[1])
    socket.send_fds(other, [b"x"], [1])
    other.recv(1)
print("last words")
"""


@pytest.mark.parametrize("floods", [False, True])
def test_b08_an_end_is_an_end_whoever_holds_the_stream(tmp_path: Path, floods: bool) -> None:
    """A daemon that is not its descendant, or cannot be killed: another user's, or without subreapers."""
    kept: list[int] = []
    over = threading.Event()

    def flood() -> None:
        with contextlib.suppress(OSError):
            while not over.is_set():
                os.write(kept[0], b"x" * 4096)

    def hold() -> None:
        other, _ = listening.accept()
        with other:
            kept.extend(socket.recv_fds(other, 1, 1)[1])
            if floods:
                threading.Thread(target=flood, daemon=True).start()
            other.send(b"x")

    path, lines, codes = str(tmp_path / "s"), list[str](), list[int]()
    words = [sys.executable, "-c", GIVES_AWAY, path]
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        threading.Thread(target=hold, daemon=True).start()
        # In a thread, so that a run that hangs fails only this test.
        running = threading.Thread(
            target=lambda: codes.append(Child().run(words, PATH, lines.append, None)), daemon=True
        )
        running.start()
        running.join(LONGEST_WAIT)
        over.set()
        os.close(kept[0])
    assert codes == [0]
    assert floods or lines == ["last words"]


def test_b08_what_was_printed_last_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """It arrives after the stream was checked, and before the end was: one call checks both."""
    stream, writer = os.pipe()
    looks = [{7}, {stream}, set[int]()]

    def look(*_descriptors: int, timeout: float | None) -> set[int]:
        if timeout is None:
            os.write(writer, b"last words\n")
        return looks.pop(0)

    monkeypatch.setattr(running, "_readable", look)
    try:
        assert list(lines_of(io.BufferedReader(Printed(stream, 7)))) == ["last words"]
    finally:
        os.close(stream)
        os.close(writer)


def test_b08_what_goes_on_printing_after_the_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = iter([b"1234"] * 3)

    def read(_descriptor: int, buffers: list[memoryview]) -> int:
        buffers[0][:4] = next(pieces)
        return 4

    monkeypatch.setattr(running, "_LEFT_OVER", 10)
    monkeypatch.setattr(running, "_readable", lambda *_descriptors, **_options: {6, 7})
    monkeypatch.setattr(os, "readv", read)
    assert list(lines_of(io.BufferedReader(Printed(6, 7)))) == ["123412341234"]


@pytest.mark.parametrize("code", [0, 1, 2, 127, 255, -signal.SIGTERM, -signal.SIGKILL, -signal.SIGSEGV])
def test_b08_how_pip_ended_is_passed_on(code: int) -> None:
    how = f"os._exit({code})" if code >= 0 else f"os.kill(os.getpid(), {-code})"
    assert run(f"import os; {how}") == code


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_b08_a_signal_to_its_own_group_ends_all_of_it(number: signal.Signals) -> None:
    """Scripts clean up with ``kill 0``, and the supervisor is in that group.

    The signal may be one that is ignored where the tests run.
    """
    script = (
        f"import os, signal, time; signal.signal({int(number)}, signal.SIG_DFL); "
        f"os.killpg(0, {int(number)}); time.sleep(600)"
    )
    assert run(script) in {-signal.SIGKILL, -number}


def test_b08_pip_inherits_neither_link_nor_socket() -> None:
    script = """
import os
for number in range(256):
    try:
        os.fstat(number)
    except OSError:
        continue
    print(number)
"""
    lines: list[str] = []
    child = Child()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        child.keep_open(listening.fileno())
        assert child.run([sys.executable, "-c", script], PATH, lines.append, None) == 0
    assert lines == ["0", "1", "2"]


@LINUX
def test_the_command_ignores_no_signal() -> None:
    """Python ignores two, and what it executes would go on to do so."""
    lines: list[str] = []
    assert Child().run(["grep", "SigIgn", "/proc/self/status"], PATH, lines.append, None) == 0
    assert int(lines[0].split()[1], 16) & BY_PYTHON == 0


def test_b08_one_after_the_other() -> None:
    child = Child()
    lines: list[str] = []
    for number in range(3):
        assert child.run([sys.executable, "-c", f"print({number})"], PATH, lines.append, None) == 0
    with pytest.raises(InstallerError) as caught:
        child.run(["/none"], PATH, lines.append, None)
    assert (caught.value.code, caught.value.exit_code) == ("pip-failed", 4)
    assert child.run([sys.executable, "-c", "print(3)"], PATH, lines.append, None) == 0
    assert lines == ["0", "1", "2", "3"]


def test_b08_an_interrupted_end_is_an_end_all_the_same(
    witness: Witness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal arrives while it is being ended for another reason.

    The removal of the workspace, which comes next, relies on no process being left.
    """
    child, end, calls = Child(), Running.end, []

    def interrupted(running: Running) -> None:
        calls.append(running)
        if len(calls) == 1:
            raise KeyboardInterrupt
        end(running)

    def leave(_line: str) -> None:
        witness.words(2)
        raise BrokenPipeError

    monkeypatch.setattr(Running, "end", interrupted)
    with pytest.raises(KeyboardInterrupt):
        child.run([sys.executable, "-c", *tree(witness, "stay", "backend")], PATH, leave, None)
    witness.wait()


def test_b08_the_supervisor_leads_its_session_or_does_nothing(tmp_path: Path) -> None:
    """It kills its group at the end; run by hand, that would be the shell's."""
    mark = tmp_path / "ran"
    words = [sys.executable, "-I", "-S", supervisor.__file__, "0", "-", "touch", str(mark)]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr, mark.exists()) == (1, "expected to lead a session\n", False)
