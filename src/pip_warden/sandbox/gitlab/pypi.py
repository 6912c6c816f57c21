"""The PyPI registry of projects and groups (reference 1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from starlette.datastructures import UploadFile
from starlette.routing import Route

from pip_warden.sandbox.gitlab import answers, rules, simple
from pip_warden.sandbox.gitlab.answers import Halt, segment
from pip_warden.sandbox.gitlab.auth import admit_group, authorize, may_see, require_unprotected
from pip_warden.sandbox.gitlab.credentials import Access, Surface
from pip_warden.sandbox.gitlab.model import PackageType
from pip_warden.sandbox.gitlab.settings import Forwarding

if TYPE_CHECKING:
    from starlette.datastructures import FormData
    from starlette.requests import Request
    from starlette.responses import Response

    from pip_warden.sandbox.gitlab.instance import Instance, UpstreamLink
    from pip_warden.sandbox.gitlab.model import FileRow, PackageRow, ProjectRecord

_REQUIRES_PYTHON_LIMIT = 255


@dataclass(frozen=True, kw_only=True, slots=True)
class _View:
    """The rows that one request may see: those of a project or of a group's projects."""

    base: str
    title: str
    rows: tuple[PackageRow, ...]


class PyPIRegistry:
    """The routes of the PyPI registry."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._state = instance.state

    def routes(self) -> list[Route]:
        """Return the routes, below ``/api/v4``."""
        routes = [Route("/projects/{id}/packages/pypi", self.upload, methods=["POST"])]
        for base in ("/projects/{id}/packages/pypi", "/groups/{id}/-/packages/pypi"):
            routes += [
                Route(f"{base}/simple", self.root, methods=["GET"]),
                Route(f"{base}/simple/", self.root, methods=["GET"]),
                Route(f"{base}/simple/{{name:path}}", self.package, methods=["GET"]),
                Route(f"{base}/files/{{sha256}}/{{file:path}}", self.file, methods=["GET"]),
            ]
        routes.append(
            Route("/projects/{id}/packages/pypi/forward/{name}/{path:path}", self.forward, methods=["GET"])
        )
        return routes

    async def root(self, request: Request) -> Response:
        """List the packages."""
        view = self._view(request)
        return simple.root_page(request, self._state.settings, view.title, view.rows, view.base)

    async def package(self, request: Request) -> Response:
        """List the files of a package, or forward the name."""
        view = self._view(request)
        asked = segment(request, "name").removesuffix("/")
        # GitLab lower-cases the requested name and no more: my_pkg and my.pkg find nothing
        rows = [row for row in view.rows if row.normalized_name == asked.lower()]
        if not rows:
            return self._unknown(request, view, asked)
        links = simple.package_links(rows, view.base)
        return simple.package_page(
            request, self._state.settings, rows[0].name, rows[0].normalized_name, links
        )

    async def file(self, request: Request) -> Response:
        """Serve a file by its claimed digest and its name."""
        view = self._view(request, by_hash=True)
        name, sha256 = segment(request, "file"), segment(request, "sha256").lower()
        upstream = request.query_params.get("upstream_url")
        if upstream and self._state.settings.forwarding is Forwarding.UPSTREAM_URL:
            return answers.redirect(upstream, method=request.method)
        matches = [
            file
            for row in view.rows
            for file in row.files
            if file.name == name and (file.claimed_sha256 or "").lower() == sha256
        ]
        return self._instance.deliver(request, answers.found(matches[-1] if matches else None))

    async def forward(self, request: Request) -> Response:
        """Redirect to a file of pypi.org's stand-in, in firewall mode."""
        authorize(self._state, request, Surface.PYPI)
        name = segment(request, "name")
        links = self._proxied(name) if self._state.settings.forwarding is Forwarding.OWN_ORIGIN else ()
        path = "/" + segment(request, "path")
        url = next((link.url for link in links if urlsplit(link.url).path == path), None)
        return answers.redirect(answers.found(url), method=request.method)

    async def upload(self, request: Request) -> Response:
        """Store a file, with the digest that the client claims."""
        async with request.form() as form:
            _check_form(form)
            project, caller = authorize(self._state, request, Surface.PYPI, Access.PUSH)
            name, version = str(form["name"]), str(form["version"])
            require_unprotected(project, caller, name)
            content = form["content"]
            assert isinstance(content, UploadFile)  # noqa: S101 - _check_form saw to it
            data = await content.read()
            self._check_upload(form, data)
            with self._state.lock:
                row = self._row(project, name, version)
                if any(file.name == content.filename for file in row.files):
                    raise Halt(self._taken())
                digest = form.get("sha256_digest")
                requires_python = str(form.get("requires_python") or "")
                file = self._state.add_file(
                    row,
                    content.filename or "",
                    data,
                    claimed_sha256=str(digest).lower() if digest else None,
                    job=caller.token.job if caller.token else None,
                )
                _describe(row, file, requires_python)
                row.creator_id = row.creator_id or (caller.user.id if caller.user else None)
        return answers.message(201, "201 Created")

    def _row(self, project: ProjectRecord, name: str, version: str) -> PackageRow:
        return self._state.package(project, PackageType.PYPI, name, version)

    def _taken(self) -> Response:
        text = "Validation failed: File name has already been taken"
        if self._state.settings.old_duplicate_text:
            return answers.message(400, text)
        return answers.bad_request(text)

    def _check_upload(self, form: FormData, data: bytes) -> None:
        settings = self._state.settings
        if settings.fips and not form.get("sha256_digest"):
            raise Halt(answers.message(422, "422 Unprocessable Entity"))
        if settings.max_file_size is not None and len(data) > settings.max_file_size:
            raise Halt(answers.too_large(settings.too_large_status))
        if not rules.PYPI_NAME.fullmatch(str(form["name"])):
            raise Halt(answers.bad_request("Validation failed: Name is invalid"))
        if not rules.PYPI_VERSION.fullmatch(str(form["version"])):
            raise Halt(answers.bad_request("Validation failed: Version is invalid"))
        if len(str(form.get("requires_python") or "")) > _REQUIRES_PYTHON_LIMIT:
            reason = (
                "Validation failed: Required python is too long "
                f"(maximum is {_REQUIRES_PYTHON_LIMIT} characters)"
            )
            raise Halt(answers.bad_request(reason))
        if settings.storage_writes_fail:
            raise Halt(answers.forbidden())

    def _view(self, request: Request, *, by_hash: bool = False) -> _View:
        """Return what the caller may see; in a group, a known file hash needs no authentication."""
        if "/-/packages/" in request.url.path:
            group, caller = admit_group(self._state, request, Surface.PYPI)
            base = f"{self._instance.api}/groups/{group.id}/-/packages/pypi"
            below = self._state.projects_below(group)
            projects = [
                found
                for found in below
                if found.packages_enabled and (by_hash or may_see(self._state, found, caller))
            ]
            return _View(base=base, title=group.path.rpartition("/")[2], rows=_rows(projects))
        project, _ = authorize(self._state, request, Surface.PYPI)
        base = f"{self._instance.api}/projects/{project.id}/packages/pypi"
        return _View(base=base, title=project.name, rows=_rows([project]))

    def _unknown(self, request: Request, view: _View, name: str) -> Response:
        settings = self._state.settings
        if settings.forwarding is Forwarding.OFF:
            return answers.not_found("Package")
        if settings.forwarding is Forwarding.REDIRECT:
            return answers.redirect(f"{self._instance.upstream.simple_url}/{name}/", method=request.method)
        links = [self._proxy_link(view, name, link) for link in self._proxied(name)]
        return simple.package_page(request, settings, name, name.lower(), links)

    def _proxy_link(self, view: _View, name: str, link: UpstreamLink) -> simple.Anchor:
        """Return a link of the two generations of proxied index that were observed."""
        if self._state.settings.forwarding is Forwarding.OWN_ORIGIN:
            url = f"{view.base}/forward/{quote(name)}{urlsplit(link.url).path}"
        else:
            url = (
                f"{view.base}/files/{link.sha256}/{quote(link.name)}?upstream_url={quote(link.url, safe='')}"
            )
        return simple.Anchor(
            text=link.name, url=url, sha256=link.sha256, requires_python=link.requires_python
        )

    def _proxied(self, name: str) -> tuple[UpstreamLink, ...]:
        if name.lower() in self._state.settings.firewall_blocked:
            text = "Dependency Firewall policy violation"
            raise Halt(answers.error(text, status=403))
        links = self._instance.upstream.links(name)
        if links == 404:
            raise Halt(answers.not_found("Package"))
        if isinstance(links, int):
            raise Halt(answers.message(502, "502 Bad Gateway"))
        return links


def _check_form(form: FormData) -> None:
    """Refuse a form as Grape does, before authentication."""
    missing = [
        name
        for name in ("content", "name", "version")
        if not form.get(name) or isinstance(form.get(name), UploadFile) != (name == "content")
    ]
    if missing:
        raise Halt(answers.error(", ".join(f"{name} is missing" for name in missing)))
    digest = form.get("sha256_digest")
    if digest and not rules.SHA256.fullmatch(str(digest)):
        raise Halt(answers.error("sha256_digest is invalid"))


def _describe(row: PackageRow, file: FileRow, requires_python: str) -> None:
    row.requires_python = requires_python
    file.requires_python = requires_python


def _rows(projects: list[ProjectRecord]) -> tuple[PackageRow, ...]:
    return tuple(
        row
        for project in projects
        for row in project.packages
        if row.type is PackageType.PYPI and row.displayable
    )
