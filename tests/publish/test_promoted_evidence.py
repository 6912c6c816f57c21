"""What goes along with a promoted file: every row that was judged good, and no other."""

from __future__ import annotations

import json
import re
import threading
from datetime import timedelta

import pytest

from ordinary import parametrized
from pip_warden.sandbox import Answer, File, Project
from publish.conftest import Publisher
from publish.promoting import SDIST, WHEEL, Promoted, names, pin, promoted

BUNDLE = f"{WHEEL}.sigstore.json"
ANNOTATIONS = f"{WHEEL}.annotations.sigstore.json"
PROVENANCE = 'provenance = "https://slsa.dev/provenance/v1"'


def _newest(publisher: Publisher, project: Project, name: str) -> bytes:
    return publisher.sandbox.evidence(project, name)


def _foreign(publisher: Publisher, name: str, suffix: str) -> bytes:
    """Sign a file of the release as another project's pipeline does."""
    other = publisher.sandbox.job(publisher.sandbox.project("evil/fork"), tag="v1.0")
    file = File(name=name, data=(publisher.dist / name).read_bytes())
    forms = {"sigstore.json": "bundle", "slsa.sigstore.json": "slsa-bundle", "slsa.attestation": "slsa"}
    made = publisher.sandbox.sign(file, other, [forms[suffix]])  # type: ignore[list-item]
    return made[f"{name}.{suffix}"]


@parametrized("suffix", ["sigstore.json", "slsa.sigstore.json", "slsa.attestation"], ordinary={0})
@pytest.mark.parametrize("is_junk", [True, False])
def test_a_bad_newer_row_neither_blocks_a_promotion_nor_is_carried_over(
    publisher: Publisher, release: Project, suffix: str, is_junk: bool
) -> None:
    name = f"{WHEEL}.{suffix}"
    good = _newest(publisher, publisher.project, name)
    bad = b"junk" if is_junk else _foreign(publisher, WHEEL, suffix)
    publisher.sandbox.replace_evidence(publisher.project, name, bad, newer_row=True)
    result = promoted(publisher)

    assert (result.code, names(release).count(name)) == (0, 1)
    assert _newest(publisher, release, name) == good
    code = {"attestation": "bad-attestation"}.get(suffix.rpartition(".")[2], "bad-bundle")
    assert result.left == {name: code if is_junk else "identity-mismatch"}


def test_what_says_nothing_of_the_file_is_left_behind(publisher: Publisher, release: Project) -> None:
    """Each is signed by the publisher, or says what a publisher would: no consumer may be misled by it."""
    sdist = _newest(publisher, publisher.project, f"{SDIST}.slsa.sigstore.json")
    bad = {
        f"{WHEEL}.sbom.sigstore.json": sdist,
        f"{WHEEL}.scan.sigstore.json": _foreign(publisher, WHEEL, "slsa.sigstore.json"),
        f"{WHEEL}.plain.sigstore.json": _newest(publisher, publisher.project, BUNDLE),
        f"{WHEEL}.vsa.sigstore.json": _newest(publisher, publisher.project, f"{WHEEL}.slsa.sigstore.json"),
        f"{WHEEL}.sig": b"c2ln",
        "other.whl.sigstore.json": b"{}",
    }
    publisher.sandbox.put_evidence(publisher.project, "1.0", bad)
    result = promoted(publisher)

    assert (result.code, set(bad) & set(names(release))) == (0, set())
    assert result.left == {
        f"{WHEEL}.sbom.sigstore.json": "subject-mismatch",
        f"{WHEEL}.scan.sigstore.json": "identity-mismatch",
        f"{WHEEL}.plain.sigstore.json": "bad-bundle",
        f"{WHEEL}.sig": "incomplete-detached-signature",
    }


