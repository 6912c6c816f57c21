"""Sends one request: follows redirects, and ends at the deadline.

One ``requests.Session`` serves every thread. It is never changed after construction and keeps no cookies, so
threads share only urllib3's connection pool, which is made for it. Redirects are followed here: requests
would read a redirect's body without a limit, and sends ``PRIVATE-TOKEN`` and ``JOB-TOKEN`` to the object
store.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urldefrag

import requests

from pip_warden.errors import NetworkError
from pip_warden.measures import Measures
from pip_warden.transport.bodies import drain, timed_out
from pip_warden.transport.connections import open_session
from pip_warden.transport.credentials import Credentials
from pip_warden.transport.exchange import OpenResponse, Request
from pip_warden.transport.failures import TRANSIENT, converted
from pip_warden.transport.redirects import MOST_REDIRECTS, REDIRECTS, redirect_target
from pip_warden.transport.retry import Clock, RetryBudget
from pip_warden.transport.secret import AuthHeader
from pip_warden.transport.settings import NetworkSettings
from pip_warden.transport.speculation import followed
from pip_warden.transport.urls import origin_of, redacted_url
from pip_warden.transport.watchdog import Watchdog

_CUT_OFF = TRANSIENT | {"tls-failed"}
"""Codes of the failures that a connection has when it is ended at the deadline."""


class Sender:
    """Sends requests. Every method may be called from several threads at once.

    Args:
        settings: How the network is used.
        credentials: Which origin gets which.
        clock: Where time comes from.
        measures: Counts the requests.

    Raises:
        UsageError: ``bad-ca-file``.
    """

    def __init__(
        self, settings: NetworkSettings, credentials: Credentials, clock: Clock, measures: Measures
    ) -> None:
        self._measures = measures
        self._settings = settings
        self._credentials = credentials
        self._session = open_session(settings.tls_context())
        self._watchdog = Watchdog(clock)

    def close(self) -> None:
        """Close every connection."""
        self._session.close()
        self._watchdog.close()

    @contextmanager
    def open(self, ask: Request, budget: RetryBudget) -> Iterator[OpenResponse]:
        """Send a request; until the response's body has been read, the connection is ended at the deadline.

        Args:
            ask: The request.
            budget: The time that is left.

        Raises:
            NetworkError: ``timed-out``, however the connection ended (a body without a length looks
                complete); no response; or an insecure redirect.
            SpeculationEndedError: It is a guess, and none may be made now.
        """
        with self._watchdog.watching(budget.ends) as watch, followed(watch):
            try:
                with self._ask(ask, budget) as answer:
                    yield answer
            except NetworkError as err:
                if watch.is_over and err.code in _CUT_OFF:
                    raise timed_out(ask.what, ask.url) from err
                raise
            if watch.is_over:
                raise timed_out(ask.what, ask.url)

    @contextmanager
    def _ask(self, ask: Request, budget: RetryBudget) -> Iterator[OpenResponse]:
        """Send a request and follow its redirects; once one leaves the origin, no credentials are sent."""
        url, home, has_left = urldefrag(ask.url).url, origin_of(ask.url), False
        for _ in range(MOST_REDIRECTS + 1):
            is_anonymous = ask.is_anonymous or has_left
            auth = None if is_anonymous else ask.auth or self._credentials.for_request(url)
            with self._sent(ask, url, auth, budget) as response:
                location = response.headers.get("Location")
                is_redirect = response.status_code in REDIRECTS
                if not is_redirect or not location or _leaves_home(ask, url, location):
                    yield OpenResponse(
                        response=response,
                        url=url,
                        auth=auth,
                        what=ask.what,
                        budget=budget,
                        left_origin=has_left,
                    )
                    return
                drain(response, url)
            url = redirect_target(ask, url, location)
            has_left = has_left or origin_of(url) != home
        raise NetworkError(
            "too-many-redirects",
            f"expected {ask.what}, "
            f"found more than {MOST_REDIRECTS} redirects, the last to {redacted_url(url)}",
            hint="Check the source's URL.",
        )

    @contextmanager
    def _sent(
        self, ask: Request, url: str, auth: AuthHeader | None, budget: RetryBudget
    ) -> Iterator[requests.Response]:
        """Send one request, and close its response; what arrived of it is counted, however it ended."""
        with self._measures.request(ask.method, redacted_url(url)) as exchange:
            response = self._send(ask, url, auth, budget)
            exchange.status = response.status_code
            try:
                yield response
            finally:
                exchange.received = response.raw.tell()
                response.close()

    def _send(
        self, ask: Request, url: str, auth: AuthHeader | None, budget: RetryBudget
    ) -> requests.Response:
        origin = origin_of(url)
        headers = {"User-Agent": self._settings.user_agent, **dict(ask.headers)}
        if auth is not None:
            headers[auth.name] = auth.value.reveal()
        timeout = _timeout(self._settings, ask, url, budget)
        with converted(ask.what, url):
            prepared = requests.Request(ask.method, url, headers=headers, data=ask.body).prepare()
            if origin_of(prepared.url or "") != origin:
                raise NetworkError(
                    "insecure-url", f"expected a URL that all parsers read alike: {redacted_url(url)}"
                )
            return self._session.send(
                prepared,
                stream=True,
                timeout=timeout,
                verify=True if self._settings.ca_file is None else str(self._settings.ca_file),
                proxies=self._settings.proxies_for(origin),
            )


def _leaves_home(ask: Request, url: str, location: str) -> bool:
    """Return whether a redirect leads away, where it is not to be followed."""
    return ask.stays_home and origin_of(redirect_target(ask, url, location)) != origin_of(ask.url)


def _timeout(settings: NetworkSettings, ask: Request, url: str, budget: RetryBudget) -> tuple[float, float]:
    left = budget.left
    if left <= 0:
        raise timed_out(ask.what, url)
    return (min(settings.connect_timeout, left), min(settings.read_timeout, left))
