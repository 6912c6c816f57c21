"""A trust file's content as values; the other modules of this package read and write it."""

from __future__ import annotations

from collections.abc import KeysView, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from types import MappingProxyType

from packaging.version import Version

from pip_warden.digests import Digest
from pip_warden.names import ProjectName
from pip_warden.oci.names import Repository
from pip_warden.trust.signer import USUAL, Identity, Requirements
from pip_warden.trust.source import COMMAND_LINE, DEFAULT_EVIDENCE, Source
from pip_warden.values import dataclass, field

__all__ = [
    "COMMAND_LINE",
    "DEFAULT_EVIDENCE",
    "Entry",
    "HashEntry",
    "Identity",
    "IdentityEntry",
    "ImageEntry",
    "Probe",
    "Requirements",
    "Revocation",
    "RootPin",
    "Source",
    "TrustFile",
]


@dataclass(frozen=True, kw_only=True, slots=True)
class RootPin:
    """A Sigstore trusted root, pinned by digest.

    Attributes:
        name: ``"default"`` for the table ``[sigstore]``, else X of ``[sigstore.X]``.
        path: The file, resolved against the trust file's directory.
        sha256: The digest its bytes must have.
        issuers: The OIDC issuers that it is trusted for; never empty.
    """

    name: str
    path: Path
    sha256: Digest
    issuers: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class IdentityEntry:
    """A package pinned by identity.

    Attributes:
        project: Normalised project name.
        source: Name of its source.
        registry: Path (``group/project``) or numeric id of the registry project; None for a ``simple``
            source.
        registry_id: The registry project's numeric id, where recorded: file URLs must have it.
        evidence: The package's own evidence templates; empty means the source's.
        identities: The allowed signers; never empty.
        require: Further requirements of the certificate.
    """

    project: ProjectName
    source: str
    identities: tuple[Identity, ...]
    registry: str | None = None
    registry_id: int | None = None
    evidence: tuple[str, ...] = ()
    require: Requirements = USUAL


@dataclass(frozen=True, kw_only=True, slots=True)
class HashEntry:
    """One version of a package pinned by hash: this proves *what*, not *who*.

    Attributes:
        project: Normalised project name.
        version: The version.
        source: Name of its source.
        registry: As in :class:`IdentityEntry`.
        registry_id: As in :class:`IdentityEntry`.
        files: ``(file name, digest)`` of every file allowed; never empty.
        reason: Why a hash is enough, the package's own or its source's; never empty.
        expires: The last day (UTC) on which it is enough; None for no end.
        demanded: What is demanded of a signer, which no hash can show; only ever given on a command line.
    """

    project: ProjectName
    version: Version
    source: str
    files: tuple[tuple[str, Digest], ...]
    reason: str
    registry: str | None = None
    registry_id: int | None = None
    expires: date | None = None
    demanded: tuple[str, ...] = ()
    _digests: Mapping[str, Digest] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Every file that an index lists is looked up here.
        object.__setattr__(self, "_digests", MappingProxyType(dict(self.files)))

    def digest_for(self, filename: str) -> Digest | None:
        """Return the digest pinned for a file name."""
        return self._digests.get(filename)

    def is_over(self, today: date) -> bool:
        """Return whether its last day is before a day (UTC)."""
        return self.expires is not None and self.expires < today


Entry = IdentityEntry | HashEntry


