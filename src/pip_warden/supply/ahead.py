"""Threads for what nobody has asked for yet, and the evidence that is requested beside its file.

Which forms of evidence a source has is learned: what one file's search asked for, in that order, is asked for
at once for the next file of the source. The search itself stays as it is, and finds some of its answers
there already.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Generic, TypeVar

from pip_warden.errors import UndecidedError
from pip_warden.measures import UNMEASURED, Measures
from pip_warden.transport.speculation import (
    Allowance,
    Speculation,
    SpeculationEndedError,
    current,
    speculating,
)

T = TypeVar("T")

_WORKERS = 16
"""As many as there are connections to one origin (:mod:`pip_warden.transport.connections`)."""

Asked = tuple[tuple[int, str, int], ...]
"""What a search asked for, in order: the number of the place, what the name has after the file's, and how
many bytes it may have.
"""


class Background:
    """Does work ahead. Safe to use from several threads.

    Args:
        allowance: What all guesses together may spend.
    """

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="ahead")
        self._lock = threading.Lock()
        self._is_closed = False
        self._guesses: set[Speculation] = set()

    def close(self, *, wait: bool) -> None:
        """Give up what nobody asked for; with ``wait``, wait until it has ended."""
        with self._lock:
            self._is_closed = True
            guesses = tuple(self._guesses)
        for guess in guesses:
            guess.end()
        self._pool.shutdown(wait=wait, cancel_futures=True)

    def submit(self, work: Callable[[], object]) -> None:
        """Do some work, unless this is closed; what it raises is lost."""
        with suppress(RuntimeError):
            self._pool.submit(work)

    def speculate(self, work: Callable[[Speculation], T]) -> T:
        """Do work in this thread whose requests are a guess.

        Raises:
            SpeculationEndedError: This is closed, or no guess may be made now.
            BaseException: What the work raised.
        """
        guess = Speculation(self._allowance)
        with self._lock:
            if self._is_closed or not self._allowance.is_open:
                raise SpeculationEndedError
            self._guesses.add(guess)
        try:
            with speculating(guess):
                return work(guess)
        finally:
            with self._lock:
                self._guesses.discard(guess)

    def start(self, fetch: Callable[[], T]) -> Promise[T] | None:
        """Start to fetch something that will probably be asked for; None where this is closed."""
        promise = Promise(fetch)
        try:
            promise.future = self._pool.submit(self.speculate, promise.keep)
        except RuntimeError:
            return None
        return promise


class Promise(Generic[T]):
    """Something that is being fetched before anybody asks for it."""

    future: Future[T]

    def __init__(self, fetch: Callable[[], T]) -> None:
        self._fetch = fetch
        self._guess: Speculation | None = None

    def keep(self, guess: Speculation) -> T:
        """Fetch it, as a part of a guess."""
        self._guess = guess
        return self._fetch()

    def take(self) -> T:
        """Return it. What was not begun, or came to nothing, is fetched now.

        Raises:
            BaseException: What fetching it raised.
        """
        if self.future.cancel():
            return self._fetch()
        asking = current()
        if self._guess is not None and (asking is None or asking.is_asked):
            self._guess.ask()
        try:
            return self.future.result()
        except UndecidedError:
            if self._guess is not None and self._guess.is_request:
                raise
            return self._fetch()
        except (SpeculationEndedError, CancelledError):
            return self._fetch()


class EvidenceAhead:
    """Evidence that is requested before its turn, each item at most once.

    Args:
        measures: Told how long it takes.
    """

    def __init__(self, measures: Measures = UNMEASURED) -> None:
        self._measures = measures
        self._lock = threading.Lock()
        self._promises: dict[Hashable, Promise[bytes | None]] = {}
        self._searches: dict[str, deque[Asked]] = {}

    def usual(self, source: str) -> Asked:
        """Return what the searches in a source ask for: the shorter of the last two."""
        with self._lock:
            return min(self._searches.get(source, ()), key=len, default=())

    def learn(self, source: str, asked: Asked) -> None:
        """Remember what a search asked for."""
        with self._lock:
            self._searches.setdefault(source, deque(maxlen=2)).append(asked)

    def start(self, key: Hashable, fetch: Callable[[], bytes | None], background: Background) -> None:
        """Start to fetch an item."""

        def measured() -> bytes | None:
            with self._measures.phase("evidence", "before its turn"):
                return fetch()

        promise = background.start(measured)
        if promise is not None:
            with self._lock:
                self._promises[key] = promise

    def take(self, key: Hashable, fetch: Callable[[], bytes | None]) -> bytes | None:
        """Return an item, which may be under way.

        Raises:
            UndecidedError: The request failed.
        """
        with self._lock:
            promise = self._promises.pop(key, None)
        return fetch() if promise is None else promise.take()
