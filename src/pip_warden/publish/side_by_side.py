"""Does a job for each of many files: the work side by side, what must be in order one after the other."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from functools import partial
from typing import TypeVar

from pip_warden._sigstore.deadline import Threads

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")

AT_ONCE = 16
"""How many files are worked on at once. A log answers when it has a batch together, and waits for nobody
else meanwhile; more of them would press a public log that limits how many requests it takes."""

_GRACE = 5.0
"""Seconds that work in other threads has to end after a failure. What takes longer hangs at a server."""


def side_by_side(items: Iterable[A], work: Callable[[A], B], finish: Callable[[B], C]) -> list[C]:
    """Work on items side by side, and finish each in the order of the items, in this thread.

    It ends as if done one after the other: what is raised is the failure of the first item that has one; all
    before it are finished, and none behind it is, though work on fewer than :data:`AT_ONCE` of those had
    begun.

    Args:
        items: What to work on.
        work: Done in other threads.
        finish: Takes what ``work`` returned; done in the calling thread.

    Raises:
        Exception: Whatever ``work`` or ``finish`` raised for an item.
    """
    begun: deque[Future[B]] = deque()
    finished: list[C] = []
    with Threads() as threads:
        try:
            for item in items:
                if any(each.done() and each.exception() for each in begun):
                    break  # raised below, in its turn
                begun.append(threads.begin(partial(work, item)))
                while len(begun) >= AT_ONCE:
                    finished.append(finish(begun.popleft().result()))
            while begun:
                finished.append(finish(begun.popleft().result()))
        except Exception:
            # What they do ends with the process, in the middle of foreign code; that can abort the process.
            wait(begun, _GRACE)
            raise
    return finished