def test_a_flood_of_bad_rows_is_told_in_a_few_lines(publisher: Publisher, release: Project) -> None:
    for number in range(35):
        junk = {f"{WHEEL}.scan.sigstore.json": f"junk {number}".encode()}
        publisher.sandbox.put_evidence(publisher.project, "1.0", junk)
    result = promoted(publisher)
    told = [text for text in result.document["warnings"] if text.startswith("not carried")]

    assert (result.code, len(result.left), len(told)) == (0, 33, 21)
    assert "14 more" in told[-1]
    codes = [item["code"] for item in result.document["not_carried"]]
    assert codes.count("too-much-evidence") == 1


def test_evidence_of_a_pipeline_that_the_pin_does_not_allow_is_left_behind(
    publisher: Publisher, release: Project
) -> None:
    scheduled = publisher.sandbox.job(publisher.project, tag="v1.0", pipeline_source="schedule")
    file = File(name=WHEEL, data=(publisher.dist / WHEEL).read_bytes())
    (made,) = publisher.sandbox.sign(file, scheduled, ["slsa-bundle"]).values()
    publisher.sandbox.put_evidence(publisher.project, "1.0", {f"{WHEEL}.nightly.sigstore.json": made})
    result = promoted(publisher)

    assert (result.code, result.left) == (0, {f"{WHEEL}.nightly.sigstore.json": "build-trigger-refused"})
    assert f"{WHEEL}.nightly.sigstore.json" not in names(release)


def test_a_detached_signature_is_carried_as_the_pair_that_is_proved(
    publisher: Publisher, release: Project
) -> None:
    assert publisher.sign("--detached", "--overwrite", f"dist/{WHEEL}").returncode == 0
    pair = {name: (publisher.dist / name).read_bytes() for name in (f"{WHEEL}.sig", f"{WHEEL}.crt")}
    publisher.sandbox.put_evidence(publisher.project, "1.0", pair)
    publisher.sandbox.replace_evidence(publisher.project, f"{WHEEL}.sig", b"c2ln", newer_row=True)
    result = promoted(publisher)

    assert (result.code, result.left) == (0, {f"{WHEEL}.sig": "bad-detached-signature"})
    assert {name: _newest(publisher, release, name) for name in pair} == pair


def test_a_log_that_is_away_holds_up_no_release_that_a_bundle_speaks_for(
    publisher: Publisher, release: Project
) -> None:
    """Or whoever can push a pair could hold it up. The same command carries it when the log is back."""
    assert publisher.sign("--detached", "--overwrite", f"dist/{WHEEL}").returncode == 0
    pair = {name: (publisher.dist / name).read_bytes() for name in (f"{WHEEL}.sig", f"{WHEEL}.crt")}
    publisher.sandbox.put_evidence(publisher.project, "1.0", pair)
    away = publisher.sandbox.fault(Answer(status=503, body=b"{}"), origin="rekor", times=None)
    result = promoted(publisher, "--retries", "0")

    assert (result.code, list(result.left)) == (0, [f"{WHEEL}.sig"])
    assert not set(pair) & set(names(release))
    away.times = 0
    assert (promoted(publisher).code, set(pair) <= set(names(release))) == (0, True)


def test_a_copy_that_a_consumer_would_refuse_is_not_uploaded(publisher: Publisher, release: Project) -> None:
    """The acceptance rests on two rows of one name; the target will have one of them."""
    pin(publisher, 'annotations = { reviewed = "yes" }')
    assert publisher.attest("--annotation", "reviewed=yes", "--overwrite", *publisher.files()).returncode == 0
    said = (publisher.dist / ANNOTATIONS).read_bytes()
    made = {path.name: path.read_bytes() for path in publisher.dist.glob(f"{SDIST}.annotations.*")}
    publisher.sandbox.put_evidence(publisher.project, "1.0", made)
    for name in names(publisher.project):
        if name.startswith((f"{WHEEL}.slsa", f"{WHEEL}.annotations")):
            publisher.sandbox.delete_evidence(publisher.project, name)
    publisher.sandbox.replace_evidence(publisher.project, BUNDLE, said, newer_row=True)
    result = promoted(publisher)
    (line,) = (each for each in result.document["files"] if each["file"] == WHEEL)

    assert (result.code, line["refused"]["code"], result.outcomes) == (1, "annotation-missing", {})
    assert names(release) == []


