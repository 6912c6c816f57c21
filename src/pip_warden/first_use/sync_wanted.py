"""What a project asks for where nothing is locked: its requirements files, or its static dependencies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from pip_warden.artifact.pyproject import local_project
from pip_warden.display import escape_text
from pip_warden.errors import UsageError
from pip_warden.faults import Fault
from pip_warden.installer.requirements import gather, release_of
from pip_warden.installer.wanted import NamedRequirement, Wanted
from pip_warden.locks.read import find_locks

_FILE = "pyproject.toml"


def unlocked(
    requirements: Sequence[Path], directory: Path | None, source_urls: Iterable[str]
) -> Wanted | None:
    """Return what is asked for without a lock; None where every line says its version, or there is a lock.

    Args:
        requirements: Requirements files.
        directory: Where a lock and ``pyproject.toml`` are looked for if no file is named.
        source_urls: URLs of the trust file's sources, which a requirements file may name.

    Raises:
        UsageError: A file cannot be read; ``dynamic-dependencies``.
    """
    if requirements:
        wanted = gather(files=[str(path) for path in requirements], source_urls=source_urls)
        return None if all(map(_is_pinned, wanted.named)) else wanted
    place = directory or Path()
    if find_locks(place) or not (place / _FILE).exists():
        return None
    return gather(positional=_dependencies(place), where=_FILE)


def _is_pinned(named: NamedRequirement) -> bool:
    try:
        release_of(named)
    except UsageError:
        return False
    return True


def _dependencies(place: Path) -> tuple[str, ...]:
    where, found = escape_text(str(place / _FILE)), local_project(place)
    if isinstance(found, Fault):
        raise UsageError(
            "bad-lock-file", f"{where}: expected {found.expected}, found {escape_text(found.found)}"
        )
    if found.dependencies is None:
        raise UsageError(
            "dynamic-dependencies",
            f"expected [project] dependencies in {where}, found none that can be read without building it",
            hint="Lock the project with your tool, and name the lock: --lock FILE.",
        )
    return found.dependencies
