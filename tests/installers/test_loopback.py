"""HTTP on the loopback interface: what is not one whole request ends its connection."""

from __future__ import annotations

import contextlib
import errno
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from installers.witness import LONGEST_WAIT
from pip_warden.installer import loopback
from pip_warden.installer.connection import Request, Response, asked_part
from pip_warden.installer.gate_port import GatePort
from pip_warden.installer.loopback import Listener

LONGEST_BODY = 1000
KNOWN = "X-Known: yes"


@dataclass
class Echo:
    """Answers with what it was asked; a request with a certain header is one of the run's."""

    file: Path | None = None
    asked: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    arrived: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    entered: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    release: threading.Event | None = None

    def knows(self, request: Request) -> bool:
        self.arrived.release()
        return bool(request.header("x-known"))

    def carried(self, size: int) -> None:
        pass

    def tunnel(self, request: Request) -> Response:
        return self.answer(request, b"")

    def answer(self, request: Request, body: bytes) -> Response:
        self.asked.append(request.target)
        self.bodies.append(body)
        self.entered.release()
        if self.release is not None:
            assert self.release.wait(LONGEST_WAIT)
        if request.target == "/fails":
            raise KeyError("ours")
        if self.file is not None:
            return Response(file=self.file.open("rb"), media_type="application/octet-stream")
        return Response(content=request.target.encode(), media_type="text/plain")


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def listener(echo: Echo) -> Iterator[Listener]:
    made = Listener(GatePort(), echo, longest_body=LONGEST_BODY)
    made.start()
    try:
        yield made
    finally:
        made.end()


def _connect(listener: Listener) -> socket.socket:
    return socket.create_connection(listener._place.socket.getsockname(), timeout=LONGEST_WAIT)


def _request(target: str, *headers: str, method: str = "GET") -> bytes:
    return "\r\n".join([f"{method} {target} HTTP/1.1", "Host: h", *headers, "", ""]).encode()


def _rest(connection: socket.socket) -> bytes:
    """Read to the end of a connection."""
    raw = b""
    with contextlib.suppress(ConnectionResetError):
        while chunk := connection.recv(65536):
            raw += chunk
    return raw


def _sent(listener: Listener, *pieces: bytes) -> tuple[list[int], bytes]:
    """Send to a connection that the server is to close; return the status codes of its answers, and all."""
    with _connect(listener) as connection:
        for piece in pieces:
            connection.sendall(piece)
        raw = _rest(connection)
    return [int(part.split()[0]) for part in raw.split(b"HTTP/1.1 ")[1:]], raw


def _exchange(connection: socket.socket, request: bytes) -> bytes:
    """Send a request and read exactly its answer; the connection stays open."""
    connection.sendall(request)
    with connection.makefile("rb") as stream:
        head = []
        while (line := stream.readline()) not in {b"", b"\r\n"}:
            head.append(line)
        lengths = [line.split(b":")[1] for line in head if line.lower().startswith(b"content-length:")]
        return b"".join(head) + stream.read(int(lengths[0]))


def test_one_connection_serves_request_after_request(listener: Listener, echo: Echo) -> None:
    with _connect(listener) as connection:
        for number in range(3):
            assert _exchange(connection, _request(f"/{number}")).endswith(f"/{number}".encode())
        body = _request("/body", KNOWN, "Content-Length: 4", method="POST") + b"four"
        assert _exchange(connection, body).endswith(b"/body")
        assert _exchange(connection, _request("/last")).endswith(b"/last")
    assert echo.asked == ["/0", "/1", "/2", "/body", "/last"]
    assert echo.bodies == [b"", b"", b"", b"four", b""]


def test_what_a_place_adopts_is_served_too(listener: Listener, echo: Echo) -> None:
    """Whether it was adopted before or after."""
    place = GatePort()
    ports = []
    for at in (place, listener._place):
        other = socket.create_server(("127.0.0.1", 0))
        at.adopt(other)
        ports.append(other.getsockname()[1])
    later = Listener(place, echo, longest_body=LONGEST_BODY)
    later.start()
    for port in (*ports, place.port, listener._place.port):
        with socket.create_connection(("127.0.0.1", port), timeout=LONGEST_WAIT) as connection:
            assert _exchange(connection, _request(f"/{port}")).endswith(f"/{port}".encode())
    later.end()
    assert [one.fileno() for one in place.sockets] == [-1, -1]


