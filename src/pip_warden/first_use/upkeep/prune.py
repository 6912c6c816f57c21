"""Finds what the trust file need not pin any more, and whose exemption an identity could replace."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date

from packaging.version import Version

from pip_warden.digests import Digest
from pip_warden.errors import RefusedError
from pip_warden.evidence.model import Item
from pip_warden.first_use.by_identity import add_signer
from pip_warden.first_use.needs import Needs
from pip_warden.first_use.new_root import root_for
from pip_warden.first_use.observe import SignerObserver, representative
from pip_warden.first_use.side_by_side import side_by_side
from pip_warden.first_use.sync.supply import keeping
from pip_warden.first_use.task import Task
from pip_warden.first_use.upkeep.exempted import Exempted, exempted_packages
from pip_warden.first_use.upkeep.opened import Upkeep, evidence_for
from pip_warden.index.candidate import Candidate
from pip_warden.names import ProjectName
from pip_warden.supply import RegistrySupply
from pip_warden.trust.model import HashEntry, TrustFile
from pip_warden.values import dataclass
from pip_warden.verdict.listing import Listing


@dataclass(frozen=True, kw_only=True, slots=True)
class Removal:
    """A pin that may go.

    Attributes:
        project: The package.
        version: The release that is pinned by hash; None for every pin of the package.
        why: Why.
    """

    project: ProjectName
    version: Version | None
    why: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Offer:
    """An exemption of releases for which there is evidence now.

    Attributes:
        package: The package.
        versions: The releases, newest first.
    """

    package: Exempted
    versions: tuple[Version, ...]


def removals(trust: TrustFile, needs: Needs | None, today: date) -> tuple[Removal, ...]:
    """Return what nothing needs, where that is known, and what has ended; by name and version.

    Args:
        trust: The trust file.
        needs: What is needed; None where nothing says so.
        today: The day (UTC).
    """
    found: list[Removal] = []
    for project in sorted(trust.projects):
        needed = versions_of(needs, project)
        if needed == ():
            found.append(Removal(project=project, version=None, why="nothing needs it"))
            continue
        by_hash = (each for each in trust.entries_of(project) if isinstance(each, HashEntry))
        for entry in sorted(by_hash, key=lambda each: each.version):
            why = _why(entry, needed, today)
            if why and trust.identity_entry(project) is not None:
                why += "; a pinned signer decides from then on"
            if why:
                found.append(Removal(project=project, version=entry.version, why=why))
    return tuple(found)


def offers(upkeep: Upkeep, needs: Needs | None) -> tuple[Offer, ...]:
    """Return the exemptions of needed releases for which there is evidence now, by name.

    Raises:
        RefusedError: A page is refused.
        UndecidedError: A page could not be fetched, or it could not be told whether there is evidence.
    """
    packages = [
        each
        for each in exempted_packages(upkeep.draft.trust())
        if needs is None or set(versions_of(needs, each.project) or ()) & each.releases.keys()
    ]
    upkeep.person.step(f"asking for evidence of {len(packages)} packages")
    look = _Look(upkeep=upkeep, supply=upkeep.supply(), needs=needs)
    found = side_by_side(look.offer, packages)
    return tuple(offer for offer in found if offer.versions)


def pinned_files(listing: Listing, package: Exempted, version: Version) -> dict[Candidate, Digest]:
    """Return the files of a release on its page that are pinned by hash, each with the pinned digest."""
    pinned = dict(package.releases[version])
    listed = [each for each in listing.allowed if each.name.version == version]
    return {each: pinned[each.name.filename] for each in listed if each.name.filename in pinned}


def versions_of(needs: Needs | None, project: ProjectName) -> tuple[Version, ...] | None:
    """Return the versions of a project that are needed; None where nothing says so."""
    if needs is None:
        return None
    need = needs.of(project)
    return () if need is None else need.versions


def replace_by_identity(upkeep: Upkeep, offer: Offer) -> bool:
    """Ask about the signer of releases, newest first, and draft that pin in the place of their exemptions.

    Returns:
        Whether an exemption is replaced. The others stay, and the person has been told why.

    Raises:
        UndecidedError: A page or file could not be fetched.
        UsageError: ``yes-needed``, or there is no trusted root.
    """
    is_replaced = False
    for version in offer.versions:
        try:
            with upkeep.draft.all_or_nothing():
                _replace(upkeep, offer.package, version)
        except RefusedError as err:
            upkeep.person.warning(f"{offer.package.project} {version} stays pinned by hash: {err.message}")
        else:
            is_replaced = True
    return is_replaced


def draft_removals(upkeep: Upkeep, chosen: Collection[Removal]) -> None:
    """Draft the trust file without some pins."""
    upkeep.draft.remove_packages([each.project for each in chosen if each.version is None])
    gone = {(each.project, each.version) for each in chosen}
    packages = exempted_packages(upkeep.draft.trust())
    upkeep.draft.replace_hashes(
        {
            package.project: {v: f for v, f in package.releases.items() if (package.project, v) not in gone}
            for package in packages
            if any((package.project, version) in gone for version in package.releases)
        }
    )


def _why(entry: HashEntry, needed: Collection[Version] | None, today: date) -> str:
    if needed is not None and entry.version not in needed:
        return "nothing needs this release"
    if entry.is_over(today):
        return f"its last day was {entry.expires}"
    return ""


def _replace(upkeep: Upkeep, package: Exempted, version: Version) -> None:
    task = upkeep.task(package)
    first = _of_pinned_files(task, package, version)
    pinned = task.draft.trust().identity_entry(package.project)
    if pinned is None:
        add_signer(task, package.probe, version, first=first)
    else:
        probe = replace(package.probe, root=pinned.identities[0].root)
        first.confirm(first.look(probe, version=version), task.trust())
        task.person.show(f"{package.project} {version}  is signed by a signer that is pinned already")
        task.confirm("Remove its exemption?")
    task.draft.remove(package.project, version)


def _of_pinned_files(task: Task, package: Exempted, version: Version) -> SignerObserver:
    """Return who looks at the files that an exemption lists, as they are on a page that agrees with it.

    Whoever can add a file to a release, or put other bytes in the place of one, is not who signed what was
    exempted.

    Raises:
        RefusedError: ``no-release``: no such file is there; ``pinned-digest-differs``; ``no-evidence``: a
            pin of the signer would refuse one of them.
        UndecidedError: Something could not be fetched, or it could not be told whether there is evidence.
    """
    first, kept = keeping(task.first_use(), task.transport)
    listing = first.listing(package.probe)
    files = pinned_files(listing, package, version)
    if not files:
        raise RefusedError("no-release", f"expected a pinned file of {version} on its page, found none")
    for candidate, pinned in files.items():
        found = candidate.claimed_sha256 or first.digest(candidate, listing, package.probe)
        if found != pinned:
            raise RefusedError(
                "pinned-digest-differs",
                f"expected {candidate.name} with SHA-256 {pinned}, as the trust file pins, found {found}",
                hint="These are not the bytes that were exempted. Find out who changed them.",
            )
    is_simple = first.trust.source(package.probe.source).type == "simple"
    for candidate in files if is_simple else ():
        if not any(isinstance(each, Item) for each in kept.attestations(candidate, package.probe)):
            raise RefusedError("no-evidence", f"expected evidence of {candidate.name}, found none")
    return replace(first, among=files)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Look:
    upkeep: Upkeep
    supply: RegistrySupply
    needs: Needs | None

    def offer(self, package: Exempted) -> Offer:
        """Return which of a package's releases have evidence."""
        needed = versions_of(self.needs, package.project)
        wanted = sorted((v for v in package.releases if needed is None or v in needed), reverse=True)
        observer = self.upkeep.observer(self.supply)
        if self.upkeep.trust().source(package.probe.source).type == "gitlab":
            found = [each for each in wanted if self._is_signed(observer, package, each)]
            return Offer(package=package, versions=tuple(found))
        listing = observer.listing(package.probe)
        there = tuple(each for each in wanted if self._is_there(listing, package, each))
        return Offer(package=package, versions=there)

    def _is_there(self, listing: Listing, package: Exempted, version: Version) -> bool:
        listed = pinned_files(listing, package, version)
        if not listed:  # it is not on its index any more
            return False
        evidence = evidence_for(representative(listed), self.supply)
        if evidence.unknown is not None:
            raise evidence.unknown
        return evidence.is_there

    def _is_signed(self, observer: SignerObserver, package: Exempted, version: Version) -> bool:
        """Look for evidence in a GitLab, where that is searched for by the file's digest."""
        trust = self.upkeep.trust()
        name = root_for(trust, trust.source(package.probe.source).url)
        if trust.root(name) is None:
            return False
        listing = observer.listing(package.probe)
        files = pinned_files(listing, package, version)
        if not files:
            return False
        try:
            replace(observer, among=files).look(replace(package.probe, root=name), version=version)
        except RefusedError:
            return False
        return True
