"""The inquiry: it takes only what it wants, and ends as soon as nothing more could change the verdict.

More evidence never makes a good item bad.
"""

from __future__ import annotations

import itertools
from collections import Counter
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import samples
from pip_warden._sigstore import verify
from pip_warden._sigstore.result import CertificateClaims, Envelope, VerificationResult
from pip_warden._sigstore.wire import WireBundle
from pip_warden.digests import Digest
from pip_warden.errors import InternalError
from pip_warden.evidence.model import BadItem, EvidenceForm, Item
from pip_warden.faults import Fault
from pip_warden.names import ProjectName
from pip_warden.trust.model import Identity, Probe, Requirements
from pip_warden.verdict.inquiry import Inquiry, Wants, judge
from pip_warden.verdict.listing import Listing, list_page, page_entry
from pip_warden.verdict.model import Accepted, Observed, PinnedByHash, Refused, SignedBy, Step, VerdictError
from pip_warden.verdict.statement import PROVENANCE
from verdict.test_evidence import BUILT, PUBLISHED

ROOTS: Any = {"default": "default", "other": "other"}
""":class:`Sigstore` decides what is proved, by the names of roots."""

BAD = BadItem(
    label="bad", form=EvidenceForm.BUNDLE, fault=Fault(code="bad-bundle", expected="one", found="none")
)
PROBE = Probe(project=samples.PROJECT, source="acme", registry="acme/widgets")
PROBED = replace(samples.listing(), entry=PROBE)
OURS = samples.claims(source_digest="0" * 40)
ELSE = samples.claims(source_digest="0" * 40, issuer="https://gitlab.example.org")
IDENTITIES = (samples.identity(), samples.identity(issuer="https://gitlab.example.org", root="other"))


@dataclass(frozen=True)
class Sort:
    """A sort of evidence: the root that proves it, the signer, and the statement."""

    root: str
    claims: CertificateClaims
    envelope: Envelope | None


SORTS = {
    "published": Sort("default", OURS, PUBLISHED),
    "built": Sort("default", OURS, BUILT),
    "message": Sort("default", OURS, None),
    "published elsewhere": Sort("other", ELSE, PUBLISHED),
    "built elsewhere": Sort("other", ELSE, BUILT),
    "by somebody else": Sort("default", ELSE, BUILT),
    "under another root": Sort("other", OURS, BUILT),
    "unproved": Sort("nobody's", OURS, PUBLISHED),
}


class Sigstore:
    """Proves what an item's sort says, and counts the calls."""

    def __init__(self) -> None:
        self.proved: Counter[tuple[bytes, object]] = Counter()

    def prove(self, wire: WireBundle, _digest: Digest, root: object) -> VerificationResult | Fault:
        self.proved[wire.signature, root] += 1
        sort = SORTS[wire.signature.decode().partition("#")[0]]
        if sort.root != root:
            return Fault(code="bad-certificate-chain", expected="a CA of this root", found="another")
        return VerificationResult(
            claims=sort.claims, envelope=sort.envelope, log_index=1, log_time=sort.claims.not_before
        )


@pytest.fixture(autouse=True)
def sigstore(monkeypatch: pytest.MonkeyPatch) -> Sigstore:
    counting = Sigstore()
    monkeypatch.setattr(verify, "verify_bundle", counting.prove)
    return counting


def item(sort: str, number: int = 0) -> Item | BadItem:
    """Return an item of a sort; each number is a different one."""
    if sort == "unreadable":
        return BAD
    return Item(label=sort, form=EvidenceForm.PEP740, wire=samples.wire(f"{sort}#{number}".encode()))


def inquiry_of(asked: Any = None, **changes: Any) -> Inquiry:
    values: dict[str, Any] = {"trust": samples.trust(), "roots": ROOTS, "today": samples.TODAY}
    return Inquiry(asked or samples.artifact().name, **(values | changes))


