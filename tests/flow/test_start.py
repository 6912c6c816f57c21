"""What a run loads and starts, counted: start-up is most of what a small install costs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from flow.user import User
from pip_warden.cli.install import _begun
from pip_warden.installer import supervisor
from pip_warden.installer.options import parse_arguments
from pip_warden.installer.surroundings import Surroundings

PROGRAM = """
import gc, json, subprocess, sys
started = []
def note(event, arguments):
    if event == "subprocess.Popen":
        started.append([str(word) for word in arguments[1]])
sys.addaudithook(note)
searched = []
class Installed:
    def find_spec(self, *_): return None
    def find_distributions(self, *_):
        searched.append(1)
        return ()
sys.meta_path.insert(0, Installed())
before = sum(generation["collections"] for generation in gc.get_stats())
from pip_warden.cli import safe_install_main
try:
    safe_install_main()
finally:
    with open("told", "w") as stream:
        looked = sum(generation["collections"] for generation in gc.get_stats()) - before
        told = {"modules": [*sys.modules], "started": started, "searched": len(searched)}
        told |= {"looked": looked, "frozen": gc.get_freeze_count()}
        json.dump(told, stream)
"""
NEVER = {
    "asyncio",
    "anyio",
    "starlette",
    "uvicorn",
    "bs4",
    "pypi_simple",
    "keyring",
    "pip_api",
    "pip_requirements_parser",
    "requests_toolbelt",
    "rich",
    "tomlkit",
    "twine",
    "email.policy",
    *(
        f"pip_warden.{name}"
        for name in (
            "artifact.local",
            "artifact.pyproject",
            "artifact.sdist",
            "evidence.siblings",
            "explain",
            "install.keep",
            "install.with_uv",
            "installer.downloads",
            "installer.uv",
            "installer.uv_options",
        )
    ),
}
HEAVY = {"sigstore", "cryptography", "pydantic", "requests", "h11", "email", "zipfile"}
MOST = 900
"""A fence, not a goal: a run loads 812 modules, and sigstore brings a third of them."""


def ran(user: User, *words: str) -> dict[str, Any]:
    """Run safe-install as a process; return what it told in the end."""
    return started_with(PROGRAM, words, user.home)


def started_with(program: str, words: Sequence[str], directory: Path, code: int = 0) -> dict[str, Any]:
    """Run a program in a directory; return what it told there in the end.

    It is given the variables that Python knows of: a terminal's library may have set a width behind its back.
    """
    command = [sys.executable, "-c", program, *words]
    environment = dict(os.environ)
    done = subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stderr
    found: dict[str, Any] = json.loads((directory / "told").read_text())
    return found


def told(user: User, *words: str) -> tuple[set[str], list[list[str]]]:
    """Run safe-install; return the modules that it loaded, and the processes that it started."""
    found = ran(user, *words)
    return set(found["modules"]), found["started"]


@pytest.mark.interop
def test_a_run_does_not_look_for_cycles_in_what_it_loaded(user: User) -> None:
    name = user.published().record.name
    found = ran(user, "--target", str(user.home / "target"), name)

    assert found["looked"] < 3  # before ours is loaded, Python looks as often as it always does
    assert found["frozen"] > len(found["modules"])


@pytest.mark.interop
def test_a_run_asks_no_other_distribution_for_plugins(user: User) -> None:
    """One of pydantic's could have its own idea of what a trust file says."""
    name = user.published().record.name
    assert ran(user, "--target", str(user.home / "target"), name)["searched"] == 0


def test_a_run_of_wheels_loads_only_what_it_needs_and_starts_only_pip(user: User) -> None:
    name = user.published().record.name
    modules, started = told(user, "--target", str(user.home / "target"), name)

    assert modules & NEVER == set()
    assert len(modules) < MOST
    (pip,) = started
    assert supervisor.__file__ in pip


@pytest.mark.interop
def test_another_python_is_asked_once(user: User) -> None:
    name = user.published().record.name
    _, started = told(user, "--python", str(user.target), name)

    assert [words[0] for words in started] == [str(user.target / "bin" / "python"), sys.executable]


@pytest.mark.parametrize(("word", "code"), [("--help", 0), ("--no-such-option", 2)])
def test_what_ends_at_once_loads_nothing_heavy(word: str, code: int, tmp_path: Path) -> None:
    found = started_with(PROGRAM, [word], tmp_path, code)

    assert set(found["modules"]) & (NEVER | HEAVY) == set()
    assert found["started"] == []


@pytest.mark.parametrize("error", [OSError, RuntimeError])
def test_what_cannot_be_begun_takes_no_room_from_the_run(
    error: type[Exception], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begin(_surroundings: Surroundings) -> None:
        assert [*tmp_path.iterdir()] != []
        raise error

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(Surroundings, "begin", begin)
    monkeypatch.setenv("VIRTUAL_ENV", sys.prefix)

    with _begun(parse_arguments(("acme",))) as surroundings:
        assert surroundings is None
        assert [*tmp_path.iterdir()] == []
