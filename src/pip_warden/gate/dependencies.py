"""Requirements of an accepted file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pip_warden.artifact.model import Artifact, Contents
from pip_warden.names import ProjectName
from pip_warden.report.model import Unpinned
from pip_warden.trust.model import TrustFile


def unpinned_by(artifact: Artifact, trust: TrustFile) -> Iterator[Unpinned]:
    """Yield the unpinned names that a file will require, so that a refusal can list all of them."""
    contents = artifact.contents
    if not isinstance(contents, Contents):
        return
    yield from unpinned_names(contents.requires_dist, f"{artifact.name}", trust)
    yield from unpinned_names(contents.build_requires, f"to build {artifact.name}", trust)


def unpinned_names(requirements: Iterable[str], wanted_by: str, trust: TrustFile) -> Iterator[Unpinned]:
    """Yield the unpinned names among requirements (PEP 508).

    Args:
        requirements: What is wanted.
        wanted_by: Who wants it, or ``to build …``.
        trust: The trust file.
    """
    for text in requirements:
        project = wanted_here(text)
        if project is not None and not trust.entries_of(project):
            yield Unpinned(project=project, wanted_by=wanted_by, requirement=text)


def wanted_here(requirement: str) -> ProjectName | None:
    """Return the project that a requirement (PEP 508) needs on this machine, without extras.

    None where it needs none, or where that is unknown: a marker may compare what cannot be compared. That is
    judged in step 4; here it only serves to report what will be needed.
    """
    found = parsed(requirement)
    try:
        if found is None or (found.marker is not None and not found.marker.evaluate({"extra": ""})):
            return None
    except (ValueError, KeyError, RecursionError):
        return None
    return ProjectName(str(canonicalize_name(found.name)))


@lru_cache(maxsize=4096)
def parsed(requirement: str) -> Requirement | None:
    """Read a requirement (PEP 508); None for what is none."""
    try:
        return Requirement(requirement)
    except (ValueError, RecursionError):
        return None
