"""The verdict: ten numbered steps, read from top to bottom.

========  ============  ==========================================================================================
step      name          what is judged
========  ============  ==========================================================================================
1         pin           the project has an entry in the trust file
2         origin        page and file URLs are those of the entry's source
3         name          file name, index entry and project agree
4         archive       the archive is well-formed and agrees with its file name; no direct references
5         digest        the bytes have every digest stated for them; then revocation; a hash pin ends here
6         evidence      there is at least one item, and it parses, strictly
7         signature     certificate chain, log entry, signing time, signature over the digest
8         subject       what was signed is this artifact
9         identity      the signer is one the pin names
10        policy        the certificate says what the pin requires besides
========  ============  ==========================================================================================

Steps 6 to 10 are judged per item of evidence: an item is good when it passed all of them. Nothing is shared between items or
files. No network, clock or environment is touched: everything judged is in the arguments. No file either, but the artifact itself, where a
statement that was proved states another digest of it than SHA-256.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

from pip_warden._sigstore.proved import Proved
from pip_warden._sigstore.root import Root
from pip_warden._sigstore.verify import prove
from pip_warden._sigstore.wire import WireBundle
from pip_warden.errors import BugError
from pip_warden.evidence.model import BadItem, Item
from pip_warden.faults import Fault
from pip_warden.names import ProjectName
from pip_warden.trust.pins import Entry, HashEntry, Identity, IdentityEntry, TrustFile
from pip_warden.verdict import archive, origin
from pip_warden.verdict.attested import Witness, check_statements, needs_statements
from pip_warden.verdict.identity import match_identity
from pip_warden.verdict.model import (
    Accepted,
    Exhibit,
    ItemRefusal,
    PinnedByHash,
    Refused,
    SignedBy,
    Step,
    Verdict,
)
from pip_warden.verdict.pin import find_pin
from pip_warden.verdict.policy import check_policy
from pip_warden.verdict.statement import EVIDENCE_OF_PUBLICATION, check_subject, read_statement

Roots = Mapping[str, Root]
"""The trusted roots by the name their pin gives them, each made from bytes with the pinned digest."""

Prover = Callable[[WireBundle, str], Proved | Fault]
"""Proves a bundle for the file that is judged, under the root with a name."""


@dataclass(frozen=True, slots=True)
class No:
    """A step said no."""

    step: Step
    fault: Fault


@dataclass(frozen=True, slots=True)
class Good:
    """An item passed every step that concerns it alone, under one identity."""

    signed: SignedBy
    identity: Identity


def judge(exhibit: Exhibit, *, trust: TrustFile, roots: Roots) -> Verdict:
    """Judge one file.

    Args:
        exhibit: The file, where it came from, and everything that speaks for it.
        trust: The trust file.
        roots: The trusted roots that the trust file pins.
    """
    entry = find_pin(asked_for(exhibit), exhibit.artifact.name.version, trust)
    if isinstance(entry, Fault):
        return refused(exhibit, No(Step.PIN, entry))
    no = judge_file(exhibit, entry, trust)
    if no is not None:
        return refused(exhibit, no)
    if isinstance(entry, HashEntry):
        return Accepted(artifact=exhibit.artifact, basis=PinnedByHash(reason=entry.reason))
    return _judge_evidence(exhibit, entry, roots)


def speaks(item: Item | BadItem, exhibit: Exhibit, entry: IdentityEntry, roots: Roots) -> bool:
    """Tell whether an item is enough by itself for a file that passed steps 1 to 5.

    This is no verdict: it tells whoever fetches evidence that no more is needed. Where statements are required, no item is enough by itself.
    """
    if needs_statements(entry.require):
        return False

    def proved(wire: WireBundle, root_name: str) -> Proved | Fault:
        return prove(wire, exhibit.artifact.digest, roots[root_name])

    return isinstance(_judge_item(item, exhibit, entry, proved), Good)


def asked_for(exhibit: Exhibit) -> ProjectName:
    """Return the project whose page was asked for, or the one a local file's name says."""
    return exhibit.candidate.project if exhibit.candidate is not None else exhibit.artifact.name.project


def judge_file(exhibit: Exhibit, entry: Entry, trust: TrustFile) -> No | None:
    """Judge what needs no evidence: steps 2 to 5, and revocation."""
    project = asked_for(exhibit)
    if exhibit.candidate is not None:
        if exhibit.page is None:
            raise BugError("bug", "a candidate was judged without its page")
        source = trust.source(entry.source)
        fault = origin.check_candidate(exhibit.candidate, exhibit.page, project, entry, source)
        if fault is not None:
            return No(Step.ORIGIN, fault)
    if fault := archive.check_name(exhibit, project, entry):
        return No(Step.NAME, fault)
    if fault := archive.check_archive(exhibit.artifact):
        return No(Step.ARCHIVE, fault)
    if fault := archive.check_digest(exhibit, entry):
        return No(Step.DIGEST, fault)
    if fault := archive.check_revoked(exhibit.artifact, trust.revoked):
        return No(Step.POLICY, fault)
    return None


