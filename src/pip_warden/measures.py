"""What a run costs: how often, how many bytes, how long. Nothing of it decides anything.

What a session works with carries one :class:`Measures`, whose methods do nothing. Whoever wants to know
passes a :class:`Recorder`, which counts, and reads :meth:`Recorder.measured` in the end.

A phase may be within another of the same thread: its time is its own, and not the outer one's too. Phases of
several threads overlap, so their sum may be more than the run's time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import Literal, TypeVar, get_args

from pip_warden.values import dataclass, field

T = TypeVar("T")

CounterName = Literal[
    "requests",
    "not_found",
    "bytes_received",
    "bytes_sent",
    "files_judged",
    "files_from_cache",
    "files_fetched",
    "bundles_proved",
    "bytes_written",
    "bytes_hashed",
]
"""What is counted; ``docs/measures.md`` says what each of them means."""

PhaseName = Literal[
    "start",
    "pip",
    "answer",
    "page",
    "fetch",
    "inspect",
    "cache",
    "evidence",
    "prove",
    "seal",
    "hand_over",
    "reconcile",
    "report",
]
"""What takes time; ``docs/measures.md`` says what each of them is."""

COUNTERS: tuple[CounterName, ...] = get_args(CounterName)
PHASES: tuple[PhaseName, ...] = get_args(PhaseName)

ASKED = "asked"
"""The kind of event that is a moment: what the installer asked for."""

_MOST_EVENTS = 100_000
"""Events of a trace: a run of some ten thousand files, in fifty megabytes."""


class Exchange:
    """A request and its response, as far as is known.

    Attributes:
        status: HTTP status; None while there is no response.
        received: Bytes of the response's body that have arrived, as they were sent.
    """

    __slots__ = ("received", "status")

    def __init__(self) -> None:
        self.status: int | None = None
        self.received = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Something that happened, for a trace. Times are nanoseconds since the recorder was made.

    Attributes:
        kind: A phase, ``request`` or :data:`ASKED`.
        subject: What it was about: foreign text, without secrets.
        start: When it began.
        end: When it ended, or, if it had not, when this was asked for; None for a moment.
        thread: The system's number of the thread.
        thread_name: Its name.
        details: What else is known.
    """

    kind: str
    subject: str
    start: int
    end: int | None
    thread: int
    thread_name: str
    details: tuple[tuple[str, str | int], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Measured:
    """What was measured so far.

    Attributes:
        counts: Every counter.
        phases: Nanoseconds spent in each phase, of all threads together.
        total: Nanoseconds since the recorder was made.
        events: What happened, in the order of its beginning; empty where no trace was wanted.
        dropped: Events that were too many to be kept.
    """

    counts: Mapping[CounterName, int] = field(hash=False)
    phases: Mapping[PhaseName, int] = field(hash=False)
    total: int
    events: tuple[Event, ...] = ()
    dropped: int = 0


class Measures:
    """Measures nothing. Every method may be called from any thread."""

    def count(self, name: CounterName, number: int = 1) -> None:
        """Add to a counter."""

    def phase(self, name: PhaseName, subject: object = "") -> AbstractContextManager[object]:  # noqa: ARG002
        """Return a context manager that measures how long its block takes.

        Args:
            name: What is done in the block.
            subject: What it is done with, as ``str`` shows it; never a secret.
        """
        return nullcontext()

    def request(self, method: str, url: str) -> AbstractContextManager[Exchange]:  # noqa: ARG002
        """Return a context manager for one request, tries and redirects included; its block notes the answer.

        Args:
            method: The method.
            url: The URL, without user, query and fragment.
        """
        return nullcontext(Exchange())

    def asked(self, what: object) -> None:
        """Note what the installer asks for now, as ``str`` shows it; never a secret."""

    def each(self, name: PhaseName, subject: object, find: Callable[[], Iterable[T]]) -> Iterator[T]:
        """Yield what is found one by one; finding each is a phase, and what the caller does between is not.

        Args:
            name: The phase.
            subject: As for :meth:`phase`.
            find: Called when the first is wanted.
        """
        with self.phase(name, subject):
            found = iter(find())
        while True:
            with self.phase(name, subject):
                try:
                    item = next(found)
                except StopIteration:
                    return
            yield item


UNMEASURED = Measures()
"""Measures nothing."""


class _Nested(threading.local):
    """Nanoseconds spent in phases within the present one of a thread."""

    spent = 0


class Recorder(Measures):
    """Counts, adds up how long phases took, and keeps what happened if a trace is wanted.

    Args:
        traced: Whether to keep events.
        clock: Nanoseconds that only grow.
    """

    def __init__(self, *, traced: bool = False, clock: Callable[[], int] = time.monotonic_ns) -> None:
        self._traced = traced
        self._clock = clock
        self._began = clock()
        self._lock = threading.Lock()
        self._nested = _Nested()
        self._counts: dict[CounterName, int] = dict.fromkeys(COUNTERS, 0)
        self._phases: dict[PhaseName, int] = dict.fromkeys(PHASES, 0)
        # In the order of their beginning: viewers want the outer of two that begin together first.
        self._events: dict[object, Event] = {}
        self._dropped = 0

    def count(self, name: CounterName, number: int = 1) -> None:
        """Add to a counter."""
        with self._lock:
            self._counts[name] += number

    @contextmanager
    def phase(self, name: PhaseName, subject: object = "") -> Iterator[None]:
        """Measure how long a block takes, without the phases within it."""
        outer, self._nested.spent = self._nested.spent, 0
        token, start = self._open(name, str(subject))
        try:
            yield
        finally:
            end = self._close(token)
            own = end - start - self._nested.spent
            self._nested.spent = outer + end - start
            with self._lock:
                self._phases[name] += own

    @contextmanager
    def request(self, method: str, url: str) -> Iterator[Exchange]:
        """Count a request and what has arrived by the end of the block."""
        exchange = Exchange()
        self.count("requests")
        token, _ = self._open("request", url, ("method", method))
        try:
            yield exchange
        finally:
            status = () if exchange.status is None else (("status", exchange.status),)
            self._close(token, *status, ("bytes", exchange.received))
            self.count("bytes_received", exchange.received)
            self.count("not_found", int(exchange.status == 404))

    def asked(self, what: object) -> None:
        """Keep what the installer asks for."""
        self._open(ASKED, str(what))

    def measured(self) -> Measured:
        """Return what was measured so far; a phase that has not ended takes no time yet, but has an event."""
        with self._lock:
            now = self._now()
            events = [
                replace(event, end=now) if event.end is None and event.kind != ASKED else event
                for event in self._events.values()
            ]
            return Measured(
                counts=dict(self._counts),
                phases=dict(self._phases),
                total=now,
                events=tuple(sorted(events, key=lambda event: event.start)),
                dropped=self._dropped,
            )

    def _now(self) -> int:
        return self._clock() - self._began

    def _open(self, kind: str, subject: str, *details: tuple[str, str | int]) -> tuple[object, int]:
        """Begin an event; return what ends it, and when it began."""
        token, start = object(), self._now()
        if self._traced:
            event = Event(
                kind=kind,
                subject=subject,
                start=start,
                end=None,
                thread=threading.get_native_id(),
                thread_name=threading.current_thread().name,
                details=details,
            )
            with self._lock:
                if len(self._events) < _MOST_EVENTS:
                    self._events[token] = event
                else:
                    self._dropped += 1
        return token, start

    def _close(self, token: object, *details: tuple[str, str | int]) -> int:
        """End an event, and return when that was."""
        end = self._now()
        with self._lock:
            event = self._events.get(token)
            if event is not None:
                self._events[token] = replace(event, end=end, details=(*event.details, *details))
        return end
