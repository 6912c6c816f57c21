"""Files that are made, under a name that was not there, or opened, if they are files; and a disk without room, which is nobody's bug and no verdict."""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pip_warden.errors import UndecidedError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""No room, no room for this user, no room for a file so large."""


def open_new(place: str | Path, mode: int, *, directory: int | None = None) -> int:
    """Make a file that was not there, following no link, and return its descriptor, for writing.

    Args:
        place: Its path, relative to ``directory`` where that is given.
        mode: Its mode, before the umask.
        directory: The descriptor of a directory.

    Raises:
        OSError: Something has the name, or it cannot be made.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(place, flags, mode, dir_fd=directory)


def open_regular(path: str | Path, *, follow: bool) -> BinaryIO:
    """Open a regular file for reading: no device that never ends, and no pipe that nobody writes to.

    Args:
        path: The file.
        follow: Whether a link to a regular file is as good.

    Raises:
        OSError: It is not there, or cannot be opened; with ``errno`` 0, which no system call sets, it is something else.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    descriptor = os.open(path, flags)
    try:
        stream = os.fdopen(descriptor, "rb")
    except OSError:  # a directory; the descriptor is still ours
        os.close(descriptor)
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        stream.close()
        raise FileNotFoundError(0, "no regular file", str(path))
    return stream


def draft_name() -> str:
    """Return a name for a draft beside what it will replace, which nobody can tell beforehand."""
    return f".pip-warden-{secrets.token_hex(8)}.part"


def is_full(err: OSError) -> bool:
    """Tell whether something could not be written for want of room."""
    return err.errno in _FULL


def cannot_store(where: object, err: OSError) -> UndecidedError:
    """Make the error that says that something could not be written."""
    return UndecidedError(
        "cannot-store",
        f"expected to write {where}, found: {err.strerror or type(err).__name__}",
        hint="Check free space and permissions of the temporary directory (TMPDIR) and of the cache.",
    )


@contextmanager
def storing(where: object) -> Iterator[None]:
    """Convert the failures of a full disk; every other passes.

    Raises:
        UndecidedError: ``cannot-store``.
    """
    try:
        yield
    except OSError as err:
        if is_full(err):
            raise cannot_store(err.filename or where, err) from err
        raise
