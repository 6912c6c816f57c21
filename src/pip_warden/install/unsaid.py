"""What no verdict says: what was requested and not judged, and what ``--strict`` refuses besides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pip_warden.errors import RefusedError, UsageError
from pip_warden.install.request import Run
from pip_warden.installer.wanted import NamedRequirement, Wanted
from pip_warden.names import parse_artifact_name
from pip_warden.report.ledger import Ledger
from pip_warden.report.model import Line, Outcome, Place, Report
from pip_warden.report.places import asked_at
from pip_warden.report.summary import counted, project_of
from pip_warden.trust.model import TrustFile


def waiting(run: Run) -> Iterator[Line]:
    """Yield a line for everything that was asked for and that the run ended before."""
    if run.ledger.error is None:
        return
    subjects = {line.subject for line in run.ledger.lines()}
    wanted = run.prepared.wanted
    for named in wanted.named:
        if not any(_is_of(subject, named) for subject in subjects):
            yield _not_judged(named.requirement)
    for project in wanted.projects:
        if str(project.path) not in subjects:
            yield _not_judged(str(project.path))
    for file in wanted.files:
        if file.path.name not in subjects:
            yield _not_judged(file.path.name)


def report_of(
    ledger: Ledger, trust: TrustFile, *, command: str, strict: bool, is_dry: bool = False
) -> Report:
    """Return the report of a run of an installer.

    Args:
        ledger: What it has come to.
        trust: The trust file.
        command: The command's name.
        strict: Whether a warning, or what is present and not verified, is a refusal.
        is_dry: Whether nothing was to be installed.
    """
    lines = ledger.lines()
    exit_code = ledger.exit_code(strict=strict)
    is_only_strict = exit_code != ledger.exit_code()
    return Report(
        command=command,
        exit_code=exit_code,
        lines=lines,
        unpinned=ledger.unpinned() if any(line.outcome is Outcome.REFUSED for line in lines) else (),
        warnings=ledger.warnings(),
        trust_file=str(trust.path),
        installer_code=ledger.installer_code,
        error=_strict_refusal(ledger, is_dry=is_dry) if is_only_strict else ledger.unsaid(),
        sources=trust.sources,
        roots=trust.roots,
    )


def asked_places(wanted: Wanted) -> tuple[tuple[str, Place], ...]:
    """Return where each project was asked for; one from the command line has no place.

    A requirement is told before a constraint, and of several the first.

    Args:
        wanted: What was asked for.
    """
    found: dict[str, Place] = {}
    for named in (*wanted.named, *wanted.constraints):
        if (place := asked_at(named.origin)) is not None:
            found.setdefault(named.project, replace(place, text=named.requirement))
    for file in wanted.files:
        if (place := asked_at(file.origin)) is not None:
            found.setdefault(project_of(file.path.name), place)
    return tuple(found.items())


def _strict_refusal(ledger: Ledger, *, is_dry: bool) -> RefusedError:
    """Return what ``--strict`` refuses a run for that is good without it.

    Args:
        ledger: What the run has come to.
        is_dry: Whether nothing was to be installed.
    """
    lines = ledger.lines()
    present, built = (
        ", ".join(line.subject for line in lines if line.outcome is outcome)
        for outcome in (Outcome.PRESENT, Outcome.BUILT)
    )
    warnings = len(ledger.warnings())
    found, advice = [], []
    if any(line.outcome is Outcome.ACCEPTED for line in lines) and not is_dry:
        advice.append("What was accepted is in its place already, and stays.")
    if present:
        found.append(f"present and not verified: {present}")
    if built:
        found.append(f"built from an sdist and not comparable: {built}")
    if present or built:
        advice.append("What is present is judged where it is pinned and installed anew (--force-reinstall).")
    if warnings:
        found.append(counted(warnings, "warning", "warnings"))
        advice.append("Each warning says what to look at.")
    return RefusedError(
        "strict",
        f"expected nothing unverified and nothing hidden with --strict, found {' and '.join(found)}",
        hint=" ".join(advice),
    )


def _not_judged(subject: str) -> Line:
    return Line(subject=subject, outcome=Outcome.NOT_JUDGED, note="the run ended before it")


def _is_of(subject: str, named: NamedRequirement) -> bool:
    try:
        return subject == named.project or parse_artifact_name(subject).project == named.project
    except UsageError:
        return False
