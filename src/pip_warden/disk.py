"""Makes, replaces and opens files safely; a full disk is an error of its own, not a verdict."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO

from pip_warden.errors import UndecidedError, UsageError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""No space, no space for this user, no space for a file so large."""

_URL = re.compile(r"[a-z][a-z0-9+.-]*:/", re.IGNORECASE)
"""How the path begins that is made of a URL."""

_DRAFT = re.compile(r"\.pip-warden-[0-9a-f]{16}\.part", re.ASCII)

NO_LINKS = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK, errno.EACCES})
"""What link(2) says where the file system has no hard links."""


def open_new(place: str | Path, mode: int, *, directory: int | None = None, is_read: bool = False) -> int:
    """Make a new file, following no link, and return its descriptor, for writing.

    Args:
        place: Its path, relative to ``directory`` where that is given.
        mode: Its mode, before the umask.
        directory: The descriptor of a directory.
        is_read: Whether the descriptor is for reading, too.

    Raises:
        OSError: The name is taken, or the file cannot be made.
    """
    flags = (os.O_RDWR if is_read else os.O_WRONLY) | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.open(place, flags, mode, dir_fd=directory)


def require_file(path: Path, *, else_hint: str = "") -> None:
    """Refuse a path that was given for a file and is none.

    Args:
        path: The path.
        else_hint: What may have been meant where nothing is there.

    Raises:
        UsageError: ``no-such-file``.
    """
    # Not Path.is_file, which raises for a name that is too long, or in a directory of somebody else's.
    if os.path.isfile(path):
        return
    found, hint = ("something else", "") if os.path.lexists(path) else ("none", else_hint)
    if "*" in path.name:
        hint = "The shell passes on unchanged a pattern that matches nothing."
    if os.path.isdir(path):
        found, hint = "a directory", "Name the files in it, not the directory."
    if _URL.match(str(path)):  # which may hold a secret
        raise UsageError("no-such-file", "expected a file, found a URL", hint="Fetch it first.")
    raise UsageError("no-such-file", f"expected a file {path}, found {found}", hint=hint)


def open_regular(path: str | Path, *, follow: bool) -> BinaryIO:
    """Open a regular file for reading: no endless device, and no pipe without a writer.

    Args:
        path: The file.
        follow: Whether a link to a regular file is followed.

    Raises:
        OSError: It does not exist, or cannot be opened; with ``errno`` 0, which no system call sets: it is
            not a regular file.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    descriptor = os.open(path, flags)
    try:
        stream = os.fdopen(descriptor, "rb")
    except OSError:  # a directory; the descriptor is still open
        os.close(descriptor)
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        stream.close()
        raise FileNotFoundError(0, "no regular file", str(path))
    return stream


def draft_name() -> str:
    """Return an unpredictable name for a draft next to what it will replace."""
    return f".pip-warden-{secrets.token_hex(8)}.part"


def is_draft_name(name: str) -> bool:
    """Return whether :func:`draft_name` gives such names: a run that was killed leaves its draft."""
    return _DRAFT.fullmatch(name) is not None


@contextmanager
def draft_beside(
    place: Path, content: BinaryIO, *, mode: int | None = None, is_new: bool = False, is_synced: bool = False
) -> Iterator[Callable[[], object]]:
    """Write a file next to its place, with an unpredictable name; yield the function that moves it there.

    No incomplete file is ever seen there: it replaces what has the name in one step, or is removed in the
    end.

    Args:
        place: Its final place.
        content: Read to its end.
        mode: Its mode, whatever the umask; until it is complete, only its owner may read it. None for the
            mode that the umask gives.
        is_new: Whether it must replace nothing: where the name is taken by then, the function raises
            FileExistsError.
        is_synced: Whether its content is synced to the disk before it can be moved to its place, so that it
            survives a crash.

    Raises:
        OSError: It cannot be written, or not be moved to its place, or what has the name is a device, a pipe
            or a socket; what was there before is unchanged.
    """
    if not is_new:
        _check_replaceable(place)
    draft = place.parent / draft_name()
    descriptor = _open_draft(draft, 0o666 if mode is None else 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            shutil.copyfileobj(content, stream)
            if is_synced:
                stream.flush()
                os.fsync(descriptor)
        if mode is not None:
            draft.chmod(mode)
        yield partial(_name_new, draft, place) if is_new else partial(draft.replace, place)
    finally:
        draft.unlink(missing_ok=True)


def _check_replaceable(place: Path) -> None:
    """Require that what has a name can be replaced by a file: a container's root could replace /dev/null."""
    try:
        kind = place.stat().st_mode
    except OSError:
        return  # there is none; or the attempt to write will say what is wrong
    if not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):
        raise OSError(errno.EINVAL, "a device, a pipe or a socket, which no file can replace", str(place))


def _open_draft(draft: Path, mode: int) -> int:
    """Make a draft and open it; it is removed where that is when Python hears of a signal that ends us."""
    try:
        return open_new(draft, mode)
    except OSError:
        raise  # what has that name is not ours
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


def _name_new(draft: Path, place: Path) -> None:
    try:
        os.link(draft, place, follow_symlinks=False)
    except OSError as err:
        if err.errno not in NO_LINKS:
            raise
        os.close(open_new(place, 0o600))  # the name is ours, or somebody else's: then it is left alone
        try:
            draft.replace(place)
        except OSError:
            place.unlink()
            raise


@contextmanager
def made_directory(place: Path) -> Iterator[None]:
    """Make a directory and its parents; new ones are removed again after a failure.

    Raises:
        OSError: It cannot be made.
    """
    made = [each for each in (place, *place.parents) if not os.path.lexists(each)]
    done = False
    try:
        place.mkdir(parents=True, exist_ok=True)
        yield
        done = True
    finally:
        for each in made if not done else ():
            with suppress(OSError):
                each.rmdir()


@contextmanager
def opened_directory(place: Path) -> Iterator[int]:
    """Open a directory, and yield its descriptor, which stays the same directory if its name changes hands.

    Raises:
        OSError: It is not a directory, or cannot be opened.
    """
    directory = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield directory
    finally:
        os.close(directory)


def is_full(err: OSError) -> bool:
    """Return whether an error means that there was no space to write."""
    return err.errno in _FULL


def cannot_store(where: object, err: OSError) -> UndecidedError:
    """Return the error for a file that could not be written."""
    return UndecidedError(
        "cannot-store",
        f"expected to write {where}, found: {err.strerror or type(err).__name__}",
        hint="Check free space and permissions of the temporary directory (TMPDIR) and of the cache.",
    )


@contextmanager
def storing(where: object) -> Iterator[None]:
    """Convert the failures of a full disk; every other is passed on.

    Raises:
        UndecidedError: ``cannot-store``.
    """
    try:
        yield
    except OSError as err:
        if is_full(err):
            raise cannot_store(err.filename or where, err) from err
        raise
