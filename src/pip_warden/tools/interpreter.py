"""Where a tool that is a Python program installs: the environment of the interpreter that runs it."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

from pip_warden.errors import UsageError
from pip_warden.installer.python import choose_target
from pip_warden.tools.around import Around

_INTERPRETER = re.compile(
    rb"""#![ \t]*(?:/usr/bin/env[ \t]+)?([^ \t\r\n]+)|'{3}exec' (?:"([^"\r\n]+)"|([^ "\r\n]+))"""
)
"""In a console script: its first line; where a path is long or has blanks, the one that does it instead."""


def program_path(word: str, environ: Mapping[str, str], directory: Path) -> Path | None:
    """Return the file of a program that is called, None where there is none."""
    found = shutil.which(word, path=environ.get("PATH", os.defpath)) if "/" not in word else word
    return (directory / found).absolute() if found else None


def interpreter_of(script: Path) -> Path | None:
    """Return the interpreter that a console script names; without one, the Python that lies beside it."""
    try:
        with script.open("rb") as stream:
            found = _INTERPRETER.findall(stream.read(1024))
    except (OSError, ValueError):
        return None
    named = [os.fsdecode(b"".join(groups)) for groups in found]
    for name in reversed(named):
        if os.path.isabs(name) and "python" in name:
            return Path(name)
    beside = script.parent / "python"
    return beside if os.path.exists(beside) else None


def prefix_of(interpreter: Path) -> Path | None:
    """Return the directory that an interpreter installs into; None where it is none, or does not say.

    That of a virtual environment is known without starting it (PEP 405).
    """
    for root in (interpreter, interpreter.parent, interpreter.parent.parent):
        if os.path.lexists(root / "pyvenv.cfg"):
            return root.absolute()
    try:
        return Path(choose_target(interpreter, {}, "").prefix)
    except (UsageError, OSError, ValueError):
        return None


def named_prefix(word: str, around: Around) -> Path | None:
    """Return the environment of what ``--python`` names: a directory or a file, before a program on $PATH."""
    here = around.within(word)
    if os.path.exists(here):
        return prefix_of(here / "bin" / "python" if os.path.isdir(here) else here)
    program = program_path(word, around.environ, around.directory)
    return None if program is None else prefix_of(program)


def own_prefix(word: str, environ: Mapping[str, str], directory: Path, *, is_python: bool) -> Path | None:
    """Return the environment of the program that is called: a Python, or a script for one."""
    program = program_path(word, environ, directory)
    interpreter = program if is_python or program is None else interpreter_of(program)
    return None if interpreter is None else prefix_of(interpreter)


def active_environment(around: Around) -> Path | None:
    """Return the environment that is activated."""
    active = around.environ.get("VIRTUAL_ENV")
    return around.within(active) if active else None


def system_prefix(around: Around) -> Path | None:
    """Return the environment of the Python that is found first."""
    for name in ("python3", "python"):
        program = program_path(name, around.environ, around.directory)
        if program and (prefix := prefix_of(program)):
            return prefix
    return None
