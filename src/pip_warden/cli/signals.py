"""How a signal ends a run: once, and in order, so that no child and no workspace is left."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_NUDGE = signal.SIGURG
"""Interrupts a system call, and is ignored by whoever does not listen to it."""

_AGAIN = 0.02
"""Seconds for a signal to be heard before the main thread is nudged."""

_LONGEST_WAIT = 60.0
"""Seconds for a run to end in order; the supervisor of a child has ten of them."""


def show_no_interrupt() -> None:
    """Have Ctrl-C end the process as SIGTERM does, without a traceback, before a run and after it."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


class SignalledError(BaseException):
    """The run was told to end. No ``Exception``: nothing on the way may take it for a failure of its own.

    Attributes:
        number: The signal.
        exit_code: What a shell says of a program that the signal ended.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number
        self.exit_code = 128 + number

    def __str__(self) -> str:
        return f"ended by {signal.Signals(self.number).name}"


class _RunState:
    """The signals of a run; only the main thread changes it, where Python runs the handlers of signals."""

    def __init__(self) -> None:
        self.heard: int | None = None
        self.held = 0
        self.ending = threading.Event()
        self.over = threading.Event()

    def hear(self, number: int, frame: FrameType | None) -> None:
        """Take the first signal. From then on the run is ending, and a second one changes nothing."""
        if self.heard is None:
            self.heard = number
            self.end(number, frame)

    def end(self, _number: int, frame: FrameType | None) -> None:
        """Raise what ends the run, once, if a signal was heard and nothing stands against it now."""
        if self.heard is None or self.held or self.ending.is_set() or _is_importing(frame):
            return
        self.ending.set()
        raise _ending_by(self.heard)


_run_state = _RunState()


def _ending_by(number: int) -> BaseException:
    return KeyboardInterrupt() if number == signal.SIGINT else SignalledError(number)


def what_ended_the_run() -> BaseException | None:
    """Return what a signal has ended the present run with, None where none has."""
    if _run_state.heard is None or not _run_state.ending.is_set() or _run_state.over.is_set():
        return None
    return _ending_by(_run_state.heard)


@contextmanager
def ended_in_order() -> Iterator[None]:
    """Let SIGTERM and SIGHUP raise :class:`SignalledError` in the main thread, and SIGINT KeyboardInterrupt.

    No second one is raised after the first. What is ignored stays so: nohup ignores SIGHUP, and a shell
    SIGINT for what it starts in the background. In another thread nothing is changed.
    """
    global _run_state  # noqa: PLW0603 -- signals belong to the process, too
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in (*_ENDING, _NUDGE)}
    mine = [number for number in _ENDING if before[number] not in {signal.SIG_IGN, None}]
    _run_state = _RunState()
    try:
        signal.signal(_NUDGE, _run_state.end)
        with _woken(_run_state):
            for number in mine:
                signal.signal(number, _run_state.hear)
            yield
    finally:
        for number in (*mine, _NUDGE):
            signal.signal(number, before[number])


@contextmanager
def _woken(state: _RunState) -> Iterator[None]:
    """Have signals interrupt what the main thread waits for, be it a pip that says nothing for an hour.

    Python notes a signal, and runs its handler when the main thread comes to it. One that arrives a moment
    before a system call, or in another thread, does not interrupt that call. So the main thread is nudged
    until it has heard.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    before = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    thread = threading.Thread(target=_nudge, args=(state, reader), name="signals", daemon=True)
    thread.start()
    try:
        yield
    finally:
        state.over.set()
        signal.set_wakeup_fd(before)
        os.close(writer)
        thread.join()


def _nudge(state: _RunState, reader: int) -> None:
    main = threading.main_thread().ident or 0
    with open(reader, "rb", buffering=0) as numbers:
        while number := numbers.read(1):
            if number[0] not in _ENDING:
                continue
            while not (state.over.is_set() or state.ending.wait(_AGAIN)):
                signal.pthread_kill(main, _NUDGE)
            # What hangs is not waited for: children end with this process.
            if not state.over.wait(_LONGEST_WAIT):
                os._exit(128 + number[0])


@contextmanager
def deferring_signals() -> Iterator[None]:
    """Hold signals back until this is done: for what must be done wholly or not at all, and takes no time."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _run_state.held += 1
    try:
        yield
    finally:
        _run_state.held -= 1
        _run_state.end(0, None)


def leave(code: int) -> None:
    """End the process now, if a signal ended its run: Python waits for threads, and these for a registry."""
    if not _run_state.ending.is_set():
        return
    for stream in (sys.stdout, sys.stderr):
        # Whoever read it may have gone: a terminal that was closed sends SIGHUP.
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _is_importing(frame: FrameType | None) -> bool:
    """Return whether Python is importing: an exception between its locks would leave one locked for ever."""
    return frame is not None and frame.f_code.co_filename.startswith("<frozen importlib")
