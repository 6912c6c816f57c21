"""Reports that the tests of every format render."""

from __future__ import annotations

from dataclasses import replace

import samples
from pip_warden.errors import NetworkError, RefusedError, TrustFileError, UndecidedError, UsageError
from pip_warden.report.model import Line, Outcome, Place, Report, Unpinned, line_of, undecided_line
from pip_warden.verdict.model import Accepted, PinnedByHash, Step

ACCEPTED = line_of(Accepted(artifact=samples.artifact(), basis=PinnedByHash(reason="reviewed")))
REFUSED = line_of(
    samples.refused("kit-1.0.tar.gz", Step.IDENTITY, "issuer-mismatch", "issuer A", "issuer B", "Look."),
    source="acme",
    sha256="11" * 32,
)
UNPINNED = line_of(samples.refused("other", Step.PIN, "not-pinned", "an entry", "none"))
UNDECIDED = undecided_line(
    "gone", NetworkError("unreachable", "expected an answer, found none", hint="Wait.")
)

MIXED = Report(
    command="safe-install",
    exit_code=1,
    lines=(
        ACCEPTED,
        REFUSED,
        UNPINNED,
        UNDECIDED,
        Line(subject="there 1.0", outcome=Outcome.PRESENT),
        Line(subject="built 1.0", outcome=Outcome.BUILT),
        Line(subject="again 1.0", outcome=Outcome.EARLIER),
        Line(subject="/project", outcome=Outcome.LOCAL),
        Line(subject="late", outcome=Outcome.NOT_JUDGED),
    ),
    unpinned=(Unpinned(project="other", wanted_by="you"), Unpinned(project="needed", wanted_by="kit 1.0")),
    warnings=("kit is hidden by another file",),
    places=(("kit", Place(path="requirements.txt", line=3)),),
)
"""A report with every outcome; `needed` is known by name only."""

ENDED = [
    Report(command="verify", exit_code=error.exit_code, error=error)
    for error in (
        RefusedError("strict", "expected nothing unverified, found one"),
        UndecidedError("unreachable", "expected an answer, found none"),
        UsageError("bad-requirement", "expected a requirement, found none"),
        TrustFileError("trust-file-invalid", "expected no fault, found two", faults=(("a", "b"), ("c", "d"))),
    )
]
"""Runs that an error ended before anything was judged."""

UNSAID = [
    Report(command="verify", exit_code=1, lines=(ACCEPTED,)),
    Report(command="verify", exit_code=1, lines=(Line(subject="kit", outcome=Outcome.REFUSED),)),
    Report(command="verify", exit_code=3, lines=(Line(subject="kit", outcome=Outcome.UNDECIDED),)),
    Report(command="verify", exit_code=4, warnings=("kit is hidden",)),
]
"""Runs that were no success, without a reason."""


def many(number: int, text: str = "found") -> Report:
    """Make a report with so many refused files, and an accepted one."""
    lines = [replace(REFUSED, subject=f"kit-{each}.whl") for each in range(number - 1)]
    big = line_of(samples.refused("kit-last.whl", Step.DIGEST, "digest-mismatch", text, text, text))
    return Report(command="verify", exit_code=1, lines=(ACCEPTED, *lines, big))


def wordy(number: int) -> Report:
    """Make a report of so many refusals that each takes as much room as it can."""
    text = "\U0001f600" * 2000
    refused = samples.refused(text, Step.IDENTITY, "issuer-mismatch", text, text, text)
    lines = tuple(replace(line_of(refused), subject=f"{each} {text}") for each in range(number))
    return Report(command="verify", exit_code=1, lines=lines)
