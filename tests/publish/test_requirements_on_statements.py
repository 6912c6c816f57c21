"""What a pin can require of provenance and annotations, and that no foreign statement meets it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from builds import changed
from documents import described
from pip_warden.digests import digest_of
from pip_warden.publish.build_info import this_job
from pip_warden.publish.provenance import ANNOTATIONS as WRITTEN
from pip_warden.publish.provenance import provenance
from pip_warden.sandbox import File
from pip_warden.verdict.attested import ANNOTATIONS as READ
from publish.conftest import Publisher, pin_text

WHEEL = "acme_widgets-1.0-py3-none-any.whl"


def _pin(publisher: Publisher, require: str) -> None:
    text = pin_text(publisher, "acme/acme-widgets", require=require)
    (publisher.directory / "pytrust.toml").write_text(text, encoding="utf-8")


def _verify(publisher: Publisher, *words: str) -> tuple[int, str]:
    result = publisher.run("pip-warden", "verify", "--format", "json", *words, f"dist/{WHEEL}")
    document = described(result.stdout)
    line = document["files"][0] if document.get("files") else {}
    return result.returncode, line.get("refused", {}).get("code", line.get("outcome", document))


SLSA = "https://slsa.dev/provenance/v1"
PROVENANCE = f'provenance = "{SLSA}"'


def test_the_reader_and_the_writer_of_annotations_mean_the_same_type() -> None:
    assert WRITTEN == READ


def test_provenance_that_agrees_with_its_certificate_is_accepted(publisher: Publisher) -> None:
    _pin(publisher, PROVENANCE)
    assert publisher.sign(f"dist/{WHEEL}").returncode == 0
    assert _verify(publisher) == (1, "provenance-missing")
    assert publisher.attest(f"dist/{WHEEL}").returncode == 0

    assert _verify(publisher) == (0, "accepted")
    assert _verify(publisher, "--source-revision", publisher.job.variables()["CI_COMMIT_SHA"]) == (
        0,
        "accepted",
    )
    assert _verify(publisher, "--source-revision", "0" * 40) == (1, "source-revision-mismatch")


def _evil(publisher: Publisher) -> dict[str, str]:
    """Return the variables of a job of another project, all of them overridden alike."""
    url = f"{publisher.sandbox.gitlab_url}/evil/fork"
    return {"CI_PROJECT_URL": url, "CI_JOB_URL": f"{url}/-/jobs/{publisher.job.variables()['CI_JOB_ID']}"}


@pytest.mark.parametrize(
    "forged",
    [
        {"CI_COMMIT_SHA": "0" * 40},
        {"CI_COMMIT_REF_NAME": "v2.0"},
        {"CI_COMMIT_TAG": ""},
        {"CI_PIPELINE_SOURCE": "schedule"},
        {"CI_CONFIG_REF_URI": "", "CI_CONFIG_PATH": "evil.yml"},
        {"CI_CONFIG_SHA": "0" * 40},
        None,
    ],
    ids=str,
)
def test_provenance_of_another_build_than_the_certificates_is_refused(
    publisher: Publisher, forged: dict[str, str] | None
) -> None:
    _pin(publisher, PROVENANCE)
    publisher.sign(f"dist/{WHEEL}")
    forged = _evil(publisher) if forged is None else forged
    assert publisher.attest(f"dist/{WHEEL}", **forged).returncode == 0

    assert _verify(publisher) == (1, "provenance-mismatch")


def _predicate(publisher: Publisher) -> Any:
    """Return the provenance that the job would make."""
    return provenance(this_job(publisher.job.variables(), now=datetime.now(UTC)))


def _attest_own(publisher: Publisher, predicate: object, type_: str = SLSA) -> None:
    (publisher.directory / "p.json").write_text(json.dumps(predicate), encoding="utf-8")
    own = ["--predicate", "p.json", "--predicate-type", type_, "--kind", "slsa"]
    assert publisher.attest(*own, f"dist/{WHEEL}").returncode == 0


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("buildDefinition.resolvedDependencies", [], (1, "provenance-mismatch")),
        ("buildDefinition.externalParameters.more", "x", (1, "provenance-mismatch")),
        ("buildDefinition.buildType", ..., (1, "provenance-mismatch")),
        ("buildDefinition.externalParameters", ..., (1, "provenance-mismatch")),
        ("runDetails", ..., (1, "provenance-mismatch")),
        ("runDetails.builder.id", "https://evil.example.com/-/runners", (1, "provenance-mismatch")),
        ("runDetails.metadata.invocationId", "https://evil.example.com/-/jobs/1", (1, "provenance-mismatch")),
        ("runDetails.byproducts", [], (0, "accepted")),
    ],
)
def test_provenance_that_differs_in_one_place(
    publisher: Publisher, path: str, value: Any, expected: tuple[int, str]
) -> None:
    _pin(publisher, PROVENANCE)
    publisher.sign(f"dist/{WHEEL}")
    _attest_own(publisher, changed(_predicate(publisher), path, value))

    assert _verify(publisher) == expected


def _another_job(publisher: Publisher) -> dict[str, str]:
    return {"CI_JOB_ID": "70", "CI_JOB_URL": f"{publisher.job.variables()['CI_PROJECT_URL']}/-/jobs/70"}


def test_the_build_info_of_the_signing_job_itself_is_not_taken(publisher: Publisher) -> None:
    """Another job's build code could have given itself its number, and be taken for confirmed."""
    assert publisher.run("pip-warden", "build-info", "-o", "b.json").returncode == 0
    refused = publisher.attest("--build-info", "b.json", f"dist/{WHEEL}")

    assert (refused.returncode, "[build-info-mismatch]" in refused.stderr) == (1, True), refused.stderr
    assert "Leave --build-info out" in refused.stderr
    assert [path.name for path in publisher.dist.glob("*.slsa.*")] == []


