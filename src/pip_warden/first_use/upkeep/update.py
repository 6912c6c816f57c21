"""Moves what is pinned by hash to the releases that are needed now, all of it in one edit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from packaging.version import Version

from pip_warden.digests import Digest
from pip_warden.display import escape_text
from pip_warden.errors import RefusedError, UndecidedError, UsageError, WardenError
from pip_warden.first_use.by_hash import expires_past
from pip_warden.first_use.needs import Need, NeededRelease, Needs
from pip_warden.first_use.observe import SignerObserver, representative
from pip_warden.first_use.side_by_side import side_by_side
from pip_warden.first_use.sync.files import FoundFile, files_of
from pip_warden.first_use.sync.wishes import index_place, is_place_of
from pip_warden.first_use.upkeep.exempted import Exempted, exempted_packages, kept
from pip_warden.first_use.upkeep.latest import newest_settled
from pip_warden.first_use.upkeep.opened import Evidence, Upkeep, evidence_for
from pip_warden.names import ProjectName
from pip_warden.supply import RegistrySupply
from pip_warden.trust.editing.hash_tables import Files
from pip_warden.trust.model import TrustFile
from pip_warden.trust.suggest import renew
from pip_warden.values import dataclass, field
from pip_warden.verdict.archive import find_revocation
from pip_warden.verdict.listing import Listing


@dataclass(frozen=True, kw_only=True, slots=True)
class UpdateRequest:
    """What is to be moved, and to what.

    Attributes:
        names: Only these packages; empty for all that are pinned by hash.
        needs: What is needed; None for the newest releases.
        cool_down: How long every file of a newest release must have been on its index.
        keep: How many older releases of each package stay.
        by_hash: Do not ask whether there is evidence.
    """

    names: tuple[ProjectName, ...] = ()
    needs: Needs | None = None
    cool_down: timedelta = timedelta(days=7)
    keep: int = 0
    by_hash: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Move:
    """What becomes of a package's exemptions.

    Attributes:
        package: The package, as it is.
        releases: The files of each release as it will be; empty where nothing needs the package.
        where: Where the lock names what is new, for people; ``""`` for nowhere.
        evidence: Whether there is evidence for the newest release that is new.
        refusal: Why the package stays as it is; None where it does not.
    """

    package: Exempted
    releases: Mapping[Version, Files]
    where: str = ""
    evidence: Evidence = field(default_factory=Evidence)
    refusal: WardenError | None = None

    @property
    def is_idle(self) -> bool:
        """Return whether nothing changes."""
        return {v: frozenset(files) for v, files in self.releases.items()} == {
            v: frozenset(files) for v, files in self.package.releases.items()
        }

    @property
    def new(self) -> tuple[Version, ...]:
        """Return the releases of which a file is new, oldest first."""
        before = self.package.releases
        return tuple(sorted(v for v, files in self.releases.items() if {*files} - {*before.get(v, ())}))


def moves(upkeep: Upkeep, request: UpdateRequest) -> tuple[Move, ...]:
    """Find out what becomes of each package, by name; nothing is changed.

    Raises:
        UndecidedError: A page or file could not be fetched.
        UsageError: ``not-in-trust-file``.
    """
    packages = exempted_packages(upkeep.draft.trust(), request.names)
    upkeep.person.step(f"looking up {len(packages)} packages")
    look = _Look(upkeep=upkeep, request=request, supply=upkeep.supply()).move
    return tuple(side_by_side(look, packages))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Look:
    upkeep: Upkeep
    request: UpdateRequest
    supply: RegistrySupply

    def move(self, package: Exempted) -> Move:
        """Return what becomes of a package; a refusal leaves it as it is."""
        try:
            if self.request.needs is None:
                return self._to_newest(package)
            return self._to_needed(package, self.request.needs.of(package.project))
        except UndecidedError:
            raise
        except (RefusedError, UsageError) as err:
            return Move(package=package, releases=package.releases, refusal=err)

    def _to_newest(self, package: Exempted) -> Move:
        if package.is_signed:
            return Move(package=package, releases=package.releases)
        observer = self.upkeep.observer(self.supply)
        listing = observer.listing(package.probe)
        version = newest_settled(
            listing.allowed,
            newer_than=package.newest,
            now=self.upkeep.now,
            cool_down=self.request.cool_down,
            revoked=self.upkeep.draft.trust().revoked,
        )
        if version is None:
            return self._moved(package, {package.newest: package.releases[package.newest]})
        self._check_last_day(package)
        wanted = NeededRelease(project=package.project, version=version, where=("",), indexes=(None,))
        found = self._files(wanted, listing, observer, package)
        move = self._moved(package, {version: _digests(found)})
        return replace(move, evidence=self._evidence(found))

    def _to_needed(self, package: Exempted, need: Need | None) -> Move:
        releases = {} if need is None else {each.version: each for each in need.releases}
        stay = {v: package.releases[v] for v in releases if v in package.releases}
        # Where an identity is pinned too, it decides about what is not pinned by hash.
        absent = [] if package.is_signed else [r for v, r in releases.items() if v not in stay]
        absent += [releases[v] for v, files in stay.items() if _lacks(files, releases[v])]
        if not absent:
            return self._moved(package, stay)
        _check_source(package, absent, self.upkeep.trust())
        self._check_last_day(package)
        observer = self.upkeep.observer(self.supply)
        listing = observer.listing(package.probe)
        found = {r.version: self._files(r, listing, observer, package) for r in absent}
        added = {r.version: _merged(stay.get(r.version, ()), _digests(found[r.version]), r) for r in absent}
        move = self._moved(package, {**stay, **added})
        newest = max(absent, key=lambda release: release.version)
        return replace(move, where=newest.where[0], evidence=self._evidence(found[newest.version]))

    def _moved(self, package: Exempted, needed: Mapping[Version, Files]) -> Move:
        older = kept(package.releases, needed, self.request.keep)
        return Move(package=package, releases={**{v: package.releases[v] for v in older}, **needed})

    def _files(
        self, release: NeededRelease, listing: Listing, observer: SignerObserver, package: Exempted
    ) -> tuple[FoundFile, ...]:
        """Return the files that are to be pinned; fetched are those whose digest nobody says.

        Raises:
            RefusedError: ``revoked``, or as :func:`files_of` does.
            UndecidedError: A file could not be fetched.
        """
        found = files_of(release, listing, lambda each: observer.digest(each, listing, package.probe))
        revoked = self.upkeep.draft.trust().revoked
        for each in found:
            candidate = each.candidate
            revocation = find_revocation(candidate.project, candidate.name.version, each.sha256, revoked)
            if revocation is not None:
                raise RefusedError(
                    "revoked",
                    f"expected a release that is not revoked, found {candidate.name}, "
                    f"revoked: {escape_text(revocation.reason)}",
                    hint="The trust file revokes it. Choose another release.",
                )
        return found

    def _evidence(self, found: tuple[FoundFile, ...]) -> Evidence:
        if self.request.by_hash:
            return Evidence()
        return evidence_for(representative(each.candidate for each in found), self.supply)

    def _check_last_day(self, package: Exempted) -> None:
        if package.last_day is not None and package.last_day < self.upkeep.today:
            raise expires_past(
                f"expires of {package.project} in the trust file",
                package.last_day,
                self.upkeep.today,
                f"Review it again, then: `{renew(package.project, self.upkeep.draft.path)}`. "
                "Or pin who signs it.",
            )


def _digests(found: tuple[FoundFile, ...]) -> Files:
    return tuple((each.candidate.name.filename, each.sha256) for each in found)


def _merged(pinned: Files, found: Files, needed: NeededRelease) -> Files:
    """Return the files that are pinned or found.

    Raises:
        RefusedError: ``lock-disagrees``: one is pinned with another digest.
    """
    known = dict(pinned)
    for name, digest in found:
        if known.setdefault(name, digest) != digest:
            raise _disagreement(name, known[name], digest, needed)
    return tuple(sorted(known.items()))


def _lacks(files: Files, needed: NeededRelease) -> bool:
    """Return whether a lock demands a file of a release that is not pinned."""
    return bool(needed.all_digests - {digest for _, digest in files})


def _check_source(package: Exempted, needed: list[NeededRelease], trust: TrustFile) -> None:
    """Check that the lock takes a package from where it is pinned to; demanded bytes are the same anywhere.

    Raises:
        UsageError: ``pin-conflict``: it is from another source of the trust file, or another GitLab project;
            ``lock-source``: it is from none, and the lock has no digest of it.
    """
    for release in needed:
        for url in filter(None, release.indexes):
            place = index_place(url, trust.sources)
            if place is None and not release.all_digests:
                raise UsageError(
                    "lock-source",
                    f"expected a digest of {package.project} {release.version}, which "
                    f"{release.where[0]} takes from {escape_text(url, 300)}, found none; "
                    "that is no source of the trust file",
                    hint=f"What {package.probe.source} has of that name may be something else.",
                )
            if place is not None and not is_place_of(package.probe, *place):
                raise UsageError(
                    "pin-conflict",
                    f"expected {package.project} from {package.probe.source} as the trust file has it, "
                    f"found {place[0].name}, or another project of it, in {release.where[0]}",
                    hint="A pin is never replaced silently: review why it differs, then change one of them.",
                )


def _disagreement(filename: str, pinned: Digest, demanded: Digest, needed: NeededRelease) -> RefusedError:
    return RefusedError(
        "lock-disagrees",
        f"expected {escape_text(filename)} with SHA-256 {demanded}, as "
        f"{escape_text(needed.where[0], 500)} says, found SHA-256 {pinned} in the trust file",
        hint="One of the two was changed. Find out which, and who changed it, before anything is pinned.",
    )
