"""B08: a run that is ended or killed leaves no pip, no build, no open port and nothing installed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from flow.user import User
from hearing import in_a_terminal
from installers.witness import LONGEST_WAIT, Witness, is_held, wait_for_port
from ordinary import parametrized
from pip_warden.sandbox import Project
from pip_warden.sandbox.faults import Hold

SAFE_INSTALL = Path(sys.executable).with_name("safe-install")
ENDINGS = [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]

DAEMON = (
    "import sys, time; pipe = open(sys.argv[1], 'a'); print('daemon', file=pipe, flush=True); time.sleep(600)"
)
BACKEND = """
import os, subprocess, sys
subprocess.Popen([sys.executable, "-c", {daemon!r}, {path!r}], start_new_session=True)
pipe = open({path!r}, "a")
print("backend", os.environ["HTTP_PROXY"], file=pipe, flush=True)
open({path!r} + ".never").read()
"""
"""Never ends: nothing is written into that pipe."""


@pytest.fixture
def witness(user: User) -> Iterator[Witness]:
    with Witness(user.home / "witness") as made:
        yield made


@pytest.fixture
def blocked(user: User, witness: Witness) -> Project:
    """An accepted sdist whose build blocks, and has left a daemon behind."""
    os.mkfifo(f"{witness.path}.never")
    project = user.project()
    user.pin(project)
    backend = BACKEND.format(path=str(witness.path), daemon=DAEMON)
    user.sandbox.publish(project, [user.sdist(project, files={"_backend/sandbox_backend.py": backend})])
    return project


def started(user: User, *words: str) -> AbstractContextManager[subprocess.Popen[str]]:
    """Type safe-install in a terminal of its own."""
    return in_a_terminal(user.home, str(SAFE_INSTALL), "--python", str(user.target), *words)


def port_of(witness: Witness) -> int:
    """Wait until the build blocks; return the port of the loopback server, whose password the build knows."""
    return urlsplit(witness.words(2)["backend"][0]).port or 0


def test_b08_killed_in_a_build(user: User, witness: Witness, blocked: Project) -> None:
    before = user.snapshot()
    with started(user, blocked.record.name) as process:
        port = port_of(witness)
        assert is_held(port)
        process.kill()
        wait_for_port(port, witness)
    assert user.snapshot() == before


@pytest.mark.parametrize(("number", "code"), ENDINGS[:1])
def test_b08_told_to_end_in_a_build(
    user: User, witness: Witness, blocked: Project, number: signal.Signals, code: int
) -> None:
    before = user.snapshot()
    with started(user, blocked.record.name) as process:
        port = port_of(witness)
        process.send_signal(number)
        # A second one changes neither the exit code nor what is cleaned up.
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=LONGEST_WAIT)
    assert process.returncode == code
    assert witness.all_gone()
    assert not is_held(port)
    assert not list((user.home / "tmp").iterdir())
    assert user.snapshot() == before
    last = "interrupted" if number == signal.SIGINT else f"ended by {number.name}"
    assert said.splitlines()[-2:] == ["", last]


@parametrized(("number", "code"), ENDINGS[1:], ordinary={0})
def test_b08_told_to_end_in_a_download(user: User, number: signal.Signals, code: int) -> None:
    """It does not wait for the registry, which never answers."""
    project = user.published()
    hold = Hold()
    user.sandbox.fault(hold, f"{project.record.name}-1.0-py3", origin="gitlab")
    with started(user, "--timings", "trace.json", project.record.name) as process:
        assert hold.reached.wait(LONGEST_WAIT)
        process.send_signal(number)
        process.communicate(timeout=LONGEST_WAIT)
        hold.until.set()
    assert process.returncode == code
    assert not list((user.home / "tmp").iterdir())
    assert user.installed() == {}
    events = json.loads((user.home / "trace.json").read_text())["traceEvents"]
    requests = [event for event in events if event.get("cat") == "request"]
    unanswered = [event["name"] for event in requests if "status" not in event["args"]]
    assert any(f"/{project.record.name}-1.0-py3" in name for name in unanswered), "what never came is shown"
    assert not list(user.home.glob(".pip-warden-*"))


@parametrized("number", [signal.SIGSEGV, *sorted({35, 63} & signal.valid_signals())], ordinary={0})
def test_b08_pip_that_a_signal_ended_is_a_failure_of_the_installer(user: User, number: int) -> None:
    """Python has no names for real-time signals (signal(7))."""
    project = user.project()
    user.pin(project)
    backend = f"import os, time; os.kill(os.getppid(), {int(number)}); time.sleep(600)"
    user.sandbox.publish(project, [user.sdist(project, files={"_backend/sandbox_backend.py": backend})])
    run = user.install(project.record.name)
    assert (run.code, run.codes, user.installed()) == (4, {"pip-failed"}, {})
    assert f"found signal {'SIGSEGV' if number == signal.SIGSEGV else number}" in run.output
