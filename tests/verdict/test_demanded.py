"""Demands of a command line only narrow: what is accepted with them is accepted without, and meets them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import samples
from pip_warden._sigstore import verify
from pip_warden._sigstore.result import CertificateClaims, Envelope, VerificationResult
from pip_warden.evidence.model import EvidenceForm, Item
from pip_warden.trust.demands import Demands, demand
from pip_warden.trust.model import Requirements
from pip_warden.verdict.attested import ANNOTATIONS
from pip_warden.verdict.inquiry import judge
from pip_warden.verdict.model import Accepted, Refused, Verdict
from pip_warden.verdict.statement import PROVENANCE
from verdict.test_evidence import BUILT, PUBLISHED
from verdict.test_evidence import _statement as statement

HERE, ELSEWHERE = "https://gitlab.example.com/acme/widgets", "https://gitlab.example.com/acme/other"
COMMIT, OTHER = "0" * 40, "1" * 40
CLAIMS = samples.claims(source_digest=COMMIT)
NOTED = statement(ANNOTATIONS, {"annotations": {"a": "1", "b": "2"}})

repositories = st.sampled_from([None, HERE, ELSEWHERE])
commits = st.sampled_from([None, COMMIT, OTHER])
noted = st.lists(st.sampled_from([("a", "1"), ("a", "2"), ("b", "2"), ("c", "3")]), max_size=2).map(tuple)
requirements = st.builds(
    Requirements,
    source_repository=repositories,
    provenance=st.sampled_from([None, PROVENANCE]),
    annotations=noted,
)
demanded = st.builds(
    Demands,
    source_repository=repositories,
    source_revision=commits,
    provenance=st.booleans(),
    annotations=noted,
)
envelopes = st.lists(st.sampled_from([PUBLISHED, BUILT, NOTED]), max_size=3)


def _judged(
    require: Requirements, demands: Demands, offered: list[Envelope], claims: CertificateClaims = CLAIMS
) -> Verdict:
    def prove(wire: Any, _digest: object, _root: object) -> VerificationResult:
        envelope = offered[int(wire.signature)]
        return VerificationResult(claims=claims, envelope=envelope, log_index=1, log_time=claims.not_before)

    items = [
        Item(label=str(at), form=EvidenceForm.DSSE_BUNDLE, wire=samples.wire(str(at).encode()))
        for at in range(len(offered))
    ]
    roots: Any = {"default": object()}
    trust = demand(samples.trust(samples.entry(require=require)), demands)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verify, "verify_bundle", prove)
        return judge(samples.artifact(), items, trust=trust, roots=roots, today=samples.TODAY)


@given(require=requirements, demands=demanded, offered=envelopes)
def test_what_is_accepted_with_a_demand_is_accepted_without_and_meets_it(
    require: Requirements, demands: Demands, offered: list[Envelope]
) -> None:
    with_demands = _judged(require, demands, offered)

    if isinstance(with_demands, Accepted):
        assert isinstance(_judged(require, Demands(), offered), Accepted)
        assert demands.source_repository in {None, HERE}
        assert demands.source_revision in {None, COMMIT}
        if demands.provenance or demands.source_revision:
            assert BUILT in offered
        if demands.annotations:
            assert NOTED in offered
            assert {*demands.annotations} <= {("a", "1"), ("b", "2")}


def test_all_demands_together_can_be_met() -> None:
    demands = Demands(
        source_repository=HERE, source_revision=COMMIT, provenance=True, annotations=(("a", "1"),)
    )

    assert isinstance(_judged(Requirements(), demands, [PUBLISHED, BUILT, NOTED]), Accepted)


@pytest.mark.parametrize(
    ("pinned", "wanted", "is_accepted"),
    [(None, HERE, True), (HERE, HERE, True), (ELSEWHERE, HERE, False), (HERE, ELSEWHERE, False)],
)
def test_the_pinned_and_the_demanded_repository_must_both_hold(
    pinned: str | None, wanted: str, is_accepted: bool
) -> None:
    verdict = _judged(Requirements(source_repository=pinned), Demands(source_repository=wanted), [PUBLISHED])

    assert isinstance(verdict, Accepted) is is_accepted
    if isinstance(verdict, Refused):
        assert verdict.code == "source-repository-mismatch"
