"""Calls of the sigstore library under a deadline: it talks to servers itself, and has none of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from queue import SimpleQueue
from types import TracebackType
from typing import Self, TypeVar

T = TypeVar("T")
_Inbox = SimpleQueue[Callable[[], Callable[[], None]] | None]


class DeadlineError(Exception):
    """The call did not end in time; its thread keeps running."""


class Threads:
    """Threads for calls, each kept for a later call, as the library keeps its connections by thread.

    They are daemons, so that a server that does not answer cannot keep the process. To be used in a ``with``
    statement, in the end of which they end as soon as they are idle. Safe to use from several threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[_Inbox] = []
        self._closed = False

    def __enter__(self) -> Self:
        """Return the threads."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Have each thread end once it is idle."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for inbox in idle:
            inbox.put(None)

    def begin(self, call: Callable[[], T]) -> Future[T]:
        """Begin a call in a thread of its own: the one that was idle last, or a new one.

        Args:
            call: What to call.
        """
        future: Future[T] = Future()

        def work() -> Callable[[], None]:
            try:
                result = call()
            except BaseException as err:  # noqa: BLE001 -- raised again for whoever waits for the result
                return lambda err=err: future.set_exception(err)  # type: ignore[misc]
            return lambda: future.set_result(result)

        self._inbox().put(work)
        return future

    def within(self, seconds: float, call: Callable[[], T]) -> T:
        """Make a call and return its result, so that a hanging server cannot block the caller.

        Args:
            seconds: How long to wait.
            call: A call of the library.

        Raises:
            DeadlineError: It has not ended in time.
            Exception: Whatever the call raised.
        """
        future = self.begin(call)
        if wait((future,), seconds).not_done:
            raise DeadlineError(f"no answer within {seconds:g} seconds")
        return future.result()

    def _inbox(self) -> _Inbox:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        inbox: _Inbox = SimpleQueue()
        threading.Thread(target=self._serve, args=(inbox,), name="sigstore", daemon=True).start()
        return inbox

    def _serve(self, inbox: _Inbox) -> None:
        """Make one call after the other; idle again before the result is told, which may bring the next."""
        while (work := inbox.get()) is not None:
            tell = work()
            with self._lock:
                closed = self._closed
                if not closed:
                    self._idle.append(inbox)
            tell()
            if closed:
                return


def within(seconds: float, call: Callable[[], T]) -> T:
    """Make one call as :meth:`Threads.within` does.

    Raises:
        DeadlineError: It has not ended in time.
        Exception: Whatever the call raised.
    """
    with Threads() as threads:
        return threads.within(seconds, call)
