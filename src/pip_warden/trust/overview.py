"""What a trust file pins, package by package and image by image: who or what, since when and until when."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from packaging.version import Version

from pip_warden.names import ProjectName
from pip_warden.oci.names import Repository
from pip_warden.trust.model import HashEntry, Identity, IdentityEntry, ImageEntry, TrustFile
from pip_warden.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class PinnedPackage:
    """A package, by identity or by hash; what is pinned by hash on other terms is another one.

    Attributes:
        project: Normalised project name.
        source: Name of its source.
        signers: Subjects of the identities that may sign it; empty by hash.
        triggers: What may start the pipeline that built it; empty by hash.
        releases: The releases that are pinned by hash, in order; empty by identity.
        reason: Why a hash is enough; ``""`` by identity.
        since: The first day (UTC) on which one of the signers may have signed; None where that is not bound.
        until: The last day (UTC) on which any of them may have signed, or on which the hash is enough; None
            for no end.
    """

    project: ProjectName
    source: str
    signers: tuple[str, ...] = ()
    triggers: tuple[str, ...] = ()
    releases: tuple[Version, ...] = ()
    reason: str = ""
    since: date | None = None
    until: date | None = None

    @property
    def is_by_hash(self) -> bool:
        """Return whether it is pinned by hash."""
        return not self.signers


@dataclass(frozen=True, kw_only=True, slots=True)
class PinnedImage:
    """The images of a repository.

    Attributes:
        repository: The repository.
        signers: As in :class:`PinnedPackage`; never empty.
        triggers: As in :class:`PinnedPackage`.
        since: As in :class:`PinnedPackage`.
        until: As in :class:`PinnedPackage`.
    """

    repository: Repository
    signers: tuple[str, ...]
    triggers: tuple[str, ...]
    since: date | None
    until: date | None


def pinned_images(trust: TrustFile) -> list[PinnedImage]:
    """Return the images that are pinned, sorted by name."""
    found = (_image(entry) for entry in trust.images)
    return sorted(found, key=lambda image: str(image.repository))


def pinned_packages(trust: TrustFile) -> list[PinnedPackage]:
    """Return what is pinned, sorted by name: by identity, then by hash."""
    signed = [_by_identity(entry) for entry in trust.entries if isinstance(entry, IdentityEntry)]
    found = [*signed, *_by_hash(entry for entry in trust.entries if isinstance(entry, HashEntry))]
    return sorted(found, key=lambda package: (package.project, package.releases))


def _by_identity(entry: IdentityEntry) -> PinnedPackage:
    since, until = _period(entry.identities)
    return PinnedPackage(
        project=entry.project,
        source=entry.source,
        signers=tuple(identity.subject.text for identity in entry.identities),
        triggers=tuple(sorted(entry.require.build_trigger)),
        since=since,
        until=until,
    )


def _image(entry: ImageEntry) -> PinnedImage:
    since, until = _period(entry.identities)
    return PinnedImage(
        repository=entry.repository,
        signers=tuple(identity.subject.text for identity in entry.identities),
        triggers=tuple(sorted(entry.require.build_trigger)),
        since=since,
        until=until,
    )


def _period(identities: Sequence[Identity]) -> tuple[date | None, date | None]:
    """Return the first and the last day of all identities; None where one of them has none."""
    begins = [identity.not_before for identity in identities]
    ends = [identity.not_after for identity in identities]
    return (
        None if None in begins else min(filter(None, begins)),
        None if None in ends else max(filter(None, ends)),
    )


def _by_hash(entries: Iterable[HashEntry]) -> Iterator[PinnedPackage]:
    same: dict[tuple[ProjectName, str, str, date | None], list[Version]] = {}
    for entry in entries:
        same.setdefault((entry.project, entry.source, entry.reason, entry.expires), []).append(entry.version)
    for (project, source, reason, expires), releases in same.items():
        yield PinnedPackage(
            project=project, source=source, releases=tuple(sorted(releases)), reason=reason, until=expires
        )
