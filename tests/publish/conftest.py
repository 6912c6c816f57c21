"""A publisher's job on the sandbox: files in dist/, the job's variables and token in the environment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from cli.terminal import typed_in
from pins import trust_text
from pip_warden._sigstore.services import read_services
from pip_warden._sigstore.sign import Signatory, signatory
from pip_warden.digests import digest_of
from pip_warden.sandbox import File, Job, Project, Sandbox

BIN = Path(sys.executable).parent


@dataclass(frozen=True, kw_only=True, slots=True)
class Publisher:
    """A job in a directory.

    Attributes:
        is_apart: Whether each command is the script, in a process of its own, and not typed into this one.
    """

    sandbox: Sandbox
    project: Project
    job: Job
    directory: Path
    is_apart: bool = False

    @property
    def dist(self) -> Path:
        return self.directory / "dist"

    def put(self, *files: File) -> None:
        self.dist.mkdir(exist_ok=True)
        for file in files:
            (self.dist / file.name).write_bytes(file.data)

    def files(self) -> list[str]:
        return [f"dist/{path.name}" for path in sorted(self.dist.iterdir()) if path.suffix in {".whl", ".gz"}]

    def environment(self, **changes: str) -> dict[str, str]:
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.directory), **self.job.variables()}
        environment |= {
            "SIGSTORE_ID_TOKEN": self.job.id_token(),
            "PIP_WARDEN_CACHE_DIR": str(self.directory / "cache"),
        }
        return environment | changes

    def apart(self) -> Publisher:
        return replace(self, is_apart=True)

    def run(self, *words: str, **changes: str) -> subprocess.CompletedProcess[str]:
        environment = self.environment(**changes)
        if words[:2] in {("pip-warden", "publish"), ("pip-warden", "publish-evidence")}:
            words = (*words[:2], *self.instance(words), *words[2:])
        if words[0] == "pip-warden" and not self.is_apart:
            return typed_in(self.directory, environment, *words)
        command = [str(BIN / words[0]), *words[1:]] if (BIN / words[0]).exists() else list(words)
        return subprocess.run(
            command, cwd=self.directory, env=environment, capture_output=True, text=True, check=False
        )

    @staticmethod
    def instance(words: tuple[str, ...]) -> tuple[str, ...]:
        """Name the sandbox's Sigstore where a command does not; else the public one would be meant."""
        return () if "--trust-config" in words else ("--trust-config", "trust_config.json")

    def sign(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.run("pip-warden", "sign", "--trust-config", "trust_config.json", *words)

    def attest(self, *words: str, **changes: str) -> subprocess.CompletedProcess[str]:
        return self.run("pip-warden", "attest", "--trust-config", "trust_config.json", *words, **changes)


@pytest.fixture
def publisher(tmp_path: Path) -> Iterator[Publisher]:
    with Sandbox() as sandbox:
        project = sandbox.project("acme/acme-widgets")
        made = Publisher(
            sandbox=sandbox, project=project, job=sandbox.job(project, tag="v1.0"), directory=tmp_path
        )
        made.put(sandbox.wheel("acme-widgets", "1.0"), sandbox.sdist("acme-widgets", "1.0"))
        sandbox.write_trust(tmp_path)
        yield made


@contextmanager
def signing(publisher: Publisher, token: str | None = None, **options: Any) -> Iterator[Signatory]:
    """Open a signer with the publisher's token and trust config, as the commands do."""
    services = read_services((publisher.directory / "trust_config.json").read_bytes())
    with signatory(token or publisher.job.id_token(), services, **options) as by:
        yield by


def pin_text(publisher: Publisher, registry: str, *, require: str = "", project_id: int | None = None) -> str:
    """Return a trust file that pins the publisher's own tag pipeline."""
    root = (publisher.directory / "trusted_root.json").read_bytes()
    signer = f"  project-id = {project_id}\n" if project_id is not None else ""
    requirements = f"  [package.require]\n  {require}\n" if require else ""
    return trust_text(
        root_sha256=str(digest_of(root)),
        issuer=publisher.sandbox.issuer,
        url=publisher.sandbox.gitlab_url,
        registry=registry,
        subject=publisher.job.san.replace("v1.0", "v{version}"),
        more=signer + requirements,
    )


@pytest.fixture
def release(publisher: Publisher) -> Project:
    """Publish 1.0 to the staging project (the signer's own), and pin it for the release project."""
    text = pin_text(publisher, "acme/release", project_id=publisher.project.id)
    (publisher.directory / "pytrust.toml").write_text(text, encoding="utf-8")
    for verb in (publisher.sign, publisher.attest):
        assert verb(*publisher.files()).returncode == 0
    assert publisher.run("pip-warden", "publish", *publisher.files()).returncode == 0
    return publisher.sandbox.project("acme/release")
