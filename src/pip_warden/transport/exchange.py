"""What is asked, and an answer whose body has not been read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import requests

from pip_warden.transport.bodies import FileBody
from pip_warden.transport.retry import RetryBudget
from pip_warden.transport.secret import AuthHeader

if TYPE_CHECKING:
    from requests_toolbelt import MultipartEncoder


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """What is asked.

    Attributes:
        method: ``GET``, ``POST`` or ``PUT``.
        url: Absolute URL.
        what: What it is, for people.
        headers: Headers besides the credentials and ``User-Agent``.
        body: What is sent along.
        is_anonymous: Whether to go without credentials.
    """

    method: str
    url: str
    what: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes | FileBody | MultipartEncoder | None = None
    is_anonymous: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenResponse:
    """An answer whose body has not been read.

    Attributes:
        response: What the library has of it.
        url: Final URL, after redirects.
        auth: The credentials that went along.
        what: What was asked for, for people.
        budget: The time that is left to read it.
        left_origin: Whether redirects led to another origin than was asked.
    """

    response: requests.Response
    url: str
    auth: AuthHeader | None
    what: str
    budget: RetryBudget = field(repr=False)
    left_origin: bool
