"""Routes about the instance itself: projects, groups, the user, the version, and the OIDC documents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.responses import JSONResponse
from starlette.routing import Route

from pip_warden.sandbox.gitlab import answers
from pip_warden.sandbox.gitlab.auth import admit_group, authorize
from pip_warden.sandbox.gitlab.credentials import Surface, authenticate
from pip_warden.sandbox.gitlab.packages_api import stamp

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pip_warden.sandbox.gitlab.instance import Instance


class InstanceApi:
    """The routes about the instance."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._state = instance.state

    def routes(self) -> list[Route]:
        """Return the routes below ``/api/v4``."""
        return [
            Route("/projects/{id}", self.project, methods=["GET"]),
            Route("/groups/{id}", self.group, methods=["GET"]),
            Route("/user", self.user, methods=["GET"]),
            Route("/version", self.version, methods=["GET"]),
            Route("/projects/{id}/attestations/{rest:path}", self.attestations, methods=["GET"]),
        ]

    def root_routes(self) -> list[Route]:
        """Return the routes outside the API."""
        return [
            Route("/.well-known/openid-configuration", self.discovery, methods=["GET"]),
            Route("/oauth/discovery/keys", self.keys, methods=["GET"]),
        ]

    async def project(self, request: Request) -> Response:
        """Return a project."""
        project, _ = authorize(self._state, request, Surface.PLAIN_API)
        namespace = project.namespace
        return JSONResponse(
            {
                "id": project.id,
                "name": project.name,
                "path": project.name,
                "path_with_namespace": project.path,
                "default_branch": project.default_branch,
                "visibility": project.visibility,
                "created_at": stamp(project.created_at),
                "web_url": f"{self._instance.shown_url}/{project.path}",
                "namespace": {"id": namespace.id, "kind": namespace.kind, "full_path": namespace.path},
            }
        )

    async def group(self, request: Request) -> Response:
        """Return a group."""
        group, _ = admit_group(self._state, request, Surface.PLAIN_API)
        return JSONResponse(
            {
                "id": group.id,
                "name": group.path.rpartition("/")[2],
                "path": group.path.rpartition("/")[2],
                "full_path": group.path,
                "visibility": group.visibility,
                "parent_id": group.parent.id if group.parent else None,
                "web_url": f"{self._instance.shown_url}/groups/{group.path}",
            }
        )

    async def user(self, request: Request) -> Response:
        """Return the account behind a token."""
        user = authenticate(self._state, request, Surface.PLAIN_API).user
        if user is None:
            return answers.unauthorized(challenge=False)
        return JSONResponse({"id": user.id, "username": user.login, "name": user.name, "state": "active"})

    async def version(self, request: Request) -> Response:
        """Return the version, to any caller with a token."""
        if authenticate(self._state, request, Surface.PLAIN_API).user is None:
            return answers.unauthorized(challenge=False)
        return JSONResponse(
            {"version": self._state.settings.version, "revision": "0739b8bf", "enterprise": True}
        )

    async def attestations(self, request: Request) -> Response:
        """Return 404: the feature flag is off."""
        authorize(self._state, request, Surface.PLAIN_API)
        return answers.not_found()

    async def discovery(self, _request: Request) -> Response:
        """Return the OIDC discovery document."""
        return JSONResponse(self._instance.oidc.discovery())

    async def keys(self, _request: Request) -> Response:
        """Return the issuer's keys."""
        return JSONResponse(self._instance.oidc.jwks())
