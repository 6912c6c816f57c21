"""A file that cannot be read leads elsewhere as far as anybody knows; one that is not there does not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pip_warden.tools import documents
from pip_warden.tools.around import Pinned
from pip_warden.tools.documents import Document, read_toml, script_metadata
from pip_warden.tools.model import Elsewhere
from pip_warden.tools.references import Bounds
from pip_warden.tools.results import MOST_FINDINGS, tool_of_findings
from pip_warden.tools.settings import MOST_FILES, RequirementsFiles, of_project


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


def test_a_requirements_file_that_can_be_read_once_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    files = RequirementsFiles(bounds=Bounds(root=tmp_path, pinned=Pinned.of(())))
    (found,) = files.read("pipe", tmp_path, "here")
    assert isinstance(found, Elsewhere)
    assert found.adds_source
    assert "no regular file" in found.what


def test_many_findings_are_told_in_part(tmp_path: Path) -> None:
    many = (Elsewhere(what=f"{number}", where="here", adds_source=True) for number in range(10**9))
    tool = tool_of_findings(name="x", environment={}, environments=(), found=many)
    assert len(tool.elsewhere) == MOST_FINDINGS


def test_projects_that_name_one_another_are_read_once_and_not_without_end(tmp_path: Path) -> None:
    for number in range(MOST_FILES + 1):
        (tmp_path / str(number)).mkdir()
        names = f"'n @ file:../{number + 1}', 'n @ file:../{number}'"
        (tmp_path / str(number) / "pyproject.toml").write_text(f"[project]\ndependencies = [{names}]")
    found = list(of_project([tmp_path / "0"], Bounds(root=tmp_path, pinned=Pinned.of(()))))
    assert isinstance(found[-1], Elsewhere)
    assert found[-1].what == f"more than {MOST_FILES} projects that name one another"


BLOCK = '# /// script\n# dependencies = ["x @ file:///x"]\n# ///\n'


@pytest.mark.parametrize(
    "text",
    [
        BLOCK,
        f"x = 1\r{BLOCK}",
        BLOCK.replace("\n", "\r\n"),
        # What Python holds for ends of lines would begin and end a text, in which the dependencies are.
        BLOCK.replace("# dep", "# y = 1 # \u2028 y = '''\n# dep").replace(
            "# ///\n", "# z = 1 # \u2028'''\n# ///\n"
        ),
    ],
    ids=["plain", "after a carriage return", "of Windows", "among other ends of lines"],
)
def test_metadata_of_a_script_is_found_as_tools_find_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "job.py").write_text(text, encoding="utf-8", newline="")
    (found,) = script_metadata(tmp_path / "job.py")
    assert isinstance(found, Document)
    assert found.table["dependencies"] == ["x @ file:///x"]


def test_a_script_that_is_not_read_leads_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "job.py").write_text(BLOCK + "#" * documents.LARGEST_FILE)
    os.mkfifo(tmp_path / "pipe")
    for name, why in (("job.py", f"more than {documents.LARGEST_FILE} bytes"), ("pipe", "no regular file")):
        (found,) = script_metadata(tmp_path / name)
        assert isinstance(found, Elsewhere)
        assert (found.what, found.adds_source) == (f"it cannot be read: {why}", True)


def test_a_program_need_not_be_text(tmp_path: Path) -> None:
    (tmp_path / "latin.py").write_bytes(b"# \xe9\n")
    (tmp_path / "program").write_bytes(b"\x7fELF" + b"\xff" * documents.LARGEST_FILE)
    assert not [*script_metadata(tmp_path / "latin.py"), *script_metadata(tmp_path / "program")]
    assert not list(script_metadata(tmp_path))


def test_a_setup_script_that_is_given_as_a_requirements_file_is_a_project(tmp_path: Path) -> None:
    """To learn its requirements uv builds it."""
    (tmp_path / "project").mkdir()
    for place in (tmp_path, tmp_path / "project"):
        (place / "setup.py").write_text("import setuptools; setuptools.setup()")
    bounds = Bounds(root=tmp_path / "project", pinned=Pinned.of(()))
    files = RequirementsFiles(bounds=bounds, reader=lambda _document, _bounds: iter(()))
    assert list(files.read("project/setup.py", tmp_path, "here")) == [tmp_path / "project"]
    (found,) = files.read("setup.py", tmp_path, "here")
    assert isinstance(found, Elsewhere)
    assert (found.what, found.where) == (f"project {tmp_path}", "here")


@pytest.mark.parametrize(
    "line",
    [
        "-e/x",
        "-e=/x",
        "-e\t/x",
        "--editable=/x",
        "--edit /x",
        "-e '/x'",
        '-e "/x"',
        "-e '/'x",
        "--req /x",
        "-e link",
    ],
)
def test_a_project_of_a_requirements_file_is_found_however_it_is_spelled(tmp_path: Path, line: str) -> None:
    (tmp_path / "r.txt").write_text(f"{line}\n-e ./own\n-e own\n")
    (tmp_path / "link").symlink_to("/x")
    files = RequirementsFiles(bounds=Bounds(root=tmp_path, pinned=Pinned.of(())))
    found = [item for item in files.read("r.txt", tmp_path, "here") if isinstance(item, Elsewhere)]
    assert [(item.where, item.adds_source) for item in found] == [(f"{tmp_path}/r.txt (line 1)", True)]
