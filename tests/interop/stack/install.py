"""Installs every foreign program that `tools.toml` names into the cache, once: the missing ones, in parallel.

Each is made next to its place and moved there when it is complete, so that an interrupted one is never taken
for it.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
import threading
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from interop.stack import python_programs
from interop.stack.jobs import Commands, Job, JobError, side_by_side, tell
from interop.stack.places import BIN, CACHE, FILES, PYTHON

_HERE = Path(__file__).parent
TOOLS: dict[str, dict[str, str]] = tomllib.loads((_HERE / "tools.toml").read_text(encoding="utf-8"))
_BUILDING = CACHE / "building"
_MODULES, _WHOLE = CACHE / "node_modules", "installed.json"
_BUILDS = threading.BoundedSemaphore(2)
"""How many builds run at once; each uses every core except while linking.

Downloads wait for the network, not for this.
"""


class MissingError(Exception):
    """Something is needed that this cannot install."""


def install() -> None:
    """Install what is missing or has another version.

    Raises:
        MissingError: There is no Go, npm, or root to install a Debian package as; or one of them failed.
    """
    if not _jobs():
        return
    for directory in (BIN, FILES):
        directory.mkdir(parents=True, exist_ok=True)
    with _alone():
        jobs = _jobs()  # again: the previous holder of the lock may have done everything
        shutil.rmtree(_BUILDING, ignore_errors=True)
        try:
            if jobs:
                side_by_side(jobs)
        except JobError as err:
            raise MissingError(str(err)) from err
        finally:
            shutil.rmtree(_BUILDING, ignore_errors=True)


def found(program: str) -> str | None:
    """Return the path of a system program; Debian keeps servers off an ordinary user's PATH."""
    return shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")


