"""What a run with a trust file uses: one HTTP client, one cache, one private directory, and its gates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pip_warden._sigstore.rekor import Hashedrekord
from pip_warden._sigstore.wire import LogEntry
from pip_warden.artifact.model import Artifact
from pip_warden.events import Reporter
from pip_warden.evidence.locate import refuse_lookup
from pip_warden.gate import Gate, GateParts
from pip_warden.report.ledger import Ledger
from pip_warden.supply import OfflineSupply, RegistrySupply, look_up
from pip_warden.transport import Transport
from pip_warden.trust.model import TrustFile
from pip_warden.trust.roots import PinnedRoots
from pip_warden.vault import Vault


@dataclass(frozen=True, kw_only=True, slots=True)
class Session:
    """An open session; its opener closes it.

    Attributes:
        trust: The trust file.
        roots: Its trusted roots.
        transport: The HTTP client.
        vault: Where accepted files are kept.
        workspace: A private directory of this run.
        reporter: Receives progress.
        is_offline: Whether the vault is used instead of the network.
    """

    trust: TrustFile
    roots: PinnedRoots
    transport: Transport
    vault: Vault
    workspace: Path
    reporter: Reporter
    is_offline: bool = False

    def gate(
        self,
        ledger: Ledger,
        *,
        trust: TrustFile | None = None,
        read_again: Callable[[Artifact], Artifact] | None = None,
        fresh: bool = False,
    ) -> Gate:
        """Make a gate, a context manager.

        Args:
            ledger: Records every request.
            trust: Another trust file with the same sources and roots; else the session's own.
            read_again: As in :class:`~pip_warden.gate.GateParts`.
            fresh: As in :class:`~pip_warden.gate.GateParts`.
        """
        trust = trust or self.trust
        supply = (
            OfflineSupply(trust=trust, vault=self.vault)
            if self.is_offline
            else RegistrySupply(trust=trust, roots=self.roots, transport=self.transport)
        )
        means = GateParts(
            trust=trust,
            roots=self.roots,
            supply=supply,
            vault=self.vault,
            workspace=self.workspace,
            reporter=self.reporter,
            read_again=read_again,
            fresh=fresh,
        )
        return Gate(means, ledger)

    def find_entry(self, wanted: Hashedrekord) -> LogEntry | None:
        """Look up a local file's detached signature in the logs of the trusted roots.

        Offline it is looked up in the vault, which has the entries that were found before.

        Raises:
            UndecidedError: A log could not be searched.
        """
        if self.is_offline:
            return self.vault.entry(wanted) or refuse_lookup(wanted)
        return look_up(self.transport, self.roots, self.roots, wanted)
