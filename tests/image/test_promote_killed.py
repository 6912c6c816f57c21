"""`kill -9` at each request of an image's promotion; the same command again completes it."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from image.test_promote_command import OTHER, Promoter, promoter
from pip_warden.sandbox import Delay, Hold

__all__ = ["promoter"]

PIP_WARDEN = str(Path(sys.executable).parent / "pip-warden")


def _asked(promoter: Promoter) -> int:
    return sum(each.origin == "registry" for each in promoter.sandbox.requests)


def _killed_at(promoter: Promoter, number: int) -> None:
    """Start a promotion, and kill the process while the registry holds its request of that number.

    It asks for some things side by side, and one of them may answer another: then it has ended before.
    """
    hold = Hold(until=threading.Event(), reached=threading.Event())
    if number:
        promoter.sandbox.fault(Delay(round_trip=0), origin="registry", times=number)
    promoter.sandbox.fault(hold, origin="registry")
    with subprocess.Popen(
        [PIP_WARDEN, *promoter.words()[1:]],
        cwd=promoter.directory,
        env=promoter.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:

        def wait() -> None:
            process.wait()
            hold.reached.set()

        ended = threading.Thread(target=wait)
        ended.start()
        hold.reached.wait()
        process.kill()
        ended.join()
    hold.until.set()
    assert process.returncode in {0, -signal.SIGKILL}, number


@pytest.mark.timeout(1800)
@pytest.mark.interop  # minutes: kept out of the ordinary run, where each is ended in process
def test_promote_is_killed_at_each_request(promoter: Promoter) -> None:
    """A tag that is there is of what was judged, with the evidence by which a consumer accepts it."""
    promoter.sandbox.push_image(promoter.staging, OTHER, "1.0")
    promoter.sign(OTHER, stage="production")
    promoter.sandbox.clear_requests()
    assert promoter.run().returncode == 0
    requests = _asked(promoter)
    assert requests > 20

    for number in range(requests):
        promoter.sandbox.registry.store.repositories.pop("acme/production")
        _killed_at(promoter, number)
        if promoter.tags().get("1.0") is not None:
            assert promoter.tags()["1.0"] == OTHER.digest, number
            assert promoter.verify(":1.0").returncode == 0, number
        assert promoter.run().returncode == 0, number
        assert promoter.tags()["1.0"] == OTHER.digest, number
        assert promoter.verify(":1.0").returncode == 0, number
