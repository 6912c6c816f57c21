"""Tunnels to registries (``CONNECT``, RFC 9110 section 9.3.6), which the loopback server ends itself."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress

from pip_warden.errors import NetworkError
from pip_warden.transport.urls import origin_of
from pip_warden.values import dataclass

_LONGEST_HANDSHAKE = 10.0
"""Seconds: both ends are on this machine."""

_AUTHORITY = re.compile(r"(?:\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(:[1-9][0-9]{0,4})?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, kw_only=True, slots=True)
class Tunnel:
    """A tunnel that may be entered.

    Attributes:
        origin: Which origin its client believes to speak to.
        context: How TLS is ended.
        on_mistrust: Called where the client does not accept the run's certificate.
    """

    origin: str
    context: ssl.SSLContext
    on_mistrust: Callable[[], None]

    def wrap(self, stream: socket.socket) -> ssl.SSLSocket:
        """Put TLS, which nobody speaks yet, over a connection; the socket that was given is empty then."""
        return self.context.wrap_socket(stream, server_side=True, do_handshake_on_connect=False)

    def shake_hands(self, stream: ssl.SSLSocket) -> None:
        """Speak TLS from now on.

        Raises:
            OSError: The client does not, or not in time, or not with whom it asked for.
        """
        stream.settimeout(_LONGEST_HANDSHAKE)  # of all of it
        try:
            stream.do_handshake()
        except ssl.SSLError as err:
            if "_ALERT_" in (err.reason or ""):
                self.on_mistrust()
            raise
        stream.settimeout(None)


def asked_origin(authority: str, *, needs_port: bool) -> str | None:
    """Return which https origin a host with a port is.

    Args:
        authority: The target of ``CONNECT``, which always has a port, or the header field ``Host``.
        needs_port: Whether it must have one; else 443 goes without saying.

    Returns:
        ``https://gitlab.example.com:8443``, without the port where it is 443; None where it is neither.
    """
    match = _AUTHORITY.fullmatch(authority)
    if match is None or (needs_port and not match[1]):
        return None
    try:
        return str(origin_of(f"https://{authority}"))
    except NetworkError:
        return None


def is_for(origin: str, *, url: str, host: str) -> bool:
    """Return whether a request is for an origin, by its URL and its header field ``Host``."""
    return url.startswith(f"{origin}/") and asked_origin(host, needs_port=False) == origin


def say_goodbye(stream: socket.socket) -> None:
    """Tell a TLS client that nothing follows (RFC 8446 section 6.1); its own goodbye is not waited for."""
    if isinstance(stream, ssl.SSLSocket):
        stream.setblocking(False)
        with suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
            stream.unwrap()
