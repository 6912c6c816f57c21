"""A report as Markdown: for the summary of a job, or a comment on a merge request.

Foreign text stands in code spans only. In them no markup, HTML, link, mention or reference is read
(CommonMark 0.31.2, section 6.1; GitLab: "GitLab Flavored Markdown"); what would end a span or a table's cell
is escaped as control characters are. No line begins with foreign text, which might be a quick action
(``/close``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from pip_warden.display import escape_text
from pip_warden.report.findings import Concern, Finding, finding_of, findings, words
from pip_warden.report.layout import Layout
from pip_warden.report.model import PINS, VERIFIED, Line, Report
from pip_warden.report.places import PlaceFinder
from pip_warden.report.summary import closing_line, counted, is_pinned, is_verified
from pip_warden.verdict.model import Accepted, AcceptedImage

_LARGEST = 300_000
"""Bytes of all rows of one table, of which there are three: a comment has at most a million characters in
GitLab, a job summary 1 MiB in GitHub."""

_LONGEST = 3_000
"""Characters of what is said of one finding."""

_MARKS = {
    Concern.REFUSED: "❌ refused",
    Concern.UNDECIDED: "❓ undecided",
    Concern.FAILED: "❌ failed",
    Concern.WARNING: "⚠️ warning",
}

_HEAD = "| | What | Why |\n| --- | --- | --- |"


def render(report: Report) -> str:
    """Render a report as Markdown, ending with a newline."""
    lines = [f"## {code_span(f'pip-warden {report.command}')}: {_ending(report)}"]
    if summary := " · ".join(_summary(report)):
        lines += ["", summary]
    found = findings(report)
    if found:
        lines += ["", _HEAD, *_fitting(_finding_rows(report, found))]
    good = [line for line in report.lines if finding_of(line) is None]
    if good:
        many = counted(len(good), "other", "others")
        lines += ["", f"<details><summary>{many}</summary>", "", _HEAD, *_fitting(map(_row, good))]
        lines += ["", "</details>"]
    if report.done:
        done = (f"| {what} | {code_span(name)} | |" for what, name in report.done)
        lines += ["", f"<details><summary>{counted(len(report.done), 'piece', 'pieces')} besides</summary>"]
        lines += ["", _HEAD, *_fitting(done), "", "</details>"]
    return "\n".join(lines) + "\n"


def _ending(report: Report) -> str:
    """Say in a word what a run came to: the exit code decides, whatever else is there."""
    if is_verified(report):
        return "✅ passed"
    if is_pinned(report):
        return "✅ pinned"
    done = "done, and not everything is verified" if report.lines else "done, and nothing was judged"
    words = {0: f"➖ {done}", 1: "❌ refused", 3: "❓ undecided"}
    return words.get(report.exit_code, f"❌ failed (exit code {report.exit_code})")


def _summary(report: Report) -> Iterator[str]:
    """Yield counts, and by which trust file was judged."""
    for line in closing_line(report, Layout(), None):
        yield code_span(line, 500)
    for what, number in Counter(what for what, _ in report.done).items():
        yield f"{number} {what}"
    if report.trust_file:
        yield f"trust file {code_span(report.trust_file)}"


def _finding_rows(report: Report, found: tuple[Finding, ...]) -> Iterator[str]:
    finder = PlaceFinder(report)
    for finding in found:
        what = code_span(finding.subject)
        if finding.line is not None:
            place = finder.of(finding.line)
            what += f"<br>{code_span(f'{place.path}:{place.line}')}"
        why = f"{code_span(finding.code)}<br>{words(finding, _LONGEST, between='<br>', shown=code_span)}"
        yield f"| {_MARKS[finding.concern]} | {what} | {why} |"


def _row(line: Line) -> str:
    why = []
    if isinstance(line.verdict, Accepted | AcceptedImage):
        why.append(code_span(line.verdict.signer, 500))
    if line.note:
        why.append(code_span(line.note))
    mark = f"{'✅' if line.outcome in VERIFIED | PINS else '➖'} {line.outcome.value}"
    return f"| {mark} | {code_span(line.subject)} | {'<br>'.join(why)} |"


def _fitting(rows: Iterable[str]) -> Iterator[str]:
    """Yield the rows for which there is room, and one that counts the others."""
    room, left = _LARGEST, 0
    for row in rows:
        room -= len(row.encode("utf-8", "surrogatepass"))
        if room < 0:
            left += 1
        else:
            yield row
    if left:
        yield f"| … | {counted(left, 'further row', 'further rows')} left out | |"


def code_span(text: str, limit: int = 200) -> str:
    """Return text as a code span, in which nothing of it means anything: in a table, too.

    Args:
        text: Anything from outside.
        limit: The longest result in characters.
    """
    escaped = escape_text(text, limit).replace("`", "\\u0060").replace("|", "\\u007c")
    if len(escaped) > limit - 2:
        escaped = escaped[: limit - 3] + "…"
    return f"`{escaped}`" if escaped.strip() else "`\u2014`"
