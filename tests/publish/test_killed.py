"""`kill -9` at each network step, then the same command again.

It completes, uploads nothing twice, and no consumer could see a file without its evidence.
"""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest

from pip_warden.sandbox import Hold, Project, RecordedRequest
from publish.conftest import BIN, Publisher

WHEEL = "acme_widgets-1.0-py3-none-any.whl"


def _steps(requests: Sequence[RecordedRequest]) -> list[tuple[str, str]]:
    """Return each network step once: method and path."""
    return list(
        dict.fromkeys((request.method, request.path) for request in requests if request.origin == "gitlab")
    )


def _killed_at(
    publisher: Publisher, step: tuple[str, str], words: Sequence[str], environment: dict[str, str]
) -> None:
    """Start a command, wait until the server holds the step's request, and kill the process.

    ``*`` in the step's path is a number that the server chooses anew.
    """
    method, path = step
    hold = Hold(until=threading.Event(), reached=threading.Event())
    asked = re.escape(path).replace(r"\*", "[0-9]+")
    publisher.sandbox.fault(hold, re.compile(asked + r"(\?|$)"), method=method)
    with subprocess.Popen(
        [str(BIN / words[0]), *words[1:]],
        cwd=publisher.directory,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert hold.reached.wait(timeout=60), step
        process.kill()
    hold.until.set()


def _rows(project: Project) -> list[tuple[str, str]]:
    return [(str(package.type), file.name) for package in project.record.packages for file in package.files]


def _is_met_without_evidence(project: Project) -> bool:
    """Return whether the PyPI registry has a file whose bundle the generic registry lacks."""
    names = {name for _, name in _rows(project)}
    return any(name.endswith((".whl", ".tar.gz")) and f"{name}.sigstore.json" not in names for name in names)


def test_publish_is_killed_at_each_network_step(publisher: Publisher) -> None:
    assert publisher.sign(f"dist/{WHEEL}").returncode == 0
    words = ["pip-warden", "publish", "--trust-config", "trust_config.json", f"dist/{WHEEL}"]
    publisher.sandbox.clear_requests()
    assert publisher.run(*words).returncode == 0
    steps = _steps(publisher.sandbox.requests)
    whole = sorted(_rows(publisher.project))
    assert {method for method, _ in steps} == {"GET", "PUT", "POST"}

    for step in steps:
        publisher.project.record.packages.clear()
        _killed_at(publisher, step, words, publisher.environment())
        assert not _is_met_without_evidence(publisher.project), step
        assert publisher.run(*words).returncode == 0, step
        assert sorted(_rows(publisher.project)) == whole, step


@pytest.mark.timeout(900)
@pytest.mark.interop  # minutes: kept out of the ordinary run
def test_publish_is_killed_at_each_network_step_and_a_job_that_signs_again_completes_it(
    publisher: Publisher,
) -> None:
    """As a retried pipeline does: other certificates, log entries, statements, and job ids."""
    _sign_anew(publisher)
    words = ["pip-warden", "publish", "--trust-config", "trust_config.json", *publisher.files()]
    publisher.sandbox.clear_requests()
    assert publisher.run(*words).returncode == 0
    steps = _steps(publisher.sandbox.requests)
    names = {name for _, name in _rows(publisher.project)}

    for step in steps:
        publisher.project.record.packages.clear()
        _killed_at(publisher, step, words, publisher.environment())
        publisher = replace(publisher, job=publisher.sandbox.job(publisher.project, tag="v1.0"))
        _sign_anew(publisher)
        said = publisher.run(*words)
        assert said.returncode == 0, (step, said.stderr)
        assert {name for _, name in _rows(publisher.project)} == names, step
        assert not _is_met_without_evidence(publisher.project), step


def _sign_anew(publisher: Publisher) -> None:
    for path in publisher.dist.iterdir():
        if path.suffix not in {".whl", ".gz"}:
            path.unlink()
    assert publisher.sign("--detached", *publisher.files()).returncode == 0
    assert publisher.attest(*publisher.files()).returncode == 0
