"""Runs tests in a copy of the work tree, with one file of it changed: a process of ``mutants.py`` per copy.

It reads a job from each line of its input and writes a line of JSON about it. What many tests import is
imported once, and each job runs in a forked child, so it begins with no module of ours but the sandbox. A
changed file gets a modification time of its own, otherwise Python could take its compiled form for that of
another one of the same length.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

_SHARED = (
    "click", "cryptography.x509", "hypothesis.strategies", "packaging", "pip_warden.sandbox",
    "pip_warden.sandbox.signing", "pydantic", "requests", "requests_toolbelt", "rich.console",
    "sigstore.models", "sigstore.sign", "sigstore.verify", "tomlkit", "tuf.api.metadata", "tuf.ngclient",
)  # fmt: skip
_SHARED_ROOM = "pip_warden.sandbox"
_OPTIONS = (
    "-q", "--no-header", "--tb=short", "-p", "no:cacheprovider", "-p", "no:xdist",
    "--hypothesis-profile=mutants",
    # Plugins are imported with the shared modules, so their own asserts are plain ones.
    "-W", "ignore:Module already imported:pytest.PytestAssertRewriteWarning",
)  # fmt: skip
_LONGEST = 600.0
"""Seconds for one job."""

_HANGS = 20
"""Seconds after which a test has noticed that it waits in vain; without any mutant it may take three times as
long. Most mutants of what reads a connection are found so."""

_SET_CHILD_SUBREAPER = 36
"""``PR_SET_CHILD_SUBREAPER`` of prctl(2)."""

_BROKEN = (NameError, ImportError, SyntaxError)
"""The exceptions of a mutant that breaks more than a check."""


class _Seen:
    """Record which of the named tests passed and failed; end the run when all of them have failed."""

    def __init__(self, named: list[str]) -> None:
        self._named = named
        self.passed: set[str] = set()
        self.failed: set[str] = set()

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[None]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        try:
            report = yield
        except Exception as err:
            if call.excinfo is None or call.when != "call":
                raise
            report = _without_a_place(item, call, err)
        if call.when == "call":
            meant = [
                name
                for name in self._named
                if item.nodeid == name or item.nodeid.startswith((f"{name}[", f"{name}::"))
            ]
            if report.passed:
                self.passed.update(meant)
            elif report.failed and call.excinfo is not None and not isinstance(call.excinfo.value, _BROKEN):
                self.failed.update(meant)
            if len(self.failed) == len(self._named):
                item.session.shouldfail = "all have noticed"
        return report


def _without_a_place(item: pytest.Item, call: pytest.CallInfo[None], err: Exception) -> pytest.TestReport:
    """Report a failure that pytest cannot show: a time-out may come between the lines of a program."""
    return pytest.TestReport(
        nodeid=item.nodeid,
        location=item.location,
        keywords={},
        outcome="failed",
        longrepr=f"{call.excinfo!r}, which cannot be shown: {err!r}",
        when="call",
    )


def main() -> None:
    """Run every job."""
    copy = Path(sys.argv[1])
    del sys.path[0]
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, lambda number, _frame: sys.exit(128 + number))
    _adopt()
    _prove(copy)
    for name in _SHARED:
        importlib.import_module(name)
    _find_quickly()
    strangers = [
        name for name in sys.modules if name.startswith("pip_warden.") and not name.startswith(_SHARED_ROOM)
    ]
    if strangers:
        sys.exit(f"loaded before any mutant was made: {strangers}")
    gc.freeze()  # the shared modules are no garbage: otherwise each child would traverse them
    for number, line in enumerate(sys.stdin, start=1):
        job = json.loads(line)
        with _changed(copy, job["path"], job["text"], number):
            answer = _in_child(copy, job, number)
        print(json.dumps(answer), flush=True)


def _find_quickly() -> None:
    """Have a property test end with its first counterexample: nobody looks for a smaller one."""
    from hypothesis import Phase, settings

    settings.register_profile(
        "mutants", deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate), database=None
    )


def _prove(copy: Path) -> None:
    """Check that both this process and a ``pip-warden`` subprocess use the copy."""
    package = Path("src", "pip_warden", "__init__.py")
    with _changed(copy, str(package), "raise SystemExit('the copy is used')\n", 0):
        script = copy / ".venv" / "bin" / "pip-warden"
        ended = subprocess.run(
            [str(script), "--version"], env={}, cwd="/", capture_output=True, text=True, check=False
        )
    if (ended.returncode, ended.stderr) != (1, "the copy is used\n"):
        sys.exit(f"a started pip-warden does not use {copy}: {ended}")
    import pip_warden

    if Path(pip_warden.__file__) != copy / package:
        sys.exit(f"expected the pip_warden of {copy}, found {pip_warden.__file__}")


@contextlib.contextmanager
def _changed(copy: Path, path: str | None, text: str | None, number: int) -> Iterator[None]:
    """Change a file temporarily."""
    if path is None or text is None:
        yield
        return
    file = copy / path
    before, stat = file.read_bytes(), file.stat()
    try:
        file.write_text(text, encoding="utf-8")
        os.utime(file, (stat.st_atime, stat.st_mtime + 10 * (number + 1)))
        yield
    finally:
        file.write_bytes(before)
        os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def _in_child(copy: Path, job: dict[str, Any], number: int) -> dict[str, Any]:
    """Run the tests in a child; afterwards its process group and the files it wrote are gone."""
    output, result, base = copy / ".output", copy / ".result", copy.parent / f"{copy.name}-{number}"
    result.unlink(missing_ok=True)
    with output.open("wb") as stream:
        child = os.fork()
        if child == 0:
            _be_child(copy, job, base, stream.fileno(), result)
    try:
        until = time.monotonic() + _LONGEST
        while os.waitpid(child, os.WNOHANG)[0] == 0 and time.monotonic() < until:
            time.sleep(0.01)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        _end_orphans()
        shutil.rmtree(base, ignore_errors=True)
    said = output.read_text(encoding="utf-8", errors="replace")[-4000:]
    if not result.exists():
        return {"code": -1, "why": "no result", "passed": [], "failed": [], "output": said}
    answer: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    return {**answer, "output": said}


def _adopt() -> None:
    """Become the parent of orphaned processes: mutants of the supervisor leave some behind. Linux only."""
    with contextlib.suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1)


def _end_orphans() -> None:
    """Kill our children until there are none; those of a killed child become ours."""
    while orphans := [int(stat.parent.name) for stat in Path("/proc").glob("[0-9]*/stat") if _is_ours(stat)]:
        for orphan in orphans:
            with contextlib.suppress(ProcessLookupError):
                os.kill(orphan, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(orphan, 0)


def _is_ours(stat: Path) -> bool:
    """Return whether a process is our child (proc_pid_stat(5)).

    The name of its program is in parentheses, and may contain some.
    """
    try:
        return int(stat.read_bytes().rpartition(b")")[2].split()[1]) == os.getpid()
    except (OSError, IndexError):
        return False


def _be_child(copy: Path, job: dict[str, Any], base: Path, stream: int, result: Path) -> None:
    """Run the tests; never returns."""
    try:
        os.setsid()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for descriptor, target in ((nothing, 0), (stream, 1), (stream, 2)):
            os.dup2(descriptor, target)
        result.write_text(json.dumps(_tried(copy, job, base)), encoding="utf-8")
    except BaseException:  # noqa: BLE001 -- it is told, and this process ends here
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _tried(copy: Path, job: dict[str, Any], base: Path) -> dict[str, Any]:
    seen = _Seen(job["tests"])
    code, why = -1, _cannot_be_used(copy, job["path"])
    if not why:
        hangs = f"timeout={_HANGS if job['path'] else 3 * _HANGS}"
        words = [*_OPTIONS, "-o", hangs, f"--basetemp={base}", *job["tests"]]
        code = int(pytest.main(words, plugins=[seen]))
        why = {0: "passed", 1: "some passed, or none failed as it should", 5: "no tests"}.get(
            code, f"pytest said {code}"
        )
    return {"code": code, "why": why, "passed": sorted(seen.passed), "failed": sorted(seen.failed)}


def _cannot_be_used(copy: Path, path: str | None) -> str:
    """Import the mutant, and return why that fails; "" if it does not."""
    if path is None:
        return ""
    name = ".".join(Path(path).with_suffix("").parts[1:]).removesuffix(".__init__")
    if name in sys.modules and name != "pip_warden":
        return f"{name} is loaded already"
    try:
        module = importlib.import_module(name)
    except BaseException as err:  # noqa: BLE001 -- whatever it is, it is no kill
        return f"{name} cannot be imported: {err!r}"
    return "" if module.__file__ == str(copy / path) else f"{name} is {module.__file__}"


if __name__ == "__main__":
    main()
