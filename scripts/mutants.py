"""Removes each security check of ``tests/mutants.toml``, one at a time; the tests named with it must fail.

The table is data, not Python: its texts are as in the source, without escapes. All happens in copies in a
temporary directory, one for each core, each with an interpreter of its own that finds ``pip_warden`` in the
copy (``mutant_worker.py``); the work tree is only read. First every named test passes without any mutant. The
run fails for a survivor, for a text that is not in its file exactly once, for tests that do not exist or that
fail by themselves, and for a mutant that is broken rather than unsafe.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
import tomllib
import venv
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
_PACKAGE = Path("src") / "pip_warden"
_WORKER = Path(__file__).with_name("mutant_worker.py")
_KEYS = {"file", "take", "put", "tests"}
_LEFT_BEHIND = shutil.ignore_patterns(".*", "__pycache__", "build", "dist")


@dataclass(frozen=True, kw_only=True, slots=True)
class Mutant:
    """A check to remove.

    Attributes:
        path: Its file, relative to the root.
        line: The line at which the text begins.
        take: The text.
        text: The whole file without it.
        tests: Node ids of tests, all of which must fail.
    """

    path: Path
    line: int
    take: str
    text: str
    tests: tuple[str, ...]

    def __str__(self) -> str:
        first, *more = self.take.strip().splitlines()
        return f"{self.path}:{self.line}: {first.strip()}{' …' if more else ''}"


class TableError(Exception):
    """An entry of the table is wrong; the message says which and why."""


def main() -> int:
    """Run the table and return an exit code: 0 only if every mutant was killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", help="only entries of files whose path contains one of these")
    parser.add_argument("--root", type=Path, default=ROOT, help="the work tree")
    given = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _frame: sys.exit(128 + number))
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutants-") as made:
        place = Path(made).resolve()
        copies = [place / str(number) for number in range(os.cpu_count() or 1)]
        shutil.copytree(given.root, copies[0], ignore=_LEFT_BEHIND)
        try:
            mutants = read_table(copies[0], given.files)
        except TableError as err:
            print(err)
            return 1
        copies = copies[: len(mutants) or 1]
        for copy in copies[1:]:
            shutil.copytree(copies[0], copy)
        problems = _run(mutants, copies)
    print("\n".join([*problems, ""]), end="")
    took = time.monotonic() - began
    print(f"{len(mutants)} mutants, {len(problems)} problems, {took:.0f} seconds")
    return 1 if problems else 0


def read_table(root: Path, only: Sequence[str] = ()) -> list[Mutant]:
    """Read the table of a work tree.

    Args:
        root: The work tree.
        only: Parts of paths; without any, all entries are read.

    Raises:
        TableError: Entries are wrong; all of them are named.
    """
    table = tomllib.loads((root / "tests" / "mutants.toml").read_text(encoding="utf-8"))
    mutants, faults = [], []
    for entry in table["mutant"]:
        try:
            mutants.append(_read_entry(root, entry))
        except TableError as err:
            faults.append(str(err))
    if len({mutant.text for mutant in mutants}) != len(mutants):
        faults.append("two entries make the same mutant")
    found = [mutant for mutant in mutants if not only or any(part in str(mutant.path) for part in only)]
    if faults or not found:
        raise TableError("\n".join(faults) or "no entry: nothing was tried")
    return found


def _read_entry(root: Path, entry: dict[str, Any]) -> Mutant:
    if not {"file", "take", "tests"} <= entry.keys() <= _KEYS or not entry["tests"]:
        raise TableError(f"BAD ENTRY: expected file, take, tests and perhaps put, found {entry}")
    path, take = _PACKAGE / entry["file"], entry["take"]
    try:
        text = (root / path).read_text(encoding="utf-8")
    except OSError:
        raise TableError(f"NO SUCH FILE: {path}") from None
    if text.count(take) != 1:
        raise TableError(f"NOT THERE ONCE BUT {text.count(take)} TIMES: {path}: {take.strip()}")
    mutated = text.replace(take, entry.get("put", ""))
    try:
        if ast.dump(ast.parse(mutated)) == ast.dump(ast.parse(text)):
            raise TableError(f"THE SAME PROGRAM: {path}: {take.strip()}")
        compile(mutated, str(path), "exec")
    except SyntaxError as err:
        raise TableError(f"NO PYTHON: {path}: {take.strip()}: {err}") from None
    line = text[: text.index(take) + len(take) - len(take.lstrip())].count("\n") + 1
    return Mutant(path=path, line=line, take=take, text=mutated, tests=tuple(entry["tests"]))