def test_it_says_what_it_wants_next() -> None:
    inquiry = inquiry_of(samples.candidate(), listing=samples.listing())
    wanted = [inquiry.wants]
    inquiry.offer_artifact(samples.artifact())
    wanted.append(inquiry.wants)
    inquiry.offer_evidence(BAD)
    wanted.append(inquiry.wants)
    inquiry.offer_evidence(item("published"))

    assert wanted == [Wants.ARTIFACT, Wants.EVIDENCE, Wants.EVIDENCE]
    assert inquiry.wants is Wants.NOTHING
    assert isinstance(inquiry.verdict, Accepted)
    assert inquiry.evidence == (BAD, item("published"))
    assert [bad.code for bad in inquiry.verdict.bad_items] == ["bad-bundle"]


def test_what_is_refused_whatever_it_is_wants_no_artifact() -> None:
    stranger = samples.candidate("acme_widgets-9.0-py3-none-any.whl")
    unpinned = replace(samples.trust(), entries=())

    for inquiry, code in (
        (inquiry_of(stranger, listing=samples.listing()), "foreign-file"),
        (inquiry_of(trust=unpinned), "not-pinned"),
        (inquiry_of(stranger, listing=samples.listing(), trust=unpinned), "not-pinned"),
    ):
        assert inquiry.wants is Wants.NOTHING
        assert isinstance(inquiry.verdict, Refused)
        assert inquiry.verdict.code == code


def test_a_hash_pin_wants_no_evidence() -> None:
    inquiry = inquiry_of(trust=samples.trust(samples.hash_entry()))
    inquiry.offer_artifact(samples.artifact())

    assert isinstance(inquiry.verdict, Accepted)


def test_an_exemption_is_good_to_the_end_of_its_last_day() -> None:
    """After that it is refused before anything is fetched, though a signer is pinned for other releases."""
    exempt = replace(samples.hash_entry(), expires=samples.TODAY)
    trust = samples.trust(samples.entry(), exempt)
    tomorrow = samples.TODAY + timedelta(days=1)

    on_it = inquiry_of(trust=trust)
    on_it.offer_artifact(samples.artifact())
    after = inquiry_of(samples.candidate(), listing=samples.listing(), trust=trust, today=tomorrow)
    other = samples.artifact("acme_widgets-2.0-py3-none-any.whl").name

    assert isinstance(on_it.verdict, Accepted)
    assert on_it.verdict.basis == PinnedByHash(reason="reviewed", expires=samples.TODAY, days_left=0)
    assert after.wants is Wants.NOTHING
    assert isinstance(after.verdict, Refused)
    assert (after.verdict.step, after.verdict.code) == (Step.PIN, "exemption-expired")
    assert str(samples.TODAY) in after.verdict.fault.found
    assert inquiry_of(other, trust=trust, today=tomorrow).wants is Wants.ARTIFACT
    assert inquiry_of(trust=samples.trust(samples.hash_entry()), today=date.max).wants is Wants.ARTIFACT


def test_a_demand_on_a_signer_that_a_hash_pin_cannot_show_is_refused() -> None:
    """Other bytes than the pinned ones are still refused as such."""
    demanding = replace(samples.hash_entry(), demanded=("--annotation reviewed=yes",))
    other = replace(demanding, files=((samples.WHEEL, Digest("0" * 64)),))
    for entry, code in ((demanding, "demand-on-hash-pin"), (other, "pinned-digest-differs")):
        inquiry = inquiry_of(trust=samples.trust(samples.entry(), entry))
        inquiry.offer_artifact(samples.artifact())
        assert isinstance(inquiry.verdict, Refused)
        assert inquiry.verdict.code == code
        assert "--annotation reviewed=yes" in inquiry.verdict.fault.expected or entry is other


