"""What the bodies of answers need: their promised length, their limits, and a place to write them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import requests

from pip_warden.errors import NetworkError, UndecidedError
from pip_warden.transport.failures import converted

CHUNK = 1 << 16
"""Bytes read at once."""


def drain(response: requests.Response) -> None:
    """Read the short body of a redirect, so that its connection can serve again; a long one costs the connection."""
    length = promised_length(response)
    if length is not None and length <= CHUNK:
        with converted("the body of a redirect"):
            response.raw.read(decode_content=False)


def promised_length(response: requests.Response) -> int | None:
    """Return ``Content-Length``, None where it is not said."""
    text = response.headers.get("Content-Length", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 20 else None


@contextmanager
def storing(what: str) -> Iterator[None]:
    """Convert failures of writing.

    Raises:
        UndecidedError: ``cannot-store``.
    """
    try:
        yield
    except OSError as err:
        raise UndecidedError(
            "cannot-store",
            f"expected to store {what}, found: {err.strerror or type(err).__name__}",
            hint="Is the disk full?",
        ) from err


def too_large(what: str, max_bytes: int) -> NetworkError:
    """Build the error for a body over its limit."""
    return NetworkError("too-large", f"expected at most {max_bytes} bytes of {what}, found more")


def timed_out(what: str) -> NetworkError:
    """Build the error for a passed deadline."""
    return NetworkError(
        "timed-out",
        f"expected {what} before the deadline, found it unfinished",
        hint="Try again; `--timeout` allows more time.",
    )
