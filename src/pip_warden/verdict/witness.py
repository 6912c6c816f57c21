"""Which signed statements count under an identity, and what they say.

A statement counts only if it names the file or image and its item passed steps 7, 9 and 10 under that
identity. What does not count is never shown as verified.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import replace

from pip_warden._sigstore.result import VerificationResult
from pip_warden.evidence.model import BadItem, EvidenceForm, Item
from pip_warden.faults import Fault
from pip_warden.trust.model import Identity, Requirements
from pip_warden.values import dataclass
from pip_warden.verdict.attested import SignedStatement, annotating, read_annotations
from pip_warden.verdict.identity import match_identity
from pip_warden.verdict.judged import Judged
from pip_warden.verdict.model import ItemRefusal, ProvedStatement, SignedBy, Step, StepFailure
from pip_warden.verdict.policy import check_policy
from pip_warden.verdict.provenance import read_provenance
from pip_warden.verdict.statement import PROVENANCE, Statement, check_subject

_SIGNATURES = frozenset({EvidenceForm.BUNDLE, EvidenceForm.DETACHED})
"""Forms of evidence that may be a mere signature; every other is a statement even where it cannot be read."""


@dataclass(frozen=True, slots=True)
class VerifiedItem:
    """What an item proves under a root.

    Attributes:
        proved: What step 7 proved.
        statement: The signed statement, read once; None for a message signature, which has none.
    """

    proved: VerificationResult
    statement: Statement | Fault | None


Looked = tuple[Item | BadItem, VerifiedItem | Fault | None]
"""An item and what it proves under the root of an identity; None where that is not known."""


def witness_of(
    proof: VerifiedItem | Fault, identity: Identity, judged: Judged, require: Requirements
) -> SignedStatement | StepFailure | None:
    """Return a statement of any type if it counts under an identity, else why not; None where there is none.

    Args:
        proof: What its item proves under the identity's root.
        identity: The identity.
        judged: The file, or the image.
        require: What the pin requires of certificates.
    """
    if isinstance(proof, Fault):
        return StepFailure(Step.SIGNATURE, proof)
    statement = proof.statement
    if statement is None:
        return None
    if isinstance(statement, Fault):
        return StepFailure(Step.SUBJECT, statement)
    if fault := check_subject(statement, judged, frozenset({statement.predicate_type})):
        return StepFailure(Step.SUBJECT, fault)
    claims, release = proof.proved.claims, judged.release
    same = match_identity(claims, (identity,), release)
    if isinstance(same, Fault):
        return StepFailure(Step.IDENTITY, same)
    if fault := check_policy(claims, identity, require, release):
        return StepFailure(Step.POLICY, fault)
    return SignedStatement(statement=statement, claims=claims)


def statements_under(
    looked: Iterable[Looked], identity: Identity, judged: Judged, require: Requirements
) -> Iterator[ProvedStatement | ItemRefusal]:
    """Yield every statement: what it says where it counts under an identity, else why it does not.

    Args:
        looked: Each item, and what it proves.
        identity: The identity that an acceptance rests on.
        judged: The accepted file or image.
        require: What the pin requires of certificates.
    """
    for item, proof in looked:
        found = _said(item, proof, identity, judged, require)
        if isinstance(found, StepFailure):
            yield ItemRefusal(label=item.label, form=item.form, failure=found)
        elif found is not None:
            yield found


def _said(
    item: Item | BadItem,
    proof: VerifiedItem | Fault | None,
    identity: Identity,
    judged: Judged,
    require: Requirements,
) -> ProvedStatement | StepFailure | None:
    if isinstance(item, BadItem):
        return StepFailure(Step.EVIDENCE, item.fault) if item.form not in _SIGNATURES else None
    if proof is None or (isinstance(proof, Fault) and not item.is_statement):
        return None
    witness = witness_of(proof, identity, judged, require)
    if not isinstance(witness, SignedStatement) or isinstance(proof, Fault):
        return None if isinstance(witness, SignedStatement) else witness
    proved = ProvedStatement(
        signed=signed_by(item, proof.proved, identity.root), predicate_type=witness.statement.predicate_type
    )
    return _read(proved, witness, judged, {PROVENANCE, require.provenance})


def _read(
    proved: ProvedStatement, witness: SignedStatement, judged: Judged, built: Container[str | None]
) -> ProvedStatement | StepFailure:
    """Read what is shown; what cannot be read, or disagrees with its own certificate, is not.

    Args:
        proved: The statement.
        witness: It with its predicate, and the certificate that signed it.
        judged: The file, or the image.
        built: Types of predicates that are provenance.
    """
    if proved.predicate_type == annotating(judged):
        annotations = read_annotations(witness.statement, judged)
        if isinstance(annotations, Fault):
            return StepFailure(Step.POLICY, annotations)
        return replace(proved, annotations=annotations)
    if proved.predicate_type in built:
        provenance = read_provenance(witness.statement.predicate, witness.claims)
        if isinstance(provenance, Fault):
            return StepFailure(Step.POLICY, provenance)
        return replace(proved, provenance=provenance)
    return proved


def signed_by(item: Item, proved: VerificationResult, root_name: str) -> SignedBy:
    """Return what an item proved under the root with a name."""
    return SignedBy(
        label=item.label,
        form=item.form,
        claims=proved.claims,
        log_index=proved.log_index,
        log_time=proved.log_time,
        root=root_name,
    )
