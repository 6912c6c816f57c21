"""Which registry gets which credentials: they are found by its host and port, whatever a trust file says."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pip_warden.display import escape_text
from pip_warden.oci.docker_config import place_of, read_docker_config
from pip_warden.oci.names import Repository
from pip_warden.transport import (
    AuthHeader,
    Credential,
    CredentialKind,
    Origin,
    basic_header,
    checked_token,
    read_token,
    setting_origin,
)
from pip_warden.values import dataclass, field

_JOB = "CI_JOB_TOKEN"
_GIVE = "Run `docker login {host}`, or use `--token-file {host}=FILE` (one line, USER:TOKEN)."
_JOB_HINT = (
    "In the project that holds the image: Settings > CI/CD > Job token permissions, add this project (or its"
    " group); to push, a job token needs a user with the role Developer."
)


@dataclass(frozen=True, kw_only=True, slots=True)
class RegistryLogin:
    """User and password for one registry.

    Attributes:
        credential: User and password.
        where: Where they were found, for people.
    """

    credential: Credential
    where: str

    @property
    def header(self) -> AuthHeader:
        """Return the header that shows them."""
        return basic_header(self.credential.user or "__token__", self.credential.secret)


@dataclass(frozen=True, kw_only=True, slots=True)
class RegistryCredentials:
    """Every credential of a run for registries. Looked up only when a registry wants to know who asks.

    In this order: a token file; in GitLab CI the job token, or else the deploy token, both for
    ``CI_REGISTRY`` alone; ``REGISTRY_AUTH_FILE``; docker's ``config.json``.

    Attributes:
        environ: Environment variables, given by the caller.
        token_files: By ``HOST`` or ``HOST:PORT``, to which alone they are sent.
    """

    environ: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    token_files: Mapping[str, Path] = field(default_factory=dict, hash=False)

    def login(self, repository: Repository) -> RegistryLogin | None:
        """Return what is held for a repository's registry, None where it is nothing.

        Raises:
            UsageError: ``bad-token``, ``unreadable-token-file`` or ``docker-config``.
            UndecidedError: ``credential-helper``.
        """
        for host, path in self.token_files.items():
            if place_of(host) == repository.registry:
                return RegistryLogin(credential=read_token(path), where=f"the token file for {host}")
        if self._is_ci(repository.registry) and (found := self._in_ci()) is not None:
            return found
        for path in self._files():
            config = read_docker_config(path)
            held = None if config is None else config.credential(repository, self.environ)
            if held is not None:
                return RegistryLogin(credential=held, where=str(path))
        return None

    def server(self, registry: str) -> Origin | None:
        """Return the GitLab instance that gives out the tokens of a registry: only for that of this CI job.

        Raises:
            UsageError: ``bad-server-url``.
        """
        url = self.environ.get("CI_SERVER_URL")
        return setting_origin("CI_SERVER_URL", url) if url and self._is_ci(registry) else None

    def advice(self, repository: Repository, held: RegistryLogin | None) -> str:
        """Say which credentials were found for a repository, and what can be done about it."""
        host = repository.registry
        if held is not None and held.where == _JOB:
            return f"They are from {held.where}. {_JOB_HINT}"
        give = _GIVE.format(host=host)
        if held is not None:
            return f"They are from {held.where}: wrong, expired, or without a right that is needed. {give}"
        looked = [f"not in {escape_text(str(path))}" for path in self._files()]
        if self.environ.get("CI_REGISTRY") and not self._is_ci(host):
            looked.insert(0, "the job's token is for CI_REGISTRY alone")
        return f"No credentials for {host} were found ({', '.join(looked) or 'HOME is not set'}). {give}"

    def _is_ci(self, registry: str) -> bool:
        """Return whether a registry is that of this CI job: host and port are equal."""
        return place_of(self.environ.get("CI_REGISTRY", "")) == registry

    def _in_ci(self) -> RegistryLogin | None:
        user, name = "gitlab-ci-token", _JOB
        if not self.environ.get(name):
            user, name = self.environ.get("CI_DEPLOY_USER", ""), "CI_DEPLOY_PASSWORD"
        if not user or not (token := self.environ.get(name)):
            return None
        secret = checked_token(name, token)
        return RegistryLogin(
            credential=Credential(kind=CredentialKind.LOGIN, user=user, secret=secret), where=name
        )

    def _files(self) -> tuple[Path, ...]:
        """Return the files that ``podman login`` and ``docker login`` write, there or not."""
        named, directory = self.environ.get("REGISTRY_AUTH_FILE"), self.environ.get("DOCKER_CONFIG")
        home = self.environ.get("HOME")
        files = [Path(named)] if named else []
        if directory:
            files.append(Path(directory) / "config.json")
        elif home:
            files.append(Path(home) / ".docker" / "config.json")
        return tuple(files)
