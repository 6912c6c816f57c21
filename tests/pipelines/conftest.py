"""What the tests of pipelines share."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in an empty directory, which is returned."""
    place = tmp_path / "alone"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """Return a directory with a pip-warden that writes down its arguments, and files to be found."""
    (tmp_path / "bin").mkdir()
    script = tmp_path / "bin" / "pip-warden"
    script.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" END >>{tmp_path}/told\n', encoding="utf-8")
    script.chmod(0o755)
    for name in ("dist/a.whl", "my dist/a b.whl", "my dist/c.whl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    return tmp_path
