"""An index page (PEP 503 HTML or PEP 691 JSON) becomes candidates. Pure; nothing on the page is believed.

A page that cannot be read as a whole is undecided; an entry that is no plain wheel or sdist under a plain URL is ignored, with the
reason, and so can never be asked for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.message import Message
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from packaging.utils import canonicalize_name
from pypi_simple import DistributionPackage

from pip_warden.digests import Digest
from pip_warden.display import shown
from pip_warden.errors import NetworkError, RegistryError, UsageError
from pip_warden.index.candidate import Candidate, IndexPage
from pip_warden.index.markup import Link, MarkupError, read_document
from pip_warden.names import ArtifactName, ProjectName, parse_artifact_name
from pip_warden.strict_json import JSONValue, StrictJSONError, loads_object
from pip_warden.transport import origin_of, shown_url

MAX_PAGE_BYTES = 64 << 20
"""The largest page: the largest of pypi.org's are a quarter of it."""

_MAX_HTML_BYTES = 16 << 20
_MOST_FILES = 100_000
"""On one page of either form: each entry costs tens of microseconds."""
_JSON = "application/vnd.pypi.simple.v1+json"
_HTML = frozenset({"application/vnd.pypi.simple.v1+html", "text/html"})
_CHARSETS = frozenset({"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin1"})
_LONGEST_NAME = 255
_LONGEST_URL = 8192
_LONGEST_BASE = 2048
_LONGEST_FIELD = 4096
_API_VERSION = re.compile(r"1\.[0-9]{1,4}", re.ASCII)
_UNREADABLE = (
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    AssertionError,
    RecursionError,
    OverflowError,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Listed:
    """One entry, read from either form of page and not yet looked at.

    Attributes:
        filename: The anchor's text, or the JSON ``filename``.
        href: The URL as it stands on the page.
        url: The same, made absolute.
        sha256: Every SHA-256 claimed for it.
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
class _Page:
    """Where entries come from."""

    project: ProjectName
    source: str
    url: str
    bad: Callable[[str], RegistryError] = field(repr=False)


def parse_page(*, project: ProjectName, source: str, url: str, content_type: str, body: bytes) -> IndexPage:
    """Read an index page.

    Args:
        project: The project whose page was asked for.
        source: Name of the source.
        url: Final URL of the page; relative links and ``<base>`` are resolved against it.
        content_type: The ``Content-Type`` header.
        body: The page.

    Raises:
        RegistryError: ``bad-index-page``: it is no index page of this project, or cannot be read as a whole.
    """

    def bad(found: str) -> RegistryError:
        return RegistryError(
            "bad-index-page",
            f"expected an index page of {project} from {shown_url(url)}, found {shown(found)}",
            hint="Nothing was decided. If this is a sign-in page, credentials are missing; else check the source's `type` and `url`.",
        )

    page = _Page(project=project, source=source, url=url, bad=bad)
    try:
        media_type, charset = _read_content_type(content_type)
        if media_type == _JSON:
            listed = list(_from_json(page, body))
        elif media_type in _HTML:
            listed = list(_from_html(page, body, charset))
        else:
            raise bad(f"content of type {media_type or 'unknown'!r}")
    except (StrictJSONError, MarkupError) as err:
        raise bad(str(err)) from err
    except _UNREADABLE as err:
        raise bad(f"what cannot be read ({type(err).__name__})") from err
    return _sort_out(page, listed)


def _sort_out(page: _Page, listed: list[_Listed]) -> IndexPage:
    candidates: list[Candidate] = []
    ignored: list[tuple[str, str]] = []
    unusable: dict[ArtifactName, None] = {}
    for entry in listed:
        looked = _look_at(page, entry)
        if isinstance(looked, Candidate):
            candidates.append(looked)
        else:
            ignored.append((entry.filename[:_LONGEST_NAME], looked))
            unusable |= dict.fromkeys(_names_seen_in(entry))
    return IndexPage(
        project=page.project,
        source=page.source,
        url=page.url,
        candidates=tuple(candidates),
        ignored=tuple(ignored),
        unusable=tuple(unusable),
    )


def _from_json(page: _Page, body: bytes) -> Iterator[_Listed]:
    """Read PEP 691 JSON. Its version is ours to judge, so that a newer minor version is no Python warning."""
    data = loads_object(body, max_bytes=MAX_PAGE_BYTES)
    meta = data.get("meta")
    version = meta.get("api-version") if isinstance(meta, dict) else None
    if not isinstance(version, str) or not _API_VERSION.fullmatch(version):
        raise page.bad(f"api-version {version!r}, not 1.x")
    name = data.get("name")
    if not isinstance(name, str) or str(canonicalize_name(name)) != page.project:
        raise page.bad(f"a page of {name!r}")
    files = data.get("files")
    if not isinstance(files, list) or len(files) > _MOST_FILES:
        raise page.bad(f"no list of at most {_MOST_FILES} files")
    _check_base(page, page.url)
    for raw in files:
        if not isinstance(raw, dict):
            raise page.bad("a file that is no object")
        yield _from_json_file(page, raw)


def _from_json_file(page: _Page, raw: Mapping[str, JSONValue]) -> _Listed:
    filename, href = raw.get("filename"), raw.get("url")
    if not isinstance(filename, str) or not isinstance(href, str):
        raise page.bad("a file without a name or URL")
    if len(filename) > _LONGEST_NAME or len(href) > _LONGEST_URL:
        return _Listed(filename=filename, href=href, url=href)
    package = DistributionPackage.from_json_data(dict(raw), str(page.project), page.url)
    hashes = {value for name, value in package.digests.items() if name.lower() == "sha256"}
    return _Listed(
        filename=filename,
        href=href,
        url=package.url,
        sha256=frozenset(hashes) | _fragment_digests(package.url),
        requires_python=package.requires_python,
        yanked=(package.yanked_reason or "") if package.is_yanked else None,
        upload_time=package.upload_time,
        size=package.size,
        provenance=package.provenance_url,
    )


def _from_html(page: _Page, body: bytes, charset: str) -> Iterator[_Listed]:
    if len(body) > _MAX_HTML_BYTES:
        raise page.bad(f"an HTML page of more than {_MAX_HTML_BYTES} bytes")
    if charset not in _CHARSETS:
        raise page.bad(f"charset {charset!r}")
    document = read_document(body.decode(charset), most_links=_MOST_FILES)
    for name, content in document.meta:
        if name == "pypi:repository-version" and not _API_VERSION.fullmatch(content):
            raise page.bad(f"repository version {content!r}, not 1.x")
    base = page.url if document.base is None else urljoin(page.url, document.base)
    _check_base(page, base)
    yield from (_from_link(link, base) for link in document.links)


def _check_base(page: _Page, base: str) -> None:
    """Every relative URL on the page costs what its base is long."""
    if len(base.partition("?")[0]) > _LONGEST_BASE:
        raise page.bad(f"links relative to a URL of more than {_LONGEST_BASE} characters")


def _from_link(link: Link, base: str) -> _Listed:
    href = link.attributes["href"]
    if len(href) > _LONGEST_URL:
        return _Listed(filename=link.text, href=href, url=href)
    url = urljoin(base, href)
    return _Listed(
        filename=link.text,
        href=href,
        url=url,
        sha256=_fragment_digests(url),
        requires_python=link.attributes.get("data-requires-python"),
        yanked=link.attributes.get("data-yanked"),
        provenance=link.attributes.get("data-provenance"),
    )


def _look_at(page: _Page, entry: _Listed) -> Candidate | str:
    """Return the candidate, or why the entry is none."""
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


def _names_seen_in(entry: _Listed) -> Iterator[ArtifactName]:
    """Yield the names under which an installer may take an ignored entry: pip reads the URL's end, others the entry's own name."""
    path = unquote(entry.url.partition("#")[0].partition("?")[0])
    for text in (entry.filename, path.rstrip("/").rpartition("/")[2]):
        with suppress(UsageError):
            yield parse_artifact_name(text)


def _url_problem(entry: _Listed, name: ArtifactName) -> str:
    """Say what is wrong with an entry's URL; ``""`` where nothing is.

    The name in the URL is decoded exactly once (``%252e%252e%252f`` decoded twice was CVE-2026-13346) and must be the name on the page.
    """
    if len(entry.href) > _LONGEST_URL:
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


def _fragment_digests(url: str) -> frozenset[str]:
    """Return the digests in a URL's fragment (PEP 503); GitLab writes an empty one where the uploader gave none."""
    try:
        parts = urldefrag(url).fragment.split("&")
    except ValueError:
        return frozenset()
    return frozenset(part.removeprefix("sha256=") for part in parts if part.startswith("sha256="))


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
    """Return an aware time in UTC; one without a zone is not what PEP 700 writes, and says nothing."""
    if time is None or time.tzinfo is None:
        return None
    try:
        return time.astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def _read_content_type(header: str) -> tuple[str, str]:
    """Return the media type in lower case and the charset (utf-8 where not given)."""
    message = Message()
    message["content-type"] = " ".join(header.split())[:_LONGEST_FIELD]
    media_type = message.get_content_type() if header.strip() else ""
    return media_type, (message.get_content_charset() or "utf-8").lower()
