"""Accounts, groups, projects, tokens and jobs of the embedded GitLab, created on request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pip_warden.sandbox.errors import SandboxError
from pip_warden.sandbox.gitlab.model import JobContext, Namespace, Role, TokenKind, User
from pip_warden.sandbox.handles import Job, Project

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from pip_warden.sandbox.gitlab.instance import Instance
    from pip_warden.sandbox.gitlab.state import GitLabState

OWNER = "maintainer"
"""The account that is Maintainer of every project and runs jobs by default."""


class Tenants:
    """Create accounts, groups, projects, tokens and jobs."""

    state: GitLabState
    instance: Instance

    def user(self, login: str) -> User:
        """Return an account; create it if needed."""
        return self.state.user(login)

    def group(self, path: str, *, visibility: str = "private") -> Namespace:
        """Return a group; create it, and those above it, if needed."""
        return self.state.group(path, visibility=visibility)

    def group_simple_url(self, path: str) -> str:
        """Return a group's PyPI index, without a slash at its end."""
        return f"{self.instance.url}/api/v4/groups/{self.group(path).id}/-/packages/pypi/simple"

    def project(self, path: str, *, visibility: str = "private", default_branch: str = "main") -> Project:
        """Return a project; create it, with the groups above it and `OWNER` as its Maintainer, if needed."""
        with self.state.lock:
            is_new = self.state.find_project(path) is None
            record = self.state.project(path, visibility=visibility, default_branch=default_branch)
            if is_new:
                record.members[self.user(OWNER).id] = Role.MAINTAINER
        return Project(self.instance, record, job_token=lambda project: self.job(project).job_token)

    def job(
        self,
        project: Project,
        ref: str | None = None,
        *,
        tag: str | None = None,
        pipeline_source: str = "push",
        environment: str | None = None,
        runner_environment: str = "gitlab-hosted",
        **claims: object,
    ) -> Job:
        """Start a CI job of a project.

        Args:
            project: Where the job runs.
            ref: Branch, with or without ``refs/heads/``, or ``refs/tags/…``; the default branch if not given.
            tag: Instead: a tag.
            pipeline_source: ``push``, ``schedule``, ``merge_request_event`` and so on.
            environment: The deployment environment, if any.
            runner_environment: ``gitlab-hosted`` or ``self-hosted``.
            claims: Claims to override; None leaves one out. Two are special: ``user`` is the login of the
                account that runs it, ``source_project`` the fork (a `Project`) whose code a merge request
                pipeline runs.
        """
        user, source = claims.pop("user", OWNER), claims.pop("source_project", project)
        if not isinstance(source, Project):
            msg = f"source_project is a Project, not {source!r}"
            raise SandboxError(msg)
        name = f"refs/tags/{tag}" if tag is not None else ref or project.record.default_branch
        job_id, pipeline_id = self.state.next_job_ids()
        context = JobContext(
            id=job_id,
            pipeline_id=pipeline_id,
            project=project.record,
            source_project=source.record,
            user=self.user(str(user)),
            ref=name.removeprefix("refs/tags/").removeprefix("refs/heads/"),
            ref_type="tag" if name.startswith("refs/tags/") else "branch",
            pipeline_source=pipeline_source,
            runner_environment=runner_environment,
            environment=environment,
            started_at=self.state.now(),
            overrides=tuple(claims.items()),
        )
        return Job(self.instance, context)

    def token(
        self,
        kind: str = "personal",
        *,
        scopes: Sequence[str] = ("api",),
        user: str = OWNER,
        project: Project | None = None,
        group: Namespace | None = None,
        expires_at: datetime | None = None,
    ) -> str:
        """Create a personal, project, group, oauth or deploy token and return its secret.

        A project or group token gets a bot account that is Maintainer there; a deploy token has no account.
        """
        token_kind = TokenKind(kind)
        account: User | None = self.user(user)
        if token_kind in {TokenKind.PROJECT, TokenKind.GROUP}:
            home = project.record if project is not None else group
            if home is None:
                msg = f"a {kind} token needs project=… or group=…"
                raise SandboxError(msg)
            account = self.user(f"{kind}_{home.id}_bot")
            home.members[account.id] = Role.MAINTAINER
        elif token_kind is TokenKind.DEPLOY:
            account = None
        token = self.state.issue(
            token_kind,
            user=account,
            scopes=frozenset(scopes),
            project=project.record if project is not None else None,
            namespace=group,
            expires_at=expires_at,
        )
        return token.secret

    def revoke(self, secret: str) -> None:
        """Revoke a token."""
        self.state.tokens[secret].revoked = True
