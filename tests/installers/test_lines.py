"""B20: the output lines of a child, which may write anything, without end."""

from __future__ import annotations

import io
import re
import tracemalloc
from collections.abc import Iterable, Iterator
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from pip_warden.installer.lines import LONGEST, lines_of


class Pieces(io.RawIOBase):
    """A pipe that yields exactly these pieces, one with each read."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces: Iterator[bytes] = iter(pieces)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        piece = next(self._pieces, b"")
        memoryview(buffer)[: len(piece)] = piece
        return len(piece)


def lines(*pieces: bytes) -> list[str]:
    return list(lines_of(io.BufferedReader(Pieces(pieces))))


@given(st.lists(st.text(alphabet="ab\r\n\x1bé").map(str.encode).filter(bool)))
@example([b"a\r", b"\nb"])
@example([b"a\r", b"\n", b"\n"])
@example([b"\xc3", b"\xa9"])
def test_b20_lines_are_the_same_however_they_come(pieces: list[bytes]) -> None:
    whole = re.split(rb"\r\n|\n|\r", b"".join(pieces))
    expected = [line.decode(errors="backslashreplace") for line in whole]
    assert lines(*pieces) == (expected if expected[-1] else expected[:-1])


def test_b20_bytes_that_are_no_text() -> None:
    assert lines(b"a\xff\xfeb\n\x80") == ["a\\xff\\xfeb", "\\x80"]


def test_b20_a_long_line_is_cut_and_the_next_is_whole() -> None:
    longest = "a" * LONGEST
    assert lines(b"a" * LONGEST + b"\nb\n") == [longest, "b"]
    assert lines(b"a" * LONGEST, b"a\nb\n") == [longest + "…", "b"]
    assert lines(b"a" * 1000, *[b"a" * 60_000] * 9, b"\nb") == [longest + "…", "b"]


def test_b20_a_hundred_megabytes_without_a_line_take_no_memory() -> None:
    tracemalloc.start()
    try:
        found = list(lines_of(io.BufferedReader(Pieces(b"x" * 65_536 for _ in range(2_048)))))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [len(line) for line in found] == [LONGEST + 1]
    assert peak < 2 << 20, peak
