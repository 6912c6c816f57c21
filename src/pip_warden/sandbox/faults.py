"""Faults on demand: what a network, a proxy or an overloaded GitLab does to a response.

A fault is a rule (which requests, how often) and an action (what happens to them). Actions that break HTTP
itself write to the connection directly, since no HTTP library would send them.
"""

from __future__ import annotations

import asyncio
import re
import socket
import struct
import threading
import weakref
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, assert_never

from pip_warden.sandbox.origins import TRANSPORT

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_POLL_SECONDS = 0.005


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """Send this response, without calling the application."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Hold:
    """Keep the request waiting until an event is set (or the sandbox ends), then respond as usual.

    Attributes:
        until: Set it to release the requests.
        reached: Is set once a request is being held.
    """

    until: threading.Event = field(default_factory=threading.Event)
    reached: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, kw_only=True, slots=True)
class Drip:
    """Send the body in pieces of ``size`` bytes, ``pause`` seconds apart."""

    size: int
    pause: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Truncate:
    """Announce the whole body, send the first ``keep`` bytes of it and close the connection."""

    keep: int


@dataclass(frozen=True, kw_only=True, slots=True)
class WrongLength:
    """Announce a Content-Length that is ``off_by`` bytes off, send the whole body and close."""

    off_by: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Reset:
    """Reset the connection (TCP RST) before the application sees the request, or after processing it."""

    after_commit: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Delay:
    """Be as far away as a real server: wait before the application sees a request.

    Attributes:
        round_trip: Seconds; a connection's first request waits twice, for connecting took a round trip too.
    """

    round_trip: float


Action = Answer | Hold | Drip | Truncate | WrongLength | Reset | Delay


def too_many_requests(*, retry_after: int | None = 1, headers: bool = True) -> Answer:
    """Return GitLab's rate limit as Rack::Attack words it; without headers as edge proxies do.

    Args:
        retry_after: Seconds in ``Retry-After``; None leaves that header out.
        headers: Whether to send any rate-limit header.
    """
    limit = (
        ("ratelimit-name", "throttle_unauthenticated_api"),
        ("ratelimit-limit", "60"),
        ("ratelimit-observed", "61"),
        ("ratelimit-remaining", "0"),
    )
    retry = (("retry-after", str(retry_after)),) if retry_after is not None else ()
    kind = (("content-type", "text/plain"),)
    return Answer(status=429, body=b"Retry later\n", headers=kind + ((limit + retry) if headers else ()))


def html_error(status: int = 502) -> Answer:
    """Return an error page as written by an edge proxy in front of GitLab."""
    phrase = HTTPStatus(status).phrase
    page = (
        f"<!DOCTYPE html>\n<html><head><title>{phrase} ({status})</title></head>"
        f"<body><h1>{status}</h1></body></html>\n"
    )
    return Answer(status=status, body=page.encode(), headers=(("content-type", "text/html; charset=utf-8"),))


def server_error() -> Answer:
    """Return the 500 response of GitLab's API itself."""
    return Answer(
        status=500,
        body=b'{"message":"500 Internal Server Error"}',
        headers=(("content-type", "application/json"),),
    )


@dataclass(eq=False, slots=True, kw_only=True)
class InjectedFault:
    """An action, the requests it applies to, and how often.

    Attributes:
        path: Substring of, or pattern searched in, the path and query as sent.
        times: How many requests it applies to; None means all.
        fired: How many it has been applied to so far.
    """

    action: Action
    path: str | re.Pattern[str] = ""
    method: str | None = None
    origin: str | None = None
    times: int | None = 1
    fired: int = 0

    def matches(self, origin: str, method: str, target: str) -> bool:
        """Return whether this fault applies to a request."""
        if self.times is not None and self.fired >= self.times:
            return False
        if self.origin not in {None, origin} or self.method not in {None, method}:
            return False
        if isinstance(self.path, re.Pattern):
            return self.path.search(target) is not None
        return self.path in target


