"""Where an installation puts packages: receipts are written there, and nowhere else."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from pip_warden.environments.layout import sites_of
from pip_warden.install.request import PreparedRequest
from pip_warden.installer.passed import last_value
from pip_warden.installer.python import Target

_OF_ONE = re.compile(r"(?:python|pypy|graalpy)([0-9]+\.[0-9]+)t?", re.ASCII)
"""A directory of one version of Python."""


def places_of_pip(prepared: PreparedRequest) -> tuple[Path, ...]:
    """Return the directories of packages that pip installs into.

    No Python is asked: what is known is the form of the paths.

    Args:
        prepared: The request.
    """
    options = prepared.every_option
    if (directory := last_value(options, "--target")) is not None:
        return (Path(os.path.abspath(directory)),)
    prefix = os.path.abspath(last_value(options, "--prefix") or _prefix(prepared.target))
    if (root := last_value(options, "--root")) is not None:
        prefix = os.path.abspath(root) + prefix
    return tuple(_of_version(sites_of(Path(prefix)), prepared.target.version))


def _prefix(target: Target) -> str:
    """Return a target's ``sys.prefix``; of a virtual environment by its place, as it may have been moved."""
    own = target.executable.parent.parent
    return os.fspath(own) if (own / "pyvenv.cfg").is_file() else target.prefix


def _of_version(sites: Sequence[Path], version: str) -> Iterator[Path]:
    """Leave out what belongs to another version of Python: a prefix may serve several."""
    for site in sites:
        named = _OF_ONE.fullmatch(site.parent.name)
        if named is None or named[1] == version:
            yield site
