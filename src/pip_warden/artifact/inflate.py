"""Deflate streams (RFC 1951), unpacked in constant memory and to their exact end."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import BinaryIO

from pip_warden.artifact.limits import CHUNK
from pip_warden.artifact.problem import problem


def inflate(stream: BinaryIO, packed: int, code: str) -> Iterator[bytes]:
    """Unpack a raw deflate stream that must have exactly ``packed`` bytes.

    Args:
        stream: At the start of the deflate stream.
        packed: Its length in bytes.
        code: The code of the fault.

    Yields:
        Pieces of at most :data:`CHUNK` bytes, never empty.

    Raises:
        FaultError: It is not a deflate stream, is cut off, or ends early.
    """
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    data, piece = b"", b""
    while not inflater.eof:
        if not data and len(piece) < CHUNK:
            data = stream.read(min(packed, CHUNK))
            if not data:
                raise problem(code, "whole compressed data", "data that is cut off")
            packed -= len(data)
        try:
            piece = inflater.decompress(data, CHUNK)
        except zlib.error as err:
            raise problem(code, "deflated data", str(err)) from err
        data = inflater.unconsumed_tail
        if piece:
            yield piece
    if inflater.unused_data or packed:
        raise problem(code, "compressed data that ends where it should", "further bytes behind it")
