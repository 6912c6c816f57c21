"""A file that cannot be read leads elsewhere as far as anybody knows; one that is not there does not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pip_warden.tools import documents
from pip_warden.tools.documents import Document, read_toml
from pip_warden.tools.model import Elsewhere


def said(path: Path) -> str:
    found = read_toml(path)
    assert isinstance(found, Elsewhere)
    assert found.adds_source
    return found.what


def test_no_file_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert read_toml(tmp_path / "pyproject.toml") is None
    assert read_toml(tmp_path / "file" / "pyproject.toml") is None


def test_what_is_no_file_is_told(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert said(tmp_path / "pipe") == "it cannot be read: no regular file"
    assert said(tmp_path) == "it cannot be read: Is a directory"
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert said(tmp_path / "loop").startswith("it cannot be read: Too many levels")
    assert said(tmp_path / "a\0b") == "it cannot be read: a name that no file can have"


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"\xff", "bytes that are not UTF-8"),
        (b"a = [" * 50000, "no TOML"),
        (b"a = 1\na = 2", "no TOML: Cannot overwrite a value"),
        (b"a = " + b"9" * 5000, "no TOML"),
    ],
)
def test_odd_content_is_told(tmp_path: Path, raw: bytes, why: str) -> None:
    (tmp_path / "x.toml").write_bytes(raw)
    assert said(tmp_path / "x.toml").startswith(f"it cannot be read: {why}")


def test_a_file_that_is_too_large_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "LARGEST_FILE", 3)
    (tmp_path / "x.toml").write_bytes(b"a=1")
    assert isinstance(read_toml(tmp_path / "x.toml"), Document)
    (tmp_path / "x.toml").write_bytes(b"a=12")
    assert said(tmp_path / "x.toml") == "it cannot be read: more than 3 bytes"


def test_the_line_is_the_first_that_is_no_comment(tmp_path: Path) -> None:
    (tmp_path / "x.toml").write_text("\ufeff# here\na = 'here'\n# x\nb = 'here'\n", encoding="utf-8")
    document = read_toml(tmp_path / "x.toml")
    assert isinstance(document, Document)
    assert document.where("nowhere", "here") == f"{tmp_path}/x.toml (line 2)"
    assert document.where("", "nowhere") == f"{tmp_path}/x.toml"
