"""The pipelines of the examples and of this repository, run job by job by gitlab-ci-local (`interop.runner`).

The runner is a foreign program; GitLab is always the sandbox's, and so is Sigstore, except in the one test
that is named "real".
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pytest
import requests

from interop.runner import Pipeline
from interop.stack.places import TRUST, Port
from pins import trust_text
from pip_warden.sandbox import Project, Sandbox

ROOT = Path(__file__).parent.parent.parent
STAGES = ["build", "sign", "verify", "publish", "publish_signatures", "consumer_verification"]
WHEEL = "acme_widgets-1.0.0-py3-none-any.whl"

pytestmark = pytest.mark.interop


@dataclass(frozen=True, kw_only=True, slots=True)
class Example:
    """The publisher's checkout, and its project."""

    sandbox: Sandbox
    project: Project
    directory: Path

    def start(self, tag: str | None = None) -> Pipeline:
        """Start a pipeline for a tag, or for the default branch."""
        return start(self.sandbox, self.project, self.directory, tag=tag)


def start(
    sandbox: Sandbox, project: Project, directory: Path, tag: str | None = None, **always: str
) -> Pipeline:
    """Start a pipeline whose jobs have pip-warden already, and sign with the Sigstore of the checkout."""
    always |= {"PIP_WARDEN_INSTALL": "true", "SIGN_OPTIONS": "--trust-config trust_config.json"}
    return Pipeline.start(sandbox, project, directory, tag=tag, **always)


def upto(pipeline: Pipeline, last: str) -> None:
    """Run every stage up to one, each of which must pass."""
    pipeline.passes(*STAGES[: STAGES.index(last) + 1])


def checkout(
    example: str, directory: Path, sandbox: Sandbox, *, keep_require: bool = True, real: Path | None = None
) -> None:
    """Copy an example, point its trust file at the sandbox, and make it a git repository.

    Args:
        example: Its name.
        directory: The destination.
        sandbox: The GitLab, and the Sigstore unless there is another.
        keep_require: Whether the example's requirements on statements stay in its pin.
        real: Directory of the real Sigstore's trust material, to be used instead of the sandbox's.
    """
    shutil.copytree(ROOT / "examples" / example, directory)
    sandbox.write_trust(directory)
    if real is not None:
        for name in ("trusted_root.json", "trust_config.json"):
            assert (directory / name).exists()  # the sandbox's, which the example would use otherwise
            shutil.copyfile(real / name, directory / name)
    digest = hashlib.sha256((directory / "trusted_root.json").read_bytes()).hexdigest()
    host = sandbox.gitlab_url.partition("://")[2]
    text = (directory / "pytrust.toml").read_text(encoding="utf-8")
    text = re.sub(r'(trusted-root-sha256 = )"[0-9a-f]+"', rf'\1"{digest}"', text)
    text = text.replace("https://gitlab.com/acme", f"https://{host}/acme").replace(
        "https://gitlab.com", sandbox.gitlab_url
    )
    if not keep_require:
        text = text.partition("  [package.require]")[0]
    (directory / "pytrust.toml").write_text(text, encoding="utf-8")
    _commit(directory)


def _commit(directory: Path) -> None:
    me = ["-c", "user.email=ci@example.com", "-c", "user.name=CI", "-c", "commit.gpgsign=false"]
    for words in (["init", "-q", "-b", "main"], ["add", "-A"], [*me, "commit", "-q", "-m", "A release"]):
        subprocess.run(["git", *words], cwd=directory, check=True, capture_output=True)
    subprocess.run(
        ["git", "remote", "add", "origin", "git@gitlab.example.com:acme/acme-widgets.git"],
        cwd=directory,
        check=True,
    )


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as made:
        yield made


@pytest.fixture
def example(sandbox: Sandbox, tmp_path: Path) -> Example:
    project = sandbox.project("acme/acme-widgets")
    checkout("publisher", tmp_path / "publisher", sandbox)
    return Example(sandbox=sandbox, project=project, directory=tmp_path / "publisher")


@pytest.fixture
def pipeline(example: Example) -> Pipeline:
    return example.start()


@pytest.mark.parametrize("tag", [None, "v2.1"])
def test_the_six_stages_pass_on_a_branch_and_on_a_tag(example: Example, tag: str | None) -> None:
    pipeline = example.start(tag)
    upto(pipeline, "publish_signatures")
    code, said = pipeline.run("consumer_verification")

    assert (code, "accepted" in said) == (0, True), said
    assert [name for name, job in pipeline.jobs.items() if "id_tokens" in job] == ["sign"]


def test_the_six_stages_pass_against_the_real_sigstore(gitlab: Sandbox, tmp_path: Path) -> None:
    """Fulcio, Rekor v1 and the time stamps of `interop.stack`; the sandbox's Sigstore is not used."""
    project = gitlab.project("acme/acme-widgets")
    checkout("publisher", tmp_path / "publisher", gitlab, real=TRUST / "v1")
    upto(start(gitlab, project, tmp_path / "publisher", tag="v2.1"), "consumer_verification")
    bundle = gitlab.evidence(project, "acme_widgets-2.1-py3-none-any.whl.sigstore.json")
    (entry,) = json.loads(bundle)["verificationMaterial"]["tlogEntries"]
    logged = requests.get(
        f"{Port.REKOR1.url}/api/v1/log/entries?logIndex={entry['logIndex']}", timeout=10
    ).json()

    assert [item["body"] for item in logged.values()] == [entry["canonicalizedBody"]]


