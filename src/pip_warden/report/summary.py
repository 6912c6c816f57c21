"""What a run comes to: the signs of its outcomes, and the line that closes a report, in a few words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from packaging.utils import canonicalize_name

from pip_warden.errors import UsageError
from pip_warden.names import parse_artifact_name
from pip_warden.report.layout import Layout, Piece
from pip_warden.report.model import PINS, VERIFIED, Line, Outcome, Report
from pip_warden.verdict.model import Acceptance, SignedBy

MARKS = {
    Outcome.ACCEPTED: ("✓", "good"),
    Outcome.REFUSED: ("✗", "bad"),
    Outcome.UNDECIDED: ("?", "unknown"),
    Outcome.LOCAL: ("·", "quiet"),
    Outcome.PRESENT: ("·", "quiet"),
    Outcome.EARLIER: ("✓", "good"),
    Outcome.BUILT: ("·", "quiet"),
    Outcome.PINNED: ("✓", "good"),
    Outcome.PINNED_BEFORE: ("·", "quiet"),
    Outcome.NOT_JUDGED: ("-", "quiet"),
}
"""Sign and role of each outcome, for people: on a terminal and on a page."""
_SAID = (
    Outcome.REFUSED,
    Outcome.UNDECIDED,
    Outcome.EARLIER,
    Outcome.LOCAL,
    Outcome.BUILT,
    Outcome.PRESENT,
    Outcome.PINNED,
    Outcome.PINNED_BEFORE,
    Outcome.NOT_JUDGED,
)
_WORDS = {
    Outcome.EARLIER: "verified earlier and unchanged",
    Outcome.LOCAL: "local and not judged",
    Outcome.BUILT: "built from a verified sdist and not comparable",
    Outcome.PRESENT: "present and not verified",
}


def is_verified(report: Report) -> bool:
    """Return whether there is something, and all of it is accepted: a success alone does not say so.

    What is published without a pin is accepted without a verdict: anybody may have signed it.
    """
    is_all = all(line.outcome in VERIFIED and line.verdict is not None for line in report.lines)
    return report.exit_code == 0 and bool(report.lines) and is_all


def is_pinned(report: Report) -> bool:
    """Return whether there is something that is needed, and all of it is pinned, without a warning."""
    is_quiet = report.exit_code == 0 and not report.warnings
    return is_quiet and bool(report.lines) and all(line.outcome in PINS for line in report.lines)


def closing_line(report: Report, layout: Layout, seconds: float | None) -> Iterator[str]:
    """Yield ``5 packages: 4 signed by 2 identities, 1 by hash · 1.8 s``; nothing where no file was looked at.

    Only counts and codes of ours are in it: nothing that a stranger has written.

    Args:
        report: The report.
        layout: How it is laid out.
        seconds: How long the run took; None where nobody measured it.
    """
    if not report.lines:
        return
    pieces: list[Piece] = [(_total(report.lines), "strong"), ": "]
    for number, piece in enumerate(_counts(report.lines)):
        pieces += [", ", piece] if number else [piece]
    if report.error is not None:
        pieces += ["; ended by ", (report.error.code, "bad")]
    if seconds is not None:
        pieces.append((f" · {duration(seconds)}", "quiet"))
    yield from layout.line(*pieces)


def duration(seconds: float) -> str:
    """Return a time in words: ``1.8 s``, ``42 s`` or ``3 min 5 s``."""
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def counted(number: int, one: str, many: str) -> str:
    """Return a number with its noun."""
    return f"{number} {one if number == 1 else many}"


def _total(lines: tuple[Line, ...]) -> str:
    """Count packages, or files where a package has several."""
    if all(line.image is not None for line in lines):
        return counted(len(lines), "image", "images")
    if len({project_of(line.subject) for line in lines}) == len(lines):
        return counted(len(lines), "package", "packages")
    return counted(len(lines), "file", "files")


def project_of(subject: str) -> str:
    """Return the normalized name of the project that a line's subject is of: a file, release or project."""
    try:
        return str(parse_artifact_name(subject).project)
    except UsageError:
        return str(canonicalize_name(subject.partition(" ")[0]))  # ``acme-widgets 1.0``, of a lock


def _counts(lines: Sequence[Line]) -> Iterator[Piece]:
    """Yield how many files ended in which way: first what is wrong."""
    outcomes = Counter(line.outcome for line in lines)
    signers = [
        (line.verdict.basis.claims.issuer, line.verdict.basis.claims.subjects[0])
        for line in lines
        if line.outcome is Outcome.ACCEPTED
        and isinstance(line.verdict, Acceptance)
        and isinstance(line.verdict.basis, SignedBy)
    ]
    for outcome in _SAID[:2]:
        if outcomes[outcome]:
            yield f"{outcomes[outcome]} {outcome.value}", MARKS[outcome][1]
    if signers:
        identities = counted(len(set(signers)), "identity", "identities")
        yield f"{len(signers)} signed by {identities}", "good"
    unpinned = sum(line.outcome is Outcome.ACCEPTED and line.verdict is None for line in lines)
    if unpinned:
        yield f"{unpinned} signed by whoever it was"
    by_hash = outcomes[Outcome.ACCEPTED] - len(signers) - unpinned
    if by_hash:
        yield f"{by_hash} by hash"
    for outcome in _SAID[2:]:
        if outcomes[outcome]:
            yield f"{outcomes[outcome]} {_WORDS.get(outcome, outcome.value)}"
