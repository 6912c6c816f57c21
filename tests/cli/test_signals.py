"""How a signal ends a run: once, in order, with one line and the exit code that a shell gives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any, cast

import click
import pytest

from pip_warden.cli import signals
from pip_warden.cli.run import run
from pip_warden.cli.session import open_workspace
from pip_warden.cli.signals import SignalledError, deferring_signals

ENDINGS = [
    (signal.SIGINT, 130, "interrupted"),
    (signal.SIGTERM, 143, "ended by SIGTERM"),
    (signal.SIGHUP, 129, "ended by SIGHUP"),
]
LONGEST_WAIT = 60.0
HANDLED = [number for number, _, _ in ENDINGS]


def tell(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


@pytest.fixture(autouse=True)
def _survive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Otherwise an unhandled signal would end the tests."""

    def unheard(number: int, _frame: object) -> None:
        raise AssertionError(f"nobody handled {number}")

    before = {number: signal.signal(number, unheard) for number in HANDLED}
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize(("number", "code", "line"), ENDINGS)
def test_b08_signal_ends_the_run_in_order(
    number: signal.Signals, code: int, line: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    seen: list[Path] = []

    @click.command()
    def command() -> None:
        with open_workspace() as workspace:
            seen.append(workspace)
            (workspace / "file").touch()
            tell(number)
            pytest.fail("it went on")

    assert run(command, "x", []) == code
    out, err = capsys.readouterr()
    assert (out, err.split()) == ("", line.split())
    assert [path.exists() for path in seen] == [False]
    with pytest.raises(AssertionError, match="nobody"):
        tell(number)


@pytest.mark.parametrize(("number", "code", "line"), ENDINGS)
def test_b08_what_python_makes_of_a_signal_is_no_bug(
    number: signal.Signals, code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where one comes in the middle of ``from … import``, it raises a TypeError of its own."""

    @click.command()
    def command() -> None:
        try:
            tell(number)
        except BaseException as err:
            raise TypeError("expected a message argument") from err

    assert run(command, "x", []) == code
    assert capsys.readouterr().err.split() == line.split()


def test_b08_a_bug_after_a_run_that_was_ended_is_one(capsys: pytest.CaptureFixture[str]) -> None:
    @click.command()
    def ended() -> None:
        tell(signal.SIGINT)

    @click.command()
    def command() -> None:
        raise TypeError("x")

    assert run(ended, "x", []) == 130
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(run(command, "x", [])))
    thread.start()
    thread.join()
    assert codes == [70]
    assert "[bug]" in capsys.readouterr().err


@pytest.mark.parametrize("second", HANDLED)
def test_b08_second_signal_changes_nothing(second: signal.Signals) -> None:
    cleaned: list[str] = []

    @click.command()
    def command() -> None:
        try:
            tell(signal.SIGTERM)
        finally:
            tell(second)
            cleaned.append("all")

    assert (run(command, "x", []), cleaned) == (143, ["all"])


def test_b08_the_first_of_two_signals_that_wait_is_the_one_that_ends() -> None:
    @click.command()
    def command() -> None:
        with deferring_signals():
            tell(signal.SIGTERM)
            tell(signal.SIGHUP)

    assert run(command, "x", []) == 143


@pytest.mark.parametrize("number", HANDLED)
def test_b08_ignored_signal_stays_ignored(number: signal.Signals) -> None:
    """nohup, and background jobs of a shell."""
    signal.signal(number, signal.SIG_IGN)
    done: list[bool] = []

    @click.command()
    def command() -> None:
        tell(number)
        done.append(True)

    assert (run(command, "x", []), done) == (0, [True])
    assert signal.getsignal(number) is signal.SIG_IGN


def test_b08_what_is_unbroken_is_done_first(tmp_path: Path) -> None:
    done: list[str] = []

    @click.command()
    def command() -> None:
        with deferring_signals():
            with deferring_signals():
                tell(signal.SIGTERM)
            done.append("inside")
        done.append("outside")

    assert (run(command, "x", []), done) == (143, ["inside"])


def test_b08_first_signal_while_the_workspace_is_removed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import tempfile

    cleanup = tempfile.TemporaryDirectory.cleanup

    def told(directory: tempfile.TemporaryDirectory[str]) -> None:
        tell(signal.SIGTERM)
        cleanup(directory)

    monkeypatch.setattr(tempfile.TemporaryDirectory, "cleanup", told)

    @click.command()
    def command() -> None:
        with open_workspace():
            pass

    assert run(command, "x", []) == 143
    assert list(tmp_path.iterdir()) == []


def test_b08_workspace_into_which_something_is_still_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A thread that is not joined creates a file between the listing of the directory and its removal."""
    rmdir = os.rmdir
    late: list[str] = []

    def busy(path: str, **options: int | None) -> None:
        if len(late) < 3:
            (Path(workspace) / f"late{len(late)}").touch()
            late.append(path)
        rmdir(path, **options)

    with open_workspace() as workspace:
        monkeypatch.setattr(os, "rmdir", busy)
    assert (len(late), list(tmp_path.iterdir())) == (3, [])


def test_b08_signal_that_no_system_call_was_interrupted_by() -> None:
    """It arrived on another thread: Python has noted it, and the main thread waits for a silent pip."""
    reader, writer = os.pipe()
    waiting, ended = threading.Event(), threading.Event()
    late: list[bool] = []

    def send() -> None:
        waiting.wait()
        # To this thread.
        signal.pthread_kill(threading.get_ident(), signal.SIGTERM)
        if not ended.wait(LONGEST_WAIT):
            late.append(True)
            os.write(writer, b"x")

    @click.command()
    def command() -> None:
        thread.start()
        waiting.set()
        os.read(reader, 1)

    thread = threading.Thread(target=send)
    assert run(command, "x", []) == 143
    ended.set()
    thread.join()
    os.close(writer)
    os.close(reader)
    assert late == []


def test_b08_signal_while_something_is_imported() -> None:
    """An exception between the locks of Python's import would leave one locked.

    Every thread that imports would then wait for ever.
    """
    state = signals._RunState()
    frame = SimpleNamespace(f_code=SimpleNamespace(co_filename="<frozen importlib._bootstrap>"))
    state.hear(signal.SIGTERM, cast("FrameType", frame))
    with pytest.raises(SignalledError):
        state.end(signals._NUDGE, None)
    state.end(signals._NUDGE, None)


def test_b08_command_with_handlers_of_its_own() -> None:
    """The sandbox: SIGTERM ends it cleanly, and the handler that is restored is not called."""
    heard: list[int] = []
    again = threading.Event()

    @click.command()
    def command() -> None:
        before = signal.signal(signal.SIGTERM, lambda number, _frame: heard.append(number))
        tell(signal.SIGTERM)
        signal.signal(signal.SIGTERM, before)
        again.wait(3 * signals._AGAIN)

    assert (run(command, "x", []), heard) == (0, [signal.SIGTERM])


def test_b08_no_exception_is_told_from_a_signal() -> None:
    assert not issubclass(SignalledError, Exception)


def test_b08_the_process_does_not_wait_for_threads(tmp_path: Path) -> None:
    """A pool's thread waits for a registry; Python would wait for it at the end."""
    script = """
import os, signal, sys, threading
from concurrent.futures import ThreadPoolExecutor
import click
import pip_warden.cli.install, pip_warden.cli

@click.command()
def command():
    pool = ThreadPoolExecutor(1)
    pool.submit(threading.Event().wait)
    print("said", end="")
    os.kill(os.getpid(), signal.SIGTERM)

pip_warden.cli.install.safe_install = command
pip_warden.cli.safe_install_main()
"""
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (143, "said", "\nended by SIGTERM\n")


def test_b08_terminal_that_was_closed() -> None:
    """The reader of our output is gone, which is why SIGHUP came."""
    script = """
import os, signal, sys
import click
import pip_warden.cli.install, pip_warden.cli

signal.signal(signal.SIGHUP, signal.SIG_DFL)

@click.command()
def command():
    os.kill(os.getpid(), signal.SIGHUP)

pip_warden.cli.install.safe_install = command
pip_warden.cli.safe_install_main()
"""
    read, write = os.pipe()
    os.close(read)
    try:
        ended = subprocess.run(
            [sys.executable, "-c", script], stdout=write, stderr=write, check=False, timeout=60
        )
    finally:
        os.close(write)
    assert ended.returncode == 129


@pytest.mark.parametrize("entry", ["main", "safe_install_main"])
@pytest.mark.parametrize(
    "when", ["library_logging.configure_logging", "signals.leave"], ids=["before", "after"]
)
def test_b08_interrupted_where_nothing_has_begun_or_all_is_done(entry: str, when: str) -> None:
    """Imports take most of a short command's time: there is nothing to clean up, and no traceback to show."""
    script = f"""
import os, signal, sys
import pip_warden.cli, pip_warden.cli.library_logging, pip_warden.cli.signals

signal.signal(signal.SIGINT, signal.default_int_handler)
pip_warden.cli.{when} = lambda *_: os.kill(os.getpid(), signal.SIGINT)
sys.argv[1:] = ["--version"]
pip_warden.cli.{entry}()
"""
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60
    )
    assert (ended.returncode, ended.stderr) == (-signal.SIGINT, "")


def test_b08_who_ignores_interrupts_goes_on_ignoring_them() -> None:
    """A shell starts background jobs so."""
    script = """
import os, signal, sys
import pip_warden.cli, pip_warden.cli.library_logging

signal.signal(signal.SIGINT, signal.SIG_IGN)
pip_warden.cli.library_logging.configure_logging = lambda *_: os.kill(os.getpid(), signal.SIGINT)
sys.argv[1:] = ["--version"]
pip_warden.cli.safe_install_main()
"""
    ended = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=60
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_b08_first_signal_while_the_demo_is_removed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It works in a directory of its own, which contains an environment."""
    import shutil

    from pip_warden.cli import demo

    rmtree = shutil.rmtree

    def told(*args: Any, **options: Any) -> None:
        tell(signal.SIGTERM)
        rmtree(*args, **options)

    sandbox = SimpleNamespace(gitlab_url="", write_trust=lambda directory: (directory / "file").touch())
    monkeypatch.setattr("pip_warden.sandbox.world.Sandbox", lambda: nullcontext(sandbox))
    monkeypatch.setattr("pip_warden.sandbox.example.fill", lambda _sandbox: None)
    for name, value in {"_environment": lambda *_: {}, "_promise": lambda _: [], "_ATTACKS": ()}.items():
        monkeypatch.setattr(demo, name, value)
    monkeypatch.setattr(shutil, "rmtree", told)
    assert run(demo.command, "demo", []) == 143
    assert list(tmp_path.iterdir()) == []
