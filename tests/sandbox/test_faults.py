"""Every fault as a client sees it."""

from __future__ import annotations

import http.client
import re
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests

from pip_warden.sandbox import (
    Answer,
    Delay,
    Drip,
    Hold,
    Project,
    Reset,
    Sandbox,
    Truncate,
    WrongLength,
    html_error,
    server_error,
    too_many_requests,
)
from sandbox.conftest import Http

BODY = bytes(range(256)) * 40


@pytest.fixture
def project(sandbox: Sandbox) -> Project:
    made = sandbox.project("acme/widgets", visibility="public")
    sandbox.put_evidence(made, "1.0", {"f.bin": BODY})
    return made


@pytest.fixture
def url(project: Project) -> str:
    return project.generic_url("1.0", "f.bin")


@pytest.fixture
def raw(url: str) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    yield connection
    connection.close()


def test_answers_for_as_many_requests_as_told(sandbox: Sandbox, http: Http, url: str) -> None:
    fault = sandbox.fault(server_error(), "f.bin", method="GET", origin="gitlab", times=2)

    statuses = [http("HEAD", url).status_code] + [http("GET", url).status_code for _ in range(3)]

    assert (statuses, fault.fired) == ([200, 500, 500, 200], 2)


def test_patterns_and_origins_choose_requests(sandbox: Sandbox, http: Http, url: str) -> None:
    sandbox.fault(Answer(status=418), "f.bin", origin="storage", times=None)
    sandbox.fault(Answer(status=503, body=b"busy", headers=(("x-edge", "1"),)), re.compile(r"f\.bin\?a=\d$"))

    assert http("GET", url).status_code == 200
    busy = http("GET", url, params={"a": "1"})
    assert (busy.status_code, busy.content, busy.headers["x-edge"]) == (503, b"busy", "1")
    sandbox.faults.clear()


def test_rate_limits_with_and_without_headers(sandbox: Sandbox, http: Http, url: str) -> None:
    sandbox.fault(too_many_requests(retry_after=7))
    sandbox.fault(too_many_requests(headers=False))

    limited, bare = http("GET", url), http("GET", url)

    assert (limited.status_code, limited.headers["Retry-After"], limited.text) == (429, "7", "Retry later\n")
    assert limited.headers["RateLimit-Remaining"] == "0"
    assert (bare.status_code, "Retry-After" in bare.headers) == (429, False)


def test_html_of_an_edge(sandbox: Sandbox, http: Http, url: str) -> None:
    sandbox.fault(html_error(502))

    answer = http("GET", url)

    assert (answer.status_code, answer.headers["Content-Type"]) == (502, "text/html; charset=utf-8")


def test_held_until_let_go(sandbox: Sandbox, http: Http, url: str) -> None:
    hold = Hold()
    sandbox.fault(hold, "f.bin?held")
    done = threading.Event()

    def wait() -> None:
        assert requests.get(f"{url}?held", timeout=60).content == BODY
        done.set()

    thread = threading.Thread(target=wait)
    thread.start()
    assert hold.reached.wait(60)
    assert http("GET", url).status_code == 200
    assert not done.is_set()
    hold.until.set()
    thread.join()
    assert done.is_set()


def test_closing_lets_held_requests_go(url: str, sandbox: Sandbox, raw: http.client.HTTPConnection) -> None:
    hold = Hold()
    sandbox.fault(hold)
    raw.request("GET", urlsplit(url).path)
    assert hold.reached.wait(60)

    sandbox.close()

    assert raw.getresponse().read() == BODY


def test_truncation_announces_all(sandbox: Sandbox, url: str, raw: http.client.HTTPConnection) -> None:
    sandbox.fault(Truncate(keep=100))
    raw.request("GET", urlsplit(url).path)
    answer = raw.getresponse()

    assert answer.headers["Content-Length"] == str(len(BODY))
    with pytest.raises(http.client.IncompleteRead) as caught:
        answer.read()
    assert caught.value.partial == BODY[:100]


def test_wrong_length_short_and_long(sandbox: Sandbox, url: str, raw: http.client.HTTPConnection) -> None:
    sandbox.fault(WrongLength(off_by=-1))
    raw.request("GET", urlsplit(url).path)
    assert raw.getresponse().read() == BODY[:-1]
    raw.close()

    sandbox.fault(WrongLength(off_by=5))
    raw.request("GET", urlsplit(url).path)
    with pytest.raises(http.client.IncompleteRead):
        raw.getresponse().read()


def test_dripping_delivers_everything(sandbox: Sandbox, http: Http, url: str) -> None:
    sandbox.fault(Drip(size=4096, pause=0.001))

    assert http("GET", url).content == BODY


def test_reset_before_and_after_the_commit(sandbox: Sandbox, http: Http, project: Project) -> None:
    url, auth = project.generic_url("1.0", "new.bin"), ("x", sandbox.token())

    sandbox.fault(Reset(), "new.bin")
    with pytest.raises(requests.ConnectionError):
        http("PUT", url, auth=auth, data=b"lost")
    assert http("GET", url).status_code == 404

    sandbox.fault(Reset(after_commit=True), "new.bin", method="PUT")
    with pytest.raises(requests.ConnectionError):
        http("PUT", url, auth=auth, data=b"kept")
    assert http("GET", url).content == b"kept"
    assert [entry.status for entry in sandbox.requests if entry.method == "PUT"] == [None, None]


def test_a_delay_is_a_round_trip_per_request_and_one_more_per_connection(sandbox: Sandbox, url: str) -> None:
    waited: list[float] = []

    async def count(seconds: float) -> None:
        waited.append(seconds)

    sandbox.faults.sleep = count
    sandbox.fault(Delay(round_trip=3), times=None)
    for requests_of_one in (3, 1):
        with requests.Session() as session:
            session.trust_env = False
            assert [session.get(url, timeout=60).content for _ in range(requests_of_one)] == (
                [BODY] * requests_of_one
            )

    assert waited == [6, 3, 3, 6]
