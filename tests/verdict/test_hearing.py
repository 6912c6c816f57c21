"""What signed statements say is heard under the identity of the verdict alone, and changes no verdict."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import samples
from builds import CLAIMS, OTHER, ours, source
from pip_warden._sigstore import verify
from pip_warden._sigstore.result import CertificateClaims, Envelope, VerificationResult
from pip_warden.errors import NetworkError, RefusedError, TrustRootError, UsageError, WardenError
from pip_warden.evidence.model import BadItem, EvidenceForm, Item
from pip_warden.faults import Fault
from pip_warden.trust.model import Requirements
from pip_warden.verdict.attested import ANNOTATIONS
from pip_warden.verdict.inquiry import Inquiry, Wants
from pip_warden.verdict.model import Accepted, PinnedByHash, Refused, SignedBy, Verdict
from pip_warden.verdict.statement import PROVENANCE
from verdict.test_evidence import PUBLISHED
from verdict.test_evidence import _statement as statement

SBOM = "https://cyclonedx.org/bom"
STRANGER = replace(CLAIMS, issuer="https://gitlab.example.org")
BY_MERGE_REQUEST = samples.claims(build_trigger="merge_request_event", source_digest="0" * 40)
IDENTITIES = (samples.identity(), samples.identity(issuer="https://gitlab.example.org", root="other"))
BAD = Fault(code="bad-bundle", expected="one", found="none")


def _noted(annotations: Any) -> Envelope:
    return statement(ANNOTATIONS, {"annotations": annotations})


@dataclass(frozen=True)
class Sort:
    """A sort of evidence: its signed statement, who signed it, and the root that proves it."""

    envelope: Envelope | None
    claims: CertificateClaims = CLAIMS
    root: str = "default"


SORTS = {
    "message": Sort(None),
    "published": Sort(PUBLISHED),
    "noted": Sort(_noted({"a": "1", "b": "2"})),
    "noted again": Sort(_noted({"a": "other"})),
    "built": Sort(statement(PROVENANCE, ours())),
    "sbom": Sort(statement(SBOM, {"components": []})),
    "noted by a stranger": Sort(_noted({"a": "forged"}), STRANGER),
    "noted by another identity": Sort(_noted({"a": "elsewhere"}), STRANGER, "other"),
    "published by another identity": Sort(PUBLISHED, STRANGER, "other"),
    "noted under another root": Sort(_noted({"a": "forged"}), CLAIMS, "other"),
    "noted by a merge request": Sort(_noted({"a": "forged"}), BY_MERGE_REQUEST),
    "noted about another file": Sort(statement(ANNOTATIONS, {"annotations": {}}, "acme_widgets-2.0.tar.gz")),
    "no texts": Sort(_noted({"a": "1", "b": 2})),
    "no annotations": Sort(_noted(["a"])),
    "built of other code": Sort(statement(PROVENANCE, ours(source({"gitCommit": OTHER})))),
    "built of another ref": Sort(statement(PROVENANCE, ours(ref="refs/heads/x"))),
    "unproved": Sort(_noted({"a": "forged"}), CLAIMS, "nobody's"),
}


@pytest.fixture(autouse=True)
def proved(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Prove what an item's sort says; the list tells what was proved under which root."""
    found: list[tuple[str, str]] = []

    def prove(wire: Any, _digest: object, root: str) -> VerificationResult | Fault:
        name = wire.signature.decode()
        found.append((name, root))
        sort = SORTS[name]
        if sort.root != root:
            return Fault(code="bad-certificate-chain", expected="a CA of this root", found="another")
        return VerificationResult(
            claims=sort.claims,
            envelope=sort.envelope,
            log_index=[*SORTS].index(name),
            log_time=sort.claims.not_before,
        )

    monkeypatch.setattr(verify, "verify_bundle", prove)
    return found


def item(sort: str, form: EvidenceForm = EvidenceForm.DSSE_BUNDLE) -> Item | BadItem:
    if sort == "unreadable":
        return BadItem(label=sort, form=form, fault=BAD)
    wire = samples.wire(sort.encode())
    return Item(label=sort, form=form, wire=replace(wire, envelope=SORTS[sort].envelope))  # type: ignore[arg-type]