def test_what_the_target_requires_goes_before_what_is_newer(publisher: Publisher, release: Project) -> None:
    """The publisher attested again with another value: consumers of the target need the first."""
    pin(publisher, 'annotations = { reviewed = "yes" }')
    good: dict[str, bytes] = {}
    for value in ("yes", "no"):
        words = ("--annotation", f"reviewed={value}", "--overwrite", *publisher.files())
        assert publisher.attest(*words).returncode == 0
        made = {path.name: path.read_bytes() for path in publisher.dist.glob("*.annotations.sigstore.json")}
        good = good or made
        publisher.sandbox.put_evidence(publisher.project, "1.0", made)
    result = promoted(publisher)

    assert (result.code, result.left) == (0, {})
    assert _newest(publisher, release, ANNOTATIONS) == good[ANNOTATIONS]


def test_a_promoted_release_meets_every_requirement(publisher: Publisher, release: Project) -> None:
    pin(publisher, f'{PROVENANCE}\n  annotations = {{ tag = "v{{version}}" }}\n  source-ref = "refs/tags/*"')
    assert promoted(publisher).code == 0
    token = publisher.sandbox.token(scopes=("read_api",))
    sha = publisher.job.variables()["CI_COMMIT_SHA"]
    words = ("verify-release", "acme-widgets==1.0", "--source-revision", sha, "--cache-dir", "other")
    result = publisher.run("pip-warden", *words, GITLAB_TOKEN=token)

    assert result.returncode == 0, result.stdout + result.stderr


def test_every_row_is_fetched_by_its_id(publisher: Publisher, release: Project) -> None:
    publisher.sandbox.clear_requests()
    assert promoted(publisher).code == 0
    source = f"/projects/acme%2Facme-widgets/packages/generic/acme-widgets/1.0/{WHEEL}"
    by_name = [each.path for each in publisher.sandbox.requests if source in each.path]
    by_id = [each for each in publisher.sandbox.requests if each.path.endswith("/download")]

    assert len(by_name) == 1, "the gate's own search; it stops at the first good one"
    assert len(by_id) == sum(name not in (WHEEL, SDIST) for name in names(publisher.project))


@pytest.mark.parametrize("is_old", [True, False])
def test_where_rows_cannot_be_had_by_id_the_newest_must_be_the_listed_one(
    publisher: Publisher, release: Project, is_old: bool
) -> None:
    """Before GitLab 18.4. The newest row of a name is bad: the one below it is out of reach, and said so."""
    publisher.sandbox.settings.package_file_download = not is_old
    name = f"{WHEEL}.slsa.sigstore.json"
    publisher.sandbox.replace_evidence(publisher.project, name, b"junk", newer_row=True)
    result = promoted(publisher)

    assert result.code == 0
    left = {name: "bad-bundle"} | ({f"{name}#2": "row-not-served"} if is_old else {})
    assert (result.left, name in names(release)) == (left, not is_old)
    assert BUNDLE in names(release)


def test_what_a_name_answers_is_not_taken_for_another_row(publisher: Publisher, release: Project) -> None:
    """A row that came between list and fetch was not listed; the registry here says another digest."""
    publisher.sandbox.settings.package_file_download = False
    for package in publisher.project.record.packages:
        for file in package.files:
            if file.name == f"{WHEEL}.slsa.attestation":
                file.claimed_sha256 = "0" * 64
    result = promoted(publisher)

    assert (result.code, result.left) == (0, {f"{WHEEL}.slsa.attestation": "row-not-served"})
    assert f"{WHEEL}.slsa.attestation" not in names(release)


