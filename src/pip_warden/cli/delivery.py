"""How what is printed gets out.

Nothing in it drives a terminal, and nothing that happens to a stream may change what was decided, or hide it.

===================================  ===================================  ============================
standard output                      what is printed there                exit code
===================================  ===================================  ============================
was closed from the start (``>&-``)  goes to standard error               the verdict's
is full, or breaks                   goes to standard error from then on  the verdict's; 4 instead of 0
is left by its reader (``| head``)   is dropped; a verdict goes to        the verdict's
                                     standard error
cannot show a character (not UTF-8)  has it escaped                       the verdict's
===================================  ===================================  ============================

A reader that leaves is no failure: the run goes on to its end, since an installation that stops halfway is
worse than one that nobody watches. Where standard error is gone too, only the exit code is left.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import wraps
from typing import IO, ParamSpec, TextIO, cast

from pip_warden.cli.color import wants_color
from pip_warden.display import tame
from pip_warden.errors import DeliveryError

P = ParamSpec("P")


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
            self._stream.write(tame(text, coloured=self.is_coloured))
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


def delivering(run: Callable[P, int]) -> Callable[P, int]:
    """Wrap how commands are run: streams that take everything, and an exit code if something was not told."""

    @wraps(run)
    def delivered(*args: P.args, **options: P.kwargs) -> int:
        with _outlets() as (out, err):
            code = run(*args, **options)
            out.flush()
            if out.failure is None or out.was_left:
                return code
            error = _not_told(out.failure)
            _tell(error, err)
            return code or error.exit_code

    return delivered


def choose_color(asked: str) -> None:
    """Have the standard streams coloured as the arguments ask.

    Args:
        asked: ``auto``, ``always`` or ``never``.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, OutputStream):
            stream.is_coloured = wants_color(asked, is_terminal=stream.isatty())


def was_left(stream: IO[str]) -> bool:
    """Return whether the reader of a standard stream has gone, so that nobody read what was written there."""
    return isinstance(stream, OutputStream) and stream.was_left


@contextmanager
def _outlets() -> Iterator[tuple[OutputStream, OutputStream]]:
    _fill_standard_descriptors()
    before = sys.stdin, sys.stdout, sys.stderr
    err = OutputStream(sys.stderr)
    out = OutputStream(sys.stdout, err)
    with open(os.devnull, encoding="utf-8") as nothing:
        sys.stdin = sys.stdin or nothing
        sys.stdout, sys.stderr = cast("TextIO", out), cast("TextIO", err)
        try:
            yield out, err
        finally:
            sys.stdin, sys.stdout, sys.stderr = before


def _fill_standard_descriptors() -> None:
    """Open what was closed: a file of ours would take its place, and whatever is printed would go into it."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def _point_nowhere(number: int) -> None:
    nowhere = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.dup2(nowhere, number)
    finally:
        os.close(nowhere)


def _not_told(failure: OSError | ValueError) -> DeliveryError:
    reason = failure.strerror if isinstance(failure, OSError) else None
    return DeliveryError(
        "not-told",
        f"expected to write the outcome to standard output, found: {reason or type(failure).__name__}",
        hint="It stands above, on standard error. What was decided and done is unchanged by this.",
    )


def _tell(error: DeliveryError, err: OutputStream) -> None:
    from pip_warden.cli.style import layout_of
    from pip_warden.report import text

    print(text.render_error(error, layout_of(cast("IO[str]", err))), file=err)