class Roots(dict[str, Any]):
    """Roots by name; each is its own name, and one that is asked for is noted."""

    broken: tuple[str, ...] = ()

    def __missing__(self, name: str) -> str:
        if name in self.broken:
            raise TrustRootError("trusted-root-digest", f"the root {name} is broken")
        return name


def judged(
    evidence: Iterable[Item | BadItem],
    *,
    hears: bool = True,
    require: Requirements = samples.REQUIRE,
    roots: Any = None,
) -> Inquiry:
    trust = samples.trust(samples.entry(*IDENTITIES, require=require))
    inquiry = Inquiry(
        samples.artifact().name, trust=trust, roots=Roots() if roots is None else roots, today=samples.TODAY
    )
    inquiry.offer_artifact(samples.artifact())
    found = iter(evidence)
    inquiry.offer_all(found)
    if hears:
        inquiry.hear(found)
    return inquiry


def heard(*sorts: str, **changes: Any) -> Accepted:
    verdict = judged(map(item, sorts), **changes).verdict
    assert isinstance(verdict, Accepted)
    return verdict


def said(verdict: Verdict) -> list[tuple[str, dict[str, str]]]:
    assert isinstance(verdict, Accepted)
    return [(each.signed.label, dict(each.annotations)) for each in verdict.statements]


def test_what_the_identity_of_the_verdict_signed_is_heard() -> None:
    verdict = heard("message", "noted", "built", "sbom", "published", "noted again")

    assert said(verdict) == [
        ("noted", {"a": "1", "b": "2"}),
        ("built", {}),
        ("sbom", {}),
        ("published", {}),
        ("noted again", {"a": "other"}),
    ]
    assert verdict.unproved == ()
    assert verdict.unheard == ""
    built = verdict.statements[1].provenance
    assert built is not None
    assert (built.repository, built.commit) == ("https://gitlab.example.com/acme/widgets", "0" * 40)
    assert {each.signed.claims.subjects for each in verdict.statements} == {CLAIMS.subjects}


@pytest.mark.parametrize(
    ("sort", "code"),
    [
        ("noted by a stranger", "issuer-mismatch"),
        ("noted by another identity", "bad-certificate-chain"),
        ("noted under another root", "bad-certificate-chain"),
        ("noted by a merge request", "build-trigger-refused"),
        ("noted about another file", "subject-mismatch"),
        ("no texts", "bad-statement"),
        ("no annotations", "bad-statement"),
        ("built of other code", "provenance-mismatch"),
        ("built of another ref", "provenance-mismatch"),
        ("unproved", "bad-certificate-chain"),
        ("unreadable", "bad-bundle"),
    ],
)
@pytest.mark.parametrize("first", [True, False])
def test_t55_what_is_not_proved_under_it_is_named_and_says_nothing(
    sort: str, code: str, *, first: bool
) -> None:
    """Before the good item, or after it."""
    verdict = heard(*([sort, "message"] if first else ["message", sort]))

    assert verdict.statements == ()
    assert [(each.label, each.failure.fault.code) for each in verdict.unproved] == [(sort, code)]


def test_what_is_no_statement_is_not_named_as_one() -> None:
    items = [item("message"), item("unreadable", EvidenceForm.DETACHED), item("message")]

    verdict = judged(items).verdict
    assert isinstance(verdict, Accepted)
    assert (verdict.statements, verdict.unproved) == ((), ())


def test_a_statement_in_several_forms_is_heard_once() -> None:
    items = [item("message"), item("noted"), item("noted", EvidenceForm.PEP740), item("noted again")]

    assert [label for label, _ in said(judged(items).verdict)] == ["noted", "noted again"]


def test_an_acceptance_by_another_identity_hears_that_ones_statements() -> None:
    verdict = heard("noted by another identity", "noted", "published by another identity")

    assert isinstance(verdict.basis, SignedBy)
    assert verdict.basis.root == "other"
    assert said(verdict) == [
        ("noted by another identity", {"a": "elsewhere"}),
        ("published by another identity", {}),
    ]
    assert [each.label for each in verdict.unproved] == ["noted"]


def _failing(error: Exception, *sorts: str) -> Iterator[Item | BadItem]:
    yield from map(item, sorts)
    raise error


