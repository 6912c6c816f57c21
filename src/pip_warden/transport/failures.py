"""Converts foreign network exceptions into ours.

Their texts are not repeated: they may hold URLs with signed queries and proxies' passwords.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

import urllib3.exceptions as urllib3_errors

from pip_warden.display import escape_text
from pip_warden.errors import NetworkError
from pip_warden.transport.urls import redacted_url

TRANSIENT = frozenset({"unreachable", "timed-out", "truncated"})
"""Codes of failures for which another try may succeed."""

FOREIGN = (urllib3_errors.HTTPError, http.client.HTTPException, OSError, ValueError)
"""What requests (whose exceptions are OSError), urllib3 and the standard library raise."""


@contextmanager
def converted(what: str, url: str = "") -> Iterator[None]:
    """Convert every foreign exception.

    Args:
        what: What was requested, for people.
        url: Its URL, unless ``what`` is the URL.

    Raises:
        NetworkError: ``tls-failed``, ``timed-out``, ``truncated`` or ``unreachable``.
    """
    try:
        yield
    except FOREIGN as err:
        raise _convert(err, located(what, url)) from err


def located(what: str, url: str) -> str:
    """Name what was requested, with its URL as people may see it, unless that is its name already."""
    place = redacted_url(url) if url else ""
    return what if not place or place == what else f"{what} from {place}"


def _convert(err: BaseException, what: str) -> NetworkError:
    chain = list(_chain(err))
    if any(_is_tls(link) for link in chain):
        return NetworkError(
            "tls-failed",
            f"expected a trusted TLS connection for {what}, found: {_reason(chain)}",
            hint="If the server's certificate is from a private authority, name its CA file with `--cert`.",
        )
    if any(_is_timeout(link) for link in chain):
        return NetworkError(
            "timed-out",
            f"expected an answer in time for {what}, found {_silence(chain)}",
            hint="Try again; `--timeout` allows more time.",
        )
    if any(isinstance(link, (http.client.IncompleteRead, urllib3_errors.DecodeError)) for link in chain):
        return NetworkError(
            "truncated", f"expected the whole of {what}, found that the answer broke off", hint="Try again."
        )
    through = " through the proxy" if any(isinstance(x, urllib3_errors.ProxyError) for x in chain) else ""
    return NetworkError(
        "unreachable",
        f"expected an answer for {what}, found no connection{through}: {_reason(chain)}",
        hint="Check the network, the URL and the proxy variables.",
    )


def _chain(err: BaseException) -> Iterator[BaseException]:
    """Yield an exception, its causes and those in ``args`` and ``reason``; bounded and without repetition."""
    todo: list[BaseException] = [err]
    seen: set[int] = set()
    while todo and len(seen) < 50:
        link = todo.pop(0)
        if id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        inside = (link.__cause__, link.__context__, getattr(link, "reason", None), *link.args)
        todo.extend(part for part in inside if isinstance(part, BaseException))


def _is_tls(link: BaseException) -> bool:
    cut_off = (ssl.SSLEOFError, ssl.SSLZeroReturnError)
    return isinstance(link, ssl.SSLError) and not isinstance(link, (*cut_off, TimeoutError))


def _is_timeout(link: BaseException) -> bool:
    if isinstance(link, urllib3_errors.NewConnectionError):
        # A subclass of urllib3's timeout for historical reasons.
        return False
    return isinstance(link, (TimeoutError, urllib3_errors.TimeoutError))


def _silence(chain: list[BaseException]) -> str:
    """Say what did not come in time."""
    if any(isinstance(link, urllib3_errors.ConnectTimeoutError) for link in chain):
        return "no connection"
    return "that the server sends nothing more"


def _reason(chain: list[BaseException]) -> str:
    """Return the reason in the words of the system or of TLS, which hold no URL."""
    if unknown := next((link for link in chain if isinstance(link, socket.gaierror)), None):
        return f"the host's name cannot be resolved ({escape_text(unknown.strerror or 'no reason given')})"
    for link in reversed(chain):
        if isinstance(link, ssl.SSLCertVerificationError):
            return escape_text(link.verify_message)
        if isinstance(link, ssl.SSLError):
            return escape_text(link.reason or type(link).__name__)
    for link in reversed(chain):
        if isinstance(link, OSError) and link.strerror:
            return escape_text(link.strerror)
    return type(chain[-1]).__name__
