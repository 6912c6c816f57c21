"""B22: `make test-all` tests every supported Python of a machine, and prints which."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
OWN = sys.version_info[:2]
NEWER = f"3.{OWN[1] + 1}"


class Machine:
    """A PATH with only what a test puts there, and a ``make`` that prints its arguments."""

    def __init__(self, directory: Path) -> None:
        self.bin = directory / "bin"
        self.pyenv = directory / "pyenv"
        self.bin.mkdir()
        self.script(self.bin / "make", 'echo "made: $*"; case "$*" in *$FAILS*) exit 2;; esac')

    def script(self, path: Path, text: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return path

    def python(self, version: str, *missing: str, path: Path | None = None) -> Path:
        """Put an interpreter there; by default on PATH."""
        path = path or self.bin / f"python{version.rpartition('.')[0]}"
        return self.script(path, f"echo cpython {version} {' '.join(missing)}")

    def has_pyenv(self, *versions: str) -> None:
        names = " ".join(versions)
        text = f'case "$1" in root) echo {self.pyenv};; versions) printf "%s\\n" {names};; esac'
        self.script(self.bin / "pyenv", text)
        for version in versions:
            self.python(version, path=self.pyenv / "versions" / version / "bin" / "python")

    def run(self, *words: str, fails: str = "never") -> tuple[int, list[str]]:
        command = [sys.executable, str(ROOT / "scripts" / "test_all.py"), *words]
        environment = {"PATH": str(self.bin), "FAILS": fails}
        ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert ended.stderr == ""
        return ended.returncode, ended.stdout.splitlines()


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_b22_each_supported_version_once(machine: Machine) -> None:
    machine.has_pyenv("2.7.18", "3.9.18", f"{NEWER}.0", f"{NEWER}.3", "3.37.0rc1", "pypy3.11-7.3.19")
    machine.python(f"{NEWER}.9")
    other = machine.python("3.38.2")
    code, said = machine.run()
    newer = machine.pyenv / "versions" / f"{NEWER}.3" / "bin" / "python"
    assert code == 0
    assert [line for line in said if line.startswith("made")] == [
        "made: test",
        f"made: test PYTHON={newer} VENV=.cache/venv-{NEWER}",
        f"made: test PYTHON={other} VENV=.cache/venv-3.38",
    ]
    assert said[-3:] == [
        f"Python {OWN[0]}.{OWN[1]}: passed ({sys.executable})",
        f"Python {NEWER}: passed ({newer})",
        f"Python 3.38: passed ({other})",
    ]


def test_b22_one_that_fails(machine: Machine) -> None:
    path = machine.python(f"{NEWER}.0")
    code, said = machine.run(fails=NEWER)
    assert (code, said[-1]) == (1, f"Python {NEWER}: FAILED ({path})")


def test_b22_one_that_cannot_be_used_is_named(machine: Machine) -> None:
    bare = machine.python("3.38.0", "venv", "ensurepip")
    shim = machine.script(machine.bin / "python3.39", "exit 127")
    code, said = machine.run()
    assert (code, said[:2]) == (
        0,
        [
            f"SKIPPED: Python 3.38: {bare} has no venv and no ensurepip",
            f"SKIPPED: Python 3.39: {shim} does not run",
        ],
    )
    assert "made: test" in said


def test_b22_what_cannot_be_used_is_not_missed_where_another_can(machine: Machine) -> None:
    machine.has_pyenv("3.38.1")
    machine.python("3.38.0", "ensurepip")
    code, said = machine.run()
    assert (code, [line for line in said if "SKIPPED" in line]) == (0, [])


def test_b22_the_newest_beside_the_default_one(machine: Machine) -> None:
    code, said = machine.run("--newest")
    assert (code, len(said), "no Python here is newer" in said[0]) == (0, 1, True)

    machine.python(f"{NEWER}.0")
    newest = machine.python("3.38.0")
    code, said = machine.run("--newest")
    made = [line for line in said if line.startswith("made")]
    assert (code, made) == (0, [f"made: test PYTHON={newest} VENV=.cache/venv-3.38"])
