"""pip's lines in the user's own words; whatever stands in them besides stays as it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from pip_warden.display import escape_line
from pip_warden.installer.relay import Relay, RunPlaces

PRIVATE = Path("/tmp/pip-warden-of-the-session")  # noqa: S108 -- a name, not a file
WORK = Path("/tmp/pip-warden-abc")  # noqa: S108 -- a name, not a file


@pytest.fixture
def relay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Relay:
    monkeypatch.chdir(tmp_path)
    places = RunPlaces(
        private=PRIVATE,
        workspace=WORK,
        staging=WORK / "download",
        download=Path("files"),
        sources="the sources of pytrust.toml",
        files={WORK / "copy" / "a-1.whl": tmp_path / "dist" / "a-1.whl"},
        origins={"requirement.txt": ("", "-r req.txt (line 7)"), "constraint.txt": ("-c c.txt (line 1)",)},
    )
    return Relay(places, lambda _line: None)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"Collecting a (from -r {WORK}/requirement.txt (line 1))", "Collecting a"),
        (
            f"Collecting a (from -r {WORK}/requirement.txt (line 2))",
            "Collecting a (from -r req.txt (line 7))",
        ),
        (f"Collecting b (from a->-r {WORK}/requirement.txt (line 1))", "Collecting b (from a)"),
        (
            f"Collecting b (from a->-r {WORK}/requirement.txt (line 2))",
            "Collecting b (from a->-r req.txt (line 7))",
        ),
        (f"(constraint) -c {WORK}/constraint.txt (line 1)", "(constraint) -c c.txt (line 1)"),
        (f"see -r {WORK}/requirement.txt (line 99)", "see the command line"),
        ("http://index.pip-warden.invalid/simple/", "the sources of pytrust.toml"),
        ("http://index.pip-warden.invalid/simple/a/", "the page of a"),
        (
            "from http://index.pip-warden.invalid/files/a/a-1%2B2.whl#sha256=00ab (1 kB)",
            "from a-1+2.whl (1 kB)",
        ),
        ("http://index.pip-warden.invalid/files/a/%0Aa%1B.whl", "%0Aa%1B.whl"),
        (f"Saved {WORK}/download/a-1.whl", "Saved files/a-1.whl"),
        (f"Processing {WORK}/copy/a-1.whl", "Processing ./dist/a-1.whl"),
        (f"Processing file://{WORK}/copy/a-1.whl", "Processing ./dist/a-1.whl"),
        (f"{WORK}/child/tmp/pip-install-x/a/setup.py: 1", "…/pip-install-x/a/setup.py: 1"),
        (f"{WORK}x/requirement.txt", f"{WORK}x/requirement.txt"),
        (f"{WORK}/downloads", "…/downloads"),
        (f"{PRIVATE}/a-1.whl", "…/a-1.whl"),
        (f"{PRIVATE}s/a-1.whl", f"{PRIVATE}s/a-1.whl"),
        ("nothing of ours", "nothing of ours"),
        ("", ""),
    ],
)
def test_what_is_said_instead(relay: Relay, line: str, expected: str) -> None:
    assert relay.shown(line) == expected


@pytest.mark.parametrize(
    "line",
    [
        ":http://index.pip-warden.invalid/files/a/%3A:error::x",
        "#http://index.pip-warden.invalid/files/a/%23vso[task]",
        "http://index.pip-warden.invalid/files/a/%1b[2J",
        "http://index.pip-warden.invalid/files/a/%0A::error::x",
    ],
)
def test_nothing_is_put_together_that_drives_a_terminal_or_a_log(relay: Relay, line: str) -> None:
    shown = escape_line(relay.shown(line))
    assert shown.isprintable()
    assert not shown.startswith("::")
    assert "##vso[" not in shown


def test_what_would_be_saved_is_not_said_to_be(tmp_path: Path) -> None:
    heard: list[str] = []
    places = RunPlaces(
        private=PRIVATE,
        workspace=WORK,
        staging=WORK / "download",
        download=Path("files"),
        is_dry=True,
        sources="s",
    )
    Relay(places, heard.append).tell(f"Saved {WORK}/download/a-1.whl")
    assert heard == ["Would save files/a-1.whl"]
