"""Help fits 80 columns, and its examples are commands that can be typed."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
from pathlib import Path

import click
import pytest

from cli.terminal import Said, typed
from cli.test_commands import COMMANDS
from pip_warden.cli.install import safe_install
from pip_warden.cli.run import run
from pip_warden.cli.tree import pip_warden as tree
from pip_warden.installer.options import parse_arguments

HELPS = [("pip-warden",), *(("pip-warden", *words) for words in COMMANDS), ("safe-install",)]


def help_of(words: tuple[str, ...]) -> Said:
    if words != ("safe-install",):
        return typed(*words[1:], "--help")
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        code = run(safe_install, "safe-install", ["--help"])
    return Said(code=code, out=out.getvalue(), err="")


def examples_in(text: str) -> list[list[str]]:
    """Return the words of each command that stands under a heading of examples."""
    found = re.search(r"^ *Examples?:\n((?: +\S.*\n?)+)", text, re.MULTILINE)
    assert found is not None, text
    lines = re.sub(r"\\\n\s*", "", found[1]).splitlines()
    return [shlex.split(line) for line in lines if line.strip()]


@pytest.mark.parametrize("words", HELPS, ids=" ".join)
def test_help_fits_80_columns_and_has_an_example(
    alone: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    said = help_of(words)
    examples = examples_in(said.out)

    assert said.code == 0
    assert [line for line in said.out.splitlines() if len(line) > 80] == []
    if words == ("pip-warden",):
        words = ("pip-warden", "trust", "show")
    assert any(tuple(example[: len(words)]) == words for example in examples)
    for example in examples:
        parse(example)


def test_the_commands_for_images_are_told_in_whole_sentences(
    alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    _, _, listed = help_of(("pip-warden", "image")).out.partition("Commands:")

    assert "..." not in listed


def parse(words: list[str]) -> None:
    """Parse a command as far as it can be without running it.

    Raises:
        click.UsageError: It is none.
    """
    if words[0] == "safe-install":
        parse_arguments(words[1:])
        return
    assert words[0] == "pip-warden"
    command, rest, path = tree, words[1:], "pip-warden"
    context: click.Context | None = None
    while isinstance(command, click.Group):
        context = click.Context(command, info_name=path, parent=context)
        name, found, rest = command.resolve_command(context, rest)
        assert name is not None
        assert found is not None
        command, path = found, name  # type: ignore[assignment]  # a group holds commands and groups
    command.make_context(path, rest, parent=context)


@pytest.mark.parametrize(
    "line",
    ["pip-warden nonsense", "pip-warden trust nonsense", "pip-warden verify --nonsense", "pip install x"],
)
def test_what_cannot_be_typed_is_no_example(line: str) -> None:
    with pytest.raises((click.UsageError, AssertionError)):
        parse(line.split())


def test_help_names_options_that_there_are(alone: Path) -> None:
    ours = help_of(("safe-install",)).out.partition("Options of pip")[0]
    names = re.findall(r"^  (?:-\w, )?(--[a-z-]+)", ours, re.MULTILINE)

    assert len(names) > 15
    for name in names:
        parse_arguments([name, "x"])
