"""Steps 6 to 10: judges each item of evidence, and the statements of all of them.

An item is good when it passed all of these steps. Items share only the statements that a pin requires, and
those count under the same identity alone. More evidence never makes a good item bad.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Generic, TypeAlias

from pip_warden.digests import digest_of
from pip_warden.errors import InternalError
from pip_warden.evidence.model import BadItem, Item
from pip_warden.faults import Fault
from pip_warden.trust.model import Identity, Probe, Requirements
from pip_warden.values import dataclass
from pip_warden.verdict.attested import SignedStatement, StatementRequirements
from pip_warden.verdict.identity import match_identity
from pip_warden.verdict.judged import Judged, JudgedImage, JudgedT, Signers
from pip_warden.verdict.model import ItemRefusal, Passed, ProvedStatement, SignedBy, Step, StepFailure
from pip_warden.verdict.passed import passed_by
from pip_warden.verdict.policy import check_policy
from pip_warden.verdict.simple_signing import read_payload
from pip_warden.verdict.statement import Statement, check_subject, publication_of, read_statement
from pip_warden.verdict.witness import Looked, VerifiedItem, signed_by, statements_under, witness_of

if TYPE_CHECKING:
    from pip_warden._sigstore.result import Envelope
    from pip_warden._sigstore.root import Root

Roots: TypeAlias = "Mapping[str, Root]"
"""The trusted roots by their names in the trust file, each read from bytes with the pinned digest."""


class _Proofs:
    """Proves an item under the root with a name, once under each.

    It knows nothing of the evaluation that keeps it, which so is gone as soon as nobody has it.
    """

    def __init__(self, item: Item | BadItem, judged: Judged, roots: Roots) -> None:
        self._item = item
        self._judged = judged
        self._roots = roots
        self._found: dict[str, VerifiedItem | Fault] = {}

    def __call__(self, root_name: str) -> VerifiedItem | Fault:
        if root_name not in self._found:
            self._found[root_name] = prove(self._item, self._judged, self._roots, root_name)
        return self._found[root_name]

    def known(self, root_name: str) -> VerifiedItem | Fault | None:
        """Return what was proved before under a root, None where nobody has asked."""
        return self._found.get(root_name)

    @property
    def count(self) -> int:
        """How many signatures were verified so far."""
        return len(self._found) if isinstance(self._item, Item) else 0


@dataclass(frozen=True, slots=True)
class GoodItem:
    """An item passed every step that concerns it alone, under one identity (None: no identity is pinned)."""

    signed: SignedBy
    identity: Identity | None


@dataclass(frozen=True, slots=True)
class _EvaluatedItem:
    """An item, its proofs, and the outcome of judging it by itself."""

    item: Item | BadItem
    proofs: _Proofs
    outcome: GoodItem | StepFailure


class _Signer:
    """An identity under which an item is good, and the pin's requirements of statements under it.

    Attributes:
        first: Index of the first such item.
    """

    def __init__(self, identity: Identity | None, first: int, demands: StatementRequirements) -> None:
        self._identity = identity
        self._demands = demands
        self._heard = 0
        self.first = first

    @property
    def unmet(self) -> Fault | None:
        """The fault of the first requirement of the pin that the statements do not meet yet."""
        return self._demands.unmet

    def check_statements(
        self, weighed: Sequence[_EvaluatedItem], judged: Judged, require: Requirements
    ) -> None:
        """Check the statement of each item that was not checked yet, as long as more is required."""
        while self._identity is not None and self.unmet is not None and self._heard < len(weighed):
            proof = weighed[self._heard].proofs(self._identity.root)
            self._heard += 1
            witness = witness_of(proof, self._identity, judged, require)
            if isinstance(witness, SignedStatement):
                self._demands.add(witness)


class EvidenceEvaluation(Generic[JudgedT]):
    """The evidence of a file that passed steps 1 to 5, or of an image, judged item by item.

    An item's statement also counts for every other item of the same identity. Results are kept, or the cost
    would grow with the square of what others can upload.

    Args:
        judged: The file, or the image.
        entry: The entry that decides.
        roots: The trusted roots.

    Attributes:
        judged: The file, or the image.
    """

    def __init__(self, judged: JudgedT, entry: Signers | Probe, roots: Roots) -> None:
        self.judged: JudgedT = judged
        self._entry = entry
        self._roots = roots
        self._require = Requirements() if isinstance(entry, Probe) else entry.require
        self._weighed: list[_EvaluatedItem] = []
        self._signers: dict[Identity | None, _Signer] = {}

    def add(self, item: Item | BadItem) -> None:
        """Judge one more item."""
        proofs = _Proofs(item, self.judged, self._roots)
        outcome = _judge_item(item, proofs, self.judged, self._entry)
        if isinstance(outcome, GoodItem) and outcome.identity not in self._signers:
            demands = StatementRequirements(self._require, self.judged)
            self._signers[outcome.identity] = _Signer(outcome.identity, len(self._weighed), demands)
        self._weighed.append(_EvaluatedItem(item, proofs, outcome))
        for signer in self._signers.values():
            signer.check_statements(self._weighed, self.judged, self._require)

    @property
    def proved(self) -> int:
        """How many signatures were verified so far."""
        return sum(each.proofs.count for each in self._weighed)

    @property
    def good(self) -> SignedBy | None:
        """What the first good item proved, None while there is none."""
        return None if self._good is None else self._good.signed

    @property
    def refusals(self) -> tuple[ItemRefusal, ...]:
        """Why each item before the first good one is not good."""
        bad = self._weighed[: self._first_good]
        return tuple(
            ItemRefusal(label=each.item.label, form=each.item.form, failure=self._no(each)) for each in bad
        )

    def closest(self, *, hint: str) -> StepFailure:
        """Return the failure of the item that came furthest; ``hint`` says what to do where there is none."""
        nothing = StepFailure(Step.EVIDENCE, no_evidence(self.judged.name, hint=hint))
        return max((each.failure for each in self.refusals), key=lambda each: each.step, default=nothing)

    @property
    def passed(self) -> Iterator[Passed]:
        """What was checked about the first good item."""
        outcome = self._good
        if outcome is None or outcome.identity is None:
            return
        signed, identity = outcome.signed, outcome.identity
        proof = self._weighed[self._first_good or 0].proofs.known(identity.root)
        statement = proof.statement if isinstance(proof, VerifiedItem) else None
        said = statement if isinstance(statement, Statement) else None
        yield from passed_by(signed, said, identity, self._require, self.judged)

    def statements(
        self, further: Iterable[Item | BadItem] | None = None
    ) -> Iterator[ProvedStatement | ItemRefusal]:
        """Yield every statement: what it says where it counts under the identity of the first good item.

        It changes nothing about which item is good.

        Args:
            further: Evidence that was not judged, since there was a good item. Where there is none, nothing
                is proved that was not proved before.
        """
        outcome = self._good
        if outcome is None or outcome.identity is None:
            return
        root = outcome.identity.root
        looked: list[Looked] = [
            (each.item, each.proofs.known(root) if further is None else each.proofs(root))
            for each in self._weighed
        ]
        looked += [(item, _Proofs(item, self.judged, self._roots)(root)) for item in further or ()]
        yield from statements_under(looked, outcome.identity, self.judged, self._require)

    @property
    def _good(self) -> GoodItem | None:
        at = self._first_good
        outcome = None if at is None else self._weighed[at].outcome
        return outcome if isinstance(outcome, GoodItem) else None

    @property
    def _first_good(self) -> int | None:
        """Index of the first good item whose signer's statements meet all requirements, None without one."""
        return min((signer.first for signer in self._signers.values() if signer.unmet is None), default=None)

    def _no(self, weighed: _EvaluatedItem) -> StepFailure:
        if isinstance(weighed.outcome, StepFailure):
            return weighed.outcome
        unmet = self._signers[weighed.outcome.identity].unmet
        if unmet is None:
            raise InternalError("bug", f"{weighed.item.label} is good, and stands among the bad")
        return StepFailure(Step.POLICY, unmet)


