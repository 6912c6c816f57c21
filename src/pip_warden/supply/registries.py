"""The sources of a trust file, over the network."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from pip_warden._sigstore.rekor import Hashedrekord, LoggedEnvelope, find_log_entry
from pip_warden._sigstore.wire import LogEntry
from pip_warden._sigstore.wire_reader import LARGEST_BUNDLE
from pip_warden.artifact.model import Artifact
from pip_warden.artifact.receive import receive
from pip_warden.errors import InternalError
from pip_warden.evidence.locate import LogEntryFinder, generic_packages, locate, unless_settled
from pip_warden.evidence.model import BadItem, Item
from pip_warden.evidence.names import BUNDLE
from pip_warden.index.candidate import Candidate, IndexPage
from pip_warden.index.gitlab import GitLab
from pip_warden.index.gitlab_urls import without_epoch
from pip_warden.index.simple import fetch_page
from pip_warden.measures import UNMEASURED, Measures
from pip_warden.names import ArtifactName, ProjectName
from pip_warden.supply.ahead import Background, EvidenceAhead
from pip_warden.supply.generic import GenericStore
from pip_warden.supply.model import LARGEST_FILE
from pip_warden.supply.provenance import Provenances, is_foreign
from pip_warden.transport import Download, Transport
from pip_warden.trust.model import Entry, IdentityEntry, Probe, TrustFile

if TYPE_CHECKING:
    from pip_warden._sigstore.root import Root


class RegistrySupply:
    """Fetches from the sources of a trust file.

    Args:
        trust: The trust file.
        roots: Its trusted roots: they name the logs in which detached signatures are looked up.
        transport: The HTTP client.
        measures: Told what files cost.
        settled: Paths of the files that have a verdict: for them no log is searched any more.
    """

    def __init__(
        self,
        *,
        trust: TrustFile,
        roots: Mapping[str, Root],
        transport: Transport,
        measures: Measures = UNMEASURED,
        settled: Collection[Path] = (),
    ) -> None:
        self._settled = settled
        self._measures = measures
        self._trust = trust
        self._roots = roots
        self._transport = transport
        self._ahead = EvidenceAhead(measures)
        self._provenances = Provenances(transport, self._ahead)

    def page(self, project: ProjectName, entry: Entry | Probe) -> IndexPage:
        """Fetch a project's page from the source its entry names."""
        return fetch_page(self._transport, project, self._trust.source(entry.source), entry.registry)

    def receive(self, candidate: Candidate, directory: Path) -> Artifact:
        """Fetch a file into a private directory and inspect it."""
        home = self._trust.source(candidate.source).home
        download = partial(self._download, home)
        return receive(candidate, download, directory, max_bytes=LARGEST_FILE, measures=self._measures)

    def _download(self, home: str, url: str, *, to: BinaryIO, max_bytes: int, label: str) -> Download:
        """Stream a file, with the credentials of its home's origin only.

        An index may name files anywhere, also where the user holds a token (T31).
        """
        anonymous = is_foreign(url, home)
        return self._transport.download(url, to=to, max_bytes=max_bytes, label=label, anonymous=anonymous)

    def expect_evidence(
        self, candidate: Candidate, entry: IdentityEntry | Probe, background: Background
    ) -> None:
        """Start to fetch the evidence that searches usually ask for, beside the file."""
        source = self._trust.source(entry.source)
        if source.type == "simple":
            self._provenances.expect(candidate, source, background)
            return
        stores, filename = self._stores(candidate.name, entry), without_epoch(candidate.name.filename)
        usual = self._ahead.usual(source.name) or ((0, BUNDLE, LARGEST_BUNDLE),)
        for number, ending, max_bytes in usual:
            if number < len(stores):
                stores[number].expect(f"{filename}{ending}", max_bytes, background)

    def evidence(
        self, candidate: Candidate, artifact: Artifact, entry: IdentityEntry | Probe
    ) -> Iterator[Item | BadItem]:
        """Find evidence: in a GitLab project's generic registry, or in a provenance object."""
        source = self._trust.source(entry.source)
        if source.type == "simple":
            return self._provenances.find(candidate, source)
        return self._searched(artifact, source.name, self._stores(artifact.name, entry), entry)

    def has_provenance(self, candidate: Candidate) -> bool:
        """Return whether a simple index has a provenance object for a file; it may prove nothing.

        Raises:
            UndecidedError: It could not be told.
        """
        source = self._trust.source(candidate.source)
        found = self._provenances.find(candidate, source) if source.type == "simple" else ()
        return any(isinstance(each, Item) for each in found)

    def _stores(self, name: ArtifactName, entry: IdentityEntry | Probe) -> list[GenericStore]:
        source = self._trust.source(entry.source)
        if entry.registry is None:
            raise InternalError("bug", "a gitlab entry has no registry project")
        gitlab = GitLab(self._transport, source.url)
        places = generic_packages(entry.evidence or source.evidence, name, entry.registry)
        return [GenericStore(gitlab, entry.registry, place, self._ahead) for place in places]

    def _searched(
        self, artifact: Artifact, source: str, stores: list[GenericStore], entry: IdentityEntry | Probe
    ) -> Iterator[Item | BadItem]:
        """Search, and remember what the search asked for when it ends."""
        filename = without_epoch(artifact.name.filename)
        asked: list[tuple[int, str, int]] = []

        def note(number: int, name: str, max_bytes: int) -> None:
            asked.append((number, name.removeprefix(filename), max_bytes))

        for number, store in enumerate(stores):
            store.on_fetch = partial(note, number)
        try:
            find_entry = unless_settled(artifact, self._settled, self._entry_finder(entry))
            yield from locate(filename, artifact.digest, stores, find_entry)
        finally:
            self._ahead.learn(source, tuple(asked))

    def _entry_finder(self, entry: IdentityEntry | Probe) -> LogEntryFinder:
        """Return a look-up in the logs of the roots that may vouch for the package, and in no other."""
        if isinstance(entry, Probe):
            names = [entry.root]
        else:
            names = sorted({identity.root for identity in entry.identities})
        return partial(look_up, self._transport, self._roots, names)


def look_up(
    transport: Transport,
    roots: Mapping[str, Root],
    names: Iterable[str],
    wanted: Hashedrekord | LoggedEnvelope,
) -> LogEntry | None:
    """Look up in the logs of some trusted roots, and in no other, what carries no log entry with it.

    Args:
        transport: The HTTP client.
        roots: The trusted roots.
        names: The names of those whose logs are searched.
        wanted: What the entry must contain.

    Raises:
        UndecidedError: A log could not be searched.
    """
    urls = dict.fromkeys(url for name in names for url in roots[name].rekor_v1_urls)
    return find_log_entry(transport, tuple(urls), wanted)
