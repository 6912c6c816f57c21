"""The vault as a supply, for a run without a network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pip_warden.artifact.model import Artifact
from pip_warden.digests import Digest
from pip_warden.errors import NetworkError
from pip_warden.evidence.model import BadItem, Item
from pip_warden.index.candidate import Candidate, IndexPage
from pip_warden.names import ArtifactName, ProjectName
from pip_warden.supply.ahead import Background
from pip_warden.supply.own_page import own_page
from pip_warden.trust.model import Entry, HashEntry, IdentityEntry, Probe, TrustFile
from pip_warden.vault import Vault


class OfflineSupply:
    """The vault as a supply. Every file is judged again, from its stored evidence.

    A stored file has no page any more: it is listed on an :func:`~pip_warden.supply.own_page.own_page`.

    Args:
        trust: The trust file.
        vault: The vault.
    """

    def __init__(self, *, trust: TrustFile, vault: Vault) -> None:
        self._trust = trust
        self._vault = vault

    def page(self, project: ProjectName, entry: Entry | Probe) -> IndexPage:
        """List what the vault holds of a project.

        Raises:
            NetworkError: ``offline``: it holds nothing.
        """
        files = [held for held in self._vault.names(project) if self._may_be_meant(*held)]
        if not files:
            raise _offline(f"a file of {project} in the cache")
        return own_page(project, self._trust.source(entry.source), entry, files)

    def _may_be_meant(self, name: ArtifactName, digest: Digest) -> bool:
        """Return whether a stored file can be the one of its name: only a pinned digest can exclude it."""
        entry = self._trust.entry_for(name.project, name.version)
        pinned = entry.digest_for(name.filename) if isinstance(entry, HashEntry) else None
        return pinned is None or digest.matches(pinned)

    def receive(self, candidate: Candidate, directory: Path) -> Artifact:
        """Return a copy of a stored file, hashed and inspected anew.

        Raises:
            NetworkError: ``offline``: it is not there, or is another one.
        """
        digest = candidate.claimed_sha256
        stored = self._vault.find(digest, candidate.name, directory) if digest is not None else None
        if stored is None:
            raise _offline(f"{candidate.name} in the cache with the digest it was kept under")
        return stored.artifact

    def expect_evidence(
        self, candidate: Candidate, entry: IdentityEntry | Probe, background: Background
    ) -> None:
        """Do nothing: it is asked for when it is needed."""

    def evidence(
        self,
        candidate: Candidate,  # noqa: ARG002 -- nothing is fetched
        artifact: Artifact,
        entry: IdentityEntry | Probe,  # noqa: ARG002
    ) -> Iterator[Item | BadItem]:
        """Return the stored evidence."""
        return iter(self._vault.evidence(artifact.digest))


def _offline(expected: str) -> NetworkError:
    return NetworkError(
        "offline", f"expected {expected}, found none", hint="Run it once without --offline to fill the cache."
    )
