"""Where output goes: data on stdout, talk on stderr, colour only for a terminal that wants it."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Mapping, Sequence
from typing import IO, Any, Self

from pip_warden.cli.delivery import OutputStream
from pip_warden.cli.style import console_style
from pip_warden.display import shown
from pip_warden.events import Reporter


def wants_json(words: Sequence[str]) -> bool:
    """Tell whether the arguments ask for JSON, also when they cannot be parsed."""
    asked = [word for word in words if word.startswith("--format=")]
    asked += [f"--format={after}" for word, after in itertools.pairwise(words) if word == "--format"]
    return bool(asked) and asked[-1] == "--format=json"


class Console(Reporter):
    """Tells people what happens, on stderr: notes as lines, transfers as one line that is redrawn on a terminal."""

    def __init__(self, *, verbose: bool = False, quiet: bool = False, stream: IO[str] | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._style = console_style(self._stream)
        self._verbose = verbose
        self._quiet = quiet
        self._live = self._stream.isatty() and not quiet
        self._drawn = False

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Self:
        """Read the values of :func:`~pip_warden.cli.common.connection_options`."""
        return cls(verbose=bool(options["verbose"]), quiet=bool(options["quiet"]))

    def note(self, message: str) -> None:
        """Print a note."""
        if not self._quiet:
            self._line(f"{self._style('note', 'quiet')}: {shown(message, 1000)}")

    def warning(self, message: str) -> None:
        """Print a warning; quiet does not silence it."""
        self._line(f"{self._style('warning', 'unknown')}: {shown(message, 1000)}")

    def step(self, message: str) -> None:
        """Redraw what is being done; with ``--verbose`` a line each."""
        if self._verbose:
            self._line(self._style(shown(message), "quiet"))
        elif self._live:
            self._redraw(message)

    def transfer(self, what: str, done: int, total: int | None) -> None:
        """Redraw the progress of a transfer."""
        if self._live:
            share = f"{done / total:4.0%} of {_size(total)}" if total else _size(done)
            self._redraw(f"  {what}  {share}")

    def transfer_done(self, what: str) -> None:
        """Clear the progress line."""
        self.clear()
        if self._verbose:
            self._line(self._style(f"fetched {shown(what)}", "quiet"))

    def clear(self) -> None:
        """Remove the line that is redrawn."""
        if self._drawn:
            self._erase()
            self._stream.flush()
            self._drawn = False

    def _redraw(self, text: str) -> None:
        self._erase()
        self._stream.write(self._style(shown(text, 100), "quiet"))
        self._stream.flush()
        self._drawn = True

    def _erase(self) -> None:
        """Go back to the beginning of the line and empty it; nothing else that is printed may."""
        if isinstance(self._stream, OutputStream):
            self._stream.control("\r\x1b[K")
        else:
            self._stream.write("\r\x1b[K")

    def _line(self, text: str) -> None:
        self.clear()
        print(text, file=self._stream)


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1_000_000 else f"{count / 1e3:.0f} kB"
