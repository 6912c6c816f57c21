"""A user with a trust file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from flow.user import User
from pip_warden.sandbox import Sandbox


@pytest.fixture
def user(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[User]:
    for name in ("VIRTUAL_ENV", "CI", "CI_JOB_TOKEN", "CI_SERVER_URL", "COLUMNS", "NETRC"):
        monkeypatch.delenv(name, raising=False)
    home = tmp_path / "home"
    home.mkdir()
    yield User(
        sandbox=sandbox,
        home=home,
        patch=monkeypatch,
        target=tmp_path / "no-environment",
        token=sandbox.token(scopes=("api",)),
    )
    sandbox.faults.clear()
