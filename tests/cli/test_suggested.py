"""Every command that a hint, a remedy or a page suggests can be parsed: name, options and arguments."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

import pip_warden
from pip_warden.cli.tree import pip_warden as tree
from pip_warden.errors import UsageError
from pip_warden.explain import catalogue
from pip_warden.installer.options import OPTIONS, OWN_OPTIONS, parse_arguments

SRC = Path(pip_warden.__file__).parent
ROOT = SRC.parent.parent
FOREIGN = {"--force", "--location", "--hostname", "--rekor_server"}
"""Options of pipx, curl and Rekor's servers, which texts name too."""


def _flat(node: ast.JoinedStr) -> str:
    """Return what an f-string says, with an x for each word that is filled in."""
    text = ""
    for part in node.values:
        if isinstance(part, ast.Constant):
            text += str(part.value)
        elif not text[-1:].isalnum():
            text += "x"
    return text


def _strings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield each string below a node with its line; what is filled in is an x."""
    inside = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield node.lineno, _flat(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside:
            yield node.lineno, node.value


def _texts() -> Iterator[tuple[str, str]]:
    """Yield each string of the sources, docstrings included, and each explanation, with where it is."""
    for path in sorted(SRC.rglob("*.py")):
        place = path.relative_to(SRC)
        if "sandbox" not in place.parts:
            strings = _strings(ast.parse(path.read_text(encoding="utf-8")))
            yield from ((f"{place}:{line}", text) for line, text in strings)
    yield from _explanations()


def _explanations() -> Iterator[tuple[str, str]]:
    yield from ((code, f"{each.meaning}\n{each.remedy}") for code, each in catalogue().items())


def _pages() -> Iterator[tuple[str, str]]:
    """Yield each line of a page or pipeline that is a command, or has one in it, marked as one."""
    pages = [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("examples/**/*.*"),
        *ROOT.glob("templates/*"),
    ]
    names = "|".join(tree.list_commands(click.Context(tree)))
    for path in sorted(pages):
        if path.suffix not in {".md", ".yml"}:
            continue
        text = re.sub(r"\\?\n +--", " --", path.read_text(encoding="utf-8"))  # a command that goes on
        for number, line in enumerate(text.splitlines(), start=1):
            place = f"{path.relative_to(ROOT)}:{number}"
            typed = re.match(rf"\s*(?:- |\$ )?((?:pip-warden (?:{names})|safe-install) .*)", line)
            yield place, f"`{re.sub(r'  +#.*| [|][|] true$', '', typed[1])}`" if typed else line


def _commands() -> list[tuple[str, str]]:
    return [
        (place, command.strip("`"))
        for place, text in [*_texts(), *_pages()]
        for command in re.findall(r"`+(?:pip-warden|safe-install)(?: [^`]*)?`+", text)
    ]


def _command_of(words: list[str]) -> tuple[click.Command, list[str]]:
    """Follow the tree as far as the words go."""
    found: click.Command = tree
    rest = list(words)
    while isinstance(found, click.Group) and rest and not rest[0].startswith("-"):
        if rest == ["x"]:
            return found, []  # filled in
        following = found.get_command(click.Context(found), rest[0])
        assert following is not None, f"there is no command {rest[0]}"
        found, rest = following, rest[1:]
    return found, rest


def parsed(command: str) -> None:
    """Parse a command as the command line does; a mere mention of one, without arguments, lacks them."""
    spelled = re.sub(r"\$\{\w+:\+([^}]*)\}", r"\1", command)  # variables, as pipelines have them
    spelled = spelled.replace("YYYY-MM-DD", "2030-01-31")  # a word in capitals that must be a day
    name, *words = shlex.split(re.sub(r"\$(\[\[.*?\]\]|\w+)", "1", spelled))
    if name == "safe-install":
        parse_arguments([word for word in words if word != "…"])
        return
    found, rest = _command_of(words)
    if rest:
        try:
            found.make_context(name, rest)
        except click.exceptions.Exit:
            assert rest == ["--help"]


def _every_option() -> set[str]:
    known = {name for option in (*OPTIONS, *OWN_OPTIONS) for name in option.names}
    waiting: list[click.Command] = [tree]
    while waiting:
        command = waiting.pop()
        known |= {name for parameter in command.get_params(click.Context(command)) for name in parameter.opts}
        if isinstance(command, click.Group):
            context = click.Context(command)
            found = (command.get_command(context, name) for name in command.list_commands(context))
            waiting += [each for each in found if each is not None]
    return known


def test_every_suggested_command_can_be_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    wrong = []
    commands = _commands()
    for place, command in commands:
        try:
            parsed(command)
        except (click.UsageError, UsageError, AssertionError) as err:
            wrong.append(f"{place}: {command}: {err}")

    assert len(commands) > 40
    assert wrong == []


def test_every_option_that_a_text_names_is_one() -> None:
    known = _every_option() | FOREIGN
    named = [
        (place, option)
        for place, text in [*_hints(), *_explanations()]
        for option in re.findall(r"(?<![\w-])--[a-z][a-z_-]*", text)
    ]

    assert len(named) > 60
    assert [(place, option) for place, option in named if option not in known] == []


@cache
def _hints() -> list[tuple[str, str]]:
    """Return what is passed as a hint, or kept to be."""
    found: list[tuple[str, str]] = []
    for path in sorted(SRC.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case (
                    ast.keyword(arg="hint", value=value)
                    | ast.Assign(targets=[ast.Name(id="hint" | "_HINT" | "_HOW"), *_], value=value)
                ):
                    place = path.relative_to(SRC)
                    found += [(f"{place}:{line}", text) for line, text in _strings(value)]
                case _:
                    pass
    return found


def test_commands_in_hints_and_remedies_are_marked_as_such() -> None:
    """So that the test above finds them, and a reader where they end."""
    names = "|".join(tree.list_commands(click.Context(tree)))
    bare = [
        (place, text)
        for place, text in [*_hints(), *_explanations()]
        if re.search(rf"\b(pip-warden ({names})\b|trust add\b|safe-install -)", re.sub(r"`[^`]*`", "", text))
    ]

    assert bare == []


@pytest.mark.parametrize(
    "command",
    [
        "pip-warden trust pin x",
        "pip-warden trust add x --origin y",
        "pip-warden trust add x --source",
        "safe-install --nope",
    ],
)
def test_a_command_that_there_is_not_is_noticed(command: str) -> None:
    with pytest.raises((click.UsageError, UsageError, AssertionError)):
        parsed(command)
