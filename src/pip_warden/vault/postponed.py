"""What the vault takes later: small files while an installer installs, large ones when a run has ended.

A small file is copied: that takes no longer than at once, but until an installer has all that it wants
everybody waits for this process. A large one is moved, as each further copy costs seconds. Until then the
file is the run's own copy, under as many names as an installer was given. It is moved only where it has one
name left, and is looked at once more: what was changed meanwhile is not kept.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pip_warden.digests import Digest, digest_of_stream
from pip_warden.disk import open_regular
from pip_warden.errors import WardenError
from pip_warden.values import dataclass

LARGE = 4 << 20
"""Bytes of the smallest file that is worth it."""

State = tuple[int, int, int, int]
"""Which file it is, its size, and when it was written to. Its change time tells of names, too, and a name is
removed when pip ends.
"""


@dataclass(frozen=True, slots=True)
class _Pending:
    path: Path
    digest: Digest
    store: Callable[[State | None], None]


class Postponed:
    """What a run has accepted and the vault does not have yet. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._pending: list[_Pending] = []
        self._seen: dict[Path, State] = {}
        self._small: list[Callable[[], None]] = []
        self._is_tried = False

    def hear(self) -> None:
        """A file was stored at once: the cache can be written."""
        self._is_tried = True

    def add_small(self, store: Callable[[], None]) -> bool:
        """Add a small file.

        Args:
            store: Stores it.

        Returns:
            Whether it will be stored later; not before one was, which shows that anything can be.
        """
        with self._lock:
            if self._is_tried:
                self._small.append(store)
            return self._is_tried

    def take(self) -> None:
        """Store every small file; what cannot be stored, the next run fetches again."""
        with self._lock:
            small, self._small = self._small, []
        for store in small:
            with suppress(OSError, WardenError):
                store()

    def add(self, path: Path, digest: Digest, store: Callable[[State | None], None]) -> None:
        """Add a large file.

        Args:
            path: The run's own copy.
            digest: What was judged.
            store: Stores it; given the state in which it had this digest, None where nobody has looked.
        """
        with self._lock:
            self._pending.append(_Pending(path, digest, store))

    def look(self) -> None:
        """Hash every large file now, while something else is waited for: if nobody writes, that is enough."""
        with self._lock:
            pending = tuple(self._pending)
        for each in pending:
            if (state := state_with(each.path, each.digest)) is not None:
                self._seen[each.path] = state

    def settle(self) -> None:
        """Store every large file, at the end of the run, as :meth:`take` does."""
        with self._lock:
            pending, self._pending = self._pending, []
        for each in pending:
            with suppress(OSError, WardenError):
                each.store(self._seen.get(each.path))


def state_with(path: Path, digest: Digest) -> State | None:
    """Return the state of a file that has a digest, from before it was read; None where it has not."""
    try:
        with open_regular(path, follow=False) as stream:
            before = _state(os.fstat(stream.fileno()))
            return before if digest_of_stream(stream).matches(digest) else None
    except OSError:
        return None


def moved(source: Path, target: Path, digest: Digest, seen: State | None) -> bool:
    """Move a file that has a digest, and no other name by which somebody could write to it.

    Args:
        source: The file.
        target: Where nothing is yet.
        digest: What it must have.
        seen: The state in which it had it; None where nobody has looked.

    Returns:
        Whether it was moved; nothing is at ``target`` otherwise.
    """
    try:
        now = source.lstat()
        if now.st_nlink != 1 or (_state(now) != seen and _state(now) != state_with(source, digest)):
            return False
        source.rename(target)
    except OSError:
        return False
    there = target.lstat()
    if _state(there) == _state(now) and there.st_nlink == 1:
        return True
    target.unlink()
    return False


def _state(status: os.stat_result) -> State:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns
