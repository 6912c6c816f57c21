"""Finds the project of a GitLab group that publishes a package."""

from __future__ import annotations

from pip_warden.errors import RefusedError, RegistryError
from pip_warden.index.gitlab import GitLab
from pip_warden.index.gitlab_urls import group_simple_url
from pip_warden.index.simple import ask_page, read_page
from pip_warden.names import ProjectName
from pip_warden.transport import Transport, error_for
from pip_warden.trust.model import Source
from pip_warden.verdict import origin
from pip_warden.verdict.model import Refused, Step, StepFailure, VerdictError


def owner_in_group(transport: Transport, source: Source, group: str, project: ProjectName) -> str:
    """Return the project of a GitLab group that publishes a package: that of its newest file.

    Raises:
        RefusedError: ``no-release``: the group's index lists no file of it; ``same-name-other-bytes``: it
            lists two under one name, of two projects for instance, and either could be the publisher.
        UndecidedError: It could not be determined, ``page-missing`` where the group has no such package; or
            several projects have the same file.
    """
    url, label = group_simple_url(source.url, group, project), f"the page of {project} in {group}"
    reply = ask_page(transport, url, label=label)
    if reply.status == 404 and reply.left_origin:  # GitLab forwards what it does not have
        raise RegistryError(
            "page-missing",
            f"expected the page of {project} in group {group}, found no project of the group with it that "
            "the token may read (the index that GitLab forwarded the request to has none either)",
            hint="Check the name; name its project with --project, or another index with --source.",
            status=404,
        )
    if reply.status != 200:
        raise error_for(reply, f"the page of {project} in group {group}")
    page = read_page(reply, project, source)
    newest = max(page.candidates, key=lambda c: c.name.version, default=None)
    if newest is None or newest.claimed_sha256 is None:
        raise RefusedError(
            "no-release",
            f"expected a release of {project} in group {group}, found none",
            hint="Name the project that publishes it with --project.",
        )
    fault = origin.check_release(page, newest.name.version)
    if fault is not None:
        raise VerdictError(Refused(subject=project, failure=StepFailure(Step.ORIGIN, fault)))
    gitlab = GitLab(transport, source.url)
    owner = gitlab.owner_of(group, project, newest.name.version, newest.name.filename, newest.claimed_sha256)
    return owner.project_path or str(owner.project_id)
