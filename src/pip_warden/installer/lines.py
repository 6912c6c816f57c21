"""The lines of a child, which strangers' code writes: of bounded length, whatever it writes and however long it goes on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BufferedReader

LONGEST = 1 << 14
"""Bytes of a line that are kept; the rest of it is dropped as it comes, and ``…`` stands for it."""

_PIECE = 1 << 16
_ENDS = re.compile(rb"\r\n|\n|\r")


def lines_of(stream: BufferedReader) -> Iterator[str]:
    """Yield each line as soon as it has ended, without its end.

    A carriage return ends a line too: whoever shows it must not let it go back over what stands there. Bytes that are not UTF-8 are escaped.
    """
    line, is_half = b"", False
    while piece := stream.read1(_PIECE):
        if is_half and piece.startswith(b"\n"):
            piece = piece[1:]  # the second half of an end whose first was the last byte of the piece before
        is_half = piece.endswith(b"\r")
        *ended, rest = _ENDS.split(piece)
        for part in ended:
            yield _text(line + part)
            line = b""
        line = (line + rest)[: LONGEST + 1]
    if line:
        yield _text(line)


def _text(line: bytes) -> str:
    text = line[:LONGEST].decode("utf-8", "backslashreplace")
    return text if len(line) <= LONGEST else text + "…"
