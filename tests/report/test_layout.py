"""Reports fit the reader's terminal, and nothing that a stranger has written begins a line of ours."""

from __future__ import annotations

import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

import samples
from pip_warden.errors import NetworkError, RefusedError
from pip_warden.report import text
from pip_warden.report.layout import Layout
from pip_warden.report.model import Line, Report, Unpinned, line_of, undecided_line
from pip_warden.verdict.model import Step
from report.test_report import EVIL, HIDDEN, report_of

WIDTHS = [60, 80, 120, 200]
OURS = re.compile(
    r"✓ |✗ |\? |· |- |error\[|hint:|warning:|Pin them; |For what is not signed:|or$"
    r"|[0-9]+ (packages?|files?): |$|  "
)
"""How a line of a report begins."""


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("evil", [*EVIL, "good", "a" * 300, "漢字" * 100, "word " * 60, "e\u0301" * 200])
def test_t68_a_report_fits_the_terminal(evil: str, width: int) -> None:
    shown = text.render(report_of(evil), Layout(width=width), seconds=1.8)

    assert not HIDDEN.search(shown)
    for line in shown.splitlines():
        assert cell_len(line) <= width or is_one_long_word(line)
        assert OURS.match(line), line


def is_one_long_word(line: str) -> bool:
    """Return whether a line is part of a command and cannot be folded."""
    return len(shlex.split(line.removesuffix("\\"))) == 1


@given(st.text(), st.sampled_from(WIDTHS))
def test_t68_whatever_is_written_there(evil: str, width: int) -> None:
    report = report_of(evil)
    shown = text.render(report, Layout(width=width), seconds=1.8)

    assert not HIDDEN.search(shown)
    assert all(OURS.match(line) for line in shown.splitlines())
    counts = [line for line in shown.splitlines() if re.match(r"[0-9]", line)]
    assert len(counts) == 1
    assert counts[0].startswith("5 files: 1 refused, 1 undecided, 1 signed by 1 identity, 1")


@pytest.mark.parametrize("width", WIDTHS)
def test_what_people_compare_is_folded_and_never_cut(width: int) -> None:
    subject = "https://gitlab.example.com/" + "a-long-group/" * 20 + "widgets//.gitlab-ci.yml@refs/tags/v1.0"
    report = report_of(subject)
    fault = samples.refused("a.whl", Step.SUBJECT, "wrong-subject", samples.DIGEST.hex, "b" * 64)
    shown = text.render(report, Layout(width=width))
    refusal = text.render(Report(command="x", exit_code=1, lines=(line_of(fault),)), Layout(width=width))

    assert f"signed by {subject}" in " ".join(shown.split()).replace(" ", "").replace(
        "signedby", "signed by "
    )
    for digest in (samples.DIGEST.hex, "b" * 64):
        assert digest in "".join(refusal.split())
    assert "[wrong-subject]" in "".join(refusal.split())


def test_who_signed_is_what_the_eye_meets_first() -> None:
    shown = text.render(report_of("somebody"), Layout(style=lambda words, role: f"<{role}:{words}>"))

    assert "✓ >acme_widgets-1.0-py3-none-any.whl <good:accepted>  signed by <signer:somebody>" in shown
    assert "<quiet:somebody>" not in shown


def test_without_a_width_a_line_is_a_line() -> None:
    lines = [*Layout().line("a " * 500, indent=2), *Layout().labelled("found: ", "b " * 500)]

    assert [len(line) for line in lines] == [1001, 1006]


def test_a_value_is_folded_beneath_itself() -> None:
    assert [*Layout(width=30).labelled("found:    ", "one two three four five", indent=4)] == [
        "    found:    one two three",
        "              four five",
    ]
    assert [*Layout(width=28).labelled("found:    ", "one two three four", indent=4)] == [
        "    found:    one two",
        "        three four",
    ]


def test_a_block_keeps_its_lines() -> None:
    told = "a 1.0\n  signed by   " + "x" * 30 + "\n\n  of its own"
    layout = Layout(width=40, style=lambda words, role: f"<{words}>" if role == "signer" else words)

    assert [*layout.block(told)] == [
        "a 1.0",
        f"  signed by   <{'x' * 26}>",
        f"              <{'x' * 4}>",
        "",
        "  of its own",
    ]


@pytest.mark.parametrize("width", [20, 40, 60, 80, 200, None])
def test_a_command_can_be_copied(width: int | None) -> None:
    words = [
        "pip-warden",
        "trust",
        "add",
        *(f"package-{n}" for n in range(30)),
        "--reason",
        "it's so",
        "--yes",
    ]
    lines = [*Layout(width=width).command(shlex.join(words))]

    assert shlex.split("\n".join(lines).replace("\\\n", "")) == words
    assert all(line.endswith(" \\") for line in lines[:-1])
    assert width is None or max(map(len, lines)) <= max(28, width), "one word may be wider"
    assert not any(line.strip().startswith("'") for line in lines), "an option stays with its value"


@pytest.mark.parametrize("width", WIDTHS)
def test_a_table_folds_long_names(width: int) -> None:
    names = tuple(Unpinned(project="p" * 90, wanted_by="w" * 90 + ".whl") for _ in range(2))
    shown = text.render(Report(command="x", exit_code=1, unpinned=names), Layout(width=width))
    table = shown.partition("\n\nPin them")[0].splitlines()

    assert max(map(len, table)) <= width
    assert "".join(table).count("p") == 180
    assert "…" not in "".join(table)


def test_an_error_fits_the_terminal() -> None:
    error = RefusedError("declined", "expected " + "much " * 40, hint="Do " + "this " * 40)
    undecided = undecided_line("a", NetworkError("unreachable", "x " * 90, hint="y " * 90))
    report = Report(command="x", exit_code=3, lines=(undecided, Line(subject="b", outcome=undecided.outcome)))

    for width in WIDTHS:
        layout = Layout(width=width)
        said = text.render_error(error, layout) + "\n" + text.render(report, layout)
        assert max(map(len, said.splitlines())) <= width
