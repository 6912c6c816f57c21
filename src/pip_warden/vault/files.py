"""Files of the vault on disk: opened as regular files, copied with their digest, moved to their place."""

from __future__ import annotations

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from pip_warden.digests import Digest, copied, digest_of_stream
from pip_warden.disk import open_new, open_regular
from pip_warden.errors import UsageError

_DRAFT = ".draft-"
_FICLONE = 0x40049409
"""The request of ioctl_ficlonerange(2): Btrfs, XFS and others know it, and the others refuse it."""


def check_own(root: Path) -> None:
    """Check that a directory, where it exists, is the user's own, not a link, and not writable by others.

    Only mode bits are corrected: GitLab Runner works with umask 0000, so they were not chosen there.

    Raises:
        UsageError: ``cache-directory``: it is a link, or belongs to another user, or cannot be read.
    """
    try:
        status = root.lstat()
        mine = stat.S_ISDIR(status.st_mode) and status.st_uid in {os.geteuid(), 0}
        if mine and status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            root.chmod(status.st_mode & 0o755)
    except FileNotFoundError:
        return
    except OSError as err:
        raise UsageError(
            "cache-directory", f"expected a cache directory {root}, found: {err.strerror or err}"
        ) from err
    if not mine:
        raise UsageError(
            "cache-directory",
            f"expected a directory of yours in {root}, found a link, a file, or another user's",
            hint="Choose another with --cache-dir or PIP_WARDEN_CACHE_DIR.",
        )


def copy_regular(source: Path, target: Path) -> tuple[Digest, int]:
    """Copy a regular file to a new one; return the SHA-256 and the size of the copy.

    Where the file system can, the copy shares its blocks with the file until one of them is written to; what
    is hashed is the copy. Copying in the kernel alone would save nothing elsewhere: all is read to hash it.

    Raises:
        OSError: It cannot be read, or the copy cannot be written.
    """
    with (
        open_regular(source, follow=False) as stream,
        os.fdopen(open_new(target, 0o600, is_read=True), "w+b") as new,
    ):
        if not _is_cloned(stream, new):
            return copied(stream, new)
        return digest_of_stream(new), os.fstat(new.fileno()).st_size


def _is_cloned(stream: BinaryIO, new: BinaryIO) -> bool:
    """Let a new file share all blocks of another (Linux: FICLONE); False where that is not possible."""
    try:
        fcntl.ioctl(new.fileno(), _FICLONE, stream.fileno())
    except OSError:
        new.truncate()  # it may have failed half way: what is copied now must be all that there is
        return False
    return True


def holds(path: Path, digest: Digest) -> bool:
    """Return whether a file has this digest."""
    try:
        with open_regular(path, follow=False) as stream:
            return digest_of_stream(stream).matches(digest)
    except OSError:
        return False


def put(file: Path, target: Path) -> None:
    """Move a file to its place, atomically unless a directory is there.

    Raises:
        OSError: It cannot be moved there.
    """
    with suppress(OSError):
        if stat.S_ISDIR(target.lstat().st_mode):  # rmtree waits for ever for the writer of a pipe
            shutil.rmtree(target)
    file.replace(target)


@contextmanager
def draft(beside: Path) -> Iterator[Path]:
    """Make a temporary directory below another, and remove it with its content afterwards.

    Raises:
        OSError: It cannot be made.
    """
    # Each by itself: parents that mkdir makes get the umask's mode.
    for directory in () if beside.is_dir() else (beside.parent.parent, beside.parent, beside):
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    made = Path(tempfile.mkdtemp(prefix=_DRAFT, dir=beside))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def write(path: Path, data: bytes) -> None:
    """Write a read-only file.

    Raises:
        OSError: It cannot be written.
    """
    path.write_bytes(data)
    path.chmod(0o400)
