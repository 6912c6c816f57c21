"""The pipelines of images (`interop.runner`): that of the gating seed, the example's, and the component's.

The images are made by `interop.engine`, which no engine and no privileges are needed for.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from interop import engine
from interop.runner import Pipeline
from interop.test_components import EXAMPLES, checked_out, committed, reports, written
from pip_warden.sandbox import Project, Sandbox

ROOT = Path(__file__).parents[2]
(SEED,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/seeds.md").read_text(encoding="utf-8"), re.DOTALL)
ALWAYS = {"PIP_WARDEN_INSTALL": "true", "TRUST_CONFIG": "trust_config.json"}

pytestmark = pytest.mark.interop


@pytest.fixture
def sandbox(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A GitLab, and an engine that builds images for its jobs."""
    monkeypatch.setenv("PATH", f"{engine.install(tmp_path / 'bin')}:{os.environ['PATH']}")
    with Sandbox() as made:
        yield made


@pytest.fixture
def project(sandbox: Sandbox) -> Project:
    return sandbox.project("acme/app")


@pytest.fixture
def checkout(sandbox: Sandbox, tmp_path: Path) -> Path:
    """Return the example's checkout, pinned to the sandbox, with the components in it."""
    directory = checked_out("image", tmp_path / "image", sandbox)
    _edit(directory / "pytrust.toml", "registry.gitlab.com", sandbox.registry_host)
    return directory


def _edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@dataclass(frozen=True, kw_only=True, slots=True)
class Seed:
    """The pipeline of `docs/seeds.md`, on the default branch."""

    pipeline: Pipeline
    project: Project

    @property
    def tags(self) -> dict[str, str]:
        return self.pipeline.sandbox.image_tags(self.project)

    @property
    def tag(self) -> str:
        return self.pipeline.first.variables()["CI_COMMIT_SHORT_SHA"]

    def put(self, digest: str | None, tag: str | None = None) -> None:
        self.pipeline.sandbox.retag(self.project, tag or self.tag, digest)

    def red(self, job: str, code: str, **variables: str) -> None:
        _red(self.pipeline, job, code, **variables)
        assert "latest" not in self.tags

    @contextmanager
    def edited(self, name: str, old: str, new: str) -> Iterator[None]:
        """Change a file of the checkout for a while."""
        path = self.pipeline.directory / name
        _edit(path, old, new)
        yield
        _edit(path, new, old)


@pytest.fixture
def seed(sandbox: Sandbox, project: Project, checkout: Path) -> Seed:
    trust = checkout / "pytrust.toml"
    _edit(trust, "refs/tags/{tag}", "refs/heads/main")
    _edit(trust, '  annotations = { tag = "{tag}" }\n', "")  # latest is no tag that anybody signs
    pipeline = Pipeline.start(sandbox, project, committed(checkout, SEED), **ALWAYS)
    return Seed(pipeline=pipeline, project=project)


def test_each_broken_step_of_the_gating_seed_turns_the_gate_red_and_a_whole_one_is_promoted(
    seed: Seed, sandbox: Sandbox
) -> None:
    pipeline = seed.pipeline
    pipeline.passes("image-build")
    built, other = seed.tags[seed.tag], sandbox.push_image(seed.project, sandbox.image({"evil": "1"}))
    seed.red("validate", "no-evidence")
    pipeline.passes("sign")
    seed.red("validate", "provenance-missing")
    pipeline.passes("attest")
    seed.red("validate", "source-revision-mismatch", CI_COMMIT_SHA="0" * 40)
    seed.red("validate", "source-repository-mismatch", CI_PROJECT_URL="https://gitlab.example.com/acme/app")
    with seed.edited("pytrust.toml", "refs/heads/main", "refs/heads/release"):
        seed.red("validate", "identity-mismatch")
    seed.put(other)
    seed.red("validate", "no-evidence")
    assert pipeline.run("tag-latest")[0] != 0  # it has nothing of the gate's
    seed.put(built)
    pipeline.passes("validate", "tag-latest")

    assert seed.tags["latest"] == built
    assert pipeline.artifact("validate", "digest.txt").decode().strip() == built
    assert [name for name, job in pipeline.jobs.items() if "id_tokens" in job] == ["sign", "attest"]


