"""The packages API: contents of the registries, file rows by id, deletion (reference 3)."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from pip_warden.sandbox.gitlab import answers
from pip_warden.sandbox.gitlab.answers import Halt
from pip_warden.sandbox.gitlab.auth import admit_group, authorize, may_see
from pip_warden.sandbox.gitlab.credentials import Access, Surface
from pip_warden.sandbox.gitlab.model import PackageType
from pip_warden.sandbox.gitlab.paging import page

if TYPE_CHECKING:
    from starlette.requests import Request

    from pip_warden.sandbox.gitlab.instance import Instance
    from pip_warden.sandbox.gitlab.model import FileRow, JobContext, PackageRow, ProjectRecord

_STATUSES = {"default", "hidden", "processing", "error", "pending_destruction", "deprecated"}
_ORDERS = {
    "created_at": lambda row: (row.created_at, row.id),
    "name": lambda row: (row.name, row.id),
    "version": lambda row: (row.version, row.id),
    "type": lambda row: (row.type.value, row.id),
    "project_path": lambda row: (row.project.path, row.id),
}


def stamp(moment: datetime) -> str:
    """Return a time as GitLab writes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def file_entry(package: PackageRow, file: FileRow) -> dict[str, object]:
    """Return a file row as the API shows it; a PyPI row's ``file_sha256`` is the uploader's claim."""
    entry: dict[str, object] = {
        "id": file.id,
        "package_id": package.id,
        "created_at": stamp(file.created_at),
        "file_name": file.name,
        "size": file.size,
        "file_md5": None,
        "file_sha1": None,
        "file_sha256": file.claimed_sha256,
    }
    return entry | ({"pipelines": [_pipeline(file.job)]} if file.job else {})


