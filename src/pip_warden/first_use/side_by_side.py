"""Does the same for many packages, several at once: nearly all of it is waiting for an index."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

_WORKERS = 8
_Item = TypeVar("_Item")
_Found = TypeVar("_Found")


def side_by_side(
    work: Callable[[_Item], _Found],
    items: Sequence[_Item],
    tell: Callable[[int, _Item], None] = lambda _number, _item: None,
) -> Iterator[_Found]:
    """Do some work for each item, and yield what comes of it in the items' order.

    Args:
        work: It is called from several threads.
        items: The items.
        tell: It is told which of them is waited for, and its number from 1.

    Raises:
        BaseException: What the first of them raised that raised something; what has not begun is given up.
    """
    with _pool() as pool:
        futures = [pool.submit(work, item) for item in items]
        for number, (item, future) in enumerate(zip(items, futures, strict=True), 1):
            tell(number, item)
            yield future.result()


@contextmanager
def _pool() -> Iterator[ThreadPoolExecutor]:
    pool = ThreadPoolExecutor(_WORKERS, thread_name_prefix="package")
    try:
        yield pool
    except BaseException as err:
        # What has begun uses the workspace and the connections, so it is waited for before they are closed;
        # but whoever is told to end does not wait for what a registry has yet to answer.
        pool.shutdown(wait=isinstance(err, Exception), cancel_futures=True)
        raise
    pool.shutdown()
