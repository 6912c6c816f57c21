"""The interface through which the gate gets pages, files and evidence."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from pip_warden.artifact.model import Artifact
from pip_warden.evidence.model import BadItem, Item
from pip_warden.index.candidate import Candidate, IndexPage
from pip_warden.names import ProjectName
from pip_warden.supply.ahead import Background
from pip_warden.trust.model import Entry, IdentityEntry, Probe

LARGEST_FILE = 5 << 30
"""Bytes; GitLab's own limit on gitlab.com."""


class GateSupply(Protocol):
    """Provides the gate with pages, files and evidence."""

    def page(self, project: ProjectName, entry: Entry | Probe) -> IndexPage:
        """Fetch a project's page from the source its entry names.

        Raises:
            UndecidedError: It could not be fetched or read.
        """

    def receive(self, candidate: Candidate, directory: Path) -> Artifact:
        """Fetch a file into a private directory and inspect it.

        Raises:
            UndecidedError: It could not be fetched whole.
        """

    def expect_evidence(
        self, candidate: Candidate, entry: IdentityEntry | Probe, background: Background
    ) -> None:
        """Start to fetch evidence that :meth:`evidence` will probably ask for; it changes no answer."""

    def evidence(
        self, candidate: Candidate, artifact: Artifact, entry: IdentityEntry | Probe
    ) -> Iterator[Item | BadItem]:
        """Find evidence, best form first; each item is fetched when the iterator reaches it.

        Raises:
            UndecidedError: It could not be determined whether there is an item.
        """
