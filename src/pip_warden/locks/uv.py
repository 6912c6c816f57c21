"""Reads ``uv.lock``, version 1, of any revision. Source: uv's ``crates/uv-resolver/src/lock``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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
    "path": ReferenceKind.FILE,
    "directory": ReferenceKind.DIRECTORY,
    "editable": ReferenceKind.DIRECTORY,
    "virtual": ReferenceKind.DIRECTORY,
}
"""Every source but ``registry``; ``virtual`` is a project that is not installed itself."""

PACKAGES = ("package", "distribution")
"""The key of the packages, and the older one, which uv still reads."""


class _File(Table):
    url: str | None = None
    path: str | None = None
    filename: str = ""
    hash: str | None = None
    size: int | None = None

    def listed(self) -> Listed:
        hashes = () if self.hash is None else (self.hash,)
        # uv reads `filename` only where neither leads to the file: what it installs is named as that is.
        filename = "" if self.url or self.path else self.filename
        return Listed(filename=filename, hashes=hashes, size=self.size, url=self.url, path=self.path)


class _Edge(Table):
    name: str
    version: str | None = None
    marker: str | None = None


class _Package(Table):
    name: str
    source: dict[str, Any]
    version: str | None = None
    resolution_markers: list[str] = Field(default=[], alias="resolution-markers")
    dependencies: list[_Edge] = Field(default=[])
    optional: dict[str, list[_Edge]] = Field(default={}, alias="optional-dependencies")
    groups: dict[str, list[_Edge]] = Field(
        default={}, validation_alias=AliasChoices("dev-dependencies", "dependency-groups")
    )
    sdist: _File | None = None
    wheels: list[_File] = Field(default=[])

    def listed(self) -> tuple[Listed, ...]:
        return tuple(file.listed() for file in (*self.wheels, *([self.sdist] if self.sdist else ())))


class _UvLock(Table):
    package: list[_Package] = Field(default=[], validation_alias=AliasChoices(*PACKAGES))
    requires_python: str = Field(default="", alias="requires-python")
    environments: list[str] = Field(default=[], alias="supported-markers")


def read_uv(text: LockText) -> Lock:
    """Read a ``uv.lock`` whose version was checked.

    Raises:
        UsageError: ``bad-lock-file`` or ``lock-contradiction``.
    """
    if all(key in text.document for key in PACKAGES):
        raise text.bad(f"both {' and '.join(PACKAGES)}")
    lock = validated(text, _UvLock)
    edges = _Edges(lock)
    return assemble(
        text.path,
        LockFormat.UV,
        (_package(text, at, package, edges) for at, package in enumerate(lock.package)),
        requires_python=lock.requires_python,
        environments=tuple(lock.environments),
    )


class _Edges:
    """What needs what: by the name of what is needed."""

    def __init__(self, lock: _UvLock) -> None:
        self._needing: dict[str, list[tuple[_Edge, str, str]]] = {}
        for package in lock.package:
            is_own = "registry" not in package.source
            for edge, group, extra in _edges_of(package):
                found = (edge, group if is_own else "", extra if is_own else "")
                self._needing.setdefault(edge.name, []).append(found)

    def conditions_of(self, package: _Package) -> Conditions:
        needing = [
            found
            for found in self._needing.get(package.name, [])
            if found[0].version in {None, package.version}
        ]
        markers = [edge.marker or "" for edge, _, _ in needing]
        return Conditions(
            markers=tuple(dict.fromkeys((*package.resolution_markers, *(markers if all(markers) else ())))),
            groups=tuple(sorted({group for _, group, _ in needing if group})),
            extras=tuple(sorted({extra for _, _, extra in needing if extra})),
        )


def _edges_of(package: _Package) -> Iterator[tuple[_Edge, str, str]]:
    """Yield each dependency, with the group and the extra that it is in."""
    for edge in package.dependencies:
        yield edge, "", ""
    for group, edges in package.groups.items():
        for edge in edges:
            yield edge, group, ""
    for extra, edges in package.optional.items():
        for edge in edges:
            yield edge, "", extra


def _package(text: LockText, at: int, package: _Package, edges: _Edges) -> LockedRelease | DirectReference:
    where = text.where(at)
    project = project_name(package.name, where)
    version = None if package.version is None else version_of(package.version, where)
    conditions = edges.conditions_of(package)
    kinds = [key for key in ("registry", *_KINDS) if key in package.source]
    place = package.source[kinds[0]] if len(kinds) == 1 else None
    if not isinstance(place, str):
        raise text.bad(f"no single known source of {project}", at)
    if kinds == ["registry"]:
        return _release(text, at, package, (project, version, public_url(place, where)), conditions)
    kind = _KINDS[kinds[0]]
    return DirectReference(
        kind=kind,
        location=without_userinfo(place) if kind is ReferenceKind.VCS else public_url(place, where),
        where=where,
        project=project,
        version=version,
        is_editable=kinds == ["editable"],
        digests=digests_of((value for file in package.listed() for value in file.hashes), where),
        conditions=conditions,
    )


def _release(
    text: LockText,
    at: int,
    package: _Package,
    key: tuple[ProjectName, Version | None, str],
    conditions: Conditions,
) -> LockedRelease:
    project, version, index = key
    if version is None:
        raise text.bad(f"no version of {project}", at)
    files, lacking = sorted_out(package.listed(), project, version, text.where(at))
    return LockedRelease(
        project=project,
        version=version,
        where=text.where(at),
        index=index,
        files=files,
        lacking=lacking,
        conditions=conditions,
    )
