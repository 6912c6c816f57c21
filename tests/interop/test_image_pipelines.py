"""The pipelines of images (`interop.runner`): that of the gating seed, the example's, and the component's.

The images are made by `interop.engine`, which no engine and no privileges are needed for.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from interop import engine
from interop.runner import Pipeline
from interop.test_components import EXAMPLES, checked_out, committed
from pip_warden.sandbox import Project, Sandbox

ROOT = Path(__file__).parents[2]
(SEED,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/seeds.md").read_text(encoding="utf-8"), re.DOTALL)
ALWAYS = {"PIP_WARDEN_INSTALL": "true", "SIGN_OPTIONS": "--trust-config trust_config.json"}

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


class TestTheGatingSeed:
    """The pipeline of `docs/seeds.md`, on the default branch."""

    @pytest.fixture
    def pipeline(self, sandbox: Sandbox, project: Project, checkout: Path) -> Pipeline:
        trust = checkout / "pytrust.toml"
        _edit(trust, "refs/tags/{tag}", "refs/heads/main")
        _edit(trust, '  annotations = { tag = "{tag}" }\n', "")  # latest is no tag that anybody signs
        return Pipeline.start(sandbox, project, committed(checkout, SEED), **ALWAYS)

    @staticmethod
    def _tags(pipeline: Pipeline, project: Project) -> dict[str, str]:
        return pipeline.sandbox.image_tags(project)

    @staticmethod
    def _tag(pipeline: Pipeline) -> str:
        return pipeline.first.variables()["CI_COMMIT_SHORT_SHA"]

    def _swap(self, pipeline: Pipeline, project: Project) -> None:
        other = pipeline.sandbox.image({"evil": "1"})
        pipeline.sandbox.push_image(project, other, self._tag(pipeline))

    def test_it_ends_with_what_was_judged_under_the_tag(self, pipeline: Pipeline, project: Project) -> None:
        signing = [name for name, job in pipeline.jobs.items() if "id_tokens" in job]
        pipeline.passes("image-build")
        built = self._tags(pipeline, project)[self._tag(pipeline)]
        pipeline.passes("sign", "attest", "validate", "tag-latest")

        assert self._tags(pipeline, project)["latest"] == built
        assert pipeline.artifact("validate", "digest.txt").decode().strip() == built
        assert signing == ["sign", "attest"]

    @pytest.mark.parametrize(
        ("done", "code"),
        [
            ([], "no-evidence"),
            (["sign"], "provenance-missing"),
        ],
    )
    def test_a_step_that_is_left_out_turns_the_gate_red(
        self, pipeline: Pipeline, project: Project, done: list[str], code: str
    ) -> None:
        pipeline.passes("image-build", *done)
        _red(pipeline, "validate", code)
        _stays_where_it_is(pipeline, project)

    def test_another_commit_turns_the_gate_red(self, pipeline: Pipeline, project: Project) -> None:
        pipeline.passes("image-build", "sign", "attest")
        _red(pipeline, "validate", "source-revision-mismatch", CI_COMMIT_SHA="0" * 40)
        _red(
            pipeline, "validate", "source-repository-mismatch", CI_PROJECT_URL="https://gitlab.example.com/a"
        )
        _stays_where_it_is(pipeline, project)

    def test_an_image_that_is_swapped_after_it_was_signed_turns_the_gate_red(
        self, pipeline: Pipeline, project: Project
    ) -> None:
        pipeline.passes("image-build", "sign", "attest")
        self._swap(pipeline, project)
        _red(pipeline, "validate", "no-evidence")
        _stays_where_it_is(pipeline, project)

    def test_an_image_that_another_pipeline_signed_turns_the_gate_red(
        self, pipeline: Pipeline, project: Project
    ) -> None:
        pipeline.passes("image-build", "sign", "attest")
        _edit(pipeline.directory / "pytrust.toml", "refs/heads/main", "refs/heads/release")
        _red(pipeline, "validate", "identity-mismatch")
        _stays_where_it_is(pipeline, project)

    def test_what_changes_between_gate_and_promotion_turns_promotion_red(
        self, pipeline: Pipeline, project: Project
    ) -> None:
        """The image under the tag; then its evidence."""
        pipeline.passes("image-build", "sign", "attest", "validate")
        built = self._tags(pipeline, project)[self._tag(pipeline)]
        self._swap(pipeline, project)
        _red(pipeline, "tag-latest", "image-tag-moved")
        pipeline.sandbox.retag(project, self._tag(pipeline), built)
        pipeline.sandbox.retag(project, built.replace(":", "-"), None)
        _red(pipeline, "tag-latest", "no-evidence")

        assert "latest" not in self._tags(pipeline, project)

    def test_a_target_that_is_not_pinned_turns_promotion_red(
        self, pipeline: Pipeline, project: Project
    ) -> None:
        pipeline.passes("image-build", "sign", "attest", "validate")
        _edit(pipeline.directory / ".gitlab-ci.yml", '_IMAGE:latest"', '_IMAGE/elsewhere:latest"')
        _red(pipeline, "tag-latest", "image-not-pinned")

        assert "latest" not in self._tags(pipeline, project)


def _red(pipeline: Pipeline, job: str, code: str, **variables: str) -> None:
    exit_code, said = pipeline.run(job, **variables)

    assert (exit_code != 0, f"[{code}]" in said) == (True, True), said


def _stays_where_it_is(pipeline: Pipeline, project: Project) -> None:
    """Promotion waits for the gate, and without what the gate keeps it does nothing."""
    assert pipeline.jobs["tag-latest"]["needs"] == ["validate"]
    assert pipeline.run("tag-latest")[0] != 0
    assert "latest" not in pipeline.sandbox.image_tags(project)


def test_the_example_is_built_signed_gated_and_promoted_in_the_pipeline_of_a_tag(
    sandbox: Sandbox, project: Project, checkout: Path
) -> None:
    committed(checkout)
    assert Pipeline.start(sandbox, project, checkout, **ALWAYS).jobs == {}
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

    assert list(pipeline.jobs) == ["build", *jobs, "deploy"]
    pipeline.passes("build", *jobs)
    built = sandbox.image_tags(project)["v1.0.0"]
    code, said = pipeline.run("deploy")
    assert (code, f"deploying {built}" in said) == (0, True), said
    assert built == sandbox.image_tags(project, name="build")["v1.0.0"]
