"""A vault that keeps nothing: for judging alone, which leaves nothing behind."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from pip_warden._sigstore.rekor import Hashedrekord
from pip_warden._sigstore.wire import LogEntry
from pip_warden.digests import Digest
from pip_warden.evidence.model import Evidence
from pip_warden.names import ArtifactName, ProjectName
from pip_warden.vault.postponed import Postponed
from pip_warden.vault.sealed import Sealed, sealed_as
from pip_warden.vault.store import StoredFile, Vault
from pip_warden.verdict.model import Accepted


class NoVault(Vault):
    """Keeps nothing, finds nothing and needs no directory."""

    def __init__(self) -> None:  # no directory is looked at
        pass

    def seal(
        self,
        accepted: Accepted,
        *,
        evidence: Evidence,  # noqa: ARG002 -- it is not kept
        postponed: Postponed | None = None,  # noqa: ARG002
    ) -> Sealed:
        """Return what is handed over of a file that was accepted."""
        return sealed_as(accepted)

    def may_have(self, digest: Digest | None, name: ArtifactName) -> bool:  # noqa: ARG002
        """Have nothing."""
        return False

    def find(self, digest: Digest, name: ArtifactName, directory: Path) -> StoredFile | None:  # noqa: ARG002
        """Find nothing."""
        return None

    def evidence(self, digest: Digest) -> Evidence:  # noqa: ARG002
        """Find nothing."""
        return ()

    def entry(self, wanted: Hashedrekord) -> LogEntry | None:  # noqa: ARG002
        """Find nothing."""
        return None

    def recall(self, request: str) -> tuple[ArtifactName, ...]:  # noqa: ARG002
        """Remember nothing."""
        return ()

    def remember(self, request: str, taken: Iterable[ArtifactName]) -> None:
        """Remember nothing."""

    def names(self, project: ProjectName) -> Iterator[tuple[ArtifactName, Digest]]:  # noqa: ARG002
        """Find nothing."""
        return iter(())
