"""What a run costs is counted from every thread, and a phase's time is its own."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pip_warden import measures as room
from pip_warden.measures import COUNTERS, PHASES, UNMEASURED, Recorder


class Ticks:
    """A clock that goes on by what it is told, and by nothing else."""

    def __init__(self) -> None:
        self.now = 1000

    def __call__(self) -> int:
        return self.now


def test_what_is_within_a_phase_is_not_its_own() -> None:
    clock = Ticks()
    recorder = Recorder(clock=clock)
    with recorder.phase("prove"):
        clock.now += 5
        with recorder.phase("evidence"):
            clock.now += 7
            with recorder.phase("page"):
                clock.now += 11
        with recorder.phase("evidence"):
            clock.now += 13
        clock.now += 17
    clock.now += 100
    measured = recorder.measured()

    spent = {name: time for name, time in measured.phases.items() if time}
    assert spent == {"prove": 22, "evidence": 20, "page": 11}
    assert (measured.total, measured.events) == (153, ())
    assert (tuple(measured.counts), tuple(measured.phases)) == (COUNTERS, PHASES)


def test_a_phase_of_another_thread_is_within_none() -> None:
    clock = Ticks()
    recorder = Recorder(clock=clock)

    def other() -> None:
        with recorder.phase("page"):
            clock.now += 3

    with recorder.phase("answer"):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert (recorder.measured().phases["answer"], recorder.measured().phases["page"]) == (3, 3)


def test_threads_lose_no_count() -> None:
    recorder = Recorder(traced=True)
    together = threading.Barrier(8)

    def work(_: int) -> None:
        together.wait(60)
        for _each in range(500):
            recorder.count("bytes_hashed", 3)
            with recorder.phase("prove", "a"), recorder.request("GET", "https://a") as exchange:
                exchange.received = 2

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    measured = recorder.measured()
    counts = measured.counts
    assert (counts["bytes_hashed"], counts["requests"], counts["bytes_received"]) == (12000, 4000, 8000)
    assert len(measured.events) == 8000


def test_what_fails_has_cost_what_it_has_cost() -> None:
    clock = Ticks()
    recorder = Recorder(traced=True, clock=clock)

    def fail() -> None:
        with recorder.phase("fetch", "a"), recorder.request("GET", "https://a/b") as exchange:
            clock.now += 2
            exchange.status = 404
            exchange.received = 9
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    measured = recorder.measured()
    assert {name: count for name, count in measured.counts.items() if count} == {
        "requests": 1,
        "not_found": 1,
        "bytes_received": 9,
    }
    assert measured.phases["fetch"] == 2
    fetch, request = measured.events
    assert (fetch.kind, fetch.subject, fetch.start, fetch.end) == ("fetch", "a", 0, 2)
    assert (request.kind, request.end) == ("request", 2)
    assert request.details == (("method", "GET"), ("status", 404), ("bytes", 9))


def test_what_is_under_way_is_seen_too() -> None:
    """An interrupted run does not wait for a registry: what it waited for is what one wants to see."""
    clock = Ticks()
    recorder = Recorder(traced=True, clock=clock)
    with recorder.phase("pip"), recorder.request("GET", "https://slow"):
        clock.now += 4
        recorder.asked("a")
        measured = recorder.measured()
    assert [(event.kind, event.start, event.end) for event in measured.events] == [
        ("pip", 0, 4),
        ("request", 0, 4),
        ("asked", 4, None),
    ]
    assert measured.phases["pip"] == 0
    assert recorder.measured().phases["pip"] == 4


def test_no_more_is_kept_than_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_MOST_EVENTS", 3)
    recorder = Recorder(traced=True)
    for number in range(5):
        recorder.asked(number)
    assert (len(recorder.measured().events), recorder.measured().dropped) == (3, 2)


@pytest.mark.parametrize("make", [Recorder, lambda: UNMEASURED])
def test_finding_is_a_phase_and_using_is_none(make: Callable[[], Recorder]) -> None:
    measures, asked = make(), []

    def find() -> Iterator[int]:
        asked.append("first")
        yield 1
        asked.append("second")
        yield 2

    found = measures.each("evidence", "a", find)
    assert asked == []
    assert next(found) == 1
    assert asked == ["first"]
    assert list(found) == [2]


def test_finding_that_fails_fails() -> None:
    def find() -> Iterator[int]:
        raise OSError(5, "broken")

    with pytest.raises(OSError, match="broken"):
        list(UNMEASURED.each("evidence", "a", find))


def test_the_page_names_every_figure() -> None:
    text = (Path(__file__).parent.parent / "docs" / "measures.md").read_text(encoding="utf-8")
    counters, _, phases = text.partition("| phase, in")
    named = [
        re.findall(r"`(\w+)`", "".join(line.split("|")[1] for line in part.splitlines() if line[:3] == "| `"))
        for part in (counters, phases)
    ]
    assert [sorted(part) for part in named] == [sorted(COUNTERS), sorted(PHASES)]


def test_who_measures_nothing_takes_everything() -> None:
    UNMEASURED.count("requests")
    UNMEASURED.asked("a")
    with UNMEASURED.phase("page", "a"), UNMEASURED.request("GET", "https://a") as exchange:
        exchange.status = 200
