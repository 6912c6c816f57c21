"""A sandbox per module, and a user with an empty project directory and a clean environment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pip_warden.sandbox import Sandbox

_KEPT = frozenset({"PATH", "TMPDIR", "LANG", "PYTHONHASHSEED"})


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Tests use packages of their own in it and disarm what they arm."""
    with Sandbox() as running:
        yield running


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and an environment with nothing but what finds programs."""
    directory = tmp_path / "home"
    directory.mkdir()
    for name in set(os.environ) - _KEPT:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(directory))
    monkeypatch.chdir(directory)
    return directory
