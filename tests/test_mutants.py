"""`make mutants` reports survivors and errors of its table; the table has entries for every room."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SOURCE = (
    "def is_good(number: int) -> bool:\n    if number < 0:\n        return False\n    return number != 13\n"
)
TESTS = """
from pip_warden.small import is_good

def test_negative():
    assert not is_good(-1)

def test_thirteen():
    assert not is_good(13)

def test_seven():
    assert is_good(7)

def test_by_itself():
    assert is_good(-7)
"""
UNSHOWN = """
import pytest

@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(call):
    report = yield
    if call.excinfo is not None:
        raise TypeError("no line")
    return report
"""
NEGATIVE = {"take": "if number < 0:", "put": "if False:", "tests": ["tests/test_small.py::test_negative"]}
THIRTEEN = {"take": " != 13", "put": " == number", "tests": ["tests/test_small.py::test_thirteen"]}


class Tree:
    """A work tree of one module, whose table the test writes."""

    def __init__(self, root: Path) -> None:
        self.root = root
        package = root / "src" / "pip_warden"
        files = {
            package / "__init__.py": "",
            package / "cli" / "__init__.py": "",
            package / "sandbox" / "__init__.py": "",
            package / "sandbox" / "signing.py": "",
            package / "small.py": SOURCE,
            root / "tests" / "test_small.py": TESTS,
            root / "pyproject.toml": '[tool.pytest.ini_options]\naddopts = ["--import-mode=importlib"]\n',
        }
        for path, text in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def run(self, *entries: Mapping[str, object]) -> tuple[int, list[str]]:
        tables = [
            "\n".join(["[[mutant]]", *(f"{key} = {json.dumps(value)}" for key, value in entry.items())])
            for entry in ({"file": "small.py", **entry} for entry in entries)
        ]
        (self.root / "tests" / "mutants.toml").write_text("\n".join(tables))
        words = [sys.executable, str(ROOT / "scripts" / "mutants.py"), "--root", str(self.root)]
        ended = subprocess.run(words, capture_output=True, text=True, check=False)
        assert ended.stderr == ""
        assert (self.root / "src" / "pip_warden" / "small.py").read_text() == SOURCE
        return ended.returncode, ended.stdout.splitlines()


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


def test_a_survivor_and_a_mutant_that_is_only_broken(tree: Tree) -> None:
    """A test that fails because a name is missing has detected nothing."""
    blind = NEGATIVE | {"tests": ["tests/test_small.py::test_seven"]}
    broken = THIRTEEN | {"put": " != nobody"}
    lost = NEGATIVE | {"take": "def is_good", "put": "raise SystemExit\ndef is_good"}
    noticed = NEGATIVE | {"take": "return False", "put": "return True"}
    code, said = tree.run(noticed, blind, broken, lost)

    assert code == 1
    where = "src/pip_warden/small.py"
    assert f"SURVIVED: {where}:2: if number < 0:: passed: tests/test_small.py::test_seven" in said
    assert any(line.startswith(f"SURVIVED: {where}:4: != 13: some passed, or none") for line in said)
    assert any(line.startswith(f"BROKEN: {where}:1: def is_good: pip_warden.small cannot") for line in said)
    assert said[-1].startswith("4 mutants, 3 problems")


@pytest.mark.interop
@pytest.mark.parametrize("name", ["test_nobody", "test_by_itself"])
def test_tests_that_are_not_there_or_fail_by_themselves(name: str, tree: Tree) -> None:
    code, said = tree.run(NEGATIVE, THIRTEEN | {"tests": [f"tests/test_small.py::{name}"]})

    assert (code, said[-1].partition(" problems")[0]) == (1, "2 mutants, 1")
    assert said[0].startswith("WITHOUT ANY MUTANT: ")
    assert f"tests/test_small.py::{name}" in said[0]


@pytest.mark.interop
def test_a_failure_that_cannot_be_shown_is_one(tree: Tree) -> None:
    """A time-out may come where a program has no line."""
    (tree.root / "tests" / "conftest.py").write_text(UNSHOWN)
    code, said = tree.run(NEGATIVE)

    assert (code, said) == (0, [said[-1]])
    assert said[-1].startswith("1 mutants, 0 problems")


def test_every_entry_that_is_wrong_is_named(tree: Tree) -> None:
    code, said = tree.run(
        NEGATIVE | {"take": "if number < 1:"},
        NEGATIVE | {"take": "number"},
        NEGATIVE | {"put": ""},
        NEGATIVE | {"put": "if number  <  0:"},
        NEGATIVE | {"file": "large.py"},
        NEGATIVE | {"tests": []},
    )

    assert code == 1
    assert [line.partition(": ")[0] for line in said] == [
        "NOT THERE ONCE BUT 0 TIMES",
        "NOT THERE ONCE BUT 3 TIMES",
        "NO PYTHON",
        "THE SAME PROGRAM",
        "NO SUCH FILE",
        "BAD ENTRY",
    ]


def test_the_table_speaks_of_every_room() -> None:
    table = tomllib.loads((ROOT / "tests" / "mutants.toml").read_text(encoding="utf-8"))["mutant"]
    rooms = {entry["file"].partition("/")[0].removesuffix(".py") for entry in table}

    assert len(table) >= 85
    assert rooms >= {
        "_sigstore", "artifact", "cli", "digests", "display", "evidence", "gate", "installer", "index",
        "install", "names", "promote", "publish", "report", "strict_json", "supply", "transport", "trust",
        "vault", "verdict", "verify",
    }  # fmt: skip
