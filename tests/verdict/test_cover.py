"""An index covers the platforms that its bytes list; nothing else covers a manifest but its own evidence."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from images import ROOTS, code, image, judged, pin, signed, statement, subject
from pip_warden.digests import Digest, digest_of
from pip_warden.oci.manifest import IMAGE_INDEX, IMAGE_MANIFEST, Manifest, read_manifest
from pip_warden.oci.names import parse_image, parse_repository, spelled
from pip_warden.trust.model import Revocation
from pip_warden.verdict.image import cover, judge_image, judge_listed, judge_pulled, refuse_unpinned
from pip_warden.verdict.model import AcceptedImage, ImageVerdict, Passed, Refused, Step, StepFailure


def _index(listed: Iterable[Digest]) -> Manifest:
    manifests = [{"mediaType": IMAGE_MANIFEST, "digest": spelled(each), "size": 1} for each in listed]
    document = {"schemaVersion": 2, "mediaType": IMAGE_INDEX, "manifests": manifests}
    return read_manifest(json.dumps(document).encode(), IMAGE_INDEX)


def _accepted(digest: Digest) -> AcceptedImage:
    verdict = judged(signed(statement(subject(digest))), digest=digest)
    assert isinstance(verdict, AcceptedImage)
    return verdict


ARM, AMD, STRANGER = (digest_of(name) for name in (b"arm", b"amd", b"stranger"))
INDEX = _index((ARM, AMD))
ACCEPTED = {digest: _accepted(digest) for digest in (INDEX.digest, ARM, AMD, STRANGER)}


def _cover(
    pulled: Digest, *accepted: Digest, index: Manifest | None = INDEX, revoked: tuple[Revocation, ...] = ()
) -> Passed | StepFailure:
    return cover(image(digest=pulled), [ACCEPTED[each] for each in accepted], index=index, revoked=revoked)


def _found(covered: Passed | StepFailure) -> str:
    assert covered.step is Step.SUBJECT
    if isinstance(covered, Passed):
        return covered.found
    assert covered.fault.code == "platform-not-covered"
    return covered.fault.found


def test_an_index_covers_what_it_lists() -> None:
    found = _cover(ARM, INDEX.digest)
    assert isinstance(found, Passed)
    assert _found(found) == f"sha256:{ARM} is covered by the index sha256:{INDEX.digest}"


def test_evidence_of_its_own_needs_no_index() -> None:
    for digest, index in ((ARM, None), (ARM, INDEX), (INDEX.digest, None), (STRANGER, INDEX)):
        found = _cover(digest, digest, index=index)
        assert isinstance(found, Passed)
        assert _found(found) == f"sha256:{digest} has evidence of its own"


def test_what_nothing_covers_is_refused() -> None:
    alone = _cover(ARM, index=None)
    refused = _cover(ARM, AMD)
    unlisted = _cover(STRANGER, INDEX.digest)
    index = _cover(INDEX.digest, ARM, AMD)

    assert all(isinstance(each, StepFailure) for each in (alone, refused, unlisted, index))
    assert _found(alone) == "none of its own that is good, and no index that was judged"
    assert (
        _found(refused)
        == f"none of its own that is good, and the index sha256:{INDEX.digest} was not accepted"
    )
    assert (
        _found(unlisted)
        == f"none of its own that is good, and the index sha256:{INDEX.digest} does not list it"
    )
    assert (
        _found(index) == f"none of its own that is good, and the index sha256:{INDEX.digest} does not list it"
    )


def test_no_index_covers_a_platform_that_is_revoked() -> None:
    found = _cover(ARM, INDEX.digest, ARM, revoked=(Revocation(sha256=ARM, reason="a backdoor"),))

    assert isinstance(found, StepFailure)
    assert (found.step, found.fault.code) == (Step.POLICY, "revoked")
    assert isinstance(_cover(AMD, INDEX.digest, revoked=(Revocation(sha256=ARM, reason="x"),)), Passed)


def test_what_another_pin_accepted_covers_nothing() -> None:
    elsewhere = replace(image(digest=ARM), repository=parse_repository("registry.example.com/acme/base"))
    accepted = [ACCEPTED[ARM], ACCEPTED[INDEX.digest]]

    found = cover(elsewhere, accepted, index=INDEX, revoked=())

    assert (
        _found(found) == f"none of its own that is good, and the index sha256:{INDEX.digest} was not accepted"
    )


DIGESTS = st.sampled_from(sorted(ACCEPTED, key=str))
INDEXES = st.just(INDEX) | st.sets(DIGESTS).map(_index)


@given(DIGESTS, st.sets(DIGESTS), st.none() | INDEXES, DIGESTS)
def test_more_that_is_accepted_uncovers_nothing(
    pulled: Digest, good: set[Digest], index: Manifest | None, more: Digest
) -> None:
    is_listed = index is not None and index.digest in good and pulled in {at.digest for at in index.manifests}
    is_covered = pulled in good or is_listed

    assert isinstance(_cover(pulled, *good, index=index), Passed) is is_covered
    if is_covered:
        assert isinstance(_cover(pulled, *good, more, index=index), Passed)


# What is used of an index

LEAK = "a leak"


def _pulled(
    digest: Digest,
    *good: Digest,
    asked_own: bool = True,
    revoked: tuple[Digest, ...] = (),
) -> ImageVerdict:
    """Judge what is used of the index, where some digests have good evidence."""
    barred = [Revocation(sha256=each, reason=LEAK) for each in revoked]

    def said(of: Digest) -> ImageVerdict:
        evidence = [signed(statement(subject(of)))] if of in good else []
        return judge_image(image(digest=of), evidence, entry=pin(), roots=ROOTS, revoked=barred)

    own = said(digest) if asked_own else None
    return judge_pulled(image(digest=digest), said(INDEX.digest), own, index=INDEX, revoked=barred)


def test_what_is_used_of_an_accepted_index_is_accepted_as_itself() -> None:
    for good in ((INDEX.digest,), (ARM,), (INDEX.digest, ARM)):
        verdict = _pulled(ARM, *good)
        assert isinstance(verdict, AcceptedImage)
        assert verdict.image == image(digest=ARM)
        assert verdict.passed[-1].step is Step.SUBJECT
        assert spelled(ARM) in verdict.passed[-1].found
    assert isinstance(_pulled(ARM, INDEX.digest, asked_own=False), AcceptedImage)


def test_what_is_used_and_not_covered_is_refused_with_its_own_evidence() -> None:
    for verdict in (_pulled(ARM), _pulled(ARM, AMD), _pulled(STRANGER, INDEX.digest)):
        assert isinstance(verdict, Refused)
        assert (verdict.code, verdict.step) == ("platform-not-covered", Step.SUBJECT)
    assert code(_pulled(ARM, asked_own=False)) == "platform-not-covered"


def test_of_what_is_revoked_nothing_is_used() -> None:
    for revoked in (ARM, INDEX.digest):
        verdict = _pulled(ARM, INDEX.digest, ARM, revoked=(revoked,))
        assert isinstance(verdict, Refused)
        assert (verdict.code, verdict.step) == ("revoked", Step.POLICY)
        assert verdict.subject == str(image(digest=ARM).name)
    assert isinstance(_pulled(ARM, INDEX.digest, revoked=(AMD,)), AcceptedImage)


def test_an_index_with_a_revoked_image_is_refused_where_it_is_not_said_which_is_used() -> None:
    accepted = ACCEPTED[INDEX.digest]
    listed = [image(digest=each) for each in (AMD, ARM)]
    barred = (Revocation(sha256=ARM, reason=LEAK),)

    verdict = judge_listed(accepted, listed, revoked=barred)
    assert isinstance(verdict, Refused)
    assert (verdict.code, verdict.step, verdict.passed) == ("revoked", Step.POLICY, accepted.passed)
    assert "--platform" in verdict.fault.hint
    assert spelled(ARM) in verdict.fault.found
    assert judge_listed(accepted, listed[:1], revoked=barred) is accepted
    assert judge_listed(accepted, listed, revoked=()) is accepted


def test_an_image_that_is_not_pinned_is_refused_without_a_digest() -> None:
    name = parse_image("registry.example.com/acme/app:1.0")
    verdict = refuse_unpinned(name)

    assert (verdict.code, verdict.step, verdict.subject) == ("image-not-pinned", Step.PIN, str(name))
