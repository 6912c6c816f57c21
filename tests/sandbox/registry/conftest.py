"""A client of the registry as plain as they come: a token for each request, nothing followed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from pip_warden.sandbox import Job, Project, Sandbox
from sandbox.conftest import Http

ALL = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json"
Registry = Callable[..., requests.Response]


def token_of(
    http: Http, sandbox: Sandbox, scope: str | tuple[str, ...] = (), auth: tuple[str, str] | None = None
) -> str:
    """Return a token of ``/jwt/auth`` for whoever is named, by default anonymous."""
    query = {"service": "container_registry", "scope": [scope] if isinstance(scope, str) else list(scope)}
    found = http("GET", f"{sandbox.gitlab_url}/jwt/auth", params=query, auth=auth)
    assert found.status_code == 200, found.text
    return str(found.json()["token"])


@pytest.fixture
def project(sandbox: Sandbox) -> Project:
    return sandbox.project("acme/tools")


@pytest.fixture
def job(sandbox: Sandbox, project: Project) -> Job:
    return sandbox.job(project)


@pytest.fixture
def registry(sandbox: Sandbox, http: Http, project: Project, job: Job) -> Registry:
    """Send a request below the project's repository, with a token of its job for everything."""
    path = project.path

    def call(method: str, below: str, **options: Any) -> requests.Response:
        token = token_of(
            http, sandbox, f"repository:{path}:pull,push,delete", ("gitlab-ci-token", job.job_token)
        )
        headers = {"Authorization": f"Bearer {token}", "Accept": ALL, **options.pop("headers", {})}
        url = below if "://" in below else f"{sandbox.registry_url}/v2/{path}/{below}"
        return http(method, url, headers=headers, **options)

    return call
