"""The output lines of a child, which runs untrusted code: each of bounded length, whatever it writes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BufferedReader

LONGEST = 1 << 14
"""Bytes of a line that are kept; the rest is dropped as it arrives, and replaced by ``…``."""

_PIECE = 1 << 16
_ENDS = re.compile(rb"\r\n|\n|\r")


def lines_of(stream: BufferedReader) -> Iterator[str]:
    """Yield each line as soon as it has ended, without its end.

    A carriage return ends a line too: shown as it is, it would overwrite earlier output. Bytes that are not
    UTF-8 are escaped.
    """
    line, is_half = b"", False
    while piece := stream.read1(_PIECE):
        if is_half and piece.startswith(b"\n"):
            # The LF of a CR LF that was split between two pieces.
            piece = piece[1:]
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
