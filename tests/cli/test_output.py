"""T68: messages during a run are escaped where they are written, whatever is escaped further down."""

from __future__ import annotations

import io
import itertools
import re

import pytest

from pip_warden.cli.output import Console

EVIL = "a\x1b[2Jb\rc\u202ed\n✓ other.whl accepted"
HIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]")


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("tell", [Console.note, Console.warning, Console.step, Console.transfer_done])
def test_t68_what_is_told_is_escaped(tell: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    stream = io.StringIO()
    tell(Console(verbose=True, stream=stream), EVIL)  # type: ignore[operator]  # a method of one text
    text = stream.getvalue()

    assert "other.whl" in text
    assert not HIDDEN.search(text)
    assert text.count("\n") == 1


def test_t68_what_is_redrawn_is_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("CI", raising=False)
    stream = Terminal()
    console = Console(stream=stream, monotonic=itertools.count().__next__)
    console.step(EVIL)
    console.transfer(EVIL, 1, 2)
    text = stream.getvalue().replace("\r\x1b[K", "")

    assert text.count("other.whl") == 2
    assert not HIDDEN.search(text)
    assert "\n" not in text


def test_a_warning_is_told_even_to_whoever_wants_no_notes() -> None:
    stream = io.StringIO()
    console = Console(quiet=True, stream=stream)
    console.note("a note")
    console.warning("look here")

    assert stream.getvalue().splitlines() == ["warning: look here"]
