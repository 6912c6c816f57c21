"""The components and what `ci init` writes, as pipelines of the sandbox's GitLab (`interop.runner`)."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from interop.runner import Pipeline
from pip_warden.sandbox import Project, Sandbox

ROOT = Path(__file__).parent.parent.parent
COMMIT = "0123456789abcdef0123456789abcdef01234567"
WHEEL = "acme_widgets-1.0.0-py3-none-any.whl"
EVIDENCE = {f"{WHEEL}.{kind}" for kind in ("sigstore.json", "slsa.sigstore.json", "sig", "crt")}
PUBLISHING = ["pip-warden-sign", "pip-warden-verify", "pip-warden-publish"]

pytestmark = pytest.mark.interop


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as made:
        yield made


@pytest.fixture
def project(sandbox: Sandbox) -> Project:
    return sandbox.project("acme/acme-widgets")


@pytest.fixture
def checkout(sandbox: Sandbox, tmp_path: Path) -> Path:
    """Return a publisher's checkout, with the components in it, which GitLab would fetch."""
    return checked_out("publisher", tmp_path / "publisher", sandbox)


def checked_out(example: str, directory: Path, sandbox: Sandbox) -> Path:
    """Copy an example, point its trust file at the sandbox, and make it a git repository."""
    shutil.copytree(ROOT / "examples" / example, directory)
    sandbox.write_trust(directory)
    digest = hashlib.sha256((directory / "trusted_root.json").read_bytes()).hexdigest()
    host = sandbox.gitlab_url.partition("://")[2]
    text = (directory / "pytrust.toml").read_text(encoding="utf-8")
    text = re.sub(r'(trusted-root-sha256 = )"[0-9a-f]+"', rf'\1"{digest}"', text)
    text = text.replace("https://gitlab.com/acme", f"https://{host}/acme").replace(
        "https://gitlab.com", sandbox.gitlab_url
    )
    (directory / "pytrust.toml").write_text(text, encoding="utf-8")
    (directory / "templates").mkdir()
    for path in (ROOT / "templates").iterdir():
        # What GitLab fills in for a component, and the runner does not know.
        filled = path.read_text(encoding="utf-8").replace("$[[ component.sha ]]", COMMIT)
        (directory / "templates" / path.name).write_text(
            filled.replace("  component: [sha]\n", ""), encoding="utf-8"
        )
    return directory


def committed(directory: Path, config: str | None = None) -> Path:
    """Commit all there is, with a pipeline."""
    if config is not None:
        (directory / ".gitlab-ci.yml").write_text(config, encoding="utf-8")
    me = ["-c", "user.email=ci@example.com", "-c", "user.name=CI", "-c", "commit.gpgsign=false"]
    for words in (
        ["init", "-q", "-b", "main"],
        ["add", "-A"],
        [*me, "commit", "-q", "-m", "A release"],
        ["remote", "add", "origin", "git@gitlab.example.com:acme/acme-widgets.git"],
    ):
        subprocess.run(["git", *words], cwd=directory, check=True, capture_output=True)
    return directory


BUILD = """
build:
  image: python:3.12
  script:
    - export PACKAGE_VERSION="${CI_COMMIT_TAG#v}"
    - export SOURCE_DATE_EPOCH="$(git log -1 --format=%ct)"
    - python -m build --no-isolation
  artifacts:
    paths: [dist/]

test:
  script: "true"
"""
CONFIG = "--trust-config trust_config.json"


def test_a_tag_is_signed_verified_published_and_verified_again(
    sandbox: Sandbox, project: Project, checkout: Path
) -> None:
    """Without any `stages:`: GitLab's own serve."""
    committed(
        checkout,
        f"""include:
  - local: templates/publish.yml
    inputs: {{install: "true", needs: [build, test], trust-config: trust_config.json}}
  - local: templates/verify.yml
    inputs: {{install: "true", release: "acme-widgets==$CI_COMMIT_TAG", source-revision: $CI_COMMIT_SHA}}
{BUILD}""",
    )
    pipeline = Pipeline.start(sandbox, project, checkout, tag="v1.0.0")
    jobs = pipeline.jobs

    assert list(jobs) == ["build", "test", *PUBLISHING, "pip-warden-verify-release"]
    assert [name for name in jobs if "id_tokens" in jobs[name]] == ["pip-warden-sign"]
    pipeline.passes()
    assert pipeline.artifacts("pip-warden-sign") >= {WHEEL, *EVIDENCE}
    assert pipeline.artifacts("pip-warden-verify") == set()
    assert sandbox.evidence(project, f"{WHEEL}.sigstore.json")


