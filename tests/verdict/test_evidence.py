"""Steps 6 to 10 with several items of evidence: each is proved and read once, however many it counts for."""

from __future__ import annotations

import gc
import json
import weakref
from collections import Counter

import pytest

import samples
from builds import ours
from pip_warden._sigstore import verify
from pip_warden._sigstore.result import CertificateClaims, Envelope, VerificationResult
from pip_warden._sigstore.wire import WireBundle
from pip_warden.digests import Digest
from pip_warden.errors import InternalError
from pip_warden.evidence.model import EvidenceForm, Item
from pip_warden.faults import Fault
from pip_warden.trust.model import Identity, Requirements
from pip_warden.verdict import evidence
from pip_warden.verdict.inquiry import Inquiry, Wants, judge
from pip_warden.verdict.model import Accepted, Refused, Verdict
from pip_warden.verdict.statement import PAYLOAD_TYPE, PROVENANCE, PUBLISH, Statement, read_statement

MANY = 40
ROOTS = {"default": object(), "other": object()}
STRICT = Requirements(provenance=PROVENANCE)
CLAIMS = samples.claims(source_digest="0" * 40)


def _statement(type_: str, predicate: object, name: str = samples.WHEEL) -> Envelope:
    document = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": name, "digest": {"sha256": samples.DIGEST.hex}}],
        "predicateType": type_,
        "predicate": predicate,
    }
    return Envelope(payload_type=PAYLOAD_TYPE, payload=json.dumps(document).encode())


PUBLISHED = _statement(PUBLISH, None)
BUILT = _statement(PROVENANCE, ours())


class Sigstore:
    """Proves what a bundle's name says, and counts the calls."""

    def __init__(self) -> None:
        self.proved: Counter[tuple[bytes, int]] = Counter()
        self.read = 0

    def prove(self, wire: WireBundle, _digest: Digest, root: object) -> VerificationResult:
        self.proved[wire.signature, id(root)] += 1
        claims = samples.claims(source_digest="0" * 40)
        envelope = BUILT if wire.signature.startswith(b"built") else PUBLISHED
        return VerificationResult(claims=claims, envelope=envelope, log_index=1, log_time=claims.not_before)

    def read_statement(self, envelope: Envelope, *, named: bool) -> Statement | Fault:
        self.read += 1
        return read_statement(envelope, named=named)


@pytest.fixture
def sigstore(monkeypatch: pytest.MonkeyPatch) -> Sigstore:
    counting = Sigstore()
    monkeypatch.setattr(verify, "verify_bundle", counting.prove)
    monkeypatch.setattr(evidence, "read_statement", counting.read_statement)
    return counting


def _items(*bundles: bytes) -> tuple[Item, ...]:
    return tuple(Item(label="a", form=EvidenceForm.PEP740, wire=samples.wire(bundle)) for bundle in bundles)


def _judge(*bundles: bytes, identities: tuple[Identity, ...] = (), require: Requirements = STRICT) -> Verdict:
    entry = samples.entry(*identities, require=require)
    # Prove is replaced.
    return judge(
        samples.artifact(),
        _items(*bundles),
        trust=samples.trust(entry),
        roots=ROOTS,  # type: ignore[arg-type]
        today=samples.TODAY,
    )


def _proves(monkeypatch: pytest.MonkeyPatch, **items: tuple[str, CertificateClaims, Envelope]) -> None:
    """Let each item be proved under one root alone."""

    def prove(wire: WireBundle, _digest: Digest, root: object) -> VerificationResult | Fault:
        root_name, claims, envelope = items[wire.signature.decode()]
        if ROOTS[root_name] is not root:
            return Fault(code="bad-certificate-chain", expected="a CA of this root", found="another")
        return VerificationResult(claims=claims, envelope=envelope, log_index=1, log_time=claims.not_before)

    monkeypatch.setattr(verify, "verify_bundle", prove)


def test_b05_each_item_is_proved_once_where_statements_are_required(sigstore: Sigstore) -> None:
    verdict = _judge(*(f"published {number}".encode() for number in range(MANY)))

    assert isinstance(verdict, Refused)
    assert (verdict.code, len(verdict.bad_items)) == ("provenance-missing", MANY)
    assert len(sigstore.proved) == MANY
    assert set(sigstore.proved.values()) == {1}
    assert sigstore.read == MANY


