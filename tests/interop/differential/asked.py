"""Run by the target's interpreter: answers questions from standard input, each in a child of its own.

Each answer is one JSON line.

A child, because pip is designed to be called once per process; forked, because importing pip takes ten times
as long as installing a wheel with it.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import signal
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

LONGEST_WAIT = 60
"""Seconds after which a reader is killed."""


def pip(dump: str, *arguments: str) -> int:
    """Run pip as a command line would; a backend that it runs writes the tree it sees to ``dump``."""
    from pip._internal.cli.main import main

    os.environ["DIFFERENTIAL_DUMP"] = dump
    return main(list(arguments))


def by_installer(wheel: str, prefix: str) -> int:
    """Install a wheel with the library ``installer``, into the places that pip and uv use below a prefix."""
    import sysconfig

    from installer import install
    from installer.destinations import SchemeDictionaryDestination
    from installer.sources import WheelFile

    places = sysconfig.get_paths("venv", {"base": prefix, "platbase": prefix, "installed_base": prefix})
    places["headers"] = f"{places['include']}/acme-widgets"
    destination = SchemeDictionaryDestination(
        {key: places[key] for key in ("purelib", "platlib", "headers", "scripts", "data")},
        interpreter=sys.executable,
        script_kind="posix",
        bytecode_optimization_levels=(),
    )
    with WheelFile.open(Path(wheel)) as source:
        install(source, destination, {"INSTALLER": b"installer"})
    return 0


def by_tarfile(sdist: str, into: str) -> int:
    """Unpack an sdist with the standard library and the filter that PEP 706 has for it."""
    with tarfile.open(sdist) as archive:
        archive.extractall(into, filter="data")
    return 0


def by_pip(sdist: str, into: str) -> int:
    """Unpack an sdist as pip does, without its top directory."""
    from pip._internal.utils.unpacking import unpack_file

    unpack_file(sdist, into)
    return 0


QUESTIONS: dict[str, Callable[..., int]] = {
    "pip": pip,
    "installer": by_installer,
    "tarfile": by_tarfile,
    "pip-unpack": by_pip,
}


def main() -> None:
    """Answer until there are no more questions."""
    import importlib

    for module in (
        "pip._internal.cli.main",
        "pip._internal.commands.install",
        "pip._internal.commands.wheel",
        "pip._internal.resolution.resolvelib.resolver",
        "pip._internal.operations.install.wheel",
        "pip._internal.metadata.importlib",
        "pip._internal.utils.unpacking",
        "pip._vendor.distlib.scripts",
        "installer.sources",
        "installer.destinations",
        "sysconfig",
    ):
        importlib.import_module(module)
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line))), flush=True)


def _answer(question: list[str]) -> dict[str, Any]:
    """Answer one question; output goes to a pipe that is read to its end."""
    ours, theirs = os.pipe()
    child = os.fork()
    if not child:
        os.close(ours)
        os._exit(_child(theirs, question))
    os.close(theirs)
    with open(ours, "rb") as stream:
        said = stream.read().decode("utf-8", "replace")
    _, status = os.waitpid(child, 0)
    return {"code": os.waitstatus_to_exitcode(status), "said": said[-4000:]}


def _child(theirs: int, question: list[str]) -> int:
    for number in (1, 2):
        os.dup2(theirs, number)
    signal.alarm(LONGEST_WAIT)
    stream = io.TextIOWrapper(io.FileIO(theirs, "w"), encoding="utf-8", errors="replace", write_through=True)
    with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
        try:
            return QUESTIONS[question[0]](*question[1:])
        except SystemExit as err:
            return int(bool(err.code))
        except Exception as err:  # noqa: BLE001 - whatever a reader does with an archive is its answer
            print(f"{type(err).__name__}: {err}")
            return 1


if __name__ == "__main__":
    main()
