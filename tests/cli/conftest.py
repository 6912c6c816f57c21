"""A user at a terminal who has no trust file yet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.terminal import Person
from pip_warden.sandbox import Sandbox

_FOREIGN = (
    "CI", "CI_JOB_TOKEN", "CI_SERVER_URL", "CLICOLOR", "CLICOLOR_FORCE", "COLUMNS", "FORCE_COLOR",
    "GITLAB_TOKEN", "GITLAB_URL", "NETRC", "NO_COLOR", "PIP_WARDEN_CACHE_DIR",
    "PIP_WARDEN_MIRROR_INDEX", "PIP_WARDEN_MIRROR_PYPI",
)  # fmt: skip


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, with no files above it and a clean environment."""
    home = tmp_path / "home"
    home.mkdir()
    for name in _FOREIGN:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home)
    return home


@pytest.fixture
def person(sandbox: Sandbox, alone: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Person]:
    """A user whose token reads everything and whose trusted root is in another directory than the project."""
    there = alone.parent / "roots"
    there.mkdir()
    someone = Person(sandbox=sandbox, home=alone, root=sandbox.write_trust(there), patch=monkeypatch)
    someone.use_token(sandbox.token(scopes=("api",)))
    yield someone
    sandbox.faults.clear()
