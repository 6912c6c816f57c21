"""Every kind of change to what real installers made is found, and nothing is found in what they made."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import archives
from environments.made import FILES, INFO, INSTALLERS, archive, site_of, venv
from pip_warden.environments.compare import compare
from pip_warden.environments.model import AcceptedArchive, Comparison, Likeness, Snapshot
from pip_warden.environments.scan import snapshot


@dataclass(frozen=True)
class Made:
    """An environment that an installer made, and the wheel that it had."""

    place: Path
    spare: Path
    accepted: AcceptedArchive
    empty: Snapshot

    @property
    def site(self) -> Path:
        return site_of(self.place)

    def compared(self) -> tuple[Comparison, ...]:
        return compare(self.empty, snapshot([self.place]), [self.accepted], [])


@pytest.fixture(scope="module", params=sorted(INSTALLERS))
def installed(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Made:
    root = tmp_path_factory.mktemp(f"made by {request.param}" if request.param == "uv" else "made")
    place = venv(root / "env")
    empty = snapshot([place])
    accepted = archive(root / "dist")
    INSTALLERS[request.param](place, accepted.path)
    shutil.copytree(place, root / "spare", symlinks=True)
    return Made(place, root / "spare", accepted, empty)


@pytest.fixture
def made(installed: Made) -> Iterator[Made]:
    yield installed
    shutil.rmtree(installed.place)
    shutil.copytree(installed.spare, installed.place, symlinks=True)


def test_nothing_is_found_in_what_an_installer_made(made: Made) -> None:
    assert made.compared() == (Comparison(subject="acme-widgets 1.0", likeness=Likeness.SAME),)


def edit(name: str, old: bytes, new: bytes) -> Callable[[Path], None]:
    def change(site: Path) -> None:
        path = site / name
        content = path.read_bytes()
        assert old in content
        path.write_bytes(content.replace(old, new))

    return change


def add(name: str, content: bytes = b"") -> Callable[[Path], None]:
    def change(site: Path) -> None:
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_bytes(content)

    return change


def both(*changes: Callable[[Path], None]) -> Callable[[Path], None]:
    def change(site: Path) -> None:
        for each in changes:
            each(site)

    return change


def _without_row(name: str) -> Callable[[Path], None]:
    def change(site: Path) -> None:
        record = site / INFO / "RECORD"
        lines = record.read_bytes().splitlines(keepends=True)
        kept = [line for line in lines if name.encode() not in line]
        assert len(kept) < len(lines)
        record.write_bytes(b"".join(kept))

    return change


def _row(line: bytes) -> Callable[[Path], None]:
    return lambda site: _append(site / INFO / "RECORD", line)


def _reworded(start: str, new: str) -> Callable[[Path], None]:
    """Replace a line of RECORD."""

    def change(site: Path) -> None:
        record = site / INFO / "RECORD"
        lines = record.read_text().splitlines()
        assert any(line.startswith(start) for line in lines)
        record.write_text("".join(f"{new if line.startswith(start) else line}\n" for line in lines))

    return change


def _append(path: Path, line: bytes) -> None:
    with path.open("ab") as stream:
        stream.write(line)


def _recorded(name: str, content: bytes) -> Callable[[Path], None]:
    """Add a file, and to RECORD its line."""
    return both(add(name, content), _row(archives.record_line(name, content).encode()))


def linked(name: str) -> Callable[[Path], None]:
    """Move a file or directory away, and leave a link to it."""

    def change(site: Path) -> None:
        there = site.parents[2] / "elsewhere"
        (site / name).rename(there)
        (site / name).symlink_to(there)

    return change


def _fifo(name: str) -> Callable[[Path], None]:
    def change(site: Path) -> None:
        (site / name).unlink()
        os.mkfifo(site / name)

    return change


BIN = "../../../bin"
CHANGES: dict[str, tuple[Callable[[Path], object], str]] = {
    "a byte": (edit("acme/cli.py", b"pass", b"Pass"), "acme/cli.py with other bytes"),
    "a line ending": (edit("acme/data.txt", b"\r\n", b"\n"), "acme/data.txt with other bytes"),
    "a byte, and RECORD with it": (
        both(
            edit("acme_one.py", b"ONE", b"TWO"),
            _without_row("acme_one.py,"),
            _row(archives.record_line("acme_one.py", b"TWO = 1\n").encode()),
        ),
        "acme_one.py with other bytes",
    ),
    "a file removed": (
        lambda site: (site / "acme/cli.py").unlink(),
        "acme/cli.py: no such file or directory",
    ),
    "a file removed, and RECORD with it": (
        both(lambda site: (site / "acme/cli.py").unlink(), _without_row("acme/cli.py")),
        "acme/cli.py not there",
    ),
    "a file added": (add("acme/evil.py"), "acme/evil.py"),
    "a file added, and RECORD with it": (_recorded("acme/evil.py", b"1\n"), "acme/evil.py"),
    "a module added, and RECORD with it": (_recorded("evil.py", b"1\n"), "evil.py"),
    "a .pth added, and RECORD with it": (_recorded("evil.pth", b"import os\n"), "evil.pth"),
    "a file in its .dist-info": (add(f"{INFO}/top_level.txt"), f"{INFO}/top_level.txt"),
    "an extension next to a module": (
        add("acme/cli.cpython-311-x86_64-linux-gnu.so"),
        "acme/cli.cpython-311",
    ),
    "byte code without a source": (add("acme/evil.pyc"), "acme/evil.pyc"),
    "byte code of no source, recorded": (
        both(
            add("acme/__pycache__/evil.cpython-311.pyc"), _row(b"acme/__pycache__/evil.cpython-311.pyc,,\n")
        ),
        "acme/__pycache__/evil.cpython-311.pyc",
    ),
    "a source among the byte code": (add("acme/__pycache__/evil.py"), "acme/__pycache__/evil.py"),
    "a hash in RECORD": (
        _reworded("acme_one.py,", archives.record_line("acme_one.py", b"TWO = 1\n").strip()),
        "another one of acme_one.py",
    ),
    "a size in RECORD": (
        _reworded("acme_one.py,", archives.record_line("acme_one.py", b"ONE = 1\n").replace(",8\n", ",9")),
        "another one of acme_one.py",
    ),
    "no hash in RECORD": (_reworded("acme_one.py,", "acme_one.py,,"), "none of acme_one.py"),
    "a hash of another kind in RECORD": (
        _reworded("acme_one.py,", "acme_one.py,md5=CY9rzUYh03PK3k6DJie09g,8"),
        "without a SHA-256",
    ),
    "a line less in RECORD": (_without_row("acme_one.py,"), "acme_one.py not there"),
    "a script less in RECORD": (_without_row("/bin/acme,"), "bin/acme not there"),
    "a header less in RECORD": (_without_row("acme.h"), "acme.h not there"),
    "a line twice in RECORD": (_row(b"acme/../acme_one.py,,\n"), "twice"),
    "a line of a file elsewhere": (_row(b"../../../../x,,\n"), "outside of the environment"),
    "a line of an absolute path": (_row(b"/etc/passwd,,\n"), "outside of the environment"),
    "no RECORD": (lambda site: (site / INFO / "RECORD").unlink(), "no such file or directory"),
    "an empty RECORD": (lambda site: (site / INFO / "RECORD").write_bytes(b""), "not there"),
    "NUL in RECORD": (_row(b"a\0b,,\n"), ""),
    "a quote in RECORD": (_row(b'"a,,\n'), ""),
    "bytes that are not UTF-8 in RECORD": (_row(b"\xff,,\n"), ""),
    "METADATA": (
        lambda site: _append(site / INFO / "METADATA", b"Requires-Dist: evil\n"),
        "METADATA: more than 54 bytes",
    ),
    "entry points": (
        edit(f"{INFO}/entry_points.txt", b"acme.cli:main", b"acme.cli:evil"),
        "entry_points.txt with other bytes",
    ),
    "what a script runs": (edit(f"{BIN}/acme", b"main", b"evil"), "bin/acme with other text"),
    "more in a script": (
        lambda site: _append(site / BIN / "acme-x", b"import evil\n"),
        "acme-x with other text",
    ),
    "the interpreter of a script": (
        edit(f"{BIN}/acme", b"/bin/python", b"/evil/python"),
        "another beginning",
    ),
    "an argument of the interpreter": (
        edit(f"{BIN}/acme-py", b"/bin/python", b"/bin/python -i"),
        "another beginning",
    ),
    "a script's text": (edit(f"{BIN}/acme-py", b"print", b"exec"), "bin/acme-py with other bytes"),
    "a script that is no Python": (edit(f"{BIN}/acme-sh", b"hi", b"ho"), "bin/acme-sh with other bytes"),
    "data": (add("../../../share/acme/x.txt", b"y"), "share/acme/x.txt with other bytes"),
    "a link for a file": (linked("acme/cli.py"), "acme/cli.py: a link"),
    "a link for a directory": (linked("acme"), "behind a link"),
    "a link for .dist-info": (linked(INFO), "which no distribution has"),
    "a link to a directory among its files": (lambda site: (site / "acme/x").symlink_to("/"), "acme/x"),
    "a link for byte code": (
        both(
            lambda site: shutil.rmtree(site / "acme/__pycache__", ignore_errors=True),
            lambda site: (site / "acme/__pycache__").symlink_to("/"),
            _row(b"acme/__pycache__,,\n"),
        ),
        "acme/__pycache__",
    ),
    "a pipe for a file": (_fifo("acme/cli.py"), "acme/cli.py: no regular file"),
    "a name that is not UTF-8": (
        lambda site: Path(os.fsdecode(os.fsencode(site / "acme") + b"/\xff.py")).write_bytes(b""),
        "acme/\udcff.py",
    ),
    "another spelling of .dist-info": (
        lambda site: (site / INFO).rename(site / "acme-widgets-1.0.dist-info"),
        "acme-widgets-1.0.dist-info",
    ),
    "another version of .dist-info": (
        lambda site: (site / INFO).rename(site / "acme_widgets-2.dist-info"),
        "2.dist",
    ),
    "another version in METADATA": (
        edit(f"{INFO}/METADATA", b"Version: 1.0", b"Version: 1.1"),
        "acme-widgets 1.1, which did not",
    ),
    "a module that no RECORD names": (add("evil.py"), "evil.py, which no distribution has"),
    "a .pth that no RECORD names": (add("x.pth", b"import os\n"), "x.pth, which no distribution has"),
    "a package that no RECORD names": (add("evil/__init__.py"), "evil, which no distribution has"),
    "an egg": (add("evil.egg-info/PKG-INFO"), "evil.egg-info, which no distribution has"),
    "a script that no RECORD names": (add(f"{BIN}/evil"), "bin/evil, which no distribution has"),
    "a distribution of its own": (
        add("evil-1.dist-info/METADATA", b"Name: evil\nVersion: 1\n"),
        "evil 1, which did not",
    ),
    "a .dist-info without METADATA": (
        add("evil-1.dist-info/RECORD"),
        "evil-1.dist-info, which no distribution has",
    ),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_a_change_is_found(made: Made, kind: str) -> None:
    change, said = CHANGES[kind]
    change(made.site)

    found = [each for each in made.compared() if each.likeness is Likeness.OTHER]

    assert [each.fault.code for each in found if each.fault] == ["not-through-gate"] * len(found)
    assert any(said in each.fault.found for each in found if each.fault), found


def test_byte_code_may_be_gone_and_come_back(made: Made) -> None:
    shutil.rmtree(made.site / "acme" / "__pycache__", ignore_errors=True)
    add("acme/__pycache__/cli.cpython-312.opt-1.pyc")(made.site)

    assert [each.likeness for each in made.compared()] == [Likeness.SAME]


def test_the_archive_is_read_only_if_it_is_what_was_judged(made: Made, tmp_path: Path) -> None:
    other = archive(tmp_path, archives.wheel(FILES | {"acme/more.py": "1\n"}))
    forged = AcceptedArchive(name=made.accepted.name, digest=made.accepted.digest, path=other.path)

    for each, said in ((other, "acme/more.py not there"), (forged, "another content")):
        (found,) = compare(made.empty, snapshot([made.place]), [each], [])
        assert found.likeness is Likeness.OTHER
        assert found.fault is not None
        assert said in found.fault.found
    (found,) = compare(made.empty, snapshot([made.place]), [other, made.accepted], [])
    assert found.likeness is Likeness.SAME


def test_another_spelling_of_its_directory_is_said_as_such(made: Made) -> None:
    (made.site / INFO).rename(made.site / "acme-widgets-1.0.dist-info")

    said = [each.fault.expected for each in made.compared() if each.fault]

    assert any(f"the directory {INFO}" in each for each in said)
