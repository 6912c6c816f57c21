"""The loopback server: one host, one password, nothing after a denial."""

from __future__ import annotations

import base64
import contextlib
import json
import socket
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from installers.asking import ask
from installers.fake_backend import FakeBackend, error
from installers.witness import LONGEST_WAIT
from pip_warden.errors import NetworkError, RefusedError, WardenError
from pip_warden.installer import loopback as loopback_module
from pip_warden.installer.gate_port import HOST
from pip_warden.installer.model import ListedFile
from pip_warden.installer.pages import has_metadata
from pip_warden.installer.questions import LARGEST_QUESTION
from pip_warden.installer.server import Server

FILE = "acme-1.0-py3-none-any.whl"


def _page(name: str = "acme") -> str:
    return f"http://{HOST}/simple/{name}/"


def _file(name: str = FILE) -> str:
    return f"http://{HOST}/files/acme/{name}"


@pytest.fixture
def backend(tmp_path: Path) -> FakeBackend:
    made = FakeBackend(tmp_path)
    made.add("acme", "1.0", "beta>=1")
    return made


def test_page_file_metadata_and_ranges(backend: FakeBackend) -> None:
    content = (backend.directory / FILE).read_bytes()
    with Server(backend) as server:
        status, headers, body = ask(server, _page(), "Accept: application/vnd.pypi.simple.v1+json")
        assert (status, headers["cache-control"]) == (200, "no-store")
        (listed,) = json.loads(body)["files"]
        assert (listed["yanked"], listed["core-metadata"], listed["upload-time"]) == (
            False,
            True,
            "2026-01-01T00:00:00Z",
        )
        assert listed["url"].partition("#")[0] == _file()

        status, headers, body = ask(server, _page(), "Accept: text/html")
        assert (status, headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert f"#sha256={listed['hashes']['sha256']}".encode() in body

        status, headers, body = ask(server, _file())
        assert (status, body, headers["cache-control"]) == (200, content, "no-store")
        status, headers, body = ask(server, _file(), "Range: bytes=-22")
        assert (status, body) == (206, content[-22:])
        status, headers, body = ask(server, _file(), "Range: bytes=0-3")
        assert (status, body, headers["cache-control"]) == (206, content[:4], "no-store")
        status, _, body = ask(server, _file() + ".metadata")
        assert (status, b"Requires-Dist: beta>=1" in body) == (200, True)
        status, headers, body = ask(server, _file(), method="HEAD")
        assert (status, body, headers["content-length"]) == (200, b"", str(len(content)))
    assert server.strays == ()
    assert server.denial is None


def test_what_is_sent_is_counted(backend: FakeBackend) -> None:
    """Bodies alone, and of a part only the part."""
    with Server(backend) as server:
        bodies = [
            ask(server, _page())[2],
            ask(server, _file())[2],
            ask(server, _file(), "Range: bytes=0-3")[2],
            ask(server, _file() + ".metadata")[2],
            ask(server, _file(), method="HEAD")[2],
        ]
    assert (len(bodies[2]), len(bodies[4])) == (4, 0)
    assert backend.bytes_sent == sum(map(len, bodies))


@pytest.mark.parametrize(
    "password",
    [
        "",
        "Proxy-Authorization: Basic eDp5",
        "Proxy-Authorization: Basic",
        "Proxy-Authorization: Bearer x",
        "Authorization: Basic eDp5",
        "Proxy-Authorization: Basic \xe9",
    ],
)
def test_without_the_password_nothing_is_answered(backend: FakeBackend, password: str) -> None:
    with Server(backend) as server:
        for target in (_page(), _file(), "http://pypi.org/simple/", "/simple/acme/"):
            assert ask(server, target, password=password)[0] == 407
    assert backend.asked == []


def test_passwords_differ_between_runs(backend: FakeBackend) -> None:
    with Server(backend) as one, Server(backend) as two:
        assert urlsplit(one.proxy_url).password != urlsplit(two.proxy_url).password


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("CONNECT", "pypi.org:443"),
        ("CONNECT", f"{HOST}:443"),
        ("GET", "http://pypi.org/simple/acme/"),
        ("GET", "http://127.0.0.1:8080/acme-1.0-py3-none-any.whl"),
        ("GET", "http://169.254.169.254/latest/meta-data/"),
        ("GET", f"https://{HOST}/simple/acme/"),
        ("GET", f"http://{HOST}:80/simple/acme/"),
        ("GET", f"http://x@{HOST}/simple/acme/"),
        ("GET", f"http://{HOST}.evil.example/simple/acme/"),
        ("GET", f"http://{HOST}/simple/acme/?x=1"),
        ("GET", "/simple/acme/"),
        ("GET", "http://[/simple/acme/"),
        ("POST", _page()),
        ("PUT", _file()),
        ("DELETE", _file()),
    ],
)
def test_every_other_request_is_refused_and_remembered(
    backend: FakeBackend, method: str, target: str
) -> None:
    with Server(backend) as server:
        assert ask(server, target, method=method)[0] == 403
        assert len(server.strays) == 1
        assert server.strays[0].startswith(method)
        assert server.denial is None
    assert backend.asked == []


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/simple/",
        "/simple",
        "/simple/a%2Fb/",
        "/simple/../files/acme/x",
        "/simple/%20/",
        "/simple/-/",
        "/files/acme/../../etc/passwd",
        "/files/acme/..%2f..%2fetc%2fpasswd",
        "/files/acme/",
        "/files//x",
        "/simple/a%00b/",
        "/simple//acme/",
    ],
)
def test_other_paths_are_nothing(backend: FakeBackend, path: str) -> None:
    with Server(backend) as server:
        assert ask(server, f"http://{HOST}{path}")[0] == 404
        assert server.denial is None
    assert backend.asked == []


