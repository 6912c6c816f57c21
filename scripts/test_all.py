"""Runs the tests on every supported Python of this machine: pyenv's, and each ``python3.N`` on PATH.

Each minor version is tested once, in a virtual environment of its own, by ``make test``; an interpreter that
cannot be used is named. ``--newest`` takes only the newest one, unless it is the one that runs this, which
``make test`` tests.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from packaging.specifiers import SpecifierSet
from packaging.version import InvalidVersion, Version

ROOT = Path(__file__).parent.parent
_NEWEST_MINOR = 40
_ASK = (
    "import platform, sys; from importlib.util import find_spec; "
    "print(sys.implementation.name, platform.python_version(), "
    "*(name for name in ('venv', 'ensurepip') if find_spec(name) is None))"
)


def main() -> int:
    """Test and return an exit code: 0 only if at least one Python was tested, and everything passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--newest", action="store_true", help="only the newest, if it is not the default one")
    newest = parser.parse_args().newest
    found = usable(candidates(), supported())
    if not found:
        print("no supported Python was found: nothing was tested")
        return 1
    own = sys.version_info[:2]
    if newest:
        if max(found) <= own:
            print(
                f"no Python here is newer than the default one, {own[0]}.{own[1]}: `make test` has tested it"
            )
            return 0
        found = {max(found): found[max(found)]}
    results = {minor: run(minor, found[minor], is_own=minor == own) for minor in sorted(found)}
    for minor, passed in results.items():
        print(f"Python {minor[0]}.{minor[1]}: {'passed' if passed else 'FAILED'} ({found[minor]})")
    return 0 if all(results.values()) else 1


def supported() -> SpecifierSet:
    """Return the specifier of ``requires-python``."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return SpecifierSet(project["requires-python"])


def candidates() -> Iterator[Path]:
    """Yield interpreters in order of preference: the running one, pyenv's, newest first, those on PATH."""
    yield Path(sys.executable)
    if shutil.which("pyenv"):
        versions = Path(_output("pyenv", "root")) / "versions"
        names = [name for name in _output("pyenv", "versions", "--bare").split() if _version(name)]
        yield from (versions / name / "bin" / "python" for name in sorted(names, key=Version, reverse=True))
    for minor in range(_NEWEST_MINOR):
        path = shutil.which(f"python3.{minor}")
        if path is not None:
            yield Path(path)


def usable(paths: Iterator[Path], wanted: SpecifierSet) -> dict[tuple[int, int], Path]:
    """Query each interpreter's version, and return the first good one of each supported minor version."""
    found: dict[tuple[int, int], Path] = {}
    lacking: dict[tuple[int, int], list[str]] = {}
    for path in paths:
        ran = subprocess.run([str(path), "-I", "-c", _ASK], capture_output=True, text=True, check=False)
        name, text, *missing = ran.stdout.split() or ("", path.name.removeprefix("python"))
        version = _version(text)
        if version is None or version not in wanted or version.is_prerelease or name not in {"cpython", ""}:
            continue
        minor = (version.major, version.minor)
        if missing:
            lacking.setdefault(minor, []).append(f"{path} has no {' and no '.join(missing)}")
        elif ran.returncode:
            # pyenv puts names on PATH for which it has no active interpreter.
            lacking.setdefault(minor, []).append(f"{path} does not run")
        else:
            found.setdefault(minor, path)
    for minor in sorted(lacking.keys() - found.keys()):
        print(f"SKIPPED: Python {minor[0]}.{minor[1]}: {'; '.join(lacking[minor])}", flush=True)
    return found


def run(minor: tuple[int, int], python: Path, *, is_own: bool) -> bool:
    """Run ``make test`` with an interpreter, in its own virtual environment unless it is this one."""
    name = f"{minor[0]}.{minor[1]}"
    print(f"Python {name}: {python}", flush=True)
    settings = [] if is_own else [f"PYTHON={python}", f"VENV=.cache/venv-{name}"]
    return subprocess.run(["make", "test", *settings], cwd=ROOT, check=False).returncode == 0


def _output(*words: str) -> str:
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip()


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None


if __name__ == "__main__":
    sys.exit(main())
