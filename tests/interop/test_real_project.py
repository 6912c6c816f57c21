"""What this repository locks: pinned by one command, installed through the gate, moved to new versions."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from interop.real_project import (
    KEPT,
    LOCK,
    OLDER,
    RealProject,
    changed,
    entries,
    hashes,
    here,
    older_lock,
)
from pip_warden.trust.file import load

# All of it in one worker: what is pinned is pinned once.
pytestmark = [pytest.mark.interop, pytest.mark.xdist_group("real-project")]
DIGEST_LINE = re.compile(r'  "[A-Za-z0-9_.+-]+" = "[0-9a-f]{64}"')


@pytest.fixture(scope="module")
def pinned(tmp_path_factory: pytest.TempPathFactory) -> RealProject:
    """Return the project, pinned from nothing."""
    project = RealProject(directory=tmp_path_factory.mktemp("real"))
    project.lock.write_bytes(LOCK.read_bytes())
    project.make("trust-sync")
    return project


def test_one_command_pins_from_nothing_what_the_repository_keeps(pinned: RealProject) -> None:
    made, kept = (load(path, check_owner=False) for path in (pinned.trust, KEPT))

    assert set(made.entries) == set(kept.entries)
    assert made.sources == kept.sources


def test_the_index_of_this_machine_is_named_nowhere(pinned: RealProject) -> None:
    text = pinned.trust.read_text(encoding="utf-8")

    assert re.findall(r"\w+://[^\"\s]*", text) == ["https://pypi.org/simple"]


def test_the_same_again_changes_nothing(pinned: RealProject) -> None:
    before = pinned.trust.read_bytes()
    said = pinned.make("trust-sync") + pinned.make("trust-update")

    assert pinned.trust.read_bytes() == before
    assert ("nothing to do" in said, "nothing to update" in said) == (True, True)


def test_all_of_it_is_installed_through_the_gate(pinned: RealProject) -> None:
    files = pinned.install()

    assert len(files) == len(here()) > 40
    assert {(file["outcome"], file["accepted"]["basis"]) for file in files} == {("accepted", "hash")}
    assert pinned.installed() == here()
    pinned.check_installed()


def test_three_bumped_change_the_hashes_of_their_files_and_no_other_line(
    pinned: RealProject, tmp_path: Path
) -> None:
    project = RealProject(directory=tmp_path)
    before = pinned.trust.read_text(encoding="utf-8")
    project.trust.write_text(before, encoding="utf-8")
    project.lock.write_text(older_lock(), encoding="utf-8")
    project.make("trust-update")
    older = project.trust.read_text(encoding="utf-8")
    project.lock.write_bytes(LOCK.read_bytes())
    project.make("trust-update")
    out, into = changed(older, project.trust.read_text(encoding="utf-8"))

    locked = entries(LOCK.read_text(encoding="utf-8"))
    bumped = {name: text for name, text in entries(OLDER.read_text(encoding="utf-8")).items() if name}
    assert len(bumped) == 3
    assert len(out) == sum(map(hashes, bumped.values()))
    assert len(into) == sum(hashes(locked[name]) for name in bumped)
    assert all(map(DIGEST_LINE.fullmatch, out + into))
    assert project.trust.read_text(encoding="utf-8") == before
