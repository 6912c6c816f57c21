"""Puts a lock together; what it says twice must be the same both times."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from pip_warden.locks.files import contradiction
from pip_warden.locks.model import DirectReference, Lacking, Lock, LockedRelease, LockFormat

_Package = TypeVar("_Package", LockedRelease, DirectReference)
_NOTHING = (Lacking(filename="", why="no hash at all"),)


def assemble(
    path: Path,
    lock_format: LockFormat,
    packages: Iterable[LockedRelease | DirectReference],
    *,
    requires_python: str = "",
    environments: tuple[str, ...] = (),
) -> Lock:
    """Make a lock of what was read from it, sorted; equal tables become one.

    Raises:
        UsageError: ``lock-contradiction``: two tables of one release have other files.
    """
    releases: dict[object, LockedRelease] = {}
    direct: dict[object, DirectReference] = {}
    for package in packages:
        if isinstance(package, LockedRelease):
            release = _told(package)
            key = (release.project, release.version, release.index)
            releases[key] = _merged(releases.get(key), release)
        else:
            place = (package.project, package.version, package.kind, package.location)
            direct[place] = _merged(direct.get(place), package)
    return Lock(
        path=path,
        format=lock_format,
        releases=tuple(sorted(releases.values(), key=lambda r: (r.project, r.version, r.index or ""))),
        direct=tuple(sorted(direct.values(), key=lambda d: (d.project or "", d.location, str(d.version)))),
        requires_python=requires_python,
        environments=environments,
    )


def _told(release: LockedRelease) -> LockedRelease:
    """Return a release in which it is told that there is no hash."""
    has_any = release.files or release.digests or release.lacking
    return release if has_any else replace(release, lacking=_NOTHING)


def _merged(known: _Package | None, package: _Package) -> _Package:
    """Return one for two tables of the same; only where they stand and when they are wanted may differ."""
    if known is None:
        return package
    merged = replace(known, conditions=known.conditions | package.conditions)
    if replace(package, where=merged.where, conditions=merged.conditions) != merged:
        name = f"{package.project} {package.version}" if package.project else "one place"
        raise contradiction(f"{name} with other content than at {known.where}", package.where)
    return merged
