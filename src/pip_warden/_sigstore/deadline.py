"""Calls of the sigstore library under a deadline of ours: it talks to servers itself, and knows none."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class DeadlineError(Exception):
    """The call had not ended in time; its thread is left to itself."""


def within(seconds: float, call: Callable[[], T]) -> T:
    """Run a call in a thread of its own, so that a server that never ends cannot hold us, and return what it returns.

    Args:
        seconds: How long to wait.
        call: A call of the library.

    Raises:
        DeadlineError: It has not ended in time.
        Exception: What the call raised, whatever that is.
    """
    outcome: list[T] = []
    failure: list[Exception] = []

    def run() -> None:
        try:
            outcome.append(call())
        except Exception as err:  # noqa: BLE001 -- the library raises what it likes; raised again below
            failure.append(err)

    thread = threading.Thread(target=run, name="sigstore", daemon=True)
    thread.start()
    thread.join(seconds)
    if outcome:
        return outcome[0]
    raise failure[0] if failure else DeadlineError(f"no answer within {seconds:g} seconds")
