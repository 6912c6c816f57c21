"""Requests that nobody has asked for yet: tried once, bounded, and in nobody's way."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext

import pytest

from loopback import Answer, Asked, FakeTime, Server, serve
from pip_warden.errors import NetworkError
from pip_warden.transport import Transport
from pip_warden.transport.speculation import (
    LARGEST_GUESSES,
    Allowance,
    Speculation,
    SpeculationEndedError,
    current,
    speculating,
)

FEW = {"RateLimit-Remaining": "3"}


@pytest.fixture
def server() -> Iterator[Server]:
    with serve() as running:
        running.routes["/page"] = Answer(body=b"a page")
        yield running


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
def transport(time: FakeTime) -> Iterator[Transport]:
    with Transport(clock=time.clock) as opened:
        yield opened


def page(transport: Transport, server: Server) -> bytes:
    return transport.get(f"{server.url}/page", max_bytes=100).body


def test_a_guess_brings_what_a_request_brings(transport: Transport, server: Server) -> None:
    with speculating(Speculation(transport.allowance)):
        assert page(transport, server) == b"a page"
    assert current() is None


@pytest.mark.parametrize("status", [429, 502, 503])
def test_a_guess_is_tried_once(transport: Transport, server: Server, status: int) -> None:
    server.routes["/page"] = [Answer(status=status, body=b"no"), Answer(body=b"a page")]
    with speculating(Speculation(transport.allowance)):
        if status == 429:
            with pytest.raises(NetworkError):
                page(transport, server)
        else:
            assert page(transport, server) == b"no"
    assert len(server.asked) == 1
    assert page(transport, server) == b"a page"


def test_a_guess_that_somebody_waits_for_is_tried_again(transport: Transport, server: Server) -> None:
    server.routes["/page"] = [Answer(status=503), Answer(body=b"a page")]
    guess = Speculation(transport.allowance)
    guess.ask()
    with speculating(guess):
        assert page(transport, server) == b"a page"


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (Answer(status=429), 60.0),
        (Answer(status=429, headers={"Retry-After": "90"}), 90.0),
        (Answer(status=429, headers={"Retry-After": "999999"}), 3600.0),
        (Answer(body=b"a page", headers=FEW), 60.0),
        (Answer(body=b"a page", headers={**FEW, "RateLimit-Reset": "1000090"}), 90.0),
        (Answer(body=b"a page", headers={**FEW, "RateLimit-Reset": "999999"}), 60.0),
        (Answer(body=b"a page", headers={**FEW, "RateLimit-Reset": "99999999999"}), 3600.0),
        (Answer(body=b"a page", headers={**FEW, "RateLimit-Reset": "²"}), 60.0),
    ],
)
def test_a_server_that_limits_requests_gets_no_guess_for_a_while(
    transport: Transport, server: Server, time: FakeTime, answer: Answer, seconds: float
) -> None:
    server.routes["/limits"] = answer
    guess = Speculation(transport.allowance)
    with speculating(guess), pytest.raises(NetworkError) if answer.status == 429 else nullcontext():
        transport.get(f"{server.url}/limits", max_bytes=100)
    with speculating(guess), pytest.raises(SpeculationEndedError):
        page(transport, server)
    assert len(server.asked) == 1, "no connection is opened for it"
    assert page(transport, server) == b"a page", "whoever asks is answered"
    time.skip(seconds - 1)
    assert not transport.allowance.is_open
    time.skip(1)
    with speculating(guess):
        assert page(transport, server) == b"a page"


@pytest.mark.parametrize("left", ["", "20", "4711", "-1", "x", "²", "9" * 5000])
def test_a_server_with_much_left_is_asked_on(left: str) -> None:
    allowance = Allowance()
    allowance.hear(200, {"RateLimit-Remaining": left})
    assert allowance.is_open


@pytest.mark.parametrize("is_file", [True, False])
def test_guesses_share_one_budget_of_bytes(transport: Transport, server: Server, is_file: bool) -> None:
    allowance, body = Allowance(max_bytes=10), io.BytesIO()
    server.routes["/page"] = Answer(body=b"x" * 12)

    def fetch() -> object:
        if is_file:
            return transport.download(f"{server.url}/page", to=body, max_bytes=100, label="x")
        return page(transport, server)

    with speculating(Speculation(allowance)), pytest.raises(SpeculationEndedError):
        fetch()
    assert not allowance.is_open
    guess = Speculation(allowance)
    with speculating(guess), pytest.raises(SpeculationEndedError):
        fetch()
    assert len(server.asked) == 1
    guess.ask()
    with speculating(guess):
        fetch()


def test_what_somebody_asks_for_is_no_guess_any_more() -> None:
    allowance = Allowance(max_bytes=10)
    guess = Speculation(allowance)
    guess.spend(9)
    guess.ask()
    guess.ask()
    guess.spend(1000)
    assert allowance.is_open
    Speculation(allowance).spend(9)
    with pytest.raises(SpeculationEndedError):
        Speculation(allowance).spend(1)


def test_the_budget_is_as_documented() -> None:
    allowance = Allowance()
    Speculation(allowance).spend(LARGEST_GUESSES - 1)
    assert allowance.is_open
    with pytest.raises(SpeculationEndedError):
        Speculation(allowance).spend(1)


@pytest.mark.parametrize("asked", [True, False])
def test_the_end_of_a_guess_ends_its_request(transport: Transport, server: Server, asked: bool) -> None:
    """A registry that does not answer holds nobody up who did not ask."""
    arrived, answering = threading.Event(), threading.Event()

    def hold(_asked: Asked) -> Answer:
        arrived.set()
        answering.wait(60)
        return Answer(body=b"a page")

    server.routes["/page"] = hold
    guess = Speculation(transport.allowance)
    with _in_background(lambda: _guessed(transport, server, guess)) as outcome:
        assert arrived.wait(60)
        if asked:
            guess.ask()
        guess.end()
        if asked:
            answering.set()
    answering.set()
    assert outcome == [b"a page" if asked else "timed-out"]


def test_a_guess_that_has_ended_sends_nothing(transport: Transport, server: Server) -> None:
    guess = Speculation(transport.allowance)
    guess.end()
    with speculating(guess), pytest.raises(SpeculationEndedError):
        page(transport, server)
    assert server.asked == []


def _guessed(transport: Transport, server: Server, guess: Speculation) -> object:
    with speculating(guess):
        try:
            return page(transport, server)
        except NetworkError as err:
            return err.code


class _in_background:  # noqa: N801 -- used as a context manager
    """Do something in another thread, and wait for it at the end."""

    def __init__(self, work: Callable[[], object]) -> None:
        self._outcome: list[object] = []
        self._thread = threading.Thread(target=lambda: self._outcome.append(work()))

    def __enter__(self) -> list[object]:
        self._thread.start()
        return self._outcome

    def __exit__(self, *_exc: object) -> None:
        self._thread.join(60)
