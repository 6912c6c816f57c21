"""What one run of ``trust update`` or ``trust prune`` works with."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

from pip_warden.errors import UndecidedError
from pip_warden.events import SILENT
from pip_warden.first_use.draft import Draft
from pip_warden.first_use.observe import SignerObserver
from pip_warden.first_use.task import PinRequest, Prompt, Task
from pip_warden.first_use.upkeep.exempted import Exempted
from pip_warden.index.candidate import Candidate
from pip_warden.session.mirrors import mirrored
from pip_warden.supply import RegistrySupply
from pip_warden.transport import Transport
from pip_warden.trust.model import TrustFile
from pip_warden.values import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class Upkeep:
    """What one run works with.

    Attributes:
        draft: The trust file as it will be.
        transport: The HTTP client.
        workspace: A private directory of this run.
        now: The time of the run, aware.
        person: The person who is shown the findings, and asked.
        mirrors: URL of the mirror of a source, by the source's name.
        is_offline: Fetch no trusted root.
    """

    draft: Draft
    transport: Transport
    workspace: Path
    now: datetime
    person: Prompt
    mirrors: Mapping[str, str] = field(default_factory=dict)
    is_offline: bool = False

    @property
    def today(self) -> date:
        """Return the day (UTC)."""
        return self.now.date()

    def trust(self) -> TrustFile:
        """Return the trust file as drafted so far, with this machine's mirrors."""
        return mirrored(self.draft.trust(), self.mirrors)

    def supply(self) -> RegistrySupply:
        """Return where pages, files and evidence come from."""
        return RegistrySupply(trust=self.trust(), roots=self.draft.roots(), transport=self.transport)

    def observer(self, supply: RegistrySupply) -> SignerObserver:
        """Return who looks at packages; several threads may have one each."""
        return SignerObserver(
            trust=self.trust(),
            roots=self.draft.roots(),
            supply=supply,
            workspace=self.workspace,
            today=self.today,
            reporter=SILENT,
        )

    def task(self, package: Exempted) -> Task:
        """Return the task of pinning who signs a package, at a terminal."""
        return Task(
            wanted=PinRequest(names=(str(package.project),)),
            source=self.draft.trust().source(package.probe.source),
            draft=self.draft,
            transport=self.transport,
            workspace=self.workspace,
            today=self.today,
            person=self.person,
            is_offline=self.is_offline,
            mirrors=self.mirrors,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """Whether there is evidence for a release, which nothing has proved.

    Attributes:
        is_there: Whether something is.
        unknown: Why that could not be told; None where it could.
    """

    is_there: bool = False
    unknown: UndecidedError | None = None


def evidence_for(candidate: Candidate, supply: RegistrySupply) -> Evidence:
    """Ask whether a simple index has something that speaks for a file; what it is worth is seen later."""
    try:
        return Evidence(is_there=supply.has_provenance(candidate))
    except UndecidedError as err:
        return Evidence(unknown=err)
