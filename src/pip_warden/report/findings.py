"""What a report wants somebody to act on or to look at: one list for every format that lists such things."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum

from pip_warden.display import escape_text
from pip_warden.errors import TrustFileError, WardenError
from pip_warden.report.model import BAD, Line, Report, Unpinned
from pip_warden.values import dataclass
from pip_warden.verdict.model import ItemRefusal, Refused

_MOST_ITEMS = 5
"""Items of evidence, or faults of a trust file, of which each is told."""

_SHORTEST = 20
"""Characters: a text that would be cut shorter is left out."""

NO_REASON = "no-reason-given"
"""The code of what failed though nothing says why."""

LABELS = frozenset({"did you mean", "expected", "found", "hint", "evidence", "note"})
"""Labels of ours; any other one is foreign text."""


class Concern(StrEnum):
    """How much a finding matters, the worst first."""

    REFUSED = "refused"
    UNDECIDED = "undecided"
    FAILED = "failed"
    """The run ended, and this is why."""
    WARNING = "warning"
    """The run may have been a success."""


_CONCERNS = {1: Concern.REFUSED, 3: Concern.UNDECIDED}
"""By the exit code of an error."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One thing to act on or to look at. Its texts are foreign: :func:`words` escapes them.

    Attributes:
        concern: How much it matters.
        code: Its code, which ``pip-warden explain`` explains.
        subject: What it is about, as the report names it.
        said: What there is to say, each as label and text; the label is ``""`` for a sentence.
        line: The report's line that says it; None for what is about the run.
    """

    concern: Concern
    code: str
    subject: str
    said: tuple[tuple[str, str], ...]
    line: Line | None = None


def findings(report: Report) -> tuple[Finding, ...]:
    """Return everything in a report that is to be acted on or looked at: the worst first, else in its order.

    A run that is not a success has at least one finding that is no warning.
    """
    found = [each for line in report.lines if (each := finding_of(line)) is not None]
    return tuple(sorted([*found, *further_findings(report)], key=_rank))


def finding_of(line: Line) -> Finding | None:
    """Return what is to be acted on for a line; None where nothing is."""
    if isinstance(line.verdict, Refused):
        said = (*_refusal(line.verdict), *_note(line))
        return Finding(concern=Concern.REFUSED, code=line.code, subject=line.subject, said=said, line=line)
    if line.unjudged is not None:
        said = (*_error(line.unjudged), *_note(line))
        concern = _CONCERNS.get(line.unjudged.exit_code, Concern.FAILED)
        return Finding(concern=concern, code=line.code, subject=line.subject, said=said, line=line)
    if line.outcome in BAD:  # nobody says why, which is no reason to pass
        return Finding(
            concern=Concern(line.outcome.value),
            code=NO_REASON,
            subject=line.subject,
            said=(("", f"{line.outcome.value}, and no reason is known"), *_note(line)),
            line=line,
        )
    return None


def further_findings(report: Report) -> Iterator[Finding]:
    """Yield what no line says: names without a pin, what ended the run, warnings."""
    told = {line.subject for line in report.lines if line.code == "not-pinned"}
    unpinned = [each for each in report.unpinned if each.project not in told]
    for name in unpinned:
        yield _unpinned(name)
    if report.error is not None:
        yield _ended(report, report.error)
    elif report.exit_code and not unpinned and not any(map(finding_of, report.lines)):
        said = f"expected a run that ends with 0, found exit code {report.exit_code} and no reason"
        yield Finding(concern=Concern.FAILED, code=NO_REASON, subject=report.command, said=(("", said),))
    for text in report.warnings:
        yield Finding(concern=Concern.WARNING, code="run-warning", subject=report.command, said=(("", text),))


def words(
    finding: Finding, limit: int, *, between: str = "\n", shown: Callable[[str, int], str] = escape_text
) -> str:
    """Return what a finding says.

    Args:
        finding: The finding.
        limit: The longest result in characters; what is left out ends in ``…``.
        between: What stands between two of its texts.
        shown: Escapes a text, which becomes at most so long.
    """
    said = ""
    for label, text in finding.said:
        head = between if said else ""
        if label:
            head += f"{label if label in LABELS else shown(label, 200)}: "
        room = limit - len(said) - len(head) - 1
        if room < _SHORTEST:
            return f"{said}…"
        said += head + shown(text, min(room, 1000))
    return said


def _rank(finding: Finding) -> int:
    return list(Concern).index(finding.concern)


def _refusal(refused: Refused) -> Iterator[tuple[str, str]]:
    fault = refused.fault
    if fault.meant:
        yield "did you mean", ", or ".join(fault.meant)
    yield "expected", fault.expected
    yield "found", fault.found
    if fault.hint:
        yield _hint(fault.hint)
    for item in refused.bad_items[:_MOST_ITEMS]:
        yield "evidence", _item(item, refused)
    if len(refused.bad_items) > _MOST_ITEMS:
        yield "evidence", f"{len(refused.bad_items) - _MOST_ITEMS} further items, none of them good"


def _item(item: ItemRefusal, refused: Refused) -> str:
    fault = item.failure.fault
    if fault == refused.fault:
        return item.label
    return f"{item.label} [{fault.code}] expected {fault.expected}, found {fault.found}"


def _error(error: WardenError) -> Iterator[tuple[str, str]]:
    yield "", error.message
    if isinstance(error, TrustFileError):
        yield from error.faults[:_MOST_ITEMS]
        if len(error.faults) > _MOST_ITEMS:
            yield "", f"and {len(error.faults) - _MOST_ITEMS} further faults"
    if error.hint:
        yield _hint(error.hint)


def _hint(text: str) -> tuple[str, str]:
    return "hint", text.replace("`", "'")  # no format needs both kinds of quotes around commands


def _note(line: Line) -> Iterator[tuple[str, str]]:
    if line.note:
        yield "note", line.note


def _unpinned(name: Unpinned) -> Finding:
    found = f"none for {name.project}, wanted by {name.wanted_by}"
    return Finding(
        concern=Concern.REFUSED,
        code="not-pinned",
        subject=name.project,
        said=(("expected", "an entry in the trust file"), ("found", found)),
    )


def _ended(report: Report, error: WardenError) -> Finding:
    concern = _CONCERNS.get(error.exit_code, Concern.FAILED)
    return Finding(concern=concern, code=error.code, subject=report.command, said=(*_error(error),))
