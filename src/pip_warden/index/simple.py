"""Fetches index pages from a source: a GitLab project's PyPI registry or any PEP 503/691 index."""

from __future__ import annotations

from typing import Literal, Protocol
from urllib.parse import urlsplit

from pip_warden.errors import RegistryError, UndecidedError, UsageError
from pip_warden.index.candidate import IndexPage
from pip_warden.index.gitlab_urls import simple_url
from pip_warden.index.parsing import MAX_PAGE_BYTES, parse_page
from pip_warden.names import ProjectName
from pip_warden.transport import Response, Transport, error_for, is_api, redacted_url

__all__ = ["ACCEPT", "IndexSource", "fetch_page", "page_url", "parse_page"]

ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01"
"""JSON before HTML (PEP 691)."""

_FORWARDED = 302
"""What GitLab answers for a project that it has not, where it forwards to another index."""


class IndexSource(Protocol):
    """The part of a trust file's source that is needed for requests."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def type(self) -> Literal["gitlab", "simple"]:
        """Its type."""
        ...

    @property
    def url(self) -> str:
        """Instance root or index root, without a trailing slash."""
        ...

    @property
    def home(self) -> str:
        """The URL that pages are asked from: a mirror's, else the source's own."""
        ...


def fetch_page(
    transport: Transport,
    project: ProjectName,
    source: IndexSource,
    registry: str | None,
    *,
    stays_home: bool = False,
) -> IndexPage:
    """Fetch a project's page from one source.

    The URL that the request was redirected to is the page's ``url``; whether it is allowed is decided in step
    2. Credentials are not sent there.

    Args:
        transport: The HTTP client.
        project: The project; its normalised name is requested, since GitLab forwards any other spelling.
        source: The source.
        registry: For ``gitlab``: path or numeric id of the project whose registry it is.
        stays_home: Whether a redirect to another origin is not followed: GitLab forwards what it has not
            itself, so the page is missing then.

    Raises:
        RegistryError: ``bad-index-page``; ``page-missing``: the source says that it has no such project; or
            another status.
        CredentialsError: The caller is not authenticated, or not authorised; also for a 404 without
            credentials.
        NetworkError: No response, or a broken one.
        UsageError: ``registry-needed``.
    """
    what = f"the index page of {project}"
    reply = ask_page(transport, page_url(project, source, registry), label=what, stays_home=stays_home)
    if stays_home and reply.status == _FORWARDED:
        raise _absent(project, reply)
    if reply.status == 404:
        raise _missing(project, source, reply)
    if reply.status != 200:
        raise error_for(reply, what)
    return read_page(reply, project, source)


def ask_page(transport: Transport, url: str, *, label: str, stays_home: bool = False) -> Response:
    """Request an index page and return the response, whatever its status.

    Args:
        transport: The HTTP client.
        url: Its URL.
        label: What it is, for people.
        stays_home: Whether a redirect to another origin is not followed.

    Raises:
        NetworkError: No response, or a broken one.
    """
    return transport.get(url, max_bytes=MAX_PAGE_BYTES, accept=ACCEPT, label=label, stays_home=stays_home)


def read_page(reply: Response, project: ProjectName, source: IndexSource) -> IndexPage:
    """Read the index page in a response.

    Raises:
        RegistryError: ``bad-index-page``.
    """
    return parse_page(
        project=project,
        source=source.name,
        url=reply.url,
        content_type=reply.headers.get("content-type", ""),
        body=reply.body,
    )


def page_url(project: ProjectName, source: IndexSource, registry: str | None) -> str:
    """Return the URL of a project's page.

    Raises:
        UsageError: ``registry-needed``: a ``gitlab`` source without a project.
    """
    if source.type == "simple":
        return f"{source.home}/{project}/"
    if not registry:
        raise UsageError(
            "registry-needed",
            f"expected the GitLab project whose registry has {project}, found none",
            hint='Name it in the package\'s entry: `project = "group/name"`.',
        )
    return simple_url(source.url, registry, project)


def _missing(project: ProjectName, source: IndexSource, reply: Response) -> UndecidedError:
    """Return the error for a 404.

    GitLab answers 404 for what the caller may not see: it means that the project is missing only where the
    request was authenticated, or redirected to an index that has none either. From any other index a 404
    means that it has no such project (PEP 503).
    """
    if source.type == "simple" and not is_api(reply.url):
        host = urlsplit(source.home).netloc
        return RegistryError(
            "page-missing",
            f"expected the index page of {project}, "
            f"found no such project on {host} ({redacted_url(reply.url)}: 404)",
            hint="Check the package's name and the source's `url`. "
            f"If the project is private there, give a token: `--token-file {host}=FILE`.",
            status=404,
        )
    if not (reply.sent_credentials or reply.left_origin):
        return error_for(reply, f"the index page of {project}")
    return _absent(project, reply)


def _absent(project: ProjectName, reply: Response) -> RegistryError:
    return RegistryError(
        "page-missing",
        f"expected the index page of {project}, found that {redacted_url(reply.url)} has none",
        hint="Check the package's name and `project`, "
        "that something was published there, and that the token's owner is a member.",
        status=404,
    )
