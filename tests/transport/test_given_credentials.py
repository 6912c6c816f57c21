"""Requests that bring their own credentials, or none: what the client holds is never sent there."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator

import pytest

from loopback import Answer, FakeTime, Server
from pip_warden.errors import WardenError
from pip_warden.transport import (
    AuthHeader,
    Download,
    NetworkSettings,
    Request,
    Response,
    Secret,
    Transport,
    basic_header,
    bearer_header,
    credentials_from_environment,
    error_for,
)

GIVEN = bearer_header(Secret("given-secret"))


@pytest.fixture
def client(server: Server) -> Iterator[Transport]:
    environ = {"GITLAB_TOKEN": "glpat-held", "GITLAB_URL": server.url}
    held = credentials_from_environment(environ, use_keyring=False)
    with Transport(NetworkSettings(read_timeout=60), credentials=held, clock=FakeTime().clock) as transport:
        yield transport


def _ask(method: str, server: Server, auth: AuthHeader | None = GIVEN, body: bytes | None = None) -> Request:
    return Request(method=method, url=server.url + "/api/v4/a", what="it", auth=auth, body=body)


@pytest.mark.parametrize("auth", [GIVEN, None])
def test_what_is_held_is_not_sent_in_place_of_what_is_given(
    server: Server, client: Transport, auth: AuthHeader | None
) -> None:
    server.routes["/api/v4/a"] = Answer(body=b"it")
    to = io.BytesIO()

    reply = client.send(_ask("GET", server, auth), max_bytes=10)
    outcome = client.fetch(_ask("GET", server, auth), to=to, max_bytes=10)

    assert isinstance(outcome, Download)
    assert (reply.body, to.getvalue()) == (b"it", b"it")
    assert reply.sent_credentials is (auth is not None)
    assert "glpat" not in str(server.asked)
    expected = None if auth is None else "Bearer given-secret"
    assert [asked.headers.get("authorization") for asked in server.asked] == [expected] * 2


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_is_given_stays_at_its_origin(
    server: Server, other: Server, client: Transport, method: str
) -> None:
    server.routes["/api/v4/a"] = Answer(status=307, headers={"Location": "/b"})
    server.routes["/b"] = Answer(status=302, headers={"Location": other.url + "/c"})
    other.routes["/c"] = Answer(status=302, headers={"Location": server.url + "/d"})

    reply = client.send(_ask(method, server), max_bytes=100)

    assert (reply.status, reply.url, reply.sent_credentials) == (404, server.url + "/d", False)
    sent = [asked.headers.get("authorization") for asked in server.asked]
    assert sent == ["Bearer given-secret", "Bearer given-secret", None]
    assert "given-secret" not in str(other.asked)
    assert {asked.method for asked in server.asked + other.asked} == {method}


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_what_changes_something_follows_no_redirect(
    server: Server, client: Transport, method: str, status: int
) -> None:
    server.routes["/api/v4/a"] = Answer(status=status, headers={"Location": "/b"})

    with pytest.raises(WardenError) as caught:
        client.send(_ask(method, server, body=b"x"), max_bytes=10)
    assert (caught.value.code, caught.value.exit_code) == ("insecure-redirect", 3)
    assert len(server.asked) == 1


def test_what_changes_something_is_sent_once_and_the_rest_again(server: Server, client: Transport) -> None:
    for method, times in (("POST", 1), ("PUT", 1), ("PATCH", 1), ("GET", 2), ("HEAD", 2)):
        server.asked.clear()
        server.routes["/api/v4/a"] = [Answer(status=502), Answer(status=200)]
        client.send(_ask(method, server), max_bytes=10)
        assert len(server.asked) == times


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_server_that_allows_no_more_requests(server: Server, client: Transport, method: str) -> None:
    server.routes["/api/v4/a"] = Answer(status=429)

    with pytest.raises(WardenError) as caught:
        client.send(_ask(method, server), max_bytes=10)
    assert (caught.value.code, caught.value.exit_code) == ("rate-limited", 3)
    with pytest.raises(WardenError) as caught:
        client.fetch(_ask("GET", server), to=io.BytesIO(), max_bytes=10)
    assert caught.value.code == "rate-limited"


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH"])
def test_a_body_is_small(server: Server, client: Transport, method: str) -> None:
    server.routes["/api/v4/a"] = Answer(body=b"12345678901")

    with pytest.raises(WardenError) as caught:
        client.send(_ask(method, server), max_bytes=10)
    assert caught.value.code == "too-large"


def test_a_download_that_fails_is_the_answer(server: Server, client: Transport) -> None:
    server.routes["/api/v4/a"] = Answer(status=401, headers={"WWW-Authenticate": "Basic"}, body=b"no")
    to = io.BytesIO(b"kept")
    to.seek(4)

    reply = client.fetch(_ask("GET", server), to=to, max_bytes=10)

    assert isinstance(reply, Response)
    assert (reply.status, reply.headers["www-authenticate"], to.getvalue()) == (401, "Basic", b"kept")


@pytest.mark.parametrize("content", [b"", b"content"])
def test_a_file_is_sent_whole(server: Server, client: Transport, content: bytes) -> None:
    server.routes["/api/v4/a"] = Answer(status=201)
    file = io.BytesIO(content)
    file.seek(0, 2)

    ask = Request(method="PATCH", url=server.url + "/api/v4/a", what="it", file=file)
    assert client.send(ask, max_bytes=10).status == 201

    assert (server.asked[0].body, server.asked[0].headers["content-length"]) == (content, str(len(content)))


def test_offline_sends_nothing(server: Server) -> None:
    with Transport(NetworkSettings(offline=True)) as client, pytest.raises(WardenError) as caught:
        client.send(_ask("PATCH", server), max_bytes=10)
    assert (caught.value.code, caught.value.exit_code) == ("offline", 3)


def test_headers_show_no_secret() -> None:
    basic = basic_header("me", Secret("s3cret"))

    assert basic.value.reveal() == "Basic bWU6czNjcmV0"
    assert "s3cret" not in repr(basic) + repr(GIVEN)
    assert all(secret.redact("bWU6czNjcmV0 s3cret") != "bWU6czNjcmV0 s3cret" for secret in basic.secrets)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ([{"code": "DENIED", "message": "no \x1b[1m"}, {"code": "X"}], "DENIED: no \\u001b[1m; X"),
        ([{"code": "DENIED", "message": "", "detail": {"a": 1}}, "x", None], "DENIED"),
        ([{"code": str(number)} for number in range(9)], "0; 1; 2"),
    ],
)
def test_errors_of_a_registry_of_images_are_shown(said: object, shown: str) -> None:
    body = json.dumps({"errors": said}).encode()
    reply = Response(status=400, url="https://example.com/v2/", headers={}, body=body)

    assert str(error_for(reply, "it")).endswith(f"from https://example.com/v2/: {shown}")


@pytest.mark.parametrize("said", ["x", [], [[]], {"code": "X"}, 5, [{}], None])
def test_errors_of_another_form_are_shown_as_they_are(said: object) -> None:
    body = json.dumps({"errors": said}).encode()
    reply = Response(status=400, url="https://example.com/v2/", headers={}, body=body)

    assert body.decode() in str(error_for(reply, "it"))
