"""The line that closes a report."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

import samples
from pip_warden.errors import InstallerError, NetworkError
from pip_warden.evidence.model import EvidenceForm
from pip_warden.report.ending import ending_soon
from pip_warden.report.layout import Layout
from pip_warden.report.model import Line, Outcome, Report, line_of, undecided_line
from pip_warden.report.summary import closing_line, duration
from pip_warden.verdict.model import Accepted, PinnedByHash, SignedBy, Step


def accepted(name: str, subject: str = "") -> Line:
    basis = SignedBy(
        label="x",
        form=EvidenceForm.BUNDLE,
        claims=samples.claims(subject=subject),
        log_index=1,
        log_time=datetime(2026, 1, 1, tzinfo=UTC),
        root="default",
    )
    verdict = Accepted(
        artifact=samples.artifact(), basis=basis if subject else PinnedByHash(reason="reviewed")
    )
    return replace(line_of(verdict), subject=name)


def closing(*lines: Line, seconds: float | None = 1.84, error: InstallerError | None = None) -> str:
    report = Report(command="x", exit_code=0, lines=lines, error=error)
    return "\n".join(closing_line(report, Layout(), seconds))


FIVE = (
    accepted("a-1.0-py3-none-any.whl", "one"),
    accepted("b-1.0-py3-none-any.whl", "one"),
    accepted("c-1.0-py3-none-any.whl", "two"),
    accepted("d-1.0.tar.gz", "two"),
    accepted("e-1.0-py3-none-any.whl"),
)
REFUSED = line_of(samples.refused("f", Step.PIN, "not-pinned"))


def test_a_run_that_ended_well() -> None:
    assert closing(*FIVE) == "5 packages: 4 signed by 2 identities, 1 by hash · 1.8 s"
    assert closing(FIVE[0]) == "1 package: 1 signed by 1 identity · 1.8 s"
    assert closing(FIVE[4]) == "1 package: 1 by hash · 1.8 s"


def test_several_files_of_a_package_are_files() -> None:
    assert closing(FIVE[0], accepted("a-1.0.tar.gz", "one")) == "2 files: 2 signed by 1 identity · 1.8 s"
    listed = replace(FIVE[0], subject="A 1.0", outcome=Outcome.NOT_JUDGED, verdict=None)
    assert closing(FIVE[0], listed) == "2 files: 1 signed by 1 identity, 1 not judged · 1.8 s"


def test_what_is_wrong_comes_first() -> None:
    undecided = undecided_line("g", NetworkError("unreachable", "gone"))
    rest = [
        Line(subject="./h", outcome=Outcome.LOCAL),
        Line(subject="i 1.0", outcome=Outcome.PRESENT),
        Line(subject="j", outcome=Outcome.NOT_JUDGED),
    ]

    assert closing(FIVE[0], *rest, undecided, REFUSED) == (
        "6 packages: 1 refused, 1 undecided, 1 signed by 1 identity, 1 local and not judged, "
        "1 present and not verified, 1 not judged · 1.8 s"
    )


def test_what_was_there_before_is_counted_by_what_is_known_of_it() -> None:
    earlier, built = (
        replace(line, outcome=outcome)
        for line, outcome in zip(FIVE[:2], (Outcome.EARLIER, Outcome.BUILT), strict=True)
    )

    assert closing(earlier) == "1 package: 1 verified earlier and unchanged · 1.8 s"
    assert closing(FIVE[4], built, earlier) == (
        "3 packages: 1 by hash, 1 verified earlier and unchanged, "
        "1 built from a verified sdist and not comparable · 1.8 s"
    )


def test_what_ended_the_run_is_named_by_its_code() -> None:
    error = InstallerError("pip-failed", "expected pip to succeed, found \x1b[2J")

    assert closing(FIVE[0], error=error) == "1 package: 1 signed by 1 identity; ended by pip-failed · 1.8 s"


def test_nothing_is_closed_where_nothing_was_looked_at() -> None:
    assert closing() == ""
    assert closing(REFUSED, seconds=None) == "1 package: 1 refused"


def ending(*days: int | None) -> str:
    lines = []
    for number, left in enumerate(days):
        last = None if left is None else samples.TODAY + timedelta(days=left)
        name = f"acme_widgets-{number}-py3-none-any.whl"
        basis = PinnedByHash(reason="reviewed", expires=last, days_left=left)
        lines.append(line_of(Accepted(artifact=samples.artifact(name), basis=basis)))
    return "\n".join(ending_soon([*lines, *FIVE, REFUSED], Layout()))


def test_an_exemption_that_ends_within_thirty_days_is_told() -> None:
    assert ending(None, 31) == ""
    assert ending(None, 30, 31) == (
        "note: acme-widgets 1 is pinned by hash until 2026-12-29; "
        "`pip-warden trust list` shows what ends when"
    )
    assert ending(9, 0, 400).startswith(
        "note: 2 releases are pinned by hash for a few days more, acme-widgets 1 until 2026-11-29; "
    )


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0.0 s"), (0.04, "0.0 s"), (9.94, "9.9 s"), (9.96, "10 s"), (59.6, "1 min 0 s"), (185, "3 min 5 s")],
)
def test_duration(seconds: float, words: str) -> None:
    assert duration(seconds) == words