def test_a_token_that_may_not_list_carries_what_its_names_answer(
    publisher: Publisher, release: Project
) -> None:
    for package in publisher.project.record.packages:
        if str(package.type) == "generic":
            package.status = "hidden"
    result = promoted(publisher)

    assert (result.code, result.left) == (0, {})
    assert {BUNDLE, ANNOTATIONS} <= set(names(release))
    assert any("does not list its evidence" in text for text in result.document["warnings"])


def _with_kinds(publisher: Publisher, *kinds: str) -> None:
    (publisher.directory / "sbom.json").write_text("{}", encoding="utf-8")
    for kind in kinds:
        words = ("--predicate", "sbom.json", "--predicate-type", "https://spdx.dev/Document", "--kind", kind)
        assert publisher.attest(*words, *publisher.files()).returncode == 0
        made = {path.name: path.read_bytes() for path in publisher.dist.glob(f"*.{kind}.sigstore.json")}
        publisher.sandbox.put_evidence(publisher.project, "1.0", made)


def test_a_kind_that_is_named_is_carried_whatever_else_is_there(
    publisher: Publisher, release: Project
) -> None:
    _with_kinds(publisher, "sbom", "scan")
    flood = {f"{WHEEL}.a{number}.sigstore.json": b"junk" for number in range(16)}
    publisher.sandbox.put_evidence(publisher.project, "1.0", flood)
    without, named = promoted(publisher, "--dry-run"), promoted(publisher, "--kind", "sbom")

    assert f"{WHEEL}.sbom.sigstore.json" not in without.outcomes
    assert any(f"{WHEEL}.sbom.sigstore.json: too many kinds" in text for text in without.document["warnings"])
    assert (named.code, named.left) == (0, {})
    assert {f"{WHEEL}.sbom.sigstore.json", f"{SDIST}.sbom.sigstore.json"} <= set(names(release))
    assert f"{WHEEL}.scan.sigstore.json" not in names(release)


def test_a_kind_that_is_named_must_be_there_and_good(publisher: Publisher, release: Project) -> None:
    missing = promoted(publisher, "--kind", "sbom")
    bad = {f"{name}.sbom.sigstore.json": b"junk" for name in (WHEEL, SDIST)}
    publisher.sandbox.put_evidence(publisher.project, "1.0", bad)
    junk = promoted(publisher, "--kind", "sbom")

    for result, found in ((missing, "found none"), (junk, "not good: bad-bundle")):
        assert (result.code, result.document["error"]["code"]) == (1, "kind-missing")
        assert found in result.document["error"]["message"]
    assert names(release) == []


@pytest.mark.parametrize("kind", ["vsa", "../x", "a.b", ""])
def test_what_is_no_kind_is_a_usage_error(publisher: Publisher, release: Project, kind: str) -> None:
    result = promoted(publisher, "--kind", kind)

    assert (result.code, result.document["error"]["code"]) == (2, "bad-kind")


def test_good_evidence_that_the_target_has_stays(publisher: Publisher, release: Project) -> None:
    """The release was promoted before the publisher signed it again."""
    assert promoted(publisher).code == 0
    before = {name: _newest(publisher, release, name) for name in names(release) if "sigstore" in name}
    for verb in (publisher.sign, publisher.attest):
        assert verb("--overwrite", *publisher.files()).returncode == 0
    made = {path.name: path.read_bytes() for path in publisher.dist.glob("*.sigstore.json")}
    publisher.sandbox.put_evidence(publisher.project, "1.0", made)
    rows = names(release)
    result = promoted(publisher)

    assert (result.code, sorted(result.document["kept"])) == (0, sorted(made))
    assert names(release) == rows
    assert {name: _newest(publisher, release, name) for name in before} == before


