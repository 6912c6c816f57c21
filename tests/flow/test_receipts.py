"""Receipts: what was installed is verified by the next run, which judges its archive again and compares."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from flow.user import Run, User
from pip_warden.digests import Digest, digest_of
from pip_warden.sandbox import Project

UV = ("--installer", "uv")
INSTALLERS = pytest.mark.parametrize("words", [(), UV], ids=["pip", "uv"])
RECEIPT = "pip-warden.json"


@pytest.fixture(autouse=True)
def lock(user: User) -> None:
    """Uv leaves an empty lock next to what it installs into."""
    (user.target / ".lock").touch()


def subject(project: Project) -> str:
    return f"{project.record.name} 1.0"


def info_of(site: Path, project: Project) -> Path:
    return next(site.glob(f"{project.record.name}-*.dist-info"))


def receipt_of(site: Path, project: Project) -> dict[str, object]:
    found = json.loads((info_of(site, project) / RECEIPT).read_bytes())
    assert isinstance(found, dict)
    return found


def outcome(result: Run, project: Project) -> tuple[int, str]:
    return result.code, result.outcome(subject(project))


@INSTALLERS
def test_the_second_run_says_that_nothing_has_changed(user: User, words: tuple[str, ...]) -> None:
    needed = user.published()
    project = user.published(requires=(needed.record.name,))
    first = user.install(*words, project.record.name)
    assert (first.code, first.document["warnings"]) == (0, []), first.output

    again = user.install(*words, "--strict", project.record.name)

    assert outcome(again, project) == (0, "verified_earlier_unchanged"), again.output
    assert outcome(again, needed) == (0, "verified_earlier_unchanged")
    line = again.line(subject(project))
    assert line["sha256"] == user.wheel(project, requires=(needed.record.name,)).sha256
    assert (line["source"], line["accepted"]["basis"]) == ("acme", "identity")
    assert again.accepted == set()