def _run(mutants: list[Mutant], copies: list[Path]) -> list[str]:
    """Return the problems, one line each."""
    with ExitStack() as stack:
        workers = [stack.enter_context(_worker(copy)) for copy in copies]
        idle = _Idle(workers)
        pool = stack.enter_context(ThreadPoolExecutor(len(workers)))
        # On an early end, only the jobs that are already running are awaited.
        stack.callback(pool.shutdown, cancel_futures=True)
        problems = [line for lines in pool.map(idle.passes, _shares(mutants, len(workers))) for line in lines]
        return problems or [line for line in pool.map(idle.kills, mutants) if line]


def _shares(mutants: list[Mutant], count: int) -> list[list[str]]:
    """Divide the named tests into shares of about equal size; a file's stay together, in their order."""
    files: dict[str, dict[str, None]] = {}
    for mutant in mutants:
        for test in mutant.tests:
            files.setdefault(test.partition("::")[0], {})[test] = None
    shares: list[list[str]] = [[] for _ in range(count)]
    for tests in sorted(files.values(), key=len, reverse=True):
        min(shares, key=len).extend(tests)
    return [share for share in shares if share]


class _Idle:
    """Gives jobs to whichever worker is idle."""

    def __init__(self, workers: list[subprocess.Popen[str]]) -> None:
        self._workers = workers
        self._lock = threading.Lock()

    def passes(self, tests: list[str]) -> list[str]:
        """Run tests without any mutant, and return what is wrong with them."""
        seen = self._ask(None, tests)
        lacking = [test for test in tests if test not in seen["passed"]]
        if seen["code"] == 0 and not lacking:
            return []
        return [f"WITHOUT ANY MUTANT: {seen['why']}: {', '.join(lacking)}\n{seen['output']}"]

    def kills(self, mutant: Mutant) -> str | None:
        """Run a mutant's tests, and return a problem if one of them does not fail."""
        seen = self._ask(mutant, list(mutant.tests))
        if seen["code"] not in {0, 1}:
            return f"BROKEN: {mutant}: {seen['why']}\n{seen['output']}"
        blind = [test for test in mutant.tests if test not in seen["failed"]]
        return f"SURVIVED: {mutant}: {seen['why']}: {', '.join(blind)}" if blind else None

    def _ask(self, mutant: Mutant | None, tests: list[str]) -> dict[str, Any]:
        with self._lock:
            worker = self._workers.pop()
        job = {
            "tests": tests,
            "path": str(mutant.path) if mutant else None,
            "text": mutant.text if mutant else None,
        }
        assert worker.stdin is not None  # noqa: S101 -- they are pipes
        assert worker.stdout is not None  # noqa: S101
        worker.stdin.write(json.dumps(job) + "\n")
        worker.stdin.flush()
        answer = worker.stdout.readline()
        with self._lock:
            self._workers.append(worker)
        if not answer:
            return {"code": -1, "why": "the worker ended", "passed": [], "failed": [], "output": ""}
        seen: dict[str, Any] = json.loads(answer)
        return seen


@contextmanager
def _worker(copy: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a worker in a copy; it has ended on exit."""
    python = make_python(copy)
    words = [str(python), str(_WORKER), str(copy)]
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST"))
    }
    with subprocess.Popen(
        words, cwd=copy, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as worker:
        try:
            yield worker
        finally:
            worker.terminate()


def make_python(copy: Path) -> Path:
    """Create an environment in a copy, and return its interpreter.

    It links to everything installed here, has ``pip_warden`` from the copy, and the same scripts.
    """
    environment = copy / ".venv"
    venv.EnvBuilder(symlinks=True).create(environment)
    here = Path(sys.prefix)
    installed = Path(sysconfig.get_path("purelib"))
    site = environment / installed.relative_to(here)
    for entry in installed.iterdir():
        if not (entry.suffix == ".pth" and "pip_warden" in entry.name):
            (site / entry.name).symlink_to(entry)
    (site / "pip_warden.pth").write_text(f"{copy / 'src'}\n", encoding="utf-8")
    for script in (here / "bin").iterdir():
        own = environment / "bin" / script.name
        if own.exists() or own.is_symlink():
            continue
        content = script.read_bytes()
        if content.startswith(b"#!"):
            own.write_bytes(content.replace(os.fsencode(here), os.fsencode(environment)))
            own.chmod(0o755)
        else:
            own.symlink_to(script)
    return environment / "bin" / "python"


if __name__ == "__main__":
    sys.exit(main())
