"""Rules for every test: no network but loopback, and no skipped test where a skip would hide a failure."""

from __future__ import annotations

import gc
import ipaddress
import os
import socket
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from pip_warden.sandbox import Sandbox

# Width and colour are a terminal's; who runs the tests in which one is no property of the code.
for _name in ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE"):
    os.environ.pop(_name, None)

# Nor are the certificate authorities of this machine: each command would read them, to connect to nowhere but
# here. What `make interop` runs may fetch from elsewhere, with them.
if not os.environ.get("INTEROP"):
    for _name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR", "PIP_CERT"):
        os.environ.pop(_name, None)

_KEPT = frozenset({"PATH", "TMPDIR", "LANG", "PYTHONHASHSEED"})
"""What a test's user has in the environment."""

_CONNECT = socket.socket.connect

# Garbage is looked for as seldom as by our own commands: ten thousand collected tests are none.
gc.set_threshold(50_000, 10, 10)

# No deadline for an example: a machine's speed and load are no property of the code.
settings.register_profile("project", deadline=None)
settings.load_profile("project")


@pytest.fixture(autouse=True, scope="session")
def _loopback_only() -> Generator[None]:
    """Refuse connections of this process to anywhere but this machine."""

    def connect(self: socket.socket, address: Any) -> None:
        if self.family in {socket.AF_INET, socket.AF_INET6} and not _is_loopback(str(address[0])):
            raise AssertionError(f"a test tried to connect to {address}")
        _CONNECT(self, address)

    patch = pytest.MonkeyPatch()
    patch.setattr(socket.socket, "connect", connect)
    yield
    patch.undo()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Tests use projects and packages of their own in it and disarm what they arm."""
    from pip_warden.sandbox import Sandbox

    with Sandbox() as running:
        yield running


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, and an environment with nothing but what finds programs."""
    directory = tmp_path / "home"
    directory.mkdir()
    for name in set(os.environ) - _KEPT:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(directory))
    monkeypatch.chdir(directory)
    return directory


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest test, so that no worker is left alone with it at the end."""
    items.sort(key=lambda item: item.name != "test_every_command_from_top_to_bottom")


def pytest_collection_finish() -> None:
    """Never look for garbage among the tests themselves: they stay."""
    gc.freeze()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, None]:
    """In `make interop` a skipped test is a failed one: the foreign program was missing."""
    outcome = yield
    report = outcome.get_result()
    if (
        report.skipped
        and os.environ.get("INTEROP")
        and item.get_closest_marker("interop")
        and not hasattr(report, "wasxfail")
    ):
        report.outcome = "failed"
        report.longrepr = f"skipped in interop: {report.longrepr}"


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name long values by their argument: parallel runs need the same names, but signatures differ."""
    return argname if isinstance(val, str | bytes) and len(val) > 40 else None
