"""A disk without room: nobody's bug, and no verdict."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from pip_warden.errors import UndecidedError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""No room, no room for this user, no room for a file so large."""


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
