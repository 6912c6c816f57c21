"""What was attested is seen by who verifies: as verified only where the pinned identity signed it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from documents import described
from pip_warden.publish.provenance import ANNOTATIONS, default_annotations
from pip_warden.sandbox import Job
from publish.conftest import Publisher, pin_text

WHEEL = "acme_widgets-1.0-py3-none-any.whl"
ELEVEN = {
    "com.gitlab.ci.user.name",
    "com.gitlab.ci.pipeline.id",
    "com.gitlab.ci.pipeline.url",
    "com.gitlab.ci.job.id",
    "com.gitlab.ci.job.url",
    "com.gitlab.ci.commit.sha",
    "com.gitlab.ci.commit.ref.name",
    "com.gitlab.ci.project.path",
    "org.opencontainers.image.source",
    "org.opencontainers.image.revision",
    "tag",
}
"""The keys that GitLab's tutorial on annotating sets."""


def _ready(publisher: Publisher) -> dict[str, str]:
    (publisher.dist / "acme_widgets-1.0.tar.gz").unlink()
    text = pin_text(publisher, "acme/acme-widgets")
    (publisher.directory / "pytrust.toml").write_text(text, encoding="utf-8")
    assert publisher.sign("--detached", f"dist/{WHEEL}").returncode == 0
    return publisher.job.variables()


def _line(publisher: Publisher, *words: str) -> dict[str, Any]:
    run = publisher.run("pip-warden", "verify", "--format", "json", *words, f"dist/{WHEEL}")
    assert run.returncode == 0, run.stderr
    (line,) = described(run.stdout)["files"]
    return dict(line)


def _annotations(line: dict[str, Any]) -> list[dict[str, str]]:
    return [each["annotations"] for each in line["verified_statements"] if "annotations" in each]


def _stranger(publisher: Publisher) -> dict[str, str]:
    stranger: Job = publisher.sandbox.job(publisher.sandbox.project("acme/other"), tag="v1.0")
    return stranger.variables() | {"SIGSTORE_ID_TOKEN": stranger.id_token()}


def test_signed_annotations_and_the_builds_facts_are_shown_as_verified(publisher: Publisher) -> None:
    variables = _ready(publisher)
    assert publisher.attest("--annotation", "reviewed=yes", f"dist/{WHEEL}").returncode == 0
    shown = publisher.run("pip-warden", "verify", f"dist/{WHEEL}").stdout
    line = _line(publisher)
    (annotations,) = _annotations(line)
    (built,) = [each["provenance"] for each in line["verified_statements"] if "provenance" in each]

    assert f"\n    verified annotations, signed by {publisher.job.san}, log index " in shown
    assert "\n      reviewed = yes\n" in shown
    assert f"\n    verified provenance, signed by {publisher.job.san}, log index " in shown
    assert f"\n      commit:     {variables['CI_COMMIT_SHA']}\n" in shown
    assert "not verified" not in shown
    assert annotations.keys() == ELEVEN | {"reviewed"}
    assert annotations["tag"] == "v1.0"
    assert (built["source_repository"], built["source_ref"]) == (
        variables["CI_PROJECT_URL"],
        "refs/tags/v1.0",
    )
    assert (built["invocation_id"], built["invocation"]) == (variables["CI_JOB_URL"], "confirmed")
    assert (line["unverified_statements"], line["unheard_evidence"]) == ([], None)


def test_a_release_shows_them_too(publisher: Publisher) -> None:
    _ready(publisher)
    assert publisher.attest("--annotation", "reviewed=yes", f"dist/{WHEEL}").returncode == 0
    assert publisher.run("pip-warden", "publish", f"dist/{WHEEL}").returncode == 0
    token = {"GITLAB_TOKEN": publisher.sandbox.token(scopes=("api",))}
    words = ("pip-warden", "verify-release", "acme-widgets==1.0", "--show-successes")
    text = publisher.run(*words, **token).stdout
    publisher.sandbox.clear_requests()
    (line,) = described(publisher.run(*words, "--format", "json", **token).stdout)["files"]

    assert "\n      reviewed = yes\n" in text
    assert _annotations(line)[0]["reviewed"] == "yes"
    assert [each["step"] for each in line["passed"]] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10]
    assert "\n       2 origin: a file listed on " in text
    assert line["unheard_evidence"] is None
    searched = [each for each in publisher.sandbox.requests if "log/entries" in str(each)]
    assert searched == [], "a detached signature says nothing, and no log is asked for it"