def test_good_evidence_that_meets_less_does_not_stay(publisher: Publisher, release: Project) -> None:
    """The target has the publisher's first annotations, and demands what the second ones say."""
    assert promoted(publisher).code == 0
    pin(publisher, 'annotations = { reviewed = "yes" }')
    words = ("--annotation", "reviewed=yes", "--overwrite", *publisher.files())
    assert publisher.attest(*words).returncode == 0
    made = {path.name: path.read_bytes() for path in publisher.dist.glob("*.annotations.sigstore.json")}
    publisher.sandbox.put_evidence(publisher.project, "1.0", made)
    rows = names(release)
    result = promoted(publisher)

    assert (result.code, result.document["error"]["code"]) == (1, "other-content")
    assert names(release) == rows


@pytest.mark.parametrize("is_junk", [True, False])
def test_other_content_in_the_target_ends_a_promotion_before_its_first_upload(
    publisher: Publisher, release: Project, is_junk: bool
) -> None:
    content = b"junk" if is_junk else _foreign(publisher, WHEEL, "slsa.sigstore.json")
    publisher.sandbox.put_evidence(
        release, "1.0", {f"{WHEEL}.slsa.sigstore.json": content}, package="release"
    )
    result = promoted(publisher)

    assert (result.code, result.document["error"]["code"]) == (1, "other-content")
    assert names(release) == [f"{WHEEL}.slsa.sigstore.json"]


def test_half_a_detached_signature_in_the_target_is_completed_or_other_content(
    publisher: Publisher, release: Project
) -> None:
    assert publisher.sign("--detached", "--overwrite", f"dist/{WHEEL}").returncode == 0
    pair = {name: (publisher.dist / name).read_bytes() for name in (f"{WHEEL}.sig", f"{WHEEL}.crt")}
    publisher.sandbox.put_evidence(publisher.project, "1.0", pair)
    half = {f"{WHEEL}.sig": pair[f"{WHEEL}.sig"]}
    publisher.sandbox.put_evidence(release, "1.0", half, package="release")
    assert promoted(publisher).code == 0
    assert f"{WHEEL}.crt" in names(release)

    publisher.sandbox.delete_evidence(release, f"{WHEEL}.crt")
    publisher.sandbox.replace_evidence(release, f"{WHEEL}.sig", b"c2ln")
    result = promoted(publisher)
    assert (result.code, result.document["error"]["code"]) == (1, "other-content")


@pytest.mark.parametrize("path", ["Acme/Acme-Widgets", "ACME/ACME-WIDGETS"])
@pytest.mark.parametrize("may_ask", [True, False])
def test_a_project_may_be_spelled_in_another_case(
    publisher: Publisher, release: Project, path: str, may_ask: bool
) -> None:
    file = publisher.directory / "pytrust.toml"
    text = file.read_text(encoding="utf-8")
    text = text.replace('type = "gitlab"', 'type = "gitlab"\nevidence = ["{project-name}/{version}"]')
    if not may_ask:
        other = text[text.index("[[package]]") :].replace('"acme-widgets"', '"other"')
        text += "\n" + other.replace('"acme/release"', '"acme/acme-widgets"')
        publisher.sandbox.fault(_not_found(), f"/api/v4/projects/{path.replace('/', '%2F')}", times=1)
    file.write_text(text, encoding="utf-8")
    assert promoted(publisher, "--from-project", path).code == 0
    assert {WHEEL, SDIST, BUNDLE} <= set(names(release))


def _not_found() -> Answer:
    return Answer(status=404, body=b'{"message":"404 Project Not Found"}')


def test_another_path_in_an_answer_is_not_where_the_release_is_copied_from(
    publisher: Publisher, release: Project
) -> None:
    """A project that was renamed answers with its new path; its evidence lies where it lay."""
    body = b'{"id": 1, "path_with_namespace": "evil/other", "visibility": "public"}'
    path = "/api/v4/projects/acme%2Facme-widgets"
    publisher.sandbox.fault(Answer(status=200, body=body), re.compile(re.escape(path) + r"$"))

    assert promoted(publisher).code == 0
    assert {WHEEL, SDIST, BUNDLE} <= set(names(release))