def test_what_changes_after_the_gate_of_the_seed_turns_promotion_red(seed: Seed, sandbox: Sandbox) -> None:
    """The image under the tag, its evidence, its pin; and a target that nobody pinned."""
    seed.pipeline.passes("image-build", "sign", "attest", "validate")
    built, other = seed.tags[seed.tag], sandbox.push_image(seed.project, sandbox.image({"evil": "1"}))
    fallback = built.replace(":", "-")
    evidence = seed.tags[fallback]
    seed.put(other)
    seed.red("tag-latest", "image-tag-moved")
    seed.put(built)
    seed.put(None, fallback)
    seed.red("tag-latest", "no-evidence")
    seed.put(evidence, fallback)
    with seed.edited("pytrust.toml", "refs/heads/main", "refs/heads/release"):
        seed.red("tag-latest", "identity-mismatch")
    with seed.edited(".gitlab-ci.yml", '_IMAGE:latest"', '_IMAGE/elsewhere:latest"'):
        seed.red("tag-latest", "not-promotable")


def _red(pipeline: Pipeline, job: str, code: str, **variables: str) -> None:
    exit_code, said = pipeline.run(job, **variables)

    assert (exit_code != 0, f"[{code}]" in said) == (True, True), said


def test_the_example_is_built_signed_gated_and_promoted_in_the_pipeline_of_a_tag(
    sandbox: Sandbox, project: Project, checkout: Path
) -> None:
    committed(checkout)
    pipeline = Pipeline.start(sandbox, project, checkout, tag="v1.0.0", **ALWAYS)
    pipeline.passes("build")
    built = sandbox.image_tags(project, name="build")["v1.0.0"]
    sandbox.push_image(project, sandbox.image({"evil": "1"}), "v1.0.0", name="build")
    _red(pipeline, "sign", "image-tag-moved")
    sandbox.retag(project, "v1.0.0", built, name="build")
    pipeline.passes("sign", "consumer_verification", "promote")

    assert [name for name, job in pipeline.jobs.items() if "id_tokens" in job] == ["sign"]
    assert sandbox.image_tags(project)["v1.0.0"] == built
    assert built.replace(":", "-") in sandbox.image_tags(project)  # its evidence came along


DEPLOY = """
deploy:
  stage: deploy
  needs: [pip-warden-image-verify, pip-warden-image-promote]
  script:
    - echo "deploying $IMAGE_DIGEST"
"""


def test_the_component_of_the_page_promotes_and_tells_the_digest(
    sandbox: Sandbox, project: Project, checkout: Path
) -> None:
    example = next(each for each in EXAMPLES if "image@" in each["include"][0]["component"])
    (included,) = example["include"]
    included["local"] = f"templates/{included.pop('component').rpartition('/')[2].partition('@')[0]}.yml"
    included["inputs"] |= {"install": "true", "trust-config": "trust_config.json"}
    committed(checkout, yaml.safe_dump(example, sort_keys=False) + DEPLOY)
    pipeline = Pipeline.start(sandbox, project, checkout, tag="v1.0.0")
    jobs = ["pip-warden-image-sign", "pip-warden-image-verify", "pip-warden-image-promote"]

    told = "pip-warden-image-report"
    assert sorted(pipeline.jobs) == sorted(["build", *jobs, "deploy", told])
    pipeline.passes("build", *jobs, told)
    assert pipeline.artifacts(told) == reports("image-verify", "image-promote")
    built = sandbox.image_tags(project)["v1.0.0"]
    code, said = pipeline.run("deploy")
    assert (code, f"deploying {built}" in said) == (0, True), said
    assert built == sandbox.image_tags(project, name="build")["v1.0.0"]


def test_what_ci_init_writes_promotes_an_image(sandbox: Sandbox, project: Project, checkout: Path) -> None:
    committed(checkout, written("image", checkout))
    always = {"WARDEN_TRUST_CONFIG": "trust_config.json"}
    assert Pipeline.start(sandbox, project, checkout, **always).jobs == {}
    Pipeline.start(sandbox, project, checkout, tag="v1.0.0", **always).passes()

    assert sandbox.image_tags(project)["v1.0.0"] == sandbox.image_tags(project, name="build")["v1.0.0"]
