"""Scripts as installers write them: the first line names the environment's interpreter, the rest is known.

Sources: pip and what it has of distlib, uv, and the library ``installer``, which poetry and pdm use, each as
read in 2026. A script that was made in another way is not one of theirs.
"""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import PurePosixPath

from pip_warden.environments.layout import SiteLayout
from pip_warden.values import dataclass

_CODING = "# -*- coding: utf-8 -*-\n"
_SUFFIXES = r"""sys.argv[0] = re.sub(r'(-script\.pyw|\.exe)?$', '', sys.argv[0])"""
_PIP = """import sys
from {module} import {name}
if __name__ == '__main__':
    sys.argv[0] = sys.argv[0].removesuffix('.exe')
    sys.exit({function}())
"""
_PIP_25 = """import sys
from {module} import {name}
if __name__ == '__main__':
    if sys.argv[0].endswith('.exe'):
        sys.argv[0] = sys.argv[0][:-4]
    sys.exit({function}())
"""
_DISTLIB = f"""{_CODING}import re
import sys
if __name__ == '__main__':
    from {{module}} import {{name}}
    {_SUFFIXES}
    sys.exit({{function}}())
"""
_INSTALLER = f"""{_CODING}import re
import sys
from {{module}} import {{name}}
if __name__ == '__main__':
    {_SUFFIXES}
    sys.exit({{function}}())
"""
_UV = f"""{_CODING}import sys
from {{module}} import {{name}}
if __name__ == '__main__':
    if sys.argv[0].endswith('-script.pyw'):
        sys.argv[0] = sys.argv[0][:-11]
    elif sys.argv[0].endswith('.exe'):
        sys.argv[0] = sys.argv[0][:-4]
    sys.exit({{function}}())
"""
_TEMPLATES = (_PIP, _UV, _INSTALLER, _PIP_25, _DISTLIB)
_DIRECT = re.compile(rb"#!(?P<path>/[^\r\n\0]*)\n")
_BY_SHELL = re.compile(rb"#!/bin/sh\n'''exec' (?P<word>[^\r\n\0]+) \"\$0\" \"\$@\"\n' '''\n")
"""For a path that is long or has spaces: the shell runs the interpreter, which reads a string there."""
_RELOCATABLE = re.compile(
    r"\"\$\(dirname -- \"\$\(realpath -- \"\$0\"\)\"\)\"/(?P<quote>'?)(?P<name>[a-z0-9.]+)(?P=quote)"
)
"""uv's, in an environment that may be moved: the interpreter next to the script."""
_BLANK = re.compile(r"[ \t]")
_WORD = re.compile(r"'(?P<single>[^']+)'|\"(?P<double>[^\"$`\\]+)\"|(?P<bare>[A-Za-z0-9_./+@%:,=-]+)")
_INTERPRETER = re.compile(r"(python|pypy|graalpy)[0-9]*(\.[0-9]+)?t?", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class ScriptEntry:
    """What a generated script runs: an object of a module (PyPA specification "Entry points").

    Attributes:
        module: ``acme.cli``.
        function: ``main``, or ``Cli.run``.
    """

    module: str
    function: str

    def is_launched_by(self, body: bytes) -> bool:
        """Return whether a script's text, without its first line, runs this and nothing else."""
        name = self.function.partition(".")[0]
        text = body.replace(b'"', b"'")
        return any(
            template.format(module=self.module, name=name, function=self.function).encode() == text
            for template in _TEMPLATES
        )


def as_installed(script: bytes) -> bytes:
    """Return a script as its installer wrote and recorded it.

    pipx adds an option to the interpreter's line afterwards, and does not record it: with ``-E`` Python heeds
    no variable of the environment.
    """
    first, newline, rest = script.partition(b"\n")
    is_of_pipx = first.startswith(b"#!/") and newline
    return first.removesuffix(b" -E") + newline + rest if is_of_pipx else script


def body_of(script: bytes, layout: SiteLayout) -> bytes | None:
    """Return a script without the lines that name the environment's interpreter; None where they do not.

    In a virtual environment it must be that one's own; elsewhere nobody knows which it should be, and a
    name of Python's is asked for.
    """
    by_shell = _BY_SHELL.match(script)
    found = by_shell or _DIRECT.match(script)
    if found is None:
        return None
    try:
        interpreter = _word(found["word"].decode(), layout) if by_shell else found["path"].decode()
    except UnicodeDecodeError:
        return None
    if not by_shell and _BLANK.search(interpreter) and not _is_path(interpreter, layout):
        return None
    return script[found.end() :] if _is_interpreter(interpreter, layout) else None


def _is_path(line: str, layout: SiteLayout) -> bool:
    """Return whether a first line with a blank is the path that pip writes so, though no system can run it.

    The system runs what is before the blank, and hands it the rest: ``-cimport evil#/../python``. Whoever
    normalizes that as a path is told of the interpreter's directory.
    """
    return os.path.dirname(line) == os.fspath(layout.scripts) or (
        not layout.is_virtual and os.path.isfile(line)
    )


def _word(word: str, layout: SiteLayout) -> str:
    if moved := _RELOCATABLE.fullmatch(word):
        return os.path.join(layout.scripts, moved["name"])
    plain = _WORD.fullmatch(word)
    if plain is None or "'''" in plain[0][1:-1]:  # there Python's string would end, and its program begin
        return ""
    return plain["single"] or plain["double"] or plain["bare"]


def _is_interpreter(path: str, layout: SiteLayout) -> bool:
    if not posixpath.isabs(path) or not _INTERPRETER.fullmatch(PurePosixPath(path).name):
        return False
    if not layout.is_virtual:
        return True
    return os.path.realpath(os.path.dirname(path)) == os.path.realpath(layout.scripts)