@dataclass(frozen=True, kw_only=True, slots=True)
class ImageEntry:
    """The images of a repository, pinned by identity (``[[image]]``).

    Attributes:
        repository: The repository.
        identities: The allowed signers; never empty.
        require: Further requirements of the certificate.
        realm: URL of the token service that credentials for the registry may be sent to, besides those that
            need no pin; None for no other.
    """

    repository: Repository
    identities: tuple[Identity, ...]
    require: Requirements = USUAL
    realm: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Probe:
    """A package for which no identity is pinned yet: where to look, and under which trusted root.

    Attributes:
        project: Normalised project name.
        source: Name of the source to query.
        root: Name of the trusted root to verify against.
        registry: As in :class:`IdentityEntry`.
        registry_id: As in :class:`IdentityEntry`.
        evidence: As in :class:`IdentityEntry`.
    """

    project: ProjectName
    source: str
    root: str = "default"
    registry: str | None = None
    registry_id: int | None = None
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Revocation:
    """What must not be installed any more (``[[revoked]]``): by digest, or by name, maybe with a version.

    Attributes:
        sha256: The digest revoked, where given.
        project: The project revoked, where given.
        version: The version revoked, None for every one.
        reason: Why; never empty.
    """

    reason: str
    sha256: Digest | None = None
    project: ProjectName | None = None
    version: Version | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class TrustFile:
    """A trust file that is valid as a whole.

    Attributes:
        path: Where it was read from.
        roots: Every pinned trusted root; may be empty only where no identity is pinned.
        sources: Every source.
        entries: Every package entry. All entries of one project name the same source.
        revoked: Every revocation; those by digest are of images, too.
        images: Every entry of images, in the order of their tables. None has the repository of another.
        tables: For each entry, which ``[[package]]`` it is of, counted from 0: releases pinned by hash may
            share one. Empty where the entries are of no file's text.
    """

    path: Path
    roots: tuple[RootPin, ...] = ()
    sources: tuple[Source, ...] = ()
    entries: tuple[Entry, ...] = ()
    revoked: tuple[Revocation, ...] = ()
    images: tuple[ImageEntry, ...] = ()
    tables: tuple[int, ...] = field(default=(), compare=False, repr=False)
    _by_project: Mapping[ProjectName, tuple[Entry, ...]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Every file that an index lists is looked up here.
        found: dict[ProjectName, list[Entry]] = {}
        for entry in self.entries:
            found.setdefault(entry.project, []).append(entry)
        by_project = {project: tuple(entries) for project, entries in found.items()}
        object.__setattr__(self, "_by_project", MappingProxyType(by_project))

    @property
    def projects(self) -> KeysView[ProjectName]:
        """Every project that is pinned."""
        return self._by_project.keys()

    def entries_of(self, project: ProjectName) -> tuple[Entry, ...]:
        """Return every entry of a project; empty where it is not pinned."""
        return self._by_project.get(project, ())

    def entry_for(self, project: ProjectName, version: Version) -> Entry | None:
        """Return the entry that decides a version: its hash entry, else the identity entry, else None."""
        for entry in self.entries_of(project):
            if isinstance(entry, HashEntry) and entry.version == version:
                return entry
        return self.identity_entry(project)

    def identity_entry(self, project: ProjectName) -> IdentityEntry | None:
        """Return the only entry that pins a project by identity, None where there is none."""
        return next((e for e in self.entries_of(project) if isinstance(e, IdentityEntry)), None)

    def image_entry(self, repository: Repository) -> ImageEntry | None:
        """Return the entry that pins the images of a repository, None where they are not pinned."""
        return next((each for each in self.images if each.repository == repository), None)

    @property
    def realms(self) -> dict[str, frozenset[str]]:
        """The token services that credentials may be sent to, by the registry that they are for."""
        found: dict[str, frozenset[str]] = {}
        for each in self.images:
            if each.realm is not None:
                registry = each.repository.registry
                found[registry] = found.get(registry, frozenset()) | {each.realm}
        return found

    def page_entry(self, project: ProjectName) -> Entry | None:
        """Return the entry that names the source of a project's page: the identity entry, else the first.

        It has everything that any of them records of the source.
        """
        entries = self.entries_of(project)
        if not entries:
            return None
        entry = self.identity_entry(project) or entries[0]
        recorded = next((each.registry_id for each in entries if each.registry_id is not None), None)
        return replace(entry, registry_id=recorded)

    def root(self, name: str) -> RootPin | None:
        """Return the trusted root with a name, None where there is none."""
        return next((root for root in self.roots if root.name == name), None)

    def source(self, name: str) -> Source:
        """Return the source with a name, which must exist.

        Raises:
            KeyError: There is none: a bug, since the file was validated as a whole.
        """
        return {source.name: source for source in self.sources}[name]
