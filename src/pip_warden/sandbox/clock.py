"""The sandbox's only source of time."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class SandboxClock:
    """The sandbox's clock: real time by default; a test can set or advance it.

    Every part of the sandbox takes the time from one shared clock, so a certificate, a log entry and a token
    made together agree, and a ten-minute certificate can expire without waiting.
    """

    def __init__(self, fixed: datetime | None = None) -> None:
        self._fixed: datetime | None = None
        self._offset = timedelta()
        self.set(fixed)

    def now(self) -> datetime:
        """Return the sandbox's current time as an aware UTC datetime."""
        return self._fixed if self._fixed is not None else datetime.now(UTC) + self._offset

    def set(self, moment: datetime | None) -> None:
        """Stop the clock at a moment, or let it follow real time again.

        Args:
            moment: An aware datetime, or None for real time.

        Raises:
            ValueError: The datetime is naive.
        """
        if moment is not None and moment.tzinfo is None:
            message = "the sandbox's clock needs an aware datetime, got a naive one"
            raise ValueError(message)
        self._fixed = moment.astimezone(UTC) if moment is not None else None
        self._offset = timedelta()

    def advance(self, step: timedelta) -> None:
        """Advance the time by a step; a running clock keeps running."""
        if self._fixed is not None:
            self._fixed += step
        else:
            self._offset += step
