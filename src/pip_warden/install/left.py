"""What pip leaves where it was to install something: with ``--target`` it replaces nothing that is there.

It says so in a warning of its own, and succeeds. What was accepted is then not what lies there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pip_warden.environments.layout import entries
from pip_warden.environments.model import AcceptedArchive, InstalledDistribution
from pip_warden.faults import Fault
from pip_warden.install.receipts import archive_of
from pip_warden.install.request import PreparedRequest, Run
from pip_warden.installer.passed import last_value
from pip_warden.verdict.model import Accepted


def names_in_target(prepared: PreparedRequest) -> frozenset[str]:
    """Return the names in the directory of ``--target``; none without that option, or where it is new."""
    directory = last_value(prepared.every_option, "--target")
    return frozenset() if directory is None else frozenset(each.name for each in entries(directory))


def replaced(
    run: Run, installed: Iterable[tuple[Accepted, InstalledDistribution | None]], before: frozenset[str]
) -> Iterator[tuple[Accepted, InstalledDistribution | None]]:
    """Yield what is in its place as it was accepted; warn of what is not.

    Args:
        run: The run.
        installed: Each archive, and where it was installed.
        before: What :func:`names_in_target` returned before pip ran.
    """
    found = tuple(installed)
    kept = frozenset() if "--upgrade" in run.prepared.every_option else before
    if not before:
        yield from found
        return
    archives = tuple(archive_of(accepted) for accepted, _ in found)
    for accepted, distribution in found:
        fault = None
        if distribution is not None:
            fault = _differs(distribution, archive_of(accepted), archives, kept)
        if fault is None:
            yield accepted, distribution
            continue
        run.ledger.warn(
            f"{accepted.artifact.name.filename} is not what is there now: expected {fault.expected}, found "
            f"{fault.found}. With --target pip replaces nothing there: empty the directory [not-through-gate]"
        )


def _differs(
    distribution: InstalledDistribution,
    archive: AcceptedArchive,
    others: Iterable[AcceptedArchive],
    kept: frozenset[str],
) -> Fault | None:
    from pip_warden.environments.distribution import compare_distribution, compare_recorded

    if archive.name.kind == "wheel":
        wheels = [each for each in others if each.name.kind == "wheel" and each.digest != archive.digest]
        return compare_distribution(distribution, archive, wheels)
    if distribution.folder in kept:  # what a build made cannot be told from what was there
        return Fault(code="not-through-gate", expected="a new directory", found=distribution.folder)
    return compare_recorded(distribution)