def test_a_request_may_arrive_in_pieces(listener: Listener) -> None:
    whole = _request("/slow", "Connection: close")
    statuses, raw = _sent(listener, *(bytes([byte]) for byte in whole))
    assert (statuses, raw.endswith(b"/slow")) == ([200], True)


@pytest.mark.parametrize(
    "second",
    [_request("/second"), b"x", b"\r\n\r\n", _request("/second", KNOWN)],
)
def test_what_comes_with_a_request_is_not_read(listener: Listener, echo: Echo, second: bytes) -> None:
    """An answer that a client did not wait for could be taken for another's."""
    statuses, _ = _sent(listener, _request("/first", KNOWN) + second)
    assert (statuses, echo.asked) == ([200], ["/first"])


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /a\r\n\r\n",
        b"GET  /a HTTP/1.1\r\nHost: h\r\n\r\n",
        b"GET /a HTTP/2.0\r\nHost: h\r\n\r\n",
        b"HEAD /a HTTP/2.0\r\nHost: h\r\n\r\n",
        _request("/a", "Transfer-Encoding: chunked", "Content-Length: 1", method="HEAD"),
        b"GET /a HTTP/1.1\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: h\r\nHost: i\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: h\r\nX : y\r\n\r\n",
        b"GET /a HTTP/1.1\r\nHost: h\r\nX: a\x00b\r\n\r\n",
        b"GET /a\x01 HTTP/1.1\r\nHost: h\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS client\r\n\r\n",
        _request("/a", "Content-Length: -1"),
        _request("/a", "Content-Length: 1", "Content-Length: 2"),
        _request("/a", "Content-Length: 1, 2"),
        _request("/a", "Content-Length: 0x1"),
        _request("/a", "Transfer-Encoding: gzip"),
        _request("/a", "Transfer-Encoding: chunked", "Content-Length: 1"),
        _request("/a", "Content-Length: 5", "Transfer-Encoding: chunked"),
        b"GET /" + b"a" * (1 << 15),
        _request("/a", *(f"X-{number}: {'y' * 1000}" for number in range(40))),
    ],
)
def test_what_is_no_request_is_answered_once_and_closed(listener: Listener, echo: Echo, raw: bytes) -> None:
    statuses, _ = _sent(listener, raw + _request("/second"))
    assert statuses in ([400], [431], [501], [505])
    assert echo.asked == []


def test_a_body_that_breaks_off_is_never_answered_for(listener: Listener, echo: Echo) -> None:
    with _connect(listener) as connection:
        connection.sendall(_request("/a", KNOWN, "Content-Length: 10", method="POST") + b"four")
        connection.shutdown(socket.SHUT_WR)
        assert _rest(connection).startswith(b"HTTP/1.1 400 ")
    assert echo.asked == []


def test_a_strangers_body_is_not_read(listener: Listener, echo: Echo) -> None:
    statuses, _ = _sent(
        listener, _request("/a", "Content-Length: 4", method="POST") + b"four" + _request("/second")
    )
    assert (statuses, echo.asked, echo.bodies) == ([200], ["/a"], [b""])


@pytest.mark.parametrize(
    "framing",
    [
        (f"Content-Length: {1 << 20}", b"x" * (1 << 20)),
        ("Transfer-Encoding: chunked", b"80000\r\n" + b"x" * (1 << 19)),
    ],
)
def test_a_long_body_is_cut_off_and_its_client_still_gets_the_answer(
    listener: Listener, echo: Echo, framing: tuple[str, bytes]
) -> None:
    header, body = framing
    statuses, _ = _sent(listener, _request("/a", KNOWN, header, method="POST"), body)
    assert (statuses, echo.asked) == ([200], ["/a"])
    assert LONGEST_BODY < len(echo.bodies[0]) <= LONGEST_BODY + (1 << 16)


def test_a_failure_is_an_answer_and_the_connection_goes_on(
    listener: Listener, caplog: pytest.LogCaptureFixture
) -> None:
    with _connect(listener) as connection:
        assert _exchange(connection, _request("/fails")).startswith(b"HTTP/1.1 500 ")
        assert _exchange(connection, _request("/next")).startswith(b"HTTP/1.1 200 ")
    assert "KeyError: 'ours'" in caplog.text