def test_a_branch_is_built_and_nothing_of_it_published(
    sandbox: Sandbox, project: Project, checkout: Path
) -> None:
    committed(
        checkout,
        f"""include:
  - local: templates/publish.yml
    inputs: {{install: "true", needs: [build, test]}}
  - local: templates/verify.yml
    inputs: {{install: "true", release: "acme-widgets==1.0.0"}}
  - local: templates/promote.yml
    inputs: {{install: "true", release: "acme-widgets==1.0.0", from: gitlab, to: gitlab}}
{BUILD}""",
    )
    pipeline = Pipeline.start(sandbox, project, checkout)

    assert list(pipeline.jobs) == ["build", "test"]
    pipeline.passes(CI_COMMIT_TAG="v1.0.0")


def test_two_includes_are_two_sets_of_jobs_and_of_artifacts(
    sandbox: Sandbox, project: Project, checkout: Path
) -> None:
    """With stages of one's own."""
    stages = "stage-sign: release, stage-verify: release, stage-publish: release"
    common = f'install: "true", needs: [build], trust-config: trust_config.json, {stages}'
    committed(
        checkout,
        f"""stages: [make, release]
include:
  - local: templates/publish.yml
    inputs: {{{common}, files: "dist/*.whl"}}
  - local: templates/publish.yml
    inputs: {{{common}, files: "dist/*.tar.gz",
      job-sign: sign-sdist, job-verify: verify-sdist, job-publish: publish-sdist}}
{BUILD.replace("script:", "stage: make" + chr(10) + "  script:")}""",
    )
    pipeline = Pipeline.start(sandbox, project, checkout, tag="v1.0.0")

    assert sorted(pipeline.jobs) == sorted(
        ["build", "test", *PUBLISHING, "sign-sdist", "verify-sdist", "publish-sdist"]
    )
    pipeline.passes()
    assert pipeline.artifacts("pip-warden-sign") >= {WHEEL, *EVIDENCE}
    assert not any("tar.gz" in name for name in pipeline.artifacts("pip-warden-sign"))
    assert not any("whl" in name for name in pipeline.artifacts("sign-sdist"))


def test_what_was_changed_after_it_was_signed_is_not_published(
    sandbox: Sandbox, project: Project, checkout: Path
) -> None:
    committed(
        checkout,
        f"""include:
  - local: templates/publish.yml
    inputs: {{install: "true", needs: [build, test], trust-config: trust_config.json}}
{BUILD}""",
    )
    pipeline = Pipeline.start(sandbox, project, checkout, tag="v1.0.0")
    pipeline.passes("build", "pip-warden-sign")
    pipeline.replace_artifact("pip-warden-sign", WHEEL, sandbox.wheel("acme-widgets", "1.0.0").data)
    code, said = pipeline.run("pip-warden-verify")

    assert (code, "[bad-signature]" in said) == (1, True), said
    assert pipeline.jobs["pip-warden-publish"]["needs"][-1]["job"] == "pip-warden-verify"


def test_a_release_is_promoted_by_the_component(
    sandbox: Sandbox, project: Project, checkout: Path, tmp_path: Path
) -> None:
    committed(
        checkout,
        f"""include:
  - local: templates/publish.yml
    inputs: {{install: "true", needs: [build, test], trust-config: trust_config.json}}
{BUILD}""",
    )
    Pipeline.start(sandbox, project, checkout, tag="v1.0.0").passes()
    release = sandbox.project("acme/release")
    project.allow_job_tokens(release)
    directory = checked_out("promotion", tmp_path / "promotion", sandbox)
    committed(
        directory,
        """include:
  - local: templates/promote.yml
    inputs:
      install: "true"
      release: acme-widgets==1.0.0
      from: gitlab
      from-project: acme/acme-widgets
      to: gitlab
      min-age: 0
      environment: production
      rules: [{if: $CI_COMMIT_BRANCH}]
""",
    )
    pipeline = Pipeline.start(sandbox, release, directory)

    assert pipeline.jobs["pip-warden-promote"]["environment"]["name"] == "production"
    pipeline.passes()
    assert any(file.name == WHEEL for package in release.record.packages for file in package.files)


def test_yaml_is_what_the_runner_and_we_read_alike(checkout: Path) -> None:
    for path in (ROOT / "templates").iterdir():
        assert len(list(yaml.safe_load_all(path.read_text(encoding="utf-8")))) == 2
