"""Promotion as pipelines (`interop.runner`): one project signs, another promotes, a third consumes."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest

from interop.runner import Pipeline
from interop.test_pipelines import WHEEL, checkout, start, upto
from pip_warden.sandbox import File, Hold, Project, Sandbox

pytestmark = pytest.mark.interop


@dataclass(frozen=True, kw_only=True, slots=True)
class Staging:
    """A release that was built, signed and published by the jobs of a tag pipeline."""

    source: Project
    pipeline: Pipeline
    target: Project

    @property
    def sandbox(self) -> Sandbox:
        return self.pipeline.sandbox

    def promotion(self, directory: Path) -> Pipeline:
        """Start a pipeline of the promoting project, in a checkout that may be there already."""
        if not directory.exists():
            checkout("promotion", directory, self.sandbox)
        return start(self.sandbox, self.target, directory, TRUST_CONFIG="trust_config.json")

    def names(self) -> list[str]:
        return sorted(file.name for package in self.target.record.packages for file in package.files)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as made:
        yield made


@pytest.fixture
def staging(sandbox: Sandbox, tmp_path: Path) -> Staging:
    project, target = sandbox.project("acme/acme-widgets"), sandbox.project("acme/release")
    checkout("publisher", tmp_path / "publisher", sandbox)
    pipeline = start(sandbox, project, tmp_path / "publisher", tag="v1.0.0")
    upto(pipeline, "publish")
    project.allow_job_tokens(target)
    return Staging(source=project, pipeline=pipeline, target=target)


def _consumer(staging: Staging, directory: Path) -> tuple[int, str]:
    """Verify the promoted release in the consumer's own project."""
    project = staging.sandbox.project("acme/consumer")
    staging.target.allow_job_tokens(project)
    if not directory.exists():
        checkout("consumer", directory, staging.sandbox)
        trust = directory / "pytrust.toml"
        pinned = trust.read_text(encoding="utf-8")
        assert pinned.count('project = "acme/acme-widgets"') == 1
        moved = pinned.replace('project = "acme/acme-widgets"', 'project = "acme/release"')
        trust.write_text(moved, encoding="utf-8")
    return start(staging.sandbox, project, directory).run("consumer_verification")


def test_a_release_is_promoted_and_consumed(staging: Staging, tmp_path: Path) -> None:
    """A stranger's newer rows lie over the good ones: they do not block it and do not come along."""
    stranger = staging.sandbox.job(staging.sandbox.project("evil/fork"), tag="v1.0.0")
    wheel = File(name=WHEEL, data=staging.pipeline.artifact("sign", WHEEL))
    bad = staging.sandbox.sign(wheel, stranger, ["bundle", "slsa-bundle", "slsa", "detached"])
    staging.sandbox.put_evidence(staging.source, "1.0.0", bad)
    promoting = staging.promotion(tmp_path / "promotion")
    code, said = promoting.run("promote")

    assert code == 0, said
    assert said.count("not carried") >= len(bad) - 1, said
    for name, content in bad.items():
        assert staging.names().count(name) == 1
        assert staging.sandbox.evidence(staging.target, name) != content
    code, said = _consumer(staging, tmp_path / "consumer")
    assert code == 0, said


def test_the_promoting_job_signs_what_it_judged(staging: Staging, tmp_path: Path) -> None:
    promoting = staging.promotion(tmp_path / "promotion")
    code, said = promoting.run("promote")
    assert code == 0, said
    bundle = json.loads(staging.sandbox.evidence(staging.target, f"{WHEEL}.vsa.sigstore.json"))
    payload = json.loads(base64.b64decode(bundle["dsseEnvelope"]["payload"]))
    predicate = payload["predicate"]

    assert predicate["verifier"]["id"] == promoting.first.san
    assert predicate["verifiedLevels"] == ["SLSA_BUILD_LEVEL_1"]
    trust = (promoting.directory / "pytrust.toml").read_bytes()
    assert predicate["policy"]["digest"]["sha256"] == hashlib.sha256(trust).hexdigest()
    assert f"{WHEEL}.vsa.json" not in staging.names()


def test_a_promotion_that_is_killed_is_completed_by_a_retried_job(staging: Staging, tmp_path: Path) -> None:
    for path, method in (("/packages/generic/", "PUT"), ("/packages/pypi", "POST")):
        hold = Hold(until=threading.Event(), reached=threading.Event())
        staging.sandbox.fault(hold, path, method=method)
        promoting = staging.promotion(tmp_path / "promotion")
        worker = threading.Thread(target=partial(promoting.run, "promote"))
        worker.start()
        assert hold.reached.wait(timeout=120)
        _kill_promotion(promoting.directory)
        hold.until.set()
        worker.join(timeout=120)
    retried = staging.promotion(tmp_path / "promotion")
    code, said = retried.run("promote")

    assert code == 0, said
    code, said = _consumer(staging, tmp_path / "consumer")
    assert code == 0, said


def _kill_promotion(directory: Path) -> None:
    """Kill the one promotion that works in a directory, as a runner that goes away does."""
    for process in Path("/proc").iterdir():
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
            inside = (process / "cwd").resolve().is_relative_to(directory.resolve())
        except OSError:
            continue
        if inside and b"promote" in words and any(word.endswith(b"pip-warden") for word in words):
            subprocess.run(["kill", "-9", process.name], check=False)


def test_two_promoting_jobs_at_once_end_complete(staging: Staging, tmp_path: Path) -> None:
    jobs = [staging.promotion(tmp_path / f"promotion{number}") for number in range(2)]
    with ThreadPoolExecutor() as pool:
        results = list(pool.map(lambda job: job.run("promote"), jobs))

    assert [code for code, _ in results] == [0, 0], results
    code, said = _consumer(staging, tmp_path / "consumer")
    assert code == 0, said


def test_what_is_not_the_pinned_commit_is_not_promoted(staging: Staging, tmp_path: Path) -> None:
    promoting = staging.promotion(tmp_path / "promotion")
    code, said = promoting.run("promote", SOURCE_REVISION="0" * 40)

    assert (code != 0, "[source-revision-mismatch]" in said) == (True, True), said
    assert staging.names() == []
