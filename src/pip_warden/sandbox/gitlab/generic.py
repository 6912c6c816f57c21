"""The generic package registry of projects (reference 2)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from starlette.responses import JSONResponse
from starlette.routing import Route

from pip_warden.sandbox.gitlab import answers, rules
from pip_warden.sandbox.gitlab.answers import Halt
from pip_warden.sandbox.gitlab.auth import authorize, require_unprotected
from pip_warden.sandbox.gitlab.credentials import Access, Surface
from pip_warden.sandbox.gitlab.model import PackageType
from pip_warden.sandbox.gitlab.packages_api import file_entry

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pip_warden.sandbox.gitlab.instance import Instance
    from pip_warden.sandbox.gitlab.model import FileRow, PackageRow, ProjectRecord

_LEAST_SEGMENTS = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class _Target:
    """The parts of a path; nested files are one name with ``%2F`` in it."""

    package: str
    version: str
    file: str


class GenericRegistry:
    """The routes of the generic registry."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._state = instance.state

    def routes(self) -> list[Route]:
        """Return the routes, below ``/api/v4``."""
        path = "/projects/{id}/packages/generic/{rest:path}"
        return [
            Route(path, self.download, methods=["GET", "HEAD"]),
            Route(path, self.upload, methods=["PUT"]),
        ]

    async def download(self, request: Request) -> Response:
        """Serve the newest file of that name."""
        target = _target(request)
        project, _ = authorize(self._state, request, Surface.GENERIC_READ)
        row = answers.found(self._find(project, target), "Package")
        file = answers.found(_newest(row, target.file))
        sums = (
            {"x-checksum-sha256": file.claimed_sha256 or ""} if self._state.settings.checksum_header else {}
        )
        return self._instance.deliver(request, file, headers=sums)

    async def upload(self, request: Request) -> Response:
        """Store a file; an older one of the same name stays, and is no longer found by name."""
        target = _target(request)
        _check_choices(request)
        project, caller = authorize(self._state, request, Surface.GENERIC_WRITE, Access.PUSH)
        require_unprotected(project, caller, target.package)
        data = await request.body()
        self._check(project, target, data)
        with self._state.lock:
            row = self._state.package(project, PackageType.GENERIC, target.package, target.version)
            job = caller.token.job if caller.token else None
            file = self._state.add_file(
                row, target.file, data, claimed_sha256=sha256(data).hexdigest(), job=job
            )
            row.status = request.query_params.get("status", row.status)
            row.creator_id = row.creator_id or (caller.user.id if caller.user else None)
        if request.query_params.get("select") == "package_file":
            return JSONResponse(file_entry(row, file))
        return answers.message(201, "201 Created")

    def _find(self, project: ProjectRecord, target: _Target) -> PackageRow | None:
        rows = (row for row in project.packages if row.type is PackageType.GENERIC and row.installable)
        return next(
            (row for row in rows if (row.name, row.version) == (target.package, target.version)), None
        )

    def _check(self, project: ProjectRecord, target: _Target, data: bytes) -> None:
        settings = self._state.settings
        if not data:
            raise Halt(answers.error("file is missing"))
        if settings.max_file_size is not None and len(data) > settings.max_file_size:
            raise Halt(answers.too_large(settings.too_large_status))
        row = self._find(project, target)
        if row is not None and _newest(row, target.file) and not _duplicates_allowed(project, target):
            raise Halt(answers.bad_request("Duplicate package is not allowed"))
        if settings.storage_writes_fail:
            raise Halt(answers.forbidden())


def _newest(row: PackageRow, name: str) -> FileRow | None:
    return next((file for file in reversed(row.files) if file.name == name), None)


def _duplicates_allowed(project: ProjectRecord, target: _Target) -> bool:
    """Return the root group's setting; its exception inverts it for the names or versions it matches."""
    root = project.namespace.lineage()[-1]
    pattern = root.generic_duplicates_exception
    excepted = bool(pattern) and any(re.fullmatch(pattern, text) for text in (target.package, target.version))
    return root.generic_duplicates_allowed != excepted


def _check_choices(request: Request) -> None:
    for name, allowed in (("status", {"default", "hidden"}), ("select", {"package_file"})):
        if request.query_params.get(name, next(iter(allowed))) not in allowed:
            raise Halt(answers.error(f"{name} does not have a valid value"))


def _target(request: Request) -> _Target:
    """Parse the path; a faulty one is refused, as by Grape, before authentication.

    Raises:
        Halt: 400 or 404.
    """
    raw = request.path_params["rest"]
    parts = [unquote(part) for part in raw.split("/")]
    if rules.traverses(raw) or rules.traverses(unquote(raw)):
        raise Halt(answers.error("path should be a valid file path"))
    if len(parts) < _LEAST_SEGMENTS:
        raise Halt(answers.error("404 Not Found", status=404))
    package, version, *path = parts
    nested = "/".join(path).split("/")
    checks = (
        ("package_name", rules.GENERIC_NAME, [package]),
        ("package_version", rules.GENERIC_VERSION, [version]),
        ("file_name", rules.GENERIC_FILE, nested),
    )
    for name, pattern, values in checks:
        if not all(pattern.fullmatch(value) for value in values):
            raise Halt(answers.error(f"{name} is invalid"))
    return _Target(package=package, version=version, file=quote("/".join(nested), safe="+~@"))
