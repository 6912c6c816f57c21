"""A wheel's RECORD: every member with its hash, and nothing else (T40).

Not every installer checks it, so a member that it does not list, or lists with another hash, was added or
changed afterwards.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
from collections.abc import Iterable, Mapping

from pip_warden.artifact.problem import problem
from pip_warden.faults import FaultError
from pip_warden.values import dataclass

LARGEST_RECORD = 64 << 20
"""Bytes."""
_ALGORITHMS = {"sha256": 32, "sha384": 48, "sha512": 64}
"""SHA-256 or better, as the specification requires, with the number of bytes of each."""
_SIZE = re.compile(r"[0-9]{1,15}", re.ASCII)
_BASE64 = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """What RECORD says of one member.

    Attributes:
        algorithm: ``"sha256"``, ``"sha384"`` or ``"sha512"``.
        digest: The hash.
        size: Bytes; None where not stated.
    """

    algorithm: str
    digest: bytes
    size: int | None

    def check(self, name: str, pieces: Iterable[bytes]) -> None:
        """Hash a member's content and compare.

        Raises:
            FaultError: ``record-mismatch``.
        """
        state, size = hashlib.new(self.algorithm), 0
        for piece in pieces:
            state.update(piece)
            size += len(piece)
        if state.digest() != self.digest or self.size not in {None, size}:
            raise _mismatch(f"{name!r} with another content")


def read_record(raw: bytes, unhashed: frozenset[str]) -> Mapping[str, Row | None]:
    """Read RECORD.

    Args:
        raw: The file.
        unhashed: Members that may have no hash: RECORD itself and its signatures, which are made after it.

    Returns:
        The row of each path; None for a row without a hash.

    Raises:
        FaultError: ``record-mismatch``.
    """
    try:
        rows = csv.reader(io.StringIO(raw.decode("utf-8"), newline=""), strict=True)
        found: dict[str, Row | None] = {}
        for row in rows:
            if len(row) != 3 or row[0] in found:
                raise _mismatch(f"a malformed or repeated line, {','.join(row)[:200]!r}")
            found[row[0]] = None if row[0] in unhashed and not row[1] else read_row(*row)
    except (UnicodeDecodeError, csv.Error) as err:
        raise _mismatch(str(err)) from err
    return found


def check_listing(recorded: Iterable[str], present: Iterable[str], unhashed: frozenset[str]) -> None:
    """Check that RECORD and the archive list the same files.

    Raises:
        FaultError: ``record-mismatch``.
    """
    listed, there = set(recorded), set(present)
    for name in sorted(listed - there):
        raise _mismatch(f"{name!r} in RECORD only")
    for name in sorted(there - listed - unhashed):
        raise _mismatch(f"{name!r} in the archive only")


def read_row(name: str, hashed: str, size: str) -> Row:
    """Read what a line says of one file.

    Raises:
        FaultError: ``record-mismatch``.
    """
    algorithm, _, encoded = hashed.partition("=")
    length = _ALGORITHMS.get(algorithm)
    if length is None or not _BASE64.fullmatch(encoded) or len(encoded) != -(-length * 4 // 3):
        raise _mismatch(f"{name!r} without a SHA-256 or better, as unpadded base64url")
    if size and not _SIZE.fullmatch(size):
        raise _mismatch(f"{name!r} with the size {size[:40]!r}")
    digest = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    return Row(algorithm=algorithm, digest=digest, size=int(size) if size else None)


def _mismatch(found: str) -> FaultError:
    return problem(
        "record-mismatch",
        "a RECORD that lists exactly the wheel's files with their hashes",
        found,
        hint="The wheel was changed after it was built, or its build tool is at fault. "
        "Do not use it; tell the publisher.",
    )
