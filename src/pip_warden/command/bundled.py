"""What new environments get without any network: the wheels of the Pythons and tools that may make one."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from pip_warden.command.model import CommandRequest
from pip_warden.environments.bundled import bundled_wheels
from pip_warden.environments.model import AcceptedArchive
from pip_warden.tools.interpreter import interpreter_of, program_path

_MINORS = range(8, 20)
"""Of the Pythons that are looked for on the path."""


def brought_along(request: CommandRequest, environ: Mapping[str, str]) -> tuple[AcceptedArchive, ...]:
    """Return the wheels of each Python on the path, of our own, and of the one that runs the command.

    They are the user's own, as the Pythons are. They have to be read before the command runs.
    """
    prefixes = (
        prefix
        for python in _pythons(request, environ)
        for prefix in (python.parent.parent, Path(os.path.realpath(python)).parent.parent)
    )
    return bundled_wheels(dict.fromkeys(prefixes))


def _pythons(request: CommandRequest, environ: Mapping[str, str]) -> Iterator[Path]:
    yield Path(sys.executable)
    program = program_path(request.words[0], environ, request.directory)
    if program is not None and (own := interpreter_of(Path(os.path.realpath(program)))) is not None:
        yield own
    for name in ("python3", "python", *(f"python3.{minor}" for minor in _MINORS)):
        if (found := program_path(name, environ, request.directory)) is not None:
            yield found
