"""What every route shares: the state, the instance's own URL, its object storage and its upstream index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol
from urllib.parse import urlsplit

from pip_warden.sandbox.gitlab import answers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from starlette.requests import Request
    from starlette.responses import Response

    from pip_warden.sandbox.gitlab.model import FileRow
    from pip_warden.sandbox.gitlab.oidc import OidcIssuer
    from pip_warden.sandbox.gitlab.state import GitLabState
    from pip_warden.sandbox.storage import ObjectStorage


@dataclass(frozen=True, kw_only=True, slots=True)
class UpstreamLink:
    """One file of a page of pypi.org's stand-in."""

    name: str
    url: str
    sha256: str
    requires_python: str


class UpstreamIndex(Protocol):
    """What the instance needs from the stand-in for pypi.org."""

    simple_url: str

    def links(self, name: str) -> tuple[UpstreamLink, ...] | int:
        """Return the files of a project, or the status of a failed request."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Instance:
    """The dependencies of the routes.

    Attributes:
        registry_host: Host and port of the container registry, as in ``CI_REGISTRY``.
        registry_issuer: Who signs tokens for it.
    """

    url: str
    state: GitLabState
    storage: ObjectStorage
    upstream: UpstreamIndex
    oidc: OidcIssuer
    registry_host: str
    registry_issuer: OidcIssuer
    ca_file: Path | None = None

    @property
    def shown_url(self) -> str:
        """Return the URL the instance believes it has: the start of all its absolute links."""
        return self.state.settings.external_url or self.url

    @property
    def api(self) -> str:
        """Return the API's URL in links."""
        return f"{self.shown_url}/api/v4"

    @property
    def registry_token_url(self) -> str:
        """Return where tokens for the container registry are given."""
        return f"{self.shown_url}/jwt/auth"

    @property
    def host(self) -> str:
        """Return host and port, as in ``CI_SERVER_FQDN``."""
        return urlsplit(self.shown_url).netloc

    def deliver(
        self, request: Request, file: FileRow, *, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Return a file's bytes, or a redirect to them in object storage, where no file by path is."""
        settings = self.state.settings
        if file.path is not None:
            return answers.streamed(file.path, file.name, method=request.method, headers=headers)
        if not settings.object_storage:
            return answers.attachment(file.data, file.name, headers=headers)
        url = self.storage.sign(
            str(file.id), method=request.method, filename=file.name, seconds=settings.signed_url_seconds
        )
        return answers.redirect(url, method=request.method)
