"""An artifact: a file whose bytes are here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from packaging.version import Version

from pip_warden.digests import OTHERS, Digest, other_digests
from pip_warden.faults import Fault
from pip_warden.names import ArtifactName, ProjectName
from pip_warden.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Contents:
    """The statements of a strictly well-formed wheel or sdist.

    Attributes:
        project: Normalised ``Name`` of its METADATA or PKG-INFO.
        version: ``Version`` of the same.
        metadata: The bytes of METADATA or PKG-INFO.
        requires_python: ``Requires-Python`` of the same, None where absent.
        requires_dist: Every ``Requires-Dist``.
        tags: A wheel's ``Tag`` lines, expanded; empty for an sdist.
        build: A wheel's ``Build`` line, ``""`` where absent.
        build_requires: An sdist's ``[build-system] requires`` (the PEP 518 default where absent); empty for a
            wheel.
        direct_references: Every requirement (dependencies and build requirements, static ones included) that
            names a URL or path instead of a version.
    """

    project: ProjectName
    version: Version
    metadata: bytes
    requires_python: str | None = None
    requires_dist: tuple[str, ...] = ()
    tags: frozenset[str] = frozenset()
    build: str = ""
    build_requires: tuple[str, ...] = ()
    direct_references: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Artifact:
    """A wheel or sdist in a private directory, or at the user's own path.

    Attributes:
        name: The parsed file name.
        path: Where the bytes are.
        digest: SHA-256 computed over the bytes received.
        size: Bytes.
        contents: Its statements, or why it is not well-formed.
    """

    name: ArtifactName
    path: Path
    digest: Digest
    size: int
    contents: Contents | Fault

    @property
    def release(self) -> Version:
        """Its release: the version that its name says."""
        return self.name.version

    def is_called(self, claimed_name: str) -> bool:
        """Return whether a statement's name of a file is this one's."""
        return claimed_name == self.name.filename

    def has_digests(self, stated: Mapping[str, str]) -> bool:
        """Return whether the bytes have these other digests, and are still those that were received.

        Statements rarely have others than SHA-256, and hashing costs time: so the file is read again here,
        and only for a proved statement.

        Args:
            stated: Digests in hexadecimal, by their names; those that are not in
                :data:`~pip_warden.digests.OTHERS` cannot be computed here, and are passed over.

        Returns:
            Whether they do; False for a file that cannot be read.
        """
        known = {algorithm: value for algorithm, value in stated.items() if algorithm in OTHERS}
        if not known:
            return True
        try:
            sha256, found = other_digests(self.path, known)
        except OSError:
            return False
        return sha256.matches(self.digest) and found == known
