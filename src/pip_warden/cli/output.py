"""Where output goes: data on stdout, talk on stderr, and one line of progress on a terminal."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import IO, Any, Self

from pip_warden.cli.stream import OutputStream
from pip_warden.cli.style import layout_of, text_columns
from pip_warden.display import escape_text
from pip_warden.events import Reporter

_REDRAWN_EVERY = 0.1
"""Seconds between two drawings of the line of progress."""

_WIDE_ENOUGH = 40
"""Columns of a terminal that also has room for how far a transfer is."""


class Console(Reporter):
    """Tells what happens, on stderr: notes as lines, progress as one line that is redrawn on a terminal.

    Args:
        verbose: Also tell each step.
        quiet: 1: no notes and no progress; 2: no warnings either.
        stream: Where it is told; standard error by default.
        monotonic: Seconds that only grow.
        live: Whether progress may be drawn: not where another program has the terminal, too.

    Attributes:
        quiet: As given.
    """

    def __init__(
        self,
        *,
        verbose: bool = False,
        quiet: int = 0,
        stream: IO[str] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        live: bool = True,
    ) -> None:
        self.quiet = quiet
        self._stream = sys.stderr if stream is None else stream
        self._layout = layout_of(self._stream)
        self._verbose = verbose
        self._live = live and not quiet and _can_redraw(self._stream)
        self._lock = threading.Lock()
        self._monotonic = monotonic
        self._started = monotonic()
        self._drawn_at = float("-inf")
        self._is_drawn = False

    @classmethod
    def of(cls, options: Mapping[str, Any], *, live: bool = True) -> Self:
        """Read the values of :func:`~pip_warden.cli.common.connection_options`."""
        louder = int(options["verbose"]) - int(options["quiet"])
        return cls(verbose=louder > 0, quiet=max(0, -louder), live=live)

    @property
    def seconds(self) -> float:
        """How long the run has taken so far."""
        return self._monotonic() - self._started

    def note(self, message: str) -> None:
        """Print a note."""
        if not self.quiet:
            self._line("note: ", escape_text(message, 1000), "quiet")

    def warning(self, message: str) -> None:
        """Print a warning; it takes two ``-q`` to silence it."""
        if self.quiet < 2:
            self._line("warning: ", escape_text(message, 1000), "unknown")

    def step(self, message: str) -> None:
        """Redraw what is being done; with ``--verbose`` a line each."""
        if self._verbose:
            self._line("", escape_text(message), "quiet")
        else:
            self._redraw(message, "")

    def detail(self, message: str) -> None:
        """Print what only ``--verbose`` asks for."""
        if self._verbose:
            self._line("", escape_text(message, 1000), "quiet")

    def transfer(self, what: str, done: int, total: int | None) -> None:
        """Redraw the progress of a transfer."""
        if not self._live:
            return
        from pip_warden.report.figures import size

        share = f"{done / total:4.0%} of {size(total)}" if total else size(done)
        self._redraw(f"  {what}", f"  {share}")

    def transfer_done(self, what: str) -> None:
        """Clear the progress line."""
        self.clear()
        if self._verbose:
            self._line("fetched ", escape_text(what), "quiet")

    def clear(self) -> None:
        """Remove the line that is redrawn."""
        with self._lock:
            if self._is_drawn:
                self._erase()
                self._stream.flush()
                self._is_drawn = False

    def _redraw(self, text: str, share: str) -> None:
        """Draw the line of progress, unless it was drawn a moment ago.

        Args:
            text: What is being done; cut where the line would be too long.
            share: How far it is; it is shown whole.
        """
        if not self._live:
            return
        with self._lock:
            now = self._monotonic()
            if now - self._drawn_at < _REDRAWN_EVERY:
                return
            self._drawn_at, self._is_drawn = now, True
            self._erase()
            self._stream.write(self._layout.style(_fitted(text, share, text_columns(self._stream)), "quiet"))
            self._stream.flush()

    def _erase(self) -> None:
        """Go back to the beginning of the line and empty it; nothing else that is printed may."""
        if isinstance(self._stream, OutputStream):
            self._stream.control("\r\x1b[K")
        else:
            self._stream.write("\r\x1b[K")

    def _line(self, label: str, text: str, role: str) -> None:
        self.clear()
        said = (
            self._layout.labelled((label, role), text, hang=2) if label else self._layout.line((text, role))
        )
        print("\n".join(said), file=self._stream)


def _fitted(text: str, share: str, columns: int) -> str:
    """Return a line of progress that is not wider than a terminal.

    Its last column stays empty: some terminals begin a new line once it is filled.
    """
    from rich.cells import chop_cells

    if columns < _WIDE_ENOUGH:
        share = ""
    width = columns - 1 - len(share)
    text = escape_text(text, 1000)
    if len(chop_cells(text, width)) > 1:
        text = chop_cells(text, width - 1)[0] + "…"
    return text + share


def _can_redraw(stream: IO[str]) -> bool:
    """Return whether a line can be redrawn: on a terminal, and not in the log of a CI job."""
    return stream.isatty() and os.environ.get("TERM") != "dumb" and not is_ci_job()


def is_ci_job() -> bool:
    """Return whether this is a job of a CI system, where nobody answers."""
    return os.environ.get("CI", "").lower() not in {"", "0", "false"}