def test_a_build_in_another_job_is_stated_by_the_job_that_signs(publisher: Publisher) -> None:
    """And where the pin demands that the certified job itself built it, that is not enough."""
    built = _another_job(publisher) | {"SIGSTORE_ID_TOKEN": ""}
    assert publisher.run("pip-warden", "build-info", "-o", "b.json", **built).returncode == 0
    publisher.sign(f"dist/{WHEEL}")
    assert publisher.attest("--build-info", "b.json", f"dist/{WHEEL}").returncode == 0

    _pin(publisher, PROVENANCE)
    assert _verify(publisher) == (0, "accepted")
    _pin(publisher, f"{PROVENANCE}\n  confirmed-build = true")
    assert _verify(publisher) == (1, "build-not-confirmed")


def test_a_job_that_builds_and_signs_is_confirmed(publisher: Publisher) -> None:
    publisher.sign(f"dist/{WHEEL}")
    told = publisher.attest(f"dist/{WHEEL}")

    assert (told.returncode, "--build-info FILE" in told.stderr) == (0, True)
    _pin(publisher, f"{PROVENANCE}\n  confirmed-build = true")
    assert _verify(publisher) == (0, "accepted")


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"CI_COMMIT_SHA": "0" * 40}, "build-info-mismatch"),
        ({"CI_PIPELINE_ID": "1"}, "build-info-mismatch"),
        (None, "build-info-mismatch"),
    ],
)
def test_the_build_of_another_pipeline_is_not_attested(
    publisher: Publisher, changes: dict[str, str] | None, code: str
) -> None:
    changes = _evil(publisher) if changes is None else {**_another_job(publisher), **changes}
    assert publisher.run("pip-warden", "build-info", "-o", "b.json", **changes).returncode == 0

    refused = publisher.attest("--build-info", "b.json", f"dist/{WHEEL}")

    assert (refused.returncode, f"[{code}]" in refused.stderr) == (1, True), refused.stderr
    assert [path.name for path in publisher.dist.glob("*.slsa.*")] == []


def test_a_build_info_that_is_none_is_told_before_anything_is_signed(publisher: Publisher) -> None:
    (publisher.directory / "b.json").write_text("{}", encoding="utf-8")

    refused = publisher.attest("--build-info", "b.json", f"dist/{WHEEL}")
    assert (refused.returncode, "[bad-build-info]" in refused.stderr) == (2, True), refused.stderr
    own = ["--predicate", "b.json", "--predicate-type", SLSA, "--build-info", "b.json"]
    refused = publisher.attest(*own, f"dist/{WHEEL}")
    assert (refused.returncode, "[predicate-options]" in refused.stderr) == (2, True), refused.stderr
    outside = publisher.run("pip-warden", "build-info", "-o", "c.json", CI_JOB_ID="", CI_PROJECT_ID="")
    assert (outside.returncode, "CI_PROJECT_ID, CI_JOB_ID" in outside.stderr) == (2, True), outside.stderr
    assert not (publisher.directory / "c.json").exists()


def test_provenance_of_slsa_v0_2_is_not_v1(publisher: Publisher) -> None:
    _pin(publisher, PROVENANCE)
    publisher.sign(f"dist/{WHEEL}")
    _attest_own(publisher, {"buildType": "x", "builder": {"id": "x"}}, "https://slsa.dev/provenance/v0.2")

    assert _verify(publisher) == (1, "provenance-missing")
    said = publisher.run("pip-warden", "verify", f"dist/{WHEEL}").stderr
    assert "https://slsa.dev/provenance/v0.2" in said


def test_annotations_are_demanded_by_the_pin_and_on_the_command_line(publisher: Publisher) -> None:
    _pin(publisher, 'annotations = { tag = "v{version}" }')
    publisher.sign(f"dist/{WHEEL}")
    assert _verify(publisher) == (1, "annotation-missing")
    assert publisher.attest("--annotation", "reviewed=yes", f"dist/{WHEEL}").returncode == 0

    assert _verify(publisher) == (0, "accepted")
    assert _verify(publisher, "--annotation", "reviewed=yes") == (0, "accepted")
    assert _verify(publisher, "--annotation", "reviewed=no") == (1, "annotation-mismatch")
    assert _verify(publisher, "--annotation", "audited=yes") == (1, "annotation-missing")


