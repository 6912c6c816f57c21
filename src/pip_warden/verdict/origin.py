"""Step 2, origin: the index page and the file URLs it lists are those of the entry's source.

GitLab answers for a name it does not know by forwarding to pypi.org, either with a redirect or, newer, by
listing foreign files on its own origin (``forward/``, ``upstream_url``). So the page's final URL and each
file URL are compared with the only ones the pinned project can have. Where this machine takes a simple index
from a mirror, the page must be that mirror's own: it may not lead on to another index.

A name stands for one file. Where a page lists other bytes under it as well, installers choose differently, so
that whole release is refused.
"""

from __future__ import annotations

import re
from urllib.parse import quote

from packaging.version import Version

from pip_warden.display import bare_url
from pip_warden.faults import Fault
from pip_warden.index.candidate import Candidate, IndexPage
from pip_warden.names import ArtifactName, ProjectName
from pip_warden.trust.model import Entry, Probe, Source

_HINT = (
    "A registry that does not know a name may forward to another index; "
    "the pinned project must have the package itself."
)


def check_page(page: IndexPage, project: ProjectName, entry: Entry | Probe, source: Source) -> Fault | None:
    """Judge a page: its final URL and, for a ``gitlab`` source, every file URL on it."""
    if page.source != entry.source:
        return Fault(code="foreign-source", expected=f"source {entry.source}", found=f"source {page.source}")
    if page.url.rstrip("/") not in _page_urls(project, entry, source):
        return Fault(
            code="foreign-index-page",
            expected=min(_page_urls(project, entry, source)),
            found=_shown(page.url),
            hint=_HINT,
        )
    if source.type == "simple":
        return None
    return _check_gitlab_files(page, entry, source)


def check_listed(candidate: Candidate, page: IndexPage) -> Fault | None:
    """Judge that a page, judged before, lists a candidate."""
    if page.lists(candidate):
        return None
    return Fault(code="foreign-file", expected=f"a file listed on {page.url}", found=_shown(candidate.url))


def check_release(page: IndexPage, version: Version) -> Fault | None:
    """Judge that each name in a release, in any spelling, stands for one file.

    No two digests, nor one with a digest and one without. Entries that cannot be fetched here count too:
    their bytes are not known, and installers may be able to fetch them.
    """
    usable, unusable = page.release(version)
    rows = [(c.name, c.bytes_claimed) for c in usable]
    rows += [(name, "") for name in unusable]
    known: dict[object, tuple[ArtifactName, str]] = {}
    for name, found in rows:
        first, bytes_ = known.setdefault(name.choice, (name, found))
        if bytes_ != found:
            return Fault(
                code="same-name-other-bytes",
                expected=f"one file for each name in release {version} of {page.project}",
                found=f"{_row(first, bytes_)} and {_row(name, found)}",
                hint="Which of the two is installed is chance. One must be removed from the registry; "
                "offline, it is the cache that holds both.",
            )
    return None


def _shown(url: str) -> str:
    """Return a foreign URL for reports that anybody may read: registries sign URLs in their query."""
    bare = bare_url(url)
    return bare if bare == url else f"{bare} and more that may be secret"


def _row(name: ArtifactName, claimed: str) -> str:
    is_digest = claimed and "/" not in claimed
    return f"{name} with {f'SHA-256 {claimed}' if is_digest else 'no digest'}"


def _page_urls(project: ProjectName, entry: Entry | Probe, source: Source) -> frozenset[str]:
    """Return the final URLs that a page may have, without a trailing slash."""
    if source.type == "simple":
        return frozenset({f"{source.home}/{project}"})
    ids = {entry.registry or "", str(entry.registry_id or "")} - {""}
    return frozenset(
        f"{source.url}/api/v4/projects/{quote(id_, safe='')}/packages/pypi/simple/{project}" for id_ in ids
    )


def _check_gitlab_files(page: IndexPage, entry: Entry | Probe, source: Source) -> Fault | None:
    """Check that every file is the project's own: same id, no query, no ``forward/``."""
    shape = re.compile(
        re.escape(f"{source.url}/api/v4/projects/")
        + r"([0-9]+)/packages/pypi/files/([0-9a-fA-F]{64})/([^/?#]+)",
        re.ASCII,
    )
    pinned = _pinned_id(entry)
    ids = set() if pinned is None else {pinned}
    for candidate in page.candidates:
        match = shape.fullmatch(candidate.url)
        if match is None or not _carries(match, candidate):
            return Fault(
                code="foreign-file",
                expected=f"{source.url}/api/v4/projects/{pinned or 'ID'}/packages/pypi/files/SHA256/"
                f"{candidate.name}",
                found=_shown(candidate.url),
                hint=_HINT,
            )
        ids.add(match[1])
    if len(ids) > 1:
        return Fault(
            code="foreign-file",
            expected=f"only files of registry project {pinned or entry.registry}",
            found=f"files of the projects {', '.join(sorted(ids))} on {page.url}",
            hint=_HINT,
        )
    return None


def _carries(match: re.Match[str], candidate: Candidate) -> bool:
    """Return whether a file URL ends in the candidate's own name and has the digest that the index claims."""
    right_name = match[3] in {candidate.name.filename, quote(candidate.name.filename)}
    return right_name and (
        candidate.claimed_sha256 is None or candidate.claimed_sha256.hex == match[2].lower()
    )


def _pinned_id(entry: Entry | Probe) -> str | None:
    if entry.registry_id is not None:
        return str(entry.registry_id)
    return entry.registry if entry.registry is not None and entry.registry.isdecimal() else None