def test_b05_each_item_is_proved_once_under_each_root(sigstore: Sigstore) -> None:
    identities = (samples.identity(issuer="https://other.example.com"), samples.identity(root="other"))
    verdict = _judge(*(f"published {number}".encode() for number in range(MANY)), identities=identities)

    assert isinstance(verdict, Refused)
    assert len(sigstore.proved) == 2 * MANY
    assert set(sigstore.proved.values()) == {1}


def test_what_was_judged_is_gone_with_the_inquiry(sigstore: Sigstore) -> None:
    """Nothing in it leads back to itself, so no search for cycles has to find it."""
    entry = samples.entry(samples.identity(), require=STRICT)
    gc.disable()
    try:
        evaluation = evidence.EvidenceEvaluation(samples.artifact(), entry, ROOTS)  # type: ignore[arg-type]
        for item in _items(b"published", b"built"):
            evaluation.add(item)
        assert evaluation.good is not None
        assert evaluation.proved == sum(sigstore.proved.values()) == 2
        gone = weakref.ref(evaluation)
        del evaluation
        assert gone() is None
    finally:
        gc.enable()


@pytest.mark.usefixtures("sigstore")
def test_the_statement_of_another_item_counts() -> None:
    verdict = _judge(b"published", b"built")

    assert isinstance(verdict, Accepted)
    assert verdict.bad_items == ()


@pytest.mark.parametrize(
    ("claims", "envelope"),
    [
        (CLAIMS, _statement(PROVENANCE, ours(), "acme_widgets-2.0-py3-none-any.whl")),
        (samples.claims(source_digest="0" * 40, build_trigger="merge_request_event"), BUILT),
        (samples.claims(source_digest="0" * 40, issuer="https://gitlab.example.org"), BUILT),
    ],
    ids=["of another file", "against the policy", "by another signer"],
)
def test_a_statement_counts_only_where_its_own_item_would(
    claims: CertificateClaims, envelope: Envelope, monkeypatch: pytest.MonkeyPatch
) -> None:
    _proves(monkeypatch, published=("default", CLAIMS, PUBLISHED), built=("default", claims, envelope))
    verdict = _judge(b"published", b"built")

    assert isinstance(verdict, Refused)
    assert verdict.bad_items[0].code == "provenance-missing"


def test_a_statement_counts_only_under_the_root_of_the_same_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    identities = (samples.identity(issuer="https://other.example.com"), samples.identity(root="other"))
    _proves(monkeypatch, published=("other", CLAIMS, PUBLISHED), built=("default", CLAIMS, BUILT))
    verdict = _judge(b"published", b"built", identities=identities)

    assert isinstance(verdict, Refused)
    assert verdict.bad_items[0].code == "provenance-missing"


def test_t61_an_identity_counts_under_its_own_root_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    identities = (samples.identity(issuer="https://other.example.com"), samples.identity(root="other"))
    _proves(monkeypatch, published=("default", CLAIMS, PUBLISHED))
    verdict = _judge(b"published", identities=identities, require=Requirements())

    assert isinstance(verdict, Refused)
    assert verdict.code == "issuer-mismatch"


@pytest.mark.usefixtures("sigstore")
def test_no_item_is_enough_by_itself_where_statements_are_required() -> None:
    """The next one may be the statement."""
    (item,) = _items(b"published")
    wants = {}
    for require in (Requirements(), STRICT):
        trust = samples.trust(samples.entry(require=require))
        # Prove is replaced.
        inquiry = Inquiry(samples.artifact().name, trust=trust, roots=ROOTS, today=samples.TODAY)  # type: ignore[arg-type]
        inquiry.offer_artifact(samples.artifact())
        inquiry.offer_evidence(item)
        wants[require] = inquiry.wants

    assert list(wants.values()) == [Wants.NOTHING, Wants.EVIDENCE]


def test_a_candidate_is_never_judged_without_its_page() -> None:
    with pytest.raises(InternalError):
        Inquiry(samples.candidate(), trust=samples.trust(), roots={}, today=samples.TODAY)
