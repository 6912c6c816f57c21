"""What GitLab reads of JUnit: a case per file, unique names, below 30 MB, and no success of what was none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from pip_warden.report import junit
from pip_warden.report.model import Report
from report.reports import ACCEPTED, ENDED, MIXED, REFUSED, UNSAID, many, wordy
from report.test_report import EVIL, HIDDEN, report_of

GITLABS_LIMIT = 30_000_000


def _cases(report: Report) -> dict[str, TestCase]:
    (suite,) = JUnitXml.fromstring(junit.render(report))
    cases = list(suite)
    named = {case.name: case for case in cases}
    assert len(named) == len(cases), "GitLab shows only one of two cases with a name"
    return named


def _kinds(report: Report) -> dict[str, str]:
    return {
        name: ",".join(type(each).__name__ for each in case.result) or "passed"
        for name, case in _cases(report).items()
    }


def test_every_file_is_a_case() -> None:
    assert _kinds(MIXED) == {
        "kit-1.0.tar.gz": "Failure",
        "other": "Failure",
        "needed": "Failure",
        "gone": "Error",
        "safe-install: run-warning": "Skipped",
        "acme_widgets-1.0-py3-none-any.whl": "passed",
        "there 1.0": "Skipped",
        "built 1.0": "Skipped",
        "again 1.0": "passed",
        "/project": "Skipped",
        "late": "Skipped",
    }


def test_a_refusal_is_said_in_words() -> None:
    (result,) = _cases(MIXED)["kit-1.0.tar.gz"].result

    assert isinstance(result, Failure)
    assert result.type == "issuer-mismatch"
    assert result.message == "[issuer-mismatch] expected: issuer A; found: issuer B; hint: Look."
    assert result.text == (
        "expected: issuer A\nfound: issuer B\nhint: Look.\n"
        "at: requirements.txt, line 3\npip-warden explain issuer-mismatch"
    )


@pytest.mark.parametrize("report", [*ENDED, *UNSAID], ids=lambda report: str(report.exit_code))
def test_what_was_no_success_has_a_case_that_failed(report: Report) -> None:
    bad = [each for case in _cases(report).values() for each in case.result if not isinstance(each, Skipped)]

    assert len(bad) == 1
    assert isinstance(bad[0], Failure if report.error and report.exit_code == 1 else (Failure, Error))


def test_one_name_several_times_is_told_apart() -> None:
    lines = (REFUSED, replace(REFUSED, subject="kit-1.0.tar.gz (2)"), replace(REFUSED, sha256="22" * 32))
    names = [*_cases(Report(command="verify", exit_code=1, lines=(*lines, ACCEPTED, ACCEPTED)))]

    assert names[:3] == ["kit-1.0.tar.gz", "kit-1.0.tar.gz (2)", "kit-1.0.tar.gz (3)"]
    assert names[3:] == ["acme_widgets-1.0-py3-none-any.whl", "acme_widgets-1.0-py3-none-any.whl (2)"]


def test_a_report_that_would_be_too_large_says_what_it_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(junit, "_LARGEST", 20_000)
    shown = junit.render(many(200))

    assert len(shown) < 25_000
    kinds = [*_kinds(many(200)).items()]
    assert kinds[-1][0].endswith("further cases left out")
    assert kinds[-1][1] == "Failure", (
        "the accepted file is among what is left out, and those that were refused"
    )


def test_a_report_that_would_be_too_large_keeps_what_was_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(junit, "_LARGEST", 5_000)
    report = Report(command="verify", exit_code=1, lines=(*[ACCEPTED] * 200, REFUSED))

    kinds = [*_kinds(report).items()]
    assert kinds[0] == ("kit-1.0.tar.gz", "Failure")
    assert kinds[-1][0].endswith("further cases left out")
    assert kinds[-1][1] == "Skipped"


def test_cases_are_counted_once_and_not_for_every_case(monkeypatch: pytest.MonkeyPatch) -> None:
    counted = list[int]()
    update: Callable[[TestSuite], None] = TestSuite.update_statistics

    def count(suite: TestSuite) -> None:
        counted.append(len(list(suite)))
        update(suite)

    monkeypatch.setattr(TestSuite, "update_statistics", count)
    junit.render(Report(command="verify", exit_code=1, warnings=tuple(map(str, range(20)))))
    assert counted == [21, 21], "once for the suite, and once for the document"


def test_a_file_that_was_refused_without_a_reason_did_not_pass() -> None:
    assert _kinds(UNSAID[1]) == {"kit": "Failure"}
    assert _kinds(UNSAID[2]) == {"kit": "Error"}


def test_a_case_is_small_whatever_is_in_it() -> None:
    assert len(junit.render(wordy(10)).encode()) < 10 * 30_000
    assert junit._LARGEST + 2 * 30_000 < GITLABS_LIMIT


@pytest.mark.parametrize("evil", EVIL)
def test_t68_no_foreign_text_is_markup(evil: str) -> None:
    shown = junit.render(report_of(evil))

    assert not HIDDEN.search(shown)
    assert shown.count("<") == junit.render(report_of("good")).count("<"), "it adds no element of its own"


@settings(max_examples=20)
@given(st.text(alphabet=st.characters(codec=None)))
def test_t68_every_text_can_be_read(evil: str) -> None:
    assert any(case.result for case in _cases(report_of(evil)).values())
