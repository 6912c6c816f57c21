"""Reads response bodies within a limit and before the deadline: into memory, or into a file."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import BinaryIO

from pip_warden.digests import Hasher
from pip_warden.errors import NetworkError
from pip_warden.events import Reporter
from pip_warden.transport.bodies import CHUNK, promised_length, storing, timed_out, too_large
from pip_warden.transport.exchange import OpenResponse
from pip_warden.transport.failures import converted, located
from pip_warden.transport.responses import Download, Response
from pip_warden.transport.speculation import current

MOST_EXPLAINED = 64 << 10
"""Bytes kept of a failure's body, which is only shown."""
_PIECE = 1 << 18
"""Bytes of a file that are read at once, if so many are there: each piece costs, whatever its size."""


def read_reply(answer: OpenResponse, max_bytes: int) -> Response:
    """Read a body into memory; of a failure's, which is only shown, the beginning is enough.

    Raises:
        NetworkError: It is too large, breaks off, or passes the deadline.
    """
    is_failure = answer.response.status_code >= 400
    most = MOST_EXPLAINED if is_failure else max_bytes
    body = bytearray()
    for chunk in _chunks(answer, decode=True):
        body += chunk
        if len(body) > most:
            if is_failure:
                break
            raise too_large(located(answer.what, answer.url), most)
    return Response(
        status=answer.response.status_code,
        url=answer.url,
        headers=MappingProxyType({name.lower(): value for name, value in answer.response.headers.items()}),
        body=bytes(body[:most]),
        sent_credentials=answer.auth is not None,
        secrets=() if answer.auth is None else answer.auth.secrets,
        left_origin=answer.left_origin,
    )


def write_file(
    answer: OpenResponse, to: BinaryIO, *, start: int, max_bytes: int, reporter: Reporter
) -> Download:
    """Write a body as it arrives, without decoding, and hash what is written.

    Args:
        answer: The response.
        to: Seekable and writable.
        start: Where the body begins in it; what follows is truncated first.
        max_bytes: The largest body.
        reporter: Receives the progress.

    Raises:
        NetworkError: It is too large, breaks off, passes the deadline, or is shorter than its length says
            (``truncated``).
        UndecidedError: ``cannot-store``: it cannot be written.
    """
    total = promised_length(answer.response)
    if total is not None and total > max_bytes:
        raise too_large(located(answer.what, answer.url), max_bytes)
    hasher, size = Hasher(), 0
    with storing(answer.what):
        to.seek(start)
        to.truncate(start)
    for chunk in _chunks(answer, decode=False, most=_PIECE):
        size += len(chunk)
        if size > max_bytes:
            raise too_large(located(answer.what, answer.url), max_bytes)
        hasher.update(chunk)
        with storing(answer.what):
            to.write(chunk)
        reporter.transfer(answer.what, size, total)
    if total is not None and size != total:
        raise NetworkError(
            "truncated",
            f"expected {total} bytes of {located(answer.what, answer.url)}, found {size}",
            hint="Try again.",
        )
    return Download(url=answer.url, digest=hasher.digest(), size=size)


def _chunks(answer: OpenResponse, *, decode: bool, most: int = CHUNK) -> Iterator[bytes]:
    """Read a body piece by piece as it arrives, so that a server that drips cannot outlast the deadline."""
    guess = current()
    while True:
        with converted(answer.what, answer.url):
            chunk = answer.response.raw.read1(most, decode_content=decode)
        if not chunk:
            return
        if answer.budget.left <= 0:
            raise timed_out(answer.what, answer.url)
        if guess is not None:
            guess.spend(len(chunk))
        yield chunk
