"""What an earlier run has installed is judged again, by the pins of now, and compared with its archive.

Its receipt says which archive that is; the vault has it, or nothing is known of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path

from pip_warden.artifact.layout import DIST_INFO
from pip_warden.environments.earlier import check_installed, strange_packages, strangers
from pip_warden.environments.layout import layout_of
from pip_warden.environments.model import (
    AcceptedArchive,
    Comparison,
    InstalledDistribution,
    Likeness,
    Snapshot,
)
from pip_warden.environments.patches import PATCH
from pip_warden.environments.receipt import Receipt, find_receipt
from pip_warden.environments.scan import distribution_in, snapshot
from pip_warden.faults import Fault
from pip_warden.gate import Admission
from pip_warden.install.receipts import accepted_by_digest, archive_of, receipt_of
from pip_warden.install.request import JudgingRun
from pip_warden.names import parse_artifact_name
from pip_warden.report.model import Line, Outcome, line_of
from pip_warden.values import dataclass
from pip_warden.verdict.model import Accepted, Refused, Step, StepFailure

_BEFORE = "was installed before this run"
_MOST_NAMED = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class _Known:
    """What is known of a package that is there already.

    Attributes:
        distribution: Where it is.
        receipt: Its receipt.
        admission: What was decided about its archive in this run; None where the vault does not have it.
    """

    distribution: InstalledDistribution
    receipt: Receipt | Fault
    admission: Admission | None

    @property
    def accepted(self) -> Accepted | None:
        """The verdict, where its archive was accepted again."""
        verdict = None if self.admission is None else self.admission.line.verdict
        return verdict if isinstance(verdict, Accepted) else None


def lines_of_present(
    run: JudgingRun, present: Iterable[tuple[str, Path | None]], *, sites: tuple[Path, ...]
) -> Iterator[Line]:
    """Yield what can be said of packages of one environment that were installed before a run.

    Args:
        run: The run.
        present: What is there: name and version for people, and its ``.dist-info``, where that is known.
        sites: The environment's own directories of packages, whatever it says itself of where it has any.
    """
    known = [(subject, _look(run, info)) for subject, info in present]
    comparing = _Comparing(run, tuple(each for _, each in known if each is not None), sites)
    for subject, each in known:
        if each is None:
            yield Line(subject=subject, outcome=Outcome.PRESENT, note=_BEFORE)
        else:
            yield comparing.line(subject, each)
    yield from comparing.strangers()


def _look(run: JudgingRun, info: Path | None) -> _Known | None:
    """Look for a receipt, and judge the archive that it names; None where there is no receipt."""
    if info is None or not info.name.endswith(DIST_INFO):
        return None
    distribution = distribution_in(info)
    receipt = find_receipt(distribution)
    if receipt is None:
        return None
    admission = None
    name = parse_artifact_name(receipt.archive) if isinstance(receipt, Receipt) else None
    # What is said of another release is a matter of the receipt, whatever may be said of that one.
    if isinstance(receipt, Receipt) and name is not None and distribution.is_of(name):
        admission = run.gate.admit_again(name, receipt.sha256)
    return _Known(distribution=distribution, receipt=receipt, admission=admission)


class _Comparing:
    """Compares what has a receipt with its archive, and looks at what lies beside it.

    Args:
        run: The run.
        known: All that has a receipt.
        sites: Further directories of packages of that environment.
    """

    def __init__(self, run: JudgingRun, known: tuple[_Known, ...], sites: tuple[Path, ...]) -> None:
        self._run = run
        self._further = sites
        self._checked = frozenset(each.distribution for each in known)
        self._verified = set[InstalledDistribution]()
        self._sites = tuple(dict.fromkeys(each.site for each in self._checked))
        accepted = [*accepted_by_digest(run).values(), *(each.accepted for each in known)]
        self._archives = tuple(archive_of(each) for each in accepted if each is not None)

    def line(self, subject: str, known: _Known) -> Line:
        """Return the line of one: refused by the pins of now, or by what lies on the disk."""
        if known.admission is not None and known.accepted is None:
            return replace(known.admission.line, subject=subject)
        found = self._compared(known)
        if found.fault is not None:
            return _refused(subject, found.fault)
        archive = "" if isinstance(known.receipt, Fault) else known.receipt.archive
        if found.likeness is Likeness.PRESENT or known.accepted is None:
            note = f"{_BEFORE}; {archive} is not in the cache"
            return Line(subject=subject, outcome=Outcome.PRESENT, note=note)
        self._verified.add(known.distribution)
        outcome = Outcome.EARLIER if found.likeness is Likeness.SAME else Outcome.BUILT
        line = line_of(known.accepted, source=known.admission.line.source if known.admission else "")
        return replace(line, subject=subject, outcome=outcome, note=f"from {archive}")

    def strangers(self) -> Iterator[Line]:
        """Yield what lies where only packages should, and no distribution has; when all have their lines.

        Among an environment's scripts it is a warning: other tools put theirs there. So is a module of
        virtualenv's that is not known: there will be others; and an ``__init__`` of what has no receipt.
        """
        if not self._sites:
            return
        checked = [each for each in self._around.distributions if each in self._checked]
        scripts = {layout_of(site).scripts for site in self._around.sites}
        beside = list[str]()
        for each in strangers(self._around, checked):
            if Path(each.subject).parent in scripts:
                beside.append(Path(each.subject).name)
            elif Path(each.subject).name == PATCH:
                self._warn(f"{each.subject} is none that virtualenv is known to make")
            elif each.fault is not None:
                yield _refused(each.subject, each.fault)
        if beside:
            self._warn(f"no distribution has {_named(beside)} among the environment's scripts")
        if before := self._strange_packages([each for each in checked if each in self._verified]):
            self._warn(
                f"Python runs {_named(before)} before modules of a verified package; no other one has it"
            )

    def _warn(self, text: str) -> None:
        self._run.ledger.warn(f"{text} [changed-after-install]")

    def _strange_packages(self, verified: list[InstalledDistribution]) -> list[str]:
        """Return what is run before verified modules, and no verified package has.

        Only where there is such a file the other packages are looked at that an earlier run has installed.
        """
        found = frozenset(strange_packages(self._around, verified))
        if found:
            others = filter(self._is_verified, self._around.distributions)
            found &= frozenset(strange_packages(self._around, (*verified, *others)))
        return sorted(map(str, found))

    def _is_verified(self, distribution: InstalledDistribution) -> bool:
        known = _look(self._run, distribution.site / distribution.folder)
        return known is not None and known.accepted is not None and self._compared(known).fault is None

    def _compared(self, known: _Known) -> Comparison:
        now = None if known.accepted is None else self._receipt_now(known, known.accepted)
        archive = None if known.accepted is None else archive_of(known.accepted)
        found = check_installed(known.distribution, known.receipt, archive, self._archives, now=now)
        if found.fault is None or found.fault.code != "changed-after-install":
            return found
        # Another package may have brought the file; which others there are is not known until now.
        return check_installed(known.distribution, known.receipt, archive, self._all, now=now)

    def _receipt_now(self, known: _Known, accepted: Accepted) -> Receipt:
        evidence = None if known.admission is None else known.admission.evidence
        if evidence is not None and isinstance(known.receipt, Receipt) and known.receipt.evidence is not None:
            evidence = known.receipt.evidence  # the vault may have got other evidence since
        return receipt_of(accepted, evidence, self._run.trust)

    @cached_property
    def _around(self) -> Snapshot:
        # Where its own packages are, too: what its Python says of places, a .pth there may have changed.
        return snapshot((), sites=(*self._sites, *self._further))

    @cached_property
    def _all(self) -> tuple[AcceptedArchive, ...]:
        """Every archive of these environments that is accepted again."""
        judged = {each.digest for each in self._archives}
        found = list(self._archives)
        for distribution in self._around.distributions:
            receipt = find_receipt(distribution)
            if not isinstance(receipt, Receipt) or receipt.sha256 in judged:
                continue
            known = _look(self._run, distribution.site / distribution.folder)
            if known is not None and known.accepted is not None:
                found.append(archive_of(known.accepted))
        return tuple(found)


def _named(names: list[str]) -> str:
    return ", ".join(names[:_MOST_NAMED]) + (", …" if len(names) > _MOST_NAMED else "")


def _refused(subject: str, fault: Fault) -> Line:
    return line_of(Refused(subject=subject, failure=StepFailure(Step.DIGEST, fault)))
