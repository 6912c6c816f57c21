"""The components and what `ci init` writes, as pipelines of the sandbox's GitLab (`interop.runner`)."""

from __future__ import annotations

import copy
import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

from interop.runner import Pipeline
from pip_warden.sandbox import Project, Sandbox
from pipelines.reading import Component

ROOT = Path(__file__).parent.parent.parent
COMMIT = "0123456789abcdef0123456789abcdef01234567"
WHEEL = "acme_widgets-1.0.0-py3-none-any.whl"
EVIDENCE = {f"{WHEEL}.{kind}" for kind in ("sigstore.json", "slsa.sigstore.json", "sig", "crt")}
PUBLISHING = ["pip-warden-sign", "pip-warden-verify", "pip-warden-publish"]
PUBLISHED = "pip-warden-publish-report"
VERIFYING = ["pip-warden-verify-release", "pip-warden-verify-report"]
REPORTS = {"pip-warden.junit.xml", "pip-warden.sarif", "pip-warden.html"}


def reports(*gates: str) -> set[str]:
    """Return the files that a job publishes of what gates have left."""
    return {name.replace("pip-warden", f"pip-warden-{gate}") for gate in gates for name in REPORTS}


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

    assert list(jobs) == ["build", "test", *PUBLISHING, PUBLISHED, *VERIFYING]
    assert [name for name in jobs if "id_tokens" in jobs[name]] == ["pip-warden-sign"]
    pipeline.passes()
    assert pipeline.artifacts("pip-warden-sign") >= {WHEEL, *EVIDENCE}
    assert pipeline.artifacts("pip-warden-verify") == reports("verify")
    assert pipeline.artifacts(PUBLISHED) == reports("verify", "publish")
    assert b'failures="0"' in pipeline.artifact(PUBLISHED, "pip-warden-publish.junit.xml")
    assert pipeline.artifacts("pip-warden-verify-report") == REPORTS
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
      job-sign: sign-sdist, job-verify: verify-sdist, job-publish: publish-sdist, job-report: report-sdist}}
{BUILD.replace("script:", "stage: make" + chr(10) + "  script:")}""",
    )
    pipeline = Pipeline.start(sandbox, project, checkout, tag="v1.0.0")

    second = ["sign-sdist", "verify-sdist", "publish-sdist", "report-sdist"]
    assert sorted(pipeline.jobs) == sorted(["build", "test", *PUBLISHING, PUBLISHED, *second])
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
    pipeline.passes(PUBLISHED)  # which needs no gate to have passed, or to have run
    assert pipeline.artifacts(PUBLISHED) == reports("verify")
    assert b"bad-signature" in pipeline.artifact(PUBLISHED, "pip-warden-verify.junit.xml")


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
    assert pipeline.artifacts("pip-warden-promote-report") == reports("promote")
    assert any(file.name == WHEEL for package in release.record.packages for file in package.files)


PAGE = (ROOT / "docs" / "components.md").read_text(encoding="utf-8")
EXAMPLES = [yaml.safe_load(text) for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)]


def _runnable(example: dict[str, Any], **inputs: str) -> str:
    """Return an example of the page without what a network is needed for, and for the sandbox's Sigstore."""
    config = copy.deepcopy(example)
    for each in config["include"]:
        name = each.pop("component").partition("@")[0].rpartition("/")[2]
        each["local"] = f"templates/{name}.yml"
        each["inputs"] |= {"install": "true"} | (inputs if name != "verify" else {})
    if "build" in config:
        config["build"].pop("before_script", None)
        config["build"]["script"] = [
            line.replace("python -m build", "python -m build --no-isolation")
            for line in config["build"]["script"]
        ]
    return yaml.safe_dump(config, sort_keys=False)


def test_the_publisher_of_the_page(sandbox: Sandbox, project: Project, checkout: Path) -> None:
    committed(checkout, _runnable(EXAMPLES[0], **{"trust-config": "trust_config.json"}))
    branch = Pipeline.start(sandbox, project, checkout)

    assert list(branch.jobs) == ["build", "test"]
    branch.passes()
    tagged = Pipeline.start(sandbox, project, checkout, tag="v1.0.0")
    tagged.passes()
    assert list(tagged.jobs)[-2:] == VERIFYING


