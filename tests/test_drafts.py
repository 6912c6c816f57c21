"""Files that are moved to their place when they are complete."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from pip_warden.disk import draft_beside

PLANTS: list[Callable[[Path], None]] = [
    lambda draft: draft.symlink_to("victim"),
    lambda draft: draft.symlink_to("none"),
    Path.touch,
]


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


@pytest.mark.parametrize(("mode", "expected"), [(None, 0o640), (0o644, 0o644), (0o600, 0o600)])
def test_a_file_is_replaced_as_a_whole_and_has_the_mode_that_was_asked_for(
    tmp_path: Path, mode: int | None, expected: int
) -> None:
    place = tmp_path / "place"
    place.write_bytes(b"old")
    before = os.umask(0o027)
    try:
        with draft_beside(place, BytesIO(b"new"), mode=mode, is_synced=True) as put:
            assert place.read_bytes() == b"old"
            put()
    finally:
        os.umask(before)

    assert (place.read_bytes(), _mode(place), _names(tmp_path)) == (b"new", expected, ["place"])


@pytest.mark.parametrize("name", ["pipe", "link"])
def test_what_is_no_file_is_never_replaced_by_one(tmp_path: Path, name: str) -> None:
    """In a container a job is root, and `-o /dev/null` or `-o /dev/stdout` would replace the device."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")
    with (
        pytest.raises(OSError, match="a device, a pipe or a socket"),
        draft_beside(tmp_path / name, BytesIO(b"new")) as put,
    ):
        put()

    assert _names(tmp_path) == ["link", "pipe"]
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "pipe").is_fifo()


def test_a_draft_is_its_owners_alone_until_it_has_its_mode(tmp_path: Path) -> None:
    """The old file's mode may deny others access."""

    class Watched(BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            seen.extend(_mode(path) for path in tmp_path.iterdir())
            return super().read(size)

    seen: list[int] = []
    with draft_beside(tmp_path / "place", Watched(b"new"), mode=0o644):
        pass

    assert set(seen) == {0o600}
    assert _names(tmp_path) == [], "it was not put in its place"


@pytest.mark.parametrize("plant", PLANTS)
def test_a_link_planted_under_the_very_draft_is_not_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plant: Callable[[Path], None]
) -> None:
    """Not even if the name was guessed."""
    (tmp_path / "victim").write_bytes(b"precious")
    monkeypatch.setattr(secrets, "token_hex", lambda _size: "guessed")
    plant(tmp_path / ".pip-warden-guessed.part")
    with pytest.raises(FileExistsError), draft_beside(tmp_path / "place", BytesIO(b"new")) as put:
        put()

    assert _names(tmp_path) == [".pip-warden-guessed.part", "victim"]
    assert (tmp_path / "victim").read_bytes() == b"precious"


def test_a_draft_is_removed_if_the_run_is_told_to_end_as_soon_as_it_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make = os.open

    def make_and_hear(*args: Any, **options: Any) -> int:
        os.close(make(*args, **options))
        assert _names(tmp_path) != []
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "open", make_and_hear)
    with pytest.raises(KeyboardInterrupt), draft_beside(tmp_path / "place", BytesIO(b"new")):
        pass

    assert _names(tmp_path) == []
