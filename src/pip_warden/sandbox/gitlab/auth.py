"""Authorization for projects and groups, and how a refusal is answered (reference 4.2)."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING

from pip_warden.sandbox.gitlab import answers
from pip_warden.sandbox.gitlab.answers import Halt
from pip_warden.sandbox.gitlab.credentials import Access, Caller, Surface, authenticate
from pip_warden.sandbox.gitlab.model import ProjectRecord, Role, TokenKind

if TYPE_CHECKING:
    from starlette.requests import Request

    from pip_warden.sandbox.gitlab.model import Namespace
    from pip_warden.sandbox.gitlab.state import GitLabState


def authorize(
    state: GitLabState, request: Request, surface: Surface, access: Access = Access.READ
) -> tuple[ProjectRecord, Caller]:
    """Return the project of a request and its caller, who is authorized for the access requested.

    Raises:
        Halt: 401, 403 or 404, as in reference 4.2.
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
        _may_read(state, project, caller, Surface.PYPI)
        and not _job_refusal(project, caller, Access.READ, of_group=True)
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
    """Allow pushing a protected name only with the required role; deploy tokens never.

    Raises:
        Halt: 403.
    """
    role = project.role_of(caller.user) or Role.GUEST
    for rule in project.protections:
        if fnmatch.fnmatchcase(package, rule.pattern) and role < rule.minimum_role:
            raise Halt(answers.forbidden(verb))


def listing(project: ProjectRecord, source: ProjectRecord) -> int | None:
    """Return the entry of a project's allowlist that the job tokens of another are accepted by, if any."""
    origins = (source.id, *(-namespace.id for namespace in source.namespace.lineage()))
    return next((origin for origin in origins if origin in project.allowlist), None)


def open_to_all(project: ProjectRecord) -> bool:
    """Return whether anonymous callers may pull packages."""
    return project.visibility == "public" or project.anyone_can_pull


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


def _job_refusal(project: ProjectRecord, caller: Caller, access: Access, *, of_group: bool = False) -> str:
    """Return why a job token is refused, or nothing; group routes ignore fine-grained permissions."""
    token = caller.token
    if token is None or token.kind is not TokenKind.JOB or token.project is None or token.project is project:
        return ""
    listed = listing(project, token.project)
    if listed is None:
        if not project.enforce_allowlist:
            return ""
        return f"Authentication by CI/CD job token not allowed from {token.project.path} to {project.path}."
    granted, needed = project.allowlist[listed], access.permission
    if (
        of_group
        or granted is None
        or needed in granted
        or (needed == "read_packages" and "admin_packages" in granted)
    ):
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
