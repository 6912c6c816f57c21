"""A report as text for people: what happened to each file, why, and what to do next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from pip_warden.display import escape_text
from pip_warden.errors import TrustFileError, WardenError
from pip_warden.report.ending import ending_soon
from pip_warden.report.findings import NO_REASON, further_findings, words
from pip_warden.report.layout import Layout, Piece
from pip_warden.report.model import BAD, UNVERIFIED, Line, Outcome, Report
from pip_warden.report.statements import further_lines
from pip_warden.report.summary import MARKS, closing_line, counted
from pip_warden.report.unpinned import mistaken, unpinned_names
from pip_warden.verdict.model import Accepted, AcceptedImage, ItemRefusal, Refused, SignedBy

_PLAIN = Layout()


def render(report: Report, layout: Layout = _PLAIN, *, seconds: float | None = None, quiet: int = 0) -> str:
    """Render a report, ending without a newline; ``""`` where there is nothing to say.

    A refusal is always said, however quiet.

    Args:
        report: The report.
        layout: Its width and colours.
        seconds: How long the run took; None where nobody measured it.
        quiet: 1: only what is refused, undecided or was there before, and warnings. 2: only why a run failed.
    """
    shown_report = _quieted(report, quiet)
    lines = [*_render(shown_report, layout)]
    if shown_report is report:
        for name, url in report.mirrors:
            lines += layout.line(f"pages and files of {name} come from the mirror {escape_text(url)}")
        lines += closing_line(report, layout, seconds)
    return "\n".join(lines)


def done(report: Report) -> str:
    """Return what was done besides, a line each: a terminal is told it before the report."""
    return "".join(f"{what}: {escape_text(name)}\n" for what, name in report.done)


def render_error(error: WardenError, layout: Layout = _PLAIN) -> str:
    """Render an error that ended a run before there was a report."""
    return "\n".join(_render_error(error, layout))


def _quieted(report: Report, quiet: int) -> Report:
    """Return a report without what quiet leaves out; all of it where nothing would be left of a failure."""
    if not quiet:
        return report
    kept = BAD if quiet > 1 else BAD | UNVERIFIED
    lines = tuple(line for line in report.lines if line.outcome in kept)
    if quiet == 1:
        left = replace(report, lines=lines)
    elif report.exit_code == 0:
        left = replace(report, lines=(), unpinned=(), warnings=(), error=None)
    else:
        left = replace(report, lines=lines, warnings=())
    says_nothing = not (left.lines or left.error or left.warnings)
    return report if says_nothing and report.exit_code != 0 else left


def _render(report: Report, layout: Layout) -> Iterator[str]:
    names = {name.project for name in report.unpinned} - mistaken(report)
    listed = []
    for line in report.lines:
        if line.code == "not-pinned" and line.subject in names:
            listed.append(line)
        else:
            yield from _render_line(line, layout)
            yield from further_lines(report, line, layout)
    if report.error is not None:
        yield from _render_error(report.error, layout)
    for finding in further_findings(report):
        if finding.code == NO_REASON:
            yield from layout.line(("error", "bad"), f"[{NO_REASON}]: {words(finding, 500)}")
    if listed:
        yield from _render_listed(listed, layout)
    if report.unpinned:
        yield from unpinned_names(report, layout)
    for text in report.warnings:
        yield from layout.labelled(("warning: ", "unknown"), escape_text(text, 500), hang=2)
    yield from ending_soon(report.lines, layout)


def _render_error(error: WardenError, layout: Layout) -> Iterator[str]:
    yield from layout.line(("error", "bad"), f"[{error.code}]: {escape_text(error.message, 2000)}")
    if isinstance(error, TrustFileError):
        for path, message in error.faults:
            yield from layout.line(f"{escape_text(path)}: {escape_text(message, 500)}", indent=2)
    if error.hint:
        yield ""
        yield from layout.labelled(("hint: ", "strong"), escape_text(error.hint, 2000), hang=2)


def _render_line(line: Line, layout: Layout) -> Iterator[str]:
    mark, role = MARKS[line.outcome]
    head: list[Piece] = [f"{escape_text(line.subject)} ", (line.outcome.value, role)]
    put = partial(layout.labelled, (f"{mark} ", role), *head, hang=4)
    note = f"  ({escape_text(line.note)})" if line.note else ""
    match line.verdict:
        case Accepted() | AcceptedImage() as accepted:
            yield from put("  ", *_basis(accepted), note)
            for item in accepted.bad_items:
                yield from layout.line(f"not used: {_item(item)}", indent=4)
        case Refused() as refused:
            yield from put(_step(refused), note)
            yield from _render_refusal(refused, layout)
        case None:
            code = f"[{line.code}]" if line.unjudged else ""
            yield from put(code, f"  {escape_text(line.note)}" if line.note else "")
    if line.unjudged is not None:
        yield from layout.line(escape_text(line.unjudged.message, 500), indent=4)
        if line.unjudged.hint:
            yield from layout.line(f"hint: {escape_text(line.unjudged.hint, 500)}", indent=4)


def _basis(accepted: Accepted | AcceptedImage) -> Iterator[Piece]:
    """Yield what an acceptance rests on: a signer is what the eye shall meet first."""
    if isinstance(accepted.basis, SignedBy):
        yield "signed by "
        yield escape_text(accepted.signer, 2000), "signer"
    else:
        yield escape_text(accepted.signer)


def _render_listed(lines: list[Line], layout: Layout) -> Iterator[str]:
    """Name at once what a table lists that follows: each of these refusals says the same."""
    refused = lines[0].verdict
    assert isinstance(refused, Refused)  # noqa: S101 -- not-pinned is the code of a refusal
    mark, role = MARKS[Outcome.REFUSED]
    what = escape_text(lines[0].subject) if len(lines) == 1 else counted(len(lines), "package", "packages")
    yield from layout.labelled((f"{mark} ", role), f"{what} ", ("refused", role), _step(refused), hang=4)


def _step(refused: Refused) -> str:
    return f"[{refused.code}] at step {int(refused.step)} ({refused.step.name.lower()})"


def _render_refusal(refused: Refused, layout: Layout) -> Iterator[str]:
    fault = refused.fault
    if fault.meant:
        yield from layout.labelled("did you mean: ", escape_text(", or ".join(fault.meant), 500), indent=4)
    yield from layout.labelled("expected: ", escape_text(fault.expected, 500), indent=4)
    yield from layout.labelled("found:    ", escape_text(fault.found, 500), indent=4)
    for item in refused.bad_items:
        is_told = len(refused.bad_items) == 1 or item.failure.fault == fault
        yield from layout.labelled(
            "evidence: ", escape_text(item.label) if is_told else _item(item), indent=4
        )
    if fault.hint:
        yield from layout.labelled("hint: ", escape_text(fault.hint, 500), indent=4)


def _item(item: ItemRefusal) -> str:
    fault = item.failure.fault
    return (
        f"{escape_text(item.label)} [{fault.code}] expected {escape_text(fault.expected)}, "
        f"found {escape_text(fault.found)}"
    )
