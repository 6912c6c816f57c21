"""Puts a credential into the header that a route accepts.

GitLab's routes accept different headers (GitLab docs, "Authenticate with the package registry"): the PyPI
registry takes Basic and ignores ``JOB-TOKEN``; the generic registry takes headers; the Packages API takes
headers only, and ignores what it does not know. What would be ignored is not sent: an anonymous response must
not look like an authenticated one.
"""

from __future__ import annotations

import base64
import re

from pip_warden.transport.secret import AuthHeader, Credential, CredentialKind, Secret

_ROUTE = re.compile(
    r"/api/v4/(?:(?P<projects>projects)|groups)/[^/]+/(?:-/)?packages(?:/(?P<kind>pypi|generic)(?:/|$))?"
)
_API = re.compile(r"/api/v4/(?P<scope>[a-z_]+)")


def auth_header(held: Credential, path: str) -> AuthHeader | None:
    """Put a credential into the form that a route accepts; None where the route would ignore every form."""
    secret, kind = held.secret, held.kind
    api = _API.match(path[path.find("/api/v4/") :]) if "/api/v4/" in path else None
    if api is None:
        if kind in {CredentialKind.JOB, CredentialKind.PERSONAL}:
            return None
        return basic_header(held.user or "__token__", secret)
    route = _ROUTE.search(path)
    registry = route["kind"] if route else None
    if kind is CredentialKind.LOGIN:
        return _dress_login(held, registry, path)
    if registry == "pypi":
        return basic_header("gitlab-ci-token" if kind is CredentialKind.JOB else "__token__", secret)
    if kind is CredentialKind.JOB:
        return _header("JOB-TOKEN", secret) if api["scope"] == "projects" else None
    return _header("PRIVATE-TOKEN", secret)


def basic_header(user: str, secret: Secret) -> AuthHeader:
    """Put user and password into the header of Basic authentication (RFC 7617)."""
    coded = base64.b64encode(f"{user}:{secret.reveal()}".encode()).decode("ascii")
    return AuthHeader(name="Authorization", value=Secret(f"Basic {coded}"), secrets=(Secret(coded), secret))


def bearer_header(token: Secret) -> AuthHeader:
    """Put a token into the header of RFC 6750."""
    return AuthHeader(name="Authorization", value=Secret(f"Bearer {token.reveal()}"), secrets=(token,))


def _dress_login(held: Credential, registry: str | None, path: str) -> AuthHeader | None:
    """The registries take Basic (the generic one no job token in it); the API takes known tokens only."""
    if held.user == "gitlab-ci-token" and registry != "pypi":
        return _header("JOB-TOKEN", held.secret) if "/api/v4/projects/" in path else None
    if registry is not None:
        return basic_header(held.user, held.secret)
    return _header("PRIVATE-TOKEN", held.secret) if held.secret.reveal().startswith("glpat-") else None


def _header(name: str, secret: Secret) -> AuthHeader:
    return AuthHeader(name=name, value=secret, secrets=(secret,))
