"""Where pages, files and evidence come from: a registry, or, offline, what the vault holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, TypeVar
from urllib.parse import quote

from pip_warden._sigstore.rekor import Hashedrekord, find_entry
from pip_warden._sigstore.wire import LogEntry
from pip_warden.artifact.model import Artifact
from pip_warden.artifact.receive import receive
from pip_warden.digests import Digest
from pip_warden.errors import BugError, CredentialsError, NetworkError
from pip_warden.evidence.locate import Place, locate, locate_provenance, places, registry_name
from pip_warden.evidence.model import BadItem, Item
from pip_warden.index.candidate import Candidate, IndexPage
from pip_warden.index.gitlab import GitLab
from pip_warden.index.rows import PackageFile
from pip_warden.index.simple import fetch_page, page_url
from pip_warden.names import ArtifactName, ProjectName
from pip_warden.transport import Download, Transport, error_for, origin_of
from pip_warden.trust.pins import Entry, HashEntry, IdentityEntry, Source, TrustFile
from pip_warden.vault import Vault

if TYPE_CHECKING:
    from pip_warden._sigstore.root import Root

T = TypeVar("T")

LARGEST_FILE = 5 << 30
"""Bytes; GitLab's own limit on gitlab.com."""


class Supply(Protocol):
    """What the gate asks for."""

    def page(self, project: ProjectName, entry: Entry) -> IndexPage:
        """Fetch a project's page from the source its entry names.

        Raises:
            UndecidedError: It could not be fetched or read.
        """

    def receive(self, candidate: Candidate, directory: Path) -> Artifact:
        """Fetch a file into a private directory and inspect it.

        Raises:
            UndecidedError: It could not be fetched whole.
        """

    def evidence(
        self, candidate: Candidate, artifact: Artifact, entry: IdentityEntry
    ) -> Iterator[Item | BadItem]:
        """Find evidence, best form first, fetching each item when it is asked for.

        Raises:
            UndecidedError: It could not be told whether there is an item.
        """


class Registries:
    """Fetches from the sources of a trust file.

    Args:
        trust: The trust file.
        roots: Its trusted roots: they name the logs in which detached signatures are looked up.
        transport: The HTTP door.
    """

    def __init__(self, *, trust: TrustFile, roots: Mapping[str, Root], transport: Transport) -> None:
        self._trust = trust
        self._roots = roots
        self._transport = transport

    def page(self, project: ProjectName, entry: Entry) -> IndexPage:
        """Fetch a project's page from the source its entry names."""
        return fetch_page(self._transport, project, self._trust.source(entry.source), entry.registry)

    def receive(self, candidate: Candidate, directory: Path) -> Artifact:
        """Fetch a file into a private directory and inspect it."""
        downloader = OriginBound(self._transport, self._trust.source(candidate.source).url)
        return receive(candidate, downloader, directory, max_bytes=LARGEST_FILE)

    def evidence(
        self, candidate: Candidate, artifact: Artifact, entry: IdentityEntry
    ) -> Iterator[Item | BadItem]:
        """Find evidence: in the generic registry of a GitLab project, or in the provenance object that an index names."""
        source = self._trust.source(entry.source)
        if source.type == "simple":
            if candidate.claimed_provenance is None:
                return iter(())
            return locate_provenance(
                candidate.claimed_provenance, partial(self._fetch_provenance, source.url)
            )
        if entry.registry is None:
            raise BugError("bug", "a gitlab entry has no registry project")
        templates = entry.evidence or source.evidence
        gitlab = GitLab(self._transport, source.url)
        stores = [
            GenericStore(gitlab, entry.registry, place)
            for place in places(templates, artifact.name, entry.registry)
        ]
        return locate(
            registry_name(artifact.name.filename), artifact.digest, stores, self._entry_finder(entry)
        )

    def _entry_finder(self, entry: IdentityEntry) -> Callable[[Hashedrekord], LogEntry | None]:
        """Look entries up in the logs of the roots that may vouch for the package, and in no other."""
        names = sorted({identity.root for identity in entry.identities}) or list(self._roots)

        def find(wanted: Hashedrekord) -> LogEntry | None:
            urls = tuple(dict.fromkeys(url for name in names for url in self._roots[name].rekor_v1_urls))
            return find_entry(self._transport, urls, wanted)

        return find

    def _fetch_provenance(self, index_url: str, url: str, max_bytes: int) -> bytes | None:
        reply = _at_most(
            max_bytes,
            lambda: self._transport.get(
                url,
                max_bytes=max_bytes,
                accept="application/vnd.pypi.integrity.v1+json",
                anonymous=is_foreign(url, index_url),
            ),
        )
        if isinstance(reply, bytes):
            return reply
        if reply.status == 404:
            return None
        if reply.status != 200:
            raise error_for(reply, "the provenance that the index names")
        return reply.body


class OriginBound:
    """Downloads with the credentials of one origin only: an index may name files anywhere, also where the user holds a token (T31).

    Args:
        transport: The HTTP door.
        home: A URL of that origin.
    """

    def __init__(self, transport: Transport, home: str) -> None:
        self._transport = transport
        self._home = home

    def download(self, url: str, *, to: BinaryIO, max_bytes: int, label: str) -> Download:
        """Stream a file, anonymously where it lies elsewhere."""
        anonymous = is_foreign(url, self._home)
        return self._transport.download(url, to=to, max_bytes=max_bytes, label=label, anonymous=anonymous)


