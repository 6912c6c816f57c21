"""What is installed where, and that neither strange directories nor strange files end in a traceback."""

from __future__ import annotations

import os
import shutil
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import archives
from pip_warden.artifact.record import Row
from pip_warden.environments.layout import layout_of, sites_of
from pip_warden.environments.record import read_installed_record, recorded_keys
from pip_warden.environments.scan import snapshot
from pip_warden.faults import Fault

SITE = "lib/python3.11/site-packages"


def planted(site: Path, content: bytes | None = None) -> Path:
    """Unpack a wheel into a directory of packages."""
    with zipfile.ZipFile(BytesIO(archives.wheel() if content is None else content)) as wheel:
        wheel.extractall(site)
    return site


@pytest.mark.parametrize(
    ("site", "prefix", "scripts"),
    [
        ("/e/lib/python3.11/site-packages", "/e", "/e/bin"),
        ("/e/lib/python3.14t/site-packages", "/e", "/e/bin"),
        ("/e/lib64/python3.11/site-packages", "/e", "/e/bin"),
        ("/e/lib/pypy3.10/site-packages", "/e", "/e/bin"),
        ("/usr/lib/python3/dist-packages", "/usr", "/usr/bin"),
        ("/usr/local/lib/python3.11/dist-packages", "/usr/local", "/usr/local/bin"),
        ("/e/Lib/site-packages", "/e", "/e/Scripts"),
        ("/p/__pypackages__/3.11/lib", "/p/__pypackages__/3.11", "/p/__pypackages__/3.11/bin"),
        ("/target", "/target", "/target/bin"),
        ("/site-packages", "/site-packages", "/site-packages/bin"),
    ],
)
def test_what_belongs_to_a_directory_of_packages(site: str, prefix: str, scripts: str) -> None:
    layout = layout_of(Path(site))

    assert (layout.prefix, layout.scripts) == (Path(prefix), Path(scripts))


@pytest.mark.parametrize(
    ("site", "place"),
    [
        (f".venv/{SITE}", ".venv"),
        (f".venv/{SITE}", f".venv/{SITE}"),
        (f".tox/py311/{SITE}", ".tox"),
        (f"env/virtual/project/hash/name/{SITE}", "env/virtual"),
        (f"env/virtual/project/hash/name/{SITE}", "env"),
        ("usr/lib/python3/dist-packages", "usr"),
        ("usr/local/lib/python3.11/dist-packages", "usr"),
        ("win/Lib/site-packages", "win"),
        ("__pypackages__/3.11/lib", "__pypackages__"),
        ("p/__pypackages__/3.11/lib", "p"),
        ("target", "target"),
    ],
)
def test_where_packages_are_found(tmp_path: Path, site: str, place: str) -> None:
    planted(tmp_path / site)

    assert sites_of(tmp_path / place) == (tmp_path / site,)
    assert [each.name for each in snapshot([tmp_path / place]).distributions] == ["acme-widgets"]


def test_places_without_packages(tmp_path: Path) -> None:
    planted(tmp_path / "there" / SITE)
    planted(tmp_path / "deep/1/2/3/4/5" / SITE)
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / "env").symlink_to(tmp_path / "there")
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "loop").symlink_to("loop")

    for name in ("deep", "link", "file", "loop", "none", "n" * 300, "nul\0"):
        assert sites_of(tmp_path / name) == ()
        assert snapshot([tmp_path / name]).sites == ()


def test_a_directory_is_read_once_by_whatever_name(tmp_path: Path) -> None:
    planted(tmp_path / "env" / SITE)
    (tmp_path / "env" / "lib64").symlink_to("lib")
    (tmp_path / "same").symlink_to("env")

    found = snapshot([tmp_path / "env", tmp_path / "env" / SITE, tmp_path, tmp_path / "same"])

    assert found.sites == (tmp_path / "env" / SITE,)
    assert len(found.distributions) == 1


def test_a_link_to_packages_elsewhere_is_seen_and_not_followed(tmp_path: Path) -> None:
    planted(tmp_path / "elsewhere")
    site = tmp_path / "env" / SITE
    site.parent.mkdir(parents=True)
    site.symlink_to(tmp_path / "elsewhere")

    found = snapshot([tmp_path / "env"])

    assert found.distributions == ()
    assert [path for path, _ in found.unowned] == [site]


