"""What is said besides the verdict: what signed statements say, and what was checked and passed.

Only what was proved under the identity of the verdict is headed as verified. All of it is foreign text: in
text each piece is escaped and shortened; in JSON nothing is shortened, but what is too long or too much is
left out and counted, so that no value that is there is another one than was signed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from pip_warden.display import escape_text
from pip_warden.report.layout import Layout
from pip_warden.report.model import Line, Report
from pip_warden.strict_json import JSONValue
from pip_warden.verdict.attested import ANNOTATIONS
from pip_warden.verdict.model import (
    Acceptance,
    Accepted,
    AcceptedImage,
    ItemRefusal,
    Passed,
    ProvedStatement,
    Refused,
)
from pip_warden.verdict.provenance import Provenance
from pip_warden.verdict.statement import COSIGN_SIGN, PUBLISH

_MOST_STATEMENTS, _MOST_LINES = 16, 32
_LONGEST_KEY, _LONGEST_VALUE = 100, 300
_MOST_IN_JSON, _LONGEST_IN_JSON = 256, 4096


def further_lines(report: Report, line: Line, layout: Layout) -> Iterator[str]:
    """Yield what a report says about a judged file besides its verdict.

    Args:
        report: The report, which knows what is wanted.
        line: The file's line.
        layout: How it is laid out.
    """
    if report.with_statements and isinstance(line.verdict, Acceptance):
        yield from _statements(line.verdict, layout)
    if report.with_successes and line.verdict is not None:
        yield from _passed(line.verdict.passed, layout)


def further_json(report: Report, line: Line) -> dict[str, JSONValue]:
    """Return what a report says about a judged file besides its verdict, as JSON."""
    shape: dict[str, JSONValue] = {}
    if report.with_statements and isinstance(line.verdict, Acceptance):
        shape["verified_statements"] = [_statement_json(each) for each in line.verdict.statements]
        shape["unverified_statements"] = [_unproved_json(each) for each in line.verdict.unproved]
        shape["unheard_evidence"] = line.verdict.unheard or None
    if report.with_successes and isinstance(line.verdict, Acceptance | Refused):
        shape["passed"] = [
            {"step": int(each.step), "step_name": each.step.name.lower(), "found": each.found}
            for each in line.verdict.passed
        ]
    return shape


def _statements(accepted: Accepted | AcceptedImage, layout: Layout) -> Iterator[str]:
    shown = [each for each in accepted.statements if each.predicate_type != PUBLISH]
    for statement in shown[:_MOST_STATEMENTS]:
        yield from _statement(statement, layout)
    yield from _left_out(len(shown) - _MOST_STATEMENTS, "verified statements", layout, indent=4)
    for item in accepted.unproved[:_MOST_STATEMENTS]:
        yield from layout.line(("not verified: ", "unknown"), _refusal(item), indent=4)
    yield from _left_out(len(accepted.unproved) - _MOST_STATEMENTS, "not verified", layout, indent=4)
    if accepted.unheard:
        yield from layout.line(f"further evidence was not looked at [{accepted.unheard}]", indent=4)


def _statement(statement: ProvedStatement, layout: Layout) -> Iterator[str]:
    signed = statement.signed
    if statement.predicate_type == ANNOTATIONS:
        what = "annotations"
    elif statement.predicate_type == COSIGN_SIGN:
        what = "signature"
    elif statement.provenance is not None:
        what = "provenance"
    else:
        what = f"statement {escape_text(statement.predicate_type)}"
    signer = (escape_text(signed.claims.subjects[0], 2000), "signer")
    when = f", log index {signed.log_index}, {signed.log_time:%Y-%m-%d %H:%M} UTC"
    yield from layout.line((f"verified {what}", "good"), ", signed by ", signer, when, indent=4)
    yield from _pairs(statement.annotations, layout)
    if statement.provenance is not None:
        yield from _facts(statement.provenance, layout)


def _facts(built: Provenance, layout: Layout) -> Iterator[str]:
    """Yield the main facts: what the certificate confirms, and what only the statement claims."""
    facts = (
        ("repository", built.repository, ""),
        ("commit", built.commit, ""),
        ("ref", built.ref, ""),
        ("trigger", built.trigger, ""),
        ("config", built.config_path, ""),
        ("builder", built.builder_id, " (its host is confirmed)"),
        ("invocation", built.invocation_id, f" ({built.invocation.value})"),
        ("started", built.started_on, " (claimed)"),
        ("finished", built.finished_on, " (claimed)"),
    )
    for name, value, how in facts:
        if value is not None:
            yield from layout.labelled(f"{name + ':':12}", escape_text(value, _LONGEST_VALUE), how, indent=6)


def _pairs(pairs: Sequence[tuple[str, str]], layout: Layout) -> Iterator[str]:
    for key, value in pairs[:_MOST_LINES]:
        label = f"{escape_text(key, _LONGEST_KEY)} = "
        yield from layout.labelled(label, escape_text(value, _LONGEST_VALUE), indent=6, hang=8)
    yield from _left_out(len(pairs) - _MOST_LINES, "; --format json has them", layout, indent=6)


def _left_out(number: int, what: str, layout: Layout, *, indent: int) -> Iterator[str]:
    if number > 0:
        yield from layout.line(f"and {number} more{what if what[:1] == ';' else f' {what}'}", indent=indent)


def _refusal(item: ItemRefusal) -> str:
    fault = item.failure.fault
    return (
        f"{escape_text(item.label)} [{fault.code}] expected {escape_text(fault.expected)}, "
        f"found {escape_text(fault.found)}"
    )


def _passed(passed: Iterable[Passed], layout: Layout) -> Iterator[str]:
    yield from layout.line("checked and passed:", indent=4)
    for each in passed:
        label = f"{int(each.step):>2} {each.step.name.lower()}: "
        yield from layout.labelled(label, escape_text(each.found, 500), indent=6)


def _statement_json(statement: ProvedStatement) -> JSONValue:
    signed = statement.signed
    shape: dict[str, JSONValue] = {
        "evidence": signed.label,
        "form": signed.form.value,
        "predicate_type": statement.predicate_type,
        "issuer": signed.claims.issuer,
        "subject": signed.claims.subjects[0],
        "signed_at": signed.claims.not_before.isoformat(),
        "log_index": signed.log_index,
        "logged_at": signed.log_time.isoformat(),
    }
    if statement.predicate_type == ANNOTATIONS or statement.annotations:
        kept = dict(islice(filter(_is_short, statement.annotations), _MOST_IN_JSON))
        shape["annotations"] = dict(kept)
        shape["annotations_left_out"] = len(statement.annotations) - len(kept)
    if statement.provenance is not None:
        shape["provenance"] = _provenance_json(statement.provenance)
    return shape


def _provenance_json(built: Provenance) -> JSONValue:
    facts: dict[str, str | None] = {
        "build_type": built.build_type,
        "builder_id": built.builder_id,
        "source_repository": built.repository,
        "source_revision": built.commit,
        "source_ref": built.ref,
        "build_trigger": built.trigger,
        "config_path": built.config_path,
        "invocation_id": built.invocation_id,
        "invocation": built.invocation.value,
        "claimed_started_on": built.started_on,
        "claimed_finished_on": built.finished_on,
    }
    too_long = [name for name, value in facts.items() if value is not None and len(value) > _LONGEST_IN_JSON]
    shape: dict[str, JSONValue] = {name: None if name in too_long else value for name, value in facts.items()}
    return shape | {"left_out": [*too_long]}


def _is_short(pair: tuple[str, str]) -> bool:
    return all(len(text) <= _LONGEST_IN_JSON for text in pair)


def _unproved_json(item: ItemRefusal) -> JSONValue:
    fault = item.failure.fault
    return {
        "evidence": item.label,
        "form": item.form.value,
        "step": int(item.failure.step),
        "code": fault.code,
        "expected": fault.expected,
        "found": fault.found,
    }
