"""Opening paths that may not be files."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path

import pytest

from pip_warden.disk import draft_beside, open_regular


@pytest.mark.parametrize("follow", [True, False])
def test_a_file_is_opened_for_reading(tmp_path: Path, follow: bool) -> None:
    (tmp_path / "file").write_bytes(b"content")

    with open_regular(tmp_path / "file", follow=follow) as stream:
        assert stream.read() == b"content"


def test_a_link_is_followed_where_that_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")

    with open_regular(tmp_path / "link", follow=True) as stream:
        assert stream.read() == b"content"
    with pytest.raises(OSError, match="link") as caught:
        open_regular(tmp_path / "link", follow=False)
    assert caught.value.errno == errno.ELOOP


@pytest.mark.parametrize("follow", [True, False])
def test_what_is_no_file_is_not_opened_and_nothing_stays_open(tmp_path: Path, follow: bool) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "directory").mkdir()
    opened = set(os.listdir("/dev/fd"))

    for name, number in (("pipe", 0), ("directory", errno.EISDIR), ("missing", errno.ENOENT)):
        with pytest.raises(OSError, match=name) as caught:
            open_regular(tmp_path / name, follow=follow)
        assert caught.value.errno == number
    assert set(os.listdir("/dev/fd")) <= opened


@pytest.mark.parametrize("has_links", [True, False])
def test_a_new_file_replaces_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_links: bool
) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise OSError(errno.EPERM, "no links here")

    if not has_links:
        monkeypatch.setattr(os, "link", refuse)
    place = tmp_path / "file"
    with draft_beside(place, io.BytesIO(b"whole"), is_new=True) as put:
        assert not place.exists()
        put()
    assert place.read_bytes() == b"whole"

    with draft_beside(place, io.BytesIO(b"another"), is_new=True) as put, pytest.raises(FileExistsError):
        put()
    assert place.read_bytes() == b"whole"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
