"""Uploads of blobs: in one request, in sessions and in chunks, or mounted (OCI distribution 1.1, "Push")."""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING

from pip_warden.sandbox.registry import answers
from pip_warden.sandbox.registry.answers import RegistryHalt
from pip_warden.sandbox.registry.store import BlobUpload, digest_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pip_warden.sandbox.registry.service import ContainerRegistry
    from pip_warden.sandbox.registry.store import ImageRepository

_RANGE = re.compile(r"(?:bytes[ =])?(\d+)-(\d+)(?:/\S+)?", re.ASCII)


class Uploads:
    """The routes of uploads."""

    def __init__(self, registry: ContainerRegistry) -> None:
        self._registry = registry

    async def begin(self, request: Request) -> Response:
        """Mount a blob, keep one that is sent at once, or open a session."""
        data = await request.body()
        path, query = request.path_params["name"], request.query_params
        source = query.get("from") if "mount" in query else None
        wanted = {path: "pull,push"}
        self._registry.admit(request, ({source: "pull"} if source else {}) | wanted)
        repository = self._registry.store.repository(path)
        if source is not None and (other := self._registry.store.find(source)) is not None:
            blob = other.blobs.get(query["mount"])
            if blob is not None:
                repository.blobs[query["mount"]] = blob
                return self._kept(path, query["mount"])
        if "digest" in query:
            return self._keep(repository, data, query["digest"])
        upload = BlobUpload(id=secrets.token_hex(16))
        repository.uploads[upload.id] = upload
        return self._session(path, upload, 202)

    async def status(self, request: Request) -> Response:
        """Return how much is there."""
        repository, upload = self._found(request, "pull")
        return self._session(repository.path, upload, 204)

    async def append(self, request: Request) -> Response:
        """Add a chunk."""
        data = await request.body()
        repository, upload = self._found(request)
        upload.add(self._chunk(request, repository, upload, data))
        return self._session(repository.path, upload, 202)

    async def end(self, request: Request) -> Response:
        """Add the last chunk, if there is one, and keep the blob if it has the digest."""
        data = await request.body()
        repository, upload = self._found(request)
        last = self._chunk(request, repository, upload, data)
        answer = self._keep(repository, bytes(upload.data) + last, request.query_params.get("digest", ""))
        repository.uploads.pop(upload.id, None)
        return answer

    async def cancel(self, request: Request) -> Response:
        """Forget a session."""
        repository, upload = self._found(request)
        del repository.uploads[upload.id]
        return answers.named(204, {})

    def _found(self, request: Request, actions: str = "pull,push") -> tuple[ImageRepository, BlobUpload]:
        path = request.path_params["name"]
        self._registry.admit(request, {path: actions})
        repository = self._registry.store.find(path)
        upload = repository.uploads.get(request.path_params["upload"]) if repository is not None else None
        if repository is None or upload is None:
            raise RegistryHalt("BLOB_UPLOAD_UNKNOWN")
        if request.query_params.get("_state") != upload.state:
            raise RegistryHalt("BLOB_UPLOAD_INVALID", "the state is not the one that was named last")
        return repository, upload

    def _chunk(self, request: Request, repository: ImageRepository, upload: BlobUpload, data: bytes) -> bytes:
        """Return a chunk that begins where the last one ended and is as long as it claims."""
        claimed = request.headers.get("content-range")
        if claimed is None:
            return data
        match = _RANGE.fullmatch(claimed)
        if match is None or int(match[1]) != len(upload.data):
            headers = dict(self._session(repository.path, upload, 202).headers)
            kept = {name: headers[name] for name in ("location", "range", "docker-upload-uuid")}
            raise RegistryHalt("RANGE_INVALID", claimed, headers=kept)
        if int(match[2]) - int(match[1]) + 1 != len(data):
            raise RegistryHalt("SIZE_INVALID", claimed)
        return data

    def _keep(self, repository: ImageRepository, data: bytes, digest: str) -> Response:
        if digest != digest_of(data):
            raise RegistryHalt("DIGEST_INVALID", digest)
        repository.put_blob(data)
        return self._kept(repository.path, digest)

    def _kept(self, path: str, digest: str) -> Response:
        return answers.named(201, {"location": f"{self._registry.url}/v2/{path}/blobs/{digest}"}, digest)

    def _session(self, path: str, upload: BlobUpload, status: int) -> Response:
        place = f"{self._registry.url}/v2/{path}/blobs/uploads/{upload.id}?_state={upload.state}"
        headers = {
            "location": place,
            "range": f"0-{max(len(upload.data) - 1, 0)}",
            "docker-upload-uuid": upload.id,
        }
        return answers.named(status, headers)
