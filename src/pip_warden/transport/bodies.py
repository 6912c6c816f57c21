"""What response bodies need: their promised length, their limits, and a place to write them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO

import requests

from pip_warden.errors import NetworkError, UndecidedError
from pip_warden.events import Reporter
from pip_warden.transport.failures import converted, located

if TYPE_CHECKING:
    from requests_toolbelt import MultipartEncoder

CHUNK = 1 << 16
"""Bytes read at once."""


class FileBody:
    """A file that is sent: read piece by piece, never as a whole, with progress reported."""

    def __init__(self, content: BinaryIO, what: str, reporter: Reporter) -> None:
        self._content = content
        self._what = what
        self._reporter = reporter
        self._size = content.seek(0, 2)
        self._done = 0
        content.seek(0)

    @property
    def len(self) -> int:
        """Return how many bytes are left; requests and its multipart encoder read it."""
        return self._size - self._done

    def read(self, count: int = -1) -> bytes:
        """Return the next piece; a read without a count returns one piece too."""
        piece = self._content.read(CHUNK if count < 0 else count)
        self._done += len(piece)
        self._reporter.transfer(self._what, self._done, self._size)
        return piece

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self.read(CHUNK), b"")


def form(fields: Sequence[tuple[str, str]], filename: str, content: FileBody) -> MultipartEncoder:
    """Build a form with one file, its part ``content``."""
    from requests_toolbelt import MultipartEncoder

    parts = [*fields, ("content", (filename, content, "application/octet-stream"))]
    return MultipartEncoder(parts)  # type: ignore[no-untyped-call]  # the library has no types


def drain(response: requests.Response, url: str) -> None:
    """Read the short body of a redirect, so its connection can be reused; a long one closes it."""
    length = promised_length(response)
    if length is not None and length <= CHUNK:
        with converted("the body of a redirect", url):
            response.raw.read(decode_content=False)


def promised_length(response: requests.Response) -> int | None:
    """Return ``Content-Length``, None where it is not given."""
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


def timed_out(what: str, url: str = "") -> NetworkError:
    """Build the error for a passed deadline.

    Args:
        what: What was requested, for people.
        url: Its URL, unless ``what`` is the URL.
    """
    return NetworkError(
        "timed-out",
        f"expected {located(what, url)} before the deadline, found it unfinished",
        hint="Try again when the registry or the network is faster.",
    )
