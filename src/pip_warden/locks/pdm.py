"""Reads ``pdm.lock``, version 4. Source: PDM's ``src/pdm/project/lockfile/pdmlock.py``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from packaging.version import Version
from pydantic import Field

from pip_warden.display import without_userinfo
from pip_warden.locks.assemble import assemble
from pip_warden.locks.files import Listed, digests_of, public_url, sorted_out
from pip_warden.locks.model import Conditions, DirectReference, Lock, LockedRelease, LockFormat, ReferenceKind
from pip_warden.locks.names import project_name, version_of
from pip_warden.locks.tables import Table, validated
from pip_warden.locks.text import LockText

LARGEST_MINOR = 5
"""PDM counts up the second number where older ones cannot read the lock any more."""

_VCS = ("git", "hg", "svn", "bzr")
_SOURCES = (*_VCS, "url", "path")


class _File(Table):
    file: str = ""
    url: str | None = None
    hash: str | None = None

    def listed(self) -> Listed:
        # Where a URL leads to the file, PDM takes it from there: what it installs is named as that is.
        name = "" if self.url else self.file
        return Listed(filename=name, hashes=() if self.hash is None else (self.hash,), url=self.url)


class _Package(Table):
    name: str
    version: str | None = None
    git: str | None = None
    hg: str | None = None
    svn: str | None = None
    bzr: str | None = None
    url: str | None = None
    path: str | None = None
    ref: str | None = None
    revision: str | None = None
    editable: bool = False
    groups: list[str] = Field(default=[])
    marker: str | None = None
    files: list[_File] = Field(default=[])

    def listed(self) -> list[Listed]:
        return [file.listed() for file in self.files]


class _Target(Table):
    requires_python: str = ""
    platform: str = ""
    implementation: str = ""


class _Metadata(Table):
    targets: list[_Target] = Field(default=[])


class _PdmLock(Table):
    package: list[_Package] = Field(default=[])
    metadata: _Metadata


def read_pdm(text: LockText) -> Lock:
    """Read a ``pdm.lock`` whose version was checked.

    Before 4.3 the hashes stood apart from the packages, where PDM itself does not look for them any more:
    such a lock is one without hashes.

    Raises:
        UsageError: ``bad-lock-file`` or ``lock-contradiction``.
    """
    lock = validated(text, _PdmLock)
    pythons = {target.requires_python for target in lock.metadata.targets}
    limits = (f"{target.platform} {target.implementation}".strip() for target in lock.metadata.targets)
    return assemble(
        text.path,
        LockFormat.PDM,
        (each for at, package in enumerate(lock.package) for each in _of_package(text, at, package)),
        requires_python=pythons.pop() if len(pythons) == 1 else "",
        environments=tuple(dict.fromkeys(filter(None, limits))),
    )


def _of_package(text: LockText, at: int, package: _Package) -> Iterator[LockedRelease | DirectReference]:
    where, project = text.where(at), project_name(package.name, text.where(at))
    sources = [key for key in _SOURCES if getattr(package, key) is not None]
    if sources:
        yield _direct(text, at, package, sources)
        return
    if package.version is None:
        raise text.bad(f"no version of {project}", at)
    for version, listed in _by_version(package.listed(), version_of(package.version, where)):
        files, lacking = sorted_out(listed, project, version, where)
        yield LockedRelease(
            project=project,
            version=version,
            where=where,
            files=files,
            lacking=lacking,
            conditions=_conditions(package),
        )


def _by_version(listed: list[Listed], version: Version) -> Iterable[tuple[Version, list[Listed]]]:
    """Return files by their release: PDM leaves the local part out, and so has several under one version."""
    found: dict[Version, list[Listed]] = {}
    for item in listed:
        own = item.artifact.version if item.artifact is not None else version
        found.setdefault(own if Version(own.public) == version else version, []).append(item)
    return (found or {version: []}).items()


def _direct(text: LockText, at: int, package: _Package, sources: list[str]) -> DirectReference:
    where, project = text.where(at), project_name(package.name, text.where(at))
    if len(sources) != 1:
        raise text.bad(f"no single source of {project}", at)
    kind, location = _place(package, sources[0], where)
    return DirectReference(
        kind=kind,
        location=location,
        where=where,
        project=project,
        version=None if package.version is None else version_of(package.version, where),
        is_editable=package.editable,
        digests=digests_of((value for item in package.listed() for value in item.hashes), where),
        conditions=_conditions(package),
    )


def _place(package: _Package, source: str, where: str) -> tuple[ReferenceKind, str]:
    place: str = getattr(package, source)
    if source in _VCS:
        commit = package.revision or package.ref
        return ReferenceKind.VCS, without_userinfo(place) + (f"#{commit}" if commit else "")
    if source == "url":
        return ReferenceKind.URL, public_url(place, where)
    # Only a file has a hash; a directory's content is of no release.
    return (ReferenceKind.FILE if package.files else ReferenceKind.DIRECTORY), public_url(place, where)


def _conditions(package: _Package) -> Conditions:
    return Conditions(
        markers=() if package.marker is None else (package.marker,), groups=tuple(package.groups)
    )
