"""Hands over accepted files: the same bytes that were judged, hashed once more."""

from __future__ import annotations

import os
from pathlib import Path

from pip_warden.artifact.model import Contents
from pip_warden.digests import Digest
from pip_warden.disk import cannot_store, is_full
from pip_warden.errors import InternalError, RefusedError, UsageError
from pip_warden.measures import UNMEASURED, Measures
from pip_warden.names import ArtifactName
from pip_warden.values import dataclass
from pip_warden.vault.files import copy_regular, holds
from pip_warden.verdict.model import Accepted


@dataclass(frozen=True, kw_only=True, slots=True)
class Sealed:
    """An accepted file.

    Attributes:
        name: Its name.
        digest: The digest that was judged.
        size: Bytes.
        path: The run's own copy, which was judged; see :func:`hand_over`.
        metadata: The bytes of its METADATA or PKG-INFO, read from that copy.
        requires_python: ``Requires-Python`` of the same.
    """

    name: ArtifactName
    digest: Digest
    size: int
    path: Path
    metadata: bytes
    requires_python: str | None


def sealed_as(accepted: Accepted) -> Sealed:
    """Return an accepted file ready to be handed over."""
    if not isinstance(accepted, Accepted):
        raise InternalError("bug", f"the vault opens for an Accepted, not for {type(accepted).__name__}")
    artifact, contents = accepted.artifact, accepted.artifact.contents
    if not isinstance(contents, Contents):
        raise InternalError("bug", "a malformed archive was accepted")
    return Sealed(
        name=artifact.name,
        digest=artifact.digest,
        size=artifact.size,
        path=artifact.path,
        metadata=contents.metadata,
        requires_python=contents.requires_python,
    )


def hand_over(sealed: Sealed, directory: Path, measures: Measures = UNMEASURED) -> Path:
    """Put an accepted file into a directory, hashed once more (T32).

    It is a link to the run's own copy, or a copy of that where a link is not possible; never the vault's
    file.

    Args:
        sealed: The file.
        directory: A directory that only this run can enter.
        measures: Told what it costs.

    Raises:
        RefusedError: ``changed-after-verdict``: the bytes are no longer those that were judged, or are gone.
        UsageError: ``cache-directory``: the copy cannot be written.
        UndecidedError: ``cannot-store``: there is no space left.
    """
    target = directory / sealed.name.filename
    try:
        if not _linked(sealed.path, target):
            copy_checked(sealed.path, target, sealed.digest)
            measures.count("bytes_written", sealed.size)
        elif not holds(target, sealed.digest):
            target.unlink()
            raise _changed(sealed.name.filename, sealed.digest, "other bytes")
    except FileNotFoundError as err:
        raise _changed(sealed.name.filename, sealed.digest, "nothing") from err
    except OSError as err:
        if is_full(err):
            raise cannot_store(target, err) from err
        raise UsageError(
            "cache-directory", f"expected to copy {sealed.path} to {target}, found: {err.strerror or err}"
        ) from err
    measures.count("bytes_hashed", sealed.size)
    return target


def _linked(source: Path, target: Path) -> bool:
    """Link a file; False where that is not possible: on another file system, or one without links."""
    try:
        os.link(source, target, follow_symlinks=False)
    except (OSError, NotImplementedError):
        return False
    return True


def copy_checked(source: Path, target: Path, digest: Digest) -> None:
    """Copy a file that must have a digest, and remove the copy where it has not.

    Raises:
        RefusedError: ``changed-after-verdict``.
        OSError: It cannot be read, or the copy cannot be written.
    """
    found, _ = copy_regular(source, target)
    if not found.matches(digest):
        target.unlink()
        raise _changed(source.name, digest, f"SHA-256 {found}")


def _changed(name: str, digest: Digest, found: str) -> RefusedError:
    return RefusedError(
        "changed-after-verdict",
        f"expected {name} with SHA-256 {digest} as it was judged, found {found}",
        hint="Something else writes to the cache or to the run's private directory.",
    )
