"""``/jwt/auth``: tokens for the container registry, with what their bearer may do in which repository.

Source: "Token Authentication Specification" of CNCF distribution; what GitLab documents of tokens' scopes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.responses import JSONResponse
from starlette.routing import Route

from pip_warden.sandbox.gitlab.answers import Halt
from pip_warden.sandbox.gitlab.auth import listing
from pip_warden.sandbox.gitlab.credentials import Caller, basic
from pip_warden.sandbox.gitlab.model import Role, Token, TokenKind
from pip_warden.sandbox.gitlab.oidc import token_id

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from pip_warden.sandbox.gitlab.instance import Instance
    from pip_warden.sandbox.gitlab.model import ProjectRecord
    from pip_warden.sandbox.gitlab.state import GitLabState

SERVICE = "container_registry"
_JOB_USER = "gitlab-ci-token"
_EVERYTHING = frozenset({"pull", "push", "delete", "*"})
_BY_SCOPE = {
    "api": _EVERYTHING,
    "read_api": frozenset({"pull"}),
    "read_registry": frozenset({"pull"}),
    "write_registry": frozenset({"push"}),
}
_REPOSITORY = re.compile(r"{0}(/{0})*".format(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*"), re.ASCII)
_LEVELS = 3
"""A repository is a project's path, or has one or two names more."""


class RegistryTokens:
    """The route that gives tokens."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._state = instance.state

    def routes(self) -> list[Route]:
        """Return the route, below the instance's URL."""
        return [Route("/jwt/auth", self.give, methods=["GET"])]

    async def give(self, request: Request) -> Response:
        """Return a token for those of the actions asked for that the caller may do; it may be none."""
        if request.query_params.get("service") != SERVICE:
            return JSONResponse({}, 404)
        caller = self._caller(request)
        # One parameter for each scope, or several in one, separated by blanks (RFC 6749 section 3.3).
        scopes = " ".join(request.query_params.getlist("scope")).split()
        if caller.token is None and not scopes:
            raise Halt(_refusal(403, "DENIED", "access forbidden"))
        access = [entry for scope in scopes if (entry := self._access(scope, caller)) is not None]
        now = int(self._state.now().timestamp())
        claims = {
            "iss": self._instance.registry_issuer.issuer,
            "sub": caller.user.login if caller.user else "",
            "aud": SERVICE,
            "iat": now,
            "nbf": now - 5,
            "exp": now + self._state.settings.registry_token_seconds,
            "jti": token_id(),
            "access": access,
        }
        return JSONResponse({"token": self._instance.registry_issuer.sign(claims)})

    def _caller(self, request: Request) -> Caller:
        """Return the caller, anonymous only where nothing was presented.

        Raises:
            Halt: 401 for wrong credentials, 403 for good ones that are for anything but images.
        """
        if "authorization" not in request.headers:
            return Caller()
        username, password = basic(request) or ("", "")
        token = self._state.tokens.get(password)
        if token is None or not token.alive(self._state.now()) or not _named(token, username):
            raise Halt(_refusal(401, "UNAUTHORIZED", "HTTP Basic: Access denied."))
        if not _abilities(token):
            raise Halt(_refusal(403, "DENIED", "access forbidden"))
        return Caller(token=token)

    def _access(self, scope: str, caller: Caller) -> dict[str, object] | None:
        kind, name, actions = (*scope.split(":", 2), "", "")[:3]
        project = project_of(self._state, name)
        if kind != "repository" or project is None:
            return None
        granted = [action for action in actions.split(",") if _may(action, project, caller)]
        if not granted:
            return None
        meta = {"project_path": project.path.lower(), "project_id": project.id}
        return {"type": kind, "name": name, "actions": granted, "meta": meta}


def project_of(state: GitLabState, repository: str) -> ProjectRecord | None:
    """Return the project that a repository belongs to: the one with the longest path that fits."""
    if not _REPOSITORY.fullmatch(repository):
        return None
    parts = repository.split("/")
    paths = ["/".join(parts[: len(parts) - above]) for above in range(_LEVELS)]
    # A path of one part would be looked up as an id.
    found = (state.find_project(path) for path in paths if "/" in path)
    return next((project for project in found if project is not None), None)


def _named(token: Token, username: str) -> bool:
    if token.kind is TokenKind.JOB:
        return username == _JOB_USER
    return token.kind is not TokenKind.DEPLOY or token.username in {"", username}


def _abilities(token: Token) -> frozenset[str]:
    """Return the actions that a token can be for at all."""
    if token.kind is TokenKind.JOB:
        return _EVERYTHING
    return frozenset[str]().union(*(_BY_SCOPE.get(scope, ()) for scope in token.scopes))


def _may(action: str, project: ProjectRecord, caller: Caller) -> bool:
    token = caller.token
    if token is not None and action not in _abilities(token):
        return False
    if token is None or (action == "pull" and project.visibility == "public"):
        return action == "pull" and project.visibility == "public"
    if token.kind is TokenKind.DEPLOY:
        return token.belongs_to(project)
    if token.kind is TokenKind.JOB:
        return token.project is project or (action == "pull" and _job_may_pull(token, project))
    if action == "pull" and project.visibility == "internal":
        return True
    needed = {"pull": Role.REPORTER, "push": Role.DEVELOPER}.get(action, Role.MAINTAINER)
    return (project.role_of(token.user) or 0) >= needed


def _job_may_pull(token: Token, project: ProjectRecord) -> bool:
    """Return whether another project's job may: its project is on the list, and its user may pull."""
    entry = listing(project, token.project) if token.project is not None else None
    if entry is None:
        if project.enforce_allowlist:
            return False
    elif project.allowlist[entry] is not None:
        return False  # fine-grained permissions are for the API; there is none for images
    return project.visibility == "internal" or (project.role_of(token.user) or 0) >= Role.REPORTER


def _refusal(status: int, code: str, text: str) -> Response:
    return JSONResponse({"errors": [{"code": code, "message": text}]}, status)
