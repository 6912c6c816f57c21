"""The order of one file.

::

    candidate → inquiry → vault, or artifact → evidence → verdict → vault → sealed file
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TypeVar

from pip_warden.artifact.model import Artifact
from pip_warden.errors import UndecidedError
from pip_warden.evidence.model import BadItem, Item
from pip_warden.gate.model import Admission, GateParts
from pip_warden.index.candidate import Candidate
from pip_warden.report.model import line_of, undecided_line
from pip_warden.trust.model import IdentityEntry
from pip_warden.vault import sealed_as
from pip_warden.verdict.inquiry import Inquiry, Wants
from pip_warden.verdict.listing import Listing
from pip_warden.verdict.model import Accepted, Refused

A = TypeVar("A", bound=Admission | None)


def admit(means: GateParts, candidate: Candidate, listing: Listing) -> Admission:
    """Decide about a file that an index lists.

    Args:
        means: What the gate works with.
        candidate: The file's entry.
        listing: The judged page that lists it.
    """
    inquire = partial(Inquiry, candidate, trust=means.trust, roots=means.roots, listing=listing)
    inquiry = inquire()
    # What is refused whatever its content is not fetched.
    if inquiry.wants is Wants.NOTHING:
        return Admission(line=line_of(inquiry.verdict, source=candidate.source), sealed=None)
    try:
        return _apart(means, partial(_from_vault, means, candidate, inquire())) or _apart(
            means, partial(_fetched, means, candidate, inquiry)
        )
    except UndecidedError as err:
        return Admission(line=undecided_line(candidate.name, err), sealed=None)


def admit_local(means: GateParts, artifact: Artifact, evidence: Iterator[Item | BadItem]) -> Admission:
    """Decide about a local file, with the evidence that the user has for it.

    Raises:
        UndecidedError: It could not be determined whether there is an item of evidence.
    """
    inquiry = Inquiry(artifact.name, trust=means.trust, roots=means.roots)
    _judge(means, inquiry, artifact, lambda: evidence)
    return _sealed(means, inquiry, artifact, source="")


def _apart(means: GateParts, judged: Callable[[Path], A]) -> A:
    """Judge a file in a private directory of its own, which is kept only if its content is handed over."""
    directory = Path(tempfile.mkdtemp(dir=means.workspace))
    admission: Admission | None = None
    try:
        admission = found = judged(directory)
        return found
    finally:
        if admission is None or admission.sealed is None:
            shutil.rmtree(directory, ignore_errors=True)


def _from_vault(
    means: GateParts, candidate: Candidate, inquiry: Inquiry, directory: Path
) -> Admission | None:
    """Judge a stored file again, from its stored evidence. On anything but Accepted, it is fetched again."""
    if means.fresh or candidate.claimed_sha256 is None:
        return None
    stored = means.vault.find(candidate.claimed_sha256, candidate.name, directory)
    if stored is None:
        return None
    _judge(means, inquiry, stored.artifact, lambda: iter(stored.evidence))
    if not isinstance(inquiry.verdict, Accepted):
        return None
    line = line_of(inquiry.verdict, source=candidate.source)
    return Admission(line=line, sealed=sealed_as(inquiry.verdict))


def _fetched(means: GateParts, candidate: Candidate, inquiry: Inquiry, directory: Path) -> Admission:
    """Fetch a file, and its evidence as far as it is needed."""
    means.reporter.step(f"fetching {candidate.name}")
    artifact = means.supply.receive(candidate, directory)

    def evidence() -> Iterator[Item | BadItem]:
        entry = inquiry.entry
        return (
            means.supply.evidence(candidate, artifact, entry)
            if isinstance(entry, IdentityEntry)
            else iter(())
        )

    _judge(means, inquiry, artifact, evidence)
    return _sealed(means, inquiry, artifact, source=candidate.source)


def _judge(
    means: GateParts, inquiry: Inquiry, artifact: Artifact, evidence: Callable[[], Iterator[Item | BadItem]]
) -> None:
    """Give an inquiry only what it wants: for a file that steps 1 to 5 refuse, no evidence is searched."""
    if inquiry.wants is Wants.ARTIFACT:
        inquiry.offer_artifact(artifact if means.read_again is None else means.read_again(artifact))
    if inquiry.wants is Wants.EVIDENCE:
        inquiry.hear(evidence())


def _sealed(means: GateParts, inquiry: Inquiry, artifact: Artifact, *, source: str) -> Admission:
    match inquiry.verdict:
        case Accepted() as accepted:
            sealed = means.vault.seal(accepted, evidence=inquiry.evidence)
            return Admission(line=line_of(accepted, source=source), sealed=sealed)
        case Refused() as refused:
            line = line_of(refused, source=source, sha256=artifact.digest.hex)
            return Admission(line=line, sealed=None)