def is_foreign(url: str, home: str) -> bool:
    """Tell whether a URL lies on another origin, or on none that can be told."""
    try:
        return origin_of(url) != origin_of(home)
    except NetworkError:
        return True


class GenericStore:
    """A version of a generic package as a place where evidence lies. The newest row of a name wins, and any Developer can add one.

    The project's index page was read before, with the same credentials, so a 404 here means that there is no such file.
    """

    def __init__(self, gitlab: GitLab, registry: str, place: Place) -> None:
        self._gitlab = gitlab
        self._registry = registry
        self._place = place

    def fetch(self, name: str, *, max_bytes: int) -> bytes | None:
        """Return the newest content of a name."""
        place = self._place
        return _at_most(
            max_bytes,
            lambda: self._gitlab.generic_get(
                self._registry, place.package, place.version, name, max_bytes=max_bytes, known_readable=True
            ),
        )

    def rows(self, name: str, *, max_bytes: int) -> Iterator[tuple[str, bytes]]:
        """Yield every older row, by its id; none on a GitLab that cannot (before 18.4), or where the API is closed to us."""
        place = self._place
        try:
            rows = (
                self._gitlab.package_files(self._registry, place.package, place.version, known_readable=True)
                or ()
            )
        except CredentialsError:
            return
        for number, row in enumerate([row for row in rows if row.file_name == name][1:], start=2):
            content = _at_most(max_bytes, partial(self._row, row, max_bytes))
            if content is None:
                return
            yield f"#{number}", content

    def names(self, prefix: str) -> Sequence[str] | None:  # noqa: ARG002 -- a registry is asked for known names only
        """Return None: listing costs more requests than asking."""
        return None

    def _row(self, row: PackageFile, max_bytes: int) -> bytes | None:
        return self._gitlab.file_by_id(self._registry, row, max_bytes=max_bytes, known_readable=True)


def _at_most(max_bytes: int, fetch: Callable[[], T]) -> T | bytes:
    """Fetch, and put noise of a size that every reader refuses in the place of what is too large.

    Evidence that is too large is bad evidence, beside which a good item may lie; it must not end the search.
    """
    try:
        return fetch()
    except NetworkError as err:
        if err.code != "too-large":
            raise
        return bytes(max_bytes + 1)


class Stored:
    """What the vault holds, for a run without a network. Every file is judged again, from its stored evidence.

    A stored file has no page any more. It is listed under the URLs that its pinned source gives it: the origin proves nothing by itself, and the
    digest or the signature that the pin demands is judged as ever.

    Args:
        trust: The trust file.
        vault: The vault.
    """

    def __init__(self, *, trust: TrustFile, vault: Vault) -> None:
        self._trust = trust
        self._vault = vault

    def page(self, project: ProjectName, entry: Entry) -> IndexPage:
        """List what the vault holds of a project.

        Raises:
            NetworkError: ``offline``: it holds nothing.
        """
        source = self._trust.source(entry.source)
        url = page_url(project, source, entry.registry)
        candidates = tuple(
            Candidate(
                project=project,
                name=name,
                source=source.name,
                page_url=url,
                url=_stored_url(source, entry, name, digest),
                claimed_sha256=digest,
            )
            for name, digest in self._vault.names(project)
            if self._may_be_meant(name, digest)
        )
        if not candidates:
            raise _offline(f"a file of {project} in the cache")
        return IndexPage(project=project, source=source.name, url=url, candidates=candidates)

    def _may_be_meant(self, name: ArtifactName, digest: Digest) -> bool:
        """Tell whether a stored file can be the one of its name: a digest that is pinned says which; nothing else can."""
        entry = self._trust.entry_for(name.project, name.version)
        pinned = entry.digest_for(name.filename) if isinstance(entry, HashEntry) else None
        return pinned is None or digest.matches(pinned)

    def receive(self, candidate: Candidate, directory: Path) -> Artifact:
        """Return a copy of a stored file, hashed and inspected anew.

        Raises:
            NetworkError: ``offline``: it is not there, or is another one.
        """
        digest = candidate.claimed_sha256
        stored = self._vault.find(digest, candidate.name, directory) if digest is not None else None
        if stored is None:
            raise _offline(f"{candidate.name} in the cache with the digest it was kept under")
        return stored.artifact

    def evidence(
        self,
        candidate: Candidate,  # noqa: ARG002 -- nothing is fetched
        artifact: Artifact,
        entry: IdentityEntry,  # noqa: ARG002
    ) -> Iterator[Item | BadItem]:
        """Return the stored evidence."""
        return iter(self._vault.evidence(artifact.digest))


def _stored_url(source: Source, entry: Entry, name: ArtifactName, digest: Digest) -> str:
    if source.type == "simple":
        return f"{source.url}/{name.project}/{name.filename}"
    registry = str(entry.registry_id) if entry.registry_id is not None else entry.registry or ""
    id_ = registry if registry.isdecimal() else "0"
    return f"{source.url}/api/v4/projects/{id_}/packages/pypi/files/{digest}/{quote(name.filename)}"


def _offline(expected: str) -> NetworkError:
    return NetworkError(
        "offline", f"expected {expected}, found none", hint="Run it once without --offline to fill the cache."
    )
