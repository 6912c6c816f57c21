"""Who may do what: which route accepts which credential (reference 4.1) and what it then answers (4.2)."""

from __future__ import annotations

import base64
import binascii
import fnmatch
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from pip_warden.sandbox.gitlab import answers
from pip_warden.sandbox.gitlab.answers import Halt
from pip_warden.sandbox.gitlab.model import ProjectRecord, Role, Token, TokenKind

if TYPE_CHECKING:
    from starlette.requests import Request

    from pip_warden.sandbox.gitlab.model import Namespace, User
    from pip_warden.sandbox.gitlab.state import GitLabState


class Surface(Enum):
    """Families of routes that differ in what they accept."""

    PYPI = "pypi"
    GENERIC_READ = "generic read"
    GENERIC_WRITE = "generic write"
    PACKAGES_API = "packages api"
    PLAIN_API = "plain api"

    @property
    def registry(self) -> bool:
        """Return whether it is a package registry rather than plain API."""
        return self in {Surface.PYPI, Surface.GENERIC_READ, Surface.GENERIC_WRITE}


class Access(Enum):
    """What a request wants to do; the value is the job-token permission it needs."""

    READ = "read_packages"
    PUSH = "admin_packages"
    DELETE = "admin_packages "


class Form(Enum):
    """How a credential is presented."""

    BASIC = "basic"
    PRIVATE = "private-token"
    BEARER = "bearer"
    JOB_HEADER = "job-token"
    DEPLOY_HEADER = "deploy-token"


_USER_TOKENS = frozenset({TokenKind.PERSONAL, TokenKind.PROJECT, TokenKind.GROUP, TokenKind.OAUTH})
_HEADERS = {
    Form.PRIVATE: _USER_TOKENS,
    Form.BEARER: _USER_TOKENS,
    Form.JOB_HEADER: frozenset({TokenKind.JOB}),
    Form.DEPLOY_HEADER: frozenset({TokenKind.DEPLOY}),
}
_BASIC = _USER_TOKENS | {TokenKind.DEPLOY}

