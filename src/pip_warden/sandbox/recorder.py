"""A log of every request that reached any origin of the sandbox."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordedRequest:
    """One request as it was received.

    Attributes:
        origin: Name of the origin that received it (``gitlab``, ``storage``, ``pypi`` and so on).
        path: The path as sent, percent-encoding untouched.
        query: The query string as sent, without ``?``.
        headers: Every header in order, names in lower case.
        status: Status of the response; None while there is none, or if the connection was cut without one.
    """

    origin: str
    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    at: datetime
    status: int | None = None

    def header(self, name: str) -> str | None:
        """Return the first header of that name, or None."""
        return next((value for key, value in self.headers if key == name.lower()), None)


class Recorder:
    """Collect requests from all origins, in the order of their arrival."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._log: list[RecordedRequest] = []

    @property
    def requests(self) -> tuple[RecordedRequest, ...]:
        """Return the requests received so far."""
        with self._lock:
            return tuple(self._log)

    def clear(self) -> None:
        """Forget everything recorded; requests that are still running stay out of the log."""
        with self._lock:
            self._log = []

    def wrap(self, origin: str, app: ASGIApp) -> ASGIApp:
        """Return ``app`` with every request to it recorded under the name ``origin``."""

        async def recorded(scope: Scope, receive: Receive, send: Send) -> None:
            log, index = self._open(origin, scope)

            async def noting(message: Message) -> None:
                if message["type"] == "http.response.start":
                    self._close(log, index, message["status"])
                await send(message)

            await app(scope, receive, noting)

        return recorded

    def _open(self, origin: str, scope: Scope) -> tuple[list[RecordedRequest], int]:
        entry = RecordedRequest(
            origin=origin,
            method=scope["method"],
            path=scope["raw_path"].decode("ascii"),
            query=scope["query_string"].decode("latin-1"),
            headers=tuple(
                (key.decode("latin-1"), value.decode("latin-1")) for key, value in scope["headers"]
            ),
            at=self._now(),
        )
        with self._lock:
            self._log.append(entry)
            return self._log, len(self._log) - 1

    def _close(self, log: list[RecordedRequest], index: int, status: int) -> None:
        with self._lock:
            log[index] = replace(log[index], status=status)
