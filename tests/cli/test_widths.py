"""Everything that we print fits the terminal, be it 60 columns wide or 200; what is piped is not folded."""

from __future__ import annotations

import io
import os
import pty
import struct
import sys
import termios
from dataclasses import replace
from fcntl import ioctl
from pathlib import Path

import pytest

from cli.terminal import Person, Said, typed
from pip_warden.cli.demo import Act, _table
from pip_warden.cli.sandbox import _introduction
from pip_warden.cli.style import columns, layout_of, text_columns
from pip_warden.report.layout import Layout
from pip_warden.sandbox import Sandbox

WIDTHS = [60, 80, 120, 200]


@pytest.fixture(params=WIDTHS)
def width(request: pytest.FixtureRequest, alone: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setenv("COLUMNS", str(request.param))
    return int(request.param)


def fits(said: Said, width: int, code: int = 0) -> None:
    assert said.code == code, said.err
    assert [line for line in (said.out + said.err).splitlines() if len(line) > width] == []


def test_catalogue_and_explanations(width: int) -> None:
    fits(typed("explain"), width)
    for code in ("not-pinned", "other-trusted-root", "trust-file-invalid"):
        fits(typed("explain", code), width)


def test_errors(width: int, alone: Path) -> None:
    (alone / "pytrust.toml").write_text("version = 1\n" + "nonsense-that-is-long = true\n" * 3)
    fits(typed("trust", "show"), width, 2)
    (alone / "pytrust.toml").unlink()
    fits(typed("trust", "show"), width, 2)
    fits(typed("nonsense"), width, 2)


def test_pinning_and_showing_the_pin(width: int, person: Person) -> None:
    project = person.published("1.0")
    fits(person.add(project, "--yes"), width)
    wheel = person.sandbox.wheel("folded", "1.0")
    person.sandbox.upstream.add("folded", [wheel])
    by_hash = ("--source", person.sandbox.pypi_url, "--hash", "--reason", "r " * 90, "--yes")
    pinned = typed("trust", "add", "folded==1.0", *by_hash)
    fits(pinned, width)
    shown = typed("trust", "show")
    fits(shown, width)
    assert wheel.sha256 in "".join((pinned.out + shown.out).split())
    fits(typed("trust", "check"), width)
    release = f"{project.record.name}==1.0"
    verified = typed("verify-release", release)
    fits(verified, width)
    assert verified.out.splitlines()[-1].startswith("1 package: 1 signed by 1 identity · ")
    fits(typed("verify-release", "folded==1.0"), width)
    fits(typed("verify-release", release, "--source-revision", "0" * 40), width, 1)


def test_the_table_of_the_demo(width: int, capsys: pytest.CaptureFixture[str]) -> None:
    act = Act(
        title="the wheel is replaced by another in the registry",
        expected="refused, version-inside-differs",
        found="exit 1, nothing installed",
        good=True,
    )
    _table([act, replace(act, good=False)])
    out = capsys.readouterr().out

    assert max(map(len, out.splitlines())) <= width
    assert out.count("version-inside-differs") == 2, "a code is on one line"
    words = [word for line in out.splitlines() for word in line.split()]
    assert words.count("nothing") == words.count("installed") == words.count("refused,") == 2
    assert "…" not in out


def test_the_introduction_of_the_sandbox(width: int, sandbox: Sandbox) -> None:
    shown = [*_introduction(sandbox, Path("sandbox/trusted_root.json"), Layout(width=width), empty=True)]

    assert max(map(len, shown)) <= width


def test_columns_are_the_terminals_unless_they_are_named(
    alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = pty.openpty()
    with open(theirs, "w", encoding="utf-8") as terminal:
        ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 97, 0, 0))
        assert columns(terminal) == layout_of(terminal).width == 97
        ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 0, 0, 0, 0))
        assert columns(terminal) == 80, "a terminal that does not know"
        monkeypatch.setenv("COLUMNS", "61")
        assert columns(terminal) == 61
    os.close(ours)


@pytest.mark.parametrize(
    ("named", "found"),
    [
        ("", None),
        ("no", None),
        ("0", None),
        ("-5", None),
        ("١٢٠", None),
        ("9" * 9, None),
        ("3", 20),
        ("120", 120),
    ],
)
def test_columns_that_are_named(
    alone: Path, monkeypatch: pytest.MonkeyPatch, named: str, found: int | None
) -> None:
    monkeypatch.setenv("COLUMNS", named)
    assert columns(io.StringIO()) == found
    assert text_columns(io.StringIO()) == (found or 80)


def test_what_is_piped_is_not_folded(alone: Path) -> None:
    assert max(map(len, typed("explain").out.splitlines())) > 100
    assert columns(sys.stdout) is None or sys.stdout.isatty()
