"""The code stays readable: short modules, short functions, few parameters (CONTRIBUTING.md)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest

import pip_warden

SRC = Path(pip_warden.__file__).parent
LONGEST_MODULE, LONGEST_FUNCTION, MOST_PARAMETERS = 300, 40, 7


def _sources() -> dict[str, str]:
    return {
        path.relative_to(SRC).as_posix(): path.read_text(encoding="utf-8")
        for path in sorted(SRC.rglob("*.py"))
        if "sandbox" not in path.relative_to(SRC).parts
    }


def too_large(name: str, source: str) -> Iterator[str]:
    """Yield what is too long in a module, and classes (not frozen values) with too many parameters."""
    lines = len(source.splitlines())
    if lines > LONGEST_MODULE:
        yield f"{name}: {lines} lines"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > LONGEST_FUNCTION:
                yield f"{name}: {node.name} has {length} lines"
        if isinstance(node, ast.ClassDef) and not any(
            "frozen" in ast.unparse(d) for d in node.decorator_list
        ):
            taken = max(map(_parameters, node.body))
            if taken > MOST_PARAMETERS:
                yield f"{name}: {node.name} takes {taken}"


def _parameters(node: ast.stmt) -> int:
    if not isinstance(node, ast.FunctionDef) or node.name != "__init__":
        return 0
    arguments = node.args
    return len(arguments.posonlyargs) + len(arguments.args) + len(arguments.kwonlyargs) - 1


def test_nothing_is_too_large_to_be_read() -> None:
    sources = _sources()

    assert len(sources) > 150
    assert [fault for name, source in sources.items() for fault in too_large(name, source)] == []


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("x = 1\n" * 301, "m.py: 301 lines"),
        ("def f():\n" + "    x = 1\n" * 40, "m.py: f has 41 lines"),
        ("class C:\n    def __init__(self, a, b, c, d, *, e, f, g, h): ...\n", "m.py: C takes 8"),
        ("x = 1\n" * 300, ""),
        ("def f():\n" + "    x = 1\n" * 39, ""),
        ("class C:\n    def __init__(self, a, b, c, d, *, e, f, g): ...\n", ""),
        ("@dataclass(frozen=True)\nclass C:\n    def __init__(self, a, b, c, d, e, f, g, h): ...\n", ""),
    ],
)
def test_what_is_too_large(source: str, fault: str) -> None:
    assert list(too_large("m.py", source)) == ([fault] if fault else [])


ARCHITECTURE = SRC.parent.parent / "docs" / "architecture.md"


def test_the_page_on_the_architecture_names_every_room_and_no_other() -> None:
    text = ARCHITECTURE.read_text(encoding="utf-8")
    table = text.partition("| room |")[2].partition("\n\n")[0]
    named = set(re.findall(r"`(\w+)/?`", "\n".join(row.split("|")[1] for row in table.splitlines()[2:])))
    rooms = {path.stem for path in SRC.iterdir() if path.is_dir() or path.suffix == ".py"}

    assert named == {room for room in rooms if not room.startswith("__")}


def test_the_page_on_the_architecture_names_modules_that_are_there() -> None:
    text = ARCHITECTURE.read_text(encoding="utf-8")
    modules = set(re.findall(r"`(\w+/\w+)`", text))

    assert len(modules) > 15
    assert [name for name in modules if not (SRC / f"{name}.py").exists()] == []


def test_no_property_has_a_deadline() -> None:
    """How fast a machine is, and what else it does, is no property of the code: one profile says so."""
    tests = ARCHITECTURE.parent.parent / "tests"
    own = [
        path.relative_to(tests).as_posix()
        for path in sorted(tests.rglob("*.py"))
        if re.search(r"\bsettings\([^)]*\bdeadline=", path.read_text(encoding="utf-8"))
        or "register_profile" in path.read_text(encoding="utf-8")
    ]

    assert hypothesis.settings().deadline is None
    assert set(own) - {"test_house.py"} == {"conftest.py"}


def test_the_reading_test_has_five_questions_whose_answers_are_there() -> None:
    text = (
        (SRC.parent.parent / "CONTRIBUTING.md")
        .read_text(encoding="utf-8")
        .partition("## The reading test")[2]
    )
    questions, _, answers = text.partition("<details>")
    numbered = [re.findall(r"^(\d)\. ", part, re.MULTILINE) for part in (questions, answers)]
    places = re.findall(r"`(\w+)/(\w*)`", answers)

    assert numbered == [list("12345"), list("12345")]
    assert len(re.findall(r"^\d\. Where does .* belong\?$", questions, re.MULTILINE)) == 5
    assert all((SRC / room).is_dir() for room, _ in places)
    assert [
        place for place in places if place[1] and not (SRC.joinpath(*place)).with_suffix(".py").exists()
    ] == []