def test_what_is_not_wanted_is_not_taken() -> None:
    """Nor is there an early verdict."""
    fresh, open_, ended = inquiry_of(), inquiry_of(), inquiry_of()
    open_.offer_artifact(samples.artifact())
    ended.offer_artifact(samples.artifact())
    ended.no_more_evidence()

    for wrong in (
        lambda: fresh.offer_evidence(BAD),
        fresh.no_more_evidence,
        lambda: fresh.offer_all([BAD]),
        lambda: fresh.verdict,
        lambda: fresh.observation,
        lambda: open_.offer_artifact(samples.artifact()),
        lambda: open_.verdict,
        lambda: ended.offer_evidence(item("published")),
        lambda: ended.offer_artifact(samples.artifact()),
        ended.no_more_evidence,
    ):
        with pytest.raises(InternalError):
            wrong()
    assert isinstance(ended.verdict, Refused)
    assert ended.verdict.code == "no-evidence"


def test_another_artifact_is_not_taken() -> None:
    inquiry = inquiry_of()
    with pytest.raises(InternalError):
        inquiry.offer_artifact(samples.artifact("acme_widgets-1.0-1-py3-none-any.whl"))


def test_what_lies_beyond_the_good_item_is_not_asked_for() -> None:
    inquiry, asked = inquiry_of(), iter([BAD, item("published"), item("built")])
    inquiry.offer_artifact(samples.artifact())
    inquiry.offer_all(asked)

    assert list(asked) == [item("built")]


def test_what_nobody_is_pinned_for_is_observed_and_never_accepted() -> None:
    inquiry = inquiry_of(samples.candidate(), listing=PROBED, probe=PROBE)
    inquiry.offer_artifact(samples.artifact())
    inquiry.offer_all([BAD, item("published elsewhere"), item("by somebody else"), item("published")])

    assert isinstance(inquiry.observation, Observed)
    assert inquiry.observation.signed.claims == ELSE, "whoever it is"
    assert inquiry.evidence[-1] == item("by somebody else")
    with pytest.raises(InternalError):
        _ = inquiry.verdict


def test_what_nobody_is_pinned_for_is_refused_as_anything_else_is() -> None:
    malformed = samples.artifact(contents=Fault(code="malformed-wheel", expected="a wheel", found="noise"))
    for artifact, evidence, code in (
        (malformed, [item("published")], "malformed-wheel"),
        (samples.artifact(), [], "no-evidence"),
        (samples.artifact(), [BAD, item("unproved")], "bad-certificate-chain"),
    ):
        inquiry = inquiry_of(samples.candidate(), listing=PROBED, probe=PROBE)
        inquiry.offer_artifact(artifact)
        if inquiry.wants is Wants.EVIDENCE:
            inquiry.offer_all(evidence)
        assert isinstance(inquiry.observation, Refused)
        assert inquiry.observation.code == code


def test_what_is_not_pinned_is_looked_up_nowhere() -> None:
    entry = page_entry(ProjectName("other"), samples.trust())

    assert isinstance(entry, Refused)
    assert (entry.code, entry.step, entry.subject) == ("not-pinned", Step.PIN, "other")


def test_a_page_is_judged_by_all_that_is_recorded_of_its_place() -> None:
    """Any entry may record the project's id: files of another id are another project's at the same path."""
    by_hash = replace(samples.hash_entry(version="0.9"), registry_id=99)
    for registry_id, listed in ((99, False), (4711, True)):
        trust = samples.trust(samples.entry(), replace(by_hash, registry_id=registry_id))
        entry = page_entry(samples.PROJECT, trust)
        assert not isinstance(entry, Refused)
        assert isinstance(list_page(samples.page(), entry, trust), Listing) is listed


@pytest.mark.parametrize(
    "judged_by",
    [
        PROBE,
        replace(samples.entry(), source="pypi"),
        replace(samples.entry(), registry="acme/other"),
        replace(samples.entry(), project=ProjectName("other")),
    ],
)
def test_a_page_that_was_judged_by_another_entry_is_none(judged_by: Any) -> None:
    listing = replace(samples.listing(), entry=judged_by)
    with pytest.raises(InternalError):
        inquiry_of(samples.candidate(), listing=listing)
    assert inquiry_of(samples.candidate(), listing=samples.listing()).wants is Wants.ARTIFACT


