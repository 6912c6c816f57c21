"""What a command has done to environments is compared, and what is as it was accepted gets a receipt.

What has a receipt of an earlier run is judged again, by the pins of now, and compared with its archive.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pip_warden.command.model import CommandRun
from pip_warden.environments.compare import compare
from pip_warden.environments.model import (
    AcceptedArchive,
    Comparison,
    InstalledDistribution,
    Likeness,
    Snapshot,
)
from pip_warden.environments.receipt import Receipt, find_receipt
from pip_warden.environments.scan import snapshot
from pip_warden.install.earlier import lines_of_present
from pip_warden.install.receipts import of_archives, write_receipts
from pip_warden.names import parse_artifact_name
from pip_warden.report.model import Line, Outcome, refused_line
from pip_warden.report.summary import counted


def compare_environments(run: CommandRun, before: Snapshot, accepted: tuple[AcceptedArchive, ...]) -> None:
    """Compare what a command has changed in environments, and tell what is not as it was accepted.

    Args:
        run: The run; its command has ended.
        before: What was installed before.
        accepted: What the command may have installed.
    """
    if run.tool is None or not run.tool.environments:
        lacks = "is no tool that is known" if run.tool is None else "names no environment that is known"
        run.ledger.warn(f"{run.request.words[0]} {lacks}: what it installed is not compared")
        return
    after = snapshot(run.tool.environments)
    found = compare(before, after, accepted, run.tool.local)
    for each in found:
        if each.fault is not None:
            run.ledger.add(refused_line(each.subject, each.fault))
    if built := [each.subject for each in found if each.likeness is Likeness.BUILT]:
        run.ledger.warn(f"built from an accepted sdist, and not compared: {', '.join(built)}")
    if same := _count(found, Likeness.SAME):
        own = f", {own} the user's own" if (own := _count(found, Likeness.LOCAL)) else ""
        run.session.reporter.note(
            f"compared with what was accepted: {counted(same, 'distribution', 'distributions')} the same{own}"
        )
    write_receipts(run, of_archives(run, found))
    _look_again(run, after, found)


def _count(found: tuple[Comparison, ...], likeness: Likeness) -> int:
    return sum(each.likeness is likeness for each in found)


def _look_again(run: CommandRun, after: Snapshot, found: tuple[Comparison, ...]) -> None:
    """Tell what can be said of what the command has left as it was; what could not be verified is counted."""
    changed = {each.distribution for each in found}
    told = {each.subject for each in found if each.distribution is None}
    unknown = 0
    for site in after.sites:
        earlier = [each for each in after.distributions if each.site == site and each not in changed]
        for line in _lines(run, site, earlier):
            if line.outcome is Outcome.PRESENT:
                unknown += 1
            elif line.subject not in told:
                run.ledger.add(replace(line, note=f"{line.note}, in {site}" if line.note else f"in {site}"))
    if unknown:
        several = counted(unknown, "distribution", "distributions")
        run.session.reporter.note(f"not verified again: {several} whose archive is not in the cache")


def _lines(run: CommandRun, site: Path, there: list[InstalledDistribution]) -> Iterator[Line]:
    known = ((each.subject, site / each.folder) for each in there if _is_known(run, each))
    return lines_of_present(run, known, sites=())


def _is_known(run: CommandRun, distribution: InstalledDistribution) -> bool:
    """Return whether it has a receipt that this trust file knows something of, or one that says nonsense.

    Environments may be shared (those of pipx are) by projects that have other trust files.
    """
    receipt = find_receipt(distribution)
    if not isinstance(receipt, Receipt):
        return receipt is not None
    name = parse_artifact_name(receipt.archive)
    return not distribution.is_of(name) or bool(run.trust.entries_of(name.project))
