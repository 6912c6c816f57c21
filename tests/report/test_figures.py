"""What a run has cost, told to people, as data and to a trace viewer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pip_warden.measures import COUNTERS, PHASES, Event, Measured
from pip_warden.report import json as as_json
from pip_warden.report.figures import figures, size, trace
from pip_warden.report.model import Report

SECOND = 1_000_000_000


def measured(*events: Event, counts: dict[str, int] | None = None, **spent: int) -> Measured:
    counted = counts or {}
    return Measured(
        counts={name: counted.get(name, 0) for name in COUNTERS},
        phases={name: spent.get(name, 0) for name in PHASES},
        total=3 * SECOND,
        events=events,
    )


def event(kind: str, subject: str, start: int, end: int | None, **details: str | int) -> Event:
    return Event(
        kind=kind,
        subject=subject,
        start=start,
        end=end,
        thread=77,
        thread_name="gate_0",
        details=tuple(details.items()),
    )


def test_two_lines_for_people() -> None:
    counts = {
        "requests": 61,
        "not_found": 2,
        "bytes_received": 6_210_000,
        "bytes_sent": 14_200,
        "files_judged": 60,
        "files_from_cache": 1,
        "bundles_proved": 60,
    }
    assert figures(measured(counts=counts, pip=2 * SECOND, hand_over=SECOND // 10, page=1)) == (
        "61 requests (2 not found), 6.2 MB; 1 of 60 files from the cache; 60 proofs; 14 kB to pip",
        "3.0 s, of all threads: pip 2.0 s, hand over 0.1 s",
    )
    assert figures(measured(counts={"requests": 1, "files_judged": 1, "bundles_proved": 1})) == (
        "1 request, 0 B; 0 of 1 file from the cache; 1 proof; 0 B to pip",
        "3.0 s",
    )


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (10**9, "1000.0 MB"),
    ],
)
def test_sizes(number: int, said: str) -> None:
    assert size(number) == said


def test_the_report_has_every_figure_and_is_the_same_without() -> None:
    report = Report(command="safe-install", exit_code=0)
    plain, whole = as_json.render(report), as_json.render(report, measured(page=1_600_000))
    document: dict[str, Any] = json.loads(whole)
    told = document.pop("measures")

    assert document == json.loads(plain)
    assert told["milliseconds"] == {"total": 3000} | dict.fromkeys(map(str, PHASES), 0) | {"page": 2}
    assert [key for key in told if key != "milliseconds"] == list(COUNTERS)


def test_a_trace_has_spans_moments_and_names() -> None:
    document = json.loads(
        trace(
            measured(
                event("hand_over", "a.whl", 1500, 4500),
                event("request", "https://a/b", 2000, 3000, method="GET", status=200, bytes=3),
                event("pip", "", 0, 9000),
                event("asked", "a.whl", 1000, None),
            )
        )
    )
    spans = [each for each in document["traceEvents"] if each["ph"] != "M"]
    names = {
        (each["name"], each["pid"], each.get("tid")): each["args"]["name"]
        for each in document["traceEvents"]
        if each["ph"] == "M"
    }

    assert spans == [
        {
            "name": "hand over a.whl", "cat": "hand_over", "ph": "X",
            "ts": 1.5, "dur": 3.0, "pid": 1, "tid": 77, "args": {},
        },
        {
            "name": "request https://a/b", "cat": "request", "ph": "X",
            "ts": 2.0, "dur": 1.0, "pid": 1, "tid": 77, "args": {"method": "GET", "status": 200, "bytes": 3},
        },
        {"name": "pip", "cat": "pip", "ph": "X", "ts": 0.0, "dur": 9.0, "pid": 2, "tid": 2, "args": {}},
        {
            "name": "asked a.whl", "cat": "asked", "ph": "i", "s": "t",
            "ts": 1.0, "pid": 2, "tid": 2, "args": {},
        },
    ]  # fmt: skip
    assert names == {
        ("process_name", 1, None): "pip-warden",
        ("process_name", 2, None): "pip",
        ("thread_name", 1, 77): "gate_0",
    }


def test_a_strangers_name_stays_text() -> None:
    evil = 'a"}],\n##[error]\u202e\x1b[2J\ud800'
    raw = trace(measured(event("page", evil, 0, 1)))

    assert raw.isascii()
    assert raw.isprintable()
    assert json.loads(raw)["traceEvents"][-1]["name"] == f"page {evil[:-1]}\\ud800"
