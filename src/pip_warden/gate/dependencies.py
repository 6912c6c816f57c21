"""What an accepted file will want of others."""

from __future__ import annotations

from collections.abc import Iterator

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pip_warden.artifact.model import Artifact, Contents
from pip_warden.names import ProjectName
from pip_warden.report.model import Unpinned
from pip_warden.trust.model import TrustFile


def unpinned_by(artifact: Artifact, trust: TrustFile) -> Iterator[Unpinned]:
    """Yield the unpinned names that a file will want, so that a refusal can list all of them."""
    contents = artifact.contents
    if not isinstance(contents, Contents):
        return
    for texts, wanted_by in (
        (contents.requires_dist, f"{artifact.name}"),
        (contents.build_requires, f"{artifact.name} (to build it)"),
    ):
        for text in texts:
            project = wanted_here(text)
            if project is not None and not trust.entries_of(project):
                yield Unpinned(project=project, wanted_by=wanted_by, requirement=text)


def wanted_here(requirement: str) -> ProjectName | None:
    """Return the project that a requirement (PEP 508) wants on this machine, without extras.

    None where it wants none, or where nobody can say: a marker may compare what cannot be compared. That is for step 4 to judge; here people
    are only told what will be wanted.
    """
    try:
        parsed = Requirement(requirement)
        if parsed.marker is not None and not parsed.marker.evaluate({"extra": ""}):
            return None
    except (ValueError, KeyError, RecursionError):
        return None
    return ProjectName(str(canonicalize_name(parsed.name)))
