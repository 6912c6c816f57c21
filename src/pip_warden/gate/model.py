"""What judging works with, and its result."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

from pip_warden.artifact.model import Artifact
from pip_warden.digests import Digest
from pip_warden.events import SILENT, Reporter
from pip_warden.gate.guess import TargetFacts
from pip_warden.measures import UNMEASURED, Measures
from pip_warden.report.model import Line
from pip_warden.supply import GateSupply
from pip_warden.transport.speculation import Allowance
from pip_warden.trust.model import TrustFile
from pip_warden.trust.roots import PinnedRoots
from pip_warden.values import dataclass, field
from pip_warden.vault import Postponed, Sealed, Vault


@dataclass(frozen=True, kw_only=True, slots=True)
class GateParts:
    """What a gate works with.

    Attributes:
        trust: The trust file.
        roots: Its trusted roots, read and checked at first use.
        supply: Where pages, files and evidence come from.
        vault: Where accepted files are kept.
        workspace: A private directory of this run.
        today: The day (UTC) of the run: exemptions must not have ended.
        reporter: Receives progress.
        measures: Told what a run costs.
        read_again: Checks a file with the interpreter that will read it too, where that is not ours.
        allowance: What may be spent on what nobody asked for.
        facts: Finds out what is known of the Python that is installed into, for look-ahead.
        fresh: Get every file and its evidence from the supply, even where the vault has them: what a registry
            holds *now* is in question.
        postponed: Takes files that the vault may have later, the large ones when the gate is closed; None
            where they are needed longer.
        settled: None to hear no more evidence than a verdict needs. Else all of it is heard, for what it
            says, and the path of each file that has a verdict is put in.
    """

    trust: TrustFile
    roots: PinnedRoots
    supply: GateSupply
    vault: Vault
    workspace: Path
    today: date
    reporter: Reporter = SILENT
    measures: Measures = UNMEASURED
    read_again: Callable[[Artifact], Artifact] | None = None
    allowance: Allowance = field(default_factory=Allowance)
    facts: Callable[[], TargetFacts] = TargetFacts
    fresh: bool = False
    postponed: Postponed | None = None
    settled: set[Path] | None = field(default=None, hash=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Admission:
    """The gate's decision about one file: a sealed file only where the verdict is Accepted.

    Attributes:
        line: The report's line about it.
        sealed: The file.
        evidence: The digest of what speaks for it, as the vault keeps that; None where a hash is enough.
    """

    line: Line
    sealed: Sealed | None
    evidence: Digest | None = None
