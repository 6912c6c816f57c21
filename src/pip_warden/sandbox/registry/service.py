"""The registry as its routes and the tests have it: content, settings, and who may do what."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pip_warden.sandbox.gitlab.registry_tokens import SERVICE
from pip_warden.sandbox.registry.answers import RegistryHalt
from pip_warden.sandbox.registry.store import ImageStore
from pip_warden.sandbox.sigstore.errors import TokenRefused
from pip_warden.sandbox.sigstore.tokens import verify_token

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from starlette.requests import Request

    from pip_warden.sandbox.gitlab.oidc import OidcIssuer
    from pip_warden.sandbox.storage import ObjectStorage


@dataclass(eq=False, kw_only=True, slots=True)
class ContainerRegistry:
    """A registry; its settings may be changed while it runs.

    Attributes:
        url: The origin, without a slash at its end.
        token_url: Where GitLab gives tokens.
        issuer: Who signs them.
        storage: Where blobs are, if they are not served from here.
        now: The sandbox's clock.
        store: What it holds.
        realm: Another place than GitLab's that challenges name, as an evil registry would. (cosign 3.1 and
            crane refuse the address of GitLab's, for it is on loopback, but not ``localhost``.)
        referrers: Whether it lists referrers; GitLab's does not.
        referrers_page: Size of a page of referrers; None for all on one.
        tags_page: Size of a page of tags where none, or a larger one, is asked for.
        object_storage: Whether blobs are answered with a redirect to the storage, as GitLab.com does.
        signed_url_seconds: How long such a redirect is good for.
    """

    url: str
    token_url: Callable[[], str]
    issuer: OidcIssuer
    storage: ObjectStorage
    now: Callable[[], datetime]
    store: ImageStore = field(default_factory=ImageStore)
    realm: str | None = None
    referrers: bool = False
    referrers_page: int | None = None
    tags_page: int = 100
    object_storage: bool = False
    signed_url_seconds: int = 1200

    @property
    def host(self) -> str:
        """Return host and port, as in ``CI_REGISTRY``."""
        return urlsplit(self.url).netloc

    def admit(self, request: Request, wanted: Mapping[str, str]) -> None:
        """Let a request pass whose token grants what it wants.

        Args:
            request: The request.
            wanted: Actions, joined by commas, by the path of a repository; empty where any token will do.

        Raises:
            RegistryHalt: ``UNAUTHORIZED`` with the challenge.
        """
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise self._challenge(wanted)
        try:
            claims = verify_token(token.strip(), self._keys, self.now(), SERVICE)
        except TokenRefused as err:
            raise self._challenge(wanted, "invalid_token") from err
        granted = _granted(claims)
        for path, actions in wanted.items():
            if not set(actions.split(",")) <= granted.get(path, set()):
                raise self._challenge(wanted, "insufficient_scope")

    def _keys(self, issuer: str) -> dict[str, object] | None:
        return self.issuer.jwks() if issuer == self.issuer.issuer else None

    def _challenge(self, wanted: Mapping[str, str], error: str = "") -> RegistryHalt:
        scope = " ".join(f"repository:{path}:{actions}" for path, actions in wanted.items())
        parts = {
            "realm": self.realm or self.token_url(),
            "service": SERVICE,
            "scope": scope,
            "error": error,
        }
        text = ",".join(f'{name}="{value}"' for name, value in parts.items() if value)
        details = [
            {"Type": "repository", "Class": "", "Name": path, "Action": action}
            for path, actions in wanted.items()
            for action in actions.split(",")
        ]
        return RegistryHalt("UNAUTHORIZED", details, headers={"www-authenticate": f"Bearer {text}"})


def _granted(claims: Mapping[str, object]) -> dict[str, set[str]]:
    """Return the actions that a token grants, by the path of a repository."""
    found: dict[str, set[str]] = {}
    access = claims.get("access")
    for entry in access if isinstance(access, list) else []:
        if entry["type"] == "repository":
            actions = set(entry["actions"])
            found.setdefault(entry["name"], set()).update(
                actions | {"pull", "push", "delete"} if "*" in actions else actions
            )
    return found
