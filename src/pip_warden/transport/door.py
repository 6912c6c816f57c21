"""The door: requests go out here and nowhere else.

One ``requests.Session`` serves every thread. It is never changed after construction and keeps no cookies, so that what
threads share is urllib3's connection pool, which is made for it. Redirects and retries are ours: requests would follow and read a redirect's
body without a limit, and takes ``PRIVATE-TOKEN`` and ``JOB-TOKEN`` along to the object store.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import BinaryIO, Self, TypeVar
from urllib.parse import quote, urldefrag, urljoin

import requests
from requests_toolbelt import MultipartEncoder

from pip_warden.digests import Digest
from pip_warden.errors import NetworkError
from pip_warden.events import SILENT, Reporter
from pip_warden.strict_json import JSONValue
from pip_warden.transport.answers import Download, Reply, error_for
from pip_warden.transport.bodies import CHUNK, Upload, drain, promised_length, storing, timed_out, too_large
from pip_warden.transport.connections import open_session
from pip_warden.transport.credentials import AuthHeader, Credentials
from pip_warden.transport.failures import PASSING, converted
from pip_warden.transport.patience import Clock, Patience
from pip_warden.transport.settings import Settings
from pip_warden.transport.urls import origin_of, shown_url
from pip_warden.transport.watchdog import Watchdog

T = TypeVar("T", bound=Download | Reply)

_MOST_REDIRECTS = 5
_MOST_EXPLAINED = 64 << 10
_CUT_OFF = PASSING | {"tls-failed"}
"""Codes of what is found where a connection ends at the deadline."""
_PASSING_STATUS = frozenset({429, 502, 503, 504})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_URL_CHARACTERS = "".join(chr(code) for code in range(33, 127))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Ask:
    """What is asked."""

    method: str
    url: str
    what: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | Upload | MultipartEncoder | None = None
    is_anonymous: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class _Answer:
    """An answer whose body has not been read."""

    response: requests.Response
    url: str
    auth: AuthHeader | None
    what: str
    patience: Patience = field(repr=False)
    left_origin: bool


class Transport:
    """The HTTP door. Every method may be called from several threads at once.

    Args:
        settings: How the network is used.
        credentials: Which origin gets which.
        reporter: Told about the progress of downloads.
        clock: Where time comes from.

    Raises:
        UsageError: ``bad-ca-file``.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        credentials: Credentials | None = None,
        reporter: Reporter = SILENT,
        clock: Clock | None = None,
    ) -> None:
        self._settings = settings or Settings()
        self._credentials = credentials or Credentials()
        self._reporter = reporter
        self._clock = clock or Clock()
        self._session = open_session(self._settings.tls_context())
        self._watchdog = Watchdog(self._clock)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Close every connection."""
        self._session.close()
        self._watchdog.close()

    @property
    def is_offline(self) -> bool:
        """Whether every call will end with ``offline``."""
        return self._settings.offline

    def has_credentials(self, url: str) -> bool:
        """Tell whether a request for a URL would carry credentials.

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
    ) -> Reply:
        """Fetch something small into memory and return the answer whatever its status, except 429.

        Args:
            url: Absolute URL.
            max_bytes: The largest body, its content encoding undone; of a failure the first 64 KiB are kept.
            accept: The ``Accept`` header.
            label: What it is, for people; by default the URL.
            anonymous: Send no credentials, whatever is held for the origin (for URLs that a stranger wrote).

        Raises:
            NetworkError: No answer or a broken one, one too large, an insecure redirect, or ``rate-limited``.
        """
        headers = (("Accept-Encoding", "gzip"), ("Accept", accept or "*/*"))
        ask = _Ask(
            method="GET", url=url, what=label or shown_url(url), headers=headers, is_anonymous=anonymous
        )
        return self._not_limited(self._persist(ask, lambda answer: self._read(answer, max_bytes)), ask)

    def post_json(self, url: str, payload: JSONValue, *, max_bytes: int) -> Reply:
        """Ask a question that needs a body (a look-up in a transparency log), without credentials; return as :meth:`get` does.

        It may be sent more than once, so it must only ask.

        Raises:
            NetworkError: As for :meth:`get`; ``insecure-redirect`` for any redirect.
        """
        headers = (
            ("Accept-Encoding", "gzip"),
            ("Accept", "application/json"),
            ("Content-Type", "application/json"),
        )
        ask = _Ask(
            method="POST",
            url=url,
            what=shown_url(url),
            headers=headers,
            body=json.dumps(payload).encode(),
            is_anonymous=True,
        )
        return self._not_limited(self._persist(ask, lambda answer: self._read(answer, max_bytes)), ask)

    def download(
        self, url: str, *, to: BinaryIO, max_bytes: int, label: str, anonymous: bool = False
    ) -> Download:
        """Write a file as it arrives and hash what is written; a second try starts from scratch.

        Content encodings are neither asked for nor undone: the bytes hashed are those sent.

        Args:
            url: Absolute URL.
            to: Seekable and writable; written from where it stands, and cut off there before each try.
            max_bytes: The largest file.
            label: What it is, for people.
            anonymous: As for :meth:`get`.

        Raises:
            NetworkError: As for :meth:`get`.
            RegistryError: The status is not 200.
            CredentialsError: The status may mean missing credentials.
            UndecidedError: ``cannot-store``: the file cannot be written.
        """
        start = to.tell()
        ask = _Ask(
            method="GET",
            url=url,
            what=label,
            headers=(("Accept-Encoding", "identity"), ("Accept", "*/*")),
            is_anonymous=anonymous,
        )

        def take(answer: _Answer) -> Download | Reply:
            if answer.response.status_code != 200:
                return self._read(answer, _MOST_EXPLAINED)
            return self._write(answer, to, start, max_bytes)

        try:
            outcome: Download | Reply = self._persist(ask, take)
        finally:
            self._reporter.transfer_done(label)
        if isinstance(outcome, Reply):
            raise error_for(outcome, label)
        return outcome

    def put(self, url: str, content: BinaryIO, *, label: str) -> Reply:
        """Send a file, streamed, and return the answer, whatever its status. Sent once: whether a broken request arrived, only asking tells.

        Args:
            url: Absolute URL.
            content: Seekable; sent from its beginning.
            label: What it is, for people.

        Raises:
            NetworkError: As for :meth:`get`; ``insecure-redirect`` for any redirect.
        """
        return self._send_once("PUT", url, Upload(content, label, self._reporter), (), label)

    def post_form(
        self, url: str, fields: Sequence[tuple[str, str]], content: BinaryIO, *, filename: str
    ) -> Reply:
        """Send a form with one file, streamed, and return the answer, whatever its status. Sent once, as :meth:`put` does.

        Args:
            url: Absolute URL.
            fields: Form fields in order; a name may stand more than once.
            content: The part ``content``; seekable, sent from its beginning.
            filename: Its file name.

        Raises:
            NetworkError: As for :meth:`put`.
        """
        upload = Upload(content, filename, self._reporter)
        parts = [*fields, ("content", (filename, upload, "application/octet-stream"))]
        form = MultipartEncoder(parts)  # type: ignore[no-untyped-call]  # the library has no types
        return self._send_once("POST", url, form, (("Content-Type", str(form.content_type)),), filename)

    def _send_once(
        self,
        method: str,
        url: str,
        body: Upload | MultipartEncoder,
        headers: tuple[tuple[str, str], ...],
        label: str,
    ) -> Reply:
        ask = _Ask(method=method, url=url, what=label, headers=headers, body=body)
        patience = Patience(deadline=self._settings.deadline, retries=0, clock=self._clock)
        self._check_online(ask)
        try:
            with self._open(ask, patience) as answer:
                return self._read(answer, _MOST_EXPLAINED)
        finally:
            self._reporter.transfer_done(label)

    def _check_online(self, ask: _Ask) -> None:
        if self._settings.offline:
            raise NetworkError(
                "offline",
                f"expected {ask.what}, found that `--offline` allows no request",
                hint="Run once without `--offline`, so that what is needed is in the cache.",
            )

    def _not_limited(self, reply: Reply, ask: _Ask) -> Reply:
        if reply.status == 429:
            raise error_for(reply, ask.what)
        return reply

    def _persist(self, ask: _Ask, take: Callable[[_Answer], T]) -> T:
        """Try until there is an answer that no other try would better, or patience ends."""
        self._check_online(ask)
        patience = Patience(
            deadline=self._settings.deadline, retries=self._settings.retries, clock=self._clock
        )
        while True:
            try:
                with self._open(ask, patience) as answer:
                    outcome = take(answer)
            except NetworkError as err:
                if err.code in PASSING and patience.pause():
                    continue
                raise
            passing = isinstance(outcome, Reply) and outcome.status in _PASSING_STATUS
            if not (passing and patience.pause(_retry_after(outcome))):
                return outcome

    @contextmanager
    def _open(self, ask: _Ask, patience: Patience) -> Iterator[_Answer]:
        """Ask, and have whatever is under way at the deadline end there, until the answer's body has been read.

        Raises:
            NetworkError: ``timed-out``, whatever the end of the connection looked like: a body without a length looks complete.
        """
        with self._watchdog.watching(patience.ends) as watch:
            try:
                with self._ask(ask, patience) as answer:
                    yield answer
            except NetworkError as err:
                if watch.is_over and err.code in _CUT_OFF:
                    raise timed_out(ask.what) from err
                raise
            if watch.is_over:
                raise timed_out(ask.what)

    @contextmanager
    def _ask(self, ask: _Ask, patience: Patience) -> Iterator[_Answer]:
        """Send a request and follow its redirects; credentials go no further than the first origin, and do not come back."""
        url, home, is_anonymous = urldefrag(ask.url).url, origin_of(ask.url), ask.is_anonymous
        for _ in range(_MOST_REDIRECTS + 1):
            auth = None if is_anonymous else self._credentials.for_request(url)
            response = self._send(ask, url, auth, patience)
            try:
                location = response.headers.get("Location")
                if response.status_code not in _REDIRECTS or not location:
                    yield _Answer(
                        response=response,
                        url=url,
                        auth=auth,
                        what=ask.what,
                        patience=patience,
                        left_origin=origin_of(url) != home,
                    )
                    return
                drain(response)
            finally:
                response.close()
            url = _follow(ask, url, location)
            is_anonymous = is_anonymous or origin_of(url) != home
        raise NetworkError(
            "too-many-redirects",
            f"expected {ask.what}, found more than {_MOST_REDIRECTS} redirects, the last to {shown_url(url)}",
            hint="Check the source's URL.",
        )

    def _send(self, ask: _Ask, url: str, auth: AuthHeader | None, patience: Patience) -> requests.Response:
        origin = origin_of(url)
        headers = {"User-Agent": self._settings.user_agent, **dict(ask.headers)}
        if auth is not None:
            headers[auth.name] = auth.value.reveal()
        timeout = _timeout(self._settings, ask.what, patience)
        with converted(ask.what):
            prepared = requests.Request(ask.method, url, headers=headers, data=ask.body).prepare()
            if origin_of(prepared.url or "") != origin:
                raise NetworkError(
                    "insecure-url", f"expected a URL that all parsers read alike: {shown_url(url)}"
                )
            return self._session.send(
                prepared,
                stream=True,
                timeout=timeout,
                verify=True if self._settings.ca_file is None else str(self._settings.ca_file),
                proxies=self._settings.proxies_for(origin),
            )

    def _read(self, answer: _Answer, max_bytes: int) -> Reply:
        """Read a body into memory; of a failure's, whose text only explains, the beginning is enough."""
        is_failure = answer.response.status_code >= 400
        most = _MOST_EXPLAINED if is_failure else max_bytes
        body = bytearray()
        for chunk in _chunks(answer, decode=True):
            body += chunk
            if len(body) > most:
                if is_failure:
                    break
                raise too_large(answer.what, most)
        return Reply(
            status=answer.response.status_code,
            url=answer.url,
            headers=MappingProxyType(
                {name.lower(): value for name, value in answer.response.headers.items()}
            ),
            body=bytes(body[:most]),
            sent_credentials=answer.auth is not None,
            secrets=() if answer.auth is None else answer.auth.secrets,
            left_origin=answer.left_origin,
        )

    def _write(self, answer: _Answer, to: BinaryIO, start: int, max_bytes: int) -> Download:
        total = promised_length(answer.response)
        if total is not None and total > max_bytes:
            raise too_large(answer.what, max_bytes)
        state, size = hashlib.sha256(), 0
        with storing(answer.what):
            to.seek(start)
            to.truncate(start)
        for chunk in _chunks(answer, decode=False):
            size += len(chunk)
            if size > max_bytes:
                raise too_large(answer.what, max_bytes)
            state.update(chunk)
            with storing(answer.what):
                to.write(chunk)
            self._reporter.transfer(answer.what, size, total)
        if total is not None and size != total:
            raise NetworkError(
                "truncated", f"expected {total} bytes of {answer.what}, found {size}", hint="Try again."
            )
        return Download(url=answer.url, digest=Digest(state.hexdigest()), size=size)