@pytest.mark.parametrize(
    "error",
    [
        NetworkError("unreachable", "the registry is down"),
        RefusedError("redirected", "elsewhere"),
        UsageError("unreadable-evidence", "a directory lies next to the file"),
    ],
)
def test_an_error_after_the_verdict_is_told_and_passes_to_nobody(error: WardenError) -> None:
    verdict = judged(_failing(error, "message", "noted")).verdict

    assert isinstance(verdict, Accepted)
    assert verdict.unheard == error.code
    assert [label for label, _ in said(verdict)] == ["noted"]
    with pytest.raises(type(error)):
        judged(_failing(error, "noted"))


def test_a_root_that_the_verdict_does_not_rest_on_is_not_read_for_what_is_heard() -> None:
    roots = Roots()
    roots.broken = ("other",)

    assert said(
        judged(map(item, ["message", "noted by another identity", "noted"]), roots=roots).verdict
    ) == [("noted", {"a": "1", "b": "2"})]


def test_no_more_is_heard_than_somebody_can_wait_for() -> None:
    verdict = judged(item(sort) for sort in ["message", *["noted by a stranger"] * 65, "noted"]).verdict

    assert isinstance(verdict, Accepted)
    assert (len(verdict.unproved), verdict.statements, verdict.unheard) == (64, (), "too-much-evidence")


def test_without_hearing_nothing_is_looked_up_or_proved_that_the_verdict_does_not_need(
    proved: list[tuple[str, str]],
) -> None:
    require = Requirements(annotations=(("a", "1"),))
    found = iter([item("unproved"), item("message"), item("noted"), item("sbom")])

    verdict = judged(found, hears=False, require=require).verdict
    assert said(verdict) == [("noted", {"a": "1", "b": "2"})]
    assert [one.label for one in found] == ["sbom"]
    assert proved == [
        ("unproved", "default"),
        ("unproved", "other"),
        ("message", "default"),
        ("noted", "default"),
        ("noted", "other"),
    ]


def test_without_hearing_what_another_identity_signed_is_not_proved_under_the_root_of_the_verdict(
    proved: list[tuple[str, str]],
) -> None:
    require = Requirements(annotations=(("a", "elsewhere"),))
    sorts = ["noted by another identity", "message", "published by another identity"]

    verdict = judged(map(item, sorts), hears=False, require=require).verdict
    assert ("noted by another identity", {"a": "elsewhere"}) in said(verdict)
    assert ("message", "default") in proved
    assert ("message", "other") not in proved


def test_nothing_is_heard_where_nothing_was_signed_or_accepted() -> None:
    by_hash = Inquiry(
        samples.artifact().name, trust=samples.trust(samples.hash_entry()), roots={}, today=samples.TODAY
    )
    by_hash.offer_artifact(samples.artifact())
    by_hash.hear([item("noted")])
    refused = judged([item("noted by a stranger")])
    refused.hear([item("message"), item("noted")])

    assert isinstance(by_hash.verdict, Accepted)
    assert isinstance(by_hash.verdict.basis, PinnedByHash)
    assert by_hash.verdict.statements == ()
    assert isinstance(refused.verdict, Refused)


requirements = st.builds(
    Requirements,
    provenance=st.sampled_from([None, PROVENANCE]),
    annotations=st.sampled_from([(), (("a", "1"),)]),
    predicate_types=st.sampled_from([frozenset(), frozenset({SBOM})]),
)


@given(sorts=st.lists(st.sampled_from([*SORTS, "unreadable"]), max_size=7), require=requirements)
def test_hearing_changes_no_verdict(sorts: list[str], require: Requirements) -> None:
    quiet = judged(map(item, sorts), hears=False, require=require)
    all_heard = judged(map(item, sorts), require=require)

    assert all_heard.wants is quiet.wants is Wants.NOTHING
    assert all_heard.evidence == quiet.evidence
    if isinstance(quiet.verdict, Accepted):
        assert isinstance(all_heard.verdict, Accepted)
        without = replace(all_heard.verdict, statements=(), unproved=(), unheard="")
        assert without == replace(quiet.verdict, statements=(), unproved=())
        basis = quiet.verdict.basis
        assert isinstance(basis, SignedBy)
        for each in all_heard.verdict.statements:
            assert (each.signed.claims.issuer, each.signed.root) == (basis.claims.issuer, basis.root)
            assert "forged" not in dict(each.annotations).values()
    else:
        assert all_heard.verdict == quiet.verdict
