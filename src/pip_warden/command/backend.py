"""The gate, as tools see it that ask the registries' own paths."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

from pip_warden.artifact import metadata
from pip_warden.errors import RefusedError, UsageError
from pip_warden.gate import Gate
from pip_warden.index.candidate import Candidate
from pip_warden.index.gitlab_urls import group_api
from pip_warden.install.files import GateFiles
from pip_warden.installer.model import (
    FileQuestion,
    LinkRequest,
    ListedFile,
    PlannedInstall,
    ReleaseFacts,
    ServedFile,
)
from pip_warden.installer.routes import same_place
from pip_warden.measures import UNMEASURED, Measures
from pip_warden.names import ProjectName, parse_artifact_name, parse_version
from pip_warden.transport import redacted_url
from pip_warden.trust.model import Entry, HashEntry, Source, TrustFile
from pip_warden.values import dataclass, field
from pip_warden.vault import Sealed
from pip_warden.verdict.listing import Listing

_PROJECT_IN_URL = re.compile(r"/api/v4/projects/([0-9]+)/", re.ASCII)


@dataclass(frozen=True, kw_only=True, slots=True)
class Demanded:
    """What lock files demand that were there before the run.

    Attributes:
        by_url: SHA-256, by the URL that an entry names.
        by_name: The digests that entries allow for a file name, also where they name no URL.
    """

    by_url: Mapping[str, str] = field(default_factory=dict, hash=False)
    by_name: Mapping[str, frozenset[str]] = field(default_factory=dict, hash=False)

    def check(self, asked: FileQuestion, sha256: str) -> None:
        """Check that an entry for this very URL, if there is one, demands these bytes.

        A tool would refuse them, too, but could not say what that means.

        Raises:
            RefusedError: ``lock-disagrees``.
        """
        wanted = self.by_url.get(asked.url, sha256)
        if wanted != sha256:
            raise RefusedError(
                "lock-disagrees",
                f"expected {asked.filename} with the SHA-256 {wanted} that the lock demands, found {sha256}",
                hint="One of the two was tampered with: find out which before you lock again.",
            )

    def allow(self, asked: FileQuestion, sha256: str) -> bool:
        """Return whether an entry demands these bytes for what is asked for."""
        if asked.url in self.by_url:
            return self.by_url[asked.url] == sha256
        return sha256 in self.by_name.get(asked.filename, ())


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What a run's tools saw of the registries: each may be named in a lock file afterwards.

    Attributes:
        listed: SHA-256 (as listed: nobody judged it), by the URL that was listed for it.
        listed_names: The digests that were listed for a file name.
        served: SHA-256 of every file that was judged and served, whole or its metadata alone.
    """

    listed: Mapping[str, str] = field(hash=False)
    listed_names: Mapping[str, frozenset[str]] = field(hash=False)
    served: frozenset[str]


