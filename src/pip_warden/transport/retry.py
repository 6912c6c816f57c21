"""How often and how long one call is tried. Time is a parameter, so that tests never sleep."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime

from pip_warden.values import dataclass

_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 30.0
_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)


def _wait(condition: threading.Condition, moment: float) -> None:
    condition.wait(min(max(0.0, moment - time.monotonic()), threading.TIMEOUT_MAX))


@dataclass(frozen=True, kw_only=True, slots=True)
class Clock:
    """Where time comes from.

    Attributes:
        monotonic: Seconds that never decrease.
        now: Seconds since the epoch; only for ``Retry-After`` dates.
        sleep: Wait that many seconds.
        wait: Wait on a held condition until it is notified or a moment on ``monotonic`` has passed; it may
            return earlier.
    """

    monotonic: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    wait: Callable[[threading.Condition, float], None] = _wait

    def seconds_of(self, retry_after: str | None) -> float | None:
        """Read a ``Retry-After`` header (RFC 9110 section 10.2.3): seconds or a date; None if neither."""
        if retry_after is None:
            return None
        text = retry_after.strip()
        if _SECONDS.fullmatch(text):
            return float(text)
        try:
            return max(0.0, parsedate_to_datetime(text).timestamp() - self.now())
        except (ValueError, TypeError, OverflowError, OSError):
            return None


class RetryBudget:
    """The tries and the time that are left for one call.

    Attributes:
        ends: The deadline, a moment on the clock's ``monotonic``.
    """

    def __init__(self, *, deadline: float, retries: int, clock: Clock) -> None:
        self._clock = clock
        self.ends = clock.monotonic() + deadline
        self._retries = retries
        self._pause = _FIRST_PAUSE

    @property
    def left(self) -> float:
        """Seconds until the deadline; zero or less when it has passed."""
        return self.ends - self._clock.monotonic()

    def pause(self, retry_after: str | None = None) -> bool:
        """Wait before another try, as long as the server requests, else exponentially longer each time.

        Returns:
            False, at once, where no try is left or the wait would pass the deadline.
        """
        wait = self._clock.seconds_of(retry_after)
        if wait is None:
            wait = self._pause
        self._pause = min(self._pause * 2, _LONGEST_PAUSE)
        if self._retries <= 0 or wait >= self.left:
            return False
        self._retries -= 1
        self._clock.sleep(wait)
        return True
