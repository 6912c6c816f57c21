"""What of a project's needs is not pinned yet, and which source each package is to come from."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from urllib.parse import unquote

from packaging.version import Version

from pip_warden.display import escape_text
from pip_warden.errors import UsageError
from pip_warden.first_use.needs import Need, NeededRelease
from pip_warden.first_use.source import choose_source
from pip_warden.names import ProjectName
from pip_warden.trust.editing.changed import conflict
from pip_warden.trust.locations import parse_registry
from pip_warden.trust.model import Entry, HashEntry, Probe, Source, TrustFile
from pip_warden.trust.suggest import renew
from pip_warden.values import dataclass
from pip_warden.verdict.pin import check_expiry

_GITLAB_INDEX = "/packages/pypi/simple"
_LONGEST_ID = 20
"""Digits of a project's number."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """A package of which something is to be pinned.

    Attributes:
        probe: Where to look.
        releases: Its releases that are not pinned, oldest first; never empty.
        exempt: Those of them that are pinned by hash already, but lack files.
        unsure: Why the place may not be the one that is meant; ``""`` where it is.
    """

    probe: Probe
    releases: tuple[NeededRelease, ...]
    exempt: frozenset[Version] = frozenset()
    unsure: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Places:
    """Where packages may come from.

    Attributes:
        sources: The trust file's, with this machine's mirrors.
        default: For what a lock names no index of; None where several are possible.
        is_named: Whether the user named that one.
    """

    sources: tuple[Source, ...]
    default: Source | None
    is_named: bool


def wishes_of(needs: Iterable[Need], trust: TrustFile, places: Places) -> tuple[Wish, ...]:
    """Return what is not pinned: what an identity entry decides, or a hash pin with all its files, is.

    Raises:
        UsageError: ``lock-source``, ``source-needed`` or ``project-needed``: it is not clear where a package
            comes from; ``pin-conflict``: it is pinned from another place, or a file with another digest.
    """
    found = []
    for need in needs:
        open_ = tuple(release for release in need.releases if not _is_pinned(release, trust))
        if open_:
            exempt = frozenset(r.version for r in open_ if trust.entry_for(r.project, r.version) is not None)
            found.append(_wish(open_, exempt, trust, places))
    return tuple(found)


def ended(needs: Iterable[Need], trust: TrustFile, today: date) -> tuple[str, ...]:
    """Return a line for each needed release whose exemption is over: it stays, and is refused."""
    releases = [release for need in needs for release in need.releases]
    entries = [trust.entry_for(release.project, release.version) for release in releases]
    return tuple(
        f"the exemption of {entry.project} {entry.version} has ended on {entry.expires}, and it is refused: "
        f"review it again, then: `{renew(f'{entry.project}=={entry.version}', trust.path)}`"
        for entry in entries
        if isinstance(entry, HashEntry) and check_expiry(entry, today) is not None
    )


def place_of(project: ProjectName, trust: TrustFile, places: Places) -> Probe:
    """Return where a package is looked for of which no lock says where it is.

    Raises:
        UsageError: ``source-needed`` or ``project-needed``.
    """
    known = trust.page_entry(project)
    if known is not None:
        return Probe(
            project=project, source=known.source, registry=known.registry, registry_id=known.registry_id
        )
    source = places.default or choose_source(None, places.sources, gitlab=False)
    if source.type == "gitlab":
        raise _no_registry(project, source)
    return Probe(project=project, source=source.name)


def _is_pinned(release: NeededRelease, trust: TrustFile) -> bool:
    entry = trust.entry_for(release.project, release.version)
    if not isinstance(entry, HashEntry):
        return entry is not None
    for file in release.files:
        pinned = entry.digest_for(file.name.filename)
        if pinned not in {None, file.sha256}:
            name = f"{escape_text(file.name.filename)} (at {', '.join(release.where)})"
            raise conflict(name, f"SHA-256 {pinned}", f"SHA-256 {file.sha256}")
    return release.all_digests <= {digest for _, digest in entry.files}


def _wish(
    releases: tuple[NeededRelease, ...], exempt: frozenset[Version], trust: TrustFile, places: Places
) -> Wish:
    project = releases[0].project
    indexes = list(dict.fromkeys(index for release in releases for index in release.indexes))
    found = list(dict.fromkeys(index_place(each, places.sources) for each in indexes if each is not None))
    if len(found) > 1:
        raise _unclear(project, indexes, "a trust file has one source for each package")
    place = found[0] if found else None
    if found and place is None and not places.is_named:
        raise _unclear(project, indexes, "it is none of the trust file's sources")
    probe = place_of(project, trust, places) if place is None else _placed(project, *place, trust)
    # Bytes that the lock demands are the same anywhere; without a digest the place is all that there is.
    is_open = bool(found) and place is None and any(not release.all_digests for release in releases)
    unsure = f"the lock takes it from {_shown(indexes)}, and has no digest of it" if is_open else ""
    return Wish(probe=probe, releases=releases, exempt=exempt, unsure=unsure)


def _placed(project: ProjectName, source: Source, registry: str | None, trust: TrustFile) -> Probe:
    """Return where the lock says that a package is; a pinned one has the place that it has."""
    known = trust.page_entry(project)
    if known is not None:
        if not is_place_of(known, source, registry):
            raise conflict(project, f"from {known.source}", f"from {source.name}, or another project of it")
        registry = known.registry
    if source.type == "gitlab" and registry is None:
        raise _no_registry(project, source)
    return Probe(
        project=project,
        source=source.name,
        registry=registry,
        registry_id=_number(registry) if known is None else known.registry_id,
    )


def is_place_of(pinned: Entry | Probe, source: Source, registry: str | None) -> bool:
    """Return whether a source, and a GitLab project where one is named, is where a package is pinned to."""
    number = None if pinned.registry_id is None else str(pinned.registry_id)
    return pinned.source == source.name and registry in {None, pinned.registry, number}


def index_place(index: str, sources: Iterable[Source]) -> tuple[Source, str | None] | None:
    """Return the source that has a lock's index, and the GitLab project; None where none has."""
    url = index.rstrip("/")
    for source in sources:
        own = {each.rstrip("/") for each in (source.url, source.mirror) if each}
        if source.type == "simple" and url in own:
            return source, None
        projects = f"{source.url.rstrip('/')}/api/v4/projects/"
        if source.type == "gitlab" and url.startswith(projects) and url.endswith(_GITLAB_INDEX):
            return source, _registry(unquote(url.removeprefix(projects).removesuffix(_GITLAB_INDEX)))
    return None


def _registry(text: str) -> str | None:
    if text.isascii() and text.isdigit() and len(text) < _LONGEST_ID:
        return str(int(text))
    try:
        return parse_registry(text)
    except UsageError:
        return None


def _number(registry: str | None) -> int | None:
    """Return the number of a project that is named by it."""
    return int(registry) if registry is not None and registry.isdigit() else None


def _unclear(project: str, indexes: Iterable[str | None], why: str) -> UsageError:
    return UsageError(
        "lock-source",
        f"expected one source for {project}, found {_shown(indexes)} in the lock; {why}",
        hint="Add the index to the trust file (`pip-warden trust add NAME --source URL`), or say with "
        "`--source NAME` where the packages of other indexes are taken from.",
    )


def _no_registry(project: str, source: Source) -> UsageError:
    return UsageError(
        "project-needed",
        f"expected the GitLab project of {source.name} that publishes {project}, found none in the lock",
        hint=f"Pin it first: `pip-warden trust add {project} --source {source.name} "
        "--project GROUP/PROJECT`.",
    )


def _shown(indexes: Iterable[str | None]) -> str:
    return ", ".join(escape_text(index or "the tool's default index", 300) for index in indexes)
