"""Reads ``pylock.toml``, version 1 (PEP 751), with the library of the packaging tools."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from packaging.pylock import Package, PackageSdist, PackageWheel, Pylock, PylockValidationError
from packaging.version import Version

from pip_warden.display import without_userinfo
from pip_warden.locks.assemble import assemble
from pip_warden.locks.files import Listed, digests_of, public_url, sorted_out
from pip_warden.locks.model import Conditions, DirectReference, Lock, LockedRelease, LockFormat, ReferenceKind
from pip_warden.locks.names import project_name
from pip_warden.locks.text import LockText

_UNREADABLE = (ValueError, TypeError, AttributeError, LookupError, RecursionError)


def read_pylock(text: LockText) -> Lock:
    """Read a ``pylock.toml`` whose version was checked.

    Raises:
        UsageError: ``bad-lock-file`` or ``lock-contradiction``.
    """
    # The library logs that it does not know a newer minor version, and reads it nevertheless.
    document = {**text.document, "lock-version": "1.0"}
    try:
        lock = Pylock.from_dict(document)
    except PylockValidationError as err:
        raise text.bad(f"{err.context or 'the file'}: {err.message}", _position(err.context)) from err
    except _UNREADABLE as err:
        raise text.bad(f"what cannot be read ({type(err).__name__})") from err
    return assemble(
        text.path,
        LockFormat.PYLOCK,
        (_package(text, at, package) for at, package in enumerate(lock.packages)),
        requires_python=str(lock.requires_python or ""),
        environments=tuple(map(str, lock.environments or ())),
    )


def _position(context: str | None) -> int | None:
    digits = (context or "").removeprefix("packages[").partition("]")[0]
    return int(digits) if digits.isdecimal() and len(digits) < 10 else None


def _package(text: LockText, at: int, package: Package) -> LockedRelease | DirectReference:
    conditions = Conditions(markers=(str(package.marker),) if package.marker else ())
    if package.is_direct:
        return _direct(text, at, package, conditions)
    where, project = text.where(at), project_name(package.name, text.where(at))
    listed = [_listed(file) for file in (*(package.wheels or ()), package.sdist) if file]
    version = package.version or _version_of(listed)
    if version is None:
        raise text.bad(f"no version of {project}, and no file that tells it", at)
    files, lacking = sorted_out(listed, project, version, where)
    return LockedRelease(
        project=project,
        version=version,
        where=where,
        index=None if package.index is None else public_url(package.index, where),
        files=files,
        lacking=lacking,
        conditions=conditions,
    )


def _direct(text: LockText, at: int, package: Package, conditions: Conditions) -> DirectReference:
    where, is_editable = text.where(at), False
    hashes: tuple[str, ...] = ()
    if package.vcs is not None:
        kind = ReferenceKind.VCS
        place = without_userinfo(package.vcs.url or package.vcs.path or "") + f"#{package.vcs.commit_id}"
    elif package.directory is not None:
        kind, place = ReferenceKind.DIRECTORY, package.directory.path
        is_editable = bool(package.directory.editable)
    elif package.archive is not None:
        kind = ReferenceKind.FILE if package.archive.url is None else ReferenceKind.URL
        place = public_url(package.archive.url or package.archive.path or "", where)
        hashes = _hashes(package.archive.hashes)
    else:
        raise text.bad(f"no source of {package.name}", at)
    return DirectReference(
        kind=kind,
        location=place,
        where=where,
        project=project_name(package.name, where),
        version=package.version,
        is_editable=is_editable,
        digests=digests_of(hashes, where),
        conditions=conditions,
    )


def _listed(file: PackageWheel | PackageSdist) -> Listed:
    return Listed(
        filename=_filename(file),
        hashes=_hashes(file.hashes),
        size=file.size,
        url=file.url,
        path=file.path,
    )


def _filename(file: PackageWheel | PackageSdist) -> str:
    """Return the name that installers read: of a file with a path and a URL, that of the path."""
    try:
        return file.filename
    except PylockValidationError:
        return ""


def _hashes(hashes: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(f"{name}:{value}" for name, value in hashes.items())


def _version_of(listed: Iterable[Listed]) -> Version | None:
    """Return the version that all files are named after."""
    artifacts = [item.artifact for item in listed]
    versions = {artifact.version for artifact in artifacts if artifact is not None}
    return versions.pop() if len(versions) == 1 and None not in artifacts else None
