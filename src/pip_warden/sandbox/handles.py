"""Handles on a project and a job, for tests and demonstrations."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from pip_warden.sandbox.gitlab import jobs
from pip_warden.sandbox.gitlab.model import Namespace, Protection, Role, Token, TokenKind

if TYPE_CHECKING:
    from collections.abc import Callable

    from pip_warden.sandbox.gitlab.instance import Instance
    from pip_warden.sandbox.gitlab.model import JobContext, ProjectRecord


class Job:
    """A running CI job of a project: its tokens and variables."""

    def __init__(self, instance: Instance, context: JobContext) -> None:
        self.context = context
        self._instance = instance
        self._token: Token = instance.state.issue(
            TokenKind.JOB, user=context.user, project=context.project, job=context
        )

    @property
    def id(self) -> int:
        """Return the job's id."""
        return self.context.id

    @property
    def job_token(self) -> str:
        """Return ``CI_JOB_TOKEN``."""
        return self._token.secret

    @property
    def san(self) -> str:
        """Return the subject that Fulcio would put into this job's certificate."""
        return f"https://{self.claims()['ci_config_ref_uri']}"

    def claims(self, aud: str = "sigstore") -> dict[str, object]:
        """Return the claims of an ID token made now."""
        return jobs.claims(self._instance, self.context, aud=aud)

    def id_token(self, aud: str = "sigstore") -> str:
        """Return a signed ID token."""
        return self._instance.oidc.sign(self.claims(aud))

    def variables(self) -> dict[str, str]:
        """Return the predefined variables, and ``SIGSTORE_ID_TOKEN`` as ``id_tokens:`` would set it."""
        found = jobs.variables(self._instance, self.context, job_token=self.job_token)
        return found | {"SIGSTORE_ID_TOKEN": self.id_token()}

    def finish(self) -> None:
        """End the job: its token is no longer accepted."""
        self._token.revoked = True


class Project:
    """A project of the embedded GitLab."""

    def __init__(
        self, instance: Instance, record: ProjectRecord, *, job_token: Callable[[Project], str]
    ) -> None:
        self.record = record
        self._instance = instance
        self._make_job_token = job_token
        self._job_token: str | None = None

    @property
    def id(self) -> int:
        """Return the numeric id."""
        return self.record.id

    @property
    def path(self) -> str:
        """Return the full path, such as ``group/subgroup/project``."""
        return self.record.path

    @property
    def url(self) -> str:
        """Return the URL of its home page, and of the repository in certificates."""
        return f"{self._instance.shown_url}/{self.path}"

    @property
    def api_url(self) -> str:
        """Return its URL in the API, by numeric id."""
        return f"{self._instance.url}/api/v4/projects/{self.id}"

    @property
    def pypi_url(self) -> str:
        """Return the URL that twine uploads to."""
        return f"{self.api_url}/packages/pypi"

    @property
    def simple_url(self) -> str:
        """Return the PyPI registry's index, without a slash at its end."""
        return f"{self.pypi_url}/simple"

    @property
    def job_token(self) -> str:
        """Return the job token of a job on the default branch."""
        if self._job_token is None:
            self._job_token = self._make_job_token(self)
        return self._job_token

    @property
    def image(self) -> str:
        """Return the repository of its images, as in ``CI_REGISTRY_IMAGE``; others are below it."""
        return f"{self._instance.registry_host}/{self.path.lower()}"

    def generic_url(self, version: str, file: str = "", *, package: str | None = None) -> str:
        """Return a generic package's URL (the tutorial's ``GENERIC_PACKAGE_BASE_URL``), or a file's in it."""
        base = f"{self.api_url}/packages/generic/{quote(package or self.record.name)}/{quote(version)}"
        return f"{base}/{quote(file)}" if file else base

    def index_url(self, secret: str | None = None, *, user: str = "gitlab-ci-token") -> str:
        """Return the index with credentials in it, by default the job token's."""
        parts = urlsplit(self.simple_url)
        return f"{parts.scheme}://{user}:{secret or self.job_token}@{parts.netloc}{parts.path}"

    def add_member(self, login: str, role: Role = Role.DEVELOPER) -> None:
        """Make an account a member; the account is created if there is none of that login."""
        self.record.members[self._instance.state.user(login).id] = role

    def allow_job_tokens(
        self, source: Project | Namespace, permissions: frozenset[str] | None = None
    ) -> None:
        """Put a project or a group on the allowlist, with all or only some permissions."""
        key = -source.id if isinstance(source, Namespace) else source.id
        self.record.allowlist[key] = permissions

    def protect(self, pattern: str, minimum_role: Role = Role.MAINTAINER) -> None:
        """Protect package names by a pattern with ``*``."""
        self.record.protections.append(Protection(pattern=pattern, minimum_role=minimum_role))
