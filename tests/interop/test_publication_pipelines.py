"""Publishing again, and publishing nothing bad, as whole pipelines that gitlab-ci-local runs job by job.

Every job has an id and a URL of its own, as GitLab gives them: a retried job signs something else.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from interop.stack.places import TRUST
from interop.test_pipelines import STAGES, WHEEL, Pipeline, _checkout
from pip_warden.sandbox import Project, Sandbox

pytestmark = pytest.mark.interop

TAG = "v1.0.0"


@dataclass(frozen=True, kw_only=True, slots=True)
class Release:
    """Pipelines of one tag, each of a fresh checkout of the same commit."""

    sandbox: Sandbox
    project: Project
    commit: Path

    def checkout(self, name: str) -> Pipeline:
        directory = self.commit.parent / name
        shutil.copytree(self.commit, directory, symlinks=True)
        job = self.sandbox.job(self.project, tag=TAG)
        return Pipeline(sandbox=self.sandbox, project=self.project, job=job, directory=directory)

    def run(self, pipeline: Pipeline, stage: str) -> tuple[int, str]:
        """Run one job, with an id and an ID token of its own."""
        return replace(pipeline, job=self.sandbox.job(self.project, tag=TAG)).run(stage)

    def upto(self, pipeline: Pipeline, last: str) -> str:
        """Run every stage up to one, each of which must pass; return what the last one said."""
        said = ""
        for stage in STAGES[: STAGES.index(last) + 1]:
            code, said = self.run(pipeline, stage)
            assert code == 0, (stage, said)
        return said

    def rows(self) -> list[str]:
        packages = self.project.record.packages
        return sorted(file.name for package in packages for file in package.files)


@pytest.fixture
def release(tmp_path: Path) -> Iterator[Release]:
    with Sandbox() as sandbox:
        project = sandbox.project("acme/acme-widgets")
        _checkout("publisher", tmp_path / "commit", sandbox)
        _ignore_the_runner(tmp_path / "commit")
        yield Release(sandbox=sandbox, project=project, commit=tmp_path / "commit")


def _ignore_the_runner(commit: Path) -> None:
    """Keep what gitlab-ci-local writes beside the code out of the sdist, or no two builds would be equal."""
    (commit / ".gitignore").write_text(".gitlab-ci-local/\ndist/\n", encoding="utf-8")


def _edit(pipeline: Pipeline, before: str, after: str) -> None:
    file = pipeline.directory / ".gitlab-ci.yml"
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after), encoding="utf-8")


def _other_code(pipeline: Pipeline) -> None:
    """Build other bytes under the same version: a file of the package has another line."""
    (source,) = (pipeline.directory / "src").rglob("__init__.py")
    source.write_text(source.read_text(encoding="utf-8") + "\nOTHER = True\n", encoding="utf-8")


def test_a_retried_pipeline_is_green_and_changes_nothing(release: Release) -> None:
    release.upto(release.checkout("first"), "publish")
    before = release.rows()
    said = release.upto(release.checkout("second"), "publish")

    assert "already there, good: " + f"{WHEEL}.slsa.sigstore.json" in said
    assert f"already there: {WHEEL}" in said
    assert release.rows() == before
    third = release.checkout("third")
    release.upto(third, "consumer_verification")
    assert release.rows() == before


def test_a_retried_pipeline_against_the_real_sigstore(gitlab: Sandbox, tmp_path: Path) -> None:
    project = gitlab.project("acme/acme-widgets")
    _checkout("publisher", tmp_path / "commit", gitlab, real=TRUST / "v1")
    _ignore_the_runner(tmp_path / "commit")
    release = Release(sandbox=gitlab, project=project, commit=tmp_path / "commit")
    release.upto(release.checkout("first"), "publish")
    before = release.rows()
    said = release.upto(release.checkout("second"), "publish_signatures")

    assert f"already there, good: {WHEEL}.sig" in said
    assert release.rows() == before


def test_other_bytes_under_a_published_version_turn_publish_red(release: Release) -> None:
    release.upto(release.checkout("first"), "publish")
    before = release.rows()
    second = release.checkout("second")
    _other_code(second)
    release.upto(second, "verify")
    code, said = release.run(second, "publish")

    assert (code != 0, "[other-content]" in said) == (True, True), said
    assert release.rows() == before


def test_skip_existing_is_green_and_says_that_this_build_was_not_published(release: Release) -> None:
    release.upto(release.checkout("first"), "publish")
    before = release.rows()
    second = release.checkout("second")
    _other_code(second)
    _edit(second, "pip-warden publish dist/*", "pip-warden publish --skip-existing dist/*")
    said = release.upto(second, "publish")

    assert f"{WHEEL} of this build was not published" in " ".join(said.split())
    assert release.rows() == before


@pytest.mark.parametrize("suffix", ["", ".slsa.sigstore.json"])
def test_what_changed_after_verify_is_not_published(release: Release, suffix: str) -> None:
    pipeline = release.checkout("first")
    release.upto(pipeline, "verify")
    for copy in pipeline.directory.rglob(f"{WHEEL}{suffix}"):
        if not suffix:
            copy.write_bytes(release.sandbox.wheel("acme-widgets", "1.0.0").data)
        else:
            other = copy.with_name(copy.name.replace(WHEEL, "acme_widgets-1.0.0.tar.gz"))
            copy.write_bytes(other.read_bytes())
    code, said = release.run(pipeline, "publish")

    assert (code != 0, f"{WHEEL} refused" in said) == (True, True), said
    assert release.rows() == []


def test_a_file_that_is_none_of_the_release_turns_sign_red(release: Release) -> None:
    pipeline = release.checkout("first")
    _edit(
        pipeline,
        "- python -m build --no-isolation",
        "- python -m build --no-isolation\n    - date > dist/notes.txt",
    )
    release.upto(pipeline, "build")
    code, said = release.run(pipeline, "sign")

    assert (code != 0, "[invalid-filename]" in said, "notes.txt" in said) == (True, True, True), said
