"""The HTTP client against misbehaving servers."""

from __future__ import annotations

import gzip
import hashlib
import io
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from loopback import Answer, Asked, FakeTime, Server
from pip_warden.errors import (
    CredentialsError,
    NetworkError,
    RegistryError,
    UndecidedError,
    UsageError,
    WardenError,
)
from pip_warden.events import Reporter
from pip_warden.measures import Recorder
from pip_warden.transport import Credentials, NetworkSettings, Transport, credentials_from_environment

TOKEN = "glpat-very-secret-0123"


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def client(server: Server, time: FakeTime) -> Iterator[Transport]:
    with Transport(
        NetworkSettings(read_timeout=60), credentials=_credentials(server), clock=time.clock
    ) as transport:
        yield transport


def _credentials(server: Server) -> Credentials:
    environ = {"GITLAB_TOKEN": TOKEN, "GITLAB_URL": server.url}
    return credentials_from_environment(environ, use_keyring=False)


def _code(transport: Transport, url: str) -> str:
    with pytest.raises(WardenError) as caught:
        transport.get(url, max_bytes=1000)
    return caught.value.code


def test_a_reply_has_lower_case_headers_that_cannot_be_changed(server: Server, client: Transport) -> None:
    server.routes["/a"] = Answer(headers={"X-Thing": "1"}, body=b"hello")

    reply = client.get(server.url + "/a", max_bytes=5)

    assert (reply.status, reply.body, reply.headers["x-thing"]) == (200, b"hello", "1")
    assert not reply.sent_credentials
    with pytest.raises(TypeError):
        reply.headers["x-thing"] = "2"  # type: ignore[index]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 500, 503])
def test_get_returns_failures_for_the_caller_to_judge(server: Server, client: Transport, status: int) -> None:
    server.routes["/a"] = Answer(status=status, body=b"no")

    assert client.get(server.url + "/a", max_bytes=5).status == status


def test_t31_no_token_crosses_an_origin_nor_comes_back(
    server: Server, other: Server, client: Transport
) -> None:
    path = "/api/v4/projects/1/packages/generic/p/1/f"
    server.routes[path] = Answer(status=302, headers={"Location": other.url + "/x"})
    other.routes["/x"] = Answer(status=302, headers={"Location": server.url + "/api/v4/projects/2"})
    server.routes["/api/v4/projects/2"] = Answer(body=b"back")

    reply = client.get(server.url + path, max_bytes=10)

    assert reply.body == b"back"
    assert not reply.sent_credentials
    assert [asked.headers.get("private-token") for asked in server.asked] == [TOKEN, None]
    assert TOKEN not in str(other.asked)
    assert all("authorization" not in asked.headers for asked in other.asked)


def test_a_redirect_within_the_origin_keeps_the_token(server: Server, client: Transport) -> None:
    server.routes["/api/v4/a"] = Answer(status=307, headers={"Location": "b"}, body=b"moved")
    server.routes["/api/v4/b"] = Answer(body=b"here")

    reply = client.get(server.url + "/api/v4/a", max_bytes=10)

    assert reply.url == server.url + "/api/v4/b"
    assert reply.sent_credentials


def test_anonymous_means_anonymous(server: Server, client: Transport) -> None:
    server.routes["/api/v4/a"] = Answer()

    assert not client.get(server.url + "/api/v4/a", max_bytes=10, anonymous=True).sent_credentials
    assert "private-token" not in server.asked[0].headers


def test_cookies_are_not_kept(server: Server, client: Transport) -> None:
    server.routes["/a"] = Answer(headers={"Set-Cookie": "a=b; Path=/"})

    client.get(server.url + "/a", max_bytes=1)
    client.get(server.url + "/a", max_bytes=1)

    assert "cookie" not in server.asked[1].headers


def test_redirects_end(server: Server, client: Transport) -> None:
    server.routes["/a"] = Answer(status=302, headers={"Location": "/a"})

    assert _code(client, server.url + "/a") == "too-many-redirects"
    assert len(server.asked) == 6


@pytest.mark.parametrize(
    "location",
    [
        "http://example.com/x",
        "ftp://127.0.0.1/x",
        "https://u:p@example.com/",
        "file:///etc/passwd",
        "https://[::/",
        "//a\\@b/",
    ],
)
def test_a_redirect_to_anything_but_plain_https_is_refused(
    server: Server, client: Transport, location: str
) -> None:
    server.routes["/a"] = Answer(status=302, headers={"Location": location})

    assert _code(client, server.url + "/a") == "insecure-redirect"


