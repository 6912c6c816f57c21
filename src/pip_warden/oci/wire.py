"""Authorised requests to registries, over the one HTTP door.

A request goes without credentials first, as far as nothing is known of the registry; what it then demands is
answered as :mod:`~pip_warden.oci.tokens` allows.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import BinaryIO, TypeVar
from urllib.parse import parse_qs, urljoin

from pip_warden.errors import NetworkError
from pip_warden.oci.credentials import RegistryCredentials
from pip_warden.oci.names import Repository
from pip_warden.oci.tokens import Access, Tokens
from pip_warden.transport import (
    AuthHeader,
    Download,
    Request,
    Response,
    Transport,
    error_for,
    origin_of,
    redacted_url,
)

T = TypeVar("T", bound=Download | Response)

_NO_REALMS: Mapping[str, frozenset[str]] = MappingProxyType({})


class Wire:
    """Authorised requests to registries. Every method may be called from several threads at once.

    A ``path`` is below ``/v2/NAME/``; or what a ``Location`` or ``Link`` of the registry has named: an
    absolute path, or a URL of the registry's origin. Only GET and HEAD follow redirects, and are tried again;
    a redirect to another origin takes no credentials along.

    Args:
        transport: The HTTP client; the credentials that it holds itself are never sent.
        credentials: Which registry gets which; none for requests without any.
        realms: URLs that a registry's credentials may be sent to, by its host, as the trust file pins them.
        clock: Seconds that never decrease.
    """

    def __init__(
        self,
        transport: Transport,
        credentials: RegistryCredentials | None = None,
        *,
        realms: Mapping[str, frozenset[str]] = _NO_REALMS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transport = transport
        self._tokens = Tokens(transport, credentials or RegistryCredentials(), realms=realms, clock=clock)

    def ask(  # noqa: PLR0913 -- what a request of this protocol has
        self,
        method: str,
        repository: Repository,
        path: str,
        *,
        writes: bool = False,
        accept: str | None = None,
        content: bytes | BinaryIO | None = None,
        content_type: str | None = None,
        content_range: str | None = None,
        max_bytes: int,
    ) -> Response:
        """Send a request, and return the response, whatever its status but 401, 403 and 429.

        Args:
            method: ``GET``, ``HEAD``, ``POST``, ``PUT`` or ``PATCH``.
            repository: The repository.
            path: As the class says.
            writes: Whether it changes something in the repository.
            accept: The ``Accept`` header.
            content: The body; a file is seekable, and sent from its beginning.
            content_type: Its ``Content-Type``.
            content_range: Its ``Content-Range``, of a piece: ``FIRST-LAST``.
            max_bytes: The largest body of the response.

        Raises:
            CredentialsError: The registry demands other credentials than are held, or more of them.
            RegistryError: ``registry-sign-in``; ``redirect-target-failed``: a storage demands credentials.
            NetworkError: As for :meth:`Transport.get`; ``insecure-redirect``: a redirect of a request that
                writes, or a ``path`` of another origin.
            UsageError: As for :meth:`RegistryCredentials.login`.
        """
        url, what = _url(repository, path), _what(repository, path, writes=writes)
        headers = {"Accept": accept or "*/*", "Content-Type": content_type, "Content-Range": content_range}
        ask = _with(content, Request(method=method, url=url, what=what, headers=_present(headers)))
        access = Access(repository=repository, writes=writes, mounts=_mounts(path))
        return self._authorised(
            access, lambda auth: self._transport.send(replace(ask, auth=auth), max_bytes=max_bytes), what
        )

    def download(
        self, repository: Repository, path: str, *, to: BinaryIO, max_bytes: int, label: str
    ) -> Download:
        """GET a body of status 200, written as it arrives, and hashed.

        Args:
            repository: The repository.
            path: As the class says.
            to: Seekable and writable; written from its current position, and truncated there before each try.
            max_bytes: The largest body.
            label: What it is, for people.

        Raises:
            CredentialsError: As for :meth:`ask`.
            RegistryError: As for :meth:`ask`; or the status is another than 200.
            NetworkError: As for :meth:`ask`.
            UsageError: As for :meth:`RegistryCredentials.login`.
            UndecidedError: ``cannot-store``: the file cannot be written.
        """
        start = to.tell()
        ask = Request(method="GET", url=_url(repository, path), what=label)

        def send(auth: AuthHeader | None) -> Download | Response:
            to.seek(start)
            return self._transport.fetch(replace(ask, auth=auth), to=to, max_bytes=max_bytes)

        outcome = self._authorised(Access(repository=repository), send, label)
        if isinstance(outcome, Response):
            raise error_for(outcome, label)
        return outcome

    def _authorised(self, access: Access, send: Callable[[AuthHeader | None], T], what: str) -> T:
        """Send with what is held; where that is not enough, once more with what the registry demands."""
        auth = self._tokens.held(access)
        outcome = send(auth)
        if isinstance(outcome, Response) and outcome.status == 401 and not outcome.left_origin:
            known, auth = auth, self._tokens.obtain(access, outcome)
            if auth != known:
                outcome = send(auth)
        if isinstance(outcome, Response) and outcome.status in {401, 403}:
            raise error_for(outcome, what) if outcome.left_origin else self._tokens.denied(access, outcome)
        return outcome


def _url(repository: Repository, path: str) -> str:
    """Return a URL of the registry's origin.

    Raises:
        NetworkError: ``insecure-redirect``: it would be another's.
    """
    base = f"{repository.url}/"
    url = urljoin(base, path) if path.startswith("/") or "://" in path else base + path
    if origin_of(url) != origin_of(base):
        raise NetworkError(
            "insecure-redirect",
            f"expected {repository.registry} to go on at its own origin, found {redacted_url(url)}",
            hint="Whoever runs the registry must correct its external URL; nothing was sent there.",
        )
    return url


def _present(headers: Mapping[str, str | None]) -> tuple[tuple[str, str], ...]:
    """Return the headers that have a value; bytes are wanted as they are stored."""
    given = ((name, value) for name, value in headers.items() if value is not None)
    return (("Accept-Encoding", "identity"), *given)


def _with(content: bytes | BinaryIO | None, ask: Request) -> Request:
    if content is None or isinstance(content, bytes):
        return replace(ask, body=content)
    return replace(ask, file=content)


def _what(repository: Repository, path: str, *, writes: bool) -> str:
    """Name a request for people: a path that the registry has named says them nothing."""
    if path.startswith("/") or "://" in path:
        return f"an upload to {repository}" if writes else f"a page of {repository}"
    return f"{path.partition('?')[0]} of {repository}"


def _mounts(path: str) -> str | None:
    """Return the repository that an upload takes a blob from (``blobs/uploads/?mount=…&from=…``)."""
    named = parse_qs(path.partition("?")[2]).get("from") if path.startswith("blobs/uploads/?") else None
    return named[0] if named else None