@pytest.mark.parametrize("command", [("verify", f"dist/{WHEEL}"), ("verify-release", "acme-widgets==1.0")])
@pytest.mark.parametrize("pinned_too", [True, False])
def test_a_demand_on_what_is_pinned_by_hash_is_refused(
    publisher: Publisher, command: tuple[str, ...], pinned_too: bool
) -> None:
    """Nothing of its signer is looked at, whatever it attests: a demand cannot be met."""
    (publisher.dist / "acme_widgets-1.0.tar.gz").unlink()
    wheel = (publisher.dist / WHEEL).read_bytes()
    publisher.sign(f"dist/{WHEEL}")
    publisher.attest("--annotation", "reviewed=yes", f"dist/{WHEEL}")
    publisher.sandbox.put_files(publisher.project, [File(name=WHEEL, data=wheel)])
    by_identity = pin_text(publisher, "acme/acme-widgets")
    by_hash = (
        '[[package]]\nname = "acme-widgets"\nsource = "acme"\nproject = "acme/acme-widgets"\n'
        f'version = "1.0"\nreason = "reviewed"\nsha256 = {{ "{WHEEL}" = "{digest_of(wheel)}" }}\n'
    )
    text = by_identity if pinned_too else by_identity.partition("[[package]]")[0]
    (publisher.directory / "pytrust.toml").write_text(text + by_hash, encoding="utf-8")
    token = publisher.sandbox.token(scopes=("api",))

    def verified(*words: str) -> tuple[int, str]:
        run = publisher.run("pip-warden", *command, "--format", "json", *words, GITLAB_TOKEN=token)
        (line,) = described(run.stdout)["files"]
        return run.returncode, line.get("refused", {}).get("code", line["outcome"])

    assert verified() == (0, "accepted")
    commit = publisher.job.variables()["CI_COMMIT_SHA"]
    repository = publisher.job.variables()["CI_PROJECT_URL"]
    for words in (
        ("--annotation", "reviewed=yes"),
        ("--require-annotation", "reviewed=yes"),
        ("--source-revision", commit),
        ("--source-repository", repository),
        ("--require-provenance",),
    ):
        assert verified(*words) == (1, "demand-on-hash-pin")


def test_a_command_line_demands_more_than_the_pin_and_replaces_nothing(publisher: Publisher) -> None:
    repository = publisher.job.variables()["CI_PROJECT_URL"]
    _pin(publisher, f'source-repository = "{repository}"')
    publisher.sign(f"dist/{WHEEL}")
    here, elsewhere = ("--source-repository", repository), ("--source-repository", "https://gitlab.com/a/b")

    assert _verify(publisher, *here) == (0, "accepted")
    assert _verify(publisher, *elsewhere) == (1, "source-repository-mismatch")
    assert _verify(publisher, "--require-provenance") == (1, "provenance-missing")
    assert _verify(publisher, "--require-annotation", "reviewed=yes") == (1, "annotation-missing")
    publisher.attest("--annotation", "reviewed=yes", f"dist/{WHEEL}")
    both = (*here, "--require-provenance", "--require-annotation", "reviewed=yes")
    assert _verify(publisher, *both) == (0, "accepted")
    assert _verify(publisher, "--require-annotation", "reviewed=no", *both) == (1, "annotation-mismatch")
    assert _verify(publisher, *both, "--annotation", "audited=yes") == (1, "annotation-missing")
    for words, code in (
        (("--source-repository", f"{repository}.git"), "bad-source-repository"),
        ((*here, *elsewhere), "bad-source-repository"),
        (("--require-annotation", "reviewed"), "bad-annotation"),
    ):
        run = publisher.run("pip-warden", "verify", "--format", "json", *words, f"dist/{WHEEL}")
        assert (run.returncode, described(run.stdout)["error"]["code"]) == (2, code)


def test_t55_another_identitys_statement_does_not_count(publisher: Publisher) -> None:
    _pin(publisher, PROVENANCE)
    publisher.sign(f"dist/{WHEEL}")
    stranger = publisher.sandbox.job(publisher.sandbox.project("acme/other"), tag="v1.0")
    job = stranger.variables() | {"SIGSTORE_ID_TOKEN": stranger.id_token()}
    assert publisher.attest(f"dist/{WHEEL}", **job).returncode == 0

    assert _verify(publisher) == (1, "provenance-missing")


def test_t13_a_changed_statement_beside_a_good_signature_is_refused(publisher: Publisher) -> None:
    _pin(publisher, PROVENANCE)
    publisher.sign(f"dist/{WHEEL}")
    publisher.attest(f"dist/{WHEEL}")
    for path in [*publisher.dist.glob("*.slsa.*")]:
        if path.name.endswith("attestation"):
            path.unlink()
        else:
            _flip(path)

    assert _verify(publisher) == (1, "provenance-missing")


def _flip(path: Path) -> None:
    document = json.loads(path.read_bytes())
    signature = document["dsseEnvelope"]["signatures"][0]
    signature["sig"] = (
        signature["sig"][:20] + ("A" if signature["sig"][20] != "A" else "B") + signature["sig"][21:]
    )
    path.write_text(json.dumps(document), encoding="utf-8")
