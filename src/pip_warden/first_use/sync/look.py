"""Finds out how one package of a lock can be pinned: by who signs it, else by what its files are.

Every method is called from several threads, each for another package.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from packaging.version import Version

from pip_warden.first_use.by_hash import last_day_of
from pip_warden.first_use.by_identity import doubts_about
from pip_warden.first_use.needs import NeededRelease
from pip_warden.first_use.observe import PackageObservation, SignerObserver
from pip_warden.first_use.sync.files import FoundFile, check_agrees, files_of
from pip_warden.first_use.sync.supply import KeptSupply, keeping
from pip_warden.first_use.sync.wishes import Wish
from pip_warden.first_use.task import Task
from pip_warden.first_use.template import Template, refusal_of, template_of
from pip_warden.trust.model import Entry, HashEntry, Identity, IdentityEntry, RootPin, TrustFile
from pip_warden.values import dataclass
from pip_warden.verdict.model import VerdictError

_UNSIGNED = "no-evidence"


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """What the index, and the service of its evidence, say of a package.

    Attributes:
        wish: The package.
        observer: It keeps what was fetched.
        kept: What it keeps.
        files: The files of each release, oldest first.
        unsigned: Why a release is to be pinned by hash; nothing of the others is known yet.
    """

    wish: Wish
    observer: SignerObserver
    kept: KeptSupply
    files: dict[Version, tuple[FoundFile, ...]]
    unsigned: dict[Version, str]

    @property
    def is_unsigned(self) -> bool:
        """Whether every release is to be pinned by hash."""
        return self.files.keys() == self.unsigned.keys()


@dataclass(frozen=True, kw_only=True, slots=True)
class Pin:
    """A new pin.

    Attributes:
        entry: It.
        version: The release that it was made for.
        why: Who signed, or why nobody is pinned.
        doubts: What speaks against it.
    """

    entry: Entry
    version: Version
    why: str
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Looker:
    """Looks at packages.

    Attributes:
        task: What the run works with.
        observer: Examines packages with the trust file as drafted.
        is_hash_only: No evidence is asked for.
    """

    task: Task
    observer: SignerObserver
    is_hash_only: bool

    def page(self, wish: Wish) -> Page:
        """Fetch a package's page, compare it with the lock, and ask whether there is evidence.

        Raises:
            RefusedError: As :func:`pip_warden.first_use.sync.files.files_of`.
            UndecidedError: Something could not be fetched, or the service of evidence did not answer.
        """
        observer, kept = keeping(self.observer, self.task.transport)
        listing = observer.listing(wish.probe)
        files, unsigned = {}, {}
        for release in wish.releases:
            found = files_of(release, listing, lambda c: observer.digest(c, listing, wish.probe))
            files[release.version] = found
            why = self._unsigned(wish, release, found, kept)
            if why:
                unsigned[release.version] = why
        kept.forget_files()
        return Page(wish=wish, observer=observer, kept=kept, files=files, unsigned=unsigned)

    def _unsigned(
        self, wish: Wish, release: NeededRelease, files: Iterable[FoundFile], kept: KeptSupply
    ) -> str:
        """Say why a release is pinned by hash, ``""`` where it may be signed."""
        if release.version in wish.exempt:
            return "pinned by hash already, further files"
        if self.is_hash_only:
            return "--hash-only"
        if self.observer.trust.source(wish.probe.source).type != "simple":
            return ""  # its evidence is looked up by the file's digest
        first, *others = (file.candidate for file in files)
        if not kept.attestations(first, wish.probe):
            return "no evidence"
        # An identity pin refuses every file that nobody signed: of all platforms, or it is no pin for them.
        without = [each.name.filename for each in others if not kept.attestations(each, wish.probe)]
        return f"no evidence of {len(without)} of {len(others) + 1} files" if without else ""

    def pins(self, page: Page, root: str) -> tuple[Pin, ...]:
        """Return the pins of a package, all confirmed as a run with them would judge.

        Args:
            page: What :meth:`page` found.
            root: Name of the trusted root to verify with.

        Raises:
            RefusedError: A release that has evidence is refused.
            UndecidedError: Something could not be fetched.
            UsageError: ``expires-past``.
        """
        unsigned = dict(page.unsigned)
        found: list[Pin] = []
        template: Template | None = None
        for version in sorted(page.files.keys() - unsigned.keys(), reverse=True):
            try:
                look = self._look(page, version, root)
                if look is not None and template is None:
                    template = template_of(look.observations, root=root)
                    found.append(self._by_identity(page, look, template))
                    continue
            finally:
                page.kept.forget_files()
            if look is None:
                unsigned[version] = "no evidence"
            elif template is not None and (fault := refusal_of(look.observations[0], template)) is not None:
                unsigned[version] = f"signed, but not as the newer release: {fault.found}"
        found += [
            self._by_hash(page, version, why + _left_out(page.wish, version))
            for version, why in sorted(unsigned.items())
        ]
        return tuple(found)

    def _look(self, page: Page, version: Version, root: str) -> PackageObservation | None:
        """Prove who signed a release; None where nobody did."""
        probe = replace(page.wish.probe, root=root)
        try:
            # Whoever can add a file to a release must not be taken for who signed those of the lock.
            needed = {file.candidate for file in page.files[version]}
            for candidate in filter(page.kept.proves_nothing, needed):
                # A pin of who signed the others would refuse it at every install, so it is refused now.
                replace(page.observer, among={candidate}).look(probe, version=version)
            look = replace(page.observer, among=needed).look(probe, version=version)
        except VerdictError as err:
            if err.code == _UNSIGNED:
                return None
            raise
        for file in page.files[version]:
            # A page need not say digests: then only now is seen what it has.
            check_agrees(file.candidate, file.sha256, page.kept.digest_of(file.candidate))
        return look

    def _by_identity(self, page: Page, look: PackageObservation, template: Template) -> Pin:
        wish, newest = page.wish, look.observations[0]
        source = page.observer.trust.source(wish.probe.source)
        known = wish.probe.registry_id
        entry = IdentityEntry(
            project=wish.probe.project,
            source=source.name,
            registry=wish.probe.registry,
            registry_id=look.registry_id if known is None else known,
            identities=(template.identity,),
            require=template.require,
        )
        page.observer.confirm(look, self._as_written(page.observer.trust, entry, template.identity))
        task = replace(self.task, source=source)
        found = doubts_about(task, look, wish.probe, template.identity)
        return Pin(
            entry=entry,
            version=newest.name.version,
            why=_who(template),
            doubts=(*found, *filter(None, [wish.unsure])),
        )

    def _as_written(self, trust: TrustFile, entry: IdentityEntry, identity: Identity) -> TrustFile:
        """Return the trust file with a pin, whose root vouches for its issuer."""
        new, old = self.task.draft.root, trust.root(identity.root)
        roots: tuple[RootPin, ...] = tuple(root for root in trust.roots if root != old)
        if old is None and new is not None:
            roots = (*roots, new.pin(identity.issuer))
        elif old is not None:
            roots = (*roots, replace(old, issuers=(*old.issuers, identity.issuer)))
        return replace(trust, entries=(entry,), roots=roots)

    def _by_hash(self, page: Page, version: Version, why: str) -> Pin:
        probe = page.wish.probe
        source = page.observer.trust.source(probe.source)
        files = tuple((file.candidate.name.filename, file.sha256) for file in page.files[version])
        entry = HashEntry(
            project=probe.project,
            version=version,
            source=probe.source,
            registry=probe.registry,
            registry_id=probe.registry_id,
            files=files,
            reason=self.task.wanted.reason.strip() or source.hash_reason,
            expires=last_day_of(self.task, probe, version),
        )
        doubts = tuple(filter(None, [page.wish.unsure]))
        return Pin(entry=entry, version=version, why=why, doubts=doubts)


def _left_out(wish: Wish, version: Version) -> str:
    """Say how many files the lock names without a digest: where others have one, those are pinned (T50)."""
    release = next(each for each in wish.releases if each.version == version)
    if not release.all_digests or not release.lacking:
        return ""
    return f"; not {len(release.lacking)} without a SHA-256 in the lock"


def _who(template: Template) -> str:
    started = f", started by {', '.join(template.triggers)}" if template.triggers else ""
    return f"{template.identity.subject.text}{started}"
