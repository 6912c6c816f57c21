"""What a GitLab project's registries already have under the names that are to be published."""

from __future__ import annotations

import re
import tempfile

from pip_warden._sigstore.wire_reader import LARGEST_BUNDLE
from pip_warden.digests import Digest
from pip_warden.errors import RegistryError, UndecidedError
from pip_warden.evidence.locate import GenericPackage
from pip_warden.index.candidate import distinct
from pip_warden.index.gitlab import GitLab
from pip_warden.index.gitlab_urls import without_epoch
from pip_warden.index.simple import fetch_page
from pip_warden.names import ArtifactName
from pip_warden.transport import Transport
from pip_warden.trust.model import Source

_LARGEST_FILE = 5 << 30
_FILE = re.compile(r"/api/v4/projects/[0-9]+/packages/pypi/files/[0-9a-fA-F]{64}/[^/?#]+", re.ASCII)
"""Path of a file of the registry itself: newer GitLabs list what they forward on their own origin, too."""


class Published:
    """One GitLab project's registries, read.

    Args:
        transport: The HTTP client.
        instance: URL of the GitLab instance.
        project: The project's id or path.
    """

    def __init__(self, transport: Transport, instance: str, project: str) -> None:
        self._transport = transport
        self._instance = instance
        self._project = project
        self._gitlab = GitLab(transport, instance)

    def evidence(self, place: GenericPackage, name: str, *, size: int = 0) -> bytes | None:
        """Return the newest content under a name of the generic registry, None where there is none.

        That is what a download answers, and so what consumers meet first (GitLab keeps every row of a name).
        Content that is larger than any evidence is returned as ``b""``, which no evidence is.

        Args:
            place: The generic package.
            name: The name, as the local file spells it.
            size: How large one's own is, in bytes, where that may be larger than evidence.

        Raises:
            UndecidedError: It could not be told.
        """
        try:
            return self._gitlab.generic_get(
                self._project,
                place.package,
                place.version,
                without_epoch(name),
                max_bytes=max(size, LARGEST_BUNDLE),
                known_readable=True,
            )
        except UndecidedError as err:
            if err.code == "too-large":
                return b""
            raise

    def file(self, name: ArtifactName, digest: Digest) -> tuple[str, Digest] | None:
        """Return the name and digest of what is published for a file's name; None where nothing is.

        Bytes are fetched, as the index's digest is a claim. All files are looked at that an installer could
        take for this one: a second one, or the same name in another spelling, with other bytes would make
        consumers refuse the release; such a one is what is returned.

        Args:
            name: The file's name.
            digest: Its digest.

        Raises:
            UndecidedError: It could not be told.
        """
        try:
            source = Source(name="destination", type="gitlab", url=self._instance)
            # What is forwarded is not published here; and no index but this one is told the name.
            page = fetch_page(self._transport, name.project, source, self._project, stays_home=True)
        except RegistryError as err:
            if err.code == "page-missing":
                return None
            raise
        found = None
        for candidate in distinct(page.candidates):
            if candidate.name.choice != name.choice or not self._is_own(candidate.url):
                continue
            there = self._digest(candidate.url, candidate.name.filename)
            if not there.matches(digest):
                return candidate.name.filename, there
            if candidate.name.filename == name.filename:
                found = candidate.name.filename, there
        return found

    def _is_own(self, url: str) -> bool:
        return _FILE.fullmatch(url.removeprefix(self._instance)) is not None

    def _digest(self, url: str, label: str) -> Digest:
        with tempfile.TemporaryFile() as copy:
            return self._transport.download(url, to=copy, max_bytes=_LARGEST_FILE, label=label).digest
