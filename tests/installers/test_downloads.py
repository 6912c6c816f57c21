"""B19: downloaded files are put into their directory all or none, and never over anything."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import stat
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from archives import as_it_lies
from pip_warden.digests import Digest, copied, digest_of
from pip_warden.errors import DeliveryError, RefusedError, UsageError, WardenError
from pip_warden.installer import downloads
from pip_warden.installer.downloads import AcceptedFile, check_directory, deliver, find_present

NAMES = [f"file{number}.whl" for number in range(5)]


@pytest.fixture
def made(tmp_path: Path) -> list[AcceptedFile]:
    staging = tmp_path / "staging"
    staging.mkdir()
    found = []
    for name in NAMES:
        (staging / name).write_bytes(name.encode())
        found.append(AcceptedFile(path=staging / name, digest=digest_of(name.encode())))
    return found


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "target").mkdir()
    return tmp_path / "target"


def content(target: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in target.iterdir()}


WHOLE = {name: name.encode() for name in NAMES}


def refused(made: list[AcceptedFile], target: Path, code: str) -> WardenError:
    with pytest.raises(WardenError) as caught:
        deliver(made, target)
    assert caught.value.code == code
    return caught.value


def test_b19_all_are_written_with_the_mode_of_the_umask(made: list[AcceptedFile], tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        assert deliver(made, tmp_path / "a" / "b") == ()
    finally:
        os.umask(before)
    assert content(tmp_path / "a" / "b") == WHOLE
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "a" / "b").iterdir()} == {0o640}


def test_b19_the_same_bytes_are_kept_and_said(made: list[AcceptedFile], target: Path) -> None:
    deliver(made[:2], target)
    before = {path.name: path.stat().st_ino for path in target.iterdir()}
    assert find_present(made, target) == tuple(NAMES[:2])
    assert deliver(made, target) == tuple(NAMES[:2])
    assert content(target) == WHOLE
    assert {name: (target / name).stat().st_ino for name in before} == before


def plant_bytes(place: Path) -> None:
    place.write_bytes(b"mine")


def plant_link(place: Path) -> None:
    (place.parent.parent / "victim").write_bytes(place.name.encode())
    place.symlink_to(place.parent.parent / "victim")


def plant_dangling_link(place: Path) -> None:
    place.symlink_to(place.parent.parent / "victim")


def plant_pipe(place: Path) -> None:
    os.mkfifo(place)


PLANTS: list[Callable[[Path], None]] = [plant_bytes, plant_link, plant_dangling_link, plant_pipe, Path.mkdir]


@pytest.mark.parametrize("plant", PLANTS)
def test_b19_anything_else_in_the_way_is_refused_before_anything_is_written(
    made: list[AcceptedFile], target: Path, plant: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    plant(target / NAMES[3])
    status = as_it_lies(target / NAMES[3])
    monkeypatch.setattr(downloads, "_copy", None)
    error = refused(made, target, "download-in-the-way")
    assert NAMES[3] in error.message
    assert error.exit_code == 4
    assert [path.name for path in target.iterdir()] == [NAMES[3]]
    assert as_it_lies(target / NAMES[3]) == status
    with pytest.raises(DeliveryError):
        find_present(made, target)


def test_b19_what_is_no_file_is_not_even_opened(
    made: list[AcceptedFile], target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opening a device may have an effect."""
    plant_pipe(target / NAMES[0])
    opened: list[object] = []
    real = os.open

    def watched(path: Any, *rest: Any, **named: Any) -> int:
        opened.append(path)
        return real(path, *rest, **named)

    monkeypatch.setattr(os, "open", watched)
    with pytest.raises(DeliveryError):
        find_present(made[:1], target)
    assert opened == [target]


def swap_pipe(place: Path) -> None:
    """Leave a pipe that holds the right bytes, and whose writer stays."""
    plant_pipe(place)
    os.write(os.open(place, os.O_RDWR | os.O_NONBLOCK), place.name.encode())


