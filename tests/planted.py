"""Planted modules: each leaves a mark when it is imported, and does nothing else."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import Path

OPTIONAL = ("simplejson", "brotli", "brotlicffi", "zstandard", "chardet", "keyring", "socks", "OpenSSL", "h2")
"""Imported by libraries where they are installed, which is optional."""

AT_START = ("sitecustomize", "usercustomize")
"""Imported by Python itself before any program runs."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Planted:
    """A directory of planted modules.

    Attributes:
        path: The directory, for instance a checkout.
        marks: Where each leaves its mark.
    """

    path: Path
    marks: Path

    @property
    def imported(self) -> list[str]:
        """Return the names of the modules that were imported."""
        return sorted(mark.name for mark in self.marks.iterdir())

    def forget(self) -> None:
        """Remove every mark."""
        for mark in self.marks.iterdir():
            mark.unlink()


def plant(directory: Path, *, besides: Iterable[str] = ()) -> Planted:
    """Plant a module of every name that is installed here, is Python's own, or that libraries look for.

    Args:
        directory: An empty directory.
        besides: Names that are not planted: what Python imports before a program's first line.
    """
    planted = Planted(path=directory / "checkout", marks=directory / "marks")
    planted.path.mkdir(parents=True)
    planted.marks.mkdir()
    names = {*sys.stdlib_module_names, *packages_distributions(), *OPTIONAL}
    for name in names - {*besides, *AT_START, "pip_warden", "__main__"}:
        if name.isidentifier():
            text = f"open({str(planted.marks / name)!r}, 'w').close()\n"
            (planted.path / f"{name}.py").write_text(text)
    package = planted.path / "pip"
    package.mkdir()
    for file in ("__init__", "__main__"):
        (package / f"{file}.py").write_text(f"open({str(planted.marks / 'pip')!r}, 'w').close()\n")
    return planted


def imported_first(directory: Path, *, as_module: bool) -> set[str]:
    """Return what Python imports before the first line of a script, of a package (``-m``), or with ``-c``."""
    package = directory / "nothing"
    package.mkdir(parents=True)
    program = "import sys\nprint(*sys.modules)\n"
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text(program)
    ways = [["-m", "nothing"], ["-c", program]] if as_module else [[str(package / "__main__.py")]]
    told = [
        subprocess.run([sys.executable, *words], cwd=directory, capture_output=True, text=True, check=True)
        for words in ways
    ]
    return {name.partition(".")[0] for each in told for name in each.stdout.split()}
