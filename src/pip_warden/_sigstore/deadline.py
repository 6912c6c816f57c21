"""Calls of the sigstore library under a deadline: it talks to servers itself, and has none of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class DeadlineError(Exception):
    """The call did not end in time; its thread keeps running."""


def within(seconds: float, call: Callable[[], T]) -> T:
    """Run a call in its own thread and return its result, so that a hanging server cannot block the caller.

    Args:
        seconds: How long to wait.
        call: A call of the library.

    Raises:
        DeadlineError: It has not ended in time.
        Exception: Whatever the call raised.
    """
    outcome: list[T] = []
    failure: list[Exception] = []

    def run() -> None:
        try:
            outcome.append(call())
        except Exception as err:  # noqa: BLE001 -- the library may raise anything; raised again below
            failure.append(err)

    thread = threading.Thread(target=run, name="sigstore", daemon=True)
    thread.start()
    thread.join(seconds)
    if outcome:
        return outcome[0]
    raise failure[0] if failure else DeadlineError(f"no answer within {seconds:g} seconds")
