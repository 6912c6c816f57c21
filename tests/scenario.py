"""What every directory of a scenario has in common: a command is typed, and said is what it names."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from cli.terminal import COMMANDS, typed
from pip_warden.sandbox import Sandbox


def play(words: Sequence[str], answers: str | None) -> tuple[int, str]:
    """Type a command, of pip-warden where it names no other; return its exit code and all that it says.

    Args:
        words: The command.
        answers: What a person types at a terminal; None where nobody is there.
    """
    name, rest = (words[0], words[1:]) if words[0] in COMMANDS else ("pip-warden", words)
    said = typed(*rest, answers=answers, command=COMMANDS[name], name=name)
    return said.code, said.err + said.out


def check_ending(
    scenario: dict[str, Any], code: int, said: str, *, sandbox: Sandbox, filled: Callable[[str], str]
) -> None:
    """Check exit code, error code, what is said and never said, asked for and never asked for.

    Args:
        scenario: What its ``scenario.toml`` says.
        code: The exit code.
        said: All that the command said.
        sandbox: It knows what was asked for.
        filled: Puts the scenario's words in the place of a text's placeholders.
    """
    assert code == scenario["expect"], said
    if "code" in scenario:
        assert f"[{scenario['code']}]" in said, said
    for text in scenario.get("says", []):
        assert filled(text) in said, said
    for text in scenario.get("never-says", []):
        assert filled(text) not in said, said
    asked = [f"{request.origin} {request.path}" for request in sandbox.requests]
    for text in scenario.get("never-asks", []):
        assert not [each for each in asked if filled(text) in each], asked
    for text in scenario.get("asks", []):
        assert [each for each in asked if filled(text) in each], asked
