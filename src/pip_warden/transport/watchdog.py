"""Deadlines that a server cannot evade: when one passes, the connection is shut down.

Each read succeeds within its timeout while a server drips: endless ``100 Continue``, headers, chunk
extensions, trailers, the records of a TLS handshake. The libraries below read on through all of that without
a look at the time, so another thread watches it.
"""

from __future__ import annotations

import contextlib
import math
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from pip_warden.transport.retry import Clock


class Watch:
    """One request with its redirects, and the connection that it uses at the moment."""

    def __init__(self, moment: float) -> None:
        self.moment = moment
        self._is_over = False
        self._line: socket.socket | None = None
        self._lock = threading.Lock()

    @property
    def is_over(self) -> bool:
        """Whether the deadline passed during the request. What was read until then may end anywhere."""
        return self._is_over

    def follow(self, number: int) -> None:
        """Watch the connection with a file descriptor from now on.

        A duplicate is kept: TLS detaches the descriptor from the socket below, and after a server's
        ``Connection: close`` the connection releases it before the body is read.

        Raises:
            OSError: It cannot be duplicated.
        """
        line = socket.socket(fileno=os.dup(number))
        with self._lock:
            self._let_go()
            self._line = line
            if self._is_over:
                self._shut_down()

    def end(self) -> None:
        """Stop watching the connection."""
        with self._lock:
            self._let_go()

    def expire(self) -> None:
        """Shut the connection down: a thread that reads from it gets the end of the stream."""
        with self._lock:
            self._is_over = True
            self._shut_down()

    def _let_go(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    def _shut_down(self) -> None:
        if self._line is not None:
            with contextlib.suppress(OSError):  # closed by the other side already
                self._line.shutdown(socket.SHUT_RDWR)


_CURRENT: ContextVar[Watch | None] = ContextVar("watch", default=None)
"""The watch of this thread's request; connections are made deep in libraries, in the same thread."""


def watch_socket(number: int) -> None:
    """Watch this thread's request on the connection with this file descriptor.

    Raises:
        OSError: It cannot be duplicated.
    """
    watch = _CURRENT.get()
    if watch is not None:
        watch.follow(number)


class Watchdog:
    """Ends requests at their deadline. One thread, started at the first request."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._watches: set[Watch] = set()
        self._wakes = 0.0
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def close(self) -> None:
        """End the thread as soon as no request is left."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()

    @contextmanager
    def watching(self, moment: float) -> Iterator[Watch]:
        """Watch this thread's request until a moment on the clock's ``monotonic``."""
        watch = Watch(moment)
        self._add(watch)
        token = _CURRENT.set(watch)
        try:
            yield watch
        finally:
            _CURRENT.reset(token)
            self._remove(watch)

    def _add(self, watch: Watch) -> None:
        with self._changed:
            self._watches.add(watch)
            if self._thread is None or not self._thread.is_alive():
                thread = threading.Thread(target=self._run, name="deadlines", daemon=True)
                thread.start()
                self._thread = thread
            elif watch.moment < self._wakes:
                self._changed.notify()

    def _remove(self, watch: Watch) -> None:
        with self._changed:
            self._watches.discard(watch)
            if self._is_closed:
                self._changed.notify()
        watch.end()

    def _run(self) -> None:
        with self._changed:
            while self._watches or not self._is_closed:
                now = self._clock.monotonic()
                for watch in [watch for watch in self._watches if watch.moment <= now]:
                    self._watches.discard(watch)
                    watch.expire()
                self._wakes = min((watch.moment for watch in self._watches), default=math.inf)
                self._clock.wait(self._changed, self._wakes)
            self._thread = None
