"""Large files, which the vault takes by a move at the end of a run: only the bytes that were judged."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import pytest

from archives import WHEEL_NAME, as_it_lies
from pip_warden.digests import Digest, digest_of_stream
from pip_warden.errors import UsageError
from pip_warden.evidence.model import Item
from pip_warden.vault import Postponed, Vault, hand_over
from test_vault import DATA, DIGEST, accepted, cache, found, item, run, stored_path

__all__ = ["cache", "item", "run"]
"""Fixtures."""

EVIL = b"exchanged".ljust(len(DATA))


@pytest.fixture(autouse=True)
def _everything_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pip_warden.vault.store.LARGE", len(DATA))


@pytest.fixture
def later(cache: Path, run: Path, item: Item) -> Postponed:
    """A file that was accepted, and that the vault is to take later."""
    later, verdict = Postponed(), accepted(run)
    # As after a run: whoever writes to it now does so at another time, however coarse the clock is.
    os.utime(verdict.artifact.path, (0, 0))
    Vault(cache).seal(verdict, evidence=(item,), postponed=later)
    return later


def kept(cache: Path) -> list[Path]:
    return [path for path in cache.rglob("*") if path.is_file() or path.name.startswith(".draft")]


@pytest.mark.parametrize("looked", [True, False])
def test_a_large_file_is_moved_when_the_run_ends(
    cache: Path, run: Path, later: Postponed, item: Item, *, looked: bool
) -> None:
    assert kept(cache) == [], "a run that is killed leaves nothing"
    before = (run / WHEEL_NAME).stat().st_ino
    if looked:
        later.look()
    later.settle()

    path = stored_path(cache)
    assert (path.read_bytes(), path.stat().st_ino, path.stat().st_mode & 0o777) == (DATA, before, 0o400)
    assert not (run / WHEEL_NAME).exists()
    assert [entry.name for entry in path.parents[1].iterdir()] == [DIGEST.hex]
    stored = found(Vault(cache))
    assert stored is not None
    assert stored.evidence == (item,)
    later.settle()
    assert path.read_bytes() == DATA


def test_a_file_that_was_looked_at_and_left_alone_is_not_hashed_again(
    later: Postponed, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[BinaryIO] = []

    def counted(stream: BinaryIO) -> Digest:
        hashed.append(stream)
        return digest_of_stream(stream)

    monkeypatch.setattr("pip_warden.vault.postponed.digest_of_stream", counted)
    later.look()
    later.settle()
    assert (len(hashed), stored_path(cache).exists()) == (1, True)


def test_a_small_file_that_is_the_first_is_copied_at_once(
    cache: Path, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pip_warden.vault.store.LARGE", len(DATA) + 1)
    _is_copied_at_once(cache, run)


def test_a_file_on_another_file_system_is_copied_at_once(
    cache: Path, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = Path.lstat

    def elsewhere(self: Path) -> os.stat_result:
        status = look(self)
        return os.stat_result((*status[:2], status.st_dev + 1, *status[3:])) if self.parent == run else status

    monkeypatch.setattr(Path, "lstat", elsewhere)
    _is_copied_at_once(cache, run)


def _is_copied_at_once(cache: Path, run: Path) -> None:
    later = Postponed()
    Vault(cache).seal(accepted(run), evidence=(), postponed=later)
    assert stored_path(cache).read_bytes() == DATA
    later.settle()
    assert (run / WHEEL_NAME).read_bytes() == DATA


def test_what_is_in_the_vault_stays_there(cache: Path, run: Path) -> None:
    Vault(cache).seal(accepted(run), evidence=())
    before, later = as_it_lies(stored_path(cache)), Postponed()
    Vault(cache).seal(accepted(run), evidence=(), postponed=later)
    later.settle()
    assert as_it_lies(stored_path(cache)) == before


def test_a_cache_that_cannot_be_written_is_told_before_anything_is_installed(cache: Path, run: Path) -> None:
    (cache / "v1").mkdir(parents=True)
    (cache / "v1" / DIGEST.hex[:2]).write_bytes(b"")
    with pytest.raises(UsageError) as caught:
        Vault(cache).seal(accepted(run), evidence=(), postponed=Postponed())
    assert caught.value.code == "cache-directory"


def written(path: Path) -> None:
    path.write_bytes(EVIL)


def exchanged(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(EVIL)
    other.replace(path)


def linked(path: Path) -> None:
    path.rename(path.with_name("other")).write_bytes(EVIL)
    path.symlink_to("other")


def led_to_the_same(path: Path) -> None:
    path.symlink_to(path.rename(path.with_name("other")))


def removed(path: Path) -> None:
    path.unlink()


def named_twice_and_written(path: Path) -> None:
    os.link(path, path.with_name("other"))
    path.with_name("other").write_bytes(EVIL)


@pytest.mark.parametrize("looked", [True, False])
@pytest.mark.parametrize(
    "change", [written, exchanged, linked, led_to_the_same, removed, named_twice_and_written]
)
def test_t32_bytes_that_changed_before_the_end_of_the_run_are_not_kept(
    cache: Path, run: Path, later: Postponed, change: Callable[[Path], None], *, looked: bool
) -> None:
    if looked:
        later.look()
    change(run / WHEEL_NAME)
    later.settle()
    assert kept(cache) == []


def test_t32_a_file_that_somebody_else_can_write_to_is_copied(
    cache: Path, run: Path, later: Postponed, tmp_path: Path
) -> None:
    """An installer was ended, and has left its name for it behind."""
    later.look()
    os.link(run / WHEEL_NAME, tmp_path / "mine")
    later.settle()

    (tmp_path / "mine").write_bytes(EVIL)
    assert stored_path(cache).read_bytes() == DATA
    assert stored_path(cache).stat().st_nlink == 1


def named_twice(path: Path) -> None:
    """Nothing is changed yet."""
    os.link(path, path.with_name("other"))


@pytest.mark.parametrize("change", [exchanged, linked, named_twice, named_twice_and_written])
def test_t32_what_is_exchanged_while_it_is_moved_is_not_kept(
    cache: Path,
    later: Postponed,
    run: Path,
    change: Callable[[Path], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rename = Path.rename

    def at_the_last_moment(self: Path, target: Path) -> Path:
        if self == run / WHEEL_NAME:
            with monkeypatch.context() as patch:
                patch.setattr(Path, "rename", rename)
                change(self)
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", at_the_last_moment)
    later.settle()
    assert kept(cache) == []


def test_t32_what_is_written_to_while_it_is_looked_at_counts_as_not_looked_at(
    cache: Path, run: Path, later: Postponed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(stream: BinaryIO) -> Digest:
        digest = digest_of_stream(stream)
        (run / WHEEL_NAME).write_bytes(DATA[:-1])
        return digest

    with monkeypatch.context() as patch:
        patch.setattr("pip_warden.vault.postponed.digest_of_stream", late)
        later.look()
    later.settle()
    assert kept(cache) == []


def test_a_file_that_cannot_be_moved_is_copied(
    cache: Path, run: Path, later: Postponed, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One device may be mounted twice."""
    rename = Path.rename

    def between_mounts(self: Path, target: Path) -> Path:
        if self == run / WHEEL_NAME:
            raise OSError(18, "Invalid cross-device link")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", between_mounts)
    later.settle()
    assert stored_path(cache).read_bytes() == DATA


