"""Does a piece of work once in a run, however many threads need it, and perhaps before any of them does."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from typing import Generic, TypeVar

from pip_warden.transport.speculation import Speculation

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class _DroppedError(Exception):
    """Work that was done ahead came to nothing: whoever needs it does it again."""


class _Piece(Generic[T]):
    """A piece of work: what is known of it, or will be; and the guess that it is as long as nobody asks."""

    def __init__(self, guess: Speculation | None) -> None:
        self.future: Future[T] = Future()
        self.guess = guess


class Once(Generic[K, T]):
    """Remembers the result of each piece of work, or its exception. Safe to use from several threads.

    What fails ahead is forgotten: nobody asked for it then, and whoever asks for it later gets what comes of
    his own asking. What is tried again for somebody who waits, and fails then too, has failed.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[K, _Piece[T]] = {}

    def do(self, key: K, work: Callable[[], T]) -> T:
        """Return the result of the work for a key. The first caller does it; the others wait for that.

        Raises:
            BaseException: What the work raised, for every caller.
        """
        while True:
            piece, is_mine = self._piece(key, None)
            if is_mine:
                return _done(piece, work)
            if piece.guess is not None:
                piece.guess.ask()
            try:
                return piece.future.result()
            except _DroppedError:
                continue

    def ahead(
        self, key: K, work: Callable[[], T], guess: Speculation, *, is_good: Callable[[T], bool]
    ) -> T | None:
        """Do a piece of work that nobody has asked for, and remember the result if it is good.

        Where somebody asks meanwhile, what comes of a try that is begun after that is remembered as well.

        Args:
            key: What it is.
            work: Does it; what it raises is raised, and forgotten then.
            guess: What the requests of this thread are part of.
            is_good: Whether a result is worth being remembered.

        Returns:
            The result; None where it came to nothing.
        """
        piece, is_mine = self._piece(key, guess)
        if not is_mine:
            found = _result(piece)
            return found if found is not None and is_good(found) else None
        try:
            found = work()
            result = found if is_good(found) else None
        except BaseException as err:
            self._fail(key, piece, err if guess.is_request else _DroppedError())
            raise
        if result is not None or guess.is_request:
            piece.future.set_result(found)
        else:
            self._fail(key, piece, _DroppedError())
        return result

    def _piece(self, key: K, guess: Speculation | None) -> tuple[_Piece[T], bool]:
        with self._lock:
            known = self._known.get(key)
            if known is not None:
                return known, False
            mine = self._known[key] = _Piece(guess)
            return mine, True

    def _fail(self, key: K, piece: _Piece[T], error: BaseException) -> None:
        if isinstance(error, _DroppedError):
            with self._lock:
                del self._known[key]
        piece.future.set_exception(error)


def _result(piece: _Piece[T]) -> T | None:
    """Wait for a piece of work of somebody else's; None where it failed."""
    return None if piece.future.exception() is not None else piece.future.result()


def _done(piece: _Piece[T], work: Callable[[], T]) -> T:
    try:
        piece.future.set_result(work())
    except BaseException as err:
        piece.future.set_exception(err)
        raise
    return piece.future.result()
