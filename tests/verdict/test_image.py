"""An image is judged as a file is: by its digest, under the identities of its repository."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import images
import samples
from _sigstore.samples import CLAIMS, DATA, SUBJECT, root_of, service
from builds import ours
from images import DIGEST, OTHER, PATTERN, Pin, code, codes, judged, pin, signed, statement, subject
from pip_warden.digests import digest_of
from pip_warden.errors import InternalError, UndecidedError
from pip_warden.evidence.model import BadItem, EvidenceForm, Item
from pip_warden.faults import Fault
from pip_warden.names import ProjectName
from pip_warden.oci.names import parse_repository
from pip_warden.publish.image_statement import image_statement, signature_statement
from pip_warden.trust.model import Requirements, Revocation
from pip_warden.trust.subject import parse_ref, parse_subject
from pip_warden.verdict.attested import ANNOTATIONS
from pip_warden.verdict.carried import GoodPiece, PieceJudge
from pip_warden.verdict.image import judge_image
from pip_warden.verdict.inquiry import judge
from pip_warden.verdict.model import (
    Acceptance,
    AcceptedImage,
    ItemRefusal,
    Refused,
    SignedBy,
    Step,
    StepFailure,
)
from pip_warden.verdict.pieces import ProvedPiece, prove_piece, refuse_pieces
from pip_warden.verdict.statement import COSIGN_SIGN, PROVENANCE, PUBLISH

NOTED = {"tag": "1.0", "stage": "release"}
SBOM = statement(subject(name="x"), predicateType="https://spdx.dev/Document")
BAD = BadItem(
    label="bad", form=EvidenceForm.DSSE_BUNDLE, fault=Fault(code="bad-bundle", expected="a", found="b")
)


def test_what_cosign_signs_is_accepted_and_said_step_by_step() -> None:
    verdict = judged(signed())

    assert isinstance(verdict, AcceptedImage)
    assert verdict.judged == verdict.image == images.image()
    assert verdict.signer == SUBJECT
    assert [int(each.step) for each in verdict.passed] == [1, 5, 6, 7, 8, 9, 10, 10]
    assert verdict.passed[4].found == f"a statement {COSIGN_SIGN} names this image and its digest"
    assert [each.predicate_type for each in verdict.statements] == [COSIGN_SIGN]
    assert (verdict.bad_items, verdict.unproved, verdict.unheard) == ((), (), "")
    with pytest.raises(TypeError):
        bool(verdict)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (statement(_type="https://in-toto.io/Statement/v0.1"), None),
        (statement(subject(name="")), None),
        (statement(subject(name="registry.example.com/acme/app")), None),
        (statement(subject(name="elsewhere.example.com/other:2@sha256:0")), None),
        (statement(subject(OTHER), subject()), None),
        (statement(subject(OTHER)), "subject-mismatch"),
        (statement(subject(digest={"sha512": "0" * 128})), "subject-mismatch"),
        (statement(subject(digest={"sha256": DIGEST.hex, "sha512": "0" * 128})), "subject-mismatch"),
        (statement(subject(digest={"sha256": DIGEST.hex, "gitCommit": "0" * 40})), "subject-mismatch"),
        (statement(subject(digest={"sha256": DIGEST.hex.upper()})), "subject-mismatch"),
        (statement(subject(digest={"sha256": f"sha256:{DIGEST}"})), "subject-mismatch"),
        (statement(subject(digest={})), "bad-statement"),
        (statement(subject=[]), "bad-statement"),
        (statement(subject(annotations=[])), "bad-statement"),
        (statement(predicate=None), "bad-statement"),
        (SBOM, "predicate-type-refused"),
        (statement(subject(name="x"), predicateType=PUBLISH, predicate=None), "predicate-type-refused"),
        (statement(predicateType=PROVENANCE, predicate=ours()), None),
        (statement(subject(name="x"), predicateType=PROVENANCE, predicate=ours()), None),
    ],
)
def test_the_statement_names_the_digest_and_says_that_it_was_published(
    said: dict[str, Any], expected: str | None
) -> None:
    assert code(judged(signed(said))) == expected
    if expected is not None:
        verdict = judged(signed(said))
        assert isinstance(verdict, Refused)
        assert verdict.step is Step.SUBJECT
        assert verdict.subject == f"registry.example.com/acme/app:1.0@sha256:{DIGEST}"


@pytest.mark.parametrize(
    "said",
    [signature_statement(DIGEST, NOTED), image_statement(DIGEST, PROVENANCE, ours())],
    ids=["signature", "provenance"],
)
def test_what_is_published_of_an_image_is_accepted(said: bytes) -> None:
    assert code(judged(signed(json.loads(said)))) is None


def test_another_type_counts_where_the_pin_lists_it() -> None:
    listed = pin(predicate_types=frozenset({SBOM["predicateType"]}))

    assert code(judged(signed(SBOM), entry=listed)) is None


def test_a_signature_over_the_manifests_bytes_signs_no_image() -> None:
    verdict = judged(images.message(b"the manifest"))

    assert isinstance(verdict, Refused)
    assert (verdict.code, verdict.step) == ("subject-mismatch", Step.SUBJECT)


def test_nothing_and_what_cannot_be_read_is_refused() -> None:
    assert code(judged()) == "no-evidence"
    verdict = judged(BAD)
    assert (code(verdict), codes(verdict.bad_items)) == ("bad-bundle", ["bad-bundle"])


def test_an_image_that_is_not_pinned_is_refused_with_the_way_to_pin_it() -> None:
    verdict = judge_image(images.image(), [signed()], entry=None, roots=images.ROOTS, revoked=())

    assert isinstance(verdict, Refused)
    assert (verdict.code, verdict.step) == ("image-not-pinned", Step.PIN)
    assert "`pip-warden trust add --image registry.example.com/acme/app:1.0`" in verdict.fault.hint


def test_the_entry_of_another_repository_judges_nothing() -> None:
    other = replace(pin(), repository=parse_repository("registry.example.com/acme/other"))
    with pytest.raises(InternalError) as caught:
        judged(signed(), entry=other)
    assert caught.value.code == "bug"


def test_a_revoked_digest_is_refused_before_its_evidence_is_looked_at() -> None:
    def never() -> Iterator[Item]:
        raise AssertionError
        yield

    stolen = Revocation(reason="stolen", sha256=DIGEST)
    verdict = judge_image(images.image(), never(), entry=pin(), roots=images.ROOTS, revoked=[stolen])

    assert isinstance(verdict, Refused)
    assert (verdict.code, verdict.step) == ("revoked", Step.POLICY)
    others = (Revocation(reason="x", sha256=OTHER), Revocation(reason="x", project=ProjectName("app")))
    assert code(judged(signed(), revoked=others)) is None


@pytest.mark.parametrize(
    ("pattern", "tag", "expected"),
    [
        (images.PATTERN, "1.0", None),
        (images.PATTERN, "1.0.0", "identity-mismatch"),
        (images.PATTERN, "v1.0", "identity-mismatch"),
        (images.PATTERN, None, "identity-mismatch"),
        (SUBJECT, None, None),
        (SUBJECT, "latest", None),
        (SUBJECT.replace("v1.0", "v{version}"), "1.0", "identity-mismatch"),
    ],
)
def test_a_pattern_with_a_tag_is_of_that_tag(pattern: str, tag: str | None, expected: str | None) -> None:
    assert code(judged(signed(), entry=pin(pattern), tag=tag)) == expected


def test_an_image_without_a_tag_is_told_to_name_it() -> None:
    ref = pin(SUBJECT, source_ref=parse_ref("refs/tags/v{tag}"))
    noted = pin(SUBJECT, annotations=(("tag", "{tag}"),))
    for entry, expected in (
        (pin(), "identity-mismatch"),
        (ref, "source-ref-mismatch"),
        (noted, "annotation-mismatch"),
    ):
        item = signed(statement(subject(annotations=NOTED)))
        verdict = judged(item, entry=entry, tag=None)
        assert isinstance(verdict, Refused)
        assert verdict.code == expected
        assert "name the image by its tag" in verdict.fault.expected
        assert code(judged(item, entry=entry)) is None


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"project_id": "12"}, "project-id-mismatch"),
        ({"pipeline_source": "merge_request_event"}, "build-trigger-refused"),
        ({"runner_environment": "self-hosted"}, "runner-environment-mismatch"),
    ],
)
def test_the_certificate_is_judged_as_that_of_a_file(claims: dict[str, Any], expected: str) -> None:
    entry = pin(runner_environment="gitlab-hosted")

    assert code(judged(signed(**claims), entry=entry)) == expected
    assert code(judged(signed(), entry=entry)) is None


def test_a_signature_under_another_root_is_refused() -> None:
    stranger = service()
    bundle = stranger.sign_statement(statement(), CLAIMS)

    assert code(judged(images.read(bundle, "x", EvidenceForm.DSSE_BUNDLE))) == "bad-certificate-chain"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (statement(subject(annotations=NOTED)), None),
        (statement(subject(OTHER), subject(annotations=NOTED)), None),
        (statement(subject(OTHER, annotations=NOTED), subject()), "annotation-missing"),
        (statement(subject(annotations=NOTED), subject(annotations=NOTED)), "annotation-missing"),
        (statement(), "annotation-missing"),
        (statement(subject(annotations={"tag": "1.0"})), "annotation-missing"),
        (statement(subject(annotations=NOTED | {"tag": "1.1"})), "annotation-mismatch"),
        (statement(subject(annotations=NOTED | {"more": 1})), "bad-statement"),
        (statement(predicate={"annotations": NOTED}), "annotation-missing"),
        (
            statement(subject(name="x", annotations=NOTED), predicateType=PROVENANCE, predicate=ours()),
            "annotation-missing",
        ),
    ],
)
def test_annotations_lie_in_the_images_own_subject(said: dict[str, Any], expected: str | None) -> None:
    entry = pin(annotations=(("tag", "{tag}"), ("stage", "release")))

    assert code(judged(signed(said), entry=entry)) == expected


def test_annotations_of_files_annotate_no_image() -> None:
    said = statement(subject(name="x"), predicateType=ANNOTATIONS, predicate={"annotations": NOTED})
    entry = pin(annotations=(("tag", "1.0"),), predicate_types=frozenset({ANNOTATIONS}))

    assert code(judged(signed(said), entry=entry)) == "annotation-missing"


def test_annotations_are_shown_and_those_that_are_no_texts_are_not() -> None:
    good, bad = statement(subject(annotations=NOTED)), statement(subject(annotations={"a": ["b"]}))
    verdict = judged(signed(good, "good"), signed(bad, "bad"), signed(label="plain"))

    assert isinstance(verdict, AcceptedImage)
    assert [each.annotations for each in verdict.statements] == [tuple(NOTED.items()), ()]
    assert [(each.label, each.code) for each in verdict.unproved] == [("bad", "bad-statement")]


def test_required_provenance_may_be_another_item_of_the_same_signer() -> None:
    entry = pin(provenance=PROVENANCE)
    built = statement(
        subject(name="x"), predicateType=PROVENANCE, predicate={"buildDefinition": {}, "runDetails": {}}
    )

    assert code(judged(signed(), entry=entry)) == "provenance-missing"
    assert code(judged(signed(), signed(built), entry=entry)) == "provenance-mismatch"


def test_bad_items_are_reported_wherever_they_lie() -> None:
    other = signed(statement(subject(OTHER)), "another image's")
    verdict = judged(BAD, other, signed(label="good"), BAD, other)

    assert isinstance(verdict, AcceptedImage)
    assert isinstance(verdict.basis, SignedBy)
    assert verdict.basis.label == "good"
    assert codes(verdict.bad_items) == ["bad-bundle", "subject-mismatch"]
    assert codes(verdict.unproved) == ["bad-bundle", "subject-mismatch"] * 2


def test_an_error_of_the_look_up_changes_no_verdict_once_there_is_a_good_item() -> None:
    def broken(*first: Item | BadItem) -> Iterator[Item | BadItem]:
        yield from first
        raise UndecidedError("unreachable", "expected a registry, found none")

    def judging(*first: Item | BadItem) -> AcceptedImage | Refused:
        return judge_image(images.image(), broken(*first), entry=pin(), roots=images.ROOTS, revoked=())

    accepted = judging(signed())
    assert isinstance(accepted, AcceptedImage)
    assert accepted.unheard == "unreachable"
    with pytest.raises(UndecidedError):
        judging(BAD)


POOL = (
    signed(label="good"),
    signed(statement(subject(annotations=NOTED)), "noted"),
    signed(statement(subject(OTHER)), "another"),
    signed(SBOM, "sbom"),
    signed(label="stranger", project_id="9"),
    images.simple(),
    images.message(b"the manifest"),
    BAD,
)
GOOD = {"good", "noted", "old"}


@settings(max_examples=15)
@given(st.lists(st.sampled_from(POOL), max_size=6), st.sampled_from(POOL))
def test_more_evidence_never_makes_a_good_image_bad(some: list[Item | BadItem], more: Item | BadItem) -> None:
    is_good = any(each.label in GOOD for each in some)

    assert isinstance(judged(*some), AcceptedImage) is is_good
    assert isinstance(judged(*some, more), AcceptedImage) is (is_good or more.label in GOOD)
    assert isinstance(judged(more, *some), AcceptedImage) is (is_good or more.label in GOOD)


# What is said of images is no evidence of files


def _file(*evidence: Item, require: Requirements | None = None) -> str | None:
    entry = samples.entry(require=require or Requirements())
    verdict = judge(
        samples.artifact(digest=digest_of(DATA)),
        evidence,
        trust=samples.trust(entry),
        roots=images.ROOTS,
        today=samples.TODAY,
    )
    return verdict.code if isinstance(verdict, Refused) else None


def test_what_signs_an_image_publishes_no_file() -> None:
    about = subject(digest_of(DATA), name=samples.WHEEL, annotations=NOTED)
    listing = Requirements(predicate_types=frozenset({COSIGN_SIGN}))

    assert _file(images.message(DATA)) is None
    assert _file(signed(statement(about))) == "predicate-type-refused"
    assert _file(signed(statement(about)), require=listing) is None
    assert _file(signed(statement(subject(digest_of(DATA)))), require=listing) == "bad-statement"
    another = subject(digest_of(DATA), name=samples.WHEEL.replace("acme", "other"))
    assert _file(signed(statement(another)), require=listing) == "subject-mismatch"
    noted = replace(listing, annotations=(("stage", "release"),))
    assert _file(signed(statement(about)), require=noted) == "annotation-missing"


def test_a_payload_of_an_image_signs_no_file() -> None:
    said = images.payload(digest_of(DATA))
    listing = Requirements(predicate_types=frozenset({COSIGN_SIGN}))

    assert _file(images.simple(said)) == "payload-type-refused"
    assert _file(images.simple(said), require=listing) == "payload-type-refused"
    assert _file(replace(images.message(DATA), payload=b"x")) == "bad-signature"
    assert _file(replace(images.message(DATA), payload=DATA)) == "payload-type-refused"


# What is carried along, and what is published


def test_each_piece_of_an_images_evidence_is_judged_by_itself() -> None:
    accepted = judged(signed())
    assert isinstance(accepted, AcceptedImage)
    late = datetime(2026, 6, 1, tzinfo=UTC)
    judge_of, aged = (
        PieceJudge(accepted, pin(annotations=(("tag", "{tag}"),)), images.ROOTS, logged_by=at)
        for at in (None, late)
    )
    plain, noted = judge_of.judge(signed()), judge_of.judge(signed(statement(subject(annotations=NOTED))))
    other, sbom = judge_of.judge(signed(statement(subject(OTHER)))), judge_of.judge(signed(SBOM))

    assert judge_of.judged == images.image()
    assert isinstance(plain, GoodPiece)
    assert (plain.counts, plain.meets) == (True, False)
    assert isinstance(noted, GoodPiece)
    assert (noted.counts, noted.meets) == (True, True)
    assert isinstance(sbom, GoodPiece)
    assert (sbom.counts, sbom.meets) == (False, True)
    old = judge_of.judge(images.simple())
    assert isinstance(old, GoodPiece)
    assert (old.counts, old.meets) == (True, False)
    refusals = [other, judge_of.judge(images.message(b"the manifest")), aged.judge(signed())]
    assert codes(refusals) == ["subject-mismatch", "subject-mismatch", "too-young"]


def test_t61_a_piece_of_another_signer_counts_where_that_is_said_and_under_its_own_root() -> None:
    """The second Sigstore has the second signer alone, whoever it says has signed."""
    second = service()
    roots = images.ROOTS | {"second": root_of(second)}
    audit = samples.identity(subject=parse_subject(PATTERN.replace(".gitlab-ci.yml", "audit.yml")))
    both = Pin(identities=(*pin().identities, audit, replace(audit, root="second")))
    accepted = judged(signed(), entry=both)
    assert isinstance(accepted, AcceptedImage)
    by_audit: dict[str, Any] = {
        "ci_config_ref_uri": "gitlab.example.com/acme/widgets//audit.yml@refs/tags/v1.0"
    }
    good, foreign = (
        images.read(second.sign_statement(statement(), CLAIMS | claims), "b", EvidenceForm.DSSE_BUNDLE)
        for claims in (by_audit, {})
    )
    one, any_of_them = (PieceJudge(accepted, both, roots, by_any=by_any) for by_any in (False, True))
    assert codes([one.judge(signed(**by_audit)), one.judge(good)]) == [
        "identity-mismatch",
        "bad-certificate-chain",
    ]
    assert isinstance(any_of_them.judge(signed(**by_audit)), GoodPiece)
    assert isinstance(any_of_them.judge(good), GoodPiece)
    assert codes([any_of_them.judge(foreign)]) == ["identity-mismatch"]


def test_each_piece_is_proved_before_it_is_published() -> None:
    found = prove_piece(signed(), images.image(), pin(), images.ROOTS)
    assert isinstance(found, ProvedPiece)
    assert found.predicate_type == COSIGN_SIGN
    for item in (signed(statement(subject(OTHER))), images.message(b"the manifest")):
        failure = prove_piece(item, images.image(), pin(), images.ROOTS)
        assert isinstance(failure, StepFailure)
        assert failure.fault.code == "subject-mismatch"
        bad = ItemRefusal(label=item.label, form=item.form, failure=failure)
        assert refuse_pieces(images.image(), [bad]).subject == str(images.image().name)


def test_an_acceptance_is_of_something() -> None:
    accepted = judged(signed())
    assert isinstance(accepted, AcceptedImage)
    with pytest.raises(NotImplementedError):
        _ = Acceptance(basis=accepted.basis).judged
