"""Blobs, from here or by a redirect to the object storage (OCI distribution 1.1, "Blobs")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import RedirectResponse, Response

from pip_warden.sandbox.registry import answers
from pip_warden.sandbox.registry.answers import RegistryHalt
from pip_warden.sandbox.registry.store import DIGEST

if TYPE_CHECKING:
    from starlette.requests import Request

    from pip_warden.sandbox.registry.service import ContainerRegistry
    from pip_warden.sandbox.registry.store import ImageRepository


class Blobs:
    """The route of blobs."""

    def __init__(self, registry: ContainerRegistry) -> None:
        self._registry = registry

    async def get(self, request: Request) -> Response:
        """Return a blob, or where it is."""
        repository, digest = self._found(request, "pull")
        if self._registry.object_storage:
            url = self._registry.storage.sign(
                self._registry.store.key(repository.path, digest),
                method=request.method,
                filename="data",
                seconds=self._registry.signed_url_seconds,
            )
            return RedirectResponse(url, 307, answers.VERSION | {"docker-content-digest": digest})
        headers = {"docker-content-digest": digest, "content-type": "application/octet-stream"}
        return Response(repository.blobs[digest], headers=answers.VERSION | headers)

    async def delete(self, request: Request) -> Response:
        """Delete a blob from this repository."""
        repository, digest = self._found(request, "delete")
        del repository.blobs[digest]
        return answers.named(202, {})

    def _found(self, request: Request, actions: str) -> tuple[ImageRepository, str]:
        path, digest = request.path_params["name"], request.path_params["digest"]
        self._registry.admit(request, {path: actions})
        if not DIGEST.fullmatch(digest):
            raise RegistryHalt("DIGEST_INVALID", digest)
        repository = self._registry.store.find(path)
        if repository is None or digest not in repository.blobs:
            raise RegistryHalt("BLOB_UNKNOWN", {"digest": digest})
        return repository, digest
