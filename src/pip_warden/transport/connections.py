"""requests, tamed: no cookies, no environment, no redirects of its own."""

from __future__ import annotations

import ssl
from http.cookiejar import DefaultCookiePolicy

import requests
from requests.adapters import HTTPAdapter

_POOL = 16


def open_session(context: ssl.SSLContext | None) -> requests.Session:
    """Return a session that is safe to share between threads as long as nobody changes it.

    Args:
        context: Certificate authorities of the user's, None for the usual ones.
    """
    session = _Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.mount("https://", _Adapter(context))
    session.mount("http://", HTTPAdapter(pool_connections=_POOL, pool_maxsize=_POOL))
    return session


class _Session(requests.Session):
    """A session that never looks at a redirect."""

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002
        return None


class _Adapter(HTTPAdapter):
    """Connections that trust a certificate authority of the user's, beside those that ``verify`` names."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self._extra = {} if context is None else {"ssl_context": context}
        super().__init__(pool_connections=_POOL, pool_maxsize=_POOL)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: object) -> None:
        super().init_poolmanager(connections, maxsize, block, **{**kwargs, **self._extra})

    def proxy_manager_for(self, proxy: str, **kwargs: object) -> object:
        return super().proxy_manager_for(proxy, **{**kwargs, **self._extra})
