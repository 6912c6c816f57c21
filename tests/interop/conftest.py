"""The real Sigstore of `interop.stack`, as started by ``make interop``, and a GitLab that its CA trusts."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from flow.conftest import empty_environment
from interop import clients
from interop.clients import Bench
from interop.installers import registries
from interop.stack import services, supervisor
from interop.stack.places import STATE, Port
from pip_warden.sandbox import Sandbox

__all__ = ["empty_environment", "registries"]


@pytest.fixture(scope="session")
def stack() -> None:
    """Fail, never skip, where a part is missing: a matrix with a hole proves nothing about the hole."""
    parts = [service for service in services.services() if service.name != "gitlab"]
    with _alone():  # whoever has it to themselves may have stopped a server for a while
        absent = [service.name for service in parts if not service.ready()]
    if absent:
        pytest.fail(
            f"{', '.join(absent)} do not answer; `make interop` starts them, or `python -m interop.stack up`"
        )


@pytest.fixture
def gitlab(stack: None) -> Iterator[Sandbox]:
    """A GitLab of the test's own instead of the stack's, for one test at a time.

    It is at the address of the issuer that the real Fulcio trusts.
    """
    with _alone():
        supervisor.stop("gitlab")
        with Sandbox(ports={"gitlab": Port.GITLAB.value}) as made:
            _enter_first(made)
            yield made


def _enter_first(gitlab: Sandbox) -> None:
    """Let neither log be empty for whichever test comes first: some clients take no first entry."""
    entered = STATE / "entered"
    if entered.exists():
        return
    for log in ("v1", "v2"):
        with TemporaryDirectory() as directory:
            clients.warden_sign(Bench.of(gitlab, Path(directory)), log)
    entered.touch()


@contextmanager
def _alone() -> Iterator[None]:
    """Have the stack to oneself; groups alone do not do it (xdist 3.8 sets what pytest 9.2 does not read)."""
    with (STATE / "gitlab.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.hookimpl(tryfirst=True)  # before xdist, which asks for the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests that need that address in one worker: two of them would only wait for each other."""
    for item in items:
        if "gitlab" in getattr(item, "fixturenames", ()) and item.get_closest_marker("interop"):
            item.add_marker(pytest.mark.xdist_group("stack"))
