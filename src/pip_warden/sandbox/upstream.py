"""A stand-in for pypi.org: the simple API with everything that GitLab's lacks, and PEP 740 provenance.

Its files are on another origin, as on files.pythonhosted.org; there is also a mirror, which has its pages and
files and, as mirrors do, nothing of provenance.
"""

from __future__ import annotations

import html
import io
import json
import threading
import zipfile
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING
from urllib.parse import quote

from packaging.utils import canonicalize_version
from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from pip_warden.sandbox.errors import SandboxError
from pip_warden.sandbox.gitlab.instance import UpstreamLink
from pip_warden.sandbox.packages import normalized

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from pip_warden.sandbox.packages import File

_JSON = "application/vnd.pypi.simple.v1+json"
_INTEGRITY = "application/vnd.pypi.integrity.v1+json"
_PLAIN = "application/json"


@dataclass(eq=False, kw_only=True, slots=True)
class UpstreamFile:
    """One file; every field may be changed to make the index lie.

    Attributes:
        yanked: False, True, or the reason.
        provenance: PEP 740 attestation objects; empty for a file without provenance.
        publisher: The trusted publisher that the provenance names.
        listed: Whether the project's page shows it.
    """

    name: str
    version: str
    data: bytes = field(repr=False)
    claimed_sha256: str
    requires_python: str
    uploaded: datetime
    yanked: bool | str = False
    metadata: bytes | None = field(default=None, repr=False)
    provenance: tuple[object, ...] = ()
    publisher: Mapping[str, object] = field(default_factory=dict)
    listed: bool = True

    @property
    def path(self) -> str:
        """Return its path on the files' origin, from the digest it was added with."""
        digest = sha256(self.name.encode()).hexdigest()
        return f"/packages/{digest[:2]}/{digest[2:4]}/{digest[4:]}/{quote(self.name)}"


