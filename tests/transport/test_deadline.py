"""Servers that always send one more byte: the deadline of a call ends its requests (B17).

Each read succeeds, so no read timeout ends these. Time is a fake: the server lets the deadline pass in the
middle of its drip, and drips on until it sees that the client has gone.
"""

from __future__ import annotations

import gzip
import io
import queue
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import pytest

from loopback import Answer, FakeTime, serve
from pip_warden.errors import NetworkError
from pip_warden.sandbox import tls
from pip_warden.transport import Clock, NetworkSettings, Transport
from pip_warden.transport.watchdog import Watchdog

# A call that nothing ends would take longer.
pytestmark = pytest.mark.timeout(60)

DEADLINE = 900.0
PACE = 0.01
"""Seconds between two drips, unless the client goes."""

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
EMPTY_MEMBER = gzip.compress(b"")
TLS_RECORD = b"\x16\x03\x03\x40\x00\x02\x00\x3f\xfc"
"""A handshake record of 16 KiB that holds the beginning of a ServerHello."""


class Dripping:
    """A server that accepts one connection, responds to a request, and never ends.

    Attributes:
        port: Where it listens.
        seen: The beginning of each request.
        saw_close: Whether it saw that the client has gone.
    """

    def __init__(self, time: FakeTime, opening: bytes, drip: bytes, *, before: bytes = b"") -> None:
        self._time, self._opening, self._drip, self._before = time, opening, drip, before
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.seen: list[bytes] = []
        self.saw_close = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self) -> None:
        with self._listener, self._listener.accept()[0] as connection:
            try:
                if self._before:
                    self.seen.append(connection.recv(1 << 16))
                    connection.sendall(self._before)
                self.seen.append(connection.recv(1 << 16))
                connection.sendall(self._opening)
                for number in range(100_000):
                    if number == 3:
                        self._time.skip(DEADLINE + 1)
                    if self._has_gone(connection):
                        break
                    connection.sendall(self._drip)
            except OSError:
                pass
        self.saw_close.set()

    @staticmethod
    def _has_gone(connection: socket.socket) -> bool:
        """Wait a little for the client to close; what it sends meanwhile is read a byte at a time."""
        return bool(select.select([connection], [], [], PACE)[0]) and not connection.recv(1)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._thread.join(30)


def _code(call: Callable[[], object]) -> str:
    with pytest.raises(NetworkError) as caught:
        call()
    return caught.value.code


def _settings(**more: object) -> NetworkSettings:
    return NetworkSettings(deadline=DEADLINE, read_timeout=30, connect_timeout=30, **more)  # type: ignore[arg-type]


@contextmanager
def _against(
    opening: bytes, drip: bytes, **settings: object
) -> Iterator[tuple[Dripping, Transport, FakeTime]]:
    time = FakeTime()
    with (
        Dripping(time, opening, drip) as server,
        Transport(_settings(**settings), clock=time.clock) as client,
    ):
        yield server, client, time


WAYS = {
    "100-continue": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "status line": (b"HTTP/1.1 200 ", b"O"),
    "headers": (OK + b"X-Slow: ", b"a"),
    "redirect body": (b"HTTP/1.1 302 Found\r\nLocation: /b\r\nContent-Length: 60000\r\n\r\n", b"a"),
    "chunk size": (CHUNKED, b"0"),
    "chunk extension": (CHUNKED + b"1;", b"x"),
    "trailers": (CHUNKED + b"1\r\na\r\n0\r\n", b"X-T: 1\r\n"),
    "gzip members": (
        OK + b"Content-Encoding: gzip\r\nContent-Length: 9000000\r\n\r\n",
        EMPTY_MEMBER,
    ),
    "body without a length": (OK + b"Connection: close\r\n\r\n", b"a"),
    "body": (OK + b"Content-Length: 9000000\r\n\r\n", b"a"),
}


@pytest.mark.parametrize("way", WAYS)
def test_b17_what_drips_ends_with_the_deadline(way: str) -> None:
    with _against(*WAYS[way]) as (server, client, time):
        assert (
            _code(lambda: client.get(f"http://127.0.0.1:{server.port}/a", max_bytes=1 << 24)) == "timed-out"
        )
        assert server.saw_close.wait(30)
        assert time.naps == []
        assert len(server.seen) == 1


