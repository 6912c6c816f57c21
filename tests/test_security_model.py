"""``docs/security-model.md`` names existing tests for each known attack, and names all of them."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PAGE = TESTS.parent / "docs" / "security-model.md"
ROW = re.compile(r"^\| ([TBC][0-9]{2}) \| (.+) \| (.+) \| (.+) \|$", re.MULTILINE)
NUMBERS = re.compile(r"test((?:_[tb][0-9]{2})+)_")
NEVER_GIVEN = {"T19", "T38", "T39", "T49"}
GIVEN = {f"T{number:02}" for number in range(1, 69)} - NEVER_GIVEN | {
    f"B{number:02}" for number in range(1, 24)
}
GIVEN |= {f"C{number:02}" for number in range(1, 15)}


@cache
def _rows() -> dict[str, tuple[str, ...]]:
    """Read the names of tests by number."""
    rows = ROW.findall(PAGE.read_text(encoding="utf-8"))
    assert len({number for number, *_ in rows}) == len(rows), "a number stands twice"
    return {number: tuple(re.findall("`([^`]+)`", names)) for number, _, _, names in rows}


@cache
def _functions() -> dict[str, frozenset[str]]:
    """Read the names of test functions by file."""
    return {
        path.relative_to(TESTS).as_posix(): frozenset(
            node.name
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        )
        for path in TESTS.rglob("test_*.py")
    }


def _exists(name: str) -> bool:
    """Return whether a case's directory, a test, or at least one test with a prefix exists."""
    if name.startswith("cases/"):
        return (TESTS / name / "case.toml").is_file()
    file, separator, function = name.rpartition("::")
    found = _functions().get(file, frozenset()) if separator else frozenset().union(*_functions().values())
    if function.endswith("*"):
        return any(test.startswith(function[:-1]) for test in found)
    return function in found


def test_every_number_has_a_line() -> None:
    assert set(_rows()) == GIVEN


@pytest.mark.parametrize("number", sorted(GIVEN))
def test_the_tests_of_a_line_exist(number: str) -> None:
    names = _rows()[number]

    assert names
    assert [name for name in names if not _exists(name)] == []


def test_every_number_of_a_test_has_a_line() -> None:
    numbers = {
        number.upper()
        for functions in _functions().values()
        for function in functions
        if (match := NUMBERS.match(function))
        for number in match[1].split("_")[1:]
    }

    assert len(numbers) > 60
    assert numbers - set(_rows()) == set()
