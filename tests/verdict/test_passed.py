"""What was checked and passed: each step that was made, with what it found, and no other."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import date
from typing import Any

import pytest

import samples
from builds import CLAIMS, COMMIT, REPOSITORY
from pip_warden._sigstore import verify
from pip_warden._sigstore.result import CertificateClaims, Envelope, VerificationResult
from pip_warden.digests import Digest
from pip_warden.evidence.model import EvidenceForm, Item
from pip_warden.index.candidate import Candidate
from pip_warden.trust.model import Identity, Requirements, Revocation, TrustFile
from pip_warden.trust.subject import RefPattern, parse_subject
from pip_warden.verdict.attested import ANNOTATIONS
from pip_warden.verdict.inquiry import judge
from pip_warden.verdict.model import Accepted, Refused, Step, Verdict
from pip_warden.verdict.statement import PROVENANCE
from verdict.test_evidence import BUILT, PUBLISHED
from verdict.test_evidence import _statement as statement

NOTED = statement(ANNOTATIONS, {"annotations": {"release": "v1.0"}})
ALL = Requirements(
    runner_environment="gitlab-hosted",
    source_ref=RefPattern("refs/tags/v{version}"),
    source_repository=REPOSITORY,
    environment="production",
    visibility="private",
    provenance=PROVENANCE,
    annotations=(("release", "v{version}"),),
    confirmed_build=True,
    source_revision=COMMIT,
    demanded_repository=REPOSITORY,
)


def _judged(
    trust: TrustFile,
    *offered: Envelope | None,
    candidate: Candidate | None = None,
    claims: CertificateClaims = CLAIMS,
) -> Verdict:
    def prove(wire: Any, _digest: object, _root: object) -> VerificationResult:
        envelope = offered[int(wire.signature)]
        return VerificationResult(claims=claims, envelope=envelope, log_index=7, log_time=claims.not_before)

    items = [
        Item(label=f"item {at}", form=EvidenceForm.BUNDLE, wire=samples.wire(str(at).encode()))
        for at in range(len(offered))
    ]
    roots: Any = {"default": object()}
    listing = None if candidate is None else samples.listing()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verify, "verify_bundle", prove)
        return judge(
            samples.artifact(),
            items,
            trust=trust,
            roots=roots,
            today=samples.TODAY,
            candidate=candidate,
            listing=listing,
        )


def _found(verdict: Verdict, step: Step) -> list[str]:
    return [each.found for each in verdict.passed if each.step is step]


def _steps(verdict: Verdict) -> list[int]:
    return [int(each.step) for each in verdict.passed]


def test_a_listed_file_passes_ten_steps_and_a_local_one_has_no_origin() -> None:
    listed = _judged(samples.trust(), None, candidate=samples.candidate())
    local = _judged(samples.trust(), None)

    assert _steps(listed) == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10]
    assert _steps(local) == [1, 3, 4, 5, 6, 7, 8, 9, 10, 10]
    assert _found(listed, Step.PIN) == ["acme-widgets, pinned by identity in pytrust.toml"]
    assert _found(listed, Step.ORIGIN) == [f"a file listed on {samples.page_url()}"]
    assert _found(listed, Step.DIGEST) == [f"SHA-256 {samples.DIGEST}, as the index says"]
    assert _found(local, Step.DIGEST) == [f"SHA-256 {samples.DIGEST}"]
    assert _found(listed, Step.EVIDENCE) == ["item 0 (bundle)"]
    assert _found(listed, Step.SIGNATURE) == [
        "certificate of the trusted root default, log index 7, logged at 2026-06-30 23:59:00 UTC"
    ]
    assert _found(listed, Step.SUBJECT) == ["signed over the file's digest"]
    assert _found(listed, Step.IDENTITY) == [f"{samples.SUBJECT}, issuer {samples.GITLAB}, project id 4711"]


def test_a_hash_pin_passes_no_step_that_asks_for_a_signer() -> None:
    verdict = _judged(samples.trust(samples.hash_entry()), PUBLISHED)

    assert _steps(verdict) == [1, 3, 4, 5]
    assert _found(verdict, Step.PIN) == ["acme-widgets, pinned by hash in pytrust.toml"]
    assert _found(verdict, Step.DIGEST) == [f"SHA-256 {samples.DIGEST}, as the trust file pins"]
    revoked = (Revocation(reason="stolen", sha256=Digest("1" * 64)),)
    verdict = _judged(samples.trust(samples.hash_entry(), revoked=revoked))
    assert _steps(verdict) == [1, 3, 4, 5, 10]
    assert _found(verdict, Step.POLICY) == ["not among the revocations, of which there are 1"]


def test_what_was_refused_passed_the_steps_before() -> None:
    other = replace(samples.hash_entry(), files=((samples.WHEEL, Digest("0" * 64)),))
    for verdict, steps in (
        (_judged(replace(samples.trust(), entries=())), []),
        (_judged(samples.trust(), candidate=samples.candidate("acme_widgets-9-py3-none-any.whl")), [1]),
        (_judged(samples.trust(other)), [1, 3, 4]),
        (_judged(samples.trust()), [1, 3, 4, 5]),
    ):
        assert isinstance(verdict, Refused)
        assert _steps(verdict) == steps


def test_every_requirement_that_was_met_is_named() -> None:
    """And none that the pin does not have: a new field of the requirements fails here until it is named."""
    claims = replace(CLAIMS, values=(*CLAIMS.values, ("environment", "production")))
    words = {
        "build_trigger": "build-trigger push",
        "runner_environment": "runner-environment gitlab-hosted",
        "source_ref": "source-ref refs/tags/v1.0",
        "source_repository": f"source-repository {REPOSITORY}, as the pin requires",
        "demanded_repository": f"source-repository {REPOSITORY}, as the command line demands",
        "environment": "environment production",
        "visibility": "visibility private",
        "provenance": f"provenance {PROVENANCE}, which agrees with its certificate",
        "annotations": "annotation release=v1.0",
        "source_revision": f"source-revision {COMMIT}",
        "confirmed_build": "confirmed-build: the certified job is the one that built",
    }
    own = f"source-repository {REPOSITORY}, the subject's own"

    def policy(require: Requirements) -> set[str]:
        verdict = _judged(
            samples.trust(samples.entry(require=require)), PUBLISHED, BUILT, NOTED, claims=claims
        )
        assert isinstance(verdict, Accepted)
        return {*_found(verdict, Step.POLICY)}

    assert policy(ALL) == {own, *words.values()}
    assert policy(Requirements()) == {own, words["build_trigger"]}
    assert words.keys() == {each.name for each in fields(Requirements)} - {"predicate_types"}
    for name in words.keys() - {"build_trigger", "source_revision", "confirmed_build"}:
        alone = replace(Requirements(), **{name: getattr(ALL, name)})
        assert policy(alone) == {own, words["build_trigger"], words[name]}


def test_an_account_passes_nothing_that_asks_for_a_project() -> None:
    account = Identity(
        issuer=samples.GITLAB,
        subject=parse_subject("release@acme.example"),
        is_account=True,
        not_before=date(2026, 1, 1),
    )
    claims = samples.claims(subject="release@acme.example", drop=("source-repository", "build-trigger"))
    verdict = _judged(samples.trust(samples.entry(account)), PUBLISHED, claims=claims)

    assert isinstance(verdict, Accepted)
    assert _steps(verdict) == [1, 3, 4, 5, 6, 7, 8, 9]
    assert _found(verdict, Step.IDENTITY) == [
        f"release@acme.example, issuer {samples.GITLAB}, signed on 2026-06-30, within its dates"
    ]