@pytest.mark.parametrize("way", ["100-continue", "chunk extension", "body without a length", "body"])
def test_b17_a_download_that_drips_is_no_download(way: str) -> None:
    with _against(*WAYS[way]) as (server, client, _):
        file = io.BytesIO()
        url = f"http://127.0.0.1:{server.port}/f"
        assert _code(lambda: client.download(url, to=file, max_bytes=1 << 24, label="f")) == "timed-out"
        assert server.saw_close.wait(30)


@pytest.mark.parametrize("way", ["100-continue", "headers", "trailers"])
@pytest.mark.parametrize("is_form", [True, False], ids=["POST", "PUT"])
def test_b17_an_upload_is_bounded_too(way: str, is_form: bool) -> None:
    with _against(*WAYS[way]) as (server, client, _):
        url, content = f"http://127.0.0.1:{server.port}/u", io.BytesIO(b"content")
        if is_form:
            code = _code(lambda: client.post_form(url, [("a", "b")], content, filename="f"))
        else:
            code = _code(lambda: client.put(url, content, label="f"))
        assert code == "timed-out"
        assert server.saw_close.wait(30)


def test_b17_a_server_that_takes_an_upload_byte_by_byte_is_left() -> None:
    with _against(b"", b"") as (server, client, _):
        content = io.BytesIO(bytes(64 << 20))
        assert (
            _code(lambda: client.put(f"http://127.0.0.1:{server.port}/u", content, label="f")) == "timed-out"
        )
        assert server.saw_close.wait(30)


def test_b17_a_question_is_bounded_too() -> None:
    with _against(*WAYS["headers"]) as (server, client, _):
        url = f"http://127.0.0.1:{server.port}/q"
        assert _code(lambda: client.post_json(url, {}, max_bytes=10)) == "timed-out"
        assert server.saw_close.wait(30)


def test_b17_a_tls_handshake_is_bounded() -> None:
    with _against(TLS_RECORD, b"\x00") as (server, client, time):
        assert _code(lambda: client.get(f"https://127.0.0.1:{server.port}/a", max_bytes=10)) == "timed-out"
        assert server.saw_close.wait(30)
        assert server.seen[0].startswith(b"\x16\x03")
        assert time.naps == []


