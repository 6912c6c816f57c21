"""T68: text from untrusted sources is shown escaped, in text and as JSON."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import samples
from documents import described
from pip_warden.errors import NetworkError, RefusedError, TrustFileError
from pip_warden.evidence.model import EvidenceForm
from pip_warden.faults import Fault
from pip_warden.report import json as as_json
from pip_warden.report import text as as_text
from pip_warden.report.formats import FORMATS, render
from pip_warden.report.layout import Layout
from pip_warden.report.model import Line, Outcome, Place, Report, Unpinned, line_of, undecided_line
from pip_warden.strict_json import loads
from pip_warden.trust.model import Source
from pip_warden.verdict.model import Accepted, ItemRefusal, PinnedByHash, SignedBy, Step, StepFailure

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
    item = ItemRefusal(label=evil, form=EvidenceForm.BUNDLE, failure=refused.failure)
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
    document = described(raw)
    assert document["files"][0]["refused"]["found"] == evil.replace("\ud800", r"\ud800")
    assert as_json.render_error("x", RefusedError("declined", evil)).isascii()


HALVES = st.text(st.characters(codec=None) | st.sampled_from("\udcff\ud83d\ude00\\u"), min_size=1)


@settings(max_examples=20)
@example("a\udcff\ud83d.whl")
@given(HALVES)
def test_no_format_holds_half_a_character(evil: str) -> None:
    """As the name of a file that is no UTF-8 does: no strict reader would read the report."""
    for name in FORMATS:
        told = render(report_of(evil), name, more={evil: evil})
        assert told.encode()
        if name in {"json", "sarif"}:
            assert loads(told, max_bytes=1 << 24)
            assert told.isascii()


def test_json_starts_with_its_version_and_its_keys_are_snake_case() -> None:
    raw = as_json.render(report_of("good"))
    assert raw.startswith('{\n  "schema_version": 1,')
    for key in re.findall(r'"([^"]+)":', raw):
        assert re.fullmatch("[a-z0-9_]+", key), key


@given(st.text())
def test_t68_whatever_is_told_is_as_the_schema_describes(evil: str) -> None:
    described(as_json.render(report_of(evil)))


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_is_one_that_the_schema_describes(outcome: Outcome) -> None:
    report = Report(command="run", exit_code=0, lines=(Line(subject="a", outcome=outcome),))
    (file,) = described(as_json.render(report))["files"]
    assert file["outcome"].replace("_", " ") == outcome.value.replace(",", "")


def file_of(subject: str, **more: Any) -> dict[str, Any]:
    place = Place(
        path="r.txt", line=3, text="A.b==1 @ https://me:secret@a.example/x.whl?sig=secret ; os_name == 'a'"
    )
    line = Line(subject=subject, outcome=Outcome.REFUSED, **more)
    report = Report(command="verify", exit_code=1, lines=(line,), places=(("a-b", place),))
    (file,) = described(as_json.render(report))["files"]
    return dict(file)


@pytest.mark.parametrize(
    ("subject", "named"),
    [
        ("A.b-1.0-py3-none-any.whl", ("a-b", "1.0")),
        ("a_b-1.0.0.tar.gz", ("a-b", "1.0.0")),
        ("a-b 1.0", ("a-b", "1.0")),
        ("A_b==1", ("a-b", "1")),
        ("a-b", ("a-b", None)),
        ("a-b 1.0 2.0", ("a-b", None)),
        ("a-b one", (None, None)),
        ("a-b.whl", (None, None)),
        ("./a-b", (None, None)),
        ("/x/a_b-1.0.tar.gz", (None, None)),
        ("", (None, None)),
        ("a b\x1b", (None, None)),
    ],
)
def test_project_and_version_are_those_that_a_file_is_named_after(
    subject: str, named: tuple[str | None, str | None]
) -> None:
    file = file_of(subject)
    assert (file["file"], file["project"], file["version"]) == (subject, *named)
    assert (file["requirement"] is None) == (named[0] is None)


def test_a_requirement_has_its_place_and_no_password() -> None:
    assert file_of("a-b", url="https://a.example/a-b.whl")["url"] == "https://a.example/a-b.whl"
    assert file_of("a-b")["url"] is None
    found = file_of("a-b")["requirement"]
    assert (found["path"], found["line"]) == ("r.txt", 3)
    assert found["text"] == "A.b==1 @ https://a.example/x.whl ; os_name == 'a'"
    name = Unpinned(project="b", wanted_by="a", requirement="b@ https://me:SECRET@a.example/b.whl?t=SECRET")
    told = json.loads(as_json.render(Report(command="verify", exit_code=1, unpinned=(name,))))
    assert told["unpinned"][0]["requirement"] == "b@ https://a.example/b.whl"


@given(st.text())
def test_no_subject_is_an_error(subject: str) -> None:
    assert file_of(subject)["file"] == subject


def test_a_fatal_error_of_a_judging_command_has_the_keys_of_a_report() -> None:
    error = RefusedError("declined", "x")
    report = described(as_json.render(Report(command="verify", exit_code=1)))
    assert described(as_json.render_error("verify", error)).keys() == report.keys()
    assert described(as_json.render_error("image verify", error))["images"] == []
    assert described(as_json.render_error("trust list", error)).keys() == {
        "schema_version", "tool", "command", "exit_code", "error",
    }  # fmt: skip


def test_the_tool_is_named_with_its_version() -> None:
    document = json.loads(as_json.render_error("x", RefusedError("declined", "x")))
    assert document["tool"] == {"name": "pip-warden", "version": version("pip-warden")}


def test_text_of_a_refusal() -> None:
    refused = samples.refused("a.whl", Step.IDENTITY, "wrong-issuer", "A", "B", "Look.")
    report = Report(command="verify", exit_code=1, lines=(line_of(refused),))
    assert as_text.render(report) == (
        "✗ a.whl refused[wrong-issuer] at step 9 (identity)\n"
        "    expected: A\n    found:    B\n    hint: Look.\n1 package: 1 refused"
    )


def test_unpinned_names_are_one_table_with_one_command_that_pins_them() -> None:
    source = Source(name="acme", type="simple", url="https://acme.example/simple")
    names = [f"package-{number}" for number in range(30)]
    unpinned = tuple(Unpinned(project=name, wanted_by="you") for name in names)
    lines = tuple(line_of(samples.refused(name, Step.PIN, "not-pinned")) for name in names)
    report = Report(command="x", exit_code=1, lines=lines, unpinned=unpinned, sources=(source,))
    shown = as_text.render(report).splitlines()

    assert shown[0] == "✗ 30 packages refused[not-pinned] at step 1 (pin)"
    assert [line.split() for line in shown if line.endswith(" you")] == [[name, "you"] for name in names]
    assert f"  pip-warden trust add {' '.join(names)} --source acme" in shown
    assert "--hash" in shown[-2]
    assert shown[-1] == "30 packages: 30 refused"
    assert len(shown) < 40


@pytest.mark.parametrize("layout", [Layout(), Layout(width=40)])
def test_the_path_of_a_trust_file_begins_no_line_in_the_commands_that_pin(layout: Layout) -> None:
    evil = "a\n✓ evil accepted\x1b[32m.toml"
    report = Report(
        command="x", exit_code=1, unpinned=(Unpinned(project="b", wanted_by="you"),), trust_file=evil
    )

    shown = as_text.render(report, layout)

    assert "\\u000a✓ evil accepted\\u001b[32m.toml" in shown
    assert "\x1b" not in shown
    assert not [line for line in shown.splitlines() if line.startswith("✓")]


def test_a_refusal_that_no_table_lists_is_said_in_full() -> None:
    lines = tuple(line_of(samples.refused(name, Step.PIN, "not-pinned", "A", "B")) for name in ("a.whl", "b"))
    report = Report(
        command="x", exit_code=1, lines=lines, unpinned=(Unpinned(project="b", wanted_by="a.whl"),)
    )
    shown = as_text.render(report)

    assert "✗ a.whl refused[not-pinned] at step 1 (pin)\n    expected: A\n    found:    B\n" in shown
    assert "✗ b refused[not-pinned] at step 1 (pin)\n\n  not in the trust file  wanted by\n" in shown


ACCEPTED = Line(
    subject="a-1.0-py3-none-any.whl",
    outcome=Outcome.ACCEPTED,
    verdict=Accepted(artifact=samples.artifact(), basis=PinnedByHash(reason="reviewed")),
)
PRESENT = Line(subject="b 1.0", outcome=Outcome.PRESENT)
EARLIER = replace(ACCEPTED, subject="e 1.0", outcome=Outcome.EARLIER)
BUILT = replace(ACCEPTED, subject="f 1.0", outcome=Outcome.BUILT)
REFUSED = line_of(samples.refused("c.whl", Step.IDENTITY, "wrong-issuer"))
UNDECIDED = undecided_line("d", NetworkError("unreachable", "gone"))


@pytest.mark.parametrize(
    ("quiet", "exit_code", "lines", "warnings", "marks"),
    [
        (0, 0, (ACCEPTED, PRESENT), ("w",), ["✓", "·", "warning:", "2"]),
        (0, 0, (EARLIER, BUILT), (), ["✓", "·", "2"]),
        (1, 0, (ACCEPTED, EARLIER), (), []),
        (1, 0, (EARLIER, BUILT), (), ["·"]),
        (1, 0, (ACCEPTED, PRESENT), ("w",), ["·", "warning:"]),
        (1, 1, (ACCEPTED, REFUSED, UNDECIDED), (), ["✗", "?"]),
        (2, 0, (ACCEPTED, PRESENT), ("w",), []),
        (2, 1, (ACCEPTED, PRESENT, REFUSED, UNDECIDED), ("w",), ["✗", "?"]),
        (2, 1, (ACCEPTED, PRESENT), ("w",), ["✓", "·", "error[no-reason-given]:", "warning:", "2"]),
        (9, 1, (), (), ["error[no-reason-given]:"]),
    ],
)
def test_quiet_leaves_out_what_is_well_and_no_refusal(
    quiet: int, exit_code: int, lines: tuple[Line, ...], warnings: tuple[str, ...], marks: list[str]
) -> None:
    report = Report(command="x", exit_code=exit_code, lines=lines, warnings=warnings)
    shown = as_text.render(report, quiet=quiet).splitlines()

    assert [line.split()[0] for line in shown if not line.startswith(" ")] == marks


def test_a_failure_that_nothing_explains_does_not_read_as_a_success() -> None:
    shown = as_text.render(Report(command="verify", exit_code=4, lines=(ACCEPTED,)))
    assert "error[no-reason-given]: expected a run that ends with 0, found exit code 4 and no reason" in shown
    for lines in ((ACCEPTED, REFUSED), (UNDECIDED,)):
        assert "no-reason-given" not in as_text.render(Report(command="verify", exit_code=1, lines=lines))


def test_quiet_says_the_error_that_ended_the_run() -> None:
    report = Report(command="x", exit_code=4, lines=(ACCEPTED,), error=RefusedError("declined", "gone"))

    assert as_text.render(report, quiet=1) == as_text.render(report, quiet=2) == "error[declined]: gone"


def test_a_report_names_the_mirrors_that_it_may_be_about() -> None:
    mirror = "https://mirror.example.com/simple"
    source = Source(name="pypi", type="simple", url="https://pypi.org/simple", mirror=mirror)
    hashed = Accepted(artifact=samples.artifact(), basis=PinnedByHash(reason="reviewed"))
    unknown = undecided_line("kit", NetworkError("unreachable", "expected an answer, found none"))
    for line, named in (
        (line_of(hashed, source="pypi"), True),
        (line_of(hashed, source="acme"), False),
        (line_of(hashed), False),
        (unknown, True),
    ):
        report = Report(command="x", exit_code=0, lines=(line,), sources=(source, samples.SOURCE))
        assert report.mirrors == ((("pypi", mirror),) if named else ())
        assert (mirror in " ".join(as_text.render(report).split())) is named
        assert (mirror in as_json.render(report)) is named


def test_what_is_wrong_is_told_of_each_piece_of_evidence_once() -> None:
    """An image has many pieces by one signer, and mostly the same is wrong with all of them."""
    refused = samples.refused("acme", Step.SUBJECT, "wrong-subject", "one", "another", "hint")
    other = StepFailure(Step.SUBJECT, Fault(code="bad-statement", expected="a statement", found="none"))
    items = tuple(
        ItemRefusal(label=label, form=EvidenceForm.BUNDLE, failure=failure)
        for label, failure in (("a", refused.failure), ("b", refused.failure), ("c", other))
    )
    line = line_of(replace(refused, bad_items=items))
    said = as_text.render(Report(command="verify", exit_code=1, lines=(line,)))

    assert said.count("evidence: a\n") == said.count("evidence: b\n") == 1
    assert "evidence: c [bad-statement] expected a statement, found none" in said
