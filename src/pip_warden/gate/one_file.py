"""The order of one file.

::

    candidate → inquiry → vault, or artifact → evidence → verdict → vault → sealed file
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from pip_warden.artifact.model import Artifact
from pip_warden.digests import Digest
from pip_warden.display import bare_url
from pip_warden.errors import UndecidedError
from pip_warden.evidence.model import BadItem, Evidence, Item
from pip_warden.gate.model import Admission, GateParts
from pip_warden.index.candidate import Candidate
from pip_warden.names import ArtifactName
from pip_warden.report.model import line_of, undecided_line
from pip_warden.supply.ahead import Background
from pip_warden.trust.model import IdentityEntry
from pip_warden.vault import Sealed, evidence_digest, sealed_as
from pip_warden.verdict.inquiry import Inquiry, Wants
from pip_warden.verdict.listing import Listing
from pip_warden.verdict.model import Accepted, Refused, SignedBy, Step

A = TypeVar("A", bound=Admission | None)


def admit(parts: GateParts, candidate: Candidate, listing: Listing, background: Background) -> Admission:
    """Decide about a file that an index lists.

    Args:
        parts: What the gate works with.
        candidate: The file's entry.
        listing: The judged page that lists it.
        background: Where evidence is fetched beside the file.
    """
    admission = _listed(parts, candidate, listing, background)
    return replace(admission, line=replace(admission.line, url=bare_url(candidate.url)))


def _listed(parts: GateParts, candidate: Candidate, listing: Listing, background: Background) -> Admission:
    inquire = partial(
        Inquiry, candidate, trust=parts.trust, roots=parts.roots, today=parts.today, listing=listing
    )
    inquiry = inquire()
    # What is refused whatever its content is not fetched.
    if inquiry.wants is Wants.NOTHING:
        return Admission(line=line_of(inquiry.verdict, source=candidate.source), sealed=None)
    try:
        stored = None
        if not parts.fresh and parts.vault.may_have(candidate.claimed_sha256, candidate.name):
            stored = _apart(parts, partial(_from_vault, parts, candidate, inquire()))
        return stored or _apart(parts, partial(_fetched, parts, candidate, inquiry, background))
    except UndecidedError as err:
        return Admission(line=undecided_line(candidate.name, err), sealed=None)


def admit_local(parts: GateParts, artifact: Artifact, evidence: Iterator[Item | BadItem]) -> Admission:
    """Decide about a local file, with the evidence that the user has for it.

    Raises:
        UndecidedError: It could not be determined whether there is an item of evidence.
    """
    inquiry = Inquiry(artifact.name, trust=parts.trust, roots=parts.roots, today=parts.today)
    _judge(parts, inquiry, artifact, lambda: evidence)
    return _sealed(parts, inquiry, artifact, source="")


def admit_again(parts: GateParts, name: ArtifactName, digest: Digest) -> Admission | None:
    """Decide about a file that the vault has, by the pins of now; nothing is fetched.

    Args:
        parts: What the gate works with.
        name: The file's name.
        digest: Its digest.

    Returns:
        None where the vault has no such file, or nothing that speaks for it where something must.
    """
    inquiry = Inquiry(name, trust=parts.trust, roots=parts.roots, today=parts.today)
    # What is refused whatever its content is not looked for.
    if inquiry.wants is not Wants.ARTIFACT:
        return Admission(line=line_of(inquiry.verdict, sha256=digest.hex), sealed=None)
    if parts.postponed is not None:
        parts.postponed.take()
    if not parts.vault.may_have(digest, name):
        return None
    return _apart(parts, partial(_stored, parts, inquiry, name, digest))


def _stored(
    parts: GateParts, inquiry: Inquiry, name: ArtifactName, digest: Digest, directory: Path
) -> Admission | None:
    source = "" if inquiry.entry is None else inquiry.entry.source
    with parts.measures.phase("cache", name):
        stored = parts.vault.find(digest, name, directory)
    if stored is None:
        return None
    _judge(parts, inquiry, stored.artifact, lambda: iter(stored.evidence))
    match inquiry.verdict:
        case Accepted() as accepted:
            return _admitted(accepted, sealed_as(accepted), stored.evidence, source=source)
        case Refused(step=Step.EVIDENCE) if not stored.evidence:
            return None  # that the cache has lost it says nothing of the file
        case Refused() as refused:
            return Admission(line=line_of(refused, source=source, sha256=digest.hex), sealed=None)


def _apart(parts: GateParts, judged: Callable[[Path], A]) -> A:
    """Judge a file in a private directory of its own, which is kept only if its content is handed over."""
    directory = Path(tempfile.mkdtemp(dir=parts.workspace))
    admission: Admission | None = None
    try:
        admission = found = judged(directory)
        return found
    finally:
        if admission is None or admission.sealed is None:
            shutil.rmtree(directory, ignore_errors=True)


def _from_vault(
    parts: GateParts, candidate: Candidate, inquiry: Inquiry, directory: Path
) -> Admission | None:
    """Judge a stored file again, from its stored evidence. On anything but Accepted, it is fetched again."""
    if candidate.claimed_sha256 is None:
        return None
    with parts.measures.phase("cache", candidate.name):
        stored = parts.vault.find(candidate.claimed_sha256, candidate.name, directory)
    if stored is None:
        return None
    _judge(parts, inquiry, stored.artifact, lambda: iter(stored.evidence))
    if not isinstance(inquiry.verdict, Accepted):
        return None
    parts.measures.count("files_from_cache")
    accepted = inquiry.verdict
    return _admitted(accepted, sealed_as(accepted), stored.evidence, source=candidate.source)


def _fetched(
    parts: GateParts, candidate: Candidate, inquiry: Inquiry, background: Background, directory: Path
) -> Admission:
    """Fetch a file, and its evidence as far as it is needed."""
    parts.reporter.step(f"fetching {candidate.name}")
    entry = inquiry.entry
    if isinstance(entry, IdentityEntry):
        parts.supply.expect_evidence(candidate, entry, background)
    artifact = parts.supply.receive(candidate, directory)
    parts.measures.count("files_fetched")

    def evidence() -> Iterator[Item | BadItem]:
        return (
            parts.supply.evidence(candidate, artifact, entry)
            if isinstance(entry, IdentityEntry)
            else iter(())
        )

    _judge(parts, inquiry, artifact, evidence)
    return _sealed(parts, inquiry, artifact, source=candidate.source)


def _judge(
    parts: GateParts, inquiry: Inquiry, artifact: Artifact, evidence: Callable[[], Iterator[Item | BadItem]]
) -> None:
    """Give an inquiry only what it wants: for a file that steps 1 to 5 refuse, no evidence is searched."""
    measures, name = parts.measures, artifact.name
    measures.count("files_judged")
    if inquiry.wants is Wants.ARTIFACT:
        inquiry.offer_artifact(artifact if parts.read_again is None else parts.read_again(artifact))
    if inquiry.wants is Wants.EVIDENCE:
        try:
            with measures.phase("prove", name):
                found = measures.each("evidence", name, evidence)
                inquiry.offer_all(found)
                if parts.settled is not None:
                    parts.settled.add(artifact.path)
                    inquiry.hear(found)
        finally:
            measures.count("bundles_proved", inquiry.proved)


def _sealed(parts: GateParts, inquiry: Inquiry, artifact: Artifact, *, source: str) -> Admission:
    match inquiry.verdict:
        case Accepted() as accepted:
            with parts.measures.phase("seal", artifact.name):
                sealed = parts.vault.seal(accepted, evidence=inquiry.evidence, postponed=parts.postponed)
            return _admitted(accepted, sealed, inquiry.evidence, source=source)
        case Refused() as refused:
            line = line_of(refused, source=source, sha256=artifact.digest.hex)
            return Admission(line=line, sealed=None)


def _admitted(accepted: Accepted, sealed: Sealed, evidence: Evidence, *, source: str) -> Admission:
    counts = evidence if isinstance(accepted.basis, SignedBy) else ()
    return Admission(line=line_of(accepted, source=source), sealed=sealed, evidence=evidence_digest(counts))
