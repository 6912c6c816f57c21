"""Scenarios are directories: what the index has, what is needed, the trust file before and after, a command.

``README.md`` says why; ``pytrust.toml`` is the trust file before, ``after.toml`` the whole of it after, where
it changes; ``scenario.toml`` says the rest. ``committed.toml`` is what the trust file was in the only commit
of a git repository. Any other file is put into the working directory. A new scenario needs no new code; the
placeholders of its texts are those of ``stage``.

All of it is in one directory, and so is the home directory (``home``, the same by default). Below it are the
working directory (``in``), the root of a repository (``git``) and the trust file's directory (``trust``),
each where the scenario says so. No other trust file is changed, or made but in the directory ``made``.
"""

from __future__ import annotations

import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pip_warden.sandbox import Sandbox
from scenario import check_ending
from upkeep.stage import Stage, staged

SCENARIOS = Path(__file__).parent / "scenarios"
NAMES = sorted(path.name for path in SCENARIOS.iterdir() if path.is_dir())
OWN = {"README.md", "scenario.toml", "pytrust.toml", "after.toml", "committed.toml"}
TRUST = "pytrust.toml"


def _scenario(name: str) -> dict[str, Any]:
    return tomllib.loads((SCENARIOS / name / "scenario.toml").read_text(encoding="utf-8"))


@pytest.fixture
def stage(
    sandbox: Sandbox, home: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Stage]:
    name = str(request.node.callspec.params["name"])
    scenario, directory = _scenario(name), SCENARIOS / name
    with staged(sandbox, home, name, scenario) as stage:
        for place in ("in", "git", "home"):
            (home / scenario.get(place, "")).mkdir(parents=True, exist_ok=True)
        if "git" in scenario:
            (home / scenario["git"] / ".git").mkdir()
        monkeypatch.setenv("HOME", str(home / scenario.get("home", "")))
        monkeypatch.chdir(home / scenario.get("in", ""))
        for file in directory.iterdir():
            if file.name not in OWN:
                Path(file.name).write_text(stage.filled(file.read_text(encoding="utf-8")), encoding="utf-8")
        if (directory / "committed.toml").exists():
            _commit(home, stage.filled((directory / "committed.toml").read_text(encoding="utf-8")))
        yield stage


def _commit(directory: Path, text: str) -> None:
    """Make a repository of a directory, with a trust file and its root in a commit."""
    (directory / TRUST).write_text(text, encoding="utf-8")
    named = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    for words in (("init", "-b", "main"), ("add", "-A"), (*named, "commit", "-m", "x")):
        subprocess.run(["git", *words], cwd=directory, check=True, capture_output=True)


@pytest.mark.parametrize("name", NAMES)
def test_the_scenario_ends_as_it_says(name: str, stage: Stage) -> None:
    directory, scenario = SCENARIOS / name, _scenario(name)
    trust = stage.home / scenario.get("made", scenario.get("trust", "")) / TRUST
    before = stage.filled((directory / TRUST).read_text(encoding="utf-8"))
    (stage.home / scenario.get("trust", "") / TRUST).write_text(before, encoding="utf-8")
    files = {path: path.read_bytes() for path in stage.home.rglob(TRUST) if path != trust}
    stage.sandbox.clear_requests()

    code, said = stage.run(scenario["command"], scenario.get("answers"))

    check_ending(scenario, code, said, sandbox=stage.sandbox, filled=stage.filled)
    after = before
    if (directory / "after.toml").exists():
        after = stage.filled((directory / "after.toml").read_text(encoding="utf-8"))
    assert trust.read_text(encoding="utf-8") == after, said
    if "after.toml" in {path.name for path in directory.iterdir()} and scenario.get("settles", True):
        assert stage.run(scenario["command"], None)[0] == scenario.get("again", 0)
        assert trust.read_text(encoding="utf-8") == after
    assert {path: path.read_bytes() for path in stage.home.rglob(TRUST) if path != trust} == files


@pytest.mark.parametrize("name", NAMES)
def test_the_scenario_says_why(name: str) -> None:
    assert len((SCENARIOS / name / "README.md").read_text(encoding="utf-8")) > 40