@contextmanager
def _alone() -> Iterator[None]:
    """Wait until no other process installs into this cache."""
    with (CACHE / "install.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell("all", "waiting for another install to be over")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _jobs() -> dict[str, Job]:
    """Return a job for each missing tool; their common prerequisites are checked first.

    Raises:
        MissingError: A prerequisite is missing.
    """
    built = built_from(BIN / name for name in TOOLS["go"])
    go = {name: package for name, package in TOOLS["go"].items() if built.get(name) != package}
    ours = {name: place for name, place in TOOLS["ours"].items() if not _is_made(name, _HERE / place)}
    files = {name: source for name, source in TOOLS["files"].items() if not _is_copied(name, source)}
    npm = not _is_npm_done()
    debian = {package for program, package in TOOLS["debian"].items() if found(program) is None}
    for program, wanted in (("go", go or ours or files), ("npm", npm)):
        if wanted and found(program) is None:
            raise MissingError(f"{program} is needed and is not on PATH")
    if debian and os.geteuid() != 0:
        raise MissingError(f"as root: apt-get install {' '.join(sorted(debian))}")
    jobs: dict[str, Job] = {}
    for group in _by_module(go):
        jobs[", ".join(group)] = partial(_build, group)
    for name, place in ours.items():
        jobs[name] = partial(_make, name, _HERE / place)
    for name, source in files.items():
        jobs[name] = partial(_copy, name, source)
    jobs.update(python_programs.missing(PYTHON, TOOLS["python"]))
    if npm:
        jobs["npm"] = _npm
    if debian:
        jobs["apt-get"] = partial(_debian, sorted(debian))
    return jobs


def built_from(binaries: Iterable[Path]) -> dict[str, str]:
    """Return, by name, package and version that Go binaries were built from, where they state them."""
    there = [str(binary) for binary in binaries if binary.exists()]
    if not there or found("go") is None:
        return {}
    # One call for all of them. It fails for one that is no Go binary, but still reports the others.
    said = subprocess.run(["go", "version", "-m", *there], capture_output=True, text=True, check=False).stdout
    result, name, path = {}, "", ""
    for line in said.splitlines():
        words = line.split()
        if not line.startswith("\t"):
            name = Path(line.rpartition(": ")[0]).name
        elif words[0] == "path":
            path = words[1]
        elif words[0] == "mod":
            result[name] = f"{path}@{words[2]}"
    return result


def _by_module(packages: Mapping[str, str]) -> list[dict[str, str]]:
    """Return packages in groups of one module and version: built separately they would compile it twice."""
    groups: dict[tuple[str, str], dict[str, str]] = {}
    for name, package in packages.items():
        path, _, version = package.partition("@")
        groups.setdefault((path.rpartition("/")[0], version), {})[name] = package
    return list(groups.values())


def _build(group: Mapping[str, str], commands: Commands) -> None:
    names = ", ".join(group)
    into = _BUILDING / next(iter(group))
    # None of them needs C; with it they would differ from machine to machine, and take longer.
    environment = {"GOBIN": str(into), "CGO_ENABLED": "0"}
    run = partial(commands.run, cwd=CACHE, environment=environment)
    run("go", "install", "-n", *group.values())  # prints what a build would do: so it only fetches
    with _BUILDS:
        tell(names, "fetched, is being built")
        run("go", "install", "-ldflags=-s -w", *group.values())
    for name, package in group.items():
        (into / package.partition("@")[0].rpartition("/")[2]).replace(BIN / name)


def _is_made(name: str, directory: Path) -> bool:
    """Return whether a program of ours was built from its present sources: its Go module has no version."""
    note = FILES / f"{name}.from"
    return (BIN / name).exists() and note.exists() and note.read_text(encoding="utf-8") == _sources(directory)


def _make(name: str, directory: Path, commands: Commands) -> None:
    into = _BUILDING / name
    _BUILDING.mkdir(exist_ok=True)
    run = partial(commands.run, cwd=directory, environment={"CGO_ENABLED": "0"})
    run("go", "mod", "download")
    with _BUILDS:
        run("go", "build", "-ldflags=-s -w", "-o", str(into), ".")
    note = FILES / f"{name}.from"
    note.unlink(missing_ok=True)
    into.replace(BIN / name)
    note.write_text(_sources(directory), encoding="utf-8")


def _sources(directory: Path) -> str:
    return "".join(file.read_text(encoding="utf-8") for file in sorted(directory.iterdir()))


def _is_copied(name: str, source: str) -> bool:
    note = FILES / f"{name}.from"
    return (FILES / name).exists() and note.exists() and note.read_text(encoding="utf-8") == source


def _copy(name: str, source: str, commands: Commands) -> None:
    module, _, rest = source.partition("@")
    version, _, path = rest.partition("/")
    said = json.loads(commands.run("go", "mod", "download", "-json", f"{module}@{version}", cwd=CACHE))
    note = FILES / f"{name}.from"
    note.unlink(missing_ok=True)
    (FILES / name).write_bytes((Path(said["Dir"]) / path).read_bytes())
    note.write_text(source, encoding="utf-8")


def _is_npm_done() -> bool:
    if not TOOLS["npm"]:
        return True
    try:
        return bool(json.loads((_MODULES / _WHOLE).read_text(encoding="utf-8")) == TOOLS["npm"])
    except (FileNotFoundError, ValueError):
        return False


def _npm(commands: Commands) -> None:
    into = _BUILDING / "npm"
    into.mkdir(parents=True)
    words = [f"{package}@{version}" for package, version in TOOLS["npm"].items()]
    quiet = ("--no-progress", "--no-fund", "--no-audit", "--no-update-notifier")
    soon = (
        "--fetch-retry-mintimeout=2000",
        "--fetch-retry-maxtimeout=10000",
    )  # otherwise minutes, without a network
    commands.run("npm", "install", *quiet, *soon, "--prefix", str(into), *words, cwd=CACHE)
    (into / "node_modules" / _WHOLE).write_text(json.dumps(TOOLS["npm"]), encoding="utf-8")
    shutil.rmtree(_MODULES, ignore_errors=True)
    (into / "node_modules").replace(_MODULES)


def _debian(packages: list[str], commands: Commands) -> None:
    """Install packages without starting a server: MariaDB's programs come without service and data."""
    run = partial(commands.run, cwd=CACHE, environment={"DEBIAN_FRONTEND": "noninteractive"}, patient=True)
    waiting = ("-q", "-o", "DPkg::Lock::Timeout=600")
    try:
        run("apt-get", "update", *waiting)
        stale = ""
    # One source of many may not respond; the wanted package may well be in another.
    except JobError as err:
        stale = f"\nbefore that, {err}"
    try:
        run("apt-get", "install", "-y", *waiting, "--no-install-recommends", *packages)
    except JobError as err:
        raise JobError(f"{err}{stale}") from err
