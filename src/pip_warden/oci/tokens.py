"""How a registry is shown who asks: a token of the realm that it names, or user and password themselves.

The realm is named by whoever answers, so it is a claim: credentials go only to the registry's own origin, in
CI to that of the job's GitLab, and to a realm that the trust file pins. Source: the token authentication
specification of CNCF distribution, which GitLab's ``/jwt/auth`` follows.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from math import inf
from threading import Lock
from urllib.parse import urlencode

from pip_warden.display import escape_text
from pip_warden.errors import CredentialsError, NetworkError, RegistryError
from pip_warden.oci.challenge import Challenge, parse_challenges
from pip_warden.oci.credentials import RegistryCredentials, RegistryLogin
from pip_warden.oci.names import Repository, registry_url
from pip_warden.strict_json import MalformedError, loads_object
from pip_warden.transport import (
    AuthHeader,
    Request,
    Response,
    Secret,
    Transport,
    bearer_header,
    error_for,
    explanation,
    origin_of,
    redacted_url,
)
from pip_warden.values import dataclass

_LARGEST_ANSWER = 64 << 10
_TOKEN = re.compile(r"[!-~]{1,16384}", re.ASCII)
_USUAL_LIFETIME = 60
_MARGIN = 5
"""Seconds before its end from which a token is not sent any more."""
_READ_ONLY, _WRITES = "pull", "pull,push"
_DENIED = frozenset({401, 403})


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """What a request needs.

    Attributes:
        repository: The repository.
        writes: Whether it changes something there.
        mounts: Path of another repository of the same registry, from which a blob is taken.
    """

    repository: Repository
    writes: bool = False
    mounts: str | None = None

    @property
    def scopes(self) -> tuple[str, ...]:
        """Return the scopes to ask a realm for: these, whatever the registry demands beyond them."""
        own = f"repository:{self.repository.path}:{_WRITES if self.writes else _READ_ONLY}"
        return (own,) if self.mounts is None else (own, f"repository:{self.mounts}:{_READ_ONLY}")


class Tokens:
    """The tokens of a run, in memory. Every method may be called from several threads at once.

    Args:
        transport: The HTTP client; nothing that it holds itself is sent.
        credentials: Which registry gets which.
        realms: URLs that a registry's credentials may be sent to besides, by its host: pinned by the caller.
        clock: Seconds that never decrease.
    """

    def __init__(
        self,
        transport: Transport,
        credentials: RegistryCredentials,
        *,
        realms: Mapping[str, frozenset[str]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transport = transport
        self._credentials = credentials
        self._realms = realms
        self._clock = clock
        self._looking_up = Lock()
        self._logins: dict[Repository, RegistryLogin | None] = {}
        self._kept: dict[Access, tuple[AuthHeader, float, Challenge]] = {}

    def held(self, access: Access) -> AuthHeader | None:
        """Return what the last challenge for the same access has led to; a token that has ended is replaced.

        It is replaced before it is refused: many servers end the connection of a large body that they refuse.

        Raises:
            CredentialsError, RegistryError, NetworkError, UsageError: As for :meth:`obtain`.
        """
        if access not in self._kept:
            return None
        header, ends, challenge = self._kept[access]
        return header if self._clock() < ends else self._answered(access, challenge)

    def obtain(self, access: Access, reply: Response) -> AuthHeader:
        """Return what a registry demands with a 401: a token, or user and password.

        Raises:
            CredentialsError: There are none, the realm gives none for them, or it is a stranger
                (``registry-realm``).
            RegistryError: ``registry-sign-in``: what is demanded, or a realm's answer, is not understood.
            NetworkError: As for :meth:`Transport.get`.
            UsageError: As for :meth:`RegistryCredentials.login`.
        """
        challenge = _chosen(access, reply)
        if challenge.scheme == "basic" and self._login(access.repository) is None:
            raise self.denied(access, reply)
        return self._answered(access, challenge)

    def denied(self, access: Access, reply: Response) -> CredentialsError:
        """Build the error for a 401 or 403 that stays."""
        login = self._login(access.repository)
        code = "credentials-needed" if login is None else "credentials-refused"
        return CredentialsError(
            code if login is None or reply.status == 401 else "forbidden",
            f"expected access to {access.repository} ({'to push' if access.writes else 'to pull'}), "
            f"found status {reply.status} from {redacted_url(reply.url)}: {explanation(reply)}",
            status=reply.status,
            hint=self._credentials.advice(access.repository, login),
        )

    def _login(self, repository: Repository) -> RegistryLogin | None:
        """Look up once, whatever thread comes first: a helper may ask its user something."""
        with self._looking_up:
            if repository not in self._logins:
                self._logins[repository] = self._credentials.login(repository)
            return self._logins[repository]

    def _answered(self, access: Access, challenge: Challenge) -> AuthHeader:
        """Answer a challenge, and keep the answer until it ends."""
        login = self._login(access.repository)
        if challenge.scheme == "basic" and login is not None:
            header, lifetime = login.header, inf
        else:
            header, lifetime = self._token(access, challenge, login)
        self._kept[access] = header, self._clock() + lifetime - _MARGIN, challenge
        return header

    def _token(
        self, access: Access, challenge: Challenge, login: RegistryLogin | None
    ) -> tuple[AuthHeader, float]:
        realm = challenge.parameters.get("realm", "")
        self._check_realm(realm, access.repository, has_login=login is not None)
        asked = [("scope", scope) for scope in access.scopes]
        if service := challenge.parameters.get("service"):
            asked.insert(0, ("service", service))
        ask = Request(
            method="GET",
            url=f"{realm}?{urlencode(asked)}",
            what=f"a token for {access.repository}",
            headers=(("Accept-Encoding", "identity"), ("Accept", "application/json")),
            auth=None if login is None else login.header,
            stays_home=True,
        )
        reply = self._transport.send(ask, max_bytes=_LARGEST_ANSWER)
        if reply.status in _DENIED:
            raise self.denied(access, reply)
        if reply.status >= 400:
            raise error_for(reply, ask.what)
        return _granted(access, reply)

    def _check_realm(self, realm: str, repository: Repository, *, has_login: bool) -> None:
        registry = repository.registry
        own = origin_of(registry_url(registry))
        try:
            origin = origin_of(realm)
        except NetworkError as err:
            raise _not_understood(repository, f"a realm that is no https URL: {redacted_url(realm)}") from err
        if {"?", "#"} & set(realm) or (origin.scheme == "http" and own.scheme != "http"):
            raise _not_understood(repository, f"a realm that is no plain https URL: {redacted_url(realm)}")
        if not has_login or origin == own or realm in self._realms.get(registry, ()):
            return
        if origin != self._credentials.server(registry):
            raise CredentialsError(
                "registry-realm",
                f"expected that {registry} itself wants to know who asks, found that it names another place, "
                f"to which nothing was sent: {redacted_url(realm)}",
                hint=f"If credentials for {registry} belong there, pin it in [[image]] of the trust file, "
                f'or by --realm of `trust add --image`: realm = "{redacted_url(realm)}"',
            )


def _chosen(access: Access, reply: Response) -> Challenge:
    """Return the challenge to answer: a Bearer one if there is one, since fewer see the password then."""
    try:
        offered = parse_challenges(reply.headers.get("www-authenticate", ""))
    except MalformedError as err:
        raise _not_understood(access.repository, f"WWW-Authenticate: {escape_text(str(err))}") from err
    for scheme in ("bearer", "basic"):
        if (found := next((each for each in offered if each.scheme == scheme), None)) is not None:
            return found
    names = ", ".join(escape_text(each.scheme, 40) for each in offered) or "no WWW-Authenticate"
    raise _not_understood(access.repository, names)


def _granted(access: Access, reply: Response) -> tuple[AuthHeader, float]:
    """Read a realm's answer: a token, and its lifetime in seconds."""
    try:
        if reply.status != 200:
            raise MalformedError(f"status {reply.status}")
        said = loads_object(reply.body, max_bytes=_LARGEST_ANSWER)
    except MalformedError:  # its text could show a part of the token
        raise _not_understood(
            access.repository, f"an answer of {redacted_url(reply.url)} that is none"
        ) from None
    token, *others = [said[key] for key in ("token", "access_token") if said.get(key) is not None] or [""]
    lifetime = _USUAL_LIFETIME if said.get("expires_in") is None else said["expires_in"]
    is_token = isinstance(token, str) and _TOKEN.fullmatch(token) and all(each == token for each in others)
    if not is_token or type(lifetime) is not int:
        raise _not_understood(access.repository, f"no token in the answer of {redacted_url(reply.url)}")
    return bearer_header(Secret(str(token))), float(lifetime)


def _not_understood(repository: Repository, found: str) -> RegistryError:
    return RegistryError(
        "registry-sign-in",
        f"expected {repository.registry} to demand a token (Bearer) or a password (Basic) in the usual way, "
        f"found {found}",
        hint="Check the registry's host. Whoever runs the registry must correct this.",
    )