def test_a_redirect_of_a_post_is_refused(server: Server, client: Transport) -> None:
    server.routes["/a"] = Answer(status=307, headers={"Location": "/b"})

    with pytest.raises(NetworkError) as caught:
        client.post_json(server.url + "/a", {}, max_bytes=10)

    assert caught.value.code == "insecure-redirect"
    assert len(server.asked) == 1


def test_post_json_sends_json_and_no_credentials(server: Server, client: Transport) -> None:
    server.routes["/api/v4/log"] = lambda asked: Answer(body=asked.body)

    reply = client.post_json(server.url + "/api/v4/log", {"a": [1]}, max_bytes=100)

    assert reply.body == b'{"a": [1]}'
    assert server.asked[0].headers["content-type"] == "application/json"
    assert "private-token" not in server.asked[0].headers


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "ftp://example.com/",
        "https://u:p@example.com/",
        "https://a\\b/",
        "https://é.example/",
        "https:///x",
        "x",
        "",
    ],
)
def test_only_plain_https_urls_are_asked(client: Transport, url: str) -> None:
    assert _code(client, url) == "insecure-url"


def test_offline_opens_nothing(server: Server) -> None:
    with Transport(NetworkSettings(offline=True)) as client:
        assert _code(client, server.url) == "offline"
    assert server.asked == []


def test_a_passing_failure_is_tried_again(server: Server, client: Transport, time: FakeTime) -> None:
    server.routes["/a"] = [Answer(status=503), Answer(status=502), Answer(body=b"ok")]

    assert client.get(server.url + "/a", max_bytes=10).body == b"ok"
    assert time.naps == [0.5, 1.0]


def test_retry_after_is_honoured(server: Server, client: Transport, time: FakeTime) -> None:
    date = formatdate(time.read() + 3 + 40, usegmt=True)
    server.routes["/a"] = [
        Answer(status=429, headers={"Retry-After": "3"}),
        Answer(status=503, headers={"Retry-After": date}),
        Answer(status=503, headers={"Retry-After": "nonsense"}),
        Answer(body=b"ok"),
    ]

    assert client.get(server.url + "/a", max_bytes=10).body == b"ok"
    assert time.naps == [3.0, 40.0, 2.0]


def test_a_wait_past_the_deadline_is_told_instead(server: Server, client: Transport, time: FakeTime) -> None:
    server.routes["/a"] = Answer(status=429, headers={"Retry-After": "86400"}, body=b"Retry later")

    with pytest.raises(NetworkError) as caught:
        client.get(server.url + "/a", max_bytes=20)

    assert caught.value.code == "rate-limited"
    assert "86400 seconds" in caught.value.message
    assert time.naps == []


def test_too_large_is_noticed_after_decompression(server: Server, client: Transport) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    server.routes["/a"] = Answer(headers={"Content-Encoding": "gzip"}, body=bomb)

    assert _code(client, server.url + "/a") == "too-large"


def test_the_text_of_a_failure_is_cut_off(server: Server, client: Transport) -> None:
    server.routes["/a"] = Answer(status=404, body=bytes(300_000))

    assert len(client.get(server.url + "/a", max_bytes=5).body) == 64 << 10


def test_damaged_compression_is_an_error_of_ours(server: Server, client: Transport) -> None:
    server.routes["/a"] = Answer(headers={"Content-Encoding": "gzip"}, body=b"not gzip")

    assert _code(client, server.url + "/a") == "truncated"


def test_a_truncated_answer_is_tried_again_and_never_used(server: Server, client: Transport) -> None:
    short = Answer(headers={"Content-Length": "10"}, body=b"short")
    server.routes["/a"] = short
    assert _code(client, server.url + "/a") == "truncated"
    assert len(server.asked) == 5

    server.routes["/f"] = [short, Answer(body=b"whole file")]
    file = io.BytesIO(b"..")
    file.seek(2)
    done = client.download(server.url + "/f", to=file, max_bytes=100, label="f")
    assert file.getvalue() == b"..whole file"
    assert (done.size, done.digest.hex) == (10, hashlib.sha256(b"whole file").hexdigest())


