"""What is written into the files of distributions that are there already, and files that several have."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

import archives
from environments.made import INSTALLERS, archive, site_of, venv
from environments.test_scan import SITE, planted
from pip_warden.environments.compare import compare
from pip_warden.environments.model import AcceptedArchive, Likeness
from pip_warden.environments.scan import snapshot

INFO = "acme_gadgets-1.0.dist-info"
SHARED = "tests/__init__.py"


def gadgets(directory: Path, text: str = "2\n") -> AcceptedArchive:
    """Write a wheel of another distribution that has one file in the same place."""
    content = archives.wheel(
        {
            "acme/__init__.py": None,
            SHARED: text,
            f"{archives.INFO}/METADATA": None,
            f"{archives.INFO}/WHEEL": None,
            f"{INFO}/METADATA": archives.METADATA.replace("widgets", "gadgets"),
            f"{INFO}/WHEEL": archives.WHEEL,
        },
        info=INFO,
    )
    return archive(directory, content, "acme_gadgets-1.0-py3-none-any.whl")


def widgets(directory: Path) -> AcceptedArchive:
    return archive(directory, archives.wheel({SHARED: "1\n"}))


def _rewrite(path: Path) -> None:
    """Write other bytes of the same number, and give the file its old times."""
    found = path.stat()
    path.write_bytes(b"#" * found.st_size)
    os.utime(path, ns=(found.st_atime_ns, found.st_mtime_ns))


def _link(path: Path) -> None:
    path.rename(path.parents[5] / "elsewhere")
    path.symlink_to(path.parents[5] / "elsewhere")


@pytest.mark.parametrize("change", [_rewrite, _link])
def test_what_was_written_into_a_distribution_that_says_nothing_of_it(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    site = planted(tmp_path / SITE)
    before = snapshot([tmp_path])
    change(site / "acme" / "__init__.py")

    (found,) = compare(before, snapshot([tmp_path]), [], [])

    assert (found.subject, found.likeness) == ("acme-widgets 1.0", Likeness.OTHER)
    assert found.fault is not None
    assert found.fault.code == "not-through-gate"
    assert "acme/__init__.py" in found.fault.found


def test_a_file_without_a_hash_that_was_written(tmp_path: Path) -> None:
    site = planted(tmp_path / SITE)
    (site / "acme" / "own.py").write_bytes(b"1")
    record = site / archives.INFO / "RECORD"
    record.write_bytes(record.read_bytes() + b"acme/own.py,,\n")
    before = snapshot([tmp_path])
    (site / "acme" / "own.py").write_bytes(b"2")

    (found,) = compare(before, snapshot([tmp_path]), [], [])

    assert found.fault is not None
    assert "acme/own.py written" in found.fault.found


def test_the_same_bytes_written_again_are_no_finding(tmp_path: Path) -> None:
    site = planted(tmp_path / SITE)
    (site / archives.INFO / "WHEEL").write_bytes(b"changed by the user, earlier")
    before = snapshot([tmp_path])
    (site / "acme" / "__init__.py").write_bytes((site / "acme" / "__init__.py").read_bytes())
    (site / archives.INFO / "RECORD").touch()
    (site / "acme" / "__pycache__").mkdir()
    for name in ("__init__.cpython-311.pyc", "__init__.f-1.py311.nbi"):
        (site / "acme" / "__pycache__" / name).write_bytes(b"")

    assert compare(before, snapshot([tmp_path]), [], []) == ()


@pytest.mark.parametrize(
    "name", ["acme/evil.py", "acme/__pycache__/evil.py", f"{archives.INFO}/entry_points.txt"]
)
def test_a_file_added_to_a_distribution_that_says_nothing_of_it(tmp_path: Path, name: str) -> None:
    site = planted(tmp_path / SITE)
    before = snapshot([tmp_path])
    (site / name).parent.mkdir(exist_ok=True)
    (site / name).write_bytes(b"")

    (found,) = compare(before, snapshot([tmp_path]), [], [])

    assert (found.subject, found.likeness) == (str(site / name), Likeness.OTHER)


def test_what_a_package_left_among_its_files_earlier_is_no_finding(tmp_path: Path) -> None:
    site = planted(tmp_path / "env" / SITE)
    (site / "acme" / "lextab.py").write_bytes(b"")
    before = snapshot([tmp_path / "env"])
    accepted = archive(tmp_path / "dist", archives.wheel({"acme/more.py": ""}))
    planted(site, accepted.path.read_bytes())

    (found,) = compare(before, snapshot([tmp_path / "env"]), [accepted], [])

    assert found.likeness is Likeness.SAME


@pytest.mark.parametrize("by", sorted(INSTALLERS))
def test_of_a_file_that_two_bring_the_last_one_stays(tmp_path: Path, by: str) -> None:
    place = venv(tmp_path / "env")
    empty = snapshot([place])
    first, second = widgets(tmp_path / "dist"), gadgets(tmp_path / "dist")
    INSTALLERS[by](place, first.path)
    between = snapshot([place])
    if by == "installer":  # it writes nothing over another's file
        (site_of(place) / SHARED).unlink()
    INSTALLERS[by](place, second.path)
    after = snapshot([place])

    for before in (empty, between):
        found = compare(before, after, [first, second], [])
        assert [(each.likeness, each.archive) for each in found] == [
            (Likeness.SAME, second),
            (Likeness.SAME, first),
        ]
    for accepted, said in (([first], "acme-gadgets 1.0"), ([second], "acme-widgets 1.0")):
        found = compare(empty, after, accepted, [])
        assert said in [each.subject for each in found if each.likeness is Likeness.OTHER]
    (site_of(place) / SHARED).write_bytes(b"3\n")
    found = compare(empty, snapshot([place]), [first, second], [])
    assert [each.likeness for each in found] == [Likeness.OTHER] * 2


def test_a_script_that_pipx_edited_after_the_same_release_was_installed_anew(tmp_path: Path) -> None:
    place, accepted = venv(tmp_path / "env"), archive(tmp_path / "dist")
    INSTALLERS["pip"](place, accepted.path)
    before = snapshot([place])
    script = place / "bin" / "acme"
    script.write_bytes(script.read_bytes().replace(b"\n", b" -E\n", 1))

    (found,) = compare(before, snapshot([place]), [accepted], [])
    assert (found.likeness, found.archive) == (Likeness.SAME, accepted)
    (found,) = compare(before, snapshot([place]), [], [])
    assert found.likeness is Likeness.OTHER