def test_a_consumer_and_a_promotion_follow(example: Example, sandbox: Sandbox, tmp_path: Path) -> None:
    upto(example.start("v1.0.0"), "publish")
    for name, path, stage in (
        ("promotion", "acme/release", "promote"),
        ("consumer", "acme/consumer", "consumer_verification"),
    ):
        project = sandbox.project(path)
        example.project.allow_job_tokens(project)
        checkout(name, tmp_path / name, sandbox)
        start(sandbox, project, tmp_path / name).passes(stage)


def test_an_empty_dist_turns_sign_red(pipeline: Pipeline) -> None:
    code, said = pipeline.run("sign")

    assert code != 0
    assert "[no-such-file]" in said or "[nothing-to-sign]" in said


def test_a_file_changed_between_sign_and_verify_turns_verify_red(pipeline: Pipeline) -> None:
    upto(pipeline, "sign")
    pipeline.replace_artifact("sign", WHEEL, pipeline.sandbox.wheel("acme-widgets", "1.0.0").data)
    code, said = pipeline.run("verify")

    assert (code != 0, "[bad-signature]" in said) == (True, True), said


def test_a_signature_replaced_after_publishing_turns_consumer_verification_red(example: Example) -> None:
    pipeline, sandbox = example.start(), example.sandbox
    upto(pipeline, "publish_signatures")
    other = sandbox.sign(sandbox.wheel("other", "1.0"), pipeline.first)
    for row in ("sigstore.json", "slsa.sigstore.json", "slsa.attestation", "sig", "crt"):
        sandbox.replace_evidence(example.project, f"{WHEEL}.{row}", next(iter(other.values())))
    code, said = pipeline.run("consumer_verification")

    assert (code != 0, f"{WHEEL} refused[" in said) == (True, True), said


def test_a_tag_pipeline_against_a_branch_only_pin_turns_verify_red(example: Example) -> None:
    file = example.directory / "pytrust.toml"
    text = file.read_text(encoding="utf-8")
    tag, branch = text.split("  [[package.identity]]")[1:]
    assert "refs/tags" in tag
    assert "refs/heads" in branch
    file.write_text(text.replace(f"  [[package.identity]]{tag}", ""), encoding="utf-8")
    tagged = example.start("v1.0.0")
    upto(tagged, "sign")
    code, said = tagged.run("verify")

    assert (code != 0, "[identity-mismatch]" in said) == (True, True), said


def test_the_provenance_names_the_job_that_built_and_a_pin_can_demand_that_it_signed(
    pipeline: Pipeline,
) -> None:
    upto(pipeline, "sign")
    building = json.loads(pipeline.artifact("build", "build-info.json"))["job_url"]
    bundle = json.loads(pipeline.artifact("sign", f"{WHEEL}.slsa.sigstore.json"))
    statement = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))

    assert statement["predicate"]["runDetails"]["metadata"]["invocationId"] == building
    assert pipeline.run("verify")[0] == 0
    file = pipeline.directory / "pytrust.toml"
    text = file.read_text(encoding="utf-8")
    demand = "[package.require]\n  confirmed-build = true"
    file.write_text(text.replace("[package.require]", demand), encoding="utf-8")
    code, said = pipeline.run("verify")
    assert (code != 0, "[build-not-confirmed]" in said) == (True, True), said


def test_a_build_info_of_another_commit_is_not_signed(pipeline: Pipeline) -> None:
    assert pipeline.run("build", CI_COMMIT_SHA="0" * 40)[0] == 0
    code, said = pipeline.run("sign")

    assert (code != 0, "[build-info-mismatch]" in said) == (True, True), said


def test_a_commit_in_the_provenance_that_is_not_the_certificates_turns_verify_red(pipeline: Pipeline) -> None:
    forged = "0" * 40
    assert pipeline.run("build", CI_COMMIT_SHA=forged)[0] == 0
    assert pipeline.run("sign", CI_COMMIT_SHA=forged)[0] == 0
    code, said = pipeline.run("verify")

    assert (code != 0, "[provenance-mismatch]" in said) == (True, True), said


def test_this_repositorys_own_pipeline(sandbox: Sandbox, tmp_path: Path) -> None:
    """Build, sign, verify, publish and verify pip-warden itself with pip-warden."""
    directory = tmp_path / "self"
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    for name in filter(None, names):
        target = directory / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, target)
    sandbox.write_trust(directory)
    project, release = sandbox.project("acme/pip-warden"), sandbox.project("acme/release")
    project.allow_job_tokens(release)
    release.allow_job_tokens(project)
    job = sandbox.job(project, tag=f"v{version('pip-warden')}")
    for name, registry in (("pytrust.toml", "acme/pip-warden"), ("release.toml", "acme/release")):
        (directory / name).write_text(_own_trust(directory, sandbox, registry, job.san), encoding="utf-8")
    _commit(directory)
    branch = start(sandbox, project, directory)
    assert list(branch.jobs) == ["test", "build"]
    tag = f"v{version('pip-warden')}"
    assert list(start(sandbox, project, directory, tag).jobs) == ["test", *STAGES]
    pipeline = start(sandbox, project, directory, tag, PROMOTE_TRUST="release.toml")
    upto(pipeline, "consumer_verification")
    token = sandbox.token(scopes=("api",))  # a job token may not write to another project
    pipeline.passes("promote", GITLAB_TOKEN=token, GITLAB_URL=sandbox.gitlab_url)

    assert any(file.name.endswith(".whl") for package in release.record.packages for file in package.files)


def _own_trust(directory: Path, sandbox: Sandbox, registry: str, subject: str) -> str:
    digest = hashlib.sha256((directory / "trusted_root.json").read_bytes()).hexdigest()
    return trust_text(
        root_sha256=digest,
        issuer=sandbox.issuer,
        url=sandbox.gitlab_url,
        registry=registry,
        subject=subject,
        name="pip-warden",
        source="gitlab",
    )