def _judge_evidence(exhibit: Exhibit, entry: IdentityEntry, roots: Roots) -> Verdict:
    """Steps 6 to 10: one good item is needed; the bad ones are reported and mask nothing.

    An item may also speak for every other item of the same identity. What is found about it is kept, or the cost would grow with the square
    of what strangers can upload.
    """

    @cache
    def proved(wire: WireBundle, root_name: str) -> Proved | Fault:
        return prove(wire, exhibit.artifact.digest, roots[root_name])

    @cache
    def unattested(identity: Identity) -> Fault | None:
        witnesses = _witnesses(exhibit, entry, proved, identity)
        return check_statements(entry.require, witnesses, exhibit.artifact.name.version)

    bad: list[ItemRefusal] = []
    for item in exhibit.evidence:
        outcome = _judge_item(item, exhibit, entry, proved)
        if isinstance(outcome, Good) and needs_statements(entry.require):
            fault = unattested(outcome.identity)
            outcome = outcome if fault is None else No(Step.POLICY, fault)
        if isinstance(outcome, Good):
            return Accepted(artifact=exhibit.artifact, basis=outcome.signed, bad_items=tuple(bad))
        bad.append(_item_refusal(item, outcome))
    if not bad:
        return refused(exhibit, No(Step.EVIDENCE, no_evidence(exhibit)))
    # The item that came furthest says most about what is wrong.
    closest = max(bad, key=lambda refusal: refusal.step)
    return Refused(
        subject=exhibit.artifact.name.filename,
        step=closest.step,
        code=closest.code,
        expected=closest.expected,
        found=closest.found,
        hint=closest.hint,
        bad_items=tuple(bad),
    )


def _witnesses(
    exhibit: Exhibit, entry: IdentityEntry, prover: Prover, identity: Identity
) -> tuple[Witness, ...]:
    """Return every statement about the artifact, of any type, whose item passed 7, 9 and 10 under one and the same identity."""
    found = []
    version = exhibit.artifact.name.version
    for item in exhibit.evidence:
        proved = prover(item.wire, identity.root) if isinstance(item, Item) else item.fault
        if isinstance(proved, Fault) or proved.envelope is None:
            continue
        statement = read_statement(proved.envelope)
        if isinstance(statement, Fault) or not statement.names(exhibit.artifact):
            continue
        same = match_identity(proved.claims, (identity,), version) is identity
        if same and check_policy(proved.claims, identity, entry.require, version) is None:
            found.append(Witness(statement=statement, claims=proved.claims))
    return tuple(found)


def _judge_item(item: Item | BadItem, exhibit: Exhibit, entry: IdentityEntry, prover: Prover) -> Good | No:
    """Judge one item against each trusted root that the pin's identities belong to, each alone."""
    if isinstance(item, BadItem):
        return No(Step.EVIDENCE, item.fault)
    closest = No(Step.EVIDENCE, no_evidence(exhibit))
    for root_name in sorted({identity.root for identity in entry.identities}):
        outcome = _judge_under_root(item, exhibit, entry, root_name, prover(item.wire, root_name))
        if isinstance(outcome, Good):
            return outcome
        closest = max(closest, outcome, key=lambda no: no.step)
    return closest


def _judge_under_root(
    item: Item, exhibit: Exhibit, entry: IdentityEntry, root_name: str, found: Proved | Fault
) -> Good | No:
    """Steps 7 to 10 for one item under one root."""
    proved = _check_proved(found, exhibit, entry)
    if isinstance(proved, No):
        return proved
    version = exhibit.artifact.name.version
    identities = tuple(identity for identity in entry.identities if identity.root == root_name)
    identity = match_identity(proved.claims, identities, version)
    if isinstance(identity, Fault):
        return No(Step.IDENTITY, identity)
    if fault := check_policy(proved.claims, identity, entry.require, version):
        return No(Step.POLICY, fault)
    return Good(signed_by(item, proved, root_name), identity)


def prove_item(item: Item, exhibit: Exhibit, entry: IdentityEntry, root: Root) -> Proved | No:
    """Prove what one item says, without asking who said it: steps 7 and 8."""
    return _check_proved(prove(item.wire, exhibit.artifact.digest, root), exhibit, entry)


def _check_proved(proved: Proved | Fault, exhibit: Exhibit, entry: IdentityEntry) -> Proved | No:
    if isinstance(proved, Fault):
        return No(Step.SIGNATURE, proved)
    predicate_types = EVIDENCE_OF_PUBLICATION | entry.require.predicate_types
    if fault := check_subject(proved.envelope, exhibit.artifact, predicate_types):
        return No(Step.SUBJECT, fault)
    return proved


def signed_by(item: Item, proved: Proved, root_name: str) -> SignedBy:
    """Record what a good item proved."""
    return SignedBy(
        label=item.label,
        form=item.form,
        claims=proved.claims,
        log_index=proved.log_index,
        log_time=proved.log_time,
        root=root_name,
    )


def no_evidence(exhibit: Exhibit) -> Fault:
    """Return the fault of a file for which nothing speaks."""
    return Fault(
        code="no-evidence",
        expected=f"a signature or attestation of {exhibit.artifact.name}",
        found="none",
        hint="The package is pinned to an identity, so an unsigned file is refused. Ask its publisher to sign it, or pin reviewed "
        "hashes of this version with `pip-warden trust add NAME==VERSION --hash`.",
    )


def _item_refusal(item: Item | BadItem, no: No) -> ItemRefusal:
    fault = no.fault
    return ItemRefusal(
        label=item.label,
        form=item.form,
        step=no.step,
        code=fault.code,
        expected=fault.expected,
        found=fault.found,
        hint=fault.hint,
    )


def refused(exhibit: Exhibit, no: No) -> Refused:
    """Turn a step's no into a verdict."""
    fault = no.fault
    return Refused(
        subject=exhibit.artifact.name.filename,
        step=no.step,
        code=fault.code,
        expected=fault.expected,
        found=fault.found,
        hint=fault.hint,
    )
