"""Where an installer finds its index: a port and a password, which there are before there is a server."""

from __future__ import annotations

import secrets
import socket

HOST = "index.pip-warden.invalid"
"""Reserved by RFC 2606: no resolver knows it, so it can only be reached through the proxy."""

INDEX_URL = f"http://{HOST}/simple/"
USER = "pip-warden"


class GatePort:
    """A free port of 127.0.0.1. Who connects before the server is there waits for it.

    Attributes:
        password: The password, made for this run.
        socket: The listening socket; accepting from it never waits.
        sockets: That, and those that were adopted since.
        news: Can be read when another was adopted.
    """

    def __init__(self) -> None:
        self.password = secrets.token_urlsafe(24)
        self.socket = socket.socket()
        self.socket.setblocking(False)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.listen()
        self.sockets: tuple[socket.socket, ...] = (self.socket,)
        self._told, self.news = socket.socketpair()

    @property
    def port(self) -> int:
        """Return the port's number."""
        return int(self.socket.getsockname()[1])

    def adopt(self, listening: socket.socket) -> None:
        """Have who connects to another listening socket served too.

        It is closed with the place.
        """
        listening.setblocking(False)
        self.sockets = (*self.sockets, listening)
        self._told.send(b"!")

    @property
    def proxy_url(self) -> str:
        """Return the proxy URL for the child's environment: a secret of this run."""
        return f"http://{USER}:{self.password}@127.0.0.1:{self.port}"

    def fileno(self) -> int:
        """Return the descriptor of the listening socket: a process that inherits it holds the port."""
        return self.socket.fileno()

    def close(self) -> None:
        """Stop listening."""
        for one in (*self.sockets, self._told, self.news):
            one.close()
