"""A sandbox per test, or one per module where tests only read, and a plain HTTP client."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

import pytest
import requests

from pip_warden.sandbox import Sandbox


class Http(Protocol):
    def __call__(self, method: str, url: str, **options: Any) -> requests.Response: ...


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as running:
        yield running


@pytest.fixture(scope="module")
def shared() -> Iterator[Sandbox]:
    """For tests that change no setting and use projects of their own."""
    with Sandbox() as running:
        yield running


@pytest.fixture
def http() -> Iterator[Http]:
    """Send one request without redirects, netrc, proxies or cookies, and with the path left as it is."""
    with requests.Session() as session:
        session.trust_env = False

        def call(method: str, url: str, **options: Any) -> requests.Response:
            request = requests.Request(method, url, **options)
            prepared = session.prepare_request(request)
            path = "/" + url.split("://", 1)[1].split("/", 1)[1] if "/" in url.split("://", 1)[1] else "/"
            if "params" not in options:
                prepared.url = "/".join(url.split("/")[:3]) + path
            return session.send(prepared, allow_redirects=False, timeout=60)

        yield call