def no_evidence(name: object, *, hint: str = "") -> Fault:
    """Return the fault of a file or an image without evidence."""
    return Fault(
        code="no-evidence",
        expected=f"a signature or attestation of {name}",
        found="none",
        hint=hint,
    )


def prove(item: Item | BadItem, judged: Judged, roots: Roots, root_name: str) -> VerifiedItem | Fault:
    """Step 7, and reading the signed statement, under the trusted root with a name."""
    if isinstance(item, BadItem):
        return item.fault
    from pip_warden._sigstore.verify import verify_bundle  # the sigstore library costs a third of a second

    signed = judged.digest if item.payload is None else digest_of(item.payload)
    proved = verify_bundle(item.wire, signed, roots[root_name])
    if isinstance(proved, Fault):
        return proved
    return VerifiedItem(proved, _read(proved.envelope, item.payload, judged))


def _read(envelope: Envelope | None, payload: bytes | None, judged: Judged) -> Statement | Fault | None:
    """Read what was signed, where that is not the file itself."""
    if payload is not None:
        return read_payload(payload, envelope, judged)
    return None if envelope is None else read_statement(envelope, named=not isinstance(judged, JudgedImage))


def _judge_item(
    item: Item | BadItem, proofs: _Proofs, judged: Judged, entry: Signers | Probe
) -> GoodItem | StepFailure:
    """Judge an item under each trusted root that the pin's identities belong to, separately."""
    if isinstance(item, BadItem):
        return StepFailure(Step.EVIDENCE, item.fault)
    if isinstance(entry, Probe):
        proof = _check_proof(proofs(entry.root), judged, publication_of(judged))
        return (
            proof
            if isinstance(proof, StepFailure)
            else GoodItem(signed_by(item, proof.proved, entry.root), None)
        )
    closest = StepFailure(Step.EVIDENCE, no_evidence(judged.name))
    for root_name in sorted({identity.root for identity in entry.identities}):
        outcome = _judge_under_root(item, proofs(root_name), judged, entry, root_name)
        if isinstance(outcome, GoodItem):
            return outcome
        closest = max(closest, outcome, key=lambda failure: failure.step)
    return closest


def _judge_under_root(
    item: Item, found: VerifiedItem | Fault, judged: Judged, entry: Signers, root_name: str
) -> GoodItem | StepFailure:
    """Steps 7 to 10 for an item under a root."""
    proof = _check_proof(found, judged, publication_of(judged) | entry.require.predicate_types)
    if isinstance(proof, StepFailure):
        return proof
    claims, release = proof.proved.claims, judged.release
    identities = tuple(identity for identity in entry.identities if identity.root == root_name)
    identity = match_identity(claims, identities, release)
    if isinstance(identity, Fault):
        return StepFailure(Step.IDENTITY, identity)
    if fault := check_policy(claims, identity, entry.require, release):
        return StepFailure(Step.POLICY, fault)
    return GoodItem(signed_by(item, proof.proved, root_name), identity)


def _check_proof(
    proof: VerifiedItem | Fault, judged: Judged, predicate_types: frozenset[str]
) -> VerifiedItem | StepFailure:
    """Steps 7 and 8."""
    if isinstance(proof, Fault):
        return StepFailure(Step.SIGNATURE, proof)
    if fault := check_subject(proof.statement, judged, predicate_types):
        return StepFailure(Step.SUBJECT, fault)
    return proof
