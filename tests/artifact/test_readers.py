"""Every archive is read by installers' readers, too: if one reads it differently, or fails, it is refused."""

from __future__ import annotations

import sys
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from archives import (
    METADATA,
    SDIST_NAME,
    TOP,
    code,
    sdist,
    wheel,
)
from pip_warden.artifact import readers, tarfile_listing
from pip_warden.artifact.inspect import inspect, read_by
from pip_warden.artifact.model import Artifact, Contents
from pip_warden.artifact.sdist import check_elsewhere
from pip_warden.digests import digest_of
from pip_warden.errors import UndecidedError
from pip_warden.faults import Fault, FaultError
from pip_warden.names import parse_artifact_name

Read = Callable[[bytes], Contents | Fault]


class Stranger:
    """A reader that returns given rows."""

    def __init__(self, *rows: list[object]) -> None:
        self._rows = rows

    def __call__(self, _stream: object) -> Sequence[list[object]]:
        return self._rows


TRUE_ROWS = [
    [f"{TOP}/acme/__init__.py", "0", 16, 512, ""],
    [f"{TOP}/PKG-INFO", "0", len(METADATA), 1536, ""],
]


@pytest.mark.parametrize(
    "rows",
    [
        TRUE_ROWS[:1],
        [],
        [*TRUE_ROWS, [f"{TOP}/more", "0", 0, 2560, ""]],
        *(
            [[*TRUE_ROWS[0][:at], other, *TRUE_ROWS[0][at + 1 :]], TRUE_ROWS[1]]
            for at, other in enumerate(["x", "5", 17, 513, "y"])
        ),
    ],
)
def test_t46_an_sdist_that_tarfile_lists_otherwise_is_refused(
    read: Read, monkeypatch: pytest.MonkeyPatch, rows: list[list[object]]
) -> None:
    monkeypatch.setattr(tarfile_listing, "list_members", Stranger(*TRUE_ROWS))
    assert isinstance(read(sdist()), Contents)

    monkeypatch.setattr(tarfile_listing, "list_members", Stranger(*rows))
    assert code(read(sdist())) == "archive-ambiguous"


def test_t46_whatever_tarfile_stumbles_over_is_refused(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(_stream: object) -> Sequence[list[object]]:
        raise AttributeError("inside of a reader that is not ours")

    monkeypatch.setattr(tarfile_listing, "list_members", stumble)

    assert code(read(sdist())) == "archive-ambiguous"


def test_t46_another_interpreters_tarfile_is_asked_too(tmp_path: Path) -> None:
    path = tmp_path / SDIST_NAME
    path.write_bytes(sdist({"pyproject.toml": "", "data.bin": b"x" * 100_000}))
    check_elsewhere(path, Path(sys.executable))

    for script in ("print('[]')", "import sys; sys.exit('out of order')", ""):
        stranger = tmp_path / "python"
        stranger.write_text(f"#!{sys.executable}\n{script}\n")
        stranger.chmod(0o700)
        with pytest.raises(FaultError) as caught:
            check_elsewhere(path, stranger)
        assert caught.value.fault.code == "archive-ambiguous"


@pytest.mark.parametrize("why", ["nothing there", "no end"])
def test_t46_an_interpreter_that_cannot_be_asked_decides_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    monkeypatch.setattr(readers, "_LONGEST_WAIT", 0.01)
    path, python = tmp_path / SDIST_NAME, tmp_path / "python"
    path.write_bytes(sdist())
    name = parse_artifact_name(SDIST_NAME)
    contents = inspect(path, name)
    if why == "no end":
        python.write_text("#!/bin/sh\nexec sleep 60\n")
        python.chmod(0o700)

    with pytest.raises(UndecidedError) as caught:
        read_by(python, Artifact(name=name, path=path, digest=digest_of(b""), size=0, contents=contents))

    assert caught.value.code == "cannot-ask-python"


def test_t40_a_wheel_that_zipfile_lists_otherwise_is_refused(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = zipfile.ZipFile.infolist

    for change in ("filename", "file_size", "compress_size", "compress_type", "CRC", "header_offset"):

        def lie(archive: zipfile.ZipFile, change: str = change) -> list[zipfile.ZipInfo]:
            listed = real(archive)
            value = getattr(listed[-1], change)
            setattr(listed[-1], change, value + ("x" if isinstance(value, str) else 1))
            return listed

        monkeypatch.setattr(zipfile.ZipFile, "infolist", lie)
        assert code(read(wheel())) == "archive-ambiguous", change
    monkeypatch.setattr(zipfile.ZipFile, "infolist", lambda archive: real(archive)[:-1])
    assert code(read(wheel())) == "archive-ambiguous"


def test_b07_a_wheel_for_a_later_zip_than_installers_know_is_refused(read: Read) -> None:
    data = wheel()
    later = data.replace(b"PK\1\2\x14\x03\x14", b"PK\1\2\x14\x03\xff").replace(b"PK\3\4\x14", b"PK\3\4\xff")

    assert later != data
    assert code(read(later)) == "archive-ambiguous"


def test_t46_an_interpreter_that_fails_is_not_believed(tmp_path: Path) -> None:
    path, stranger = tmp_path / SDIST_NAME, tmp_path / "python"
    path.write_bytes(sdist())
    stranger.write_text(f'#!/bin/sh\n"{sys.executable}" "$@"\nexit 3\n')
    stranger.chmod(0o700)

    with pytest.raises(FaultError) as caught:
        check_elsewhere(path, stranger)
    assert caught.value.fault.code == "archive-ambiguous"
