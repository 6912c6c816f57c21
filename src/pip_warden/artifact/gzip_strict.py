"""Strict reader of gzip files: one member, and nothing that another reader could misread (RFC 1952)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from pip_warden.artifact.inflate import inflate
from pip_warden.artifact.limits import most_unpacked
from pip_warden.artifact.problem import problem
from pip_warden.artifact.zip_headers import END_SIGNATURE
from pip_warden.faults import FaultError

_HEADER = struct.Struct("<2s2BL2B")
_TRAILER = struct.Struct("<2L")
_TEXT, _NAMED = 0x1, 0x8
_LONGEST_NAME = 1024
_ZIP_TAIL = 22 + 0xFFFF
"""Where a ZIP reader looks for an end record: its 22 bytes and the longest comment."""


def gunzip(stream: BinaryIO, size: int) -> Iterator[bytes]:
    """Unpack a gzip file of ``size`` bytes in pieces.

    Raises:
        FaultError: ``wrong-file-type``, ``malformed-sdist`` or ``archive-too-large``.
    """
    _check_no_zip(stream, size)
    stream.seek(0)
    begins = _read_header(stream)
    packed = size - begins - _TRAILER.size
    if packed <= 0:
        raise _bad("a file that is cut off")
    crc, length = 0, 0
    for piece in inflate(stream, packed, "malformed-sdist"):
        crc, length = zlib.crc32(piece, crc), length + len(piece)
        if length > most_unpacked(size):
            raise problem(
                "archive-too-large", f"at most {most_unpacked(size)} bytes unpacked from {size}", "more"
            )
        yield piece
    raw = stream.read(_TRAILER.size + 1)
    if len(raw) != _TRAILER.size or _TRAILER.unpack(raw) != (crc, length & 0xFFFFFFFF):
        raise _bad("another CRC or length than stated, or further bytes")


def _read_header(stream: BinaryIO) -> int:
    """Check the header and return its length; build tools write no optional field but the original name."""
    raw = stream.read(_HEADER.size)
    if len(raw) != _HEADER.size or not raw.startswith(b"\x1f\x8b\x08"):
        raise _wrong_type(f"a file that begins with {raw[:4].hex(' ') or 'nothing'}")
    flags = raw[3]
    if flags & ~(_TEXT | _NAMED):
        raise _bad("extra fields, a comment or a header checksum")
    if not flags & _NAMED:
        return _HEADER.size
    name, end, _ = stream.read(_LONGEST_NAME).partition(b"\0")
    if not end:
        raise _bad("an original name without an end")
    stream.seek(_HEADER.size + len(name) + 1)
    return stream.tell()


def _check_no_zip(stream: BinaryIO, size: int) -> None:
    """Check that a ZIP reader, which starts from the end, finds nothing (T41, CVE-2026-3219)."""
    stream.seek(max(0, size - _ZIP_TAIL))
    if END_SIGNATURE in stream.read(_ZIP_TAIL):
        raise _wrong_type("a file that a ZIP reader takes for a ZIP file")


def _wrong_type(found: str) -> FaultError:
    return problem(
        "wrong-file-type",
        "a gzip file and nothing else, as the suffix .tar.gz says",
        found,
        hint="Readers could disagree about what is in it, so it is not used.",
    )


def _bad(found: str) -> FaultError:
    return problem(
        "malformed-sdist",
        "one plain gzip member that ends with the file",
        found,
        hint="Readers could disagree about what is in it, so it is not used. "
        "Ask its publisher to build it again.",
    )
