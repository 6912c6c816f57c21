"""Several HTTP origins on loopback, served by one thread."""

from __future__ import annotations

import asyncio
import socket
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from pip_warden.sandbox.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from starlette.types import ASGIApp

TRANSPORT = "sandbox.transport"
"""Key in ``scope["state"]`` under which an application finds the connection, for faults below HTTP."""

HOST = "127.0.0.1"


class _Connection(H11Protocol):
    """Serve HTTP/1.1 by h11, give the application its connection, and close idle connections on shutdown."""

    # The parameter's type is uvicorn's.
    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.app_state = {**self.app_state, TRANSPORT: transport}

    def shutdown(self) -> None:
        cycle: RequestResponseCycle | None = self.cycle  # uvicorn declares no None, but starts with it
        if cycle is None or cycle.response_complete:
            self.transport.abort()  # close() on TLS waits up to 30 s for a peer that is not reading
        else:
            cycle.keep_alive = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Tls:
    """The files of a server's certificate chain and key (PEM)."""

    certificate: Path
    key: Path


class Origins:
    """Listen on one port per origin; ports are known before the applications exist, which can name them.

    Args:
        host: The host in their URLs, a name of `HOST`.
    """

    def __init__(self, host: str = HOST) -> None:
        self._host = host
        self._sockets: dict[str, socket.socket] = {}
        self._tls: dict[str, Tls] = {}
        self._servers: list[uvicorn.Server] = []
        self._thread: threading.Thread | None = None
        self._failure: BaseException | None = None

    def bind(self, name: str, *, port: int = 0, tls: Tls | None = None) -> str:
        """Take a port (0: any) for an origin and return its URL, without a slash at its end.

        Raises:
            SandboxError: The port is taken.
        """
        # asyncio turns Nagle off only for sockets declared as TCP; with Nagle every response would wait 40 ms
        # for an acknowledgement.
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
            listener.listen(128)  # connections queue until the thread runs, so no client has to wait for it
        except OSError as err:
            listener.close()
            msg = f"cannot listen on {HOST}:{port} for the origin {name!r}: {err}"
            raise SandboxError(msg) from err
        self._sockets[name] = listener
        if tls is not None:
            self._tls[name] = tls
        scheme = "http" if tls is None else "https"
        return f"{scheme}://{self._host}:{listener.getsockname()[1]}"

    def start(self, apps: Mapping[str, ASGIApp]) -> None:
        """Serve one application per origin until `stop`."""
        pairs = [(self._server(name, app), self._sockets[name]) for name, app in apps.items()]
        self._servers = [server for server, _ in pairs]
        self._thread = threading.Thread(target=self._run, args=(pairs,), name="sandbox", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End all servers and wait for them.

        Raises:
            SandboxError: The serving thread had died of an error.
        """
        for server in self._servers:
            server.should_exit = True
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        for listener in self._sockets.values():
            listener.close()
        if self._failure is not None:
            failure, self._failure = self._failure, None
            msg = "the sandbox's servers ended by themselves"
            raise SandboxError(msg) from failure

    def _server(self, name: str, app: ASGIApp) -> uvicorn.Server:
        tls = self._tls.get(name)
        return uvicorn.Server(
            uvicorn.Config(
                app,
                http=_Connection,
                ws="none",
                loop="asyncio",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=30,
                timeout_graceful_shutdown=2,
                ssl_certfile=tls.certificate if tls else None,
                ssl_keyfile=tls.key if tls else None,
            )
        )

    def _run(self, pairs: list[tuple[uvicorn.Server, socket.socket]]) -> None:
        try:
            asyncio.run(_serve(pairs))
        except BaseException as err:  # noqa: BLE001 - a thread has no caller: kept for stop() to raise
            self._failure = err


async def _serve(pairs: list[tuple[uvicorn.Server, socket.socket]]) -> None:
    await asyncio.gather(*(server.serve(sockets=[listener]) for server, listener in pairs))
