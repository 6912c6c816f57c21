"""The publisher's job on the sandbox, and what its registries hold."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from typing import Any

from documents import described
from pip_warden.sandbox import Job
from publish.conftest import Publisher
from publish.conftest import publisher as publisher  # noqa: PLC0414 -- a fixture

WHEEL = "acme_widgets-1.0-py3-none-any.whl"
SDIST = "acme_widgets-1.0.tar.gz"

__all__ = ["SDIST", "WHEEL", "code", "document", "ok", "publish", "publisher", "retried", "rows", "writes"]


def ok(result: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    assert result.returncode == 0, result.stdout + result.stderr
    return result


def code(result: subprocess.CompletedProcess[str]) -> str:
    """Return the code of the first error or refusal that is told."""
    return result.stderr.partition("[")[2].partition("]")[0]


def publish(publisher: Publisher, *words: str, **changes: str) -> subprocess.CompletedProcess[str]:
    return publisher.run("pip-warden", "publish", *(words or publisher.files()), **changes)


def document(publisher: Publisher, *words: str) -> dict[str, Any]:
    words = words or tuple(publisher.files())
    said: dict[str, Any] = described(publish(publisher, "--format", "json", *words).stdout)
    return said


def retried(publisher: Publisher, job: Job | None = None) -> Publisher:
    """Return the job of the same pipeline, run again: another id, in the same directory."""
    return replace(publisher, job=job or publisher.sandbox.job(publisher.project, tag="v1.0"))


def rows(publisher: Publisher) -> list[str]:
    """Return the name of every row of the project's registries."""
    packages = publisher.project.record.packages
    return sorted(file.name for package in packages for file in package.files)


def writes(publisher: Publisher) -> list[str]:
    """Return the path of everything that GitLab was sent to store since the log of requests was cleared."""
    sent = (request for request in publisher.sandbox.requests if request.origin == "gitlab")
    return [request.path for request in sent if request.method in {"PUT", "POST"}]
