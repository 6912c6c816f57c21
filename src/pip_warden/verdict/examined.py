"""Steps 3 to 5 and what follows of them, in order: each check with what it found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pip_warden.artifact.model import Artifact
from pip_warden.faults import Fault
from pip_warden.index.candidate import Candidate
from pip_warden.names import ProjectName
from pip_warden.trust.model import Entry, HashEntry, Probe, Revocation
from pip_warden.verdict import archive
from pip_warden.verdict.model import Step
from pip_warden.verdict.policy import check_demanded

Check = tuple[Step, Fault | None, str]
"""A step, its fault, and where it has none what was found; ``""`` where there was nothing to compare."""


def examine(
    artifact: Artifact,
    candidate: Candidate | None,
    project: ProjectName,
    entry: Entry | Probe,
    revoked: Sequence[Revocation],
) -> Iterator[Check]:
    """Yield each check of a file's bytes; the next one is made when it is asked for.

    Args:
        artifact: The file.
        candidate: The index entry that it came from; None for a user's file.
        project: The project that was asked for.
        entry: The entry that decides.
        revoked: What the trust file revokes.
    """
    name, digest = artifact.name, artifact.digest
    yield Step.NAME, archive.check_name(artifact, candidate, project, entry), f"a file of {entry.project}"
    inside = f"a well-formed {name.kind} of {name.project} {name.version}, as its name says"
    yield Step.ARCHIVE, archive.check_archive(artifact), inside
    stated = f"SHA-256 {digest}{', '.join(['', *_stated_by(candidate, entry)])}"
    yield Step.DIGEST, archive.check_digest(artifact, candidate, entry), stated
    looked = f"not among the revocations, of which there are {len(revoked)}" if revoked else ""
    yield Step.POLICY, archive.check_revoked(artifact, revoked), looked
    if isinstance(entry, HashEntry):
        yield Step.POLICY, check_demanded(entry), ""


def _stated_by(candidate: Candidate | None, entry: Entry | Probe) -> Iterator[str]:
    if isinstance(entry, HashEntry):
        yield "as the trust file pins"
    if candidate is not None and candidate.claimed_sha256 is not None:
        yield "as the index says"
