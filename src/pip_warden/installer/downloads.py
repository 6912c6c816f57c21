"""Puts accepted files where the user wants them: all or none, and never over other bytes (``--download``).

::

    look    what has their names already: nothing, the same bytes (kept), or anything else
            (refused; nothing is written)
    draft   each file is copied under a random name that was not there, and hashed on the way
    look    again, while no other run of ours is between its first name and its last
    link    each name appears with its whole content, or not at all; after a failure those of this run
            are removed

The directory may be a link to one: the user named it. It is opened once, and everything happens in the
directory that was opened, whatever its name leads to later. No link in it is followed: anybody may have
put it there.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from pip_warden.digests import Digest, copied, digest_of_stream
from pip_warden.disk import NO_LINKS, draft_name, made_directory, open_new, opened_directory
from pip_warden.display import some_of
from pip_warden.errors import DeliveryError, RefusedError, UsageError
from pip_warden.values import dataclass

_LONGEST_WAIT = 60.0
"""Seconds that another run may hold the lock: it needs milliseconds, and hashes files already there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AcceptedFile:
    """A file that was accepted.

    Attributes:
        path: Where it is now; its name is the one that it will have.
        digest: What was accepted.
    """

    path: Path
    digest: Digest


@dataclass(frozen=True, slots=True)
class _Draft:
    """A complete copy under a temporary name, and which file that is."""

    name: str
    device: int
    inode: int


def check_directory(target: Path) -> None:
    """Check, before anything is fetched, that a directory can be written to or made. Nothing is written.

    Raises:
        UsageError: ``download-directory``.
    """
    nearest = next(place for place in (target, *target.absolute().parents) if os.path.lexists(place))
    if not nearest.is_dir():
        found = f"that {nearest} is a file or a link to nothing"
    elif not os.access(nearest, os.W_OK | os.X_OK):
        found = f"that {nearest} cannot be written to"
    else:
        return
    raise UsageError("download-directory", f"expected a directory to download into, {target}, found {found}")


def find_present(downloads: Sequence[AcceptedFile], target: Path) -> tuple[str, ...]:
    """Return the names of the files that are there already, with the same bytes. Nothing is written.

    Raises:
        DeliveryError: ``download-in-the-way``: something else has the name of one; ``download-not-written``:
            it cannot be determined.
    """
    if not target.exists():
        return ()
    with _telling(target), opened_directory(target) as directory:
        return _in_place(downloads, directory, target)


def deliver(downloads: Sequence[AcceptedFile], target: Path) -> tuple[str, ...]:
    """Put every file into a directory, or none, and return the names already there with the same bytes.

    Ended by a signal that cannot be caught, it may leave some of the files and drafts named
    ``.pip-warden-….part``, but no incomplete file.

    Args:
        downloads: The files; no two have one name.
        target: The directory; made with its parents where it is not there.

    Raises:
        DeliveryError: ``download-in-the-way``: something else has the name of one, or got it meanwhile;
            ``download-busy``: another run does not finish; ``download-not-written``: the directory cannot be
            written.
        RefusedError: ``changed-after-verdict``: a file no longer has the bytes that were accepted.
    """
    with _telling(target), made_directory(target), opened_directory(target) as directory:
        drafts: dict[str, _Draft] = {}
        try:
            _draft_missing(downloads, drafts, _in_place(downloads, directory, target), directory)
            with _alone(directory, target):
                kept = _in_place(downloads, directory, target)
                _draft_missing(downloads, drafts, kept, directory)
                _publish(
                    [each for each in downloads if each.path.name not in kept], drafts, directory, target
                )
        finally:
            for draft in drafts.values():
                with suppress(OSError):
                    os.unlink(draft.name, dir_fd=directory)
    return kept


def _draft_missing(
    downloads: Sequence[AcceptedFile], drafts: dict[str, _Draft], kept: Sequence[str], directory: int
) -> None:
    for download in downloads:
        if download.path.name not in (*kept, *drafts):
            drafts[download.path.name] = _draft(download, directory)


def _publish(
    downloads: Sequence[AcceptedFile], drafts: dict[str, _Draft], directory: int, target: Path
) -> None:
    """Give every draft its name, or none."""
    put: list[tuple[str, tuple[int, int]]] = []
    done = False
    try:
        for download in downloads:
            name, draft = download.path.name, drafts[download.path.name]
            # First, since an interrupt may come right after the name.
            put.append((name, (draft.device, draft.inode)))
            put.append((name, _name(download, draft, directory, target)))
        done = True
    finally:
        for name, identity in put if not done else ():
            with suppress(OSError):
                # Only what is still ours: another process may have put something else there.
                if _identity(os.lstat(name, dir_fd=directory)) == identity:
                    os.unlink(name, dir_fd=directory)