class PackagesApi:
    """The routes of the packages API."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._state = instance.state

    def routes(self) -> list[Route]:
        """Return the routes, below ``/api/v4``."""
        one = "/projects/{id}/packages/{package_id:int}"
        files = f"{one}/package_files"
        return [
            Route("/projects/{id}/packages", self.list_project, methods=["GET"]),
            Route("/groups/{id}/packages", self.list_group, methods=["GET"]),
            Route(one, self.show, methods=["GET"]),
            Route(one, self.delete, methods=["DELETE"]),
            Route(files, self.files, methods=["GET"]),
            Route(files + "/{file_id:int}/download", self.download, methods=["GET"]),
            Route(files + "/{file_id:int}", self.delete_file, methods=["DELETE"]),
        ]

    async def list_project(self, request: Request) -> Response:
        """List the packages of a project."""
        project, _ = authorize(self._state, request, Surface.PACKAGES_API)
        return self._listed(request, list(project.packages), of_group=False)

    async def list_group(self, request: Request) -> Response:
        """List the packages of a group's projects; job tokens are not accepted."""
        group, caller = admit_group(self._state, request, Surface.PLAIN_API)
        subgroups = request.query_params.get("exclude_subgroups", "false") != "true"
        below = self._state.projects_below(group, subgroups=subgroups)
        rows = [row for project in below if may_see(self._state, project, caller) for row in project.packages]
        return self._listed(request, rows, of_group=True)

    async def show(self, request: Request) -> Response:
        """Return one package."""
        project, _ = authorize(self._state, request, Surface.PACKAGES_API)
        return JSONResponse(self._entry(self._package(request, project), of_group=False))

    async def files(self, request: Request) -> Response:
        """List the file rows of a package, those of the same name included."""
        project, _ = authorize(self._state, request, Surface.PACKAGES_API)
        row = self._package(request, project)
        order = request.query_params.get("order_by", "id")
        keys = {
            "id": lambda f: f.id,
            "created_at": lambda f: (f.created_at, f.id),
            "file_name": lambda f: (f.name, f.id),
        }
        if order not in keys:
            raise Halt(answers.error("order_by does not have a valid value"))
        found = sorted(row.files, key=keys[order], reverse=request.query_params.get("sort", "asc") == "desc")
        return page(request, self._instance, [file_entry(row, file) for file in found])

    async def download(self, request: Request) -> Response:
        """Serve exactly the row of that id (since 18.4)."""
        if not self._state.settings.package_file_download:
            return answers.error("404 Not Found", status=404)
        project, _ = authorize(self._state, request, Surface.PACKAGES_API)
        return self._instance.deliver(request, self._file(request, self._package(request, project)))

    async def delete(self, request: Request) -> Response:
        """Delete a package."""
        project, _ = authorize(self._state, request, Surface.PACKAGES_API, Access.DELETE)
        row = self._package(request, project)
        _check_unmodified(request, row.created_at)
        with self._state.lock:
            project.packages.remove(row)
        return Response(status_code=204)

    async def delete_file(self, request: Request) -> Response:
        """Delete a file row; the row before it of the same name is then the newest."""
        project, _ = authorize(self._state, request, Surface.PACKAGES_API, Access.DELETE)
        row = self._package(request, project)
        file = self._file(request, row)
        _check_unmodified(request, file.created_at)
        with self._state.lock:
            row.files.remove(file)
        return Response(status_code=204)

    def _package(self, request: Request, project: ProjectRecord) -> PackageRow:
        wanted = request.path_params["package_id"]
        row = next((row for row in project.packages if row.id == wanted and row.displayable), None)
        return answers.found(row, "Package")

    def _file(self, request: Request, row: PackageRow) -> FileRow:
        wanted = request.path_params["file_id"]
        return answers.found(next((file for file in row.files if file.id == wanted), None))

    def _listed(self, request: Request, rows: list[PackageRow], *, of_group: bool) -> Response:
        query = request.query_params
        order = query.get("order_by", "created_at")
        if order not in _ORDERS or (order == "project_path" and not of_group):
            raise Halt(answers.error("order_by does not have a valid value"))
        rows = sorted(
            _filtered(request, rows), key=_ORDERS[order], reverse=query.get("sort", "asc") == "desc"
        )
        return page(request, self._instance, [self._entry(row, of_group=of_group) for row in rows])

    def _entry(self, row: PackageRow, *, of_group: bool) -> dict[str, object]:
        job = next((file.job for file in reversed(row.files) if file.job), None)
        entry: dict[str, object] = {
            "id": row.id,
            "name": row.name,
            "version": row.version,
            "package_type": row.type.value,
            "status": row.status,
            "_links": {"web_path": f"/{row.project.path}/-/packages/{row.id}"},
            "created_at": stamp(row.created_at),
            "last_downloaded_at": None,
            "tags": [],
            "creator_id": row.creator_id,
        }
        if of_group:
            entry |= {"project_id": row.project.id, "project_path": row.project.path}
        return entry | ({"pipeline": _pipeline(job)} if job else {})


def _filtered(request: Request, rows: list[PackageRow]) -> list[PackageRow]:
    query = request.query_params
    type_, status = query.get("package_type"), query.get("status")
    if type_ is not None and type_ not in set(PackageType):
        raise Halt(answers.error("package_type does not have a valid value"))
    if status is not None and status not in _STATUSES:
        raise Halt(answers.error("status does not have a valid value"))
    name, version = query.get("package_name", "").lower(), query.get("package_version")
    return [
        row
        for row in rows
        if (row.status == status if status else row.displayable)
        and type_ in {None, row.type.value}
        and name in row.name.lower()  # fuzzy: any substring
        and version in {None, row.version}
    ]


def _pipeline(job: JobContext) -> dict[str, object]:
    return {
        "id": job.pipeline_id,
        "project_id": job.project.id,
        "sha": job.sha,
        "ref": job.ref,
        "status": "success",
        "source": job.pipeline_source,
        "user": {"id": job.user.id, "username": job.user.login, "name": job.user.name, "state": "active"},
    }


def _check_unmodified(request: Request, changed: datetime) -> None:
    header = request.headers.get("if-unmodified-since")
    if header is None:
        return
    try:
        since = parsedate_to_datetime(header)
    except ValueError:
        return
    if since.tzinfo is None:
        since = since.replace(tzinfo=UTC)
    if changed.replace(microsecond=0) > since:
        raise Halt(answers.message(412, "412 Precondition Failed"))
