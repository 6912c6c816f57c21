"""The file with the digest that was accepted, for a deployment: it is there only after an acceptance."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

from pip_warden.digests import Digest
from pip_warden.disk import draft_beside, open_regular
from pip_warden.errors import UsageError
from pip_warden.oci.names import spelled

_DIGEST = re.compile(rb"(?:sha256:[0-9a-f]{64}\n?)?")
_LONGEST = 100


def take_away(path: Path) -> None:
    """Remove the digest of an earlier run, and make sure that another one can be written.

    Raises:
        UsageError: ``cannot-write``: it cannot; or what is there is no digest, and stays.
    """
    if str(path) == "-":
        raise _cannot_write(path, "the sign for standard output")
    try:
        if path.is_symlink():
            raise _cannot_write(path, "a link")
        if path.exists():
            with open_regular(path, follow=False) as stream:
                if not _DIGEST.fullmatch(stream.read(_LONGEST)):
                    raise _cannot_write(path, "a file that holds no digest")
            path.unlink()
        with draft_beside(path, BytesIO()):
            pass
    except OSError as err:
        raise _cannot_write(path, err.strerror or type(err).__name__) from err


def write_digest(path: Path, digest: Digest) -> None:
    """Write the digest that was accepted, whole or not at all.

    Raises:
        UsageError: ``cannot-write``.
    """
    try:
        with draft_beside(path, BytesIO(f"{spelled(digest)}\n".encode())) as put:
            put()
    except OSError as err:
        raise _cannot_write(path, err.strerror or type(err).__name__) from err


def _cannot_write(path: Path, found: str) -> UsageError:
    return UsageError(
        "cannot-write",
        f"expected to write a digest to {path}, found {found}",
        hint="Name a new file, or one with the digest of an earlier run: it is removed before anything else.",
    )
