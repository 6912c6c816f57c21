"""Does a piece of work once in a run, however many threads need it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class Once(Generic[K, T]):
    """Remembers the result of each piece of work, or its exception. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[K, Future[T]] = {}

    def do(self, key: K, work: Callable[[], T]) -> T:
        """Return the result of the work for a key. The first caller does it; the others wait for that.

        Raises:
            BaseException: What the work raised, for every caller.
        """
        with self._lock:
            known = self._known.get(key)
            mine: Future[T] = Future() if known is None else known
            self._known[key] = mine
        if known is None:
            try:
                mine.set_result(work())
            except BaseException as err:
                mine.set_exception(err)
                raise
        return mine.result()
