"""A candidate: a file that an index says it has. Nothing here is proved."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from pip_warden.digests import Digest
from pip_warden.names import ArtifactName, ProjectName


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


def distinct(candidates: Iterable[Candidate]) -> tuple[Candidate, ...]:
    """Drop entries that repeat an earlier one: an index may list a file twice, with one name and digest."""
    seen: dict[tuple[str, str], Candidate] = {}
    for candidate in candidates:
        seen.setdefault((candidate.name.filename, candidate.bytes_claimed), candidate)
    return tuple(seen.values())
