"""What ``pip-warden sandbox`` prints and writes; tests/test_readme.py types it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pip_warden.cli.sandbox import _introduction, _typed, _write_environment
from pip_warden.report.layout import Layout
from pip_warden.sandbox import Sandbox


@pytest.mark.parametrize(
    ("path", "typed"),
    [("sandbox/env", "sandbox/env"), ("env", "./env"), ("my box/env", "'my box/env'"), ("/a/env", "/a/env")],
)
def test_a_file_is_named_as_a_shell_reads_it(path: str, typed: str) -> None:
    assert _typed(Path(path)) == typed


def test_the_file_to_be_sourced_is_for_its_owner_alone(sandbox: Sandbox, alone: Path) -> None:
    path = alone / "env"
    path.write_text("of an earlier run")
    path.chmod(0o644)

    _write_environment(sandbox, path, empty=True)

    assert path.stat().st_mode & 0o777 == 0o600
    url, token = path.read_text().splitlines()
    assert url == f"export GITLAB_URL={sandbox.gitlab_url}"
    assert token.startswith("export GITLAB_TOKEN=")


def test_an_earlier_trust_file_is_spoken_of(sandbox: Sandbox, alone: Path) -> None:
    def said() -> str:
        places = Path("sandbox/trusted_root.json"), Path("sandbox/env")
        return "\n".join(_introduction(sandbox, *places, Layout(), empty=True))

    before = said()
    (alone / "pytrust.toml").touch()

    assert "pytrust.toml" not in before
    assert "First remove the pytrust.toml that is here" in said()
    assert "trust add" not in said()
