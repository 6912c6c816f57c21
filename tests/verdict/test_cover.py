"""An index covers the platforms that its bytes list; nothing else covers a manifest but its own evidence."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from images import judged, signed, statement, subject
from pip_warden.digests import Digest, digest_of
from pip_warden.verdict.image import cover
from pip_warden.verdict.model import AcceptedImage, Passed, Step, StepFailure

INDEX, ARM, AMD, STRANGER = (digest_of(name) for name in (b"index", b"arm", b"amd", b"stranger"))
LISTED = (ARM, AMD)


def _accepted(digest: Digest) -> AcceptedImage:
    verdict = judged(signed(statement(subject(digest))), digest=digest)
    assert isinstance(verdict, AcceptedImage)
    return verdict


ACCEPTED = {digest: _accepted(digest) for digest in (INDEX, ARM, AMD, STRANGER)}


def _found(covered: Passed | StepFailure) -> str:
    assert covered.step is Step.SUBJECT
    if isinstance(covered, Passed):
        return covered.found
    assert covered.fault.code == "platform-not-covered"
    return covered.fault.found


def test_an_index_covers_what_it_lists() -> None:
    found = cover(ARM, [ACCEPTED[INDEX]], index=INDEX, platforms=LISTED)

    assert isinstance(found, Passed)
    assert _found(found) == f"sha256:{ARM} is covered by the index sha256:{INDEX}"


def test_evidence_of_its_own_needs_no_index() -> None:
    for digest, index in ((ARM, None), (ARM, INDEX), (INDEX, INDEX), (STRANGER, INDEX)):
        found = cover(digest, [ACCEPTED[digest]], index=index, platforms=LISTED)
        assert isinstance(found, Passed)
        assert _found(found) == f"sha256:{digest} has evidence of its own"


def test_what_nothing_covers_is_refused() -> None:
    alone = cover(ARM, [])
    unjudged = cover(ARM, [], platforms=LISTED)
    refused = cover(ARM, [ACCEPTED[AMD]], index=INDEX, platforms=LISTED)
    unlisted = cover(STRANGER, [ACCEPTED[INDEX]], index=INDEX, platforms=LISTED)
    index = cover(INDEX, [ACCEPTED[ARM], ACCEPTED[AMD]], index=INDEX, platforms=LISTED)

    assert all(isinstance(each, StepFailure) for each in (alone, unjudged, refused, unlisted, index))
    assert _found(alone) == _found(unjudged) == "none of its own, and no index that was judged"
    assert _found(refused) == f"none of its own, and an index sha256:{INDEX} that was not accepted"
    assert _found(unlisted) == f"none of its own, and an index sha256:{INDEX} that does not list it"
    assert _found(index) == f"none of its own, and an index sha256:{INDEX} that does not list it"


DIGESTS = st.sampled_from(sorted(ACCEPTED, key=str))


@given(DIGESTS, st.sets(DIGESTS), st.none() | DIGESTS, st.sets(DIGESTS), DIGESTS)
def test_more_that_is_accepted_uncovers_nothing(
    pulled: Digest, good: set[Digest], index: Digest | None, platforms: set[Digest], more: Digest
) -> None:
    some, rest = [ACCEPTED[each] for each in good], [ACCEPTED[each] for each in good | {more}]
    is_covered = pulled in good or (index in good and pulled in platforms)

    assert isinstance(cover(pulled, some, index=index, platforms=platforms), Passed) is is_covered
    if is_covered:
        assert isinstance(cover(pulled, rest, index=index, platforms=platforms), Passed)
