"""The HTTP client: all requests are sent here.

This module defines which requests there are and when they are retried; ``sending`` sends one of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import BinaryIO, Self, TypeVar

from pip_warden.errors import NetworkError
from pip_warden.events import SILENT, Reporter
from pip_warden.measures import UNMEASURED, Measures
from pip_warden.strict_json import JSONValue
from pip_warden.transport.bodies import FileBody, form
from pip_warden.transport.credentials import Credentials
from pip_warden.transport.exchange import OpenResponse, Request
from pip_warden.transport.failures import TRANSIENT, located
from pip_warden.transport.reading import MOST_EXPLAINED, read_reply, write_file
from pip_warden.transport.redirects import REPEATABLE
from pip_warden.transport.responses import Download, Response, error_for
from pip_warden.transport.retry import Clock, RetryBudget
from pip_warden.transport.sending import Sender
from pip_warden.transport.settings import NetworkSettings
from pip_warden.transport.speculation import Allowance, is_asked_for
from pip_warden.transport.urls import redacted_url

T = TypeVar("T", bound=Download | Response)

_TRANSIENT_STATUS = frozenset({429, 502, 503, 504})
_AS_STORED = (("Accept-Encoding", "identity"), ("Accept", "*/*"))


class Transport:
    """The HTTP client. Every method may be called from several threads at once.

    A guess (:mod:`~pip_warden.transport.speculation`) is tried once.

    Args:
        settings: How the network is used.
        credentials: Which origin gets which.
        reporter: Receives the progress of downloads.
        clock: Where time comes from.
        measures: Counts the requests.

    Attributes:
        allowance: What guesses may still spend.

    Raises:
        UsageError: ``bad-ca-file``.
    """

    def __init__(
        self,
        settings: NetworkSettings | None = None,
        *,
        credentials: Credentials | None = None,
        reporter: Reporter = SILENT,
        clock: Clock | None = None,
        measures: Measures = UNMEASURED,
    ) -> None:
        self._settings = settings or NetworkSettings()
        self._credentials = credentials or Credentials()
        self._reporter = reporter
        self._clock = clock or Clock()
        self.allowance = Allowance(self._clock)
        self._sender = Sender(self._settings, self._credentials, self._clock, measures)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._sender.close()

    def has_credentials(self, url: str) -> bool:
        """Return whether a request for a URL would carry credentials.

        Raises:
            NetworkError: ``insecure-url``.
        """
        return self._credentials.for_request(url) is not None

    def get(
        self,
        url: str,
        *,
        max_bytes: int,
        accept: str | None = None,
        label: str | None = None,
        anonymous: bool = False,
        stays_home: bool = False,
    ) -> Response:
        """Fetch a small body into memory and return the response whatever its status, except 429.

        Args:
            url: Absolute URL.
            max_bytes: The largest body, its content encoding undone; of a failure the first 64 KiB are kept.
            accept: The ``Accept`` header.
            label: What it is, for people; by default the URL.
            anonymous: Send no credentials, whatever is held for the origin (for untrusted URLs).
            stays_home: Return a redirect to another origin, instead of following it.

        Raises:
            NetworkError: No response, one that is broken or too large, an insecure redirect, or
                ``rate-limited``.
        """
        ask = Request(
            method="GET",
            url=url,
            what=label or redacted_url(url),
            headers=(("Accept-Encoding", "gzip"), ("Accept", accept or "*/*")),
            is_anonymous=anonymous,
            stays_home=stays_home,
        )
        return self._not_limited(self._persist(ask, lambda answer: read_reply(answer, max_bytes)), ask)

    def post_json(self, url: str, payload: JSONValue, *, max_bytes: int) -> Response:
        """Send a query that needs a body (a look-up in a transparency log), without credentials.

        It may be sent more than once, so it must change nothing. The response is as from :meth:`get`.

        Raises:
            NetworkError: As for :meth:`get`; ``insecure-redirect`` for any redirect.
        """
        kind = "application/json"
        ask = Request(
            method="POST",
            url=url,
            what=redacted_url(url),
            headers=(("Accept-Encoding", "gzip"), ("Accept", kind), ("Content-Type", kind)),
            body=json.dumps(payload).encode(),
            is_anonymous=True,
        )
        return self._not_limited(self._persist(ask, lambda answer: read_reply(answer, max_bytes)), ask)

    def send(self, ask: Request, *, max_bytes: int) -> Response:
        """Send a request with the credentials that it brings, or none, and return the response, except 429.

        GET and HEAD are tried again, as by :meth:`get`; any other is sent once, as by :meth:`put`.

        Args:
            ask: The request; what is held for its origin is not sent.
            max_bytes: As for :meth:`get`.

        Raises:
            NetworkError: As for :meth:`get`; ``insecure-redirect`` for any redirect of another method.
        """
        ask = replace(ask, is_anonymous=ask.auth is None)
        if ask.method in REPEATABLE:
            return self._not_limited(self._persist(ask, lambda answer: read_reply(answer, max_bytes)), ask)
        return self._not_limited(self._send_once(ask, max_bytes), ask)

    def download(
        self, url: str, *, to: BinaryIO, max_bytes: int, label: str, anonymous: bool = False
    ) -> Download:
        """Write a file as it arrives and hash what is written; a second try starts from scratch.

        Content encodings are neither requested nor decoded: the bytes hashed are those sent.

        Args:
            url: Absolute URL.
            to: Seekable and writable; written from its current position, and truncated there before each try.
            max_bytes: The largest file.
            label: What it is, for people.
            anonymous: As for :meth:`get`.

        Raises:
            NetworkError: As for :meth:`get`.
            RegistryError: The status is not 200.
            CredentialsError: The status may mean missing credentials.
            UndecidedError: ``cannot-store``: the file cannot be written.
        """
        ask = Request(method="GET", url=url, what=label, is_anonymous=anonymous)
        outcome = self._fetch(ask, to, max_bytes)
        if isinstance(outcome, Response):
            raise error_for(outcome, label)
        return outcome

    def fetch(self, ask: Request, *, to: BinaryIO, max_bytes: int) -> Download | Response:
        """Download as :meth:`download`, with the credentials that the request brings, or none.

        Args:
            ask: A GET without headers; what is held for its origin is not sent.
            to: As for :meth:`download`.
            max_bytes: As for :meth:`download`.

        Returns:
            The download, or the response, whose status is another than 200.

        Raises:
            NetworkError: As for :meth:`get`.
            UndecidedError: ``cannot-store``: the file cannot be written.
        """
        outcome = self._fetch(replace(ask, is_anonymous=ask.auth is None), to, max_bytes)
        return self._not_limited(outcome, ask) if isinstance(outcome, Response) else outcome

    def _fetch(self, ask: Request, to: BinaryIO, max_bytes: int) -> Download | Response:
        start = to.tell()

        def take(answer: OpenResponse) -> Download | Response:
            if answer.response.status_code != 200:
                return read_reply(answer, MOST_EXPLAINED)
            return write_file(answer, to, start=start, max_bytes=max_bytes, reporter=self._reporter)

        try:
            return self._persist(replace(ask, headers=_AS_STORED), take)
        finally:
            self._reporter.transfer_done(ask.what)

    def put(self, url: str, content: BinaryIO, *, label: str) -> Response:
        """Send a file, streamed, and return the response, whatever its status.

        Sent once: whether a broken request arrived, only another request can show.

        Args:
            url: Absolute URL.
            content: Seekable; sent from its beginning.
            label: What it is, for people.

        Raises:
            NetworkError: As for :meth:`get`; ``insecure-redirect`` for any redirect.
        """
        return self._send_once(Request(method="PUT", url=url, what=label, file=content), MOST_EXPLAINED)

    def post_form(
        self, url: str, fields: Sequence[tuple[str, str]], content: BinaryIO, *, filename: str
    ) -> Response:
        """Send a form with one file, streamed and once (as :meth:`put`), and return the response.

        Args:
            url: Absolute URL.
            fields: Form fields in order; a name may occur more than once.
            content: The part ``content``; seekable, sent from its beginning.
            filename: Its file name.

        Raises:
            NetworkError: As for :meth:`put`.
        """
        body = form(fields, filename, FileBody(content, filename, self._reporter))
        headers = (("Content-Type", str(body.content_type)),)
        ask = Request(method="POST", url=url, what=filename, headers=headers, body=body)
        return self._send_once(ask, MOST_EXPLAINED)

    def _send_once(self, ask: Request, max_bytes: int) -> Response:
        if ask.file is not None:
            content = FileBody(ask.file, ask.what, self._reporter)
            # requests sends no length for an empty one
            ask = replace(ask, body=content if content.len else b"")
        budget = RetryBudget(deadline=self._settings.deadline, retries=0, clock=self._clock)
        self._check_online(ask)
        try:
            with self._sender.open(ask, budget) as answer:
                return read_reply(answer, max_bytes)
        finally:
            self._reporter.transfer_done(ask.what)

    def _check_online(self, ask: Request) -> None:
        if self._settings.offline:
            raise NetworkError(
                "offline",
                f"expected {located(ask.what, ask.url)}, found that `--offline` allows no request",
                hint="Run once without `--offline`, so that what is needed is in the cache.",
            )

    def _not_limited(self, reply: Response, ask: Request) -> Response:
        if reply.status == 429:
            raise error_for(reply, ask.what)
        return reply

    def _persist(self, ask: Request, take: Callable[[OpenResponse], T]) -> T:
        """Try until there is a response that another try would not improve, or the budget ends."""
        self._check_online(ask)
        budget = RetryBudget(
            deadline=self._settings.deadline, retries=self._settings.retries, clock=self._clock
        )
        while True:
            try:
                with self._sender.open(ask, budget) as answer:
                    self.allowance.hear(answer.response.status_code, answer.response.headers)
                    outcome = take(answer)
            except NetworkError as err:
                if err.code in TRANSIENT and is_asked_for() and budget.pause():
                    continue
                raise
            passing = isinstance(outcome, Response) and outcome.status in _TRANSIENT_STATUS
            if not (passing and is_asked_for() and budget.pause(_retry_after(outcome))):
                return outcome


def _retry_after(outcome: Download | Response) -> str | None:
    return outcome.headers.get("retry-after") if isinstance(outcome, Response) else None
