"""On a system that is not supported every command says so at once."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from pip_warden.cli import system
from pip_warden.errors import UsageError
from pip_warden.report import json as as_json
from pip_warden.report import text

ELSEWHERE = ["win32", "cygwin", "emscripten", "wasi", "android", "ios", "freebsd15", "plan\x1b9"]
SCRIPT = """
import sys
import importlib.metadata  # imports what only the real system has, where it is told that it is on another
sys.platform = sys.argv.pop(1)
from pip_warden import cli
try:
    getattr(cli, sys.argv.pop(1))()
finally:
    ours = {name for name in sys.modules if name.startswith("pip_warden")}
    cli = {"pip_warden.cli", "pip_warden.cli.search_path", "pip_warden.cli.system"}
    assert ours == {"pip_warden"} | cli, ours
    assert not {"click", "signal", "fcntl", "subprocess"} & set(sys.modules)
"""


def start(platform: str, main: str, *words: str) -> subprocess.CompletedProcess[str]:
    script = f"import sys; sys.path[:0] = {sys.path!r}\n{SCRIPT}"
    return subprocess.run(
        [sys.executable, "-I", "-S", "-c", script, platform, main, *words],
        capture_output=True,
        text=True,
        check=False,
        env={},
    )  # fmt: skip


def _error(platform: str) -> UsageError:
    message = (
        "expected Linux or macOS, with the process groups and file owners that pip-warden relies on, "
        f"found {platform!a}"
    )
    return UsageError("unsupported-platform", message, hint=system.HINT)


@pytest.mark.parametrize("platform", ELSEWHERE)
@pytest.mark.parametrize("main", ["main", "safe_install_main"])
def test_elsewhere_it_ends_before_anything_is_imported(platform: str, main: str) -> None:
    ended = start(platform, main, "--version")

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == text.render_error(_error(platform)) + "\n"


@pytest.mark.parametrize("words", [("--format", "json"), ("--format=text", "x", "--format=json")])
def test_elsewhere_who_wants_json_gets_it(words: tuple[str, ...]) -> None:
    ended = start("win32", "safe_install_main", *words)

    assert (ended.returncode, ended.stderr) == (2, "")
    assert json.loads(ended.stdout) == json.loads(as_json.render_error("safe-install", _error("win32")))


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("run", "text"),
        ("run --format json --format=junit", "junit"),
        ("run -- tool --format json", "text"),
        ("run --format sarif -- tool --format=json", "sarif"),
        ("--format", "text"),
    ],
)
def test_what_stands_after_two_dashes_asks_for_nothing(words: str, asked: str) -> None:
    assert system.asked_format(words.split()) == asked


@pytest.mark.parametrize("platform", system.SUPPORTED)
def test_where_it_runs_nothing_is_said(
    platform: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "platform", platform)

    assert system.refused_here("pip-warden", []) == 0
    assert capsys.readouterr() == ("", "")