def test_several_runs_may_keep_the_same_file(cache: Path, tmp_path: Path) -> None:
    """Each thinks that it is the first; and the cache may be cleared meanwhile."""
    runs = [Postponed() for _ in range(3)]
    for number, each in enumerate(runs):
        Vault(cache).seal(accepted(tmp_path / f"run{number}"), evidence=(), postponed=each)
    Vault(cache).clear()
    for each in runs:
        each.settle()
        assert stored_path(cache).read_bytes() == DATA
    assert len(kept(cache)) == 2


def test_what_cannot_be_kept_in_the_end_is_no_fault(cache: Path, later: Postponed) -> None:
    """Everything was installed by then; the next run fetches it again."""
    (cache / "v1" / DIGEST.hex[:2]).rmdir()
    (cache / "v1" / DIGEST.hex[:2]).write_bytes(b"")
    later.settle()
    assert not stored_path(cache).exists()


def test_it_is_handed_over_until_then(cache: Path, run: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir(mode=0o700)
    later = Postponed()
    sealed = Vault(cache).seal(accepted(run), evidence=(), postponed=later)
    hand_over(sealed, tmp_path / "out").unlink()
    later.settle()
    assert stored_path(cache).read_bytes() == DATA


@pytest.fixture
def waiting(cache: Path, run: Path, monkeypatch: pytest.MonkeyPatch) -> Postponed:
    """A small file that was accepted when it was known that the cache can be written."""
    monkeypatch.setattr("pip_warden.vault.store.LARGE", len(DATA) + 1)
    waiting = Postponed()
    waiting.hear()
    Vault(cache).seal(accepted(run), evidence=(), postponed=waiting)
    return waiting


def test_a_small_file_that_is_not_the_first_is_copied_when_there_is_time(
    cache: Path, run: Path, waiting: Postponed
) -> None:
    assert kept(cache) == []

    waiting.take()

    assert stored_path(cache).read_bytes() == DATA
    assert (run / WHEEL_NAME).read_bytes() == DATA, "an installer may still take it"
    stored_path(cache).unlink()
    waiting.take()
    assert not stored_path(cache).exists(), "once is enough"


def test_t32_a_small_file_that_was_changed_meanwhile_is_not_kept(
    cache: Path, run: Path, waiting: Postponed
) -> None:
    (run / WHEEL_NAME).write_bytes(EVIL)

    waiting.take()

    assert kept(cache) == []