class GateRegistries(GateFiles):
    """Passes to the gate what is asked of registries, and of the run's own index.

    Args:
        gate: The gate.
        trust: The trust file.
        directory: Where copies are kept.
        demanded: What lock files demand.
        number_of: Finds the number of a group of a source that has a project, given its path or number.
        measures: Told what is asked for, and what it costs.
    """

    def __init__(
        self,
        gate: Gate,
        trust: TrustFile,
        directory: Path,
        *,
        demanded: Demanded | None = None,
        number_of: Callable[[Source, str, ProjectName], str] = lambda _source, group, _project: group,
        measures: Measures = UNMEASURED,
    ) -> None:
        super().__init__(gate, directory, measures)
        self._trust = trust
        self._demanded = demanded or Demanded()
        self._number_of = number_of
        self._listed: dict[str, str] = {}
        self._names: dict[str, set[str]] = {}
        self._served: set[str] = set()

    @property
    def seen(self) -> Seen:
        """Return what was listed and served until now."""
        with self._lock:
            names = {name: frozenset(digests) for name, digests in self._names.items()}
            return Seen(listed=dict(self._listed), listed_names=names, served=frozenset(self._served))

    def page_at(
        self, project: ProjectName, source: str, registry: str | None, group: str | None = None
    ) -> tuple[ListedFile, ...] | None:
        """List a project's files as its source has them, None where it is pinned to another place."""
        listing = self._listing_at(project, source, registry, group)
        if listing is None:
            return None
        if group is None:
            return self._listed_as(listing)
        asked = self._trust.source(source)
        home = group_api(asked.url, self._number_of(asked, group, project))
        return self._listed_as(listing, f"{home}/-/packages/pypi")

    def file_at(self, asked: FileQuestion) -> ServedFile | None:
        """Fetch, judge and seal a file that a listing names, or a lock."""
        try:
            project = parse_artifact_name(asked.filename).project
        except UsageError:
            return None
        listing = self._gate.listing(project, wanted_by="the command")
        candidates = [each for each in listing.allowed if each.name.filename == asked.filename]
        if candidates and not any(self._is_asked_for(each, asked) for each in candidates):
            raise RefusedError(
                "unknown-file",
                f"expected {asked.filename} where the page of {project} has it, or with its digest, "
                f"found {redacted_url(asked.url)}",
                hint="Check where this URL comes from; a lock file that is out of date is made anew.",
            )
        sealed = self._admitted(project, asked.filename)
        self._demanded.check(asked, sealed.digest.hex)
        return self.served(sealed)

    def release_at(self, project: ProjectName, version: str, source: str) -> ReleaseFacts | None:
        """Return what a judged file says of a release, None where it has none or is another source's."""
        listing = self._listing_at(project, source)
        if listing is None:
            return None
        wanted = parse_version(version)
        files = tuple(each for each in listing.allowed if each.name.version == wanted)
        if not files:
            return None
        self._listed_as(listing)
        best = min(files, key=_reading_order)
        sealed = self._admitted(project, best.name.filename)
        said, is_wheel = metadata.headers(sealed.metadata, best.name.filename), best.name.kind == "wheel"
        return ReleaseFacts(
            name=project,
            version=str(best.name.version),
            requires_dist=tuple(metadata.all_headers(said, "Requires-Dist")) if is_wheel else None,
            requires_python=sealed.requires_python,
            summary=said.get("Summary", ""),
            files=tuple(map(ListedFile.of, files)),
        )

    def page(self, project: ProjectName) -> tuple[ListedFile, ...]:
        """List a project's files in the run's own index."""
        return self._listed_as(self.listing(project))

    def file(self, project: ProjectName, filename: str) -> ServedFile:
        """Fetch, judge and seal a file."""
        return self.served(self._admitted(project, filename))

    def link(self, asked: LinkRequest) -> str:
        """Refuse a link: only pip-warden's own pip asks."""
        raise _not_ours(redacted_url(asked.url))

    def plan(self, items: tuple[PlannedInstall, ...]) -> None:
        """Refuse a plan: only pip-warden's own pip has one."""
        raise _not_ours(f"{len(items)} distributions")

    def _admitted(self, project: ProjectName, filename: str) -> Sealed:
        _, sealed = self.admit(project, filename)
        with self._lock:
            self._served.add(sealed.digest.hex)
        return sealed

    def _listing_at(
        self, project: ProjectName, source: str, registry: str | None = None, group: str | None = None
    ) -> Listing | None:
        """Return the listing of a project that is pinned to this place, None where it is to another."""
        entry = self._trust.page_entry(project)
        if entry is None:  # the gate refuses it
            return self.listing(project)
        asked, pinned = self._trust.source(source), self._trust.source(entry.source)
        if asked.type != pinned.type or not {asked.url, asked.home} & {pinned.url, pinned.home}:
            return None
        if not _may_be_in(entry, registry, group):
            return None
        listing = self.listing(project)
        return listing if registry is None or _is_in(listing, registry) else None

    def _listed_as(self, listing: Listing, registry: str = "") -> tuple[ListedFile, ...]:
        """Return the files of a listing as they are shown, and remember them.

        Args:
            listing: The listing.
            registry: Base URL of a group's registry, which has the files, too; ``""`` for where they are.
        """
        files = tuple(_moved(ListedFile.of(each), registry) for each in listing.allowed)
        with self._lock:
            for file in files:
                self._listed[file.url] = file.sha256
                self._names.setdefault(file.filename, set()).add(file.sha256)
        return files

    def _is_asked_for(self, candidate: Candidate, asked: FileQuestion) -> bool:
        if same_place(candidate.url, asked.url):
            return True
        claimed = _digest_of(candidate, self._trust)
        return bool(claimed) and (asked.sha256 == claimed or self._demanded.allow(asked, claimed))


def _may_be_in(entry: Entry, registry: str | None, group: str | None) -> bool:
    """Return whether an entry's registry project may be one, or in a group, as far as names say so.

    GitLab compares paths without regard to case, and knows each project by its number, too.
    """
    pinned = (entry.registry or "").casefold()
    if registry is not None and registry.isdecimal():
        return entry.registry_id is None or str(entry.registry_id) == registry
    if registry is not None:
        return pinned.isdecimal() or pinned == registry.casefold()
    if group is not None and not group.isdecimal() and not pinned.isdecimal():
        return pinned.startswith(f"{group.casefold()}/")
    return True


def _is_in(listing: Listing, registry: str) -> bool:
    """Return whether the files of a listing are those of a project, whose number their URLs have."""
    if not registry.isdecimal():
        return True
    matches = (_PROJECT_IN_URL.search(each.url) for each in listing.page.candidates)
    return all(match is None or match[1] == registry for match in matches)


def _moved(file: ListedFile, registry: str) -> ListedFile:
    """Return a file with its URL in a group's registry; without a digest it has none there."""
    if not registry or not file.sha256:
        return file
    return replace(file, url=f"{registry}/files/{file.sha256}/{quote(file.filename)}")


def _digest_of(candidate: Candidate, trust: TrustFile) -> str:
    """Return the digest claimed for a file, else the one pinned for it, else ``""``."""
    if candidate.claimed_sha256 is not None:
        return candidate.claimed_sha256.hex
    entry = trust.entry_for(candidate.project, candidate.name.version)
    pinned = entry.digest_for(candidate.name.filename) if isinstance(entry, HashEntry) else None
    return "" if pinned is None else pinned.hex


def _reading_order(candidate: Candidate) -> int:
    """Return which file of a release is read first: a wheel for every Python, else a wheel, else an sdist."""
    if "py3-none-any" in candidate.name.tags:
        return 0
    return 1 if candidate.name.kind == "wheel" else 2


def _not_ours(found: str) -> RefusedError:
    return RefusedError(
        "not-through-gate",
        f"expected requests for pages and files, found {found}",
        hint="Only the pip that safe-install runs asks so.",
    )
