"""How a file gets into a private directory: fetched, or copied from where the user has it, hashed on the way."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO, Protocol

from pip_warden.artifact.inspect import inspect
from pip_warden.artifact.model import Artifact
from pip_warden.digests import Digest, Hasher
from pip_warden.errors import UsageError
from pip_warden.index.candidate import Candidate
from pip_warden.names import ArtifactName, parse_artifact_name

_CHUNK = 1 << 20


class Received(Protocol):
    """What a download tells."""

    @property
    def digest(self) -> Digest:
        """SHA-256 of the bytes received."""
        ...

    @property
    def size(self) -> int:
        """Bytes."""
        ...


class Downloader(Protocol):
    """What of the HTTP door is needed here."""

    def download(self, url: str, *, to: BinaryIO, max_bytes: int, label: str) -> Received:
        """Stream a file, hashing it on the way.

        Raises:
            UndecidedError: It did not arrive whole.
        """
        ...


def receive(candidate: Candidate, transport: Downloader, directory: Path, *, max_bytes: int) -> Artifact:
    """Fetch a candidate into a private directory and inspect it.

    Args:
        candidate: What to fetch.
        transport: The HTTP door.
        directory: A directory that only this run can enter.
        max_bytes: The largest file.

    Raises:
        UndecidedError: It did not arrive whole.
    """
    path = directory / candidate.name.filename
    with _create(path) as stream:
        received = transport.download(
            candidate.url, to=stream, max_bytes=max_bytes, label=candidate.name.filename
        )
    return _artifact(path, candidate.name, received.digest, received.size)


def copy_local(path: Path, directory: Path) -> Artifact:
    """Copy a file of the user's into a private directory and inspect the copy.

    What is judged and what is used later are then the same bytes, whoever can write to the original (T32).

    Raises:
        UsageError: ``no-such-file`` or ``invalid-filename``.
    """
    name = parse_artifact_name(path.name)
    hasher, size = Hasher(), 0
    copy = directory / name.filename
    try:
        with path.open("rb") as source, _create(copy) as target:
            for chunk in iter(lambda: source.read(_CHUNK), b""):
                hasher.update(chunk)
                size += len(chunk)
                target.write(chunk)
    except OSError as err:
        raise UsageError(
            "no-such-file", f"expected a readable file {path}, found {err.strerror or type(err).__name__}"
        ) from err
    return _artifact(copy, name, hasher.digest(), size)


def _artifact(path: Path, name: ArtifactName, digest: Digest, size: int) -> Artifact:
    return Artifact(name=name, path=path, digest=digest, size=size, contents=inspect(path, name))


def _create(path: Path) -> BinaryIO:
    """Create a file that was not there, following no link."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.fdopen(os.open(path, flags, 0o600), "w+b")