def test_t55_what_another_identity_annotates_is_never_shown_as_verified(publisher: Publisher) -> None:
    _ready(publisher)
    forged = publisher.attest("--annotation", "reviewed=FORGED", f"dist/{WHEEL}", **_stranger(publisher))
    assert forged.returncode == 0, forged.stderr
    shown = publisher.run("pip-warden", "verify", f"dist/{WHEEL}")
    line = _line(publisher)

    assert shown.returncode == 0
    assert "FORGED" not in shown.stdout
    assert "verified annotations" not in shown.stdout
    assert f"    not verified: {WHEEL}.annotations.sigstore.json [identity-mismatch] " in shown.stdout
    assert line["verified_statements"] == []
    assert {
        (each["evidence"].removeprefix(WHEEL), each["code"]) for each in line["unverified_statements"]
    } == {
        (".slsa.attestation", "identity-mismatch"),
        (".slsa.sigstore.json", "identity-mismatch"),
        (".annotations.sigstore.json", "identity-mismatch"),
    }
    assert "FORGED" not in json.dumps(line["unverified_statements"])


@pytest.mark.parametrize("name", ["CI_COMMIT_SHA", "CI_PIPELINE_SOURCE"])
def test_facts_that_the_certificate_contradicts_are_not_shown_as_verified(
    publisher: Publisher, name: str
) -> None:
    """The job's variables were overridden: the file is what it is, and the statement is not believed."""
    _ready(publisher)
    forged = {"CI_COMMIT_SHA": "6" * 40, "CI_PIPELINE_SOURCE": "forged"}[name]
    assert publisher.attest(f"dist/{WHEEL}", **{name: forged}).returncode == 0
    line = _line(publisher)

    assert not [each for each in line["verified_statements"] if "provenance" in each]
    assert {each["code"] for each in line["unverified_statements"]} == {"provenance-mismatch"}


def test_annotations_that_would_control_a_terminal_are_escaped(publisher: Publisher) -> None:
    _ready(publisher)
    evil = {"a\u202eb": "\x1b[2J\n✓ other.whl accepted", "::error::x": "y\r" + "long" * 5000}
    (publisher.directory / "p.json").write_text(json.dumps({"annotations": evil}), encoding="utf-8")
    own = ["--predicate", "p.json", "--predicate-type", ANNOTATIONS, "--kind", "notes"]
    assert publisher.attest(*own, f"dist/{WHEEL}").returncode == 0
    shown = publisher.run("pip-warden", "verify", f"dist/{WHEEL}").stdout
    (statement,) = _line(publisher)["verified_statements"]

    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", shown)
    assert "      a\\u202eb = \\u001b[2J\\u000a✓ other.whl accepted" in shown.splitlines()
    assert max(map(len, shown.splitlines())) < 500
    assert statement["annotations"] == {"a\u202eb": evil["a\u202eb"]}
    assert statement["annotations_left_out"] == 1


def test_steps_are_listed_where_it_is_asked_for(publisher: Publisher) -> None:
    variables = _ready(publisher)
    assert publisher.attest(f"dist/{WHEEL}").returncode == 0
    url = variables["CI_PROJECT_URL"]
    words = ("--show-successes", "--source-repository", url, "--require-annotation", "tag=v1.0")
    shown = publisher.run("pip-warden", "verify", *words, f"dist/{WHEEL}").stdout
    passed = _line(publisher, *words)["passed"]

    assert "passed" not in _line(publisher)
    assert [each["step"] for each in passed] == [1, 3, 4, 5, 6, 7, 8, 9, 10, 10, 10, 10]
    assert [each["found"] for each in passed if each["step_name"] == "policy"] == [
        f"source-repository {url}, the subject's own",
        "build-trigger push",
        f"source-repository {url}, as the command line demands",
        "annotation tag=v1.0",
    ]
    assert f"\n       6 evidence: {WHEEL}.sigstore.json (bundle)\n" in shown
    assert f"\n      10 policy: source-repository {url}, as the command line demands\n" in shown


def test_no_log_is_asked_for_what_is_only_shown(publisher: Publisher) -> None:
    """A detached signature lies there too; offline, its look-up would be an error."""
    _ready(publisher)
    line = _line(publisher, "--offline")

    assert (publisher.dist / f"{WHEEL}.sig").exists()
    assert line["unheard_evidence"] is None


def test_a_statement_that_cannot_be_read_takes_no_verdict_back(publisher: Publisher) -> None:
    """It lies next to a file with good evidence, and is only looked at for what it says."""
    _ready(publisher)
    (publisher.dist / f"{WHEEL}.notes.sigstore.json").mkdir()

    assert _line(publisher)["unheard_evidence"] == "unreadable-evidence"


def test_the_eleven_keys_of_the_tutorial_are_there_on_every_pipeline(publisher: Publisher) -> None:
    branch = publisher.sandbox.job(publisher.project, "main").variables() | {"GITLAB_CI": "true"}
    said = default_annotations(branch)

    assert said.keys() == ELEVEN
    assert said["tag"] == branch["CI_COMMIT_SHORT_SHA"] == branch["CI_COMMIT_SHA"][:8]
    assert default_annotations(publisher.job.variables())["tag"] == "v1.0"
    assert default_annotations({}) == {}
