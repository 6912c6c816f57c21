"""A receipt is written beside what an installer made, and of RECORD one line alone is ours."""

from __future__ import annotations

import csv
import io
import os
import shutil
import signal
import stat
import sys
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

import archives
from environments.test_receipt import RECEIVED, TEXT, installed
from environments.test_scan import SITE
from pip_warden.artifact.layout import RECEIPT
from pip_warden.environments.model import InstalledDistribution
from pip_warden.environments.receipt import find_receipt
from pip_warden.environments.receipt_files import remove_drafts, write_receipt
from pip_warden.errors import DeliveryError

KEY = f"{archives.INFO}/{RECEIPT}"
LINE = archives.record_line(KEY, TEXT.encode()).encode()


@pytest.fixture
def distribution(tmp_path: Path) -> InstalledDistribution:
    return installed(tmp_path)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> InstalledDistribution:
    """An environment for many examples: a new one for each takes longer than they do."""
    return installed(tmp_path_factory.mktemp("env"))


def record_of(distribution: InstalledDistribution) -> Path:
    return distribution.site / distribution.folder / "RECORD"


def test_its_line_stands_behind_all_others(distribution: InstalledDistribution) -> None:
    before = record_of(distribution).read_bytes()

    write_receipt(distribution, RECEIVED)

    assert find_receipt(distribution) == RECEIVED
    assert record_of(distribution).read_bytes() == before + LINE
    assert sorted(os.listdir(record_of(distribution).parent)) == ["METADATA", "RECORD", "WHEEL", RECEIPT]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"", LINE),
        (b"a.py,,\n", b"a.py,,\n" + LINE),
        (b"a.py,,", b"a.py,,\n" + LINE),
        (b"z.py,,\r\na.py,,\r\n", b"z.py,,\r\na.py,,\r\n" + LINE.replace(b"\n", b"\r\n")),
        (b"z.py,,\r\na.py,,", b"z.py,,\r\na.py,,\r\n" + LINE.replace(b"\n", b"\r\n")),
        (b'"a,b.py",,\n', b'"a,b.py",,\n' + LINE),
        (f"a.py,,\n{KEY},,\nb.py,,\n".encode(), b"a.py,,\n" + LINE + b"b.py,,\n"),
        (f"./{KEY},,1\r\nb.py,,\r\n".encode(), LINE.replace(b"\n", b"\r\n") + b"b.py,,\r\n"),
        (f'"a\n{KEY},,\n",,\nb.py,,\n'.encode(), f'"a\n{KEY},,\n",,\nb.py,,\n'.encode() + LINE),
        ("\u00e4.py,,\n".encode(), "\u00e4.py,,\n".encode() + LINE),
    ],
)
def test_every_other_line_stays(distribution: InstalledDistribution, before: bytes, after: bytes) -> None:
    record_of(distribution).write_bytes(before)

    write_receipt(distribution, RECEIVED)
    assert record_of(distribution).read_bytes() == after

    write_receipt(distribution, RECEIVED)
    assert record_of(distribution).read_bytes() == after


@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1), unique=True
    ),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_every_line_of_any_record_stays(
    shared: InstalledDistribution, names: list[str], ending: str, is_quoted: bool
) -> None:
    distribution = shared
    (record_of(distribution).parent / RECEIPT).unlink(missing_ok=True)
    text = io.StringIO(newline="")
    quoting: Literal[0, 1] = csv.QUOTE_ALL if is_quoted else csv.QUOTE_MINIMAL
    csv.writer(text, lineterminator=ending, quoting=quoting).writerows([name, "", ""] for name in names)
    before = text.getvalue().encode()
    record_of(distribution).write_bytes(before)
    end = LINE.replace(b"\n", ending.encode() if before else b"\n")

    try:
        write_receipt(distribution, RECEIVED)
    except DeliveryError:
        end = b""  # a name twice, or one that leads out

    assert record_of(distribution).read_bytes() == before + end
    assert find_receipt(distribution) == (RECEIVED if end else None)


