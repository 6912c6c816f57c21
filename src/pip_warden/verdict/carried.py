"""Which pieces of evidence may go along when an accepted file or image is copied to another registry.

An inquiry ends with the first good item, so most of what lies beside a file was never judged. Each piece
that is to be carried is proved here by itself: steps 6 to 10, under the one identity that the acceptance
rests on, or under any that is pinned. A statement of any type passes step 8 if it names what was accepted,
since a requirement or a reader may want it; whether it says what the pin demands is told too. Nothing is
accepted here.
"""

from __future__ import annotations

from datetime import datetime
from typing import Generic

from pip_warden.errors import InternalError
from pip_warden.evidence.model import BadItem, Item
from pip_warden.faults import Fault
from pip_warden.trust.model import Identity
from pip_warden.values import dataclass
from pip_warden.verdict.attested import SignedStatement, StatementRequirements
from pip_warden.verdict.evidence import Roots, prove
from pip_warden.verdict.identity import match_identity
from pip_warden.verdict.judged import Judged, JudgedT, Signers
from pip_warden.verdict.model import Acceptance, ItemRefusal, SignedBy, Step, StepFailure
from pip_warden.verdict.policy import check_policy
from pip_warden.verdict.statement import Statement, check_subject, publication_of


@dataclass(frozen=True, kw_only=True, slots=True)
class GoodPiece:
    """A piece of evidence that passed steps 6 to 10 by itself.

    Attributes:
        item: The piece.
        counts: It alone is evidence of publication.
        meets: Its statement meets every requirement of the pin on statements of its type; so does one of
            which nothing is required.
    """

    item: Item
    counts: bool
    meets: bool


class PieceJudge(Generic[JudgedT]):
    """Judges the pieces of evidence of one accepted file or image.

    Args:
        accepted: The acceptance, by its signer.
        entry: The entry that it was accepted by.
        roots: The trusted roots.
        logged_by: The latest time at which a piece may have been logged, aware; None for any.
        by_any: Whether a piece may be signed by any identity of the entry.

    Attributes:
        root: Name of the trusted root of the identity that the acceptance rests on.

    Raises:
        InternalError: It was accepted by its hash, or by another entry.
    """

    def __init__(
        self,
        accepted: Acceptance[JudgedT],
        entry: Signers,
        roots: Roots,
        *,
        logged_by: datetime | None = None,
        by_any: bool = False,
    ) -> None:
        if not isinstance(accepted.basis, SignedBy):
            raise InternalError("bug", f"{accepted.judged.name} was not accepted by its signer")
        self._judged: JudgedT = accepted.judged
        self._entry = entry
        self._roots = roots
        self._logged_by = logged_by
        identity = _identity_of(accepted.basis, accepted.judged, entry)
        self.root = identity.root
        self._signers = entry.identities if by_any else (identity,)

    @property
    def judged(self) -> JudgedT:
        """The file, or the image."""
        return self._judged

    def judge(self, item: Item | BadItem) -> GoodPiece | ItemRefusal:
        """Judge one piece."""
        outcome = self._judge(item)
        if isinstance(outcome, StepFailure):
            return ItemRefusal(label=item.label, form=item.form, failure=outcome)
        return outcome

    def _judge(self, item: Item | BadItem) -> GoodPiece | StepFailure:
        if isinstance(item, BadItem):
            return StepFailure(Step.EVIDENCE, item.fault)
        failures = []
        for root in sorted({identity.root for identity in self._signers}):
            outcome = self._judge_under(item, root)
            if isinstance(outcome, GoodPiece):
                return outcome
            failures.append(outcome)
        return max(failures, key=lambda failure: failure.step)

    def _judge_under(self, item: Item, root: str) -> GoodPiece | StepFailure:
        proof = prove(item, self._judged, self._roots, root)
        if isinstance(proof, Fault):
            return StepFailure(Step.SIGNATURE, proof)
        statement = proof.statement
        if isinstance(statement, Fault):
            return StepFailure(Step.SUBJECT, statement)
        types = frozenset() if statement is None else frozenset({statement.predicate_type})
        if fault := check_subject(statement, self._judged, types):
            return StepFailure(Step.SUBJECT, fault)
        claims, release = proof.proved.claims, self._judged.release
        signers = tuple(identity for identity in self._signers if identity.root == root)
        identity = match_identity(claims, signers, release)
        if isinstance(identity, Fault):
            return StepFailure(Step.IDENTITY, identity)
        if fault := check_policy(claims, identity, self._entry.require, release):
            return StepFailure(Step.POLICY, fault)
        if self._logged_by is not None and proof.proved.log_time > self._logged_by:
            return StepFailure(Step.POLICY, _too_young(proof.proved.log_time, self._logged_by))
        said = None if statement is None else SignedStatement(statement=statement, claims=claims)
        return GoodPiece(item=item, counts=self._counts(statement), meets=self._meets(said))

    def _counts(self, statement: Statement | None) -> bool:
        types = publication_of(self._judged) | self._entry.require.predicate_types
        return statement is None or statement.predicate_type in types

    def _meets(self, said: SignedStatement | None) -> bool:
        demands = StatementRequirements(self._entry.require, self._judged)
        return said is None or demands.are_met_by(said)


def _too_young(logged: datetime, logged_by: datetime) -> Fault:
    return Fault(
        code="too-young",
        expected=f"logged by {logged_by:%Y-%m-%d %H:%M} UTC",
        found=f"{logged:%Y-%m-%d %H:%M} UTC",
        hint="Promote again later: the same command then carries it.",
    )


def _identity_of(basis: SignedBy, judged: Judged, entry: Signers) -> Identity:
    """Return the identity that an acceptance rests on: the one that the verdict found."""
    under_root = tuple(identity for identity in entry.identities if identity.root == basis.root)
    found = match_identity(basis.claims, under_root, judged.release)
    if isinstance(found, Fault):
        raise InternalError("bug", f"{judged.name} was accepted by another entry")
    return found
