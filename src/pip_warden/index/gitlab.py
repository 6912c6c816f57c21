"""Reads a GitLab instance's projects and packages, and finds the project that a file belongs to.

Nothing here is proof: digests and dates are claims of the registry. What matters is that "it is not there"
and "could not be determined" stay apart, because GitLab responds 404 for what the caller may not see.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urljoin, urlsplit

from packaging.utils import canonicalize_name
from packaging.version import Version

from pip_warden.digests import Digest
from pip_warden.display import escape_text
from pip_warden.errors import CredentialsError, RegistryError
from pip_warden.index.gitlab_urls import (
    file_url,
    generic_url,
    group_api,
    package_files_url,
    packages_url,
    project_api,
    without_epoch,
)
from pip_warden.index.rows import (
    MAX_JSON,
    Owner,
    PackageFile,
    ProjectInfo,
    bad_answer,
    read_json,
    read_object,
    read_package,
    read_package_file,
    read_project,
    same_version,
)
from pip_warden.names import ProjectName
from pip_warden.strict_json import JSONValue
from pip_warden.transport import Response, Transport, error_for, redacted_url
from pip_warden.transport.responses import explanation

_MOST_PAGES = 200
_NEXT = re.compile(r'<([^<>]{1,4096})>[ \t]*;[^,<]*\brel="?next"?', re.ASCII)
_NO_PROJECT = "Project Not Found"


class GitLab:
    """One GitLab instance.

    Args:
        transport: The HTTP client.
        url: The instance's root, without ``/api/v4``.
    """

    def __init__(self, transport: Transport, url: str) -> None:
        self._transport = transport
        self._url = url.rstrip("/")

    def project_info(self, project: str | int) -> ProjectInfo:
        """Return the instance's description of a project.

        Raises:
            RegistryError: ``not-found`` (requested with credentials), ``bad-answer`` or another status.
            CredentialsError: The caller is not authenticated, or not authorised.
            NetworkError: No response, or a broken one.
        """
        reply = self._transport.get(project_api(self._url, project), max_bytes=MAX_JSON)
        what = f"the project {escape_text(str(project))}"
        if reply.status != 200:
            raise error_for(reply, what)
        return read_project(read_json(reply, what), what)

    def generic_get(
        self,
        project: str | int,
        package: str,
        version: str,
        filename: str,
        *,
        max_bytes: int,
        known_readable: bool = False,
    ) -> bytes | None:
        """Fetch a file of the generic registry: its newest row.

        Args:
            project: Path or id.
            package: The package's name in the generic registry.
            version: Its version there, in any spelling.
            filename: The file; an epoch's ``!`` in it or the version is written as the registry stores it.
            max_bytes: The largest file.
            known_readable: Whether another request to the same registry, with the same credentials,
                succeeded: then a 404 without credentials means that the file is missing.

        Returns:
            The file, or None where it does not exist.

        Raises:
            CredentialsError: Could not be determined without credentials.
            RegistryError: Could not be determined for another reason.
            NetworkError: No response, or a broken one.
        """
        url = generic_url(self._url, project, package, version, filename)
        return self._file(url, filename, max_bytes, known_readable)

    def file_by_id(
        self, project: str | int, row: PackageFile, *, max_bytes: int, known_readable: bool = False
    ) -> bytes | None:
        """Fetch one row of a package's files, which need not be the newest of its name.

        Returns:
            The file; None where the row is gone or the instance is older than GitLab 18.4 and cannot serve
            it: then only the newest row is available, from :meth:`generic_get`.

        Raises:
            UndecidedError: As for :meth:`generic_get`.
        """
        url = file_url(self._url, project, row.package_id, row.id)
        return self._file(url, row.file_name, max_bytes, known_readable)

    def package_files(
        self, project: str | int, package: str, version: str, *, known_readable: bool = False
    ) -> tuple[PackageFile, ...] | None:
        """Return every file row of a generic package, newest first.

        A hidden package is not listed although its files can be fetched by name: an empty result does not
        prove absence.

        Returns:
            The rows; empty where no such package is listed; None where the list itself does not exist.

        Raises:
            UndecidedError: As for :meth:`generic_get`.
        """
        stored = without_epoch(version)
        base = project_api(self._url, project)
        wanted = packages_url(base, package_type="generic", package_name=package, package_version=stored)
        rows: list[PackageFile] = []
        for item in self._list(wanted, "the package list", known_readable):
            if item is None:
                return None
            found = read_package(item)
            if found.name == package and found.version == stored:
                rows.extend(self._files(project, found.id))
        return tuple(sorted(rows, key=lambda row: row.id, reverse=True))

    def owner_of(
        self, group: str, name: ProjectName, version: Version, filename: str, sha256: Digest
    ) -> Owner:
        """Find the project of a group that a PyPI file belongs to, which a group's index does not name.

        Raises:
            CredentialsError: ``token-needed``: a group's packages are listed for personal, project or group
                tokens only.
            RegistryError: ``no-owner``: no project has the file; ``ambiguous-owner``: several have it.
            UndecidedError: As for :meth:`generic_get`.
        """
        # The filter matches a part of the name as spelled at upload, so it gets only the part that is the
        # same in every spelling.
        part = max(name.split("-"), key=len)
        url = packages_url(group_api(self._url, group), package_type="pypi", package_name=part)
        self._require_token(url)
        owners: dict[int, Owner] = {}
        for item in self._list(url, f"the packages of group {escape_text(group)}", known_readable=False):
            found = read_package(item)
            if str(canonicalize_name(found.name)) != name or not same_version(found.version, version):
                continue
            if found.project_id is None:
                raise bad_answer(url, f"package {found.id} without a project_id")
            rows = self._files(found.project_id, found.id)
            if any(row.file_name == filename and row.claimed_sha256 == sha256 for row in rows):
                owners[found.project_id] = Owner(
                    project_id=found.project_id, project_path=found.project_path, package_id=found.id
                )
        return _only(owners, group, filename)

    def _require_token(self, url: str) -> None:
        if not self._transport.has_credentials(url):
            raise CredentialsError(
                "token-needed",
                f"expected a token for {redacted_url(url)}, found none that this route takes",
                hint="Set GITLAB_TOKEN (read_api): a job token cannot list a group's packages. "
                "Or pin the project itself, not its group.",
            )

    def _file(self, url: str, what: str, max_bytes: int, known_readable: bool) -> bytes | None:
        reply = self._transport.get(url, max_bytes=max_bytes, label=what)
        if reply.status == 200:
            return reply.body
        if _is_missing(reply, known_readable):
            return None
        raise error_for(reply, what)

    def _files(self, project: str | int, package_id: int) -> Iterator[PackageFile]:
        url = package_files_url(self._url, project, package_id)
        for item in self._list(url, f"the files of package {package_id}", known_readable=False):
            yield read_package_file(item)

    def _list(self, url: str, what: str, known_readable: bool) -> Iterator[JSONValue]:
        """Yield a paginated list. Totals are ignored; an empty page ends it (GitLab issue 471566)."""
        first = url
        for _ in range(_MOST_PAGES):
            reply = self._transport.get(url, max_bytes=MAX_JSON, label=what)
            if known_readable and url == first and _is_missing(reply, known_readable):
                yield None
                return
            if reply.status != 200:
                raise error_for(reply, what)
            items = read_json(reply, what)
            if not isinstance(items, list):
                raise bad_answer(url, f"no list for {what}")
            yield from (read_object(item, what) for item in items)
            following = _next_page(url, reply)
            if not items or following is None:
                return
            url = following
        raise bad_answer(first, f"more than {_MOST_PAGES} pages of {what}")


def _is_missing(reply: Response, known_readable: bool) -> bool:
    """Return whether a 404 means that the resource is missing, not that the caller may not see it."""
    if reply.status != 404 or reply.left_origin or _NO_PROJECT in explanation(reply):
        return False
    return known_readable or reply.sent_credentials


def _next_page(url: str, reply: Response) -> str | None:
    """Return the URL of the next page (``x-next-page``, else the ``Link`` header) of the same list.

    Raises:
        RegistryError: ``bad-answer``: it leads elsewhere.
    """
    number = reply.headers.get("x-next-page")
    if number is not None:
        if not number.strip():
            return None
        if not re.fullmatch(r"[0-9]{1,9}", number.strip(), re.ASCII):
            raise bad_answer(url, "an x-next-page that is no number")
        return re.sub(r"&page=[0-9]+$", "", url) + f"&page={number.strip()}"
    link = _NEXT.search(reply.headers.get("link", ""))
    if link is None:
        return None
    try:
        following: str = urljoin(url, str(link[1]))
        is_same_list = urlsplit(following)[:3] == urlsplit(url)[:3]
    except ValueError as err:
        raise bad_answer(url, "a next page that is no URL") from err
    if not is_same_list:
        raise bad_answer(url, f"a next page elsewhere, {redacted_url(following)}")
    return following


def _only(owners: dict[int, Owner], group: str, filename: str) -> Owner:
    if not owners:
        raise RegistryError(
            "no-owner",
            f"expected one project of group {escape_text(group)} that has {escape_text(filename)}, "
            f"found none",
            hint="The file may be in a project that the token's owner cannot read. "
            "Pin the project itself, not its group.",
        )
    if len(owners) > 1:
        ids = ", ".join(str(project) for project in sorted(owners))
        raise RegistryError(
            "ambiguous-owner",
            f"expected one project of group {escape_text(group)} that has {escape_text(filename)}, "
            f"found the projects {ids}",
            hint="Pin the project itself, not its group.",
        )
    return next(iter(owners.values()))
