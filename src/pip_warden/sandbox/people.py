"""The identity provider of people, as a Sigstore has one (Dex): whoever asks is logged in as one person.

OpenID Connect Core section 3.1, RFC 6749 section 4.1, RFC 7636. As Dex does, it gives an ID token as the
access token, too: that is the one which sigstore-python takes.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode

from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from pip_warden.sandbox.gitlab.oidc import OidcIssuer

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from starlette.requests import Request

_PATH = "/auth"
_TOKEN_SECONDS = 60
_BY_HAND = "urn:ietf:wg:oauth:2.0:oob"


class People:
    """Log one person in, again and again.

    Args:
        url: The origin.
        now: The time.

    Attributes:
        issuer: The ``iss`` of tokens.
        mail: Whose address the tokens have.
        is_refusing: Whether the next logins are refused.
    """

    def __init__(self, url: str, now: Callable[[], datetime]) -> None:
        self.issuer = f"{url}{_PATH}"
        self.mail = "jo@example.com"
        self.is_refusing = False
        self._now = now
        self._oidc = OidcIssuer(lambda: self.issuer)
        self._begun: dict[str, tuple[str, str]] = {}

    def jwks(self) -> dict[str, object]:
        """Return the keys that verify its tokens."""
        return self._oidc.jwks()

    def app(self) -> Starlette:
        """Return it as an ASGI application."""
        return Starlette(
            routes=[
                Route(f"{_PATH}/.well-known/openid-configuration", self._discovery),
                Route(f"{_PATH}/keys", self._keys),
                Route(f"{_PATH}/auth", self._authorize),
                Route(f"{_PATH}/token", self._exchange, methods=["POST"]),
            ]
        )

    async def _discovery(self, _request: Request) -> Response:
        places = {
            "jwks_uri": f"{self.issuer}/keys",
            "authorization_endpoint": f"{self.issuer}/auth",
            "token_endpoint": f"{self.issuer}/token",
        }
        return JSONResponse(self._oidc.discovery() | places)

    async def _keys(self, _request: Request) -> Response:
        return JSONResponse(self.jwks())

    async def _authorize(self, request: Request) -> Response:
        asked = request.query_params
        back, state = asked.get("redirect_uri", ""), asked.get("state", "")
        if self.is_refusing:
            return RedirectResponse(f"{back}?{urlencode({'error': 'access_denied', 'state': state})}", 303)
        code = secrets.token_urlsafe(16)
        self._begun[code] = (asked.get("client_id", ""), asked.get("code_challenge", ""))
        if back == _BY_HAND:
            return PlainTextResponse(f"Enter this code: {code}\n")
        return RedirectResponse(f"{back}?{urlencode({'code': code, 'state': state})}", 303)

    async def _exchange(self, request: Request) -> Response:
        form = parse_qs((await request.body()).decode())
        client, challenge = self._begun.pop(form.get("code", [""])[0], ("", ""))
        proof = hashlib.sha256(form.get("code_verifier", [""])[0].encode()).digest()
        if not challenge or base64.urlsafe_b64encode(proof).rstrip(b"=").decode() != challenge:
            return JSONResponse({"error": "invalid_grant"}, status_code=400)
        now = int(self._now().timestamp())
        token = self._oidc.sign(
            {
                "iss": self.issuer,
                "sub": f"person-{self.mail}",
                "aud": client,
                "iat": now,
                "exp": now + _TOKEN_SECONDS,
                "email": self.mail,
                "email_verified": True,
            }
        )
        return JSONResponse({"access_token": token, "id_token": token, "token_type": "bearer"})
