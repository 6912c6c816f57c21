"""What a run has cost: in two lines for people, as part of the report's JSON, and as a trace for a viewer."""

from __future__ import annotations

from collections.abc import Iterator

from pip_warden.measures import ASKED, COUNTERS, PHASES, Event, Measured
from pip_warden.report.summary import counted, duration
from pip_warden.strict_json import JSONValue, dumps

_MILLISECOND = 1_000_000
_SHOWN_FROM = 50 * _MILLISECOND
"""What takes less is 0.0 s in words."""

_OURS, _THEIRS = 1, 2
"""Rows of the trace: this process, and the installer with what it asks for."""

TRACE_BEGINS = b'{"displayTimeUnit": "ms", "otherData": {"measures": {'
"""How every trace begins, and hardly anything else."""

_THEIR_KINDS = frozenset({"pip", ASKED})


def figures(measured: Measured) -> tuple[str, ...]:
    """Return what was counted, and how long what took, as one line each.

    Args:
        measured: What was measured.
    """
    counts = measured.counts
    missing = f" ({counts['not_found']} not found)" if counts["not_found"] else ""
    from_cache, judged = counts["files_from_cache"], counts["files_judged"]
    said = [
        f"{counted(counts['requests'], 'request', 'requests')}{missing}, {size(counts['bytes_received'])}",
        f"{from_cache} of {counted(judged, 'file', 'files')} from the cache",
        counted(counts["bundles_proved"], "proof", "proofs"),
        f"{size(counts['bytes_sent'])} to pip",
    ]
    spent = [
        f"{name.replace('_', ' ')} {duration(measured.phases[name] / 1e9)}"
        for name in PHASES
        if measured.phases[name] >= _SHOWN_FROM
    ]
    took = f"{duration(measured.total / 1e9)}{', of all threads: ' if spent else ''}{', '.join(spent)}"
    return "; ".join(said), took


def size(number: int) -> str:
    """Return a number of bytes in words: ``4 B``, ``12 kB`` or ``6.2 MB``."""
    if number < 1000:
        return f"{number} B"
    return f"{number / 1e6:.1f} MB" if number >= 999_500 else f"{number / 1e3:.0f} kB"


def as_json(measured: Measured) -> JSONValue:
    """Return the counters by their names, and whole milliseconds by phase."""
    shape: dict[str, JSONValue] = {name: measured.counts[name] for name in COUNTERS}
    spent: dict[str, JSONValue] = {name: _milliseconds(measured.phases[name]) for name in PHASES}
    return shape | {"milliseconds": {"total": _milliseconds(measured.total), **spent}}


def trace(measured: Measured) -> str:
    """Return what happened in the trace event format, which browsers' trace viewers open.

    Foreign text is escaped by JSON itself (ASCII only).

    Args:
        measured: What a recorder has measured that keeps events.
    """
    return dumps(
        {
            "displayTimeUnit": "ms",
            "otherData": {"measures": as_json(measured), "dropped_events": measured.dropped},
            "traceEvents": [*_rows(measured), *map(_event, measured.events)],
        }
    )


def _rows(measured: Measured) -> Iterator[JSONValue]:
    """Yield the names of processes and threads."""
    for row, name in ((_OURS, "pip-warden"), (_THEIRS, "pip")):
        yield {"ph": "M", "name": "process_name", "pid": row, "args": {"name": name}}
    threads = {
        _place(event): event.thread_name for event in measured.events if event.kind not in _THEIR_KINDS
    }
    for (row, thread), name in threads.items():
        yield {"ph": "M", "name": "thread_name", "pid": row, "tid": thread, "args": {"name": name}}


def _place(event: Event) -> tuple[int, int]:
    return (_THEIRS, _THEIRS) if event.kind in _THEIR_KINDS else (_OURS, event.thread)


def _event(event: Event) -> JSONValue:
    row, thread = _place(event)
    shape: dict[str, JSONValue] = {
        "name": f"{event.kind.replace('_', ' ')} {event.subject}".strip(),
        "cat": event.kind,
        "ts": event.start / 1000,
        "pid": row,
        "tid": thread,
        "args": dict(event.details),
    }
    if event.end is None:
        return shape | {"ph": "i", "s": "t"}
    return shape | {"ph": "X", "dur": (event.end - event.start) / 1000}


def _milliseconds(nanoseconds: int) -> int:
    return round(nanoseconds / _MILLISECOND)