@pytest.mark.parametrize("path", ["acme/release", "Acme/RELEASE"])
def test_a_project_is_not_promoted_to_itself(publisher: Publisher, release: Project, path: str) -> None:
    result = promoted(publisher, "--from-project", path)

    assert (result.code, result.document["error"]["code"]) == (2, "not-promotable")
    assert "the target itself" in result.document["error"]["message"]


@pytest.mark.interop
def test_two_promotions_at_once_end_complete(publisher: Publisher, release: Project) -> None:
    apart = publisher.apart()
    results: list[Promoted] = []
    threads = [threading.Thread(target=lambda: results.append(promoted(apart))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [result.code for result in results] == [0, 0], results
    assert {WHEEL, SDIST, BUNDLE} <= set(names(release))


def test_what_was_uploaded_is_told_as_json(publisher: Publisher, release: Project) -> None:
    dry, first, again = (promoted(publisher, *words) for words in (("--dry-run",), (), ()))

    assert set(dry.outcomes.values()) == {"would_be_uploaded"}
    assert set(first.outcomes.values()) == {"uploaded"}
    assert set(again.outcomes.values()) == {"already_there"}
    assert dry.outcomes.keys() == first.outcomes.keys() == again.outcomes.keys() == set(names(release))
    kinds = {upload["kind"] for upload in first.document["uploads"]}
    assert kinds == {"evidence", "file", "summary"}
    assert json.dumps(first.document).isascii()


def test_what_was_signed_a_moment_ago_is_no_older_than_that(publisher: Publisher, release: Project) -> None:
    """Not by the age of the file's signature: neither carried, nor enough for what the pin requires."""
    publisher.sandbox.clock.advance(timedelta(hours=-2))
    for name in (WHEEL, SDIST):
        file = File(name=name, data=(publisher.dist / name).read_bytes())
        (old,) = publisher.sandbox.sign(file, publisher.job, ["bundle"]).values()
        publisher.sandbox.replace_evidence(publisher.project, f"{name}.sigstore.json", old)
    publisher.sandbox.clock.set(None)
    hour = ("--min-age", "0.05")
    required = promoted(publisher, *hour, "--require", "provenance")

    assert (required.code, names(release)) == (1, [])
    assert [line["refused"]["code"] for line in required.document["files"]] == ["provenance-missing"] * 2
    result = promoted(publisher, *hour)
    assert (result.code, set(result.left.values())) == (0, {"too-young"})
    there = {WHEEL, SDIST, BUNDLE, f"{SDIST}.sigstore.json"}
    assert set(names(release)) == there | {f"{WHEEL}.vsa.json", f"{SDIST}.vsa.json"}


def test_a_kind_of_a_release_with_an_epoch_that_is_not_good_is_not_called_missing(
    publisher: Publisher, release: Project
) -> None:
    """The registry's spelling of the name is another than the file's."""
    wheel = publisher.sandbox.wheel("acme-widgets", "1!2.0")
    job = publisher.sandbox.job(publisher.project, tag="v1!2.0")
    publisher.sandbox.publish(publisher.project, [wheel], job=job)
    publisher.sandbox.put_evidence(publisher.project, "1!2.0", {f"{wheel.name}.sbom.sigstore.json": b"junk"})
    where = ("--from", "acme", "--from-project", "acme/acme-widgets", "--to", "acme", "--kind", "sbom")
    token = publisher.sandbox.token(scopes=("api",))
    result = publisher.run("pip-warden", "promote", "acme-widgets==1!2.0", *where, GITLAB_TOKEN=token)

    assert (result.returncode, "[kind-missing]" in result.stderr) == (1, True), result.stderr
    assert "not good: bad-bundle" in result.stderr
