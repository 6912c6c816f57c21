"""What GitLab reads of SARIF: its limits, a rule and a place on every result, no success of what was none."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import samples
from pip_warden.report import sarif
from pip_warden.report.findings import finding_of, words
from pip_warden.report.markdown import code_span
from pip_warden.report.model import Line, Outcome, Place, Report, Unpinned, line_of
from pip_warden.verdict.model import Step
from report.markup import MARKUP, meaning
from report.reports import ACCEPTED, ENDED, MIXED, REFUSED, UNSAID, many, wordy
from report.test_report import EVIL, HIDDEN, report_of

MOST_RESULTS, LONGEST_MESSAGE, LARGEST = 5_000, 1_024, 10_000_000

TEXT = {
    "type": "object",
    "required": ["text"],
    "additionalProperties": False,
    "properties": {"text": {"type": "string", "minLength": 1}},
}


def _closed(*, optional: Any = (), **properties: object) -> dict[str, object]:
    """Make the schema of an object with these properties and no others."""
    names = [name for name in properties if name not in optional]
    return {"type": "object", "required": names, "additionalProperties": False, "properties": properties}


RULE = _closed(
    optional=("fullDescription", "help", "helpUri"),  # of a code that is not in our catalogue
    id={"type": "string", "pattern": "^[a-z0-9-]+$"},
    name={"type": "string", "pattern": "^[A-Za-z0-9]+$"},
    shortDescription=TEXT,
    fullDescription=TEXT,
    help=TEXT,
    helpUri={"type": "string", "pattern": "^https://"},
    properties=_closed(
        **{"security-severity": {"type": "string", "pattern": r"^([0-9]\.[0-9]|10\.0)$"}},
        tags={"type": "array", "uniqueItems": True, "items": {"type": "string"}},
    ),
)
RESULT = _closed(
    ruleId={"type": "string", "minLength": 1},
    level={"enum": ["error", "warning"]},
    message=_closed(text={"type": "string", "minLength": 1, "maxLength": LONGEST_MESSAGE}),
    locations={
        "type": "array",
        "minItems": 1,
        "maxItems": 1,
        "items": _closed(
            physicalLocation=_closed(
                artifactLocation=_closed(uri={"type": "string", "pattern": "^[!-~]+$"}),
                region=_closed(startLine={"type": "integer", "minimum": 1}),
            )
        ),
    },
    partialFingerprints={"type": "object", "minProperties": 1, "additionalProperties": {"type": "string"}},
)
RUN = _closed(
    tool=_closed(
        driver=_closed(
            name={"const": "pip-warden"},
            version={"type": "string"},
            informationUri={"type": "string"},
            rules={"type": "array", "uniqueItems": True, "items": RULE},
        )
    ),
    automationDetails=_closed(id={"type": "string"}),
    invocations={
        "type": "array",
        "maxItems": 1,
        "items": _closed(
            executionSuccessful={"type": "boolean"},
            exitCode={"type": "integer"},
            toolExecutionNotifications={
                "type": "array",
                "items": _closed(level={"const": "note"}, message=TEXT),
            },
        ),
    },
    columnKind={"const": "unicodeCodePoints"},
    results={"type": "array", "maxItems": MOST_RESULTS, "items": RESULT},
)
WHAT_WE_WRITE = _closed(
    **{"$schema": {"type": "string"}},
    version={"const": "2.1.0"},
    runs={"type": "array", "minItems": 1, "maxItems": 1, "items": RUN},
)
"""The part of SARIF 2.1.0 that we write, closed: a key that is not named here is a mistake. The interop
suite validates the same documents against the official schema."""


def _run(report: Report) -> Any:
    shown = sarif.render(report)
    assert len(shown) < LARGEST
    document = json.loads(shown)
    jsonschema.validate(document, WHAT_WE_WRITE)
    (run,) = document["runs"]
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    assert {result["ruleId"] for result in run["results"]} == rules
    return run


def _place(result: Any) -> tuple[str, int]:
    at = result["locations"][0]["physicalLocation"]
    return at["artifactLocation"]["uri"], at["region"]["startLine"]


def test_what_is_to_be_acted_on_is_a_result_and_what_was_accepted_is_none() -> None:
    run = _run(MIXED)

    assert [(each["ruleId"], each["level"], _place(each)) for each in run["results"]] == [
        ("issuer-mismatch", "error", ("requirements.txt", 3)),
        ("not-pinned", "error", ("pytrust.toml", 1)),
        ("not-pinned", "error", ("requirements.txt", 3)),  # kit wants it
        ("unreachable", "error", ("pytrust.toml", 1)),
        ("run-warning", "warning", ("pytrust.toml", 1)),
    ]
    assert run["results"][0]["message"]["text"] == (
        "`kit-1.0.tar.gz`: refused, `issuer-mismatch`\nexpected: `issuer A`\nfound: `issuer B`\nhint: `Look.`"
    )
    assert [each["message"]["text"] for each in run["invocations"][0]["toolExecutionNotifications"]] == [
        "1 file local",
        "1 file present, not verified",
        "1 file built from a verified sdist, not comparable",
        "1 file not judged",
    ]


def test_an_unpinned_name_is_told_whatever_else_a_line_says_of_it() -> None:
    late = Line(subject="needed", outcome=Outcome.NOT_JUDGED)
    unpinned = (Unpinned(project="needed", wanted_by="kit 1.0"),)
    run = _run(Report(command="x", exit_code=1, lines=(late,), unpinned=unpinned))

    assert [each["ruleId"] for each in run["results"]] == ["not-pinned"]


def test_severity_tells_a_forged_file_from_one_that_nobody_pinned() -> None:
    rules = _run(MIXED)["tool"]["driver"]["rules"]

    assert {rule["id"]: rule["properties"]["security-severity"] for rule in rules} == {
        "not-pinned": "6.0",
        "run-warning": "3.0",
        "unreachable": "6.0",
        "issuer-mismatch": "9.0",
    }
    assert rules[0]["helpUri"].endswith("docs/codes.md#issuer-mismatch")


@pytest.mark.parametrize("report", [*ENDED, *UNSAID], ids=lambda report: str(report.exit_code))
def test_what_was_no_success_has_an_error(report: Report) -> None:
    run = _run(report)

    assert [each["level"] for each in run["results"] if each["level"] == "error"] == ["error"]
    assert run["invocations"][0]["exitCode"] == report.exit_code
    assert run["invocations"][0]["executionSuccessful"] is False


def test_a_success_has_no_result() -> None:
    run = _run(Report(command="verify", exit_code=0, lines=(ACCEPTED,)))

    assert run["results"] == []
    assert run["invocations"][0]["executionSuccessful"] is True


def test_fingerprints_depend_on_neither_lines_nor_order() -> None:
    def marks(report: Report) -> set[str]:
        results = _run(report)["results"]
        found = [each["partialFingerprints"]["pipWardenFinding/v1"] for each in results]
        assert len(set(found)) == len(found)
        return set(found)

    moved = replace(MIXED, lines=MIXED.lines[::-1], places=(("kit", Place(path="other.txt", line=90)),))
    assert marks(moved) == marks(MIXED)
    other_bytes = Report(command="verify", exit_code=1, lines=(replace(REFUSED, sha256="22" * 32),))
    assert not marks(other_bytes) & marks(MIXED), "another file of that name is another finding"


@pytest.mark.parametrize(("number", "results"), [(9, 9), (10, 10), (11, 10)])
def test_more_than_gitlab_reads_is_counted_in_a_last_result(
    number: int, results: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert sarif._MOST_RESULTS == MOST_RESULTS
    monkeypatch.setattr(sarif, "_MOST_RESULTS", 10)
    found = _run(many(number))["results"]

    assert len(found) == results
    is_cut = number > results
    assert (found[-1]["ruleId"] == "further-findings") is is_cut
    assert ("2 further findings left out" in found[-1]["message"]["text"]) is is_cut
    assert found[-1]["level"] == "error"


def test_a_file_stays_below_ten_megabytes_whatever_is_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert sarif._LARGEST < 0.95 * LARGEST
    monkeypatch.setattr(sarif, "_LARGEST", 50_000)
    assert len(sarif.render(wordy(30))) < 50_000 + 15_000
    found = _run(wordy(30))["results"]

    assert found[-1]["ruleId"] == "further-findings"
    assert found[-1]["level"] == "error"


@pytest.mark.parametrize("evil", MARKUP)
def test_t68_a_message_is_no_markup_and_has_no_link(evil: str) -> None:
    messages = [each["message"]["text"] for each in _run(report_of(evil))["results"]]
    good = [each["message"]["text"] for each in _run(report_of("good"))["results"]]

    assert [meaning(text) for text in messages] == [meaning(text) for text in good]
    assert not [text for text in messages if "[" in text]


def test_t68_a_message_that_is_cut_has_no_open_code_span() -> None:
    refused = samples.refused("a", Step.IDENTITY, "issuer-mismatch", "x" * 100, "@all `" * 100, "`" * 100)
    finding = finding_of(line_of(refused))
    assert finding is not None
    for limit in range(1, LONGEST_MESSAGE):
        cut = words(finding, limit, shown=code_span)
        assert len(cut) <= limit
        assert "@all" not in str(meaning(cut))
        assert cut.count("`") % 2 == 0


@pytest.mark.parametrize("evil", EVIL)
def test_t68_messages_are_escaped(evil: str) -> None:
    for result in _run(report_of(evil))["results"]:
        assert not HIDDEN.search(result["message"]["text"])
    assert sarif.render(report_of(evil)).isascii()


@settings(max_examples=10)
@given(st.text(alphabet=st.characters(codec=None)))
def test_t68_every_text_keeps_to_the_schema(evil: str) -> None:
    report = replace(report_of(evil), trust_file=evil, places=((evil, Place(path=evil or "x", line=1)),))

    assert _run(report)["results"]
