"""The sandbox's clock stops, jumps, and runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from pip_warden.sandbox.clock import SandboxClock

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)


def test_it_is_real_by_default() -> None:
    before = datetime.now(UTC)

    assert before <= SandboxClock().now() <= datetime.now(UTC)


def test_it_stands_still_and_advances_when_told() -> None:
    clock = SandboxClock(NOON)
    clock.advance(timedelta(hours=1))

    assert clock.now() == NOON + timedelta(hours=1)


def test_it_answers_in_utc() -> None:
    clock = SandboxClock(NOON.astimezone(timezone(timedelta(hours=9))))

    assert clock.now().tzinfo is UTC


def test_a_running_clock_runs_on_after_a_jump_and_can_be_put_right() -> None:
    clock = SandboxClock()
    clock.advance(timedelta(days=1))
    jumped = clock.now()
    clock.set(None)

    assert jumped > clock.now() + timedelta(hours=23)


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        SandboxClock(NOON.replace(tzinfo=None))