def _name(download: AcceptedFile, draft: _Draft, directory: int, target: Path) -> tuple[int, int]:
    """Give a draft its final name, which must be free, and return which file has it now."""
    name = download.path.name
    try:
        os.link(draft.name, name, src_dir_fd=directory, dst_dir_fd=directory, follow_symlinks=False)
    except FileExistsError as err:
        raise _in_the_way([name], target) from err
    except OSError as err:
        if err.errno not in NO_LINKS:
            raise
        return _name_without_links(download, directory, target)
    return draft.device, draft.inode


def _name_without_links(download: AcceptedFile, directory: int, target: Path) -> tuple[int, int]:
    """Copy once more, into a new file: a rename would replace a file that got the name meanwhile."""
    try:
        copied = _copy(download, download.path.name, directory)
    except FileExistsError as err:
        raise _in_the_way([download.path.name], target) from err
    return copied.device, copied.inode


def _draft(download: AcceptedFile, directory: int) -> _Draft:
    return _copy(download, draft_name(), directory)


def _copy(download: AcceptedFile, name: str, directory: int) -> _Draft:
    """Copy to a new file, with the mode that the umask gives; where that fails, nothing is left."""
    descriptor = open_new(name, 0o666, directory=directory)
    whole = False
    try:
        with os.fdopen(descriptor, "wb") as copy, download.path.open("rb") as source:
            identity = _identity(os.fstat(descriptor))
            digest, _ = copied(source, copy)
        if not digest.matches(download.digest):
            raise RefusedError(
                "changed-after-verdict",
                f"expected {download.path.name} with SHA-256 {download.digest} "
                f"as it was judged, found SHA-256 {digest}",
                hint="Something else writes to the run's private directory.",
            )
        whole = True
    finally:
        if not whole:
            with suppress(OSError):
                os.unlink(name, dir_fd=directory)
    return _Draft(name, *identity)


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _in_place(downloads: Sequence[AcceptedFile], directory: int, target: Path) -> tuple[str, ...]:
    """Return the names that have the accepted bytes already; all names with other content go in one error."""
    there = {each.path.name: _holds(each, directory) for each in downloads}
    other = [name for name, same in there.items() if same is False]
    if other:
        raise _in_the_way(other, target)
    return tuple(name for name, same in there.items() if same)


def _holds(download: AcceptedFile, directory: int) -> bool | None:
    """Return whether a name has the bytes that were accepted, None where it does not exist."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
    try:
        # First by name: opening a device may have an effect.
        if not stat.S_ISREG(os.lstat(download.path.name, dir_fd=directory).st_mode):
            return False
        with os.fdopen(os.open(download.path.name, flags, dir_fd=directory), "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                return False
            return digest_of_stream(stream).matches(download.digest)
    except FileNotFoundError:
        return None
    except OSError:
        # A new link, or a file that may not be read: it cannot be told from other bytes.
        return False


def _in_the_way(names: Sequence[str], target: Path) -> DeliveryError:
    return DeliveryError(
        "download-in-the-way",
        "expected nothing, or the very bytes that were accepted, under each name "
        f"in {target}, found something else: {some_of(names, 5)}",
        hint="Nothing was written, and nothing is ever written over. "
        "Move it away, or choose another directory.",
    )


@contextmanager
def _telling(target: Path) -> Iterator[None]:
    """Turn an operating system error in a directory into ours.

    Raises:
        DeliveryError: ``download-not-written``.
    """
    try:
        yield
    except OSError as err:
        raise DeliveryError(
            "download-not-written",
            f"expected to write every file to {target}, found: {err.strerror or type(err).__name__}",
            hint="Nothing was left there. Everything was accepted and is in the cache: "
            "mend the directory and run it again.",
        ) from err


@contextmanager
def _alone(directory: int, target: Path) -> Iterator[None]:
    """Keep other runs out while names are given.

    Otherwise one could count a file as present that another removes again after a failure. On a file system
    without locks nothing is locked.

    Raises:
        DeliveryError: ``download-busy``.
    """
    end = time.monotonic() + _LONGEST_WAIT
    while True:
        try:
            fcntl.flock(directory, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as err:
            if time.monotonic() > end:
                raise DeliveryError(
                    "download-busy",
                    f"expected to be the only run that writes to {target}, found "
                    "another that does not come to its end",
                    hint="Nothing was written. Run it again when the other one is done.",
                ) from err
            time.sleep(0.02)
        except OSError:
            break
        else:
            break
    yield  # closing the directory ends it