def test_an_encoded_name_is_the_same_name(backend: FakeBackend) -> None:
    with Server(backend) as server:
        assert ask(server, f"http://{HOST}/simple/%61cme/")[0] == 200
    assert backend.asked == ["page acme"]


def test_a_denial_ends_everything(backend: FakeBackend) -> None:
    backend.errors[f"file {FILE}"] = error(RefusedError, "no-evidence")
    called: list[bool] = []
    with Server(backend, on_denial=lambda: called.append(True)) as server:
        assert ask(server, _page())[0] == 200
        status, headers, body = ask(server, _file())
        assert (status, headers["cache-control"], b"no-evidence" in body) == (403, "no-store", True)
        assert ask(server, _page())[0] == 403
        assert ask(server, _file("acme-0.9-py3-none-any.whl"))[0] == 403
    assert called == [True]
    assert backend.asked == ["page acme", f"file {FILE}"]
    assert server.denial is backend.errors[f"file {FILE}"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (error(NetworkError, "no-answer"), error(RefusedError, "no-evidence")),
        (error(NetworkError, "no-answer"), KeyError("ours")),
    ],
)
def test_a_refusal_outranks_what_could_not_be_decided(
    backend: FakeBackend, first: WardenError, second: Exception
) -> None:
    """So does a failure of our own: which comes first is chance."""
    both = threading.Barrier(2, timeout=LONGEST_WAIT)
    slow = threading.Event()
    backend.errors = {
        "page acme": first,
        f"file {FILE}": second,
    }

    def before(what: str) -> None:
        both.wait()
        if what.startswith("file"):
            slow.wait(LONGEST_WAIT)

    backend.before = before
    with Server(backend, on_denial=slow.set) as server:
        threads = [threading.Thread(target=ask, args=(server, target)) for target in (_page(), _file())]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert server.denial is not None
        assert server.denial.exit_code == getattr(second, "exit_code", 70)


def test_t65_a_failure_of_our_own_ends_the_run_too(backend: FakeBackend) -> None:
    backend.errors["page acme"] = KeyError("ours")
    called: list[bool] = []
    with Server(backend, on_denial=lambda: called.append(True)) as server:
        assert ask(server, _page())[0] == 500
        assert ask(server, _file())[0] == 403
    assert called == [True]
    assert isinstance(server.denial, WardenError)
    assert (server.denial.code, server.denial.exit_code) == ("bug", 70)


@pytest.fixture
def generous_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server's end waits for its thread; a thread that has ended by then was not merely given up."""
    monkeypatch.setattr(loopback_module, "_LONGEST_WAIT", LONGEST_WAIT)


