"""Receiving a file: into a private directory, overwriting nothing, hashed on the way."""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pytest

import samples
from archives import SDIST_NAME, WHEEL_NAME, sdist, wheel
from pip_warden.artifact.local import check_local_project
from pip_warden.artifact.model import Contents
from pip_warden.artifact.receive import copy_local, receive
from pip_warden.digests import Digest, digest_of
from pip_warden.errors import NetworkError, RefusedError, UndecidedError, UsageError
from pip_warden.faults import Fault


@dataclass(frozen=True, kw_only=True, slots=True)
class Got:
    digest: Digest
    size: int


class FakeRegistry:
    """Delivers bytes; or half of them, and then fails."""

    def __init__(self, data: bytes, error: Exception | None = None) -> None:
        self._data, self._error = data, error

    def download(self, url: str, *, to: BinaryIO, max_bytes: int, label: str) -> Got:  # noqa: ARG002
        to.write(self._data)
        if self._error is not None:
            raise self._error
        return Got(digest=digest_of(self._data), size=len(self._data))


@pytest.fixture
def private(tmp_path: Path) -> Path:
    directory = tmp_path / "private"
    directory.mkdir(mode=0o700)
    return directory


def test_a_candidate_becomes_an_artifact(private: Path) -> None:
    data = wheel()

    artifact = receive(samples.candidate(WHEEL_NAME), FakeRegistry(data).download, private, max_bytes=1 << 20)

    assert artifact.path.read_bytes() == data
    assert artifact.path.stat().st_mode & 0o777 == 0o600
    assert (artifact.digest, artifact.size) == (digest_of(data), len(data))
    assert isinstance(artifact.contents, Contents)


def test_a_malformed_file_is_an_artifact_with_a_fault(private: Path) -> None:
    artifact = receive(
        samples.candidate(WHEEL_NAME), FakeRegistry(b"<html>").download, private, max_bytes=1 << 20
    )

    assert isinstance(artifact.contents, Fault)
    assert artifact.contents.code == "wrong-file-type"


def test_an_empty_file_is_said_to_begin_with_nothing(private: Path) -> None:
    artifact = receive(samples.candidate(WHEEL_NAME), FakeRegistry(b"").download, private, max_bytes=1 << 20)

    assert isinstance(artifact.contents, Fault)
    assert (artifact.contents.code, "begins with nothing" in artifact.contents.found) == (
        "wrong-file-type",
        True,
    )


@pytest.mark.parametrize(
    ("error", "code"),
    [(NetworkError("cut-off", "half a file"), "cut-off"), (OSError(28, "No space left"), "cannot-store")],
)
def test_half_a_file_is_not_left_behind(private: Path, error: Exception, code: str) -> None:
    with pytest.raises(UndecidedError) as caught:
        receive(
            samples.candidate(WHEEL_NAME), FakeRegistry(b"half", error).download, private, max_bytes=1 << 20
        )

    assert caught.value.code == code
    assert list(private.iterdir()) == []


@pytest.mark.parametrize("kind", ["file", "link"])
def test_t32_nothing_that_is_there_already_is_written_to(private: Path, tmp_path: Path, kind: str) -> None:
    victim = tmp_path / "victim"
    victim.write_bytes(b"untouched")
    place = private / WHEEL_NAME
    place.write_bytes(b"untouched") if kind == "file" else place.symlink_to(victim)

    with pytest.raises(UndecidedError) as caught:
        receive(samples.candidate(WHEEL_NAME), FakeRegistry(wheel()).download, private, max_bytes=1 << 20)

    assert caught.value.code == "cannot-store"
    assert place.read_bytes() == victim.read_bytes() == b"untouched"


def test_t32_a_directory_that_is_not_private_is_refused(private: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(private)
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)

    for directory in (link, shared, tmp_path / "missing"):
        with pytest.raises(UndecidedError) as caught:
            receive(
                samples.candidate(WHEEL_NAME), FakeRegistry(wheel()).download, directory, max_bytes=1 << 20
            )
        assert caught.value.code == "cannot-store"


def test_t32_a_local_file_is_judged_in_a_copy(private: Path, tmp_path: Path) -> None:
    original = tmp_path / SDIST_NAME
    original.write_bytes(sdist())

    artifact = copy_local(original, private)
    original.write_bytes(b"something else")

    assert artifact.path == private / SDIST_NAME
    assert artifact.path.read_bytes() == sdist()
    assert artifact.digest == digest_of(sdist())


def test_what_is_no_readable_file_is_said_to_be_none(private: Path, tmp_path: Path) -> None:
    directory = tmp_path / "d" / WHEEL_NAME
    directory.mkdir(parents=True)
    pipe = tmp_path / "p"
    pipe.mkdir()
    os.mkfifo(pipe / WHEEL_NAME)

    for path in (directory, pipe / WHEEL_NAME, tmp_path / WHEEL_NAME):
        with pytest.raises(UsageError) as caught:
            copy_local(path, private)
        assert caught.value.code == "no-such-file"
    assert list(private.iterdir()) == []


def test_a_local_file_that_is_too_large_or_misnamed_is_refused(private: Path, tmp_path: Path) -> None:
    for name, code in ((WHEEL_NAME, "file-too-large"), ("notes.txt", "invalid-filename")):
        (tmp_path / name).write_bytes(wheel())
        with pytest.raises(UsageError) as caught:
            copy_local(tmp_path / name, private, max_bytes=10)
        assert caught.value.code == code
    assert list(private.iterdir()) == []


def test_nothing_is_copied_of_a_local_file_that_is_too_large(
    private: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gigabytes would fill the disk before they are refused."""
    (tmp_path / WHEEL_NAME).write_bytes(wheel())
    module = importlib.import_module(receive.__module__)
    pieces, read = module._pieces, list[bytes]()

    def told(source: BinaryIO, path: Path) -> Iterator[bytes]:
        for piece in pieces(source, path):
            read.append(piece)
            yield piece

    monkeypatch.setattr(module, "CHUNK", 4)
    monkeypatch.setattr(module, "_pieces", told)
    with pytest.raises(UsageError, match="found more"):
        copy_local(tmp_path / WHEEL_NAME, private, max_bytes=10)
    assert len(read) == 1


def test_direct_references_of_a_local_project_are_refused(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\ndependencies = ['y @ file:///tmp/y']\n")

    with pytest.raises(RefusedError) as caught:
        check_local_project(tmp_path)
    assert caught.value.code == "direct-reference"

    (tmp_path / "pyproject.toml").unlink()
    with pytest.raises(UsageError) as unreadable:
        check_local_project(tmp_path)
    assert unreadable.value.code == "bad-requirement"
