"""Two commands that write one trust file: what one says it has written stays."""

from __future__ import annotations

import fcntl
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pip_warden.errors import UsageError
from pip_warden.events import SILENT
from pip_warden.first_use.draft import Draft
from pip_warden.names import parse_project_name
from pip_warden.trust.editing import edit
from pip_warden.trust.file import load

PACKAGE = """
[[package]]
name = "{name}"
source = "x"
reason = "r"
sha256 = {{ "{name}-1.0-py3-none-any.whl" = "{digest}" }}
"""


def trust_file(directory: Path) -> Path:
    path = directory / "pytrust.toml"
    packages = "".join(PACKAGE.format(name=name, digest="0" * 64) for name in ("alpha", "beta", "gamma"))
    path.write_text(f'version = 1\n[source.x]\ntype = "simple"\nurl = "https://h/simple"\n{packages}')
    return path


def without(path: Path, name: str) -> Draft:
    draft = Draft(path)
    draft.remove(parse_project_name(name), None)
    return draft


def test_no_other_command_writes_between_the_look_and_the_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = trust_file(tmp_path)
    mine, theirs = without(path, "alpha"), without(path, "beta")
    came, said = threading.Event(), list[str]()
    flock, write = fcntl.flock, edit.write

    def write_too() -> None:
        try:
            said.append(theirs.write(SILENT))
        except UsageError as err:
            said.append(err.code)
        came.set()

    other = threading.Thread(target=write_too)

    def locking(directory: int, operation: int) -> None:
        try:
            flock(directory, operation)
        finally:
            if threading.current_thread() is other:
                came.set()

    def writing(place: Path, text: str) -> None:
        if threading.current_thread() is not other:
            other.start()
            assert came.wait(60)
        write(place, text)

    monkeypatch.setattr(fcntl, "flock", locking)
    monkeypatch.setattr(edit, "write", writing)
    mine.write(SILENT)
    other.join(60)
    assert said == ["trust-file-changed"]
    assert load(path, check_owner=False).projects == {"beta", "gamma"}


def test_a_command_that_does_not_end_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edit, "_LONGEST_WAIT", 0.0)
    path = trust_file(tmp_path)
    before, mine = path.read_text(), without(path, "alpha")
    with edit.alone(path), pytest.raises(UsageError) as caught:
        mine.write(SILENT)
    assert (caught.value.code, path.read_text()) == ("trust-file-changed", before)
    assert "updated" in mine.write(SILENT)


def without_locks(_directory: int, _operation: int) -> None:
    raise OSError("no locks here")


@pytest.mark.parametrize("flock", [fcntl.flock, without_locks])
def test_it_is_written_without_locks_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flock: Callable[[int, int], None]
) -> None:
    monkeypatch.setattr(fcntl, "flock", flock)
    path = trust_file(tmp_path)
    assert "updated" in without(path, "alpha").write(SILENT)


def test_where_there_is_no_directory_the_writing_says_so(tmp_path: Path) -> None:
    draft = Draft(tmp_path / "none" / "pytrust.toml")
    with pytest.raises(UsageError) as caught:
        draft.write(SILENT)
    assert caught.value.code == "trust-file-unwritable"
