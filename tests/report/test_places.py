"""A finding stands at the line of the user's own file that it is about, and always at some line."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import samples
from pip_warden.oci.names import parse_image
from pip_warden.report.model import Line, Outcome, Place, Report, Unpinned, image_line
from pip_warden.report.places import PlaceFinder, as_uri, asked_at, place_of
from pip_warden.verdict.model import Step

TRUST_FILE = """\
version = 1
# [[package]]
[source.acme]
type = "gitlab"

[[package]]  # ours
source = "acme"
name = "Acme_Widgets"   # as the index spells it

  [[package.identity]]
  name = "kit"

[[ package ]]
name = 'kit'

[[image]]
repository = "registry.example.com/acme/app"

[[package]]
name = "kit"
version = "2.0"
"""


@pytest.fixture
def trust_file(tmp_path: Path) -> Path:
    path = tmp_path / "pytrust.toml"
    path.write_text(TRUST_FILE)
    return path


def _of(path: Path, subject: str, source: str = "", places: tuple[tuple[str, Place], ...] = ()) -> int:
    line = Line(subject=subject, outcome=Outcome.REFUSED, source=source)
    report = Report(command="verify", exit_code=1, trust_file=str(path), places=places)
    found = place_of(report, line)
    assert found.path == (str(path) if not places else places[0][1].path)
    return found.line


def test_a_project_stands_where_it_was_asked_for_else_where_it_is_pinned(trust_file: Path) -> None:
    asked = (("kit", Place(path="requirements.txt", line=7)),)

    assert _of(trust_file, "kit-1.0-py3-none-any.whl", places=asked) == 7
    assert _of(trust_file, "kit 1.0") == 14
    assert _of(trust_file, "kit") == 14
    assert _of(trust_file, samples.WHEEL) == 8


def test_what_is_not_pinned_stands_at_its_source_or_at_the_first_line(trust_file: Path) -> None:
    assert _of(trust_file, "other-1.0.tar.gz", source="acme") == 3
    assert _of(trust_file, "other-1.0.tar.gz", source="pypi") == 1
    assert _of(trust_file, "") == 1


def test_a_setting_stands_where_it_is(trust_file: Path) -> None:
    line = Line(subject="pyproject.toml (line 12)", outcome=Outcome.REFUSED)

    found = place_of(Report(command="run", exit_code=1, trust_file=str(trust_file)), line)
    assert found == Place(path="pyproject.toml", line=12)


def test_a_name_without_a_pin_stands_where_that_does_which_wanted_it(trust_file: Path) -> None:
    wanted = [
        ("a", "you"),
        ("b", "kit-1.0.tar.gz"),
        ("c", f"to build {samples.WHEEL}"),
        ("d", "x-1.0.tar.gz"),
    ]
    report = Report(
        command="x",
        exit_code=1,
        trust_file=str(trust_file),
        unpinned=tuple(Unpinned(project=name, wanted_by=by) for name, by in wanted),
        places=(("kit", Place(path="requirements.txt", line=7)),),
    )
    finder = PlaceFinder(report)

    assert finder.of_project("b") == Place(path="requirements.txt", line=7)
    assert [finder.of_project(name).line for name in "acd"] == [1, 8, 1]


def test_an_image_stands_where_its_repository_is_pinned(trust_file: Path) -> None:
    image = parse_image("registry.example.com/acme/app:1.0")
    line = image_line(image, samples.refused(str(image), Step.PIN, "image-not-pinned"))

    assert PlaceFinder(Report(command="x", exit_code=1, trust_file=str(trust_file))).of(line).line == 17


@pytest.mark.parametrize("kind", ["nul", "missing", "directory", "not text", "one long line"])
def test_a_trust_file_that_cannot_be_read_has_a_first_line(kind: str, tmp_path: Path) -> None:
    path = tmp_path / kind
    match kind:
        case "directory":
            path.mkdir()
        case "not text":
            path.write_bytes(b"\xff\x00[[package]]\r\nname = \xfe")
        case "one long line":
            path.write_text("[" * 1_000_000 + " " * 1_000_000)
        case "nul":
            path = tmp_path / "a\0b"
        case _:
            assert kind == "missing"
    assert _of(path, "kit") == 1


def test_without_a_trust_file_the_place_is_where_one_would_be() -> None:
    line = Line(subject="kit", outcome=Outcome.REFUSED)

    assert place_of(Report(command="x", exit_code=1), line) == Place(path="pytrust.toml", line=1)


@pytest.mark.parametrize(
    ("origin", "place"),
    [
        ("-r requirements.txt (line 3)", Place(path="requirements.txt", line=3)),
        ("-c a (line 1) b.txt (line 20)", Place(path="a (line 1) b.txt", line=20)),
        ("uv.lock (line 12)", Place(path="uv.lock", line=12)),
        ("uv.lock (package 12)", None),
        ("-r requirements.txt (line 0)", None),
        ("", None),
    ],
)
def test_where_something_was_asked_for_is_read_from_words(origin: str, place: Place | None) -> None:
    assert asked_at(origin) == place


@given(st.text())
def test_any_text_is_a_trust_file(text: str) -> None:
    from pip_warden.report.places import _scan

    assert all(number >= 1 for _, _, number in _scan(text))


def test_places_are_told_relative_to_the_working_directory(
    trust_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(trust_file.parent)
    asked = Place(path=str(trust_file.parent / "below" / "uv.lock"), line=5)
    report = Report(command="run", exit_code=1, trust_file=str(trust_file), places=(("idna", asked),))
    finder = PlaceFinder(report)

    assert finder.of_project("idna") == Place(path="below/uv.lock", line=5)
    assert finder.of_project("kit") == Place(path="pytrust.toml", line=14)
    assert finder.of_run == Place(path="pytrust.toml", line=1)


def test_a_working_directory_that_is_gone_is_no_bug(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()

    assert PlaceFinder(Report(command="x", exit_code=2, trust_file="/a/b.toml")).of_run.path == "/a/b.toml"
    assert as_uri("a b.toml") == "a%20b.toml"


@pytest.mark.parametrize("has_repository", [True, False])
def test_a_uri_is_relative_to_the_repository(
    has_repository: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = tmp_path / "below"
    below.mkdir()
    if has_repository:
        (tmp_path / ".git").write_text("gitdir: elsewhere")
    monkeypatch.chdir(below)
    at = "below/" if has_repository else ""

    assert as_uri("requirements.txt") == f"{at}requirements.txt"
    assert as_uri("x/../a b#c?d%:é.txt") == f"{at}a%20b%23c%3Fd%25%3A%C3%A9.txt"
    assert as_uri(str(below / "a.txt")) == f"{at}a.txt"
    outside = "a.txt" if has_repository else f"file://{tmp_path}/a.txt"
    assert as_uri("../a.txt") == outside
    assert as_uri("/etc/a.txt") == "file:///etc/a.txt"
