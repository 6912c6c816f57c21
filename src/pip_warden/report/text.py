"""A report as text for people: what happened to each file, why, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from pip_warden.display import shown
from pip_warden.errors import TrustFileError, WardenError
from pip_warden.report.model import Line, Outcome, Report, signer_of
from pip_warden.verdict.model import Accepted, ItemRefusal, Refused


class Style(Protocol):
    """Colours a piece of text; the command line decides whether there is any."""

    def __call__(self, text: str, role: str, /) -> str:
        """Return the text in the colour of a role: ``good``, ``bad``, ``unknown``, ``quiet`` or ``strong``."""


def plain(text: str, _role: str, /) -> str:
    """Colour nothing."""
    return text


_MARKS = {
    Outcome.ACCEPTED: ("✓", "good"),
    Outcome.REFUSED: ("✗", "bad"),
    Outcome.UNDECIDED: ("?", "unknown"),
    Outcome.LOCAL: ("·", "quiet"),
    Outcome.PRESENT: ("·", "quiet"),
    Outcome.NOT_JUDGED: ("-", "quiet"),
}


def render(report: Report, style: Style = plain) -> str:
    """Render a report, ending without a newline."""
    return "\n".join(_render(report, style))


def render_error(error: WardenError, style: Style = plain) -> str:
    """Render an error that ended a run before there was a report."""
    lines = [f"{style('error', 'bad')}[{error.code}]: {shown(error.message, 2000)}"]
    if isinstance(error, TrustFileError):
        lines += [f"  {shown(path)}: {shown(message, 500)}" for path, message in error.faults]
    if error.hint:
        lines += ["", f"{style('hint', 'strong')}: {shown(error.hint, 2000)}"]
    return "\n".join(lines)


def _render(report: Report, style: Style) -> Iterator[str]:
    for line in report.lines:
        yield from _render_line(line, style)
    if report.error is not None:
        yield render_error(report.error, style)
    yield from _render_unpinned(report, style)
    for text in report.warnings:
        yield f"{style('warning', 'unknown')}: {shown(text, 500)}"


def _render_line(line: Line, style: Style) -> Iterator[str]:
    mark, role = _MARKS[line.outcome]
    head = f"{style(mark, role)} {style(shown(line.subject), 'strong')} {style(line.outcome.value, role)}"
    match line.verdict:
        case Accepted() as accepted:
            note = f"  ({shown(line.note)})" if line.note else ""
            yield f"{head}  {style(shown(signer_of(accepted)), 'quiet')}{note}"
            for item in accepted.bad_items:
                yield f"    beside it: {_item(item)}"
        case Refused() as refused:
            yield f"{head}[{refused.code}] at step {int(refused.step)} ({refused.step.name.lower()})"
            yield from _render_refusal(refused)
        case None:
            yield (
                head
                + (f"[{line.undecided.code}]" if line.undecided else "")
                + (f"  {shown(line.note)}" if line.note else "")
            )
    if line.undecided is not None:
        yield f"    {shown(line.undecided.message, 500)}"
        if line.undecided.hint:
            yield f"    hint: {shown(line.undecided.hint, 500)}"


def _render_refusal(refused: Refused) -> Iterator[str]:
    fault = refused.fault
    yield f"    expected: {shown(fault.expected, 500)}"
    yield f"    found:    {shown(fault.found, 500)}"
    if len(refused.bad_items) > 1:
        for item in refused.bad_items:
            yield f"    evidence: {_item(item)}"
    elif refused.bad_items:
        yield f"    evidence: {shown(refused.bad_items[0].label)}"
    if fault.hint:
        yield f"    hint: {shown(fault.hint, 500)}"


def _item(item: ItemRefusal) -> str:
    fault = item.no.fault
    return f"{shown(item.label)} [{fault.code}] expected {shown(fault.expected)}, found {shown(fault.found)}"


def _render_unpinned(report: Report, style: Style) -> Iterator[str]:
    if not report.unpinned:
        return
    yield ""
    yield style("Not in the trust file:", "strong")
    for name in report.unpinned:
        yield f"  {shown(name.project)}  (wanted by {shown(name.wanted_by)})"
    yield "If you want them, these commands show who publishes each one, and ask:"
    for name in report.unpinned:
        yield f"  pip-warden trust add {shown(name.project)} --source {report.only_source or 'SOURCE'}"
    yield "and for what nobody signs:"
    yield f"  pip-warden trust add NAME==VERSION --source {report.only_source or 'SOURCE'} --hash --reason '…'"
