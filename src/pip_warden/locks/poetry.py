"""Reads ``poetry.lock``, versions 1 and 2. Source: Poetry's ``src/poetry/packages/locker.py``."""

from __future__ import annotations

import re
from collections.abc import Iterable

from packaging.utils import canonicalize_name
from packaging.version import Version
from pydantic import AliasChoices, Field

from pip_warden.display import without_userinfo
from pip_warden.locks.assemble import assemble
from pip_warden.locks.files import Listed, digests_of, public_url, sorted_out
from pip_warden.locks.model import Conditions, DirectReference, Lock, LockedRelease, LockFormat, ReferenceKind
from pip_warden.locks.names import project_name, version_of
from pip_warden.locks.tables import Table, validated
from pip_warden.locks.text import LockText
from pip_warden.names import ProjectName

_KINDS = {
    "git": ReferenceKind.VCS,
    "url": ReferenceKind.URL,
    "file": ReferenceKind.FILE,
    "directory": ReferenceKind.DIRECTORY,
}
_INDEX = "legacy"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)


class _File(Table):
    file: str
    hash: str | None = None

    def listed(self) -> Listed:
        return Listed(filename=self.file, hashes=() if self.hash is None else (self.hash,))


class _Source(Table):
    type: str
    url: str
    resolved_reference: str | None = None


class _Package(Table):
    name: str
    version: str
    files: list[_File] | None = None
    source: _Source | None = None
    groups: list[str] = Field(default=[])
    category: str | None = None
    markers: str | dict[str, str] | None = Field(
        default=None, validation_alias=AliasChoices("markers", "marker")
    )
    develop: bool = False


class _Metadata(Table):
    python_versions: str = Field(default="", alias="python-versions")
    files: dict[str, list[_File]] = Field(default={})
    hashes: dict[str, list[str]] = Field(default={})


class _PoetryLock(Table):
    package: list[_Package] = Field(default=[])
    extras: dict[str, list[str]] = Field(default={})
    metadata: _Metadata


def read_poetry(text: LockText) -> Lock:
    """Read a ``poetry.lock`` whose version was checked.

    Raises:
        UsageError: ``bad-lock-file`` or ``lock-contradiction``.
    """
    lock = validated(text, _PoetryLock)
    keys = [
        (project_name(package.name, text.where(at)), version_of(package.version, text.where(at)))
        for at, package in enumerate(lock.package)
    ]
    shared = _Shared(lock, keys)
    return assemble(
        text.path,
        LockFormat.POETRY,
        (_package(text, at, package, keys[at], shared) for at, package in enumerate(lock.package)),
        requires_python=lock.metadata.python_versions,
    )


class _Shared:
    """What stands at the lock's end: extras, and in version 1 the files of each name, of all its versions."""

    def __init__(self, lock: _PoetryLock, keys: Iterable[tuple[ProjectName, Version]]) -> None:
        self._files: dict[str, list[Listed]] = {}
        self._hashes: dict[str, list[str]] = {}
        self._extras: dict[str, list[str]] = {}
        self._versions: dict[str, set[Version]] = {}
        for name, files in lock.metadata.files.items():
            self._files.setdefault(canonicalize_name(name), []).extend(file.listed() for file in files)
        for name, hashes in lock.metadata.hashes.items():
            bare = [value if ":" in value else f"sha256:{value}" for value in hashes]
            self._hashes.setdefault(canonicalize_name(name), []).extend(bare)
        for extra, names in lock.extras.items():
            for match in filter(None, map(_NAME.match, names)):
                self._extras.setdefault(canonicalize_name(match[0]), []).append(extra)
        for project, version in keys:
            self._versions.setdefault(project, set()).add(version)

    def listed(self, package: _Package, project: ProjectName, version: Version) -> list[Listed]:
        """Return a release's files; of version 1's, which are of a name, all that are of no other version."""
        if package.files is not None:
            return [file.listed() for file in package.files]
        others = self._versions[project] - {version}
        found = [(item, item.artifact) for item in self._files.get(project, [])]
        return [item for item, artifact in found if artifact is None or artifact.version not in others]

    def hashes(self, package: _Package, project: ProjectName) -> list[str]:
        """Return the oldest locks' digests; none where nothing says which version each is of."""
        is_known = package.files is None and len(self._versions[project]) == 1
        return self._hashes.get(project, []) if is_known else []

    def conditions(self, package: _Package, project: ProjectName) -> Conditions:
        """Return when a package is wanted."""
        markers: tuple[str, ...] = ()
        if isinstance(package.markers, str):
            markers = (package.markers,)
        elif package.markers:
            markers = tuple(f"{group}: {marker}" for group, marker in package.markers.items())
        groups = package.groups or ([] if package.category is None else [package.category])
        return Conditions(
            markers=markers, groups=tuple(groups), extras=tuple(sorted(self._extras.get(project, [])))
        )


def _package(
    text: LockText, at: int, package: _Package, key: tuple[ProjectName, Version], shared: _Shared
) -> LockedRelease | DirectReference:
    where, (project, version), source = text.where(at), key, package.source
    listed, hashes = shared.listed(package, project, version), shared.hashes(package, project)
    conditions = shared.conditions(package, project)
    if source is None or source.type == _INDEX:
        files, lacking = sorted_out(listed, project, version, where)
        return LockedRelease(
            project=project,
            version=version,
            where=where,
            index=None if source is None else public_url(source.url, where),
            files=files,
            digests=digests_of(hashes, where),
            lacking=lacking,
            conditions=conditions,
        )
    if source.type not in _KINDS:
        raise text.bad(f"a source of the type {source.type!r}", at)
    return DirectReference(
        kind=_KINDS[source.type],
        location=_location(source, where),
        where=where,
        project=project,
        version=version,
        is_editable=package.develop,
        digests=digests_of([*hashes, *(value for item in listed for value in item.hashes)], where),
        conditions=conditions,
    )


def _location(source: _Source, where: str) -> str:
    if _KINDS[source.type] is not ReferenceKind.VCS:
        return public_url(source.url, where)
    commit = f"#{source.resolved_reference}" if source.resolved_reference else ""
    return without_userinfo(source.url) + commit
