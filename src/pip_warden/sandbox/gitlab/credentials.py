"""Which route accepts which credential, and to whom it belongs (reference 4.1)."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from pip_warden.sandbox.gitlab import answers
from pip_warden.sandbox.gitlab.answers import Halt
from pip_warden.sandbox.gitlab.model import Token, TokenKind

if TYPE_CHECKING:
    from starlette.requests import Request

    from pip_warden.sandbox.gitlab.model import User
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
    """What a request wants to do."""

    READ = "read"
    PUSH = "push"
    DELETE = "delete"

    @property
    def permission(self) -> str:
        """Return the fine-grained permission a job token needs for it."""
        return "read_packages" if self is Access.READ else "admin_packages"


class CredentialForm(Enum):
    """How a credential is presented."""

    BASIC = "basic"
    PRIVATE = "private-token"
    BEARER = "bearer"
    JOB_HEADER = "job-token"
    DEPLOY_HEADER = "deploy-token"


_USER_TOKENS = frozenset({TokenKind.PERSONAL, TokenKind.PROJECT, TokenKind.GROUP, TokenKind.OAUTH})
_HEADERS = {
    CredentialForm.PRIVATE: _USER_TOKENS,
    CredentialForm.BEARER: _USER_TOKENS,
    CredentialForm.JOB_HEADER: frozenset({TokenKind.JOB}),
    CredentialForm.DEPLOY_HEADER: frozenset({TokenKind.DEPLOY}),
}
_BASIC = _USER_TOKENS | {TokenKind.DEPLOY}

ACCEPTED: dict[Surface, dict[CredentialForm, frozenset[TokenKind]]] = {
    Surface.PYPI: {
        CredentialForm.BASIC: _BASIC | {TokenKind.JOB},
        **{form: kinds for form, kinds in _HEADERS.items() if form is not CredentialForm.JOB_HEADER},
    },
    Surface.GENERIC_READ: {CredentialForm.BASIC: _BASIC | {TokenKind.JOB}, **_HEADERS},
    Surface.GENERIC_WRITE: {CredentialForm.BASIC: _BASIC, **_HEADERS},
    Surface.PACKAGES_API: {
        form: kinds for form, kinds in _HEADERS.items() if form is not CredentialForm.DEPLOY_HEADER
    },
    Surface.PLAIN_API: {form: kinds for form, kinds in _HEADERS.items() if TokenKind.PERSONAL in kinds},
}
"""The matrix of reference 4.1; a form absent for a surface is ignored there, as if it had not been sent."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """The caller of a request; anonymous without a token."""

    token: Token | None = None

    @property
    def user(self) -> User | None:
        """Return the account behind the token; deploy tokens have none."""
        return self.token.user if self.token else None


def authenticate(
    state: GitLabState, request: Request, surface: Surface, access: Access = Access.READ
) -> Caller:
    """Return the caller. Wrong *Basic* credentials make it anonymous, wrong header tokens are refused.

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
        if form is not CredentialForm.BASIC:
            raise Halt(answers.unauthorized(challenge=surface.registry))
    return Caller()


def basic(request: Request) -> tuple[str, str] | None:
    """Return user name and password of a request, None where it has none that can be read."""
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        username, _, password = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return username, password


def _presented(request: Request) -> list[tuple[CredentialForm, str, str]]:
    """Return every credential of a request in the order in which GitLab looks for them."""
    headers = request.headers
    named = (
        (CredentialForm.JOB_HEADER, headers.get("job-token") or request.query_params.get("job_token")),
        (CredentialForm.DEPLOY_HEADER, headers.get("deploy-token")),
        (CredentialForm.PRIVATE, headers.get("private-token") or request.query_params.get("private_token")),
    )
    credentials = [(form, secret, "") for form, secret in named if secret]
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        credentials.append((CredentialForm.BEARER, value.strip(), ""))
    elif (pair := basic(request)) is not None:
        credentials.append((CredentialForm.BASIC, pair[1], pair[0]))
    return credentials


def _accepted(state: GitLabState, surface: Surface, form: CredentialForm) -> frozenset[TokenKind]:
    kinds = ACCEPTED[surface].get(form, frozenset())
    if (
        surface is Surface.GENERIC_WRITE
        and form is CredentialForm.BASIC
        and state.settings.generic_put_basic_job_token
    ):
        return kinds | {TokenKind.JOB}
    if (
        surface is Surface.PLAIN_API
        and form is CredentialForm.JOB_HEADER
        and state.settings.project_api_job_token
    ):
        return frozenset({TokenKind.JOB})
    return kinds


def _named(token: Token, form: CredentialForm, username: str) -> bool:
    """Return whether the user name fits: it is only checked for job tokens by Basic."""
    return (
        token.kind is not TokenKind.JOB or form is not CredentialForm.BASIC or username == "gitlab-ci-token"
    )


def _usable(state: GitLabState, token: Token, access: Access) -> bool:
    """Return whether a token is valid and in scope; deploy tokens' scopes are judged with the project."""
    if not token.alive(state.now()):
        return False
    if token.kind not in _USER_TOKENS:
        return True
    return bool(token.scopes & ({"api", "read_api"} if access is Access.READ else {"api"}))
