"""URLs of a GitLab instance: of its projects, registries and packages."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from pip_warden.names import ProjectName

_PER_PAGE = 100


def project_api(url: str, project: str | int) -> str:
    """Return the API base of a project, given its path or id."""
    return f"{url.rstrip('/')}/api/v4/projects/{quote(str(project), safe='')}"


def simple_url(url: str, project: str | int, name: ProjectName) -> str:
    """Return the URL of a package's page in the PyPI registry of a project."""
    return f"{project_api(url, project)}/packages/pypi/simple/{name}"


def group_simple_url(url: str, group: str, name: ProjectName) -> str:
    """Return the URL of a package's page in the PyPI registry of a group."""
    return f"{group_api(url, group)}/-/packages/pypi/simple/{name}"


def generic_url(url: str, project: str | int, package: str, version: str, filename: str) -> str:
    """Return the URL of a file of the generic registry.

    The registry accepts no ``!``, so that of an epoch is written ``__``; ``+`` is always encoded.
    """
    parts = (package, without_epoch(version), without_epoch(filename))
    return f"{project_api(url, project)}/packages/generic/" + "/".join(quote(part, safe="") for part in parts)


def packages_url(base: str, **query: str) -> str:
    """Return the URL of a package list: ``base`` is a project's or group's API base, ``query`` filters."""
    return f"{base}/packages?{urlencode({**query, 'per_page': str(_PER_PAGE)})}"


def package_files_url(url: str, project: str | int, package_id: int) -> str:
    """Return the URL of the list of a package's files."""
    return f"{project_api(url, project)}/packages/{package_id}/package_files?per_page={_PER_PAGE}"


def file_url(url: str, project: str | int, package_id: int, file_id: int) -> str:
    """Return the URL of one row of a package's files (GitLab 18.4 and newer)."""
    return f"{project_api(url, project)}/packages/{package_id}/package_files/{file_id}/download"


def group_api(url: str, group: str) -> str:
    """Return the API base of a group, given its path."""
    return f"{url.rstrip('/')}/api/v4/groups/{quote(group, safe='')}"


def without_epoch(text: str) -> str:
    """Return a version or file name as the generic registry stores it."""
    return text.replace("!", "__")
