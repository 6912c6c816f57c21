"""Python programs, each in an environment of its own whose directory names its version.

pip takes them from where it takes packages on this machine. An environment cannot be moved, so each is made in
its place; a note in it says that it is complete.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from interop.stack.jobs import Commands, Job

_WHOLE = "installed"


def program(directory: Path, name: str, version: str) -> Path:
    """Return where a program is, installed or not."""
    return directory / f"{name}-{version}" / "bin" / name


def missing(directory: Path, wanted: Mapping[str, str]) -> dict[str, Job]:
    """Return a job for each program (name and version) that is not installed in a directory."""
    return {
        f"{name} {version}": partial(_install, directory / f"{name}-{version}", f"{name}=={version}")
        for name, version in wanted.items()
        if not (directory / f"{name}-{version}" / _WHOLE).exists()
    }


def _install(environment: Path, requirement: str, commands: Commands) -> None:
    shutil.rmtree(environment, ignore_errors=True)
    environment.parent.mkdir(parents=True, exist_ok=True)
    run = partial(commands.run, cwd=environment.parent)
    run(sys.executable, "-m", "venv", str(environment))
    pip = (str(environment / "bin" / "python"), "-m", "pip", "--disable-pip-version-check")
    run(*pip, "install", "--quiet", "--retries", "2", requirement)
    (environment / _WHOLE).touch()