def test_the_bad_item_that_came_furthest_says_most() -> None:
    refused = judge(
        samples.artifact(),
        [item("unproved"), item("by somebody else"), BAD],
        trust=samples.trust(),
        roots=ROOTS,
        today=samples.TODAY,
    )

    assert isinstance(refused, Refused)
    assert (refused.code, refused.step) == ("issuer-mismatch", Step.IDENTITY)
    assert [int(bad.failure.step) for bad in refused.bad_items] == [7, 9, 6]


sorts = st.lists(st.sampled_from([*SORTS, "unreadable"]), max_size=6)
requirements = st.sampled_from([Requirements(), Requirements(provenance=PROVENANCE)])


def decided(found: list[Item | BadItem], require: Requirements) -> Accepted | Refused:
    entry = samples.entry(*IDENTITIES, require=require)
    return judge(samples.artifact(), found, trust=samples.trust(entry), roots=ROOTS, today=samples.TODAY)


def numbered(found: list[str]) -> list[Item | BadItem]:
    return [item(sort, number) for number, sort in enumerate(found)]


def is_good(found: list[str], require: Requirements) -> bool:
    """Return the expected verdict: one pinned identity has published it, and stated all that is required."""

    def has(identity: Identity, *kinds: Envelope | None) -> bool:
        known = (SORTS[sort] for sort in found if sort in SORTS)
        return any(
            sort.envelope in kinds and sort.root == identity.root and sort.claims.issuer == identity.issuer
            for sort in known
        )

    return any(
        has(identity, PUBLISHED, BUILT, None) and (require.provenance is None or has(identity, BUILT))
        for identity in IDENTITIES
    )


@given(found=sorts, require=requirements)
def test_one_signer_must_have_said_everything(found: list[str], require: Requirements) -> None:
    verdict = decided(numbered(found), require)

    assert isinstance(verdict, Accepted) is is_good(found, require)
    if isinstance(verdict, Accepted):
        assert isinstance(verdict.basis, SignedBy)


@given(data=st.data(), found=sorts, more=sorts, require=requirements)
def test_more_evidence_never_turns_accepted_into_refused(
    data: st.DataObject, found: list[str], more: list[str], require: Requirements
) -> None:
    some, others = numbered(found), [item(sort, 100 + at) for at, sort in enumerate(more)]
    places = data.draw(st.permutations([True] * len(some) + [False] * len(others)))
    mine, theirs = iter(some), iter(others)
    mixed = [next(mine) if own else next(theirs) for own in places]

    if isinstance(decided(some, require), Accepted):
        assert isinstance(decided(mixed, require), Accepted)


@given(found=sorts, require=requirements)
def test_each_item_is_proved_once_under_each_root_at_most(found: list[str], require: Requirements) -> None:
    counting = Sigstore()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verify, "verify_bundle", counting.prove)
        decided(numbered(found), require)

    assert set(counting.proved.values()) <= {1}


@given(found=sorts, require=requirements)
def test_what_was_heard_is_enough_the_next_time(found: list[str], require: Requirements) -> None:
    """The vault stores it, and the file is judged again from that."""
    entry = samples.entry(*IDENTITIES, require=require)
    inquiry = inquiry_of(trust=samples.trust(entry))
    inquiry.offer_artifact(samples.artifact())
    inquiry.offer_all(numbered(found))
    again = decided(list(inquiry.evidence), require)

    assert type(again) is type(inquiry.verdict)
    shorter = list(itertools.takewhile(lambda one: one is not inquiry.evidence[-1], inquiry.evidence))
    if isinstance(inquiry.verdict, Accepted) and shorter != list(inquiry.evidence):
        assert isinstance(decided(shorter, require), Refused), "nothing was heard that was not needed"


def test_what_is_close_to_a_pinned_name_is_refused_all_the_same_and_says_so() -> None:
    wanted = samples.artifact("acme_widget-1.0-py3-none-any.whl").name
    verdict = inquiry_of(wanted).verdict

    assert isinstance(verdict, Refused)
    assert (verdict.code, verdict.fault.meant) == ("not-pinned", ("acme-widgets",))
    assert str(VerdictError(verdict)).startswith("did you mean acme-widgets? acme_widget-1.0")
