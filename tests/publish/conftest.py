"""A publisher's job on the sandbox: files in dist/, the job's variables and token in the environment."""

from __future__ import annotations

import base64
import copy
import json
import os
import shutil
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
from pip_warden.sandbox.images import Image
from pip_warden.sandbox.registry.store import ImageRepository

BIN = Path(sys.executable).parent
LOG = "/api/v1/log/entries"


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


@contextmanager
def publishing(directory: Path) -> Iterator[Publisher]:
    with Sandbox() as sandbox:
        project = sandbox.project("acme/acme-widgets")
        made = Publisher(
            sandbox=sandbox, project=project, job=sandbox.job(project, tag="v1.0"), directory=directory
        )
        made.put(sandbox.wheel("acme-widgets", "1.0"), sandbox.sdist("acme-widgets", "1.0"))
        sandbox.write_trust(directory)
        yield made


@pytest.fixture
def publisher(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Publisher]:
    if "release" in request.fixturenames:
        yield request.getfixturevalue("published").again(tmp_path)
    else:
        with publishing(tmp_path) as made:
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


Known = tuple[dict[str, Any], Project, Job]
_STATE = ("users", "namespaces", "projects", "tokens", "settings")


@dataclass(frozen=True, kw_only=True, slots=True)
class Published:
    """A release that was published once, for every test of a module to begin with.

    Attributes:
        publisher: Who published it.
        known: What GitLab knew then, by the name of its state's attribute; the project, and the job.
    """

    publisher: Publisher
    known: Known

    @classmethod
    def by(cls, publisher: Publisher) -> Published:
        state = publisher.sandbox.state
        known = {name: getattr(state, name) for name in _STATE}
        return cls(publisher=publisher, known=_copied(publisher, (known, publisher.project, publisher.job)))

    def again(self, directory: Path) -> Publisher:
        """Put everything back as it was, the publisher's directory into another one."""
        sandbox = self.publisher.sandbox
        known, project, job = _copied(self.publisher, self.known)
        for name, value in known.items():
            setattr(sandbox.state, name, value)
        sandbox.clock.set(None)
        sandbox.faults.clear()
        sandbox.clear_requests()
        shutil.copytree(self.publisher.directory, directory, dirs_exist_ok=True)
        return replace(self.publisher, project=project, job=job, directory=directory)


def _copied(publisher: Publisher, known: Known) -> Known:
    instance = publisher.sandbox.instance
    return copy.deepcopy(known, {id(instance): instance})


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    """Publish 1.0 to the staging project (the signer's own), and pin it for the release project."""
    with publishing(tmp_path_factory.mktemp("published")) as publisher:
        text = pin_text(publisher, "acme/release", project_id=publisher.project.id)
        (publisher.directory / "pytrust.toml").write_text(text, encoding="utf-8")
        for verb in (publisher.sign, publisher.attest):
            assert verb(*publisher.files()).returncode == 0
        assert publisher.run("pip-warden", "publish", *publisher.files()).returncode == 0
        yield Published.by(publisher)


@pytest.fixture
def release(publisher: Publisher) -> Project:
    """The project that the publisher's release is to be promoted to."""
    return publisher.sandbox.project("acme/release")


@dataclass(frozen=True, kw_only=True)
class Shop:
    """A publisher whose image is in the registry.

    Attributes:
        publisher: The publisher's job.
        image: The image, which is tagged 1.0.
    """

    publisher: Publisher
    image: Image

    @property
    def name(self) -> str:
        return f"{self.publisher.project.image}:1.0"

    @property
    def repository(self) -> ImageRepository:
        found = self.publisher.sandbox.registry.store.find(self.publisher.project.path)
        assert found is not None
        return found

    def words(self, verb: str, *words: str, name: str = "") -> tuple[str, ...]:
        return (
            "pip-warden", "image", verb, "--trust-config", "trust_config.json", name or self.name, *words,
        )  # fmt: skip

    def run(self, verb: str, *words: str, name: str = "", **changes: str) -> subprocess.CompletedProcess[str]:
        return self.publisher.run(*self.words(verb, *words, name=name), **changes)

    def logged(self) -> int:
        return sum(each.path == LOG for each in self.publisher.sandbox.requests)

    def manifests(self, digest: str | None = None) -> list[dict[str, Any]]:
        """Return what is listed as referring to the image, wherever."""
        sandbox, project, of = self.publisher.sandbox, self.publisher.project, digest or self.image.digest
        repository = self.repository
        if sandbox.registry.referrers:
            found = [json.loads(manifest.data) for manifest in repository.manifests.values()]
            return [each for each in found if each.get("subject", {}).get("digest") == of]
        tag = of.replace(":", "-")
        if tag not in repository.tags:
            return []
        listed = json.loads(sandbox.image_manifest(project, tag))["manifests"]
        return [json.loads(sandbox.image_manifest(project, each["digest"])) for each in listed]

    def statements(self, digest: str | None = None) -> list[dict[str, Any]]:
        return [
            json.loads(base64.b64decode(self.bundle(one)["dsseEnvelope"]["payload"]))
            for one in self.manifests(digest)
        ]

    def bundle(self, manifest: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.repository.blobs[manifest["layers"][0]["digest"]])
        return found


def ok(result: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    assert result.returncode == 0, result.stdout + result.stderr
    return result


def code(result: subprocess.CompletedProcess[str]) -> tuple[int, str]:
    return result.returncode, result.stderr.partition("[")[2].partition("]")[0]


@pytest.fixture(params=[False, True], ids=["fallback-tag", "referrers"])
def shop(request: pytest.FixtureRequest, publisher: Publisher) -> Shop:
    sandbox = publisher.sandbox
    sandbox.registry.referrers = request.param
    image = sandbox.image({"app": "1"})
    sandbox.push_image(publisher.project, image, "1.0")
    return Shop(publisher=publisher, image=image)
