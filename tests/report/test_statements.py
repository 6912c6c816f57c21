"""What signed statements say is foreign text: it is escaped, bounded, and never shown as more than it is."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import samples
from builds import CLAIMS, JOB, ours
from pip_warden.evidence.model import EvidenceForm
from pip_warden.faults import Fault
from pip_warden.report import json as as_json
from pip_warden.report import text as as_text
from pip_warden.report.layout import Layout
from pip_warden.report.model import Report, line_of
from pip_warden.verdict.attested import ANNOTATIONS
from pip_warden.verdict.model import (
    Accepted,
    ItemRefusal,
    Passed,
    PinnedByHash,
    ProvedStatement,
    SignedBy,
    Step,
    StepFailure,
)
from pip_warden.verdict.provenance import Provenance, read_provenance
from pip_warden.verdict.statement import PROVENANCE, PUBLISH
from report.test_report import EVIL, HIDDEN

SIGNED = SignedBy(
    label="a.annotations.sigstore.json",
    form=EvidenceForm.DSSE_BUNDLE,
    claims=CLAIMS,
    log_index=7,
    log_time=datetime(2026, 7, 1, 8, 30, tzinfo=UTC),
    root="default",
)
FORGED = ItemRefusal(
    label="forged.json",
    form=EvidenceForm.DSSE_BUNDLE,
    failure=StepFailure(Step.IDENTITY, Fault(code="issuer-mismatch", expected="A", found="B")),
)


def _built() -> Provenance:
    found = read_provenance(ours(), CLAIMS)
    assert isinstance(found, Provenance)
    return found


BUILT = _built()


def _statement(type_: str = ANNOTATIONS, **changes: Any) -> ProvedStatement:
    return ProvedStatement(signed=SIGNED, predicate_type=type_, **changes)


def _noted(*pairs: tuple[str, str]) -> ProvedStatement:
    return _statement(annotations=pairs)


def _report(*statements: ProvedStatement, wants: bool = True, **changes: Any) -> Report:
    accepted = Accepted(artifact=samples.artifact(), basis=SIGNED, statements=statements, **changes)
    return Report(command="verify", exit_code=0, lines=(line_of(accepted),), with_statements=wants)


def _json(report: Report) -> dict[str, Any]:
    (line,) = json.loads(as_json.render(report))["files"]
    return dict(line)


def test_what_is_proved_is_headed_as_verified_with_its_signer_and_what_is_not_is_named() -> None:
    report = _report(
        _noted(("tag", "v1.0"), ("reviewed", "yes")),
        _statement(PROVENANCE, provenance=BUILT),
        _statement("https://cyclonedx.org/bom"),
        _statement(PUBLISH),
        unproved=(FORGED,),
        unheard="unreachable",
    )
    by = f"signed by {samples.SUBJECT}, log index 7, 2026-07-01 08:30 UTC"

    assert as_text.render(report).splitlines()[1:-1] == [
        f"    verified annotations, {by}",
        "      tag = v1.0",
        "      reviewed = yes",
        f"    verified provenance, {by}",
        "      repository: https://gitlab.example.com/acme/widgets",
        f"      commit:     {'0' * 40}",
        "      ref:        refs/tags/v1.0",
        "      trigger:    push",
        "      config:     .gitlab-ci.yml",
        "      builder:    https://gitlab.example.com/-/runners (its host is confirmed)",
        f"      invocation: {JOB} (confirmed)",
        "      started:    2026-06-30T23:50:00Z (claimed)",
        "      finished:   2026-06-30T23:55:00.5+00:00 (claimed)",
        f"    verified statement https://cyclonedx.org/bom, {by}",
        "    not verified: forged.json [issuer-mismatch] expected A, found B",
        "    further evidence was not looked at [unreachable]",
    ]


def test_the_same_as_json() -> None:
    line = _json(
        _report(
            _noted(("tag", "v1.0")),
            _statement(PROVENANCE, provenance=BUILT),
            unproved=(FORGED,),
            unheard="unreachable",
        )
    )
    signed = {
        "evidence": "a.annotations.sigstore.json",
        "form": "dsse-bundle",
        "issuer": samples.GITLAB,
        "subject": samples.SUBJECT,
        "signed_at": "2026-06-30T23:59:00+00:00",
        "log_index": 7,
        "logged_at": "2026-07-01T08:30:00+00:00",
    }

    assert line["verified_statements"] == [
        signed | {"predicate_type": ANNOTATIONS, "annotations": {"tag": "v1.0"}, "annotations_left_out": 0},
        signed
        | {
            "predicate_type": PROVENANCE,
            "provenance": {
                "build_type": BUILT.build_type,
                "builder_id": "https://gitlab.example.com/-/runners",
                "source_repository": "https://gitlab.example.com/acme/widgets",
                "source_revision": "0" * 40,
                "source_ref": "refs/tags/v1.0",
                "build_trigger": "push",
                "config_path": ".gitlab-ci.yml",
                "invocation_id": JOB,
                "invocation": "confirmed",
                "claimed_started_on": "2026-06-30T23:50:00Z",
                "claimed_finished_on": "2026-06-30T23:55:00.5+00:00",
                "left_out": [],
            },
        },
    ]
    assert line["unverified_statements"] == [
        {
            "evidence": "forged.json",
            "form": "dsse-bundle",
            "step": 9,
            "code": "issuer-mismatch",
            "expected": "A",
            "found": "B",
        }
    ]
    assert line["unheard_evidence"] == "unreachable"


def test_a_run_that_does_not_ask_shows_none_of_it() -> None:
    report = _report(_noted(("tag", "v1.0")), wants=False, passed=(Passed(Step.PIN, "x"),))

    assert "verified" not in as_text.render(report)
    assert not {"verified_statements", "unverified_statements", "unheard_evidence", "passed"} & set(
        _json(report)
    )
    assert _json(replace(report, with_statements=True))["unheard_evidence"] is None


def _evil(evil: str) -> Report:
    claims = samples.claims(subject=evil)
    signed = replace(SIGNED, label=evil, claims=claims)
    built = replace(
        BUILT, builder_id=evil, build_type=evil, repository=evil, invocation_id=evil, started_on=evil
    )
    statements = (
        ProvedStatement(signed=signed, predicate_type=ANNOTATIONS, annotations=((evil, evil), ("a", evil))),
        ProvedStatement(signed=signed, predicate_type=PROVENANCE, provenance=built),
        ProvedStatement(signed=signed, predicate_type=f"x{evil}"),
    )
    fault = Fault(code="issuer-mismatch", expected=evil, found=evil)
    unproved = ItemRefusal(label=evil, form=EvidenceForm.PEP740, failure=StepFailure(Step.IDENTITY, fault))
    passed = (Passed(Step.IDENTITY, evil),)
    return replace(_report(*statements, unproved=(unproved,), passed=passed), with_successes=True)


@pytest.mark.parametrize("layout", [Layout(), Layout(width=60)])
@pytest.mark.parametrize("evil", EVIL)
def test_t68_nothing_that_a_statement_says_begins_a_line_or_controls_a_terminal(
    evil: str, layout: Layout
) -> None:
    shown = as_text.render(_evil(evil), layout)

    assert not HIDDEN.search(shown)
    assert all(line.startswith("    ") for line in shown.splitlines()[1:-1])
    if layout.width is None:
        assert len(shown.splitlines()) == len(as_text.render(_evil("good")).splitlines())
    raw = as_json.render(_evil(evil))
    assert raw.isascii()
    (line,) = json.loads(raw)["files"]
    told = evil.replace("\ud800", r"\ud800")
    assert line["verified_statements"][0]["annotations"] == {told: told, "a": told}


@given(st.text())
def test_t68_no_annotation_escapes(evil: str) -> None:
    assert not HIDDEN.search(as_text.render(_evil(evil)))


def test_huge_annotations_are_bounded_and_no_value_becomes_another_one() -> None:
    many = _noted(*((f"key {number}", "v") for number in range(1000)), ("long", "v" * 5000))
    long = _noted(("long", "v" * 4097), ("k" * 5000, "x"), ("short", "v" * 4096))
    report = _report(many, long, *[_noted(("a", "b"))] * 20, unproved=(FORGED,) * 30)
    shown = as_text.render(report)
    first, second, *_ = _json(report)["verified_statements"]

    assert len(shown.splitlines()) < 120
    assert max(map(len, shown.splitlines())) < 500
    assert "      and 969 more; --format json has them" in shown.splitlines()
    assert "    and 6 more verified statements" in shown.splitlines()
    assert "    and 14 more not verified" in shown.splitlines()
    assert (len(first["annotations"]), first["annotations_left_out"]) == (256, 745)
    assert (second["annotations"], second["annotations_left_out"]) == ({"short": "v" * 4096}, 2)
    huge = replace(BUILT, builder_id="https://gitlab.example.com/" + "x" * 5000)
    (line,) = _json(_report(_statement(PROVENANCE, provenance=huge)))["verified_statements"]
    assert (line["provenance"]["builder_id"], line["provenance"]["left_out"]) == (None, ["builder_id"])


def test_what_passed_is_listed_by_step() -> None:
    passed = (Passed(Step.PIN, "pinned"), Passed(Step.POLICY, "push"), Passed(Step.POLICY, "main"))
    refused = replace(samples.refused("b.whl", Step.NAME, "wrong-project"), passed=passed[:1])
    hashed = Accepted(artifact=samples.artifact(), basis=PinnedByHash(reason="r"), passed=passed)
    report = Report(
        command="verify", exit_code=1, lines=(line_of(hashed), line_of(refused)), with_successes=True
    )
    shown = as_text.render(report).splitlines()
    lines = json.loads(as_json.render(report))["files"]

    assert shown[1:5] == [
        "    checked and passed:",
        "       1 pin: pinned",
        "      10 policy: push",
        "      10 policy: main",
    ]
    assert shown[-3:-1] == ["    checked and passed:", "       1 pin: pinned"]
    assert lines[1]["passed"] == [{"step": 1, "step_name": "pin", "found": "pinned"}]
    assert [each["step"] for each in lines[0]["passed"]] == [1, 10, 10]
    assert [each["found"] for each in lines[0]["passed"]] == ["pinned", "push", "main"]
