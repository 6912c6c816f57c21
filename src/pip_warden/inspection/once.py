"""Places of files and evidence that are read once: what is told and what is judged are the same bytes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from pip_warden.artifact.model import Artifact
from pip_warden.evidence.locate import EvidenceStore
from pip_warden.evidence.model import BadItem, Evidence, Item
from pip_warden.index.candidate import Candidate, IndexPage
from pip_warden.names import ProjectName
from pip_warden.supply import GateSupply
from pip_warden.supply.ahead import Background
from pip_warden.trust.model import Entry, IdentityEntry, Probe


class StoreReadOnce:
    """A place of evidence whose files are read once."""

    def __init__(self, inner: EvidenceStore) -> None:
        self._inner = inner
        self._read: dict[str, bytes | None] = {}
        self._listed: dict[str, Sequence[str] | None] = {}

    def fetch(self, name: str, *, max_bytes: int) -> bytes | None:
        """Return the content of a name, as it was when it was asked for first."""
        if name not in self._read:
            self._read[name] = self._inner.fetch(name, max_bytes=max_bytes)
        return self._read[name]

    def rows(self, name: str, *, max_bytes: int) -> Iterator[tuple[str, bytes]]:  # noqa: ARG002
        """Yield nothing: it is of a directory, which has one file of a name."""
        return iter(())

    def names(self, prefix: str) -> Sequence[str] | None:
        """Return the names with a prefix, as they were when they were asked for first."""
        if prefix not in self._listed:
            self._listed[prefix] = self._inner.names(prefix)
        return self._listed[prefix]


class SupplyReadOnce:
    """A supply of which each page, file and item of evidence is fetched once.

    It is first looked at, one file after the other, and then judged from: no two threads fetch at once.

    Args:
        inner: Where they come from.
        workspace: A private directory: each file stays there.
    """

    def __init__(self, inner: GateSupply, workspace: Path) -> None:
        self._inner = inner
        self._workspace = workspace
        self._pages: dict[ProjectName, IndexPage] = {}
        self._files: dict[Candidate, Artifact] = {}
        self._evidence: dict[Candidate, Evidence] = {}

    def page(self, project: ProjectName, entry: Entry | Probe) -> IndexPage:
        """Fetch a project's page."""
        if project not in self._pages:
            self._pages[project] = self._inner.page(project, entry)
        return self._pages[project]

    def receive(self, candidate: Candidate, directory: Path) -> Artifact:  # noqa: ARG002
        """Fetch a file into the workspace."""
        if candidate not in self._files:
            own = self._workspace / f"file-{len(self._files)}"
            own.mkdir(mode=0o700)
            self._files[candidate] = self._inner.receive(candidate, own)
        return self._files[candidate]

    def expect_evidence(
        self, candidate: Candidate, entry: IdentityEntry | Probe, background: Background
    ) -> None:
        """Do nothing: it is here by then."""

    def evidence(
        self, candidate: Candidate, artifact: Artifact, entry: IdentityEntry | Probe
    ) -> Iterator[Item | BadItem]:
        """Fetch all evidence of a file."""
        if candidate not in self._evidence:
            self._evidence[candidate] = tuple(self._inner.evidence(candidate, artifact, entry))
        return iter(self._evidence[candidate])
