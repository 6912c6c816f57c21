"""Turns entries of an index page into candidates, or ignores them with a reason. Pure; nothing is trusted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from urllib.parse import unquote, urldefrag, urlsplit

from pip_warden.digests import Digest
from pip_warden.errors import NetworkError, RegistryError, UsageError
from pip_warden.index.candidate import Candidate
from pip_warden.names import ArtifactName, ProjectName, parse_artifact_name
from pip_warden.transport import origin_of
from pip_warden.values import dataclass, field

LONGEST_URL = 8192
"""Characters of an entry's URL, as on the page."""

_LONGEST_FIELD = 4096


@dataclass(frozen=True, kw_only=True, slots=True)
class PageEntry:
    """One entry, read from either form of page and not yet checked.

    Attributes:
        filename: The anchor's text, or the JSON ``filename``.
        href: The URL, as on the page.
        url: The same, made absolute.
        sha256: Every SHA-256 claimed for it.
        requires_python: Unchanged, None where absent.
        yanked: The reason, which may be empty; None where it is not yanked.
        upload_time: As claimed; may be without a zone.
        size: Bytes, as claimed.
        provenance: URL of the PEP 740 provenance object.
    """

    filename: str
    href: str
    url: str
    sha256: frozenset[str] = frozenset()
    requires_python: str | None = None
    yanked: str | None = None
    upload_time: datetime | None = None
    size: int | None = None
    provenance: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Page:
    """The page that entries come from.

    Attributes:
        project: The project whose page was requested.
        source: Name of the source.
        url: Final URL of the page.
        bad: Makes the error for a page that cannot be read as a whole.
    """

    project: ProjectName
    source: str
    url: str
    bad: Callable[[str], RegistryError] = field(repr=False)


def candidate_of(page: Page, entry: PageEntry) -> Candidate | str:
    """Return the candidate, or why the entry is not one.

    Args:
        page: The page of the entry.
        entry: The entry.
    """
    try:
        name = parse_artifact_name(entry.filename)
    except UsageError:
        return "not the file name of a wheel or .tar.gz sdist"
    problem = _url_problem(entry, name)
    if problem:
        return problem
    digests = {text.lower() for text in entry.sha256 if _is_digest(text)}
    if len(digests) > 1:
        return "more than one SHA-256 is given for it"
    return Candidate(
        project=page.project,
        name=name,
        source=page.source,
        page_url=page.url,
        url=urldefrag(entry.url).url,
        claimed_sha256=Digest(digests.pop()) if digests else None,
        claimed_requires_python=_short(entry.requires_python) or None,
        claimed_yanked=_short(entry.yanked),
        claimed_upload_time=_utc(entry.upload_time),
        claimed_size=entry.size if entry.size is not None and entry.size >= 0 else None,
        claimed_provenance=_plain_url(entry.provenance),
    )


def names_seen_in(entry: PageEntry) -> Iterator[ArtifactName]:
    """Yield the names that an installer may see: pip reads the URL's end, others the entry's own name."""
    path = unquote(entry.url.partition("#")[0].partition("?")[0])
    for text in (entry.filename, path.rstrip("/").rpartition("/")[2]):
        with suppress(UsageError):
            yield parse_artifact_name(text)


def _url_problem(entry: PageEntry, name: ArtifactName) -> str:
    """Return what is wrong with an entry's URL; ``""`` where nothing is.

    The name in the URL is decoded exactly once (``%252e%252e%252f`` decoded twice was CVE-2026-13346) and
    must be the name on the page.
    """
    if len(entry.href) > LONGEST_URL:
        return "its URL is too long"
    if any(char <= " " or char in "\\\x7f" for char in entry.href):
        return "its URL has blanks, control characters or backslashes"
    try:
        url = urldefrag(entry.url).url
        origin_of(url)
        last = unquote(urlsplit(url).path.rsplit("/", 1)[-1], errors="strict")
    except NetworkError:
        return "its URL is not a plain https URL"
    except ValueError:
        return "its URL cannot be read"
    return "" if last == name.filename else "its URL ends in another file name"


def _is_digest(text: str) -> bool:
    try:
        Digest(text.lower())
    except UsageError:
        return False
    return True


def _short(text: str | None) -> str | None:
    return None if text is None else text.strip()[:_LONGEST_FIELD]


def _plain_url(url: str | None) -> str | None:
    if not url:
        return None
    try:
        origin_of(url)
    except NetworkError:
        return None
    return url


def _utc(time: datetime | None) -> datetime | None:
    """Return an aware time in UTC; one without a zone is not PEP 700's, and is dropped."""
    if time is None or time.tzinfo is None:
        return None
    try:
        return time.astimezone(UTC)
    except (OverflowError, ValueError):
        return None
