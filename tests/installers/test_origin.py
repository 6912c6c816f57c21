"""What is recorded in the place of the run's copy, and what stays as it is."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pip_warden.installer.origin import record_own_file

RECORD = '"a, b.py",sha256=x,1\na-1.dist-info/direct_url.json,sha256=y,2\na-1.dist-info/RECORD,,\n'


@pytest.fixture
def info(tmp_path: Path) -> Path:
    directory = tmp_path / "a-1.dist-info"
    directory.mkdir()
    (directory / "RECORD").write_text(RECORD)
    return directory


def state(info: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in info.iterdir()}


def test_the_user_s_file_is_recorded(info: Path, tmp_path: Path) -> None:
    copy, own = tmp_path / "copy.whl", tmp_path / "ö n.whl"
    elsewhere = tmp_path / "elsewhere.json"
    elsewhere.write_text(json.dumps({"url": copy.as_uri(), "archive_info": {}, "subdirectory": "x"}))
    (info / "direct_url.json").hardlink_to(elsewhere)
    before = elsewhere.read_bytes()

    record_own_file(info, {copy.resolve(): own})

    content = (info / "direct_url.json").read_bytes()
    assert json.loads(content) == {"url": own.as_uri(), "archive_info": {}, "subdirectory": "x"}
    rows = (info / "RECORD").read_text().splitlines()
    assert rows[::2] == RECORD.splitlines()[::2]
    assert rows[1].startswith("a-1.dist-info/direct_url.json,sha256=")
    assert rows[1].endswith(f",{len(content)}")
    assert elsewhere.read_bytes() == before
    assert sorted(state(info)) == ["RECORD", "direct_url.json"]


@pytest.mark.parametrize("url", ["file:///other.whl", "https://example.org/a.whl", ""])
def test_anything_else_stays(info: Path, tmp_path: Path, url: str) -> None:
    (info / "direct_url.json").write_text(json.dumps({"url": url, "archive_info": {}}))
    before = state(info)

    record_own_file(info, {tmp_path / "copy.whl": tmp_path / "own.whl"})

    assert state(info) == before


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60) | st.sampled_from([b"[]", b'{"url": 1}', b'{"url": "file:///\\u0000"}']))
def test_whatever_is_there(info: Path, content: bytes) -> None:
    (info / "direct_url.json").write_bytes(content)
    before = state(info)
    with suppress(OSError, ValueError, LookupError, TypeError):
        record_own_file(info, {Path("/copy.whl"): Path("/own.whl")})

    assert state(info) == before
