"""Promotion from a staging project to the release project, judged with the release's own trust file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pip_warden.sandbox import Answer, File, Project
from publish.conftest import Publisher, pin_text
from publish.promoting import SDIST, WHEEL, names, promote


def test_a_release_is_copied_byte_for_byte_with_its_evidence(publisher: Publisher, release: Project) -> None:
    result = promote(publisher)

    assert result.returncode == 0, result.stdout + result.stderr
    copied = set(names(release))
    assert {
        WHEEL,
        SDIST,
        f"{WHEEL}.sigstore.json",
        f"{WHEEL}.slsa.sigstore.json",
        f"{WHEEL}.vsa.json",
    } <= copied
    for name in copied - {f"{WHEEL}.vsa.json", f"{SDIST}.vsa.json"}:
        assert (publisher.dist / name).exists(), name
    summary = json.loads(publisher.sandbox.evidence(release, f"{WHEEL}.vsa.json"))
    assert summary["predicate"]["verificationResult"] == "PASSED"


def test_evidence_of_further_kinds_is_copied_too(publisher: Publisher, release: Project) -> None:
    (publisher.directory / "sbom.json").write_text("{}", encoding="utf-8")
    words = ("--predicate", "sbom.json", "--predicate-type", "https://spdx.dev/Document", "--kind", "sbom")
    assert publisher.attest(*words, *publisher.files()).returncode == 0
    assert publisher.run("pip-warden", "publish-evidence", *publisher.files()).returncode == 0
    junk = {f"{WHEEL}.{kind}.sigstore.json": b"junk" for kind in ("junk", "a" * 240)}
    publisher.sandbox.put_evidence(publisher.project, "1.0", junk)
    result = promote(publisher)

    assert result.returncode == 0, result.stdout + result.stderr
    assert not set(junk) & set(names(release)), "what is no attestation is nobody's evidence"
    copied = publisher.sandbox.evidence(release, f"{WHEEL}.sbom.sigstore.json")
    assert copied == (publisher.dist / f"{WHEEL}.sbom.sigstore.json").read_bytes()


@pytest.mark.parametrize(
    ("release_", "words", "found"),
    [
        ("unpinned==1.0", (), "expected unpinned pinned by an identity"),
        ("acme-widgets==1.0", ("--from", "nowhere"), "expected --from to name a gitlab source"),
        ("acme-widgets==1.0", ("--to", "nowhere"), "expected --to to name the pin's own source"),
    ],
)
def test_what_cannot_be_promoted_is_said_for_the_first_reason(
    publisher: Publisher, release_: str, words: tuple[str, ...], found: str
) -> None:
    text = pin_text(publisher, "acme/release", project_id=publisher.project.id)
    (publisher.directory / "pytrust.toml").write_text(text, encoding="utf-8")
    usual = ("--from", "acme", "--from-project", "acme/acme-widgets", "--to", "acme")
    result = publisher.run("pip-warden", "promote", release_, *usual, *words)

    assert (result.returncode, found in result.stderr) == (2, True), result.stderr


def test_it_can_be_run_again(publisher: Publisher, release: Project) -> None:
    assert promote(publisher).returncode == 0
    before = names(release)

    assert promote(publisher).returncode == 0
    assert names(release) == before


def test_nothing_is_copied_where_one_file_is_refused(publisher: Publisher, release: Project) -> None:
    publisher.sandbox.delete_evidence(publisher.project, f"{SDIST}.sigstore.json")
    for name in (
        f"{SDIST}.slsa.sigstore.json",
        f"{SDIST}.slsa.attestation",
        f"{SDIST}.annotations.sigstore.json",
    ):
        publisher.sandbox.delete_evidence(publisher.project, name)
    result = promote(publisher, "--output", "markdown=told")
    told = (publisher.directory / "told").read_text()

    assert (result.returncode, "no-evidence" in result.stdout) == (1, True), result.stdout
    assert names(release) == []
    assert (f"accepted | `{WHEEL}`" in told, "| not copied | `acme-widgets 1.0` |" in told) == (True, True)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--min-age", "1"), "too-young"),
        (("--source-revision", "0" * 40), "source-revision-mismatch"),
        (("--annotation", "tag=v2"), "annotation-mismatch"),
    ],
)
def test_what_promotion_demands_besides(
    publisher: Publisher, release: Project, words: tuple[str, ...], code: str
) -> None:
    result = promote(publisher, *words)

    assert (result.returncode, code in result.stdout) == (1, True), result.stdout
    assert names(release) == []


def test_provenance_can_be_required_for_a_promotion(publisher: Publisher, release: Project) -> None:
    assert promote(publisher, "--require", "provenance", "--dry-run").returncode == 0
    assert names(release) == []


@pytest.mark.parametrize("path", ["/packages/generic/", "/packages/pypi"])
def test_a_promotion_that_breaks_off_is_completed_by_the_same_command(
    publisher: Publisher, release: Project, path: str
) -> None:
    publisher.sandbox.fault(
        Answer(status=500, body=b"{}"), path, method="PUT" if "generic" in path else "POST"
    )

    assert promote(publisher).returncode == 3
    assert promote(publisher).returncode == 0
    assert {WHEEL, SDIST} <= set(names(release))


@pytest.mark.parametrize(
    "options", [["--from", "nowhere", "--to", "acme"], ["--from", "acme", "--to", "nowhere"]]
)
def test_sources_that_are_not_there_are_a_usage_error(
    publisher: Publisher, release: Project, options: list[str], tmp_path: Path
) -> None:
    result = publisher.run("pip-warden", "promote", "acme-widgets==1.0", *options)

    assert (result.returncode, "[not-promotable]" in result.stderr) == (2, True)


@pytest.mark.parametrize("days", ["nan", "inf", "1e300", "-1"])
def test_an_age_is_a_number_of_days(publisher: Publisher, release: Project, days: str) -> None:
    result = promote(publisher, "--min-age", days)

    assert (result.returncode, "--min-age" in result.stdout) == (2, True), result.stdout
    assert names(release) == []


@pytest.mark.parametrize("path", ["\udc80", "acme//acme-widgets", "acme/../x", "٣"])
def test_the_project_it_is_copied_from_is_a_path_or_a_number(
    publisher: Publisher, release: Project, path: str
) -> None:
    result = promote(publisher, "--from-project", path)

    assert (result.returncode, "invalid-registry-project" in result.stdout) == (2, True), result.stdout


@pytest.mark.parametrize("name", [SDIST, SDIST.replace("_", "-")])
def test_other_bytes_in_the_target_are_found_before_anything_leaves(
    publisher: Publisher, release: Project, name: str
) -> None:
    """No evidence of what is not there, and no summary in a log for ever."""
    other = File(name=name, data=(publisher.dist / SDIST).read_bytes() + b"x")
    publisher.sandbox.put_files(release, [other])
    publisher.sandbox.clear_requests()
    result = promote(publisher, "--trust-config", "trust_config.json")

    assert (result.returncode, "other-content" in result.stdout) == (1, True), result.stdout
    assert names(release) == [name]
    assert [each.path for each in publisher.sandbox.requests if each.method in {"POST", "PUT"}] == []


def test_reports_tell_what_was_copied_and_a_dry_run_what_would_be(
    publisher: Publisher, release: Project
) -> None:
    del release
    names = ("markdown", "html", "text")
    told = [word for name in names for word in ("--output", f"{name}=told.{name}")]
    for more, outcome in (("--dry-run",), "would be uploaded"), ((), "uploaded"), ((), "already there"):
        assert promote(publisher, *told, *more).returncode == 0
        markdown, html, text = ((publisher.directory / f"told.{name}").read_text() for name in names)
        assert (f" · 12 {outcome} · " in markdown, f"| {outcome} | `{WHEEL}` | |" in markdown) == (True, True)
        assert (f"<li>{outcome}: " in html, f"\n{outcome}: {WHEEL}\n" in text) == (True, True)


@pytest.mark.parametrize(("age", "said"), [("1", "1 day ago"), ("3", "3 days ago"), ("0.5", "0.5 days ago")])
def test_an_age_is_said_in_days(publisher: Publisher, release: Project, age: str, said: str) -> None:
    del release
    result = promote(publisher, "--min-age", age)

    assert (result.returncode, f"to be signed {said} or earlier" in result.stdout) == (1, True), result.stdout


def test_what_publish_refuses_stands_at_its_entry(publisher: Publisher, release: Project) -> None:
    del release
    trust = publisher.directory / "pytrust.toml"
    text = trust.read_text(encoding="utf-8").replace("refs/tags", "refs/heads")
    trust.write_text(text, encoding="utf-8")
    said = publisher.run("pip-warden", "publish", *publisher.files(), "--format", "sarif")
    results = json.loads(said.stdout)["runs"][0]["results"]
    lines = {each["locations"][0]["physicalLocation"]["region"]["startLine"] for each in results}

    assert said.returncode == 1
    assert lines == {text[: text.index('name = "acme-widgets"')].count("\n") + 1}
