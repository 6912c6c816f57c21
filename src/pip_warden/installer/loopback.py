"""Listens on the loopback interface, and has each connection served by a thread of its own.

An installer has one or two, and waits for an answer before it asks again. What is on a connection is
:mod:`~pip_warden.installer.connection`'s, and what an answer says :mod:`~pip_warden.installer.server`'s.
"""

from __future__ import annotations

import logging
import selectors
import socket
import threading
from typing import Protocol

from pip_warden.installer.connection import Connection, Request, Response
from pip_warden.installer.gate_port import GatePort
from pip_warden.installer.tunnel import Tunnel

_MOST = 256
"""Connections at once: uv has fifty to each registry, pip two."""

_ANSWERS_AT_ONCE = 16
_AGAIN = 0.02
"""Seconds until a connection that could not be accepted is tried again."""

_LONGEST_WAIT = 5.0
"""Seconds to wait for a thread to end that has nothing left to do."""


class Handler(Protocol):
    """Who the requests are for. Each method is called from several threads."""

    def knows(self, request: Request) -> bool:
        """Return whether a request is one of the run's."""

    def carried(self, size: int) -> None:
        """Count bytes of an answer's content, before they are sent."""

    def answer(self, request: Request, body: bytes) -> Response:
        """Answer a request. A body that is longer than was agreed is only its beginning."""

    def tunnel(self, request: Request) -> Response | Tunnel:
        """Answer one of the run's requests for a tunnel, or let it in."""


class Listener:
    """Accepts the connections of a place.

    Args:
        place: Where it is; closed at the end.
        handler: Who the requests are for.
        longest_body: Bytes of a request's body.
    """

    def __init__(self, place: GatePort, handler: Handler, *, longest_body: int) -> None:
        self._place = place
        self._handler = handler
        self._longest_body = longest_body
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._turns = threading.BoundedSemaphore(_ANSWERS_AT_ONCE)
        self._open: dict[Connection, threading.Thread] = {}
        self._wake, self._woken = socket.socketpair()
        self._thread = threading.Thread(target=self._listen, name="loopback-index", daemon=True)

    def start(self) -> None:
        """Begin to accept."""
        self._thread.start()

    def end(self) -> None:
        """Stop listening and drop every connection. What is being answered is not waited for.

        What a client had to say of the run's certificate is: it may have ended for that.
        """
        with self._lock:
            self._ended.set()
            entering = [thread for connection, thread in self._open.items() if connection.is_entering]
            for connection in self._open:
                connection.abort()
        for thread in entering:
            thread.join(_LONGEST_WAIT)
        # The listening socket is not shut down: another process holds it, so that the port stays taken.
        self._wake.close()
        self._thread.join(_LONGEST_WAIT)
        self._place.close()
        self._woken.close()

    def _listen(self) -> None:
        while not self._ended.is_set():
            for listening in self._called():
                try:
                    stream, _ = listening.accept()
                except OSError:
                    # The client has gone again, or too many files are open: some will be closed.
                    self._ended.wait(_AGAIN)
                else:
                    self._take(stream)

    def _called(self) -> list[socket.socket]:
        """Wait for clients, news or the end, and return the sockets that clients wait at."""
        with selectors.PollSelector() as selector:
            for waited in (*self._place.sockets, self._place.news, self._woken):
                selector.register(waited, selectors.EVENT_READ)
            ready = {key.fileobj for key, _ in selector.select()}
        if self._place.news in ready:
            self._place.news.recv(64)
        return [listening for listening in self._place.sockets if listening in ready]

    def _take(self, stream: socket.socket) -> None:
        handler = self._handler
        connection = Connection(
            stream,
            knows=handler.knows,
            answer=self._answer,
            tunnel=handler.tunnel,
            longest_body=self._longest_body,
            carried=handler.carried,
        )
        thread = threading.Thread(target=self._serve, args=(connection,), name="loopback-answer", daemon=True)
        with self._lock:
            if self._ended.is_set() or not self._has_room():
                stream.close()
                return
            self._open[connection] = thread
        try:
            thread.start()
        except RuntimeError:  # there may be no more threads
            self._release(connection)

    def _has_room(self) -> bool:
        """Make room for one more: a stranger who holds many connections must not shut the installer out."""
        if len(self._open) < _MOST:
            return True
        stranger = next((connection for connection in self._open if not connection.is_known), None)
        if stranger is None:
            return False
        stranger.abort()
        del self._open[stranger]
        return True

    def _serve(self, connection: Connection) -> None:
        try:
            connection.serve()
        finally:
            self._release(connection)

    def _release(self, connection: Connection) -> None:
        # Under the lock, so that nobody aborts what gets this one's descriptor next.
        with self._lock:
            self._open.pop(connection, None)
            connection.close()

    def _answer(self, request: Request, body: bytes) -> Response:
        with self._turns:
            if self._ended.is_set():
                raise ConnectionAbortedError("the run has ended")
            try:
                return self._handler.answer(request, body)
            except Exception:  # its client is told; what it means for the run, the handler knows
                if not self._ended.is_set():
                    logging.getLogger(__name__).exception("a request could not be answered")
                return Response(status=500, media_type="text/plain; charset=utf-8")
