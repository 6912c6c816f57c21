"""Finds out who signed the newest releases of a package: proved, but not pinned."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path

from packaging.version import Version

from pip_warden._sigstore.result import CertificateClaims
from pip_warden.artifact.model import Artifact
from pip_warden.digests import Digest
from pip_warden.errors import InternalError, RefusedError
from pip_warden.events import Reporter
from pip_warden.index.candidate import Candidate, IndexPage
from pip_warden.names import ArtifactName
from pip_warden.supply import GateSupply
from pip_warden.trust.model import HashEntry, IdentityEntry, Probe, TrustFile
from pip_warden.trust.roots import PinnedRoots
from pip_warden.trust.subject import suggest_pattern
from pip_warden.values import dataclass
from pip_warden.verdict.inquiry import Inquiry, Wants
from pip_warden.verdict.listing import Listing, list_page, page_entry
from pip_warden.verdict.model import Accepted, Observed, Refused, SignedBy, VerdictError

RELEASES = 3
"""How many of the newest releases must have the same signer before it is pinned without confirmation."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Observation:
    """Who signed one file of a release: proved, not pinned.

    Attributes:
        name: The file.
        signed: What its evidence proved.
    """

    name: ArtifactName
    signed: SignedBy

    @property
    def claims(self) -> CertificateClaims:
        """Return what the certificate says."""
        return self.signed.claims

    @property
    def pattern(self) -> str:
        """Return the subject with the version of a tag ref replaced by ``{version}``."""
        return suggest_pattern(self.claims.subjects[0], self.name.version)


@dataclass(frozen=True, kw_only=True, slots=True)
class PackageObservation:
    """What was found about a package.

    Attributes:
        listing: Its page, judged to be the source's own.
        observations: One file of each of the newest releases, newest first; never empty.
        unsigned: Files of those releases without valid evidence, with the reason.
        registry_id: The registry project's numeric id, as in the page's file URLs.
    """

    listing: Listing
    observations: tuple[Observation, ...]
    unsigned: tuple[Refused, ...]
    registry_id: int | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SignerObserver:
    """Examines packages that are not pinned yet.

    Attributes:
        trust: A trust file that has the source and the root, and need not know the package.
        roots: Its trusted roots.
        supply: Where pages, files and evidence come from.
        workspace: A private directory of this run.
        today: The day (UTC) of the run.
        reporter: Receives progress.
        among: The only files that are looked at, some of each release; None for any that the page has.
    """

    trust: TrustFile
    roots: PinnedRoots
    supply: GateSupply
    workspace: Path
    today: date
    reporter: Reporter
    among: Collection[Candidate] | None = None

    def look(
        self, probe: Probe, *, version: Version | None = None, most: int = RELEASES
    ) -> PackageObservation:
        """Prove who signed the newest releases.

        Args:
            probe: Where to look.
            version: Look at this release only.
            most: How many releases are looked at.

        Raises:
            RefusedError: ``no-release``, or the newest release is refused, with the code that refuses it.
            UndecidedError: A page or file could not be fetched.
        """
        # A root that cannot be used is reported first: nothing could be proved with it.
        _ = self.roots[probe.root]
        listing = self.listing(probe)
        releases = _releases(self._looked_at(listing.page), version)
        if not releases:
            raise _no_release(probe, version, listing)
        observations, unsigned = [], []
        for number, files in enumerate(releases[:most]):
            candidate = representative(files)
            inquiry = self._inquire(candidate, listing, trust=self.trust, probe=probe)
            match inquiry.observation:
                case Observed(signed=signed):
                    observations.append(Observation(name=candidate.name, signed=signed))
                case Refused() as refused if number == 0:
                    raise _at_its_step(refused)
                case Refused() as refused:
                    unsigned.append(refused)
        return PackageObservation(
            listing=listing,
            observations=tuple(observations),
            unsigned=tuple(unsigned),
            registry_id=_registry_id(listing.page, probe),
        )

    def confirm(self, look: PackageObservation, trust: TrustFile) -> None:
        """Judge the newest release with the trust file that is about to be written, by who signed it.

        Raises:
            RefusedError: The release would be refused under the new pin.
            UndecidedError: A page or file could not be fetched.
        """
        newest = look.observations[0].name
        page = look.listing.page
        # A hash pin of this release would decide whoever signed it.
        by_identity = tuple(entry for entry in trust.entries if not isinstance(entry, HashEntry))
        trust = replace(trust, entries=by_identity)
        entry = page_entry(newest.project, trust)
        listing = entry if isinstance(entry, Refused) else list_page(page, entry, trust)
        if isinstance(listing, Refused):
            raise _at_its_step(listing)
        candidate = next(c for c in page.candidates if c.name == newest)
        match self._inquire(candidate, listing, trust=trust).verdict:
            case Refused() as refused:
                raise _at_its_step(refused)
            case Accepted():
                return

    def hashes(self, probe: Probe, version: Version) -> tuple[tuple[str, Digest], ...]:
        """Fetch every file of a release and compute its digest, after steps 2 to 5.

        Raises:
            RefusedError: ``no-release``, or a file is refused, with the code that refuses it.
            UndecidedError: A page or file could not be fetched.
        """
        listing = self.listing(probe)
        wanted = [candidate for candidate in listing.allowed if candidate.name.version == version]
        found = tuple((c.name.filename, self.digest(c, listing, probe)) for c in wanted)
        if not found:
            raise RefusedError(
                "no-release",
                f"expected a release {version} of {probe.project} on {listing.page.url}, found none",
                hint="Check the source and the version.",
            )
        return found

    def digest(self, candidate: Candidate, listing: Listing, probe: Probe) -> Digest:
        """Fetch a file and compute its digest, after steps 2 to 5.

        Raises:
            VerdictError: It is refused.
            UndecidedError: It could not be fetched.
        """
        inquiry = self._inquiry(candidate, listing, trust=self.trust, probe=probe)
        digest: Digest | None = None
        if inquiry.wants is Wants.ARTIFACT:
            with self._received(candidate) as artifact:
                inquiry.offer_artifact(artifact)
                digest = artifact.digest
        if inquiry.wants is Wants.EVIDENCE and digest is not None:
            return digest
        match inquiry.observation:
            case Refused() as refused:
                raise _at_its_step(refused)
            case Observed():
                raise InternalError("bug", f"{candidate.name} was observed without evidence")

    def listing(self, probe: Probe) -> Listing:
        """Fetch a package's page, and judge that it is the source's own.

        Raises:
            VerdictError: It is not.
            UndecidedError: It could not be fetched.
        """
        self.reporter.step(f"looking up {probe.project}")
        listing = list_page(self.supply.page(probe.project, probe), probe, self.trust)
        if isinstance(listing, Refused):
            raise VerdictError(listing)
        return listing

    def _looked_at(self, page: IndexPage) -> Iterable[Candidate]:
        """Return the files that may be looked at; a page that was fetched again may have none of them."""
        return (each for each in page.candidates if self.among is None or each in self.among)

    def _inquiry(
        self, candidate: Candidate, listing: Listing, *, trust: TrustFile, probe: Probe | None
    ) -> Inquiry:
        return Inquiry(
            candidate, trust=trust, roots=self.roots, today=self.today, listing=listing, probe=probe
        )

    def _inquire(
        self, candidate: Candidate, listing: Listing, *, trust: TrustFile, probe: Probe | None = None
    ) -> Inquiry:
        """Judge a file through all steps."""
        inquiry = self._inquiry(candidate, listing, trust=trust, probe=probe)
        if inquiry.wants is Wants.NOTHING:
            return inquiry
        with self._received(candidate) as artifact:
            inquiry.offer_artifact(artifact)
            if inquiry.wants is Wants.EVIDENCE and isinstance(inquiry.entry, Probe | IdentityEntry):
                inquiry.offer_all(self.supply.evidence(candidate, artifact, inquiry.entry))
        return inquiry

    @contextmanager
    def _received(self, candidate: Candidate) -> Iterator[Artifact]:
        """Fetch a file, and remove it again at the end."""
        self.reporter.step(f"fetching {candidate.name}")
        directory = Path(tempfile.mkdtemp(dir=self.workspace))
        try:
            yield self.supply.receive(candidate, directory)
        finally:
            shutil.rmtree(directory, ignore_errors=True)


