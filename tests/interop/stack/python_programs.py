"""Python programs, each in an environment of its own whose directory names its version.

pip takes them from where it takes packages on this machine. An environment cannot be moved, so each is made
in its place; a note in it says that it is complete.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from interop.stack.jobs import Commands, Job

_WHOLE = "installed"


def program(directory: Path, name: str, requirements: str) -> Path:
    """Return where a program is, installed or not.

    Args:
        directory: Where all of them are.
        name: Its name.
        requirements: ``PACKAGE==VERSION``, and others that it is installed with.
    """
    return _environment(directory, name, requirements) / "bin" / name


def missing(directory: Path, wanted: Mapping[str, str]) -> dict[str, Job]:
    """Return a job for each program, with its requirements, that is not installed in a directory."""
    places = {name: _environment(directory, name, requirements) for name, requirements in wanted.items()}
    return {
        place.name: partial(_install, place, wanted[name])
        for name, place in places.items()
        if not (place / _WHOLE).exists()
    }


def _environment(directory: Path, name: str, requirements: str) -> Path:
    return directory / f"{name}-{requirements.split(maxsplit=1)[0].partition('==')[2]}"


def _install(environment: Path, requirements: str, commands: Commands) -> None:
    shutil.rmtree(environment, ignore_errors=True)
    environment.parent.mkdir(parents=True, exist_ok=True)
    run = partial(commands.run, cwd=environment.parent)
    run(sys.executable, "-m", "venv", str(environment))
    pip = (str(environment / "bin" / "python"), "-m", "pip", "--disable-pip-version-check")
    run(*pip, "install", "--quiet", "--retries", "2", *requirements.split())
    (environment / _WHOLE).touch()
