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

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import IO, ParamSpec, TextIO, cast

from pip_warden.cli.color import wants_color
from pip_warden.cli.stream import OutputStream
from pip_warden.errors import DeliveryError

P = ParamSpec("P")


def delivering(run: Callable[P, int]) -> Callable[P, int]:
    """Wrap how commands are run: streams that take everything, and an exit code if something was not told."""

    @wraps(run)
    def delivered(*args: P.args, **options: P.kwargs) -> int:
        with _outlets() as (out, err):
            code = run(*args, **options)
            out.flush()
            error = not_told(out)
            if error is None:
                return code
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


def not_told(stream: IO[str] | OutputStream) -> DeliveryError | None:
    """Return the error of a stream that could not be written; None where it could, or its reader has gone."""
    if not isinstance(stream, OutputStream) or stream.failure is None or stream.was_left:
        return None
    failure = stream.failure
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
