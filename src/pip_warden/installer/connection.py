"""HTTP/1.1 on one connection: what is asked, and how an answer gets out.

h11 parses and frames, strictly and within bounds. What comes after anything but one whole request is never
read: the connection is closed instead.
"""

from __future__ import annotations

import logging
import os
import re
import socket
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from email.utils import formatdate
from http import HTTPStatus
from typing import Any, BinaryIO, cast

import h11

from pip_warden.installer.tunnel import Tunnel, is_for, say_goodbye
from pip_warden.values import dataclass, field

_PIECE = 1 << 14
_LARGEST_HEAD = 1 << 14
"""Bytes of a request line with its header fields, give or take a piece."""

_LONGEST_FAREWELL = 2.0
"""Seconds in which a client may go on sending what is not read any more."""

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """The head of a request.

    Attributes:
        method: ``"GET"``.
        target: As it was sent; a proxy is sent an absolute URL (RFC 9112 section 3.2.2).
        headers: Name, in lower case, and value of each header field.
        origin: In a tunnel, which origin its client believes to speak to: ``https://gitlab.example.com:8443``,
            without the port where it is 443. ``""`` outside of one.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    origin: str = ""

    @property
    def url(self) -> str:
        """Return the absolute URL that is asked for."""
        return self.origin + self.target if self.target.startswith("/") else self.target

    def header(self, name: str) -> str:
        """Return the first value of a header field, ``""`` where there is none."""
        return next((value for known, value in self.headers if known == name), "")


@dataclass(frozen=True, kw_only=True, slots=True)
class Response:
    """An answer: some bytes, or a file, of which a client may ask for a part.

    Attributes:
        media_type: The content's type.
        content: The bytes, where it is no file.
        file: The file, open for reading; whoever sends it closes it.
        status: The status code.
        headers: Further header fields.
    """

    media_type: str
    content: bytes = b""
    file: BinaryIO | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict, hash=False)


class Connection:
    """A client's connection, which one thread serves until either side closes it.

    Args:
        stream: The socket.
        knows: Whether a request is one of the run's: only then its body is read.
        answer: Answers a request, with its body.
        tunnel: Answers a request of the run for a tunnel, or lets it in.
        longest_body: Bytes of a body; of a longer one a little more than these is read.
        carried: Told how many bytes of an answer's content are about to be sent.

    Attributes:
        is_known: Whether a request of the run has come through it.
        is_entering: Whether its client is about to say what it thinks of the run's certificate.
    """

    def __init__(
        self,
        stream: socket.socket,
        *,
        knows: Callable[[Request], bool],
        answer: Callable[[Request, bytes], Response],
        tunnel: Callable[[Request], Response | Tunnel],
        longest_body: int,
        carried: Callable[[int], None],
    ) -> None:
        self._stream = stream
        self._carried = carried
        self._knows = knows
        self._answer = answer
        self._tunnel = tunnel
        self._longest_body = longest_body
        self._http = _parser()
        self._method = self._origin = ""
        self._is_dropped = False
        self.is_known = self.is_entering = False

    def serve(self) -> None:
        """Answer request after request."""
        with suppress(OSError):  # the client has gone, or the run has ended
            self._stream.setblocking(True)
            # Else an answer would wait for an acknowledgement, 40 ms.
            self._stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                while (request := self._request()) is not None and self._exchange(request):
                    pass
            except h11.RemoteProtocolError as err:
                self._reject(err.error_status_hint)
            say_goodbye(self._stream)
            self._take_leave()

    def abort(self) -> None:
        """Drop the connection, whatever its thread is doing."""
        self._is_dropped = True
        with suppress(OSError):
            # Not TLS's own, after which its thread would go on without TLS.
            socket.socket.shutdown(self._stream, socket.SHUT_RDWR)

    def close(self) -> None:
        """Release it."""
        self._stream.close()

    def _request(self) -> Request | None:
        """Read the head of the next request, None where the client has closed the connection."""
        event = self._next()
        if not isinstance(event, h11.Request):
            return None
        self._method = event.method.decode("ascii")
        headers = tuple((name.decode("ascii"), value.decode("latin-1")) for name, value in event.headers)
        if event.http_version > b"1.1":
            raise h11.RemoteProtocolError("another protocol", error_status_hint=505)
        if {"transfer-encoding", "content-length"} <= {name for name, _ in headers}:
            # Where it ends is a matter of opinion (RFC 9112 section 6.1).
            raise h11.RemoteProtocolError("a request of two lengths")
        target = event.target.decode("latin-1")
        request = Request(method=self._method, target=target, headers=headers, origin=self._origin)
        if self._origin and not is_for(self._origin, url=request.url, host=request.header("host")):
            raise h11.RemoteProtocolError("a request to another origin", error_status_hint=421)
        return request

    def _exchange(self, request: Request) -> bool:
        """Answer a request; return whether there may be another."""
        known = self._knows(request)
        self.is_known = self.is_known or known
        if known and request.method == "CONNECT":
            response = self._tunnel(request)
        else:
            response = self._answer(request, self._body() if known and request.method == "POST" else b"")
        if isinstance(response, Tunnel):
            self._enter(response)
            return True
        self._send(request, response)
        if self._was_one_request():
            self._http.start_next_cycle()
            return True
        return False

    def _enter(self, tunnel: Tunnel) -> None:
        """From now on, requests come through a tunnel."""
        if not isinstance(self._http.next_event(), h11.EndOfMessage) or self._http.trailing_data[0]:
            raise h11.RemoteProtocolError("a client that did not wait for its tunnel")
        self.is_entering = True
        self._stream.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        stream = tunnel.wrap(self._stream)
        self._stream = stream
        if self._is_dropped:  # perhaps while neither was this connection's
            raise ConnectionAbortedError("the connection was dropped")
        tunnel.shake_hands(stream)
        self._http, self._origin, self.is_entering = _parser(), tunnel.origin, False

    def _send(self, request: Request, response: Response) -> None:
        if response.file is not None:
            self._send_file(request, response, response.file)
            return
        head = self._head(response, response.status, len(response.content), response.headers)
        content = b"" if request.method == "HEAD" else response.content
        self._carried(len(content))
        self._stream.sendall(head + self._sent(h11.Data(data=content)) + self._sent(h11.EndOfMessage()))

    def _send_file(self, request: Request, response: Response, file: BinaryIO) -> None:
        with file:
            size = os.fstat(file.fileno()).st_size
            # Nothing was sent that a condition could be about, so that none holds.
            asked = None if request.header("if-range") else asked_part(request.header("range"), size)
            part = range(size) if asked is None else asked
            fields = {"Accept-Ranges": "bytes"}
            if asked is not None:
                span = f"{part.start}-{part.stop - 1}" if part else "*"
                fields["Content-Range"] = f"bytes {span}/{size}"
            status = 200 if asked is None else 206 if part else 416
            self._stream.sendall(self._head(response, status, len(part), fields))
            if part and request.method != "HEAD":
                self._carried(len(part))
                # h11 only counts the bytes; the system takes them from the file.
                self._http.send_with_data_passthrough(h11.Data(data=cast("bytes", part)))
                if self._stream.sendfile(file, part.start, len(part)) != len(part):
                    raise OSError("a sealed file has become shorter")
            self._http.send(h11.EndOfMessage())

    def _head(self, response: Response, status: int, length: int, fields: Mapping[str, str]) -> bytes:
        headers = {
            "Content-Type": response.media_type,
            "Content-Length": str(length),
            "Cache-Control": "no-store",
            "Date": formatdate(usegmt=True),
            **fields,
        }
        return self._sent(
            h11.Response(status_code=status, reason=HTTPStatus(status).phrase, headers=list(headers.items()))
        )

    def _sent(self, event: h11.Event) -> bytes:
        return self._http.send(event) or b""

    def _next(self) -> Any:
        while (event := self._http.next_event()) is h11.NEED_DATA:
            self._http.receive_data(self._stream.recv(_PIECE))
        return event

    def _body(self) -> bytes:
        body = bytearray()
        while len(body) <= self._longest_body and isinstance(event := self._next(), h11.Data):
            body += event.data
        return bytes(body)

    def _was_one_request(self) -> bool:
        """Whether a request was read to its end and nothing follows it yet: a client waits for its answer."""
        if self._http.their_state is h11.SEND_BODY:
            self._http.next_event()  # the end, where there is no body
        return self._states() == (h11.DONE, h11.DONE) and self._http.trailing_data == (b"", False)

    def _states(self) -> tuple[type, type]:
        return self._http.our_state, self._http.their_state

    def _reject(self, status: int) -> None:
        """Answer what is no request."""
        logging.getLogger(__name__).warning("Invalid HTTP request: the connection is closed")
        if self._http.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            # After the head of a HEAD there is nothing (RFC 9110 section 9.3.2).
            content = b"" if self._method == "HEAD" else b"pip-warden: this is no request\n"
            response = Response(media_type="text/plain; charset=utf-8", content=content)
            head = self._head(response, status, len(content), {"Connection": "close"})
            self._stream.sendall(head + self._sent(h11.Data(data=content)) + self._sent(h11.EndOfMessage()))

    def _take_leave(self) -> None:
        """Give the client time to read its answer, which is lost where it has sent what was not read."""
        if (
            self._http.their_state in {h11.DONE, h11.MUST_CLOSE, h11.CLOSED}
            and not self._http.trailing_data[0]
        ):
            return
        self._stream.shutdown(socket.SHUT_WR)
        self._stream.settimeout(_LONGEST_FAREWELL)
        until = time.monotonic() + _LONGEST_FAREWELL
        while time.monotonic() < until and self._stream.recv(_PIECE):
            pass


def _parser() -> h11.Connection:
    return h11.Connection(h11.SERVER, max_incomplete_event_size=_LARGEST_HEAD)


def asked_part(wanted: str, size: int) -> range | None:
    """Return which bytes of a file a client asks for (RFC 9110 section 14.1.2).

    Args:
        wanted: The header field ``Range``.
        size: The file's size in bytes.

    Returns:
        The bytes' numbers, none where the file has none of them; None for the whole file, also where the
        field is of another form, or names several parts: a server may ignore it.
    """
    match = _RANGE.fullmatch(wanted)
    if match is None or not (match[1] or match[2]):
        return None
    if not match[1]:
        return range(max(size - int(match[2]), 0), size)
    first, last = int(match[1]), int(match[2] or size)
    return range(first, min(last + 1, size)) if first <= last or not match[2] else None
