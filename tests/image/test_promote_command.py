"""The command, on the sandbox: a job of the production project promotes what staging has."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.terminal import typed_in
from documents import described
from pins import image_trust_text
from pip_warden.digests import digest_of
from pip_warden.sandbox import Hold, Job, Project, Sandbox
from pip_warden.sandbox.images import Image, artifact, image, index

APP = index([image({"app": "1"}), image({"app": "2"}, platform="linux/arm64")])
OTHER = image({"app": "other"})


@dataclass(frozen=True, kw_only=True)
class Promoter:
    """A job of the production project, in a directory with its trust file."""

    sandbox: Sandbox
    staging: Project
    production: Project
    publisher: Job
    job: Job
    directory: Path

    def words(self, *more: str, ref: str = ":1.0", to: str = "") -> tuple[str, ...]:
        names = (f"{self.staging.image}{ref}", "--to", f"{self.production.image}{to}")
        return ("pip-warden", "image", "promote", *names, *more)

    def environment(self) -> dict[str, str]:
        return {"HOME": str(self.directory), **self.job.variables()}

    def run(self, *more: str, **names: str) -> subprocess.CompletedProcess[str]:
        return typed_in(self.directory, self.environment(), *self.words(*more, **names))

    def json(self, *more: str, **names: str) -> Any:
        said = self.run("--format", "json", *more, **names)
        assert said.stdout, said.stderr
        return described(said.stdout) | {"code": said.returncode}

    def verify(self, what: str) -> subprocess.CompletedProcess[str]:
        """Judge what the target has, as a consumer does."""
        words = ("pip-warden", "image", "verify", f"{self.production.image}{what}")
        return typed_in(self.directory, self.environment(), *words)

    def sign(self, of: Image, **annotations: str) -> None:
        said = {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [
                {"digest": {"sha256": of.digest.removeprefix("sha256:")}, "annotations": annotations}
            ],
            "predicateType": "https://sigstore.dev/cosign/sign/v1",
            "predicate": {},
        }
        bundle = self.sandbox.sigstore.sign_statement(said, self.publisher.claims())
        self.sandbox.attach(self.staging, of.digest, artifact(json.dumps(bundle).encode(), subject=of))

    def tags(self) -> dict[str, str]:
        if self.sandbox.registry.store.find(self.production.path) is None:
            return {}
        return self.sandbox.image_tags(self.production)


@pytest.fixture
def promoter(tmp_path: Path) -> Iterator[Promoter]:
    with Sandbox() as sandbox:
        staging, production = sandbox.project("acme/staging"), sandbox.project("acme/production")
        staging.allow_job_tokens(production)
        made = Promoter(
            sandbox=sandbox,
            staging=staging,
            production=production,
            publisher=sandbox.job(staging, tag="v1.0"),
            job=sandbox.job(production),
            directory=tmp_path,
        )
        root = sandbox.write_trust(tmp_path).read_bytes()
        text = image_trust_text(
            root_sha256=digest_of(root).hex,
            issuer=sandbox.issuer,
            repository=production.image,
            subjects=[made.publisher.san.replace("v1.0", "v{tag}")],
        )
        (tmp_path / "pytrust.toml").write_text(text, encoding="utf-8")
        sandbox.push_image(staging, APP, "1.0")
        made.sign(APP)
        yield made


def test_what_is_promoted_and_what_is_said(promoter: Promoter) -> None:
    dry = promoter.json("--dry-run")
    assert dry["code"] == 0
    assert dry["uploads"][0]["outcome"] == "would_be_copied"
    assert promoter.tags() == {}

    done = promoter.json()
    assert (done["code"], done["command"]) == (0, "image promote")
    assert [(each["kind"], each["outcome"]) for each in done["uploads"]] == [
        ("image", "copied"),
        ("evidence", "copied"),
    ]
    assert done["uploads"][0]["digest"] == APP.digest
    assert done["not_carried"] == []
    assert done["tag"] == {"name": f"{promoter.production.image}:1.0", "before": None, "after": APP.digest}
    assert [each["digest"] for each in done["images"]] == [APP.digest]
    assert promoter.tags()["1.0"] == APP.digest

    said = promoter.run()
    assert said.returncode == 0
    assert "already there: " in said.stdout
    assert f"already there: {promoter.production.image}:1.0" in said.stdout


def test_text_says_where_the_tag_was_and_what_stays(promoter: Promoter) -> None:
    promoter.sandbox.push_image(promoter.production, OTHER, "1.0")
    bad = artifact(b"{}", subject=APP)
    promoter.sandbox.attach(promoter.staging, APP.digest, bad)
    refused = promoter.run("--no-overwrite")
    assert (refused.returncode, "[tag-taken]" in refused.stderr) == (1, True)

    said = promoter.run()
    assert said.returncode == 0
    assert f"copied: {promoter.production.image}@{APP.digest}\n" in said.stdout
    assert f"tagged: {promoter.production.image}:1.0, before of {OTHER.digest}\n" in said.stdout
    assert "not carried: " in said.stdout + said.stderr


def test_what_is_refused_leaves_the_target_alone(promoter: Promoter) -> None:
    promoter.sandbox.push_image(promoter.staging, OTHER, "2.0")
    promoter.sandbox.clear_requests()
    said = promoter.json(ref=":2.0")
    assert (said["code"], said["images"][0]["refused"]["code"]) == (1, "no-evidence")
    assert said["tag"] == {"name": f"{promoter.production.image}:2.0", "before": None, "after": None}
    asked = [each for each in promoter.sandbox.requests if each.origin == "registry"]
    assert asked
    assert {each.method for each in asked} <= {"GET", "HEAD"}
    assert not [each for each in asked if "/acme/production/" in each.path]


def test_more_can_be_demanded(promoter: Promoter) -> None:
    promoter.sign(APP, stage="production")
    assert promoter.run("--require-annotation", "stage=production", "--dry-run").returncode == 0
    for demands, code in (
        (("--require-annotation", "stage=test"), "annotation-mismatch"),
        (("--require-provenance",), "provenance-missing"),
        (("--source-revision", "0" * 40), "provenance-missing"),
    ):
        said = promoter.json(*demands)
        assert (said["code"], said["images"][0]["refused"]["code"]) == (1, code)
    assert promoter.tags() == {}


def test_whoever_may_not_push_there_copies_nothing(promoter: Promoter) -> None:
    denied = Promoter(**{**_fields(promoter), "job": promoter.sandbox.job(promoter.staging)})
    promoter.production.allow_job_tokens(promoter.staging)
    said = denied.run()
    assert said.returncode == 3
    assert "[credentials-refused]" in said.stderr
    assert promoter.tags() == {}
    found = promoter.sandbox.registry.store.find(promoter.production.path)
    assert found is None or not found.manifests


def test_usage(promoter: Promoter) -> None:
    assert promoter.run(to="/unknown").returncode == 2
    assert promoter.run(ref=f"@{APP.digest}").returncode == 2
    assert promoter.run("--min-age", "nan").returncode == 2
    assert promoter.run("--offline").returncode == 2
    assert promoter.run("--min-age", "3").returncode == 1


def test_c13_a_process_is_killed_and_the_same_command_completes_it(promoter: Promoter) -> None:
    """With the signal itself, where the tag is about to be moved; each request is ended at in process."""
    hold = Hold(until=threading.Event(), reached=threading.Event())
    promoter.sandbox.fault(hold, re.compile(r"/v2/acme/production/manifests/1\.0"), method="PUT")
    command = [str(Path(sys.executable).parent / "pip-warden"), *promoter.words()[1:]]
    with subprocess.Popen(
        command,
        cwd=promoter.directory,
        env=promoter.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        assert hold.reached.wait(timeout=60)
        assert "1.0" not in promoter.tags()
        process.kill()
    hold.until.set()
    assert promoter.json()["code"] == 0
    assert promoter.tags()["1.0"] == APP.digest


def _fields(promoter: Promoter) -> dict[str, Any]:
    return {name: getattr(promoter, name) for name in Promoter.__dataclass_fields__}