def _chunks(answer: _Answer, *, decode: bool) -> Iterator[bytes]:
    """Read a body piece by piece as it arrives, so that a server that drips cannot outlast the deadline."""
    while True:
        with converted(answer.what):
            chunk = answer.response.raw.read1(CHUNK, decode_content=decode)
        if not chunk:
            return
        if answer.patience.left <= 0:
            raise timed_out(answer.what)
        yield chunk


def _follow(ask: _Ask, url: str, location: str) -> str:
    """Return where a redirect leads.

    Raises:
        NetworkError: ``insecure-redirect``: it leaves https, names a user, is no URL, or answers a POST.
    """
    found = "a redirect of a POST"
    if ask.method == "GET":
        try:
            raw = location.encode("latin-1", "replace")
            target = urldefrag(urljoin(url, quote(raw, safe=_URL_CHARACTERS))).url
            was, becomes = origin_of(url), origin_of(target)
        except (ValueError, NetworkError):
            found = "a redirect to something else"
        else:
            if not (was.scheme == "https" and becomes.scheme == "http"):
                return target
            found = "a redirect to plain http"
    raise NetworkError(
        "insecure-redirect",
        f"expected {ask.what} over https, found {found} from {shown_url(url)}",
        hint="Whoever runs the server must fix this; nothing was sent to the other place.",
    )


def _timeout(settings: Settings, what: str, patience: Patience) -> tuple[float, float]:
    left = patience.left
    if left <= 0:
        raise timed_out(what)
    return (min(settings.connect_timeout, left), min(settings.read_timeout, left))


def _retry_after(outcome: Download | Reply) -> str | None:
    return outcome.headers.get("retry-after") if isinstance(outcome, Reply) else None
