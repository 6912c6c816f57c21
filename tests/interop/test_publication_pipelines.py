"""Publishing again, and publishing nothing bad, as whole pipelines, job by job (`interop.runner`).

Every job has an id and a URL of its own, as GitLab gives them: a retried pipeline signs something else.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from interop.runner import Pipeline
from interop.stack.places import TRUST
from interop.test_pipelines import WHEEL, checkout, start, upto
from pip_warden.sandbox import Project, Sandbox

pytestmark = pytest.mark.interop

TAG = "v1.0.0"


@dataclass(frozen=True, kw_only=True, slots=True)
class Release:
    """Pipelines of one tag, each of a fresh checkout of the same commit."""

    sandbox: Sandbox
    project: Project
    commit: Path

    def start(self, name: str, change: Callable[[Path], None] | None = None) -> Pipeline:
        """Start a pipeline in a checkout of its own, which may be changed before."""
        directory = self.commit.parent / name
        shutil.copytree(self.commit, directory, symlinks=True)
        if change is not None:
            change(directory)
        return start(self.sandbox, self.project, directory, tag=TAG)

    def published(self) -> list[str]:
        """Publish by a first pipeline; return the rows."""
        upto(self.start("first"), "publish")
        return self.rows()

    def rows(self) -> list[str]:
        packages = self.project.record.packages
        return sorted(file.name for package in packages for file in package.files)


@pytest.fixture
def release(tmp_path: Path) -> Iterator[Release]:
    with Sandbox() as sandbox:
        project = sandbox.project("acme/acme-widgets")
        checkout("publisher", tmp_path / "commit", sandbox)
        yield Release(sandbox=sandbox, project=project, commit=tmp_path / "commit")


def _edit(directory: Path, before: str, after: str) -> None:
    file = directory / ".gitlab-ci.yml"
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after), encoding="utf-8")


def _other_code(directory: Path) -> None:
    """Have other bytes built under the same version: a file of the package has another line."""
    (source,) = (directory / "src").rglob("__init__.py")
    source.write_text(source.read_text(encoding="utf-8") + "\nOTHER = True\n", encoding="utf-8")


def _other_code_skipped(directory: Path) -> None:
    _other_code(directory)
    _edit(directory, "pip-warden publish dist/*", "pip-warden publish --skip-existing dist/*")


def _one_more_file(directory: Path) -> None:
    build = "- python -m build --no-isolation"
    _edit(directory, build, f"{build}\n    - date > dist/notes.txt")


def test_a_retried_pipeline_is_green_and_changes_nothing(release: Release) -> None:
    before = release.published()
    second = release.start("second")
    upto(second, "verify")
    code, said = second.run("publish")

    assert code == 0, said
    assert f"already there, good: {WHEEL}.slsa.sigstore.json" in said
    assert f"already there: {WHEEL}" in said
    assert release.rows() == before
    upto(release.start("third"), "consumer_verification")
    assert release.rows() == before


def test_a_retried_pipeline_against_the_real_sigstore(gitlab: Sandbox, tmp_path: Path) -> None:
    project = gitlab.project("acme/acme-widgets")
    checkout("publisher", tmp_path / "commit", gitlab, real=TRUST / "v1")
    release = Release(sandbox=gitlab, project=project, commit=tmp_path / "commit")
    before = release.published()
    second = release.start("second")
    upto(second, "publish")
    code, said = second.run("publish_signatures")

    assert code == 0, said
    assert f"already there, good: {WHEEL}.sig" in said
    assert release.rows() == before


def test_other_bytes_under_a_published_version_turn_publish_red(release: Release) -> None:
    before = release.published()
    second = release.start("second", _other_code)
    upto(second, "verify")
    code, said = second.run("publish")

    assert (code != 0, "[other-content]" in said) == (True, True), said
    assert release.rows() == before


def test_skip_existing_is_green_and_says_that_this_build_was_not_published(release: Release) -> None:
    before = release.published()
    second = release.start("second", _other_code_skipped)
    upto(second, "verify")
    code, said = second.run("publish")

    assert code == 0, said
    assert f"{WHEEL} of this build was not published" in " ".join(said.split())
    assert release.rows() == before


@pytest.mark.parametrize("suffix", ["", ".slsa.sigstore.json"])
def test_what_changed_after_verify_is_not_published(release: Release, suffix: str) -> None:
    pipeline = release.start("first")
    upto(pipeline, "verify")
    if suffix:
        other = pipeline.artifact("sign", f"acme_widgets-1.0.0.tar.gz{suffix}")
    else:
        other = release.sandbox.wheel("acme-widgets", "1.0.0").data
    pipeline.replace_artifact("sign", f"{WHEEL}{suffix}", other)
    code, said = pipeline.run("publish")

    assert (code != 0, f"{WHEEL} refused" in said) == (True, True), said
    assert release.rows() == []


def test_a_file_that_is_none_of_the_release_turns_sign_red(release: Release) -> None:
    pipeline = release.start("first", _one_more_file)
    upto(pipeline, "build")
    code, said = pipeline.run("sign")

    assert (code != 0, "[invalid-filename]" in said, "notes.txt" in said) == (True, True, True), said