def test_a_file_is_hashed_as_sent(server: Server, client: Transport) -> None:
    packed = gzip.compress(b"x")
    server.routes["/f"] = Answer(headers={"Content-Encoding": "gzip"}, body=packed)
    file = io.BytesIO()

    client.download(server.url + "/f", to=file, max_bytes=100, label="f")

    assert file.getvalue() == packed
    assert server.asked[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("headers", [{}, {"Transfer-Encoding": "identity"}])
def test_a_large_file_is_refused(server: Server, client: Transport, headers: dict[str, str]) -> None:
    server.routes["/f"] = Answer(headers=headers, body=bytes(200_000))

    with pytest.raises(NetworkError) as caught:
        client.download(server.url + "/f", to=io.BytesIO(), max_bytes=100_000, label="f")

    assert caught.value.code == "too-large"


def test_a_large_file_that_does_not_say_so_is_cut_off(time: FakeTime) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def speak() -> None:
            with listener.accept()[0] as connection:
                connection.recv(10_000)
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(101))

        thread = threading.Thread(target=speak)
        thread.start()
        file = io.BytesIO()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        with (
            Transport(NetworkSettings(retries=0), clock=time.clock) as client,
            pytest.raises(NetworkError) as caught,
        ):
            client.download(url, to=file, max_bytes=100, label="f")
        thread.join()
    assert caught.value.code == "too-large"
    assert file.getvalue() == b""


def test_progress_is_told(server: Server, time: FakeTime) -> None:
    told: list[object] = []

    class Listener(Reporter):
        def transfer(self, what: str, done: int, total: int | None) -> None:
            told.append((what, done, total))

        def transfer_done(self, what: str) -> None:
            told.append(what)

    server.routes["/f"] = Answer(body=b"12345")
    with Transport(reporter=Listener(), clock=time.clock) as client:
        client.download(server.url + "/f", to=io.BytesIO(), max_bytes=5, label="f")

    assert told == [("f", 5, 5), "f"]


class _Full(io.BytesIO):
    def write(self, _data: object) -> int:
        raise OSError(28, "No space left on device")


def test_a_full_disk_is_no_network_error(server: Server, client: Transport) -> None:
    server.routes["/f"] = Answer(body=b"12345")

    with pytest.raises(UndecidedError) as caught:
        client.download(server.url + "/f", to=_Full(), max_bytes=5, label="f")

    assert caught.value.code == "cannot-store"


@pytest.mark.parametrize(
    ("status", "path", "body", "code", "kind"),
    [
        (404, "/f", b"", "not-found", RegistryError),
        (401, "/f", b"", "credentials-needed", CredentialsError),
        (404, "/api/v4/f", b"", "not-found", RegistryError),
        (401, "/api/v4/f", b"", "credentials-refused", CredentialsError),
        (403, "/api/v4/f", b"<title>No</title>", "forbidden", CredentialsError),
        (
            403,
            "/api/v4/f",
            b'{"message":"403 Forbidden - Authentication by CI/CD job token not allowed from A to B."}',
            "job-token-not-allowed",
            CredentialsError,
        ),
        (
            403,
            "/api/v4/f",
            b'{"message":"403 - Insufficient permissions to access"}',
            "token-lacks-permission",
            CredentialsError,
        ),
        (500, "/f", b"{", "server-error", RegistryError),
        (204, "/f", b"", "unexpected-status", RegistryError),
        (400, "/f", b"[" * 5000, "unexpected-status", RegistryError),
        (429, "/f", b"Retry later", "rate-limited", NetworkError),
    ],
)
def test_a_failed_download_says_why(
    server: Server, client: Transport, status: int, path: str, body: bytes, code: str, kind: type[WardenError]
) -> None:
    server.routes[path] = Answer(status=status, body=body)

    with pytest.raises(kind) as caught:
        client.download(server.url + path, to=io.BytesIO(), max_bytes=5, label="f")

    assert caught.value.code == code