@pytest.mark.parametrize(
    ("opening", "drip"),
    [(b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a"), (b"HTTP/1.1 200 OK\r\n", b"X-Slow: 1\r\n")],
    ids=["header", "headers"],
)
def test_b17_a_proxys_answer_to_connect_is_bounded(opening: bytes, drip: bytes) -> None:
    time = FakeTime()
    with Dripping(time, opening, drip) as proxy:
        settings = _settings(proxies=(("https", f"http://127.0.0.1:{proxy.port}"),))
        with Transport(settings, clock=time.clock) as client:
            assert _code(lambda: client.get("https://registry.example/a", max_bytes=10)) == "timed-out"
            assert proxy.saw_close.wait(30)
    assert proxy.seen[0].startswith(b"CONNECT registry.example:443 ")


def test_b17_a_tls_handshake_through_a_proxy_is_bounded() -> None:
    time = FakeTime()
    established = b"HTTP/1.1 200 Connection established\r\n\r\n"
    with Dripping(time, TLS_RECORD, b"\x00", before=established) as proxy:
        settings = _settings(proxies=(("https", f"http://127.0.0.1:{proxy.port}"),))
        with Transport(settings, clock=time.clock) as client:
            assert _code(lambda: client.get("https://registry.example/a", max_bytes=10)) == "timed-out"
            assert proxy.saw_close.wait(30)
    assert proxy.seen[1].startswith(b"\x16\x03")


def test_b17_a_tls_handshake_with_the_proxy_is_bounded() -> None:
    time = FakeTime()
    with Dripping(time, TLS_RECORD, b"\x00") as proxy:
        settings = _settings(proxies=(("https", f"https://127.0.0.1:{proxy.port}"),))
        with Transport(settings, clock=time.clock) as client:
            assert _code(lambda: client.get("https://registry.example/a", max_bytes=10)) == "timed-out"
            assert proxy.saw_close.wait(30)


def test_b17_a_connection_that_serves_again_is_bounded_again() -> None:
    time = FakeTime()
    served = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
    with (
        Dripping(time, *WAYS["headers"], before=served) as server,
        Transport(_settings(), clock=time.clock) as client,
    ):
        url = f"http://127.0.0.1:{server.port}"
        assert client.get(url + "/a", max_bytes=10).body == b"ok"
        assert _code(lambda: client.get(url + "/b", max_bytes=10)) == "timed-out"
        assert server.saw_close.wait(30)
    assert [first.split()[1] for first in server.seen] == [b"/a", b"/b"]


def test_b17_inside_tls_too(tmp_path: Path) -> None:
    ca_file, files = tls.make(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    time, saw_close = FakeTime(), threading.Event()

    def drip() -> None:
        with listener, context.wrap_socket(listener.accept()[0], server_side=True) as connection:
            connection.recv(1 << 16)
            connection.settimeout(PACE)
            connection.sendall(OK)
            for number in range(100_000):
                if number == 3:
                    time.skip(DEADLINE + 1)
                try:
                    connection.sendall(b"X-Slow: 1\r\n")
                    if not connection.recv(1):
                        break
                except TimeoutError:
                    continue
                except OSError:
                    break
        saw_close.set()

    listener = socket.create_server(("127.0.0.1", 0))
    url = f"https://127.0.0.1:{listener.getsockname()[1]}/a"
    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    with Transport(_settings(ca_file=ca_file), clock=time.clock) as client:
        assert _code(lambda: client.get(url, max_bytes=10)) == "timed-out"
        assert saw_close.wait(30)
    thread.join(30)


def test_b17_a_slow_server_that_is_honest_has_its_time() -> None:
    time = FakeTime()

    def slow(_asked: object) -> Answer:
        time.skip(DEADLINE - 1)
        return Answer(body=b"slow")

    with serve() as server, Transport(_settings(), clock=time.clock) as client:
        server.routes["/a"] = slow
        assert client.get(server.url + "/a", max_bytes=10).body == b"slow"
        assert client.get(server.url + "/a", max_bytes=10).body == b"slow"  # each call has its own


def _watchers() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "deadlines"}


def test_b17_one_thread_watches_and_ends_with_the_client() -> None:
    before = _watchers()
    with serve() as server, Transport() as client:
        server.routes["/a"] = Answer(body=b"x")
        assert _watchers() - before == set()  # none before it is needed
        threads = [
            threading.Thread(target=client.get, args=(server.url + "/a",), kwargs={"max_bytes": 9})
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        (watcher,) = _watchers() - before
        client.close()
        watcher.join(30)
        assert not watcher.is_alive()


def test_b17_what_is_under_way_when_the_client_closes_is_still_bounded() -> None:
    time, codes, before = FakeTime(), list[str](), _watchers()
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        Transport(_settings(), clock=time.clock) as client,
    ):
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/a"
        asking = threading.Thread(target=lambda: codes.append(_code(lambda: client.get(url, max_bytes=9))))
        asking.start()
        with listener.accept()[0] as connection:
            connection.recv(1 << 16)
            (watcher,) = _watchers() - before
            client.close()
            time.skip(DEADLINE + 1)
            assert connection.recv(1) == b""
        asking.join(30)
        watcher.join(30)
    assert codes == ["timed-out"]
    assert not watcher.is_alive()


def test_b17_a_connection_made_after_the_deadline_is_shut_down_at_once() -> None:
    time = FakeTime()
    dog = Watchdog(time.clock)
    first, its_end = socket.socketpair()
    second, other_end = socket.socketpair()
    with first, its_end, second, other_end, dog.watching(time.read() + 1) as watch:
        watch.follow(first.fileno())
        time.skip(2)
        assert its_end.recv(1) == b""
        watch.follow(second.fileno())
        assert other_end.recv(1) == b""
    dog.close()


def test_b17_the_earliest_deadline_is_waited_for() -> None:
    moments: queue.Queue[float] = queue.Queue()

    def wait(condition: threading.Condition, moment: float) -> None:
        moments.put(moment)
        condition.wait()

    dog = Watchdog(Clock(monotonic=lambda: 0.0, wait=wait))
    with dog.watching(100):
        assert moments.get(timeout=30) == 100
        with dog.watching(50):
            assert moments.get(timeout=30) == 50
        with dog.watching(200):
            pass
    dog.close()
    assert moments.empty()  # a later one wakes no thread