@pytest.mark.parametrize("name", ["RECORD", "METADATA", "direct_url.json"])
def test_the_state_of_a_distribution_is_that_of_three_files(tmp_path: Path, name: str) -> None:
    site = planted(tmp_path / SITE)
    (site / archives.INFO / "direct_url.json").write_bytes(b"{}")
    first = snapshot([tmp_path])
    (site / "acme/__init__.py").write_bytes(b"changed")
    second = snapshot([tmp_path])
    with (site / archives.INFO / name).open("ab") as stream:
        stream.write(b"\n\n")
    third = snapshot([tmp_path])
    (site / archives.INFO / name).unlink()
    (site / archives.INFO / name).mkdir()
    fourth = snapshot([tmp_path])

    assert first == second
    states = [each.state for found in (second, third, fourth) for each in found.distributions]
    assert len(set(states)) == 3


@pytest.mark.parametrize(
    ("metadata", "folder", "named"),
    [
        (b"Name: A.b\nVersion: 1\n", "x-2.dist-info", ("A.b", "1")),
        (b"name:a\r\nVERSION:  1 \r\n", "x-2.dist-info", ("a", "1")),
        (b"\n\nName: a\nVersion: 1\n", "x-2.dist-info", ("x", "2")),
        (b"", "x.dist-info", ("x", "")),
        (b"Name: \xff\nVersion: 1\n", "x-2.dist-info", ("\ufffd", "1")),
    ],
)
def test_the_name_of_a_distribution(
    tmp_path: Path, metadata: bytes, folder: str, named: tuple[str, str]
) -> None:
    place = tmp_path / SITE / folder
    place.mkdir(parents=True)
    (place / "METADATA").write_bytes(metadata)

    (found,) = snapshot([tmp_path]).distributions

    assert (found.name, found.version) == named


def test_what_no_record_names(tmp_path: Path) -> None:
    site = planted(tmp_path / SITE)
    (tmp_path / "bin").mkdir()
    made = ["evil.py", "x.pth", "sitecustomize.py", "egg.egg-link", "evil/a/b.py", "../../../bin/evil"]
    made += ["left/__pycache__/a.cpython-311.pyc", "acme/more.py", "__pycache__/x.cpython-311.pyc"]
    for name in made:
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_bytes(b"1")
    (site / "empty").mkdir()
    (site / "link.py").symlink_to("nowhere")
    os.mkfifo(site / "pipe")

    found = snapshot([tmp_path])

    assert [path.name for path, _ in found.unowned] == [
        *(
            "evil",
            "more.py",
            "egg.egg-link",
            "evil",
            "evil.py",
            "link.py",
            "pipe",
            "sitecustomize.py",
            "x.pth",
        )
    ]
    for name in ("evil.py", "evil/a/b.py", "../../../bin/evil"):
        (site / name).write_bytes(b"22")
        again = snapshot([tmp_path])
        assert len(set(again.unowned) - set(found.unowned)) == 1
        found = again
    shutil.rmtree(site / archives.INFO)
    assert site / "acme" in dict(snapshot([tmp_path]).unowned)


LAYOUT = layout_of(Path("/e") / SITE)
FLAT = layout_of(Path("/target"))


@given(st.binary() | st.lists(st.lists(st.text())).map(lambda rows: "\n".join(map(",".join, rows)).encode()))
def test_any_record_is_read_or_a_fault(raw: bytes) -> None:
    for layout in (LAYOUT, FLAT):
        found = read_installed_record(raw, layout)
        if isinstance(found, Fault):
            assert found.code == "not-through-gate"
        else:
            assert recorded_keys(raw, layout) == set(found)
            assert all(layout.prefix in layout.path(key).parents for key in found)


@given(st.lists(st.sampled_from(["..", ".", "a", "/", "", "lib", "..."]), max_size=12).map("/".join))
def test_a_key_is_in_the_environment_and_has_no_detours(recorded: str) -> None:
    for layout in (LAYOUT, FLAT):
        key = layout.key(recorded)
        if key is not None:
            assert layout.prefix in layout.path(key).parents
            assert layout.key_of(layout.path(key)) == layout.key(key) == key


def test_a_record_is_read() -> None:
    raw = (archives.record_line('a",".py', b"x").replace('a",".py', '"a"",""b.py"') + "./c.py,,\r\n").encode()

    found = read_installed_record(raw, LAYOUT)

    assert not isinstance(found, Fault)
    assert list(found) == ['a","b.py', "c.py"]
    assert isinstance(found['a","b.py'], Row)
    assert found["c.py"] is None
    assert read_installed_record(b"../../bin/a,,\n", FLAT) == {"bin/a": None}
