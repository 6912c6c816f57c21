"""Puts the routes of the registry together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Route

from pip_warden.sandbox.registry import answers
from pip_warden.sandbox.registry.answers import RegistryHalt
from pip_warden.sandbox.registry.blobs import Blobs
from pip_warden.sandbox.registry.lists import Lists
from pip_warden.sandbox.registry.manifests import Manifests
from pip_warden.sandbox.registry.uploads import Uploads

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp

    from pip_warden.sandbox.registry.service import ContainerRegistry


def registry_app(registry: ContainerRegistry) -> ASGIApp:
    """Return the application for the registry's origin."""
    manifests, blobs = Manifests(registry), Blobs(registry)
    uploads, lists = Uploads(registry), Lists(registry)

    async def version(request: Request) -> Response:
        registry.admit(request, {})
        return answers.listed({}, "application/json", {})

    async def catalog(request: Request) -> Response:
        registry.admit(request, {"_catalog": "*"})  # no path of a repository: nobody has a token for it
        return answers.no_such_page()

    one, session = "/v2/{name:path}/blobs/{digest}", "/v2/{name:path}/blobs/uploads/{upload}"
    manifest = "/v2/{name:path}/manifests/{reference}"
    app = Starlette(
        routes=[
            Route("/v2/", version, methods=["GET"]),
            Route("/v2/_catalog", catalog, methods=["GET"]),
            Route("/v2/{name:path}/tags/list", lists.tags, methods=["GET"]),
            Route("/v2/{name:path}/referrers/{digest}", lists.referrers, methods=["GET"]),
            Route("/v2/{name:path}/blobs/uploads/", uploads.begin, methods=["POST"]),
            Route(session, uploads.status, methods=["GET"]),
            Route(session, uploads.append, methods=["PATCH"]),
            Route(session, uploads.end, methods=["PUT"]),
            Route(session, uploads.cancel, methods=["DELETE"]),
            Route(one, blobs.get, methods=["GET"]),
            Route(one, blobs.delete, methods=["DELETE"]),
            Route(manifest, manifests.get, methods=["GET"]),
            Route(manifest, manifests.put, methods=["PUT"]),
            Route(manifest, manifests.delete, methods=["DELETE"]),
        ],
        exception_handlers={RegistryHalt: _halted, HTTPException: _unrouted},
    )
    app.router.redirect_slashes = False
    return app


async def _halted(_request: Request, halt: Exception) -> Response:
    assert isinstance(halt, RegistryHalt)  # noqa: S101 - registered for this class alone
    return halt.response


async def _unrouted(_request: Request, failure: Exception) -> Response:
    assert isinstance(failure, HTTPException)  # noqa: S101 - registered for this class alone
    if failure.status_code == 404:
        return answers.no_such_page()
    return RegistryHalt("UNSUPPORTED").response
