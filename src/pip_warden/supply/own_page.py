"""The page of what has none: stored or offered files, under the URLs that their pinned source gives them.

The origin proves nothing then, and nothing is fetched there: the digest or the signature that the pin
requires is judged as always.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote

from pip_warden.digests import Digest
from pip_warden.index.candidate import Candidate, IndexPage
from pip_warden.index.simple import page_url
from pip_warden.names import ArtifactName, ProjectName
from pip_warden.trust.model import Entry, Probe, Source

_UNKNOWN = "0" * 64


def own_page(
    project: ProjectName,
    source: Source,
    entry: Entry | Probe,
    files: Iterable[tuple[ArtifactName, Digest | None]],
    ignored: tuple[tuple[str, str], ...] = (),
) -> IndexPage:
    """Return a page of a project as its pinned source would give it.

    Args:
        project: The project.
        source: The source.
        entry: The entry that pins the project there.
        files: Each file's name, and its SHA-256 where it is known.
        ignored: Names that were left out, each with the reason.
    """
    url = page_url(project, source, entry.registry)
    candidates = tuple(
        Candidate(
            project=project,
            name=name,
            source=source.name,
            page_url=url,
            url=_own_url(source, entry, name, digest),
            claimed_sha256=digest,
        )
        for name, digest in files
    )
    return IndexPage(project=project, source=source.name, url=url, candidates=candidates, ignored=ignored)


def _own_url(source: Source, entry: Entry | Probe, name: ArtifactName, digest: Digest | None) -> str:
    if source.type == "simple":
        return f"{source.url}/{name.project}/{name.filename}"
    registry = str(entry.registry_id) if entry.registry_id is not None else entry.registry or ""
    id_ = registry if registry.isdecimal() else "0"
    known = _UNKNOWN if digest is None else digest.hex
    return f"{source.url}/api/v4/projects/{id_}/packages/pypi/files/{known}/{quote(name.filename)}"
