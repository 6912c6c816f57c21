"""The line of progress: as wide as the terminal, and drawn at most ten times a second."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.cells import cell_len

from cli.terminal import Terminal
from pip_warden.cli.output import Console

_ERASE = "\r\x1b[K"
_CHUNK = 1 << 16


class Ticking:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def terminal(alone: Path, monkeypatch: pytest.MonkeyPatch) -> Terminal:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    return Terminal()


def transfer(console: Console, clock: Ticking, size: int, seconds: float, what: str = "a.whl") -> None:
    """Receive a file, evenly."""
    for done in range(_CHUNK, size + 1, _CHUNK):
        clock.now += seconds * _CHUNK / size
        console.transfer(what, done, size)
    console.transfer_done(what)


def drawn(stream: io.StringIO) -> list[str]:
    return [part for part in stream.getvalue().split(_ERASE) if part]


@pytest.mark.parametrize("seconds", [0.5, 3, 30])
def test_it_is_drawn_at_most_ten_times_a_second(terminal: Terminal, seconds: float) -> None:
    clock = Ticking()
    transfer(Console(stream=terminal, monotonic=clock), clock, 315_000_000, seconds)

    assert seconds * 9 <= len(drawn(terminal)) <= seconds * 10 + 1
    assert terminal.getvalue().endswith(_ERASE)


def test_many_small_files_are_no_more(terminal: Terminal) -> None:
    clock = Ticking()
    console = Console(stream=terminal, monotonic=clock)
    for number in range(1000):
        console.step(f"fetching {number}.whl")
        transfer(console, clock, 4 * _CHUNK, 0.01)

    assert len(drawn(terminal)) <= 101


@pytest.mark.parametrize("columns", [20, 60, 80, 120, 200])
@pytest.mark.parametrize("what", ["a.whl", "a" * 300, "漢字" * 100])
def test_it_is_as_wide_as_the_terminal(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, columns: int, what: str
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    clock = Ticking()
    console = Console(stream=terminal, monotonic=clock)
    for total in (None, 315_000_000):
        clock.now += 1
        console.transfer(what, 150_000_000, total)
    clock.now += 1
    console.step(f"fetching {what}")

    assert len(drawn(terminal)) == 3
    assert all(cell_len(line) < columns for line in drawn(terminal))
    if columns > 20:
        assert drawn(terminal)[0].endswith("  150.0 MB")
        assert drawn(terminal)[1].endswith("   48% of 315.0 MB")
    if what == "a" * 300:
        assert drawn(terminal)[2].endswith("…")


@pytest.mark.parametrize(
    ("name", "value", "is_drawn"),
    [
        ("CI", "true", False),
        ("CI", "1", False),
        ("CI", "false", True),
        ("CI", "", True),
        ("TERM", "dumb", False),
    ],
)
def test_it_is_drawn_for_people_alone(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, name: str, value: str, is_drawn: bool
) -> None:
    monkeypatch.setenv(name, value)
    Console(stream=terminal).transfer("a.whl", 1, 2)

    assert bool(terminal.getvalue()) is is_drawn


def test_nor_in_a_pipe_or_where_quiet_is_wanted(terminal: Terminal) -> None:
    pipe = io.StringIO()
    Console(stream=pipe).transfer("a.whl", 1, 2)
    Console(stream=terminal, quiet=1).transfer("a.whl", 1, 2)

    assert pipe.getvalue() == terminal.getvalue() == ""


def test_a_note_takes_its_place(terminal: Terminal) -> None:
    console = Console(stream=terminal)
    console.step("looking")
    console.note("found")

    assert terminal.getvalue() == f"{_ERASE}looking{_ERASE}note: found\n"


def test_the_time_of_a_run_is_what_the_clock_says() -> None:
    clock = Ticking()
    console = Console(stream=io.StringIO(), monotonic=clock)
    clock.now += 1.5

    assert console.seconds == 1.5


@pytest.mark.parametrize(
    ("verbose", "quiet", "told"),
    [
        (0, 0, ["note: n", "warning: w"]),
        (1, 0, ["note: n", "warning: w", "s"]),
        (0, 1, ["warning: w"]),
        (0, 2, []),
        (1, 1, ["note: n", "warning: w"]),
        (1, 3, []),
    ],
)
def test_what_quiet_and_verbose_tell(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch, verbose: int, quiet: int, told: list[str]
) -> None:
    err = io.StringIO()
    monkeypatch.setattr("sys.stderr", err)
    console = Console.of({"verbose": verbose, "quiet": quiet})
    console.note("n")
    console.warning("w")
    console.step("s")

    assert err.getvalue().splitlines() == told
