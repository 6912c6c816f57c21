"""A report as JUnit XML: what GitLab's merge requests and most CI servers show as tests.

One case for each file, whatever became of it: a list without the accepted ones could not be told from one
that was cut off. GitLab reads files below 30 MB and ignores a case whose name it knows already (GitLab:
"Unit test reports").
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pip_warden.display import escape_text
from pip_warden.report.findings import Concern, Finding, finding_of, further_findings, words
from pip_warden.report.model import Outcome, Report
from pip_warden.report.places import PlaceFinder
from pip_warden.report.summary import counted
from pip_warden.values import dataclass

if TYPE_CHECKING:
    from junitparser import JUnitXml, TestCase

_LARGEST = 25_000_000
"""Bytes of all cases."""

_LONGEST_MESSAGE, _LONGEST_TEXT = 1_000, 3_000
"""Characters."""

_SKIPPED = frozenset(
    {Outcome.LOCAL, Outcome.PRESENT, Outcome.BUILT, Outcome.PINNED_BEFORE, Outcome.NOT_JUDGED}
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Entry:
    """What becomes a case.

    Attributes:
        name: Its name, escaped; not unique yet.
        finding: What is wrong, None where nothing is.
        skipped: Why nothing is said about it, ``""`` where something is.
    """

    name: str
    finding: Finding | None = None
    skipped: str = ""

    @property
    def rank(self) -> int:
        """What is wrong comes first: that is what a file that is too long must keep."""
        if self.finding is None:
            return len(Concern)
        return list(Concern).index(self.finding.concern)


def render(report: Report) -> str:
    """Render a report as JUnit XML; foreign text is escaped, so nothing that XML forbids is in it."""
    from junitparser import JUnitXml, TestSuite

    suite = TestSuite(f"pip-warden {report.command}")
    suite.add_testcases(list(_cases(report)))  # one by one, each would have all of them counted again
    document: JUnitXml = JUnitXml()
    document.add_testsuite(suite)
    document.update_statistics()
    return f'<?xml version="1.0" encoding="utf-8"?>\n{document.tostring().decode()}\n'


def _cases(report: Report) -> Iterator[TestCase]:
    entries = sorted(_entries(report), key=lambda entry: entry.rank)
    finder, taken, room = PlaceFinder(report), dict[str, int](), _LARGEST
    for number, entry in enumerate(entries):
        case = _case(report, entry, finder, taken)
        room -= len(case.tostring())
        if room < 0:
            yield _case(report, _rest(entries[number:]), finder, taken)
            return
        yield case


def _entries(report: Report) -> Iterator[_Entry]:
    for line in report.lines:
        finding = finding_of(line)
        skipped = line.outcome.value if finding is None and line.outcome in _SKIPPED else ""
        if skipped and line.note:
            skipped += f": {escape_text(line.note)}"
        yield _Entry(name=escape_text(line.subject), finding=finding, skipped=skipped)
    for finding in further_findings(report):
        about = escape_text(finding.subject)
        named = about if finding.code == "not-pinned" else f"{about}: {escape_text(finding.code)}"
        yield _Entry(name=named, finding=finding)


def _rest(entries: list[_Entry]) -> _Entry:
    """Make the entry that stands for those for which there is no room; the first is the worst of them."""
    name = f"{counted(len(entries), 'further case', 'further cases')} left out"
    worst = entries[0].finding
    if worst is None:
        return _Entry(name=name, skipped="there is no room; none of them was refused")
    said = (("", f"there is no room; the first of them is {worst.subject}, {worst.concern.value}"),)
    return _Entry(
        name=name,
        finding=Finding(concern=worst.concern, code="further-findings", subject=name, said=said),
    )


def _case(report: Report, entry: _Entry, finder: PlaceFinder, taken: dict[str, int]) -> TestCase:
    from junitparser import Error, Failure, Skipped, TestCase

    case = TestCase(_unique(entry.name, taken), classname=f"pip-warden.{report.command}")
    finding = entry.finding
    if finding is None:
        if entry.skipped:
            case.append(Skipped(entry.skipped))
        return case
    if finding.concern is Concern.WARNING:
        case.append(Skipped(words(finding, _LONGEST_MESSAGE)))
        return case
    kind = Failure if finding.concern is Concern.REFUSED else Error
    code = escape_text(finding.code)
    result = kind(f"[{code}] {words(finding, _LONGEST_MESSAGE, between='; ')}", code)
    result.text = f"{words(finding, _LONGEST_TEXT)}\n{_where(finding, finder)}pip-warden explain {code}"
    case.append(result)
    return case


def _where(finding: Finding, finder: PlaceFinder) -> str:
    if finding.line is None:
        return ""
    place = finder.of(finding.line)
    return f"at: {escape_text(place.path)}, line {place.line}\n"


def _unique(name: str, taken: dict[str, int]) -> str:
    """Return a name that no other case has: GitLab shows only the first of several."""
    unique = name
    while unique in taken:
        taken[name] += 1
        unique = f"{name} ({taken[name]})"
    taken[unique] = 1
    return unique
