"""A candidate: a file that an index says it has. Nothing here is proved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from packaging.version import Version

from pip_warden.digests import Digest
from pip_warden.names import ArtifactName, ProjectName
from pip_warden.values import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class Candidate:
    """One file entry of an index page.

    Attributes:
        project: The project whose page was requested.
        name: The parsed file name.
        source: Name of the trust file's source that served the page.
        page_url: Final URL of the page, after redirects.
        url: Absolute URL of the file without its fragment.
        claimed_sha256: The index's digest, as the uploader gave it.
        claimed_requires_python: ``data-requires-python`` / ``requires-python``, unchanged; None where absent
            or empty.
        claimed_yanked: None where not yanked, else the reason, which may be empty (PEP 592).
        claimed_upload_time: PEP 700, aware UTC.
        claimed_size: Bytes (PEP 700).
        claimed_provenance: URL of the PEP 740 provenance object.
    """

    project: ProjectName
    name: ArtifactName
    source: str
    page_url: str
    url: str
    claimed_sha256: Digest | None = None
    claimed_requires_python: str | None = None
    claimed_yanked: str | None = None
    claimed_upload_time: datetime | None = None
    claimed_size: int | None = None
    claimed_provenance: str | None = None

    @property
    def bytes_claimed(self) -> str:
        """Return what distinguishes two entries' bytes before they are fetched: the digest, else the URL."""
        return self.claimed_sha256.hex if self.claimed_sha256 is not None else self.url


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexPage:
    """A project's page.

    Attributes:
        project: The requested project.
        source: Name of the source.
        url: Final URL, after redirects.
        candidates: Every entry that is a wheel or ``.tar.gz`` sdist, in the page's order.
        ignored: Every other entry as ``(file name, why it is no candidate)``.
        unusable: The names of wheels and sdists that an installer may still read from ignored entries: an
            entry's own, and the one its URL ends in.
    """

    project: ProjectName
    source: str
    url: str
    candidates: tuple[Candidate, ...]
    ignored: tuple[tuple[str, str], ...] = ()
    unusable: tuple[ArtifactName, ...] = ()
    _files: Mapping[tuple[str, str], tuple[Candidate, ...]] = field(init=False, repr=False, compare=False)
    _releases: Mapping[Version, Release] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Each file of a page is looked up on it again, and it may have a hundred thousand.
        files: dict[tuple[str, str], list[Candidate]] = {}
        releases: dict[Version, tuple[list[Candidate], list[ArtifactName]]] = {}
        for candidate in self.candidates:
            files.setdefault(_file_of(candidate), []).append(candidate)
            releases.setdefault(candidate.name.version, ([], []))[0].append(candidate)
        for name in self.unusable:
            releases.setdefault(name.version, ([], []))[1].append(name)
        object.__setattr__(self, "_files", {file: tuple(found) for file, found in files.items()})
        object.__setattr__(
            self,
            "_releases",
            {version: (tuple(usable), tuple(other)) for version, (usable, other) in releases.items()},
        )

    def lists(self, candidate: Candidate) -> bool:
        """Return whether a candidate is one of the page's."""
        return candidate in self._files.get(_file_of(candidate), ())

    def release(self, version: Version) -> Release:
        """Return the candidates of a version, and the unusable names, both in the page's order."""
        return self._releases.get(version, ((), ()))


Release = tuple[tuple[Candidate, ...], tuple[ArtifactName, ...]]
"""The entries of one version: its candidates, and its names in unusable entries."""


def _file_of(candidate: Candidate) -> tuple[str, str]:
    """Return a file's name and what distinguishes its bytes."""
    return candidate.name.filename, candidate.bytes_claimed


def distinct(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Drop entries that repeat an earlier one: an index may list a file twice, with one name and digest."""
    seen: dict[tuple[str, str], Candidate] = {}
    for candidate in candidates:
        seen.setdefault(_file_of(candidate), candidate)
    return tuple(seen.values())