def test_what_an_installer_linked_to_its_cache_stays_there(
    distribution: InstalledDistribution, tmp_path: Path
) -> None:
    place = record_of(distribution).parent / RECEIPT
    place.write_bytes(b"{}")
    before = record_of(distribution).read_bytes()
    os.link(record_of(distribution), tmp_path / "cached RECORD")
    os.link(place, tmp_path / "cached receipt")

    write_receipt(distribution, RECEIVED)

    assert (tmp_path / "cached RECORD").read_bytes() == before
    assert (tmp_path / "cached receipt").read_bytes() == b"{}"
    assert place.read_text() == TEXT


def test_a_link_is_replaced_and_not_followed(distribution: InstalledDistribution, tmp_path: Path) -> None:
    (tmp_path / "other").write_bytes(b"mine")
    (record_of(distribution).parent / RECEIPT).symlink_to(tmp_path / "other")

    write_receipt(distribution, RECEIVED)

    assert (tmp_path / "other").read_bytes() == b"mine"
    assert find_receipt(distribution) == RECEIVED


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o664])
def test_both_have_the_mode_that_the_record_had(distribution: InstalledDistribution, mode: int) -> None:
    record_of(distribution).chmod(mode)

    write_receipt(distribution, RECEIVED)

    for name in ("RECORD", RECEIPT):
        assert stat.S_IMODE((record_of(distribution).parent / name).stat().st_mode) == mode


def _moved(record: Path) -> None:
    elsewhere = record.parents[1] / "elsewhere"
    record.parent.rename(elsewhere)
    record.parent.symlink_to(elsewhere)


def _linked(record: Path) -> None:
    record.rename(record.parent / "other")
    record.symlink_to("other")


def _pipe(record: Path) -> None:
    record.unlink()
    os.mkfifo(record)


@pytest.mark.parametrize(
    ("plant", "said"),
    [
        (Path.unlink, "no such file"),
        (lambda record: record.write_bytes(b"a.py,,\na.py,,\n"), "twice"),
        (lambda record: record.write_bytes(b"a.py,,\n\nb.py,,\n"), "the line"),
        (lambda record: record.write_bytes(b'"a.py,,\n'), "unexpected end of data"),
        (lambda record: record.write_bytes(b"\xff,,\n"), "utf-8"),
        (_moved, "a link"),
        (_linked, "too many levels of symbolic links"),
        (_pipe, "no regular file"),
        (lambda record: (record.parent / RECEIPT).mkdir(), "a directory"),
    ],
)
def test_what_cannot_be_written_is_said_and_nothing_is_changed(
    distribution: InstalledDistribution, plant: Callable[[Path], object], said: str
) -> None:
    plant(record_of(distribution))
    before = _files(distribution.site)

    with pytest.raises(DeliveryError, match=said) as raised:
        write_receipt(distribution, RECEIVED)

    assert (raised.value.code, raised.value.exit_code) == ("receipt-not-written", 4)
    assert _files(distribution.site) == before


