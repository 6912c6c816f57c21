"""Colour: one answer, whoever prints; an option wins over every variable."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from cli.terminal import typed
from cli.test_commands import COMMANDS
from pip_warden.cli.color import asked_color, wants_color
from pip_warden.cli.install import safe_install
from pip_warden.cli.run import run
from pip_warden.cli.stream import OutputStream
from pip_warden.cli.style import console_style, rich_console


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ("", "auto"),
        ("--color always", "always"),
        ("--color=never", "never"),
        ("--color always --color never", "never"),
        ("--no-color", "never"),
        ("--color always --no-color", "never"),
        ("--no-color --color always", "always"),
        ("--color blue", "auto"),
        ("--color", "auto"),
        ("-- --color always", "auto"),
    ],
)
def test_what_the_arguments_ask_for(words: str, asked: str) -> None:
    assert asked_color(words.split()) == asked


@pytest.mark.parametrize(
    ("asked", "variables", "on_terminal", "elsewhere"),
    [
        ("auto", {}, True, False),
        ("auto", {"NO_COLOR": "1"}, False, False),
        ("auto", {"NO_COLOR": ""}, True, False),
        ("auto", {"FORCE_COLOR": "1"}, True, True),
        ("auto", {"CLICOLOR_FORCE": "1"}, True, True),
        ("auto", {"CLICOLOR_FORCE": "0"}, True, False),
        ("auto", {"CLICOLOR": "0"}, False, False),
        ("auto", {"CLICOLOR": "0", "CLICOLOR_FORCE": "1"}, True, True),
        ("auto", {"NO_COLOR": "1", "FORCE_COLOR": "1", "CLICOLOR_FORCE": "1"}, False, False),
        ("auto", {"TERM": "dumb"}, False, False),
        ("always", {"NO_COLOR": "1", "TERM": "dumb"}, True, True),
        ("never", {"FORCE_COLOR": "1", "CLICOLOR_FORCE": "1"}, False, False),
    ],
)
def test_who_decides(
    asked: str,
    variables: dict[str, str],
    on_terminal: bool,
    elsewhere: bool,
    alone: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in ({"TERM": "xterm"} | variables).items():
        monkeypatch.setenv(name, value)

    assert wants_color(asked, is_terminal=True) is on_terminal
    assert wants_color(asked, is_terminal=False) is elsewhere


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_takes_it(alone: Path, words: tuple[str, ...]) -> None:
    assert "--color [auto|always|never]" in typed(*words, "--help").out
    said = typed(*words, "--color", "blue")
    assert (said.code, "--color" in said.err) == (2, True), said


@pytest.mark.parametrize(
    ("words", "is_coloured"),
    [
        (("--color", "always", "trust", "show"), True),
        (("trust", "show", "--color=always"), True),
        (("trust", "show", "--color", "never"), False),
        (("trust", "show"), True),
    ],
)
def test_errors_are_coloured_as_asked(
    alone: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], is_coloured: bool
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    said = typed(*words)
    assert said.code == 2
    assert ("\x1b[31merror" in said.err) is is_coloured
    assert "\\u001b" not in said.err


@pytest.mark.parametrize(
    ("words", "is_coloured"),
    [
        (["--color", "always"], True),
        (["--color", "always", "--no-color"], False),
        (["--no-color"], False),
        (["--no-color", "--color", "always"], True),
    ],
)
def test_safe_install_takes_pips_option_too(
    alone: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], is_coloured: bool
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    err = io.StringIO()
    monkeypatch.setattr(sys, "stderr", err)
    assert run(safe_install, "safe-install", [*words, "nothing"]) == 2
    assert ("\x1b[31merror" in err.getvalue()) is is_coloured


def test_safe_install_knows_the_choices(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    err = io.StringIO()
    monkeypatch.setattr(sys, "stderr", err)
    assert run(safe_install, "safe-install", ["--color", "blue", "nothing"]) == 2
    assert err.getvalue() == "error[option-value]: expected --color auto, always or never, found 'blue'\n"


def test_t68_without_colour_none_gets_through(alone: Path) -> None:
    target = io.StringIO()
    stream = OutputStream(target)
    stream.write("\x1b[32mgreen\x1b[0m\n")
    stream.is_coloured = True
    stream.write("\x1b[32mgreen\x1b[2J\x1b[0m\n")

    assert target.getvalue() == "\\u001b[32mgreen\\u001b[0m\n\x1b[32mgreen\\u001b[2J\x1b[0m\n"


def test_tables_are_coloured_as_lines_are(alone: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    target = io.StringIO()
    stream = OutputStream(target)
    for is_coloured in (True, False):
        stream.is_coloured = is_coloured
        rich_console(stream).print("[green]x[/]")  # type: ignore[arg-type]  # a text stream of ours
        target.write(console_style(stream)("y", "signer"))  # type: ignore[arg-type]
    assert target.getvalue() == "\x1b[32mx\x1b[0m\n\x1b[36m\x1b[1my\x1b[0mx\ny"
