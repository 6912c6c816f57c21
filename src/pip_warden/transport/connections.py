"""requests, restricted: no cookies, no environment, no redirects of its own."""

from __future__ import annotations

import socket
import ssl
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from pip_warden.transport.watchdog import watch_socket

_POOL = 16


def open_session(context: ssl.SSLContext | None) -> requests.Session:
    """Return a session that is safe to share between threads as long as it is not changed.

    Args:
        context: The user's certificate authorities, None for the usual ones.
    """
    session = _Session()
    session.trust_env = False
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    session.mount("https://", _Adapter(context))
    session.mount("http://", _Adapter(None))
    return session


class _Session(requests.Session):
    """A session that never follows a redirect."""

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002
        return None


class _Watched(HTTPConnection):
    """A connection that is watched from its beginning: before a proxy responds, and before the TLS handshake.

    urllib3 sets ``sock`` as soon as there is a connection, and again once TLS is established.
    """

    _sock: socket.socket | None

    @property
    def sock(self) -> socket.socket | None:
        return self._sock

    @sock.setter
    def sock(self, sock: socket.socket | None) -> None:
        self._sock = sock
        self._follow()

    def request(self, *args: Any, **kwargs: Any) -> None:
        # It may have served another request before.
        self._follow()
        super().request(*args, **kwargs)

    def _follow(self) -> None:
        if self._sock is not None:
            watch_socket(self._sock.fileno())


class _WatchedTLS(_Watched, HTTPSConnection):
    """The same with TLS."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Watched


class _PoolTLS(HTTPSConnectionPool):
    ConnectionCls = _WatchedTLS


_POOLS: dict[str, type[HTTPConnectionPool]] = {"http": _Pool, "https": _PoolTLS}


class _Adapter(HTTPAdapter):
    """Watched connections, which trust the user's certificate authority besides those of ``verify``."""

    def __init__(self, context: ssl.SSLContext | None) -> None:
        self._extra = {} if context is None else {"ssl_context": context}
        super().__init__(pool_connections=_POOL, pool_maxsize=_POOL)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: object) -> None:
        super().init_poolmanager(connections, maxsize, block, **{**kwargs, **self._extra})
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: object) -> Any:
        manager = super().proxy_manager_for(proxy, **{**kwargs, **self._extra})
        manager.pool_classes_by_scheme = _POOLS
        return manager