ACCEPTED: dict[Surface, dict[Form, frozenset[TokenKind]]] = {
    Surface.PYPI: {
        Form.BASIC: _BASIC | {TokenKind.JOB},
        **{form: kinds for form, kinds in _HEADERS.items() if form is not Form.JOB_HEADER},
    },
    Surface.GENERIC_READ: {Form.BASIC: _BASIC | {TokenKind.JOB}, **_HEADERS},
    Surface.GENERIC_WRITE: {Form.BASIC: _BASIC, **_HEADERS},
    Surface.PACKAGES_API: {form: kinds for form, kinds in _HEADERS.items() if form is not Form.DEPLOY_HEADER},
    Surface.PLAIN_API: {form: kinds for form, kinds in _HEADERS.items() if TokenKind.PERSONAL in kinds},
}
"""The matrix of reference 4.1; a form that is absent for a surface is ignored there, as if it had not been sent."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """Name who is asking; without a token, nobody."""

    token: Token | None = None

    @property
    def user(self) -> User | None:
        """Return the account behind the token; deploy tokens have none."""
        return self.token.user if self.token else None


def authenticate(
    state: GitLabState, request: Request, surface: Surface, access: Access = Access.READ
) -> Caller:
    """Return who is asking. Wrong *Basic* credentials make the caller anonymous, wrong header tokens do not pass.

    Raises:
        Halt: 401.
    """
    for form, secret, username in _presented(request):
        kinds = _accepted(state, surface, form)
        if not kinds:
            continue
        token = state.tokens.get(secret)
        if (
            token is not None
            and token.kind in kinds
            and _usable(state, token, access)
            and _named(token, form, username)
        ):
            return Caller(token=token)
        if form is not Form.BASIC:
            raise Halt(answers.unauthorized(challenge=surface.registry))
    return Caller()


def admit(
    state: GitLabState, request: Request, surface: Surface, access: Access = Access.READ
) -> tuple[ProjectRecord, Caller]:
    """Return the project of a request and its caller, who may do what is asked there.

    Raises:
        Halt: 401, 403 or 404, as reference 4.2 has it.
    """
    caller = authenticate(state, request, surface, access)
    project = state.find_project(answers.segment(request, "id"))
    if project is None:
        if caller.token is None and surface in {Surface.GENERIC_READ, Surface.GENERIC_WRITE}:
            raise Halt(answers.unauthorized())
        raise Halt(answers.not_found("Project"))
    _require_visible(project, caller, surface)
    if surface is not Surface.PLAIN_API and not state.settings.packages_enabled:
        raise Halt(answers.not_found())
    if surface is not Surface.PLAIN_API and not project.packages_enabled:
        raise Halt(answers.forbidden())
    if access is Access.READ:
        _require_read(state, project, caller, surface)
    else:
        _require_write(project, caller, access, surface)
    return project, caller


def may_see(state: GitLabState, project: ProjectRecord, caller: Caller) -> bool:
    """Return whether lists above a project (a group's) show it to the caller."""
    return open_to_all(project) or (
        _may_read(state, project, caller, Surface.PYPI) and not _job_refusal(project, caller, Access.READ)
    )


def admit_group(state: GitLabState, request: Request, surface: Surface) -> tuple[Namespace, Caller]:
    """Return the group of a request and its caller, who may see it.

    Raises:
        Halt: 401 for an anonymous caller of a private group's registry, else 404.
    """
    caller = authenticate(state, request, surface)
    group = state.find_group(answers.segment(request, "id"))
    if group is None:
        raise Halt(answers.not_found("Group"))
    if group.visibility != "public" and not _in_group(state, group, caller):
        anonymous = caller.token is None and surface.registry
        raise Halt(answers.unauthorized() if anonymous else answers.not_found("Group"))
    return group, caller


def require_unprotected(
    project: ProjectRecord, caller: Caller, package: str, *, verb: str = "Package protected."
) -> None:
    """Let only those push a protected name who have the role; deploy tokens never.

    Raises:
        Halt: 403.
    """
    role = project.role_of(caller.user) or Role.GUEST
    for rule in project.protections:
        if fnmatch.fnmatchcase(package, rule.pattern) and role < rule.minimum_role:
            raise Halt(answers.forbidden(verb))


def open_to_all(project: ProjectRecord) -> bool:
    """Return whether anybody may pull packages."""
    return project.visibility == "public" or project.anyone_can_pull


def _presented(request: Request) -> list[tuple[Form, str, str]]:
    """Return every credential of a request in the order in which GitLab looks for them."""
    headers = request.headers
    named = (
        (Form.JOB_HEADER, headers.get("job-token") or request.query_params.get("job_token")),
        (Form.DEPLOY_HEADER, headers.get("deploy-token")),
        (Form.PRIVATE, headers.get("private-token") or request.query_params.get("private_token")),
    )
    credentials = [(form, secret, "") for form, secret in named if secret]
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        credentials.append((Form.BEARER, value.strip(), ""))
    elif scheme.lower() == "basic":
        try:
            username, _, password = base64.b64decode(value.strip(), validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return credentials
        credentials.append((Form.BASIC, password, username))
    return credentials


def _accepted(state: GitLabState, surface: Surface, form: Form) -> frozenset[TokenKind]:
    kinds = ACCEPTED[surface].get(form, frozenset())
    if surface is Surface.GENERIC_WRITE and form is Form.BASIC and state.settings.generic_put_basic_job_token:
        return kinds | {TokenKind.JOB}
    if surface is Surface.PLAIN_API and form is Form.JOB_HEADER and state.settings.project_api_job_token:
        return frozenset({TokenKind.JOB})
    return kinds


def _named(token: Token, form: Form, username: str) -> bool:
    """Return whether the user name fits: only job tokens by Basic look at it."""
    return token.kind is not TokenKind.JOB or form is not Form.BASIC or username == "gitlab-ci-token"


def _usable(state: GitLabState, token: Token, access: Access) -> bool:
    """Return whether a token is alive and its scopes reach; deploy tokens' scopes are judged with the project."""
    if not token.alive(state.now()):
        return False
    if token.kind not in _USER_TOKENS:
        return True
    return bool(token.scopes & ({"api", "read_api"} if access is Access.READ else {"api"}))


def _require_visible(project: ProjectRecord, caller: Caller, surface: Surface) -> None:
    if surface.registry and open_to_all(project):
        return
    if project.visibility == "public" or _knows(project, caller):
        return
    if caller.token is None and surface.registry:
        raise Halt(answers.unauthorized())
    raise Halt(answers.not_found("Project"))


def _knows(project: ProjectRecord, caller: Caller) -> bool:
    token = caller.token
    if token is None:
        return False
    if token.kind is TokenKind.DEPLOY:
        return token.belongs_to(project) and bool(
            token.scopes & {"read_package_registry", "write_package_registry"}
        )
    return project.visibility == "internal" or project.role_of(token.user) is not None


def _require_read(state: GitLabState, project: ProjectRecord, caller: Caller, surface: Surface) -> None:
    if open_to_all(project) and (surface.registry or project.visibility == "public"):
        return
    refusal = _job_refusal(project, caller, Access.READ)
    if refusal:
        raise Halt(answers.forbidden(refusal))
    if not _may_read(state, project, caller, surface):
        raise Halt(answers.forbidden())


def _may_read(state: GitLabState, project: ProjectRecord, caller: Caller, surface: Surface) -> bool:
    token = caller.token
    if token is None or not _knows(project, caller):
        return False
    if token.kind is TokenKind.DEPLOY:
        good = {"read_package_registry"}
        if surface is Surface.GENERIC_READ:
            good.add("write_package_registry")  # as GitLab's own specification has it
        return bool(token.scopes & good)
    if surface is Surface.PLAIN_API or project.visibility == "internal":
        return True
    role = project.role_of(caller.user)
    return role is not None and (role >= Role.REPORTER or state.settings.guests_may_read)


def _require_write(project: ProjectRecord, caller: Caller, access: Access, surface: Surface) -> None:
    token = caller.token
    if token is None:
        raise Halt(answers.unauthorized(challenge=surface.registry))
    refusal = _job_refusal(project, caller, access)
    if refusal:
        raise Halt(answers.forbidden(refusal))
    if token.kind is TokenKind.DEPLOY:
        allowed = (
            token.belongs_to(project) and "write_package_registry" in token.scopes and access is Access.PUSH
        )
    else:
        needed = Role.MAINTAINER if access is Access.DELETE else Role.DEVELOPER
        allowed = (project.role_of(token.user) or 0) >= needed
    if not allowed:
        raise Halt(answers.forbidden())


def _job_refusal(project: ProjectRecord, caller: Caller, access: Access) -> str:
    """Return why a job token may not come in, or nothing."""
    token = caller.token
    if token is None or token.kind is not TokenKind.JOB or token.project is None or token.project is project:
        return ""
    origins = (token.project.id, *(-namespace.id for namespace in token.project.namespace.lineage()))
    listed = next((origin for origin in origins if origin in project.allowlist), None)
    if listed is None:
        if not project.enforce_allowlist:
            return ""
        return f"Authentication by CI/CD job token not allowed from {token.project.path} to {project.path}."
    granted, needed = project.allowlist[listed], access.value.strip()
    if granted is None or needed in granted or (needed == "read_packages" and "admin_packages" in granted):
        return ""
    return (
        f"Insufficient permissions to access this resource in project {project.path}. "
        f"The following token permission is required: {needed}."
    )


def _in_group(state: GitLabState, group: Namespace, caller: Caller) -> bool:
    token = caller.token
    if token is None:
        return False
    if token.kind is TokenKind.DEPLOY:
        return token.namespace is not None and token.namespace in group.lineage()
    if token.user is None:
        return False
    if any(token.user.id in namespace.members for namespace in group.lineage()):
        return True
    return any(project.role_of(token.user) is not None for project in state.projects_below(group))