def test_a_404_without_credentials_is_gitlabs_to_explain_and_nobody_elses(
    server: Server, client: Transport
) -> None:
    hints = {}
    for path in ("/api/v4/f", "/f"):
        with pytest.raises(RegistryError) as caught:
            client.download(server.url + path, to=io.BytesIO(), max_bytes=5, label="f", anonymous=True)
        hints[caught.value.code] = caught.value.hint

    assert set(hints) == {"credentials-needed", "not-found"}
    assert "GITLAB_TOKEN" in hints["credentials-needed"]
    assert "GitLab" not in hints["not-found"]


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("http://127.0.0.1:9/simple/x/?secret=1", "Connection refused"),
        ("https://registry.invalid/simple/x/?secret=1", "the host's name cannot be resolved"),
    ],
)
def test_the_url_that_cannot_be_reached_is_named_with_the_cause(
    client: Transport, monkeypatch: pytest.MonkeyPatch, url: str, cause: str
) -> None:
    def know_none(host: str, *rest: Any, **options: Any) -> Any:
        if host.endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return known(host, *rest, **options)

    known = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", know_none)
    with pytest.raises(NetworkError) as caught:
        client.get(url, max_bytes=5, label="the index page of x")

    assert (caught.value.code, caught.value.exit_code) == ("unreachable", 3)
    assert f"the index page of x from {url.partition('?')[0]}, found" in caught.value.message
    assert cause in caught.value.message
    assert "secret" not in caught.value.message


def test_a_url_that_is_its_own_name_is_named_once(client: Transport) -> None:
    with pytest.raises(NetworkError) as caught:
        client.get("http://127.0.0.1:9/x", max_bytes=5)

    assert caught.value.message.count("http://127.0.0.1:9/x") == 1


def test_a_server_that_says_nothing_is_named(server: Server, time: FakeTime) -> None:
    with (
        serve_silence() as url,
        Transport(NetworkSettings(read_timeout=0.05, retries=0), clock=time.clock) as transport,
        pytest.raises(NetworkError) as caught,
    ):
        transport.get(f"{url}/x", max_bytes=5, label="x.whl")

    assert (caught.value.code, caught.value.exit_code) == ("timed-out", 3)
    assert f"x.whl from {url}/x, found that the server sends nothing more" in caught.value.message


