"""Two servers on loopback: two origins."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from loopback import Server, serve


@pytest.fixture
def server() -> Iterator[Server]:
    with serve() as running:
        yield running


@pytest.fixture
def other() -> Iterator[Server]:
    with serve() as running:
        yield running
