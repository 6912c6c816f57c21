"""What is pinned by hash, package by package, and how much of it stays. Nothing is fetched."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date

from packaging.version import Version

from pip_warden.names import ProjectName
from pip_warden.trust.editing.hash_tables import Files
from pip_warden.trust.model import HashEntry, Probe, TrustFile
from pip_warden.trust.suggest import nothing_to_change
from pip_warden.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Exempted:
    """A package of which releases are pinned by hash.

    Attributes:
        project: Normalised name.
        probe: Where its pages are.
        releases: The files of each release; never empty.
        last_day: The last day (UTC) of the newest release's exemption, None for no end.
        is_signed: It is pinned by identity too, which decides about its other releases.
    """

    project: ProjectName
    probe: Probe
    releases: Mapping[Version, Files]
    last_day: date | None
    is_signed: bool

    @property
    def newest(self) -> Version:
        """Return the newest release that is pinned."""
        return max(self.releases)


def exempted_packages(trust: TrustFile, names: Iterable[ProjectName] = ()) -> tuple[Exempted, ...]:
    """Return the packages that are pinned by hash, by name.

    Args:
        trust: The trust file.
        names: Only these; empty for all.

    Raises:
        UsageError: ``not-in-trust-file``: a name is not pinned at all.
    """
    wanted = frozenset(names)
    for name in sorted(wanted):
        if not trust.entries_of(name):
            raise nothing_to_change(name, trust)
    found: dict[ProjectName, list[HashEntry]] = {}
    for entry in trust.entries:
        if isinstance(entry, HashEntry) and (not wanted or entry.project in wanted):
            found.setdefault(entry.project, []).append(entry)
    return tuple(_package(trust, found[project]) for project in sorted(found))


def kept(pinned: Iterable[Version], needed: Collection[Version], keep: int) -> list[Version]:
    """Return the releases that stay although nothing needs them: the newest before those that are needed.

    Args:
        pinned: The releases that are pinned.
        needed: Those that are needed.
        keep: How many may stay.
    """
    newest = max(needed, default=None)
    older = (each for each in pinned if each not in needed and (newest is None or each < newest))
    return sorted(older, reverse=True)[:keep]


def _package(trust: TrustFile, entries: list[HashEntry]) -> Exempted:
    newest = max(entries, key=lambda entry: entry.version)
    place = trust.page_entry(newest.project) or newest
    return Exempted(
        project=newest.project,
        probe=Probe(
            project=newest.project,
            source=place.source,
            registry=place.registry,
            registry_id=place.registry_id,
        ),
        releases={entry.version: entry.files for entry in sorted(entries, key=lambda each: each.version)},
        last_day=newest.expires,
        is_signed=trust.identity_entry(newest.project) is not None,
    )
