"""Fetches or copies a file into a private directory, and hashes it on the way."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from pip_warden.artifact.inspect import inspect
from pip_warden.artifact.limits import CHUNK
from pip_warden.artifact.model import Artifact
from pip_warden.digests import Digest, Hasher
from pip_warden.disk import cannot_store, open_regular
from pip_warden.errors import UsageError
from pip_warden.index.candidate import Candidate
from pip_warden.measures import UNMEASURED, Measures
from pip_warden.names import ArtifactName, parse_artifact_name

LARGEST_LOCAL_FILE = 5 << 30
"""Bytes; the limit of gitlab.com."""


class Received(Protocol):
    """The result of a download."""

    @property
    def digest(self) -> Digest:
        """SHA-256 of the bytes received."""
        ...

    @property
    def size(self) -> int:
        """Bytes."""
        ...


class Fetch(Protocol):
    """The part of the HTTP client that is used here: a function."""

    def __call__(self, url: str, *, to: BinaryIO, max_bytes: int, label: str) -> Received:
        """Stream a file, hashing it on the way.

        Raises:
            UndecidedError: It did not arrive completely.
        """
        ...


def receive(
    candidate: Candidate,
    fetch: Fetch,
    directory: Path,
    *,
    max_bytes: int,
    measures: Measures = UNMEASURED,
) -> Artifact:
    """Fetch a candidate into a private directory and inspect it.

    Args:
        candidate: What to fetch.
        fetch: Streams it.
        directory: A directory that only this run can enter.
        max_bytes: The largest file.
        measures: Told what it costs.

    Raises:
        UndecidedError: It did not arrive completely, or could not be stored (``cannot-store``).
    """
    filename = candidate.name.filename
    with measures.phase("fetch", filename), _new_file(directory, filename) as stream:
        received = fetch(candidate.url, to=stream, max_bytes=max_bytes, label=filename)
    measures.count("bytes_written", received.size)
    measures.count("bytes_hashed", received.size)
    with measures.phase("inspect", filename):
        return _artifact(directory, candidate.name, received.digest, received.size)


def copy_local(path: Path, directory: Path, *, max_bytes: int = LARGEST_LOCAL_FILE) -> Artifact:
    """Copy a user's file into a private directory and inspect the copy.

    What is judged and what is used later are then the same bytes, whoever can write to the original (T32).

    Args:
        path: The user's file; may be a link.
        directory: A directory that only this run can enter.
        max_bytes: The largest file.

    Raises:
        UsageError: ``invalid-filename``, ``no-such-file`` or ``file-too-large``.
        UndecidedError: ``cannot-store``: the copy could not be written.
    """
    name = parse_artifact_name(path.name)
    hasher, size = Hasher(), 0
    with _open_source(path) as source, _new_file(directory, name.filename) as target:
        whole = os.fstat(source.fileno()).st_size
        for piece in _pieces(source, path):
            size += len(piece)  # and it may grow
            if max(size, whole) > max_bytes:
                raise UsageError(
                    "file-too-large", f"expected at most {max_bytes} bytes in {path}, found more"
                )
            hasher.update(piece)
            target.write(piece)
    return _artifact(directory, name, hasher.digest(), size)


def _pieces(source: BinaryIO, path: Path) -> Iterator[bytes]:
    """Read in pieces; an error here is the original's, not the copy's."""
    while True:
        try:
            piece = source.read(CHUNK)
        except OSError as err:
            raise _unreadable(path, err.strerror or type(err).__name__) from err
        if not piece:
            return
        yield piece


def _open_source(path: Path) -> BinaryIO:
    try:
        return open_regular(path, follow=True)
    except OSError as err:
        found = "something that is no regular file" if err.errno == 0 else err.strerror or type(err).__name__
        raise _unreadable(path, found) from err
    except ValueError as err:
        raise _unreadable(path, "a name that no file can have") from err


def _unreadable(path: Path, found: str) -> UsageError:
    return UsageError("no-such-file", f"expected a readable file {path}, found: {found}")


@contextmanager
def _new_file(directory: Path, filename: str) -> Iterator[BinaryIO]:
    """Create a file that must not exist, following no link, and remove it where writing fails.

    Raises:
        UndecidedError: ``cannot-store``.
    """
    path = directory / filename
    try:
        _check_private(directory)
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        stream = os.fdopen(os.open(path, flags, 0o600), "w+b")
    except OSError as err:
        raise cannot_store(path, err) from err
    try:
        with stream:
            yield stream
    except OSError as err:
        path.unlink(missing_ok=True)
        raise cannot_store(path, err) from err
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _check_private(directory: Path) -> None:
    """Check that no other user can replace the file between the verdict and the installer (T32)."""
    status = directory.lstat()
    others = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or others:
        raise NotADirectoryError(0, "a link, or a directory that others may write to", str(directory))


def _artifact(directory: Path, name: ArtifactName, digest: Digest, size: int) -> Artifact:
    path = directory / name.filename
    try:
        return Artifact(name=name, path=path, digest=digest, size=size, contents=inspect(path, name))
    except OSError as err:
        raise cannot_store(path, err) from err
