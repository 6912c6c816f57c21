"""Where the parts of an environment are: its directories of packages, its scripts, its prefix.

Sources: the installation schemes of Python's ``sysconfig``; PEP 582 for ``__pypackages__``. What is known is
the form of the paths alone: no interpreter is asked.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from pip_warden.artifact.layout import DIST_INFO
from pip_warden.values import dataclass

_LIBRARIES = ("lib", "lib64", "Lib", "local/lib")
_PYTHON = re.compile(r"(python|pypy|graalpy)[0-9]*(\.[0-9]+)?t?", re.ASCII)
_PACKAGES = ("site-packages", "dist-packages")
_DEEPEST = 4
"""Directories between a directory of environments and one: hatch has ``virtual/PROJECT/HASH/NAME``."""
_MOST_DIRECTORIES = 4096
_MOST_ENTRIES = 100_000
"""Entries of one directory."""
_HOME = "../../"
"""What pip's ``--target`` records of all that is outside of ``lib/python``, before it moves both."""


@dataclass(frozen=True, kw_only=True, slots=True)
class SiteLayout:
    """A directory of packages, and what belongs to it.

    Attributes:
        site: The directory of packages.
        prefix: What the environment has all its files in; the site itself where it is no environment's
            (``pip install --target``).
        scripts: Its directory of scripts.
    """

    site: Path
    prefix: Path
    scripts: Path

    @property
    def is_flat(self) -> bool:
        """Return whether it is no environment's: everything is below the directory of packages."""
        return self.site == self.prefix

    @property
    def settings(self) -> Path:
        """Return the file that says where a virtual environment has its Python from (PEP 405)."""
        return self.prefix / "pyvenv.cfg"

    @property
    def is_virtual(self) -> bool:
        """Return whether it is a virtual environment's, which has an interpreter of its own (PEP 405)."""
        return os.path.isfile(self.settings)

    @property
    def leads_out(self) -> bool:
        """Return whether the directory of packages is a link to somewhere else."""
        prefix = os.path.realpath(self.prefix)
        return os.path.commonpath([prefix, os.path.realpath(self.site)]) != prefix

    def key(self, recorded: str) -> str | None:
        """Return a recorded path relative to the site, without detours; None where it leads out.

        Args:
            recorded: The path as RECORD has it: relative to the site, or absolute.
        """
        if not recorded or "\0" in recorded:
            return None
        if recorded[0] not in "./" and posixpath.normpath(recorded) == recorded:
            return recorded  # as nearly all are
        if self.is_flat:
            recorded = recorded.removeprefix(_HOME)
        place = posixpath.normpath(posixpath.join(self.site, recorded))
        inside = place.startswith(os.fspath(self.prefix).rstrip("/") + "/")
        return posixpath.relpath(place, self.site) if inside else None

    def place(self, key: str) -> str:
        """Return where the file with a key is."""
        return posixpath.normpath(posixpath.join(self.site, key))

    def path(self, key: str) -> Path:
        """Return where the file with a key is, to look at its parts; of many files it takes half the time."""
        return Path(self.place(key))

    def key_of(self, path: Path) -> str:
        """Return the key of a path in this environment."""
        return posixpath.relpath(path, self.site)


def layout_of(site: Path) -> SiteLayout:
    """Return what belongs to a directory of packages, by its path."""
    site = Path(os.path.abspath(site))
    parents = site.parents
    if site.name in _PACKAGES and len(parents) > 1:
        if parents[0].name == "Lib":
            return SiteLayout(site=site, prefix=parents[1], scripts=parents[1] / "Scripts")
        if len(parents) > 2 and _PYTHON.fullmatch(parents[0].name) and parents[1].name in {"lib", "lib64"}:
            return SiteLayout(site=site, prefix=parents[2], scripts=parents[2] / "bin")
    if site.name == "lib" and len(parents) > 1 and parents[1].name == "__pypackages__":
        return SiteLayout(site=site, prefix=parents[0], scripts=parents[0] / "bin")
    return SiteLayout(site=site, prefix=site, scripts=site / "bin")


def sites_of(place: Path) -> tuple[Path, ...]:
    """Find the directories of packages in an environment, in a directory of environments, or in neither.

    A directory that holds packages itself is one (``pip install --target``). No link to another directory is
    followed, but for the place itself.
    """
    waiting, found, budget = [(Path(os.path.abspath(place)), 0)], list[Path](), _MOST_DIRECTORIES
    while waiting and budget:
        directory, depth = waiting.pop()
        budget -= 1
        if sites := tuple(_sites(directory)):
            found += sites
        elif depth < _DEEPEST and not os.path.isfile(directory / "pyvenv.cfg"):
            waiting += [(Path(each.path), depth + 1) for each in entries(directory) if is_directory(each)]
    return tuple(sorted(found))


def entries(directory: str | Path) -> tuple[os.DirEntry[str], ...]:
    """List a directory, sorted; nothing where it cannot be read."""
    try:
        with os.scandir(directory) as listed:
            return tuple(sorted(islice(listed, _MOST_ENTRIES), key=lambda each: each.name))
    except (OSError, ValueError):
        return ()


def _sites(directory: Path) -> Iterator[Path]:
    """Yield the directories of packages of one environment; none where it is none."""
    named = [directory / "Lib" / "site-packages"]
    for library in map(directory.joinpath, _LIBRARIES):
        pythons = [each for each in entries(library) if _PYTHON.fullmatch(each.name) and is_directory(each)]
        named += [Path(each.path, packages) for each in pythons for packages in _PACKAGES]
    pypackages = directory / "__pypackages__"
    base = directory if directory.name == "__pypackages__" else pypackages
    named += [Path(each.path, "lib") for each in entries(base) if is_directory(each)]
    seen = set[str]()
    for site in named:
        if os.path.isdir(site) and (real := os.path.realpath(site)) not in seen:
            seen.add(real)
            yield site
    if not seen and (
        directory.name in _PACKAGES or any(each.name.endswith(DIST_INFO) for each in entries(directory))
    ):
        yield directory


def is_directory(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a directory, and no link to one."""
    try:
        return entry.is_dir(follow_symlinks=False)
    except OSError:
        return False
