"""Evidence that is requested before its turn: once, and only what searches ask for anyway."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from pip_warden.errors import NetworkError
from pip_warden.supply.ahead import Background, EvidenceAhead
from pip_warden.transport.speculation import Allowance, SpeculationEndedError, current
from pip_warden.transport.watchdog import Watch

GONE = NetworkError("unreachable", "expected an answer, found none")


class Store:
    """Counts what is fetched of it, and fails as often as it is told to."""

    def __init__(self, *, failures: int = 0) -> None:
        self.fetched = 0
        self._failures = failures
        self.done = threading.Event()

    def fetch(self) -> bytes | None:
        self.fetched += 1
        if self.fetched > self._failures:
            self.done.set()
            return b"bundle"
        self.done.set()
        raise GONE


@pytest.fixture
def background() -> Iterator[Background]:
    made = Background(Allowance())
    yield made
    made.close(wait=True)


def test_what_is_under_way_is_not_fetched_again(background: Background) -> None:
    ahead, store = EvidenceAhead(), Store()
    ahead.start("key", store.fetch, background)
    assert ahead.take("key", store.fetch) == b"bundle"
    assert store.fetched == 1
    assert ahead.take("key", store.fetch) == b"bundle"
    assert store.fetched == 2, "each answer is taken once"


def test_what_failed_ahead_is_fetched_by_whoever_asks(background: Background) -> None:
    ahead, store = EvidenceAhead(), Store(failures=1)
    ahead.start("key", store.fetch, background)
    assert store.done.wait(60)
    assert ahead.take("key", store.fetch) == b"bundle"
    assert store.fetched == 2
    ahead, store = EvidenceAhead(), Store(failures=2)
    ahead.start("key", store.fetch, background)
    assert store.done.wait(60)
    with pytest.raises(NetworkError):
        ahead.take("key", store.fetch)


def test_absence_is_an_answer_too(background: Background) -> None:
    ahead = EvidenceAhead()
    ahead.start("key", lambda: None, background)
    assert ahead.take("key", lambda: None) is None


@pytest.mark.parametrize("closes", [True, False])
def test_without_threads_or_budget_it_is_fetched_in_its_turn(closes: bool) -> None:
    background = Background(Allowance(max_bytes=1 if closes else 0))
    ahead, store = EvidenceAhead(), Store()
    if closes:
        background.close(wait=True)
    ahead.start("key", store.fetch, background)
    assert ahead.take("key", store.fetch) == b"bundle"
    assert store.fetched == 1
    background.close(wait=True)


def test_it_is_a_guess_until_somebody_waits_for_it(background: Background) -> None:
    ahead, begun, waiting = EvidenceAhead(), threading.Event(), threading.Event()
    guesses = []

    def fetch() -> bytes:
        guesses.append(current())
        begun.set()
        waiting.wait(60)
        return b"bundle"

    ahead.start("key", fetch, background)
    assert begun.wait(60)
    (guess,) = guesses
    assert guess is not None
    assert not guess.is_asked
    honest = guess.ask

    def ask() -> None:
        honest()
        waiting.set()

    guess.ask = ask  # type: ignore[method-assign]
    assert ahead.take("key", fetch) == b"bundle"
    assert guess.is_asked


def test_what_was_tried_again_for_whoever_waits_and_failed_then_too_has_failed(
    background: Background,
) -> None:
    ahead, begun, waiting = EvidenceAhead(), threading.Event(), threading.Event()
    tries = []

    def fetch() -> bytes:
        guess = current()
        assert guess is not None
        honest = guess.ask

        def ask() -> None:
            honest()
            waiting.set()

        guess.ask = ask  # type: ignore[method-assign]
        begun.set()
        waiting.wait(60)
        guess.follow(Watch(0))
        tries.append(guess.is_asked)
        raise GONE

    ahead.start("key", fetch, background)
    assert begun.wait(60)
    with pytest.raises(NetworkError):
        ahead.take("key", fetch)
    assert tries == [True]


def test_no_guess_is_made_once_it_is_closed(background: Background) -> None:
    background.close(wait=True)
    with pytest.raises(SpeculationEndedError):
        background.speculate(lambda _guess: None)


def test_the_shorter_of_the_last_two_searches_is_usual() -> None:
    ahead = EvidenceAhead()
    first, second, third = ((0, ".sigstore.json", 9),), ((0, "a", 9), (0, "b", 9)), ((0, "c", 9),) * 3
    assert ahead.usual("acme") == ()
    for asked, usual in ((second, second), (third, second), (third, third), (first, first), (second, first)):
        ahead.learn("acme", asked)
        assert ahead.usual("acme") == usual
    assert ahead.usual("pypi") == ()