@contextmanager
def serve_silence() -> Iterator[str]:
    """Listen, let connections in, and never answer."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


def test_a_failing_storage_is_not_taken_for_the_registry(
    server: Server, other: Server, client: Transport
) -> None:
    server.routes["/f"] = Answer(status=302, headers={"Location": other.url + "/x?signature=hush"})

    with pytest.raises(RegistryError) as caught:
        client.download(server.url + "/f", to=io.BytesIO(), max_bytes=5, label="f")

    assert caught.value.code == "redirect-target-failed"
    assert "hush" not in caught.value.message


def test_t31_a_server_that_echoes_the_token_does_not_get_it_printed(
    server: Server, client: Transport
) -> None:
    server.routes["/api/v4/f"] = lambda asked: Answer(
        status=403, body=f"no: {asked.headers['private-token']}".encode()
    )

    with pytest.raises(CredentialsError) as caught:
        client.download(server.url + "/api/v4/f", to=io.BytesIO(), max_bytes=5, label="f")

    assert TOKEN not in caught.value.message
    assert "[hidden]" in caught.value.message
    reply = client.get(server.url + "/api/v4/f", max_bytes=100)
    assert TOKEN not in repr(reply)
    assert TOKEN not in repr(_credentials(server))


def test_t68_a_servers_text_cannot_drive_the_terminal(server: Server, client: Transport) -> None:
    server.routes["/f"] = Answer(status=500, body="\x1b[31mred\u202e".encode())

    with pytest.raises(RegistryError) as caught:
        client.download(server.url + "/f", to=io.BytesIO(), max_bytes=5, label="f")

    assert caught.value.message.isprintable()


def test_nobody_listening_is_unreachable(time: FakeTime) -> None:
    with socket.socket() as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
        with Transport(clock=time.clock) as client:
            assert _code(client, f"http://127.0.0.1:{port}/") == "unreachable"
    assert time.naps == [0.5, 1.0, 2.0, 4.0]


@pytest.mark.parametrize(
    "said", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"]
)
def test_a_broken_answer_is_an_error_of_ours(time: FakeTime, said: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def speak() -> None:
            with listener.accept()[0] as connection:
                connection.recv(10_000)
                connection.sendall(said)

        thread = threading.Thread(target=speak)
        thread.start()
        with Transport(NetworkSettings(retries=0), clock=time.clock) as client:
            code = _code(client, f"http://127.0.0.1:{listener.getsockname()[1]}/")
        thread.join()
    assert code in {"unreachable", "truncated"}


def test_silence_times_out(time: FakeTime) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        Transport(NetworkSettings(read_timeout=0.05, retries=0), clock=time.clock) as client,
    ):
        assert _code(client, f"http://127.0.0.1:{listener.getsockname()[1]}/") == "timed-out"


def test_a_dripping_server_cannot_outlast_the_deadline(server: Server, time: FakeTime) -> None:
    def drip(asked: Asked) -> Answer:
        time.seconds += 1000
        return Answer(body=b"slow")

    server.routes["/a"] = drip
    with Transport(NetworkSettings(deadline=900), clock=time.clock) as client:
        assert _code(client, server.url + "/a") == "timed-out"


def test_plain_http_where_tls_is_expected_fails_as_tls(server: Server, time: FakeTime) -> None:
    with Transport(NetworkSettings(retries=0), clock=time.clock) as client:
        assert _code(client, server.url.replace("http:", "https:")) == "tls-failed"


def test_a_bad_ca_file_is_told_at_once(tmp_path: Path) -> None:
    empty = tmp_path / "ca.pem"
    empty.write_bytes(b"")

    for settings in (NetworkSettings(ca_file=tmp_path / "none.pem"), NetworkSettings(extra_ca_file=empty)):
        with pytest.raises(UsageError) as caught:
            Transport(settings)
        assert caught.value.code == "bad-ca-file"


def test_many_threads_share_a_client(server: Server, client: Transport) -> None:
    server.routes["/a"] = lambda asked: Answer(body=asked.target.encode())
    seen: list[bytes] = []

    def ask(number: int) -> None:
        seen.append(client.get(f"{server.url}/a?{number}", max_bytes=50).body)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(seen) == sorted(f"/a?{number}".encode() for number in range(16))


def test_this_machine_is_reached_without_the_proxy(server: Server, other: Server, time: FakeTime) -> None:
    server.routes["/a"] = Answer()
    with Transport(NetworkSettings(proxies=(("all", other.url),)), clock=time.clock) as client:
        assert client.get(server.url + "/a", max_bytes=5).status == 200
    assert other.asked == []


def test_every_request_is_counted_and_shown_without_secrets(server: Server, time: FakeTime) -> None:
    """Tries and redirects are requests too; a signed URL's query is a secret."""
    recorder = Recorder(traced=True)
    body = gzip.compress(b"hello" * 1000)
    server.routes["/a"] = [
        Answer(status=503),
        Answer(status=302, headers={"Location": f"{server.url}/b?signature=very-secret#here"}),
    ]
    server.routes["/b"] = Answer(headers={"Content-Encoding": "gzip"}, body=body)
    credentials = _credentials(server)
    with Transport(credentials=credentials, clock=time.clock, measures=recorder) as client:
        assert client.get(f"{server.url}/a?page=2", max_bytes=5000).status == 200
        assert client.get(f"{server.url}/none", max_bytes=5000).status == 404
        with pytest.raises(NetworkError):
            client.download(f"{server.url}/b", to=io.BytesIO(), max_bytes=3, label="b")
    measured = recorder.measured()

    counts = {name: count for name, count in measured.counts.items() if count}
    assert counts["requests"] == len(server.asked) == 5
    assert counts["not_found"] == 1
    sizes = [int(dict(event.details)["bytes"]) for event in measured.events]
    assert counts["bytes_received"] == sum(sizes) > len(body)
    asked = [(event.subject.removeprefix(server.url), dict(event.details)) for event in measured.events]
    assert [(path, details["status"]) for path, details in asked] == [
        ("/a", 503),
        ("/a", 302),
        ("/b", 200),
        ("/none", 404),
        ("/b", 200),
    ]
    assert asked[2][1] == {"method": "GET", "status": 200, "bytes": len(body)}
    assert "secret" not in repr(measured)


def test_a_request_without_an_answer_is_counted(time: FakeTime) -> None:
    recorder = Recorder(traced=True)
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}/a"
    with Transport(NetworkSettings(retries=2), clock=time.clock, measures=recorder) as client:
        assert _code(client, url) == "unreachable"
    measured = recorder.measured()

    assert (measured.counts["requests"], measured.counts["bytes_received"]) == (3, 0)
    assert [event.details for event in measured.events] == [(("method", "GET"), ("bytes", 0))] * 3
