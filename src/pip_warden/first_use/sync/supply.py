"""Keeps what is fetched of one package, so that a file that is looked at and then confirmed comes once."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from pip_warden.artifact.model import Artifact
from pip_warden.digests import Digest
from pip_warden.evidence.model import BadItem, Item
from pip_warden.first_use.observe import SignerObserver
from pip_warden.index.candidate import Candidate, IndexPage
from pip_warden.names import ProjectName
from pip_warden.supply import GateSupply
from pip_warden.supply.ahead import Background, EvidenceAhead
from pip_warden.supply.provenance import Provenances
from pip_warden.transport import Transport
from pip_warden.trust.model import Entry, IdentityEntry, Probe, TrustFile


def keeping(observer: SignerObserver, transport: Transport) -> tuple[SignerObserver, KeptSupply]:
    """Return an observer of one package that fetches through a supply which keeps that, and the supply."""
    kept = KeptSupply(
        observer.supply, trust=observer.trust, transport=transport, workspace=observer.workspace
    )
    return replace(observer, supply=kept), kept


class KeptSupply:
    """A supply for one package, used by one thread.

    Args:
        supply: Where everything comes from.
        trust: The trust file.
        transport: The HTTP client.
        workspace: A private directory, in which files are kept.
    """

    def __init__(
        self, supply: GateSupply, *, trust: TrustFile, transport: Transport, workspace: Path
    ) -> None:
        self._supply = supply
        self._trust = trust
        self._provenances = Provenances(transport, EvidenceAhead())
        self._workspace = workspace
        self._page: IndexPage | None = None
        self._files: dict[Candidate, Artifact] = {}
        self._found: dict[Candidate, tuple[Item | BadItem, ...]] = {}

    def digest_of(self, candidate: Candidate) -> Digest | None:
        """Return the digest of a file that was fetched and is kept."""
        artifact = self._files.get(candidate)
        return None if artifact is None else artifact.digest

    def proves_nothing(self, candidate: Candidate) -> bool:
        """Return whether there is evidence for a file of a simple index, and none of it can be read."""
        found = self._found.get(candidate, ())
        return bool(found) and not any(isinstance(each, Item) for each in found)

    def forget_files(self) -> None:
        """Remove the files that were kept: all of a project's may be large."""
        files, self._files = self._files, {}
        for artifact in files.values():
            shutil.rmtree(artifact.path.parent, ignore_errors=True)

    def page(self, project: ProjectName, entry: Entry | Probe) -> IndexPage:
        """Fetch the package's page, once."""
        if self._page is None:
            self._page = self._supply.page(project, entry)
        return self._page

    def receive(self, candidate: Candidate, directory: Path) -> Artifact:  # noqa: ARG002 -- it is removed
        """Fetch a file into a directory that stays, once."""
        if candidate not in self._files:
            own = Path(tempfile.mkdtemp(dir=self._workspace))
            self._files[candidate] = self._supply.receive(candidate, own)
        return self._files[candidate]

    def expect_evidence(
        self, candidate: Candidate, entry: IdentityEntry | Probe, background: Background
    ) -> None:
        """Start nothing: what is looked at here is asked for at once."""

    def evidence(
        self, candidate: Candidate, artifact: Artifact, entry: IdentityEntry | Probe
    ) -> Iterator[Item | BadItem]:
        """Find evidence; of a simple index, once."""
        if self._trust.source(entry.source).type == "simple":
            return iter(self.attestations(candidate, entry))
        return self._supply.evidence(candidate, artifact, entry)

    def attestations(self, candidate: Candidate, entry: IdentityEntry | Probe) -> tuple[Item | BadItem, ...]:
        """Return the attestations of a file of a simple index, which needs not be fetched for that.

        Raises:
            UndecidedError: It could not be told whether there are any.
        """
        if candidate not in self._found:
            source = self._trust.source(entry.source)
            self._found[candidate] = tuple(self._provenances.find(candidate, source))
        return self._found[candidate]
