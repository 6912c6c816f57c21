"""A small loopback server for tests: routes are functions, requests are recorded."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pip_warden.transport import Clock


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request that arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What to send; ``Content-Length`` is the body's unless given."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""


Route = Callable[[Asked], Answer]


@dataclass
class Server:
    """A running server; ``routes`` may be changed at any time."""

    url: str
    routes: dict[str, Route | Answer | list[Answer]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def answer(self, asked: Asked) -> Answer:
        self.asked.append(asked)
        route = self.routes.get(asked.target, self.routes.get(asked.target.partition("?")[0]))
        if route is None:
            return Answer(status=404, body=b'{"message":"404 Not Found"}')
        if isinstance(route, Answer):
            return route
        if isinstance(route, list):
            return route.pop(0) if len(route) > 1 else route[0]
        return route(asked)


@contextmanager
def serve(host: str = "127.0.0.1", *, tls: ssl.SSLContext | None = None) -> Iterator[Server]:
    """Run a server on a free port, https where a context is given."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # headers and body in one segment, or each response waits 40 ms for an ACK

        def log_message(self, *_args: object) -> None:
            pass

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            headers = {name.lower(): value for name, value in self.headers.items()}
            asked = Asked(
                method=self.command, target=self.path, headers=headers, body=self.rfile.read(length)
            )
            answer = server.answer(asked)
            self.send_response(answer.status)
            for name, value in ({"Content-Length": str(len(answer.body))} | answer.headers).items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "HEAD":
                return
            self.wfile.write(answer.body)
            if int(answer.headers.get("Content-Length", len(answer.body))) != len(answer.body):
                self.close_connection = True

        do_HEAD = do_POST = do_PUT = do_PATCH = do_GET  # noqa: N815 -- http.server looks them up

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_args: object) -> None:
            pass

    with Quiet((host, 0), Handler) as listener:
        scheme = "http"
        if tls is not None:
            listener.socket = tls.wrap_socket(
                listener.socket, server_side=True, do_handshake_on_connect=False
            )
            scheme = "https"
        server = Server(url=f"{scheme}://{host}:{listener.server_address[1]}")
        thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            listener.shutdown()
            thread.join()


class FakeTime:
    """Time that passes only when a thread sleeps, or a test skips it."""

    def __init__(self) -> None:
        self.seconds = 1_000_000.0
        self.naps: list[float] = []
        self._waiting: set[threading.Condition] = set()

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.skip(seconds)

    def skip(self, seconds: float) -> None:
        """Let time pass, and wake every waiting thread."""
        self.seconds += seconds
        for condition in tuple(self._waiting):
            with condition:
                condition.notify_all()

    def wait(self, condition: threading.Condition, moment: float) -> None:
        """Wait as :attr:`Clock.wait` does.

        A later skip finds this thread in the set; an earlier one has moved the time.
        """
        self._waiting.add(condition)
        if self.seconds < moment:
            condition.wait()

    def read(self) -> float:
        return self.seconds

    @property
    def clock(self) -> Clock:
        return Clock(monotonic=self.read, now=self.read, sleep=self.sleep, wait=self.wait)
