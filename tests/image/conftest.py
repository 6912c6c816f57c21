"""A repository of its own for each test, and a verifier who is a job of the project."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from image.shop import Shop
from pip_warden.sandbox import Sandbox


@pytest.fixture
def shop(
    sandbox: Sandbox, home: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[Shop]:
    project = sandbox.project("acme/shop")
    for name, value in sandbox.job(project).variables().items():
        if name.startswith("CI_"):
            monkeypatch.setenv(name, value)
    name = re.sub("[^a-z0-9]+", "-", request.node.name.lower()).strip("-")
    shop = Shop(
        sandbox=sandbox,
        project=project,
        name=name,
        job=sandbox.job(project, tag="v1.0"),
        home=home,
        patch=monkeypatch,
    )
    shop.pin()
    yield shop
    sandbox.faults.clear()
