"""T04: every check matters. Each one in turn is made to fail, and the verdict must be a refusal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import samples
from pip_warden._sigstore import verify
from pip_warden._sigstore.result import VerificationResult
from pip_warden.artifact.model import Artifact
from pip_warden.evidence.model import EvidenceForm, Item
from pip_warden.faults import Fault
from pip_warden.verdict import archive, attested, evidence, inquiry
from pip_warden.verdict.listing import Listing
from pip_warden.verdict.model import Accepted, Refused, Verdict

NO = Fault(code="mutated", expected="yes", found="no")
ITEM = Item(label="a", form=EvidenceForm.BUNDLE, wire=samples.wire())


def _judge() -> Verdict:
    return inquiry.judge(
        samples.artifact(),
        (ITEM,),
        trust=samples.trust(),
        today=samples.TODAY,
        roots={"default": object()},  # type: ignore[dict-item]  # prove is replaced
        candidate=samples.candidate(),
        listing=samples.listing(),
    )


@pytest.fixture(autouse=True)
def _proved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let step 7 prove what the pin requires, so that every other step is reached without a signature."""
    claims = samples.claims()
    proved = VerificationResult(claims=claims, envelope=None, log_index=1, log_time=claims.not_before)
    monkeypatch.setattr(verify, "verify_bundle", lambda *_: proved)


def test_without_a_mutation_the_file_is_accepted() -> None:
    assert isinstance(_judge(), Accepted)


@pytest.mark.parametrize(
    ("room", "check", "step"),
    [
        (inquiry, "find_pin", 1),
        (Listing, "check_candidate", 2),
        (archive, "check_name", 3),
        (archive, "check_archive", 4),
        (archive, "check_digest", 5),
        (archive, "check_revoked", 10),
        (verify, "verify_bundle", 7),
        (evidence, "check_subject", 8),
        (evidence, "match_identity", 9),
        (evidence, "check_policy", 10),
    ],
)
def test_t04_a_check_that_says_no_is_heard(
    monkeypatch: pytest.MonkeyPatch, room: Any, check: str, step: int
) -> None:
    monkeypatch.setattr(room, check, lambda *_, **__: NO)
    verdict = _judge()

    assert isinstance(verdict, Refused)
    assert (verdict.code, int(verdict.step)) == ("mutated", step)


def test_t04_statements_that_are_required_are_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attested.StatementRequirements, "unmet", NO)
    verdict = _judge()

    assert isinstance(verdict, Refused)
    assert verdict.code == "mutated"


def test_a_malformed_archive_never_reaches_the_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        verify, "verify_bundle", lambda *_: pytest.fail("the evidence of a malformed archive was looked at")
    )
    artifact = Artifact(
        name=samples.artifact().name,
        path=Path("/nowhere"),
        digest=samples.DIGEST,
        size=1,
        contents=Fault(code="malformed-wheel", expected="a", found="b"),
    )
    verdict = inquiry.judge(artifact, (ITEM,), trust=samples.trust(), roots={}, today=samples.TODAY)

    assert isinstance(verdict, Refused)
    assert verdict.code == "malformed-wheel"