class Upstream:
    """Serve packages as pypi.org does."""

    def __init__(self, *, url: str, files_url: str, now: Callable[[], datetime]) -> None:
        self.url = url
        self.files_url = files_url
        self.simple_url = f"{url}/simple"
        self.mirror_url = f"{files_url}/mirror/simple"
        self.integrity_url = f"{url}/integrity/{{name}}/{{version}}/{{filename}}/provenance"
        """Template of the provenance's URL, as a trust file has it."""
        self.is_provenance_named = True
        """Whether the pages say where the provenance is."""
        self.is_integrity_disabled = False
        """Whether the integrity API is turned off, as pypi.org's operators can."""
        self.failing: int | None = None
        """Status of failing requests *by GitLab*, in its proxied-index modes."""
        self._now = now
        self._lock = threading.RLock()
        self._projects: dict[str, list[UpstreamFile]] = {}

    def add(
        self,
        name: str,
        files: Sequence[File],
        *,
        provenance: Mapping[str, Sequence[object]] | None = None,
        publisher: Mapping[str, object] | None = None,
        yanked: bool | str = False,
        uploaded: datetime | None = None,
    ) -> list[UpstreamFile]:
        """Add files to a project.

        Args:
            name: The project.
            files: Its files.
            provenance: PEP 740 attestations (objects, or their JSON as bytes) by file name.
            publisher: The trusted publisher the provenance names; by default GitLab's of this project.
            yanked: Whether, or why, the files are yanked.
            uploaded: Upload time; the sandbox's current time by default.
        """
        identity = dict(
            publisher
            or {"kind": "GitLab", "repository": f"sandbox/{name}", "workflow_filepath": ".gitlab-ci.yml"}
        )
        added = [
            UpstreamFile(
                name=file.name,
                version=file.version,
                data=file.data,
                claimed_sha256=file.sha256,
                requires_python=file.claimed_requires_python,
                uploaded=uploaded or self._now(),
                yanked=yanked,
                metadata=_metadata(file),
                provenance=tuple(_attestation(item) for item in (provenance or {}).get(file.name, ())),
                publisher=identity,
            )
            for file in files
        ]
        with self._lock:
            self._projects.setdefault(normalized(name), []).extend(added)
        return added

    def file(self, name: str) -> UpstreamFile:
        """Return a file by its name.

        Raises:
            SandboxError: There is none.
        """
        with self._lock:
            found = next(
                (file for files in self._projects.values() for file in files if file.name == name), None
            )
        if found is None:
            msg = f"the stand-in for pypi.org has no file {name!r}"
            raise SandboxError(msg)
        return found

    def links(self, name: str) -> tuple[UpstreamLink, ...] | int:
        """Return the files of a project as GitLab reads them, or the status of the failure."""
        if self.failing is not None:
            return self.failing
        with self._lock:
            files = self._projects.get(normalized(name))
            if files is None:
                return 404
            return tuple(
                UpstreamLink(
                    name=file.name,
                    url=self.files_url + file.path,
                    sha256=file.claimed_sha256,
                    requires_python=file.requires_python,
                )
                for file in files
                if file.listed
            )

    def state(self) -> dict[str, object]:
        """Return its contents, for inspection."""
        with self._lock:
            return {
                project: [
                    {
                        "name": file.name,
                        "sha256": sha256(file.data).hexdigest(),
                        "claimed_sha256": file.claimed_sha256,
                        "yanked": file.yanked,
                        "attestations": len(file.provenance),
                    }
                    for file in files
                ]
                for project, files in self._projects.items()
            }

    @property
    def app(self) -> ASGIApp:
        """Return the application for pypi.org's origin."""
        provenance = "/integrity/{name}/{version}/{file}/provenance"
        return Starlette(
            routes=[
                Route("/simple/", self._root),
                Route("/simple/{name}/", self._page),
                Route("/simple/{name}", self._slash),
                Route(provenance, self._provenance),
            ]
        )

    @property
    def files_app(self) -> ASGIApp:
        """Return the application for the files' origin."""
        return Starlette(
            routes=[
                Route("/packages/{rest:path}", self._download),
                Route("/mirror/simple/{name}/", self._mirrored),
            ]
        )

    async def _root(self, request: Request) -> Response:
        names = sorted(self._projects)
        if _wants_json(request):
            return _json({"meta": {"api-version": "1.3"}, "projects": [{"name": name} for name in names]})
        anchors = "".join(f'<a href="/simple/{name}/">{name}</a><br/>\n' for name in names)
        return _html("Simple index", anchors)

    async def _slash(self, request: Request) -> Response:
        return RedirectResponse(f"{self.simple_url}/{normalized(request.path_params['name'])}/", 301)

    async def _page(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name != normalized(name):
            return await self._slash(request)
        return self._listing(request, name, is_mirror=False)

    async def _mirrored(self, request: Request) -> Response:
        return self._listing(request, request.path_params["name"], is_mirror=True)

    def _listing(self, request: Request, name: str, *, is_mirror: bool) -> Response:
        is_named = self.is_provenance_named and not is_mirror
        with self._lock:
            files = [file for file in self._projects.get(name, []) if file.listed]
            if name not in self._projects:
                return Response("404 Not Found", 404, media_type="text/plain")
        if _wants_json(request):
            versions = sorted({file.version for file in files})
            entries = [self._entry(name, file, is_named=is_named) for file in files]
            return _json(
                {"meta": {"api-version": "1.3"}, "name": name, "versions": versions, "files": entries}
            )
        return _html(
            f"Links for {name}", "".join(self._anchor(name, file, is_named=is_named) for file in files)
        )

    async def _provenance(self, request: Request) -> Response:
        """Answer as warehouse's integrity API: a project in any spelling, a release by its canonical version.

        What is no file of a release gets the site's own page; a file without provenance gets a message.
        """
        name, version, file_name = (request.path_params[key] for key in ("name", "version", "file"))
        with self._lock:
            files = self._projects.get(normalized(name), [])
            wanted = canonicalize_version(version)
            file = next(
                (f for f in files if f.name == file_name and canonicalize_version(f.version) == wanted), None
            )
        if file is None:
            return Response(
                "<!DOCTYPE html>\n<title>Page Not Found (404)</title>", 404, media_type="text/html"
            )
        media_type = _offered(request.headers.get("accept", "*/*"))
        if media_type is None:
            return JSONResponse({"message": "Request not acceptable"}, 406)
        if self.is_integrity_disabled:
            return JSONResponse({"message": "Attestations temporarily disabled"}, 403)
        if not file.provenance:
            return JSONResponse({"message": f"No provenance available for {file_name}"}, 404)
        bundle = {"publisher": dict(file.publisher), "attestations": list(file.provenance)}
        document = {"version": 1, "attestation_bundles": [bundle]}
        headers = {"content-type": media_type, "vary": "Accept", "access-control-allow-origin": "*"}
        return JSONResponse(document, headers=headers)

    async def _download(self, request: Request) -> Response:
        path = quote(request.url.path)
        with self._lock:
            everything = [file for files in self._projects.values() for file in files]
        for file in everything:
            if file.path == path:
                return Response(file.data, media_type="application/octet-stream")
            if file.metadata is not None and f"{file.path}.metadata" == path:
                return Response(file.metadata, media_type="application/octet-stream")
        return Response("404 Not Found", 404, media_type="text/plain")

    def _entry(self, name: str, file: UpstreamFile, *, is_named: bool) -> dict[str, object]:
        core = {"sha256": sha256(file.metadata).hexdigest()} if file.metadata is not None else False
        return {
            "filename": file.name,
            "url": self.files_url + file.path,
            "hashes": {"sha256": file.claimed_sha256},
            "requires-python": file.requires_python or None,
            "size": len(file.data),
            "upload-time": file.uploaded.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "yanked": file.yanked,
            "core-metadata": core,
            "data-dist-info-metadata": core,
            "provenance": self._provenance_url(name, file) if file.provenance and is_named else None,
        }

    def _anchor(self, name: str, file: UpstreamFile, *, is_named: bool) -> str:
        fields = [f'href="{self.files_url}{file.path}#sha256={file.claimed_sha256}"']
        if file.requires_python:
            fields.append(f'data-requires-python="{html.escape(file.requires_python)}"')
        if file.yanked is not False:
            fields.append(f'data-yanked="{html.escape(file.yanked if isinstance(file.yanked, str) else "")}"')
        if file.metadata is not None:
            digest = sha256(file.metadata).hexdigest()
            fields.append(f'data-dist-info-metadata="sha256={digest}" data-core-metadata="sha256={digest}"')
        if file.provenance and is_named:
            fields.append(f'data-provenance="{self._provenance_url(name, file)}"')
        return f"<a {' '.join(fields)}>{html.escape(file.name)}</a><br/>\n"

    def _provenance_url(self, name: str, file: UpstreamFile) -> str:
        return f"{self.url}/integrity/{name}/{quote(file.version)}/{quote(file.name)}/provenance"


def _offered(accept: str) -> str | None:
    """Return the media type to answer with: the first of two that the client accepts."""
    ranges = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    return next((kind for kind in (_INTEGRITY, _PLAIN) if ranges & {kind, "application/*", "*/*"}), None)


def _attestation(item: object) -> object:
    return json.loads(item) if isinstance(item, bytes | str) else item


def _metadata(file: File) -> bytes | None:
    """Return a wheel's METADATA; None for anything else, a broken wheel included."""
    if not file.name.endswith(".whl"):
        return None
    try:
        with zipfile.ZipFile(io.BytesIO(file.data)) as archive:
            name = next((name for name in archive.namelist() if name.endswith(".dist-info/METADATA")), None)
            return archive.read(name) if name is not None else None
    except zipfile.BadZipFile:
        return None


def _wants_json(request: Request) -> bool:
    return _JSON in request.headers.get("accept", "")


def _json(content: dict[str, object]) -> Response:
    return JSONResponse(content, headers={"content-type": _JSON, "vary": "Accept"})


def _html(title: str, anchors: str) -> Response:
    meta = '<meta name="pypi:repository-version" content="1.3">'
    page = (
        f"<!DOCTYPE html>\n<html>\n<head>{meta}<title>{title}</title></head>\n"
        f"<body>\n<h1>{title}</h1>\n{anchors}</body>\n</html>\n"
    )
    return Response(page, headers={"content-type": "text/html; charset=utf-8", "vary": "Accept"})
