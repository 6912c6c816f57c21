"""A text stream that never fails; where its text goes instead says :mod:`pip_warden.cli.delivery`."""

from __future__ import annotations

import io
import os
from contextlib import suppress
from typing import IO, cast

from pip_warden.cli.color import wants_color
from pip_warden.display import escape_output


class OutputStream(io.TextIOBase):
    """A text stream that takes everything and never fails; each line is sent on at once.

    Args:
        stream: Where it goes; None for a stream that was closed before we began.
        instead: Where it goes from the moment on in which that fails; None for nowhere.

    Attributes:
        failure: What the stream failed with; None while it did not.
        is_coloured: Whether colours are let through; everything else is always escaped.
    """

    def __init__(self, stream: IO[str] | None, instead: OutputStream | None = None) -> None:
        self._stream = stream
        self._instead = instead
        self._waiting = ""
        self.failure: OSError | ValueError | None = None
        self.is_coloured = wants_color("auto", is_terminal=self.isatty())
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")

    @property
    def was_left(self) -> bool:
        """Whether its reader has gone."""
        return isinstance(self.failure, ConnectionError)

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Return the stream's encoding, for whoever draws by it."""
        return getattr(self._stream, "encoding", None) or "utf-8"

    @property
    def errors(self) -> str:  # type: ignore[override]
        """Return what becomes of characters that it cannot show."""
        return "backslashreplace"

    def isatty(self) -> bool:
        """Return whether it is a terminal."""
        return self.failure is None and self._stream is not None and self._stream.isatty()

    def fileno(self) -> int:
        """Return its descriptor, for those who ask a terminal something."""
        if self._stream is None:
            raise io.UnsupportedOperation("fileno")
        return self._stream.fileno()

    def writable(self) -> bool:
        """Return True: it can be written to."""
        return True

    def write(self, text: str, /) -> int:
        """Write; what fails goes elsewhere, or nowhere."""
        if self._stream is None or self.failure is not None:
            self._pass_on(text)
            return len(text)
        self._waiting += text
        try:
            self._stream.write(escape_output(text, coloured=self.is_coloured))
            if "\n" in text:
                self._send()
        except (OSError, ValueError) as err:
            self._fail(err)
        return len(text)

    def control(self, sequence: str) -> None:
        """Write to a terminal what it shall do; everything else is shown and never done."""
        if self.isatty():
            with suppress(OSError, ValueError):
                cast("IO[str]", self._stream).write(sequence)

    def flush(self) -> None:
        """Send on what was written."""
        if self._stream is None or self.failure is not None:
            return
        try:
            self._send()
        except (OSError, ValueError) as err:
            self._fail(err)

    def _send(self) -> None:
        assert self._stream is not None  # noqa: S101 -- both callers have looked
        self._stream.flush()
        self._waiting = ""

    def _fail(self, err: OSError | ValueError) -> None:
        waiting, self._waiting = self._waiting, ""
        self.failure = err
        with suppress(OSError, ValueError, AttributeError):
            # The stream still holds what it could not write. The interpreter flushes it at its end, and
            # would exit with a code of its own.
            _point_nowhere(cast("IO[str]", self._stream).fileno())
        self._pass_on(waiting)

    def _pass_on(self, text: str) -> None:
        if self._instead is not None and not self.was_left:
            self._instead.write(text)


def _point_nowhere(number: int) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.dup2(nowhere, number)
    finally:
        os.close(nowhere)