@pytest.mark.parametrize("swap", [plant_link, plant_pipe, swap_pipe])
def test_b19_what_takes_a_file_s_place_once_it_was_looked_at_is_in_the_way(
    made: list[AcceptedFile], target: Path, swap: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    swap(target / NAMES[0])
    regular = made[0].path.lstat()
    monkeypatch.setattr(os, "lstat", lambda *_path, **_named: regular)
    with pytest.raises(DeliveryError) as caught:
        find_present(made[:1], target)
    assert (caught.value.code, caught.value.exit_code) == ("download-in-the-way", 4)


def test_b19_a_planted_part_link_is_neither_followed_nor_replaced(
    made: list[AcceptedFile], target: Path
) -> None:
    victim = target.parent / "victim"
    victim.write_text("precious")
    (target / f".{NAMES[0]}.part").symlink_to(victim)
    deliver(made, target)
    assert victim.read_text() == "precious"
    assert (target / f".{NAMES[0]}.part").is_symlink()


def test_b19_a_link_planted_under_the_very_draft_is_not_followed(
    made: list[AcceptedFile], target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even if the name was guessed."""
    victim = target.parent / "victim"
    victim.write_text("precious")
    monkeypatch.setattr(secrets, "token_hex", lambda _size: "guessed")
    (target / ".pip-warden-guessed.part").symlink_to(victim)
    refused(made, target, "download-not-written")
    assert victim.read_text() == "precious"
    assert [path.name for path in target.iterdir()] == [".pip-warden-guessed.part"]


def third_link(monkeypatch: pytest.MonkeyPatch, instead: Callable[[Path], None], target: Path) -> None:
    """Make something happen just before the third file gets its name."""
    calls, link = [], os.link

    def counted(source: str, name: str, **options: Any) -> None:
        calls.append(name)
        if len(calls) == 3:
            instead(target / name)
        link(source, name, **options)

    monkeypatch.setattr(os, "link", counted)


@pytest.mark.parametrize("plant", PLANTS)
def test_b19_what_appears_meanwhile_is_left_alone_and_none_is_kept(
    made: list[AcceptedFile], target: Path, plant: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    third_link(monkeypatch, plant, target)
    refused(made, target, "download-in-the-way")
    left = list(target.iterdir())
    assert [path.name for path in left] == [NAMES[2]]
    assert not left[0].is_file() or left[0].read_bytes() in {b"mine", NAMES[2].encode()}


def full(_place: Path) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def interrupted(_place: Path) -> None:
    raise KeyboardInterrupt


def test_b19_a_full_disk_at_the_third_name_leaves_none(
    made: list[AcceptedFile], target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver(made[:1], target)
    third_link(monkeypatch, full, target)
    error = refused(made, target, "download-not-written")
    assert (error.exit_code, "No space left on device" in error.message) == (4, True)
    assert content(target) == {NAMES[0]: WHOLE[NAMES[0]]}, "what was there before stays"


def test_b19_an_interrupt_leaves_none(
    made: list[AcceptedFile], target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    third_link(monkeypatch, interrupted, target)
    with pytest.raises(KeyboardInterrupt):
        deliver(made, target)
    assert content(target) == {}


def test_b19_a_full_disk_at_the_third_draft_leaves_none_and_no_directory(
    made: list[AcceptedFile], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def counted(source: BinaryIO, copy: BinaryIO) -> tuple[Digest, int]:
        calls.append(copy)
        if len(calls) == 3:
            copy.write(b"half")
            raise OSError(errno.ENOSPC, "No space left on device")
        return copied(source, copy)

    monkeypatch.setattr(downloads, "copied", counted)
    refused(made, tmp_path / "new" / "target", "download-not-written")
    assert not (tmp_path / "new").exists()


def test_b19_what_somebody_put_in_our_place_is_not_removed(
    made: list[AcceptedFile], target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def swap(_place: Path) -> None:
        (target / NAMES[0]).unlink()
        (target / NAMES[0]).write_bytes(b"mine")
        raise OSError(errno.ENOSPC, "full")

    third_link(monkeypatch, swap, target)
    refused(made, target, "download-not-written")
    assert content(target) == {NAMES[0]: b"mine"}


def test_b19_other_bytes_than_were_accepted(made: list[AcceptedFile], target: Path) -> None:
    made[2].path.write_bytes(b"other")
    error = refused(made, target, "changed-after-verdict")
    assert isinstance(error, RefusedError)
    assert content(target) == {}


@pytest.mark.parametrize("number", [errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS])
def test_b19_a_file_system_without_links(
    made: list[AcceptedFile], target: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(*_args: object, **_options: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "link", unsupported)
    assert deliver(made[1:], target) == ()
    assert deliver(made, target) == tuple(NAMES[1:])
    assert content(target) == WHOLE


@pytest.mark.parametrize("plant", PLANTS)
def test_b19_a_file_system_without_links_and_what_appears_meanwhile(
    made: list[AcceptedFile], target: Path, plant: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = []

    def unsupported(_draft: str, name: str, **_options: object) -> None:
        calls.append(name)
        if len(calls) == 3:
            plant(target / name)
        raise OSError(errno.EPERM, "no links here")

    monkeypatch.setattr(os, "link", unsupported)
    refused(made, target, "download-in-the-way")
    assert [path.name for path in target.iterdir()] == [NAMES[2]]


def test_b19_the_directory_that_was_opened_is_the_one_that_is_written(
    made: list[AcceptedFile], target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link to a directory is the user's choice; where its name leads later is not."""
    link, elsewhere = target.parent / "link", target.parent / "elsewhere"
    elsewhere.mkdir()
    link.symlink_to(target)

    def turn(_place: Path) -> None:
        link.unlink()
        link.symlink_to(elsewhere)

    third_link(monkeypatch, turn, target)
    deliver(made, link)
    assert (content(target), content(elsewhere)) == (WHOLE, {})


def test_b19_two_runs_at_once_end_well(made: list[AcceptedFile], tmp_path: Path) -> None:
    for number in range(20):
        target = tmp_path / f"target{number}"
        start = threading.Barrier(4)

        def run(start: threading.Barrier = start, target: Path = target) -> tuple[str, ...]:
            start.wait()
            return deliver(made, target)

        with ThreadPoolExecutor(4) as pool:
            kept = [each.result() for each in [pool.submit(run) for _ in range(4)]]
        assert content(target) == WHOLE
        assert sorted(kept) == [(), *[tuple(NAMES)] * 3]


def test_b19_a_run_waits_until_another_has_given_its_names(
    made: list[AcceptedFile], target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that the other run removes again must not count as present."""
    other = os.open(target, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    (target / NAMES[0]).write_bytes(WHOLE[NAMES[0]])

    def failed(_seconds: float) -> None:
        (target / NAMES[0]).unlink(missing_ok=True)
        fcntl.flock(other, fcntl.LOCK_UN)

    monkeypatch.setattr(time, "sleep", failed)
    try:
        assert deliver(made, target) == ()
    finally:
        os.close(other)
    assert content(target) == WHOLE


def test_b19_a_run_that_never_ends_is_named(
    made: list[AcceptedFile], target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = os.open(target, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    monkeypatch.setattr(downloads, "_LONGEST_WAIT", -1.0)
    try:
        assert refused(made, target, "download-busy").exit_code == 4
    finally:
        os.close(other)
    assert content(target) == {}


def test_b19_the_directory_is_looked_at_first(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "nowhere").symlink_to(tmp_path / "absent")
    (tmp_path / "link").symlink_to(tmp_path)
    for bad in ("file", "nowhere", "file/below", "nowhere/below"):
        with pytest.raises(UsageError) as caught:
            check_directory(tmp_path / bad)
        assert caught.value.code == "download-directory"
    for good in (".", "link", "link/new/below", "new"):
        check_directory(tmp_path / good)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "link", "nowhere"]


def test_b19_a_directory_that_cannot_be_written(target: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda place, _mode: place != target)
    check_directory(target.parent / "new")
    with pytest.raises(UsageError) as caught:
        check_directory(target / "new")
    assert caught.value.code == "download-directory"