def test_a_full_disk_leaves_all_as_it_was(
    distribution: InstalledDistribution, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = _files(distribution.site)

    def no_space(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfileobj", no_space)
    with pytest.raises(DeliveryError, match="no space left"):
        write_receipt(distribution, RECEIVED)

    assert _files(distribution.site) == before


def test_without_an_environment_nothing_is_written(tmp_path: Path) -> None:
    distribution = installed(tmp_path)
    (tmp_path / SITE).rename(tmp_path / "gone")

    with pytest.raises(DeliveryError):
        write_receipt(distribution, RECEIVED)


DRAFT = f".pip-warden-{16 * 'a'}.part"


def test_a_run_that_is_killed_at_any_step_leaves_nothing_for_long(tmp_path: Path) -> None:
    """RECORD is always whole, and whatever else is there is removed by the next run."""
    for step in count():
        distribution = installed(tmp_path / str(step))
        info = record_of(distribution).parent
        before = record_of(distribution).read_bytes()
        is_killed = _killed_at(step, distribution)
        left = {each.name for each in info.iterdir()} - {"METADATA", "RECORD", "WHEEL", RECEIPT}

        assert len(remove_drafts(distribution.site)) == len(left)
        assert {each.name for each in info.iterdir()} - {RECEIPT} == {"METADATA", "RECORD", "WHEEL"}
        assert record_of(distribution).read_bytes() in {before, before + LINE}
        assert find_receipt(distribution) in {None, RECEIVED}
        if not is_killed:
            assert step > 8
            assert find_receipt(distribution) == RECEIVED
            return
        write_receipt(distribution, RECEIVED)
        assert record_of(distribution).read_bytes() == before + LINE
        shutil.rmtree(tmp_path / str(step))


def _killed_at(step: int, distribution: InstalledDistribution) -> bool:
    """Write a receipt in another process, which `kill -9` ends before the step; return whether it did."""
    child = os.fork()
    if child == 0:
        steps = count()

        def hear(event: str, _: object) -> None:
            if event in {"open", "os.rename", "os.remove", "os.chmod"} and next(steps) == step:
                os.kill(os.getpid(), signal.SIGKILL)

        sys.addaudithook(hear)
        try:
            write_receipt(distribution, RECEIVED)
        finally:
            os._exit(0)
    return os.waitpid(child, 0)[1] == signal.SIGKILL


def _elsewhere(info: Path) -> None:
    (info.parent / "acme_widgets").mkdir()
    (info.parent / "acme_widgets" / DRAFT).touch()


def _of_another(info: Path) -> None:
    (info / DRAFT).touch()
    os.chown(info / DRAFT, 4242, -1)


def _recorded(info: Path) -> None:
    (info / DRAFT).touch()
    (info / "RECORD").write_text(f"{info.name}/{DRAFT},,\n")


def _behind_a_link(info: Path) -> None:
    (info / DRAFT).touch()
    info.symlink_to(info.rename(info.parents[1] / "elsewhere"))


@pytest.mark.parametrize(
    "plant",
    [
        lambda info: (info / ".pip-warden-aa.part").touch(),
        lambda info: (info / DRAFT.upper()).touch(),
        lambda info: (info / f"{DRAFT}.py").touch(),
        lambda info: (info / DRAFT).mkdir(),
        lambda info: (info / DRAFT).symlink_to("METADATA"),
        lambda info: os.mkfifo(info / DRAFT),
        lambda info: (info.parent / DRAFT).touch(),
        _elsewhere,
        _of_another,
        _recorded,
        _behind_a_link,
    ],
)
def test_what_is_no_draft_of_a_receipt_stays(
    distribution: InstalledDistribution, plant: Callable[[Path], object]
) -> None:
    """It is found by the comparison then."""
    plant(record_of(distribution).parent)
    before = _files(distribution.site)

    assert remove_drafts(distribution.site) == ()
    assert _files(distribution.site) == before


def test_a_directory_that_has_only_a_draft_goes_with_it(distribution: InstalledDistribution) -> None:
    """An installer has removed the rest of an older release."""
    old = distribution.site / "acme_widgets-0.9.dist-info"
    old.mkdir()
    (old / DRAFT).write_bytes(b"half a rec")

    assert remove_drafts(distribution.site) == (old / DRAFT,)
    assert not old.exists()


def _files(site: Path) -> dict[str, tuple[int, bytes]]:
    found = {each.relative_to(site).as_posix(): each for each in site.rglob("*")}
    return {
        name: (each.lstat().st_mode, each.read_bytes() if stat.S_ISREG(each.lstat().st_mode) else b"")
        for name, each in found.items()
    }
