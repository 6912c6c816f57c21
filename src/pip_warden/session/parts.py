"""What a run with a trust file uses: one HTTP client, one cache, one private directory, and its gates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

from pip_warden._sigstore.rekor import Hashedrekord
from pip_warden._sigstore.wire import LogEntry
from pip_warden.artifact.model import Artifact
from pip_warden.events import Reporter
from pip_warden.evidence.locate import refuse_lookup
from pip_warden.gate import Gate, GateParts, TargetFacts
from pip_warden.measures import UNMEASURED, Measures
from pip_warden.report.ledger import Ledger
from pip_warden.session.settings import Settings, today
from pip_warden.supply import GateSupply, OfferedSupply, OfflineSupply, RegistrySupply, Supply, look_up
from pip_warden.transport import Transport
from pip_warden.trust.model import TrustFile
from pip_warden.trust.roots import PinnedRoots
from pip_warden.values import dataclass, field
from pip_warden.vault import Postponed, Vault


@dataclass(frozen=True, kw_only=True, slots=True)
class SessionParts:
    """The parts of an open session; its opener closes it.

    Attributes:
        trust: The trust file.
        roots: Its trusted roots.
        transport: The HTTP client.
        vault: Where accepted files are kept.
        workspace: A private directory of this run.
        reporter: Receives progress.
        settings: How network, cache and credentials are used.
        supply: A program's own source of pages, files and evidence; None for the trust file's sources.
        measures: Told what a run costs.
        today: The day (UTC) on which it was opened, by the settings' clock.
    """

    trust: TrustFile
    roots: PinnedRoots
    transport: Transport
    vault: Vault
    workspace: Path
    reporter: Reporter
    settings: Settings = field(default_factory=Settings)
    supply: Supply | None = None
    measures: Measures = UNMEASURED
    today: date = field(init=False)

    def __post_init__(self) -> None:
        # Asked once: no file of a run is judged on another day than the one before it.
        object.__setattr__(self, "today", today(self.settings))

    @property
    def is_offline(self) -> bool:
        """Return whether the vault stands in for the network."""
        return self.settings.offline

    def gate(
        self,
        ledger: Ledger,
        *,
        trust: TrustFile | None = None,
        read_again: Callable[[Artifact], Artifact] | None = None,
        facts: Callable[[], TargetFacts] = TargetFacts,
        fresh: bool = False,
        postpones: bool = False,
        settled: set[Path] | None = None,
    ) -> Gate:
        """Make a gate, a context manager.

        Args:
            ledger: Records every request.
            trust: Another trust file with the same sources and roots; else the session's own.
            read_again: As in :class:`~pip_warden.gate.GateParts`.
            facts: As in :class:`~pip_warden.gate.GateParts`.
            fresh: As in :class:`~pip_warden.gate.GateParts`.
            postpones: Whether the vault takes large files when the gate is closed: nobody may need them then.
            settled: As in :class:`~pip_warden.gate.GateParts`.
        """
        trust = trust or self.trust
        parts = GateParts(
            trust=trust,
            roots=self.roots,
            supply=self.gate_supply(trust, settled),
            vault=self.vault,
            workspace=self.workspace,
            today=self.today,
            reporter=self.reporter,
            measures=self.measures,
            read_again=read_again,
            allowance=self.transport.allowance,
            facts=facts,
            fresh=fresh,
            postponed=Postponed() if postpones else None,
            settled=settled,
        )
        return Gate(parts, ledger)

    def gate_over(self, supply: GateSupply, ledger: Ledger) -> Gate:
        """Make a gate over another supply, which judges every file of it and hears all evidence.

        Args:
            supply: Where pages, files and evidence come from.
            ledger: Records every request.
        """
        parts = GateParts(
            trust=self.trust,
            roots=self.roots,
            supply=supply,
            vault=self.vault,
            workspace=self.workspace,
            today=self.today,
            reporter=self.reporter,
            measures=self.measures,
            allowance=self.transport.allowance,
            fresh=True,
            settled=set(),
        )
        return Gate(parts, ledger)

    def gate_supply(self, trust: TrustFile, settled: set[Path] | None = None) -> GateSupply:
        """Return where pages, files and evidence come from: a program's own source, the vault, or registries.

        Args:
            trust: A trust file with the session's sources and roots.
            settled: As in :class:`~pip_warden.gate.GateParts`.
        """
        if self.supply is not None:
            return OfferedSupply(self.supply, trust=trust, measures=self.measures)
        if self.is_offline:
            return OfflineSupply(trust=trust, vault=self.vault)
        return RegistrySupply(
            trust=trust,
            roots=self.roots,
            transport=self.transport,
            measures=self.measures,
            settled=frozenset() if settled is None else settled,
        )

    def find_entry(self, wanted: Hashedrekord) -> LogEntry | None:
        """Look up a local file's detached signature in the logs of the trusted roots.

        Offline it is looked up in the vault, which has the entries that were found before.

        Raises:
            UndecidedError: A log could not be searched.
        """
        if self.is_offline:
            return self.vault.entry(wanted) or refuse_lookup(wanted)
        return look_up(self.transport, self.roots, self.roots, wanted)