def _no_release(probe: Probe, version: Version | None, listing: Listing) -> RefusedError:
    wanted = f"a release {version}" if version else "a release"
    return RefusedError(
        "no-release",
        f"expected {wanted} of {probe.project} on {listing.page.url}, found none",
        hint="Check the project's path and the version.",
    )


def _releases(candidates: Iterable[Candidate], version: Version | None) -> list[list[Candidate]]:
    """Group files by release, newest first; pre-releases only if there is nothing else, or on request."""
    by_version: dict[Version, list[Candidate]] = {}
    for candidate in candidates:
        by_version.setdefault(candidate.name.version, []).append(candidate)
    if version is not None:
        return [by_version[version]] if version in by_version else []
    finals = [v for v in by_version if not v.is_prerelease] or list(by_version)
    return [by_version[v] for v in sorted(finals, reverse=True)]


def representative(files: Iterable[Candidate]) -> Candidate:
    """Choose the file of a release to examine: a wheel if there is one, the smallest if sizes are known."""
    return min(files, key=lambda c: (c.name.kind != "wheel", c.claimed_size or 0, c.name.filename))


def _registry_id(page: IndexPage, probe: Probe) -> int | None:
    """Read the numeric id from a file URL; step 2 has checked that all have the same."""
    if probe.registry is None or not page.candidates:
        return None
    return int(page.candidates[0].url.partition("/projects/")[2].partition("/")[0])


def _at_its_step(refused: Refused) -> VerdictError:
    fault, step = refused.fault, refused.step
    message = (
        f"{refused.subject}: step {int(step)} ({step.name.lower()}): "
        f"expected {fault.expected}, found {fault.found}"
    )
    return VerdictError(refused, message)
