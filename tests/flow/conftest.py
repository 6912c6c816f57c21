"""An environment copied per test, and a user who types commands."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from flow.user import User
from pip_warden.sandbox import Sandbox


@pytest.fixture(scope="session")
def empty_environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment without pip, created once and copied for each test."""
    target = tmp_path_factory.mktemp("environments") / "empty"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(target)], check=True)
    return target


@pytest.fixture
def user(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_environment: Path
) -> Iterator[User]:
    target = tmp_path / "env"
    shutil.copytree(empty_environment, target, symlinks=True)
    for name in ("VIRTUAL_ENV", "CI", "CI_JOB_TOKEN", "CI_SERVER_URL", "COLUMNS", "NETRC"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "home"
    home.mkdir()
    yield User(
        sandbox=sandbox,
        home=home,
        patch=monkeypatch,
        target=target,
        token=sandbox.token(scopes=("api",)),
    )
    sandbox.faults.clear()