class Faults:
    """Keep the armed faults and apply them to requests; the first match in order of arming wins.

    Args:
        sleep: How a `Delay` waits, given seconds; a test counts instead.
    """

    def __init__(self, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self.sleep = sleep
        self._lock = threading.Lock()
        self._armed: list[InjectedFault] = []
        self._closing = threading.Event()
        self._connected: weakref.WeakSet[asyncio.Transport] = weakref.WeakSet()

    def add(self, fault: InjectedFault) -> InjectedFault:
        """Arm a fault and return it."""
        with self._lock:
            self._armed.append(fault)
        return fault

    def clear(self) -> None:
        """Disarm all faults."""
        with self._lock:
            self._armed = []

    def close(self) -> None:
        """Release every held request."""
        self._closing.set()

    def take(self, origin: str, method: str, target: str) -> Action | None:
        """Return the action for a request and count it, or None."""
        with self._lock:
            for fault in self._armed:
                if fault.matches(origin, method, target):
                    fault.fired += 1
                    return fault.action
        return None

    def wrap(self, origin: str, app: ASGIApp) -> ASGIApp:
        """Return ``app`` with the faults of ``origin`` applied to it."""

        async def faulty(scope: Scope, receive: Receive, send: Send) -> None:
            target = scope["raw_path"].decode("ascii")
            if scope["query_string"]:
                target += "?" + scope["query_string"].decode("latin-1")
            action = self.take(origin, scope["method"], target)
            if action is None:
                await app(scope, receive, send)
            else:
                await self._apply(action, app, (scope, receive, send))

        return faulty

    async def _apply(self, action: Action, app: ASGIApp, call: tuple[Scope, Receive, Send]) -> None:
        scope, receive, send = call
        match action:
            case Answer():
                await _answer(action, receive, send)
            case Hold():
                action.reached.set()
                # Other threads set both events.
                while not (action.until.is_set() or self._closing.is_set()):  # noqa: ASYNC110
                    await asyncio.sleep(_POLL_SECONDS)
                await app(scope, receive, send)
            case Drip():
                await app(scope, receive, lambda message: _drip(action, message, send))
            case Truncate():
                await _rewritten(app, call, lambda body: (len(body), body[: action.keep]))
            case WrongLength():
                await _rewritten(app, call, lambda body: (len(body) + action.off_by, body))
            case Reset():
                if action.after_commit:
                    await app(scope, receive, _swallow)
                await _reset(scope, receive)
            case Delay():
                await self.sleep(action.round_trip * self._round_trips(scope))
                await app(scope, receive, send)
            case _:
                assert_never(action)

    def _round_trips(self, scope: Scope) -> int:
        """Return how many a request takes: one more where nothing was asked on its connection before."""
        connection: asyncio.Transport = scope["state"][TRANSPORT]
        if connection in self._connected:
            return 1
        self._connected.add(connection)
        return 2


async def _answer(action: Answer, receive: Receive, send: Send) -> None:
    # Read the body to its end: a client still sending would see a reset instead of this response.
    while (await receive()).get("more_body"):
        pass
    headers = [(key.encode(), value.encode()) for key, value in action.headers]
    headers.append((b"content-length", str(len(action.body)).encode()))
    await send({"type": "http.response.start", "status": action.status, "headers": headers})
    await send({"type": "http.response.body", "body": action.body})


async def _drip(action: Drip, message: Message, send: Send) -> None:
    body: bytes = message.get("body", b"")
    if message["type"] != "http.response.body" or not body:
        await send(message)
        return
    for start in range(0, len(body), action.size):
        piece = body[start : start + action.size]
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        await asyncio.sleep(action.pause)
    await send({"type": "http.response.body", "body": b"", "more_body": message.get("more_body", False)})


async def _swallow(_message: Message) -> None:
    return


async def _rewritten(
    app: ASGIApp, call: tuple[Scope, Receive, Send], rewrite: Callable[[bytes], tuple[int, bytes]]
) -> None:
    """Send the application's response with a length and a body that need not match."""
    scope, receive, send = call
    messages: list[Message] = []

    async def collect(message: Message) -> None:
        messages.append(message)

    await app(scope, receive, collect)
    start = next(message for message in messages if message["type"] == "http.response.start")
    length, body = rewrite(b"".join(message.get("body", b"") for message in messages))
    del send  # h11 would refuse to send what follows
    lines = [f"HTTP/1.1 {start['status']} {HTTPStatus(start['status']).phrase}".encode()]
    lines += [key + b": " + value for key, value in start["headers"] if key.lower() != b"content-length"]
    lines += [b"content-length: " + str(length).encode(), b"connection: close", b"", body]
    transport: asyncio.Transport = scope["state"][TRANSPORT]
    transport.write(b"\r\n".join(lines))
    transport.close()
    await _disconnected(receive)


async def _reset(scope: Scope, receive: Receive) -> None:
    transport: asyncio.Transport = scope["state"][TRANSPORT]
    raw = transport.get_extra_info("socket")
    raw.setsockopt(
        socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
    )  # close() sends RST instead of FIN
    transport.abort()
    await _disconnected(receive)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