@pytest.mark.parametrize(
    ("wanted", "part"),
    [
        ("", None),
        ("bytes=0-3", range(4)),
        ("bytes=4-4", range(4, 5)),
        ("bytes=4-", range(4, 10)),
        ("bytes=4-99", range(4, 10)),
        ("bytes=-3", range(7, 10)),
        ("bytes=-99", range(10)),
        ("bytes=-0", range(10, 10)),
        ("bytes=10-", range(10, 10)),
        ("bytes=99-100", range(99, 10)),
        ("bytes=3-1", None),
        ("bytes=-", None),
        ("bytes=0-1,4-5", None),
        ("bytes=a-b", None),
        ("bytes= 0-1", None),
        ("bytes=--1", None),
        ("bytes=\u0661-\u0662", None),
        ("lines=0-1", None),
        (f"bytes=0-{10**30}", None),
    ],
)
def test_the_part_of_a_file_that_is_asked_for(wanted: str, part: range | None) -> None:
    assert asked_part(wanted, 10) == part


@pytest.mark.parametrize(
    ("headers", "status", "span", "content"),
    [
        ((), 200, None, b"0123456789"),
        (("Range: bytes=2-4",), 206, b"bytes 2-4/10", b"234"),
        (("Range: bytes=10-",), 416, b"bytes */10", b""),
        (("Range: bytes=0-1,3-4",), 200, None, b"0123456789"),
        (("Range: bytes=2-4", 'If-Range: "x"'), 200, None, b"0123456789"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_file_or_a_part_of_it(
    listener: Listener,
    echo: Echo,
    tmp_path: Path,
    method: str,
    headers: tuple[str, ...],
    status: int,
    span: bytes | None,
    content: bytes,
) -> None:
    echo.file = tmp_path / "file"
    echo.file.write_bytes(b"0123456789")
    for connection in ("Connection: close", "Connection: keep-alive"):
        with _connect(listener) as client:
            client.sendall(_request("/file", connection, *headers, method=method))
            client.shutdown(socket.SHUT_WR)
            head, _, body = _rest(client).partition(b"\r\n\r\n")
        fields = {
            name.lower(): value for name, value in (line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
        }
        assert int(head.split()[1]) == status
        assert fields[b"content-length"] == str(len(content)).encode()
        assert (fields.get(b"content-range"), fields[b"accept-ranges"]) == (span, b"bytes")
        assert body == (content if method == "GET" else b"")


def test_an_empty_file(listener: Listener, echo: Echo, tmp_path: Path) -> None:
    echo.file = tmp_path / "file"
    echo.file.write_bytes(b"")
    with _connect(listener) as connection:
        for _ in range(2):
            assert b"\r\ncontent-length: 0\r\n" in _exchange(connection, _request("/file")).lower()


def test_a_large_file_and_a_client_that_leaves_in_the_middle(
    listener: Listener, echo: Echo, tmp_path: Path
) -> None:
    echo.file = tmp_path / "file"
    content = bytes(range(256)) * (1 << 16)
    echo.file.write_bytes(content)
    with _connect(listener) as connection:
        connection.sendall(_request("/file"))
        assert connection.recv(100)
    with _connect(listener) as connection:
        assert _exchange(connection, _request("/file")).endswith(content)
        assert _exchange(connection, _request("/file", "Range: bytes=-3")).endswith(content[-3:])


def test_a_client_that_reads_nothing_does_not_delay_the_end(
    listener: Listener, echo: Echo, tmp_path: Path
) -> None:
    echo.file = tmp_path / "file"
    with echo.file.open("wb") as stream:
        stream.truncate(1 << 30)
    with _connect(listener) as connection:
        connection.sendall(_request("/file"))
        assert connection.recv(100)
        listener.end()
        assert len(_rest(connection)) < 1 << 30
    _wait_for_threads()


def _wait_for_threads() -> None:
    for thread in threading.enumerate():
        if thread.name.startswith("loopback-"):
            thread.join(LONGEST_WAIT)
            assert not thread.is_alive()


def test_strangers_do_not_shut_the_installer_out(
    listener: Listener, echo: Echo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loopback, "_MOST", 3)
    with contextlib.ExitStack() as stack:
        ours = stack.enter_context(_connect(listener))
        assert _exchange(ours, _request("/ours", KNOWN))
        strangers = [stack.enter_context(_connect(listener)) for _ in range(9)]
        assert _exchange(strangers[-1], _request("/last"))
        assert [_rest(stranger) for stranger in strangers[:7]] == [b""] * 7
        assert _exchange(ours, _request("/again", KNOWN)).endswith(b"/again")
    assert echo.asked == ["/ours", "/last", "/again"]


def test_no_more_connections_than_there_may_be(listener: Listener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loopback, "_MOST", 2)
    with contextlib.ExitStack() as stack:
        ours = [stack.enter_context(_connect(listener)) for _ in range(2)]
        for connection in ours:
            assert _exchange(connection, _request("/ours", KNOWN))
        with _connect(listener) as surplus:
            assert _rest(surplus) == b""
        for connection in ours:
            assert _exchange(connection, _request("/ours", KNOWN))
        ours.pop().close()
        # One that was closed makes room.
        while True:
            with _connect(listener) as another, contextlib.suppress(ConnectionError, IndexError):
                assert _exchange(another, _request("/another", KNOWN)).endswith(b"/another")
                break


def test_only_some_answers_are_made_at_once_and_none_after_the_end(echo: Echo) -> None:
    echo.release = threading.Event()
    many = loopback._ANSWERS_AT_ONCE
    listener = Listener(GatePort(), echo, longest_body=LONGEST_BODY)
    listener.start()
    with contextlib.ExitStack() as stack:
        for number in range(many + 3):
            connection = stack.enter_context(_connect(listener))
            connection.sendall(_request(f"/{number}", KNOWN))
        for _ in range(many + 3):
            assert echo.arrived.acquire(timeout=LONGEST_WAIT)
        for _ in range(many):
            assert echo.entered.acquire(timeout=LONGEST_WAIT)
        listener.end()
        echo.release.set()
        _wait_for_threads()
    assert len(echo.asked) == many


def test_what_fails_after_the_end_interests_nobody(echo: Echo, caplog: pytest.LogCaptureFixture) -> None:
    echo.release = threading.Event()
    listener = Listener(GatePort(), echo, longest_body=LONGEST_BODY)
    listener.start()
    with _connect(listener) as connection:
        connection.sendall(_request("/fails"))
        assert echo.entered.acquire(timeout=LONGEST_WAIT)
        listener.end()
        echo.release.set()
        assert _rest(connection) == b""
    _wait_for_threads()
    assert caplog.text == ""


def test_connections_that_cannot_be_accepted_wait(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too many open files, for instance: the server must not end for it."""
    failures = [errno.EMFILE, errno.ECONNABORTED, errno.EMFILE]
    accept = socket.socket.accept

    def failing(self: socket.socket) -> tuple[socket.socket, object]:
        if failures:
            raise OSError(failures.pop(), "no")
        return accept(self)

    monkeypatch.setattr(socket.socket, "accept", failing)
    with _connect(listener) as connection:
        assert _exchange(connection, _request("/a")).endswith(b"/a")
    assert failures == []


def test_a_thread_that_cannot_be_started_costs_one_connection(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:

        def start(_self: threading.Thread) -> None:
            raise RuntimeError("can't start new thread")

        patch.setattr(threading.Thread, "start", start)
        with _connect(listener) as connection:
            assert _rest(connection) == b""
    with _connect(listener) as connection:
        assert _exchange(connection, _request("/a")).endswith(b"/a")


def test_a_file_that_has_become_shorter_is_not_taken_for_whole(
    listener: Listener, echo: Echo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    echo.file = tmp_path / "file"
    echo.file.write_bytes(b"0123456789")
    sendfile = socket.socket.sendfile

    def shortened(self: socket.socket, file: object, offset: int, count: int) -> int:
        (tmp_path / "file").write_bytes(b"01234")
        return sendfile(self, file, offset, count)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "sendfile", shortened)
    with _connect(listener) as connection:
        connection.sendall(_request("/file"))
        head, _, body = _rest(connection).partition(b"\r\n\r\n")
    assert (b"content-length: 10" in head.lower(), body) == (True, b"01234")
