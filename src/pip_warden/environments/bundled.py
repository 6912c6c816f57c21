"""Wheels that Python and virtualenv bring along, and install into new environments without any index.

They are the user's own as the interpreter is: they have to be read before an installer runs.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pip_warden.digests import digest_of_file
from pip_warden.environments.layout import entries, sites_of
from pip_warden.environments.model import AcceptedArchive
from pip_warden.errors import UsageError
from pip_warden.names import parse_artifact_name

_ENSUREPIP = ("..", "ensurepip", "_bundled")
_VIRTUALENV = ("virtualenv", "seed", "wheels", "embed")
_LARGEST = 64 << 20
"""Bytes; pip's wheel has two million."""


def bundled_wheels(prefixes: Iterable[Path]) -> tuple[AcceptedArchive, ...]:
    """Find the wheels that come with interpreters (ensurepip) and with virtualenv.

    Args:
        prefixes: Installations of Python, and environments in which a tool is installed. They need not exist.
    """
    found: dict[Path, AcceptedArchive] = {}
    for prefix in prefixes:
        for site in sites_of(prefix):
            for parts in (_ENSUREPIP, _VIRTUALENV):
                found |= {each.path: each for each in _wheels(site.joinpath(*parts))}
    return tuple(found.values())


def _wheels(directory: Path) -> Iterator[AcceptedArchive]:
    for entry in entries(directory):
        try:
            name = parse_artifact_name(entry.name)
            if entry.is_file(follow_symlinks=False) and entry.stat().st_size <= _LARGEST:
                path = Path(entry.path)
                yield AcceptedArchive(name=name, digest=digest_of_file(path), path=path)
        except (UsageError, OSError):
            continue