def test_the_two_packages_of_the_page(sandbox: Sandbox, project: Project, checkout: Path) -> None:
    committed(checkout, _runnable(EXAMPLES[2], **{"trust-config": "trust_config.json"}))
    pipeline = Pipeline.start(sandbox, project, checkout, tag="v1.0.0")
    pipeline.passes()

    assert len(pipeline.jobs) == 9
    assert sandbox.evidence(project, "acme_widgets-1.0.0.tar.gz.sigstore.json")


def test_what_ci_init_writes_publishes_promotes_and_installs(
    sandbox: Sandbox, project: Project, checkout: Path, tmp_path: Path
) -> None:
    """And the registry of releases of the page."""
    releases, consumers = sandbox.project("acme/release"), sandbox.project("acme/consumer")
    project.allow_job_tokens(releases)
    project.allow_job_tokens(consumers)
    committed(checkout, written("publisher", checkout))
    always = {"WARDEN_TRUST_CONFIG": "trust_config.json", "BUILD_OPTIONS": "--no-isolation"}
    branch = Pipeline.start(sandbox, project, checkout, **always, PACKAGE_VERSION="1.0.0")
    assert list(branch.jobs) == ["build"]
    branch.passes()
    tagged = Pipeline.start(sandbox, project, checkout, tag="v1.0.0", **always)
    assert list(tagged.jobs) == ["build", *PUBLISHING, PUBLISHED, *VERIFYING]
    tagged.passes()

    consumer = checked_out("consumer", tmp_path / "consumer", sandbox)
    committed(consumer, written("consumer", consumer))
    installed = Pipeline.start(sandbox, consumers, consumer)
    installed.passes()
    assert installed.artifacts("report") == REPORTS

    promotion = checked_out("promotion", tmp_path / "promotion", sandbox)
    committed(promotion, written("promotion", promotion))
    chosen = {"WARDEN_RELEASE": "acme-widgets==1.0.0", "WARDEN_FROM_PROJECT": "acme/acme-widgets"}
    Pipeline.start(sandbox, releases, promotion, **chosen, **always).passes()
    assert any(file.name == WHEEL for package in releases.record.packages for file in package.files)

    (promotion / ".gitlab-ci.yml").write_text(
        _runnable(EXAMPLES[1], **{"trust-config": "trust_config.json"}), encoding="utf-8"
    )
    assert list(Pipeline.start(sandbox, releases, promotion).jobs) == []
    Pipeline.start(sandbox, releases, promotion, RELEASE="1.0.0").passes()


def written(kind: str, directory: Path) -> str:
    """Have the pipeline written, and return it with nothing to be installed: the runner's PATH has it."""
    (directory / ".gitlab-ci.yml").unlink()
    program = Path(sys.executable).parent / "pip-warden"
    subprocess.run([program, "ci", "init", kind], cwd=directory, check=True, capture_output=True)
    config = yaml.safe_load((directory / ".gitlab-ci.yml").read_text(encoding="utf-8"))
    installing = config[".pip-warden"]["before_script"]
    assert len(installing) == 2
    for job in config.values():
        if "before_script" in job:
            job["before_script"] = [line for line in job["before_script"] if line not in installing]
    return yaml.safe_dump(config, sort_keys=False)


def test_the_install_of_a_component_brings_its_own_commit(tmp_path: Path) -> None:
    """From a clone of this repository, with what it needs from the index, by hash."""
    install = Component.read("publish").inputs["install"]["default"]
    source = tmp_path / "source"
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    for name in filter(None, names):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, source / name)
    committed(source)
    (source / "src/pip_warden/errors.py").write_text("raise SystemExit", encoding="utf-8")
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=source, check=True, capture_output=True, text=True
    ).stdout.strip()
    later = ["-c", "user.email=ci@example.com", "-c", "user.name=CI", "commit", "-qam", "Something else"]
    subprocess.run(["git", *later], cwd=source, check=True)
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "env"], check=True)
    environment = {
        "PATH": f"{tmp_path / 'env' / 'bin'}:{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "CI_SERVER_URL": "https://gitlab.example.com",
        "CI_JOB_TOKEN": "none",
        "WARDEN_SOURCE": source.as_uri(),
        "WARDEN_COMMIT": head,
    } | {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    script = f"{install}; pip-warden --version; pip-warden ci init publisher"
    result = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )

    assert result.returncode == 0, result.stderr
    assert f"version {version('pip-warden')}" in result.stdout
