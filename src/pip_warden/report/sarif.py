"""A report as SARIF 2.1.0 (OASIS), within what GitLab and GitHub read of it.

Only what is refused, undecided or failed, and warnings, are results: an accepted file is no finding. GitLab
wants a rule and a place with a line on each of at most 5,000 results a run, messages of at most 1,024
characters, and files of at most 10 MB (GitLab: "SARIF reports"). It takes the severity from
``security-severity``.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from importlib.metadata import version

from pip_warden.display import escape_text
from pip_warden.explain import Explanation, catalogue
from pip_warden.report.findings import Concern, Finding, findings, words
from pip_warden.report.markdown import code_span
from pip_warden.report.model import Outcome, Place, Report
from pip_warden.report.places import PlaceFinder, as_uri
from pip_warden.report.summary import counted
from pip_warden.strict_json import JSONValue
from pip_warden.verdict.model import Step

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_CODES = "https://gitlab.com/pip-warden/pip-warden/-/blob/main/docs/codes.md"

_MOST_RESULTS = 5_000
_LONGEST_MESSAGE = 1_024
_LARGEST = 9_000_000
"""Bytes of all results; rules and what else there is need far less than what is left of 10 MB."""

_FORGED = frozenset({Step.DIGEST, Step.SIGNATURE, Step.SUBJECT, Step.IDENTITY})
"""Steps at which somebody else's file, or another one than was signed, is told from the right one."""

_NOT_VERIFIED = (Outcome.LOCAL, Outcome.PRESENT, Outcome.BUILT, Outcome.NOT_JUDGED)


def render(report: Report) -> str:
    """Render a report as SARIF; foreign text is escaped, and JSON's own escapes leave only ASCII."""
    kept, results = _results(report)
    run: dict[str, JSONValue] = {
        "tool": {"driver": _driver(kept)},
        "automationDetails": {"id": f"pip-warden/{report.command}/"},
        "invocations": [_invocation(report)],
        "columnKind": "unicodeCodePoints",
        "results": results,
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, separators=(",", ":"))


def _results(report: Report) -> tuple[list[Finding], list[JSONValue]]:
    """Return findings and their results: as many as there is room for, and one that counts the others."""
    finder, every = PlaceFinder(report), findings(report)
    kept: list[Finding] = []
    results: list[JSONValue] = []
    room = _LARGEST
    for number, finding in enumerate(every):
        result = _result(finding, _place(finding, finder))
        room -= len(json.dumps(result))
        if room < 0 or (number == _MOST_RESULTS - 1 and len(every) > _MOST_RESULTS):
            rest = _rest(report, every[number:])
            return [*kept, rest], [*results, _result(rest, finder.of_run)]
        kept.append(finding)
        results.append(result)
    return kept, results


def _rest(report: Report, left: tuple[Finding, ...]) -> Finding:
    """Make the finding that stands for those for which there is no room; the first is the worst of them."""
    many = counted(len(left), "further finding", "further findings")
    said = (("", f"{many} left out; the first of them is {left[0].subject}, {left[0].concern.value}"),)
    return Finding(concern=left[0].concern, code="further-findings", subject=report.command, said=said)


def _place(finding: Finding, finder: PlaceFinder) -> Place:
    if finding.line is not None:
        return finder.of(finding.line)
    return finder.of_project(finding.subject) if finding.code == "not-pinned" else finder.of_run


def _result(finding: Finding, place: Place) -> dict[str, JSONValue]:
    head = f"{_shown(finding.subject, 200)}: {finding.concern.value}, {_shown(finding.code, 80)}\n"
    return {
        "ruleId": escape_text(finding.code),
        "level": "warning" if finding.concern is Concern.WARNING else "error",
        "message": {"text": head + words(finding, _LONGEST_MESSAGE - len(head), shown=_shown)},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": as_uri(place.path)},
                    "region": {"startLine": place.line},
                }
            }
        ],
        "partialFingerprints": {"pipWardenFinding/v1": _fingerprint(finding)},
    }


def _shown(text: str, limit: int) -> str:
    """Return text that is no link, mention or markup: viewers may read a message as Markdown.

    All of them read ``[TEXT](URL)`` in it as a link (SARIF 2.1.0, section 3.11.6).
    """
    return code_span(text.replace("[", "\\u005b"), limit)


def _fingerprint(finding: Finding) -> str:
    """Return what stays the same from run to run, wherever and in whatever order a finding is told.

    The digest of the file belongs to it: who dismissed a finding about one file has not seen the next.
    """
    line = finding.line
    about = [finding.code, finding.subject, line.source if line else "", line.sha256 if line else ""]
    if finding.concern is Concern.WARNING:
        about.append(words(finding, _LONGEST_MESSAGE))
    return hashlib.sha256(json.dumps(about).encode()).hexdigest()


def _driver(kept: list[Finding]) -> dict[str, JSONValue]:
    known = catalogue()
    return {
        "name": "pip-warden",
        "version": version("pip-warden"),
        "informationUri": "https://gitlab.com/pip-warden/pip-warden",
        "rules": [_rule(code, known.get(code)) for code in sorted({each.code for each in kept})],
    }


def _rule(code: str, known: Explanation | None) -> dict[str, JSONValue]:
    shape: dict[str, JSONValue] = {"id": escape_text(code), "name": _name(code)}
    if known is None:  # of a program that uses the library
        return shape | {"shortDescription": {"text": escape_text(code)}, **_severity(7.0)}
    return shape | {
        "shortDescription": {"text": known.title},
        "fullDescription": {"text": known.meaning},
        "help": {"text": known.remedy},
        "helpUri": f"{_CODES}#{code}",
        **_severity(_score(known)),
    }


def _name(code: str) -> str:
    """Return a code as SARIF names rules: ``WrongIssuer``."""
    return "".join(part.capitalize() for part in escape_text(code).split("-"))


def _severity(score: float) -> dict[str, JSONValue]:
    return {"properties": {"security-severity": f"{score:.1f}", "tags": ["security", "supply-chain"]}}


def _score(known: Explanation) -> float:
    """Return how severe a code is, as CVSS counts: critical from 9.0 on, high from 7.0, medium from 4.0."""
    if known.step is not None:
        return 9.0 if known.step in _FORGED else 6.0 if known.step == Step.PIN else 8.0
    return {0: 3.0, 1: 8.0, 3: 6.0}.get(known.exit_code, 5.0)


def _invocation(report: Report) -> dict[str, JSONValue]:
    """Say how the run ended, and how many files nobody vouches for though they are no findings."""
    counts = Counter(line.outcome for line in report.lines)
    told: list[JSONValue] = [
        {"level": "note", "message": {"text": f"{counted(counts[outcome], 'file', 'files')} {outcome.value}"}}
        for outcome in _NOT_VERIFIED
        if counts[outcome]
    ]
    return {
        "executionSuccessful": report.exit_code == 0,
        "exitCode": report.exit_code,
        "toolExecutionNotifications": told,
    }
