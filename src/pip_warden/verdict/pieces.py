"""Steps 6 to 10 for each single piece of evidence, where all of it is to be published.

A consumer stops at the first good item, so evidence that speaks for other bytes can lie beside it unseen. Who
publishes it answers for every piece: each is proved by itself, statements of any type too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pip_warden._sigstore.result import CertificateClaims, VerificationResult
from pip_warden.evidence.model import BadItem, Item
from pip_warden.faults import Fault
from pip_warden.trust.model import Probe
from pip_warden.values import dataclass
from pip_warden.verdict.evidence import Roots, prove
from pip_warden.verdict.identity import match_identity
from pip_warden.verdict.judged import Judged, Signers
from pip_warden.verdict.model import ItemRefusal, Refused, Step, StepFailure
from pip_warden.verdict.policy import check_policy
from pip_warden.verdict.statement import Statement, check_subject


@dataclass(frozen=True, kw_only=True, slots=True)
class ProvedPiece:
    """A piece of evidence that speaks for a file or an image.

    Attributes:
        claims: Who signed it.
        predicate_type: What its statement is about; None for a plain signature.
    """

    claims: CertificateClaims
    predicate_type: str | None

    def is_said_again(self, by: ProvedPiece) -> bool:
        """Return whether another piece says the same of the same file, by the same signer.

        Another run of a pipeline has another certificate, log entry and time, and states them; issuer,
        subject and the signer's numeric project id stay.
        """
        mine, theirs = self.claims, by.claims
        return (
            (mine.issuer, mine.subjects) == (theirs.issuer, theirs.subjects)
            and mine.get("project-id") == theirs.get("project-id")
            and self.predicate_type == by.predicate_type
        )


def prove_piece(
    item: Item | BadItem, judged: Judged, entry: Signers | Probe, roots: Roots
) -> ProvedPiece | StepFailure:
    """Prove one piece of evidence for a file that passed steps 1 to 5, or for an image.

    Args:
        item: The piece.
        judged: The file, or the image.
        entry: Whose evidence it must be; a probe takes anybody's.
        roots: The trusted roots.
    """
    if isinstance(item, BadItem):
        return StepFailure(Step.EVIDENCE, item.fault)
    names = [entry.root] if isinstance(entry, Probe) else sorted({each.root for each in entry.identities})
    failures = []
    for name in names:
        found = _prove_under(item, judged, entry, roots, name)
        if isinstance(found, ProvedPiece):
            return found
        failures.append(found)
    return max(failures, key=lambda failure: failure.step)


def refuse_pieces(judged: Judged, bad: Sequence[ItemRefusal]) -> Refused:
    """Refuse a file or an image beside which evidence lies that is not good: the furthest of them says why.

    Args:
        judged: The file, or the image.
        bad: Those pieces, one at least.
    """
    closest = max(bad, key=lambda refusal: refusal.failure.step)
    fault = closest.failure.fault
    hint = f"{closest.label} would be published beside it. Sign or attest again, or remove it."
    failure = replace(closest.failure, fault=replace(fault, hint=hint))
    return Refused(subject=str(judged.name), failure=failure, bad_items=tuple(bad))


def _prove_under(
    item: Item, judged: Judged, entry: Signers | Probe, roots: Roots, root_name: str
) -> ProvedPiece | StepFailure:
    proof = prove(item, judged, roots, root_name)
    if isinstance(proof, Fault):
        return StepFailure(Step.SIGNATURE, proof)
    statement, proved = proof.statement, proof.proved
    predicate_type = statement.predicate_type if isinstance(statement, Statement) else None
    fault = check_subject(statement, judged, frozenset({predicate_type or ""}))
    if fault is not None:
        return StepFailure(Step.SUBJECT, fault)
    if not isinstance(entry, Probe) and (failure := _not_pinned(proved, judged, entry, root_name)):
        return failure
    return ProvedPiece(claims=proved.claims, predicate_type=predicate_type)


def _not_pinned(
    proved: VerificationResult, judged: Judged, entry: Signers, root_name: str
) -> StepFailure | None:
    """Steps 9 and 10: what another identity says counts for no consumer."""
    identities = tuple(identity for identity in entry.identities if identity.root == root_name)
    identity = match_identity(proved.claims, identities, judged.release)
    if isinstance(identity, Fault):
        return StepFailure(Step.IDENTITY, identity)
    fault = check_policy(proved.claims, identity, entry.require, judged.release)
    return None if fault is None else StepFailure(Step.POLICY, fault)
