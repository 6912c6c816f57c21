"""A report as a comment: readable, below the limits of comments, and no foreign text in it means anything."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pip_warden.errors import UsageError
from pip_warden.report import markdown
from pip_warden.report.model import Line, Outcome, Place, Report
from report.markup import MARKUP, meaning
from report.reports import ACCEPTED, ENDED, MIXED, UNSAID, many, wordy
from report.test_report import HIDDEN, report_of


def test_a_report_says_what_was_refused_and_why() -> None:
    shown = markdown.render(MIXED).splitlines()

    assert shown[0] == "## `pip-warden safe-install`: ❌ refused"
    assert shown[4:6] == ["| | What | Why |", "| --- | --- | --- |"]
    assert shown[6] == (
        "| ❌ refused | `kit-1.0.tar.gz`<br>`requirements.txt:3` | "
        "`issuer-mismatch`<br>expected: `issuer A`<br>found: `issuer B`<br>hint: `Look.` |"
    )
    assert [line.split("|")[1].strip() for line in shown[7:11]] == [
        "❌ refused",
        "❌ refused",
        "❓ undecided",
        "⚠️ warning",
    ]
    assert "<details><summary>6 others</summary>" in shown
    assert "| ✅ accepted | `acme_widgets-1.0-py3-none-any.whl` | `pinned by hash: reviewed` |" in shown
    assert "| ➖ present, not verified | `there 1.0` |  |" in shown


def test_a_hint_keeps_its_commands_readable() -> None:
    error = replace(ENDED[0])
    assert error.error is not None
    error.error.hint = "Try `pip-warden trust list`."

    assert "hint: `Try 'pip-warden trust list'.`" in markdown.render(error)


@pytest.mark.parametrize("report", [*ENDED, *UNSAID], ids=lambda report: str(report.exit_code))
def test_what_was_no_success_is_headed_so(report: Report) -> None:
    shown = markdown.render(report)

    assert "✅" not in shown.splitlines()[0]
    assert re.search(r"^\| (❌|❓)", shown, re.MULTILINE)


def test_a_success_is_headed_so() -> None:
    shown = markdown.render(Report(command="verify", exit_code=0, lines=(ACCEPTED,), trust_file="a.toml"))

    assert shown.splitlines()[:3] == [
        "## `pip-warden verify`: ✅ passed",
        "",
        "`1 package: 1 by hash` · trust file `a.toml`",
    ]


def test_a_success_that_verified_nothing_is_headed_so() -> None:
    present = Line(subject="there 1.0", outcome=Outcome.PRESENT)
    for lines, said in (((), "nothing was judged"), ((ACCEPTED, present), "not everything is verified")):
        shown = markdown.render(Report(command="run", exit_code=0, lines=lines))
        assert shown.splitlines()[0] == f"## `pip-warden run`: ➖ done, and {said}"


def test_what_does_not_fit_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert markdown._LARGEST * 3 < 1_000_000 - 50_000, "three tables, and a comment has a million characters"
    monkeypatch.setattr(markdown, "_LARGEST", 10_000)

    assert re.search(
        r"^\| … \| [0-9]+ further rows left out \| \|$", markdown.render(many(200)), re.MULTILINE
    )
    assert len(markdown.render(wordy(50)).encode()) < 12_000


def test_each_of_the_tables_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(markdown, "_LARGEST", 10_000)
    good = tuple(Line(subject=f"kit {number}.0", outcome=Outcome.PRESENT) for number in range(500))
    done = tuple(("uploaded", f"kit-{number}.whl") for number in range(500))
    told = markdown.render(replace(wordy(50), lines=(*wordy(50).lines, *good), done=done))

    assert told.count("further rows left out") == 3
    assert len(told.encode()) < 3 * 10_000 + 2_000


def test_what_has_no_summary_has_no_empty_paragraph() -> None:
    told = markdown.render(Report(command="verify", exit_code=2, error=UsageError("usage", "no")))
    assert told.startswith("## `pip-warden verify`: ❌ failed (exit code 2)\n\n| | What | Why |\n")


@pytest.mark.parametrize("evil", MARKUP)
def test_t68_foreign_text_means_nothing(evil: str) -> None:
    report = replace(report_of(evil), trust_file=evil or "x", places=((evil, Place(path=evil, line=1)),))
    good = replace(report_of("good"), trust_file="good")

    assert meaning(markdown.render(report)) == meaning(markdown.render(good))
    assert not HIDDEN.search(markdown.render(report))


@settings(max_examples=50)
@given(st.text(alphabet=st.sampled_from("`|\\<>@#!/*_[]()~$&: \nahtps."), min_size=1))
def test_t68_no_text_means_anything(evil: str) -> None:
    assert meaning(markdown.render(report_of(evil))) == meaning(markdown.render(report_of("good")))


def test_what_was_done_besides_is_counted_and_listed_and_is_no_markup() -> None:
    report = replace(
        Report(command="publish", exit_code=0, lines=(ACCEPTED,)),
        done=(("uploaded", "kit`|\n/close"), ("uploaded", "b"), ("already there", "c")),
    )
    told = markdown.render(report)

    assert " · 2 uploaded · 1 already there\n" in told
    assert "| uploaded | `kit\\u0060\\u007c\\u000a/close` | |\n" in told
    assert "<summary>3 pieces besides</summary>" in told


def test_what_is_pinned_with_a_warning_is_not_headed_so() -> None:
    pinned = Line(subject="kit 1.0", outcome=Outcome.PINNED)
    known = Line(subject="other 1.0", outcome=Outcome.PINNED_BEFORE)
    left = Line(subject="left 1.0", outcome=Outcome.NOT_JUDGED)

    def heading(*lines: Line, exit_code: int = 0, warnings: tuple[str, ...] = ()) -> str:
        report = Report(command="trust sync", exit_code=exit_code, lines=lines, warnings=warnings)
        return markdown.render(report).splitlines()[0].partition(": ")[2]

    assert heading(pinned, known) == "✅ pinned"
    assert heading(pinned, left).startswith("➖")
    assert heading(pinned, warnings=("other has no wheel",)).startswith("➖")
    assert heading().startswith("➖")
    assert heading(pinned, exit_code=4).startswith("❌")