@pytest.mark.usefixtures("generous_end")
def test_an_idle_connection_does_not_delay_the_end(backend: FakeBackend) -> None:
    """It would stay open for a day: pip, which retries nothing, may reuse it after a long build."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(Server(backend))
        parts = urlsplit(server.proxy_url)
        token = base64.b64encode(f"{parts.username}:{parts.password}".encode()).decode()
        request = f"GET {_page()} HTTP/1.1\r\nHost: {HOST}\r\nProxy-Authorization: Basic {token}\r\n\r\n"
        with socket.create_connection(("127.0.0.1", parts.port or 0), timeout=LONGEST_WAIT) as connection:
            connection.sendall(request.encode())
            while b"</a>" not in connection.recv(65536):
                pass
            stack.close()
            assert connection.recv(1) == b""
    assert not server._listener._thread.is_alive()


@pytest.mark.usefixtures("generous_end")
def test_the_end_does_not_wait_for_an_answer(backend: FakeBackend) -> None:
    asked, release = threading.Event(), threading.Event()

    def before(_what: str) -> None:
        asked.set()
        release.wait()

    backend.before = before
    with Server(backend) as server:
        thread = threading.Thread(target=lambda: _swallow(server))
        thread.start()
        assert asked.wait(LONGEST_WAIT)
    ended = not server._listener._thread.is_alive()
    release.set()
    thread.join()
    assert ended


def test_b22_the_end_drops_what_is_under_way(backend: FakeBackend) -> None:
    """Since Python 3.12, servers wait for open connections."""
    asked, ended, over = threading.Event(), threading.Event(), threading.Event()
    in_time: list[bool] = []

    def before(_what: str) -> None:
        asked.set()
        in_time.append(ended.wait(LONGEST_WAIT))
        over.set()

    backend.before = before
    with Server(backend) as server:
        thread = threading.Thread(target=_swallow, args=(server,))
        thread.start()
        silent = socket.create_connection(
            ("127.0.0.1", urlsplit(server.proxy_url).port or 0), timeout=LONGEST_WAIT
        )
        assert asked.wait(LONGEST_WAIT)
    # A client that waits for a response sees the end before there is one, and so does one without a request.
    thread.join()
    with silent, contextlib.suppress(ConnectionResetError):
        assert silent.recv(1) == b""
    ended.set()
    assert over.wait(LONGEST_WAIT)
    assert in_time == [True]


def _swallow(server: Server) -> None:
    try:
        ask(server, _page())
    except (OSError, IndexError, ValueError):
        return


LINK = b'{"name": "a", "url": "b", "wanted_by": ""}'


def test_b10_questions_need_the_password_and_their_own_address(backend: FakeBackend) -> None:
    with Server(backend) as server:
        question = f"http://{HOST}/run/link"
        length = f"Content-Length: {len(LINK)}"
        assert ask(server, question, length, method="POST", password="", body=LINK)[0] == 407
        assert ask(server, question)[0] == 404
        assert ask(server, _page(), length, method="POST", body=LINK)[0] == 403
        assert backend.asked == []
        status, _, body = ask(server, question, length, method="POST", body=LINK)
        assert (status, json.loads(body)) == (200, {"record": ""})
        assert server.denial is None


def test_b10_a_question_without_end_is_refused(backend: FakeBackend) -> None:
    body = b"[" * (LARGEST_QUESTION + 1)
    with Server(backend) as server:
        length = f"Content-Length: {len(body)}"
        assert ask(server, f"http://{HOST}/run/plan", length, method="POST", body=body)[0] == 403
        assert server.denial is not None
        assert server.denial.code == "unknown-pip"


def test_b08_a_strangers_question_is_not_waited_for(backend: FakeBackend) -> None:
    """A client without the password, another user's for instance, could make us store what it sends."""
    with Server(backend) as server:
        status, _, _ = ask(
            server,
            f"http://{HOST}/run/link",
            "Content-Length: 10",
            method="POST",
            password="Proxy-Authorization: Basic eDp5",
        )
    assert (status, server.denial) == (407, None)


def test_b08_a_question_that_is_too_long_is_not_read_to_its_end(backend: FakeBackend) -> None:
    with Server(backend) as server:
        status, _, _ = ask(
            server,
            f"http://{HOST}/run/link",
            f"Content-Length: {2 * LARGEST_QUESTION}",
            method="POST",
            body=b"[" * (LARGEST_QUESTION + 1),
        )
    assert status == 403
    assert server.denial is not None
    assert (server.denial.code, server.denial.exit_code) == ("unknown-pip", 4)


def test_b08_a_refusal_stands_and_the_run_is_ended_once(backend: FakeBackend) -> None:
    """Responses come from several threads: one may fail in another way after the refusal."""
    ended: list[bool] = []
    refused, undecided = RefusedError("bad-signature", "no"), NetworkError("timed-out", "nobody knows")
    with Server(backend, on_denial=lambda: ended.append(True)) as server:
        for failure in (undecided, refused, undecided, RefusedError("no-evidence", "no")):
            server._deny(failure)
        assert (server.denial, ended) == (refused, [True])


def test_b08_the_password_in_another_scheme_is_none(backend: FakeBackend) -> None:
    with Server(backend) as server:
        parts = urlsplit(server.proxy_url)
        token = base64.b64encode(f"{parts.username}:{parts.password}".encode()).decode()
        assert ask(server, _page(), password=f"Proxy-Authorization: Bearer {token}")[0] == 407
    assert backend.asked == []


def test_b16_metadata_is_offered_only_where_the_page_has_a_digest() -> None:
    """For a file without one, pip's report would not have the accepted digest."""
    assert [has_metadata(ListedFile(filename=FILE, sha256=sha256)) for sha256 in ("", "0" * 64)] == [
        False,
        True,
    ]
