"""Work that is done once, and perhaps before anybody needs it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from pip_warden.errors import NetworkError
from pip_warden.gate.once import Once
from pip_warden.transport.speculation import Allowance, Speculation
from pip_warden.transport.watchdog import Watch

GONE = NetworkError("unreachable", "expected an answer, found none")


def fail() -> str:
    raise GONE


def good(_result: str) -> bool:
    return True


@pytest.fixture
def once() -> Once[str, str]:
    return Once()


@pytest.fixture
def guess() -> Speculation:
    return Speculation(Allowance())


def test_the_same_for_everybody_even_a_failure(once: Once[str, str]) -> None:
    for _ in range(2):
        with pytest.raises(NetworkError):
            once.do("a", fail)
    with pytest.raises(NetworkError):
        once.do("a", lambda: "late")
    assert once.do("b", lambda: "first") == once.do("b", fail) == "first"


def test_what_was_done_ahead_is_not_done_again(once: Once[str, str], guess: Speculation) -> None:
    assert once.ahead("a", lambda: "ahead", guess, is_good=good) == "ahead"
    assert once.do("a", fail) == "ahead"
    assert once.ahead("a", fail, guess, is_good=good) == "ahead"


@pytest.mark.parametrize("raises", [True, False])
def test_what_came_to_nothing_ahead_is_done_by_whoever_asks(
    once: Once[str, str], guess: Speculation, raises: bool
) -> None:
    if raises:
        with pytest.raises(NetworkError):
            once.ahead("a", fail, guess, is_good=good)
    else:
        assert once.ahead("a", lambda: "bad", guess, is_good=lambda result: result != "bad") is None
    assert once.do("a", lambda: "asked") == "asked"


def test_a_failure_that_was_asked_for_is_nothing_to_a_guess(once: Once[str, str], guess: Speculation) -> None:
    with pytest.raises(NetworkError):
        once.do("a", fail)
    assert once.ahead("a", lambda: "ahead", guess, is_good=good) is None


def asked_for_meanwhile(
    once: Once[str, str],
    guess: Speculation,
    work: Callable[[Callable[[], None]], str],
    *,
    is_good: Callable[[str], bool] = good,
    askers: int = 1,
) -> tuple[Future[str | None], list[Future[str]]]:
    """Guess, and let others ask for it as soon as the work waits for them; return how all of it ended."""
    begun, asked = threading.Event(), threading.Event()
    honest = guess.ask

    def ask() -> None:
        honest()
        asked.set()

    guess.ask = ask  # type: ignore[method-assign]

    def wait() -> None:
        begun.set()
        assert asked.wait(60)

    with ThreadPoolExecutor(askers + 1) as pool:
        ahead = pool.submit(once.ahead, "a", lambda: work(wait), guess, is_good=is_good)
        assert begun.wait(60)
        return ahead, [pool.submit(once.do, "a", lambda: "asked") for _ in range(askers)]


@pytest.mark.parametrize("comes_to_nothing", [True, False])
def test_whoever_asks_meanwhile_waits_and_makes_it_a_request(
    once: Once[str, str], guess: Speculation, comes_to_nothing: bool
) -> None:
    def work(wait: Callable[[], None]) -> str:
        wait()
        return fail() if comes_to_nothing else "ahead"

    ahead, askers = asked_for_meanwhile(once, guess, work, askers=8)

    assert {asker.result() for asker in askers} == {"asked" if comes_to_nothing else "ahead"}
    assert guess.is_asked
    assert (ahead.exception() is not None) is comes_to_nothing


@pytest.mark.parametrize("raises", [True, False])
def test_what_was_tried_again_for_whoever_asks_and_failed_then_too_has_failed(
    once: Once[str, str], guess: Speculation, raises: bool
) -> None:
    """Else a registry in trouble would be asked twice as often, and waited for twice as long."""

    def work(wait: Callable[[], None]) -> str:
        guess.follow(Watch(0))
        wait()
        guess.follow(Watch(0))
        return fail() if raises else "undecided"

    ahead, (asker,) = asked_for_meanwhile(once, guess, work, is_good=lambda result: result != "undecided")

    if raises:
        assert isinstance(asker.exception(), NetworkError)
        assert isinstance(ahead.exception(), NetworkError)
    else:
        assert (asker.result(), ahead.result()) == ("undecided", None)
