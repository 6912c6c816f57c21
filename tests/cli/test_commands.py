"""Every command's help, errors, formats and colours: what scripts and users rely on."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

import pip_warden
from cli.terminal import Said, typed
from documents import described
from pip_warden.cli.install import safe_install
from pip_warden.cli.run import run
from pip_warden.cli.tree import pip_warden as tree
from pip_warden.explain import catalogue

SOURCES = Path(pip_warden.__file__).parent


def every_command(group: click.Group, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    with click.Context(group) as context:
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            yield (*path, name)
            if isinstance(command, click.Group):
                yield from every_command(command, (*path, name))


COMMANDS = list(every_command(tree))


@pytest.mark.parametrize("words", [(), *COMMANDS], ids=" ".join)
def test_help(alone: Path, words: tuple[str, ...]) -> None:
    said = typed(*words, "--help")
    assert (said.code, said.err) == (0, ""), said.err
    assert said.out.startswith(f"Usage: {' '.join(('pip-warden', *words))} [OPTIONS]")
    assert not list(alone.iterdir())


@pytest.mark.parametrize(
    ("words", "exit_code", "code"),
    [
        (("nonsense",), 2, "usage"),
        (("trust", "nonsense"), 2, "usage"),
        (("trust", "show", "--nonsense"), 2, "usage"),
        (("trust", "show", "--format", "yaml"), 2, "usage"),
        (("trust", "show"), 2, "no-trust-file"),
        (("trust", "check"), 2, "no-trust-file"),
        (("trust", "check", "--trust", "absent.toml"), 2, "no-trust-file"),
        (("trust", "check", "--trust", "broken.toml"), 2, "trust-file-not-toml"),
        (("trust", "check", "--trust", "faulty.toml"), 2, "trust-file-invalid"),
        (("verify", "absent.whl"), 2, ""),
        (("verify-release", "x==1"), 2, "no-trust-file"),
        (("verify-release", "x==1", "--trust", "faulty.toml"), 2, "trust-file-invalid"),
        (("explain", "nonsense"), 2, "unknown-code"),
        (("trust", "add"), 2, "nothing-to-pin"),
        (("trust", "add", "x", "--token-file", "x"), 2, "source-needed"),
    ],
)
def test_errors(alone: Path, words: tuple[str, ...], exit_code: int, code: str) -> None:
    (alone / "broken.toml").write_text("version = ")
    (alone / "faulty.toml").write_text("version = 1\nnonsense = true\n")
    said = typed(*words)
    assert (said.code, said.out) == (exit_code, ""), said
    assert said.err.startswith(f"error[{code}"), said.err
    assert "Traceback" not in said
    if "--format" not in words and words[0] not in {"explain", "nonsense"} and words[:2] != ("trust", "add"):
        document = typed(*words, "--format", "json")
        assert (document.code, document.err) == (exit_code, "")
        assert_is_document(document.json, exit_code)
        assert document.json["error"]["code"].startswith(code)


def assert_is_document(document: Any, exit_code: int) -> None:
    assert next(iter(document)) == "schema_version"
    assert document["exit_code"] == exit_code
    for key in keys(document):
        assert re.fullmatch("[a-z][a-z0-9_]*", key), key


def keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key != "files" or isinstance(inner, list):
                yield from [key, *keys(inner)]
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner)


@pytest.mark.parametrize("code", catalogue())
def test_explain(code: str) -> None:
    said = typed("explain", code)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith(code)
    assert "What to do: " in said.out


def raised_codes() -> Iterator[tuple[str, str]]:
    """Yield every code that is written as a literal where a code is expected, with its file."""
    for path in sorted(SOURCES.rglob("*.py")):
        if "sandbox" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.id if isinstance(node.func, ast.Name) else ""
            given = [node.args[0]] if name.endswith("Error") and node.args else []
            given += [
                word.value for word in node.keywords if word.arg == "code" and name in {"Fault", "Refused"}
            ]
            for value in given:
                if isinstance(value, ast.Constant) and re.fullmatch(
                    "[a-z][a-z0-9]*(-[a-z0-9]+)*", str(value.value)
                ):
                    yield str(value.value), path.name


def test_every_code_is_explained() -> None:
    known = catalogue()
    assert [found for found in raised_codes() if found[0] not in known] == []


def test_no_color_and_force_color(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (alone / "unrelated").touch()
    assert "\x1b" not in typed("trust", "show").err
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[31merror" in typed("trust", "show").err
    assert "\x1b" in typed("explain", "not-pinned").out
    assert "\x1b" not in typed("trust", "show", "--format", "json").out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in typed("trust", "show").err


@click.command()
@click.option("--debug", is_flag=True)
@click.option("--format", "output_format")
def broken(*, debug: bool, output_format: str | None) -> None:
    raise RuntimeError(f"a bug {debug} {output_format} \x1b[31m")


def break_with(*words: str, capsys: pytest.CaptureFixture[str]) -> Said:
    code = run(broken, "broken", words)
    out, err = capsys.readouterr()
    return Said(code=code, out=out, err=err)


def test_bug_is_one_clear_error(capsys: pytest.CaptureFixture[str]) -> None:
    said = break_with(capsys=capsys)
    assert said.code == 70
    assert said.err.startswith("error[bug]: RuntimeError: a bug")
    assert ("Traceback" in said, "\x1b" in said) == (False, False)
    assert "Traceback" in break_with("--debug", capsys=capsys).err
    document = json.loads(break_with("--format=json", capsys=capsys).out)
    assert_is_document(document, 70)


def test_interrupted(capsys: pytest.CaptureFixture[str]) -> None:
    @click.command()
    def interrupted() -> None:
        raise KeyboardInterrupt

    assert run(interrupted, "x", []) == 130
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("rest", [(), ("not-pinned",)], ids=["much", "little"])
def test_reader_that_has_gone(rest: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """``pip-warden explain | head -0``: no traceback, and never the exit code of a refusal.

    The reader that closes the pipe has seen what it wanted.
    """
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)
    read, write = os.pipe()
    os.close(read)
    try:
        words = [sys.executable, "-m", "pip_warden", "explain", *rest]
        ended = subprocess.run(words, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    finally:
        os.close(write)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_safe_install_help(capsys: pytest.CaptureFixture[str], alone: Path) -> None:
    assert run(safe_install, "safe-install", ["--help"]) == 0
    assert "Usage: safe-install" in capsys.readouterr().out
    assert run(safe_install, "safe-install", ["--format", "json", "x"]) == 2
    document = described(capsys.readouterr().out)
    assert_is_document(document, 2)
    assert not list(alone.iterdir())


OPENS = """
import os, sys, click
from pip_warden.cli.run import run

@click.command()
def opens():
    with open(os.devnull) as file:
        return file.fileno() + (100 if os.get_inheritable(file.fileno()) else 0)

sys.exit(run(opens, "opens", []))
"""


def test_b21_no_file_of_ours_takes_the_place_of_a_closed_stream() -> None:
    """Else a child or C library that writes to standard error would write into it, even into the vault."""
    words = ["bash", "-c", 'exec "$@" <&- >&- 2>&-', "bash", sys.executable, "-c", OPENS]
    assert 2 < subprocess.run(words, check=False).returncode < 100


@pytest.mark.parametrize("words", [(), ("trust",), ("root",)], ids=" ".join)
def test_a_group_without_a_command_shows_its_help_as_lines(alone: Path, words: tuple[str, ...]) -> None:
    said = typed(*words)
    assert (said.code, said.out) == (2, "")
    assert said.err == typed(*words, "--help").out
