"""Puts the routes of the instance together."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Mount, Route

from pip_warden.sandbox.gitlab import answers
from pip_warden.sandbox.gitlab.answers import Halt
from pip_warden.sandbox.gitlab.generic import GenericRegistry
from pip_warden.sandbox.gitlab.instance_api import InstanceApi
from pip_warden.sandbox.gitlab.packages_api import PackagesApi
from pip_warden.sandbox.gitlab.pypi import PyPIRegistry
from pip_warden.sandbox.gitlab.registry_tokens import RegistryTokens

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

    from pip_warden.sandbox.gitlab.instance import Instance


def gitlab_app(instance: Instance) -> ASGIApp:
    """Return the application for GitLab's origin; a path in the instance's URL is a relative-URL install."""
    plain = InstanceApi(instance)
    api: list[Route] = [
        *PyPIRegistry(instance).routes(),
        *GenericRegistry(instance).routes(),
        *PackagesApi(instance).routes(),
        *plain.routes(),
    ]
    routes = [*plain.root_routes(), *RegistryTokens(instance).routes(), Mount("/api/v4", routes=api)]
    prefix = urlsplit(instance.url).path
    app = Starlette(
        routes=[Mount(prefix, routes=routes)] if prefix else routes,
        exception_handlers={Halt: _halted, HTTPException: _unrouted},
    )
    app.router.redirect_slashes = False
    return _by_raw_path(app)


def _by_raw_path(app: ASGIApp) -> ASGIApp:
    """Route by the path as sent: ``group%2Fproject`` is one segment; handlers decode their parameters."""

    async def routed(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "path": scope["raw_path"].decode("ascii")}, receive, send)

    return routed


async def _halted(_request: Request, halt: Exception) -> Response:
    assert isinstance(halt, Halt)  # noqa: S101 - registered for this class alone
    return halt.response


async def _unrouted(_request: Request, failure: Exception) -> Response:
    assert isinstance(failure, HTTPException)  # noqa: S101 - registered for this class alone
    if failure.status_code == 404:
        return answers.error("404 Not Found", status=404)
    return answers.error(f"{failure.status_code} {failure.detail}", status=failure.status_code)
