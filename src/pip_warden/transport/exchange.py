"""A request, and a response whose body has not been read."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import requests

from pip_warden.transport.bodies import FileBody
from pip_warden.transport.retry import RetryBudget
from pip_warden.transport.secret import AuthHeader
from pip_warden.values import dataclass, field

if TYPE_CHECKING:
    from requests_toolbelt import MultipartEncoder


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A request.

    Attributes:
        method: ``GET``, ``HEAD``, ``POST``, ``PUT`` or ``PATCH``.
        url: Absolute URL.
        what: What it is, for people.
        headers: Headers besides the credentials and ``User-Agent``.
        body: The request's body.
        file: A body that is sent from its beginning, streamed; seekable.
        auth: The credentials for the URL's origin, instead of those held for it; never sent elsewhere.
        is_anonymous: Whether to send no credentials.
        stays_home: Whether a redirect to another origin is the answer, and is not followed.
    """

    method: str
    url: str
    what: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | FileBody | MultipartEncoder | None = None
    file: BinaryIO | None = None
    auth: AuthHeader | None = None
    is_anonymous: bool = False
    stays_home: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenResponse:
    """A response whose body has not been read.

    Attributes:
        response: The library's response.
        url: Final URL, after redirects.
        auth: The credentials that were sent.
        what: What was requested, for people.
        budget: The time that is left to read it.
        left_origin: Whether redirects led through an origin other than the requested one.
    """

    response: requests.Response
    url: str
    auth: AuthHeader | None
    what: str
    budget: RetryBudget = field(repr=False)
    left_origin: bool
