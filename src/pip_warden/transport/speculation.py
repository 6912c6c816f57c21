"""Requests that nobody has asked for yet: bounded, tried once, and given up when they are in the way.

A guess may be wrong, so it must cost little: a server that is busy or limits requests gets none for a while,
and all guesses of a run share one budget of bytes. What a request is made for is known by the thread that
makes it; as soon as somebody asks for that, it is a request like any other.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from pip_warden.transport.retry import Clock
from pip_warden.transport.watchdog import Watch

LARGEST_GUESSES = 256 << 20
"""Bytes that are fetched ahead at most, as long as nobody has asked for them."""

_FEW_LEFT = 20
"""Requests that a server still allows (``RateLimit-Remaining``) under which none is spent on guesses."""

_PAUSE = 60.0
"""Seconds without guesses after a server limited requests, unless it names another time."""

_LONGEST_PAUSE = 3600.0


class SpeculationEndedError(Exception):
    """A request ahead was given up; nobody asked for it, so it is no failure."""


class Allowance:
    """What guesses may still spend in a run. Safe to use from several threads.

    Args:
        clock: Where time comes from.
        max_bytes: Bytes of the answers that nobody asked for.
    """

    def __init__(self, clock: Clock | None = None, *, max_bytes: int = LARGEST_GUESSES) -> None:
        self._clock = clock or Clock()
        self._lock = threading.Lock()
        self._left = max_bytes
        self._from = 0.0

    @property
    def is_open(self) -> bool:
        """Whether a guess may be made now."""
        with self._lock:
            return self._left > 0 and self._clock.monotonic() >= self._from

    def spend(self, size: int) -> bool:
        """Count bytes, and return whether there is anything left."""
        with self._lock:
            self._left -= size
            return self._left > 0

    def give_back(self, size: int) -> None:
        """Somebody asked for these bytes after all."""
        with self._lock:
            self._left += size

    def hear(self, status: int, headers: Mapping[str, str]) -> None:
        """Pause where a response says that requests are limited, or will soon be.

        ``RateLimit-Remaining`` and ``RateLimit-Reset`` as GitLab sends them (the latter in seconds since the
        epoch), ``Retry-After`` as in RFC 9110.
        """
        left = headers.get("RateLimit-Remaining", "").strip()
        is_low = left.isascii() and left.isdecimal() and len(left) < 10 and int(left) < _FEW_LEFT
        if status != 429 and not is_low:
            return
        wait = self._clock.seconds_of(headers.get("Retry-After"))
        if wait is None:
            wait = self._seconds_until(headers.get("RateLimit-Reset", "").strip())
        with self._lock:
            until = self._clock.monotonic() + min(_PAUSE if wait is None else wait, _LONGEST_PAUSE)
            self._from = max(self._from, until)

    def _seconds_until(self, reset: str) -> float | None:
        """None for a moment that has passed: the server's clock is wrong, or ours."""
        if not (reset.isascii() and reset.isdecimal() and len(reset) < 12):
            return None
        wait = int(reset) - self._clock.now()
        return wait if wait > 0 else None


class Speculation:
    """One piece of work that is done before anybody asks for it.

    Args:
        allowance: What it may spend, shared by all of a run.
    """

    def __init__(self, allowance: Allowance) -> None:
        self._allowance = allowance
        self._lock = threading.Lock()
        self._spent = 0
        self._is_asked = False
        self._is_request = False
        self._has_ended = False
        self._watches: list[Watch] = []

    @property
    def is_asked(self) -> bool:
        """Whether somebody waits for it by now."""
        return self._is_asked

    @property
    def is_request(self) -> bool:
        """Whether its last try was begun for somebody who waits: its failure is then his own."""
        return self._is_request

    def ask(self) -> None:
        """Somebody waits for it: it is no guess any more, and what it spent is given back."""
        with self._lock:
            if self._is_asked:
                return
            self._is_asked = True
            spent, self._spent = self._spent, 0
        self._allowance.give_back(spent)

    def end(self) -> None:
        """Give it up, unless somebody waits for it: its connections are shut down."""
        with self._lock:
            if self._is_asked:
                return
            self._has_ended = True
            watches = list(self._watches)
        for watch in watches:
            watch.expire()

    def follow(self, watch: Watch) -> None:
        """Shut a request down when this ends.

        Raises:
            SpeculationEndedError: It has ended, or none may be made now.
        """
        with self._lock:
            if self._has_ended or not (self._is_asked or self._allowance.is_open):
                raise SpeculationEndedError
            self._is_request = self._is_asked
            self._watches.append(watch)

    def leave(self, watch: Watch) -> None:
        """The request is over."""
        with self._lock:
            self._watches.remove(watch)

    def spend(self, size: int) -> None:
        """Count bytes that have arrived.

        Raises:
            SpeculationEndedError: There is nothing left to spend, or it has ended.
        """
        with self._lock:
            if self._is_asked:
                return
            self._spent += size
            is_over = self._has_ended
        if not self._allowance.spend(size) or is_over:
            raise SpeculationEndedError


_CURRENT: ContextVar[Speculation | None] = ContextVar("speculation", default=None)


def current() -> Speculation | None:
    """Return what this thread does ahead, None where it does what somebody asked for."""
    return _CURRENT.get()


def is_asked_for() -> bool:
    """Return whether somebody waits for what this thread does."""
    guess = current()
    return guess is None or guess.is_asked


@contextmanager
def speculating(speculation: Speculation | None) -> Iterator[None]:
    """Make every request of this thread one of a guess, or, with None, one that is asked for."""
    token = _CURRENT.set(speculation)
    try:
        yield
    finally:
        _CURRENT.reset(token)


@contextmanager
def followed(watch: Watch) -> Iterator[None]:
    """Have this thread's guess, if it makes one, end the watched request when it ends itself.

    Raises:
        SpeculationEndedError: The guess has ended, or none may be made now.
    """
    speculation = current()
    if speculation is None:
        yield
        return
    speculation.follow(watch)
    try:
        yield
    finally:
        speculation.leave(watch)
