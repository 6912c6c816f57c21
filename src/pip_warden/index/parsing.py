"""Turns an index page (PEP 503 HTML or PEP 691 JSON) into candidates. Pure; nothing on the page is trusted.

A page that cannot be read as a whole is undecided; an entry that is not a plain wheel or sdist under a plain
URL is ignored, with the reason, and so can never be requested.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from email.message import Message
from urllib.parse import urldefrag, urljoin

from packaging.utils import canonicalize_name

from pip_warden.display import escape_text
from pip_warden.errors import RegistryError
from pip_warden.index.candidate import Candidate, IndexPage
from pip_warden.index.entries import LONGEST_URL, Page, PageEntry, candidate_of, names_seen_in
from pip_warden.index.markup import Link, MarkupError, read_document
from pip_warden.names import ArtifactName, ProjectName
from pip_warden.strict_json import JSONValue, MalformedError, loads_object
from pip_warden.transport import redacted_url

MAX_PAGE_BYTES = 64 << 20
"""Bytes of the largest page: four times the largest of pypi.org."""

_MAX_HTML_BYTES = 16 << 20
_MOST_FILES = 100_000
"""Entries on one page of either form: each costs tens of microseconds."""
_JSON = "application/vnd.pypi.simple.v1+json"
_HTML = frozenset({"application/vnd.pypi.simple.v1+html", "text/html"})
_CHARSETS = frozenset({"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin1"})
_LONGEST_NAME = 255
_LONGEST_BASE = 2048
_LONGEST_HEADER = 4096
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


def parse_page(*, project: ProjectName, source: str, url: str, content_type: str, body: bytes) -> IndexPage:
    """Read an index page.

    Args:
        project: The project whose page was requested.
        source: Name of the source.
        url: Final URL of the page; relative links and ``<base>`` are resolved against it.
        content_type: The ``Content-Type`` header.
        body: The page.

    Raises:
        RegistryError: ``bad-index-page``: it is not an index page of this project, or cannot be read as a
            whole.
    """

    def bad(found: str) -> RegistryError:
        return RegistryError(
            "bad-index-page",
            f"expected an index page of {project} from {redacted_url(url)}, found {escape_text(found)}",
            hint="Nothing was decided. If this is a sign-in page, credentials are missing; "
            "else check the source's `type` and `url`.",
        )

    page = Page(project=project, source=source, url=url, bad=bad)
    try:
        media_type, charset = _read_content_type(content_type)
        if media_type == _JSON:
            listed = list(_from_json(page, body))
        elif media_type in _HTML:
            listed = list(_from_html(page, body, charset))
        else:
            raise bad(f"content of type {media_type or 'unknown'!r}")
    except (MalformedError, MarkupError) as err:
        raise bad(str(err)) from err
    except _UNREADABLE as err:
        raise bad(f"what cannot be read ({type(err).__name__})") from err
    return _sort_out(page, listed)


def _sort_out(page: Page, listed: list[PageEntry]) -> IndexPage:
    candidates: list[Candidate] = []
    ignored: list[tuple[str, str]] = []
    unusable: dict[ArtifactName, None] = {}
    for entry in listed:
        looked = candidate_of(page, entry)
        if isinstance(looked, Candidate):
            candidates.append(looked)
        else:
            ignored.append((entry.filename[:_LONGEST_NAME], looked))
            unusable |= dict.fromkeys(names_seen_in(entry))
    return IndexPage(
        project=page.project,
        source=page.source,
        url=page.url,
        candidates=tuple(candidates),
        ignored=tuple(ignored),
        unusable=tuple(unusable),
    )


def _from_json(page: Page, body: bytes) -> Iterator[PageEntry]:
    """Read PEP 691 JSON. Its version is checked here, so that a newer minor version is no Python warning."""
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


def _from_json_file(page: Page, raw: Mapping[str, JSONValue]) -> PageEntry:
    filename, href = raw.get("filename"), raw.get("url")
    if not isinstance(filename, str) or not isinstance(href, str):
        raise page.bad("a file without a name or URL")
    if len(filename) > _LONGEST_NAME or len(href) > LONGEST_URL:
        return PageEntry(filename=filename, href=href, url=href)
    # It imports an HTML parser, which takes 80 ms; GitLab's pages are HTML, which our own parser reads.
    from pypi_simple import DistributionPackage

    package = DistributionPackage.from_json_data(dict(raw), str(page.project), page.url)
    hashes = {value for name, value in package.digests.items() if name.lower() == "sha256"}
    return PageEntry(
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


def _from_html(page: Page, body: bytes, charset: str) -> Iterator[PageEntry]:
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


def _check_base(page: Page, base: str) -> None:
    """Limit the base's length, which every relative URL on the page gets."""
    if len(base.partition("?")[0]) > _LONGEST_BASE:
        raise page.bad(f"links relative to a URL of more than {_LONGEST_BASE} characters")


def _from_link(link: Link, base: str) -> PageEntry:
    href = link.attributes["href"]
    if len(href) > LONGEST_URL:
        return PageEntry(filename=link.text, href=href, url=href)
    url = urljoin(base, href)
    return PageEntry(
        filename=link.text,
        href=href,
        url=url,
        sha256=_fragment_digests(url),
        requires_python=link.attributes.get("data-requires-python"),
        yanked=link.attributes.get("data-yanked"),
        provenance=link.attributes.get("data-provenance"),
    )


def _fragment_digests(url: str) -> frozenset[str]:
    """Return the digests in a URL's fragment (PEP 503); GitLab's is empty where the uploader gave none."""
    try:
        parts = urldefrag(url).fragment.split("&")
    except ValueError:
        return frozenset()
    return frozenset(part.removeprefix("sha256=") for part in parts if part.startswith("sha256="))


def _read_content_type(header: str) -> tuple[str, str]:
    """Return the media type in lower case and the charset (utf-8 where not given)."""
    message = Message()
    message["content-type"] = " ".join(header.split())[:_LONGEST_HEADER]
    media_type = message.get_content_type() if header.strip() else ""
    return media_type, (message.get_content_charset() or "utf-8").lower()
