"""T68: text from untrusted sources is shown escaped, in text and as JSON."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

import samples
from pip_warden.errors import NetworkError, RefusedError, TrustFileError
from pip_warden.evidence.model import EvidenceForm
from pip_warden.report import json as as_json
from pip_warden.report import text as as_text
from pip_warden.report.model import Line, Outcome, Report, Unpinned, line_of, undecided_line
from pip_warden.trust.model import Source
from pip_warden.verdict.model import Accepted, ItemRefusal, PinnedByHash, SignedBy, Step

EVIL = [
    "\x1b[2J\x1b[31m✓ accepted",
    "a\u202eb\u2066c",
    "a\rb\n✓ other.whl accepted",
    "\x9b31m",
    "a\u200bb\ufeff",
    "\ud800",
    "::error file=x::y\n::set-output name=a::b",
    "section_start:1:x\r\x1b[0K",
]
HIDDEN = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")


def report_of(evil: str) -> Report:
    refused = samples.refused(evil, Step.SUBJECT, "wrong-subject", evil, evil, evil)
    item = ItemRefusal(label=evil, form=EvidenceForm.BUNDLE, no=refused.no)
    signed = SignedBy(
        label=evil,
        form=EvidenceForm.BUNDLE,
        claims=samples.claims(subject=evil, source_ref=evil),
        log_index=1,
        log_time=datetime(2026, 1, 1, tzinfo=UTC),
        root="default",
    )
    refused = replace(refused, bad_items=(item, item))
    accepted = Accepted(artifact=samples.artifact(), basis=signed, bad_items=(item,))
    hashed = Accepted(artifact=samples.artifact(), basis=PinnedByHash(reason=evil))
    return Report(
        command="safe-install",
        exit_code=1,
        lines=(
            line_of(refused),
            line_of(accepted),
            line_of(hashed),
            undecided_line(evil, NetworkError("unreachable", evil, hint=evil)),
            Line(subject=evil, outcome=Outcome.LOCAL, note=evil),
        ),
        unpinned=(Unpinned(project=evil, wanted_by=evil, requirement=evil),),
        warnings=(evil,),
        target=evil,
        error=TrustFileError("trust-file-invalid", evil, faults=((evil, evil),), hint=evil),
    )


@pytest.mark.parametrize("evil", EVIL)
def test_t68_text_shows_it_escaped(evil: str) -> None:
    plain = as_text.render(report_of("good"))
    shown = as_text.render(report_of(evil))
    assert not HIDDEN.search(shown)
    assert len(shown.splitlines()) == len(plain.splitlines()), "it adds no line of its own"
    error = as_text.render_error(RefusedError("declined", evil, hint=evil))
    assert not HIDDEN.search(error)


@given(st.text())
def test_t68_no_text_escapes(evil: str) -> None:
    assert not HIDDEN.search(as_text.render(report_of(evil)))


@pytest.mark.parametrize("evil", EVIL)
def test_t68_json_is_ascii_and_says_what_was_there(evil: str) -> None:
    raw = as_json.render(report_of(evil))
    assert raw.isascii()
    assert "\x1b" not in raw
    document = json.loads(raw)
    assert document["files"][0]["refused"]["found"] == evil
    assert as_json.render_error("x", RefusedError("declined", evil)).isascii()


def test_json_starts_with_its_version_and_its_keys_are_snake_case() -> None:
    raw = as_json.render(report_of("good"))
    assert raw.startswith('{\n  "schema_version": 1,')
    for key in re.findall(r'"([^"]+)":', raw):
        assert re.fullmatch("[a-z0-9_]+", key), key


def test_text_of_a_refusal() -> None:
    refused = samples.refused("a.whl", Step.IDENTITY, "wrong-issuer", "A", "B", "Look.")
    report = Report(command="verify", exit_code=1, lines=(line_of(refused),))
    assert as_text.render(report) == (
        "✗ a.whl refused[wrong-issuer] at step 9 (identity)\n"
        "    expected: A\n    found:    B\n    hint: Look."
    )


def test_unpinned_names_come_with_the_commands_that_pin_them() -> None:
    unpinned = tuple(Unpinned(project=name, wanted_by="you") for name in ("a", "b"))
    source = Source(name="acme", type="simple", url="https://acme.example/simple")
    shown = as_text.render(Report(command="x", exit_code=1, unpinned=unpinned, sources=(source,)))
    assert "\n  pip-warden trust add a b --source acme\n" in shown
    assert '\n  pip-warden trust add NAME==VERSION --source acme --hash --reason "WHY"' in shown
