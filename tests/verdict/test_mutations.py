"""T04: every check matters. Each one in turn is made to say no, and the verdict must follow it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import making
from pip_warden._sigstore.proved import Proved
from pip_warden.artifact.model import Artifact
from pip_warden.evidence.model import Form, Item
from pip_warden.faults import Fault
from pip_warden.verdict import archive, judge, origin
from pip_warden.verdict.model import Accepted, Exhibit, Refused, Verdict

NO = Fault(code="mutated", expected="yes", found="no")
ITEM = Item(label="a", form=Form.BUNDLE, wire=making.wire())


def _judge() -> Verdict:
    exhibit = Exhibit(
        artifact=making.artifact(), candidate=making.candidate(), page=making.page(), evidence=(ITEM,)
    )
    return judge.judge(exhibit, trust=making.trust(), roots={"default": object()})  # type: ignore[dict-item]  # prove is replaced


@pytest.fixture(autouse=True)
def _proved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let step 7 prove what the pin wants, so that every other step can be reached without a signature."""
    claims = making.claims()
    proved = Proved(claims=claims, envelope=None, log_index=1, log_time=claims.not_before)
    monkeypatch.setattr(judge, "prove", lambda *_: proved)


def test_without_a_mutation_the_file_is_accepted() -> None:
    assert isinstance(_judge(), Accepted)


@pytest.mark.parametrize(
    ("room", "check", "step"),
    [
        (judge, "find_pin", 1),
        (origin, "check_candidate", 2),
        (archive, "check_name", 3),
        (archive, "check_archive", 4),
        (archive, "check_digest", 5),
        (archive, "check_revoked", 10),
        (judge, "prove", 7),
        (judge, "check_subject", 8),
        (judge, "match_identity", 9),
        (judge, "check_policy", 10),
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
    monkeypatch.setattr(judge, "needs_statements", lambda *_: True)
    monkeypatch.setattr(judge, "check_statements", lambda *_: NO)
    verdict = _judge()

    assert isinstance(verdict, Refused)
    assert verdict.code == "mutated"


def test_a_malformed_archive_never_reaches_the_evidence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        judge, "prove", lambda *_: pytest.fail("the evidence of a malformed archive was looked at")
    )
    artifact = Artifact(
        name=making.artifact().name,
        path=Path("/nowhere"),
        digest=making.DIGEST,
        size=1,
        contents=Fault(code="malformed-wheel", expected="a", found="b"),
    )
    exhibit = Exhibit(artifact=artifact, candidate=None, page=None, evidence=(ITEM,))
    verdict = judge.judge(exhibit, trust=making.trust(), roots={})

    assert isinstance(verdict, Refused)
    assert verdict.code == "malformed-wheel"
