"""A package signed by a pipeline on gitlab.com with the public-good Sigstore, installed with real pip.

The registry is the sandbox, the network is loopback; file, attestation and trusted root are real.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from cli.terminal import COMMANDS, typed_in
from pip_warden.digests import digest_of
from pip_warden.sandbox import File, Sandbox

DATA = Path(__file__).parent / "data" / "real"
SDIST = "gitlab_oidc_project-0.0.3.tar.gz"
ATTESTATION = f"{SDIST}.publish.attestation"
FLIT = "flit_core-3.12.0-py3-none-any.whl"
ROOT = DATA / "trusted_root.public-good.json"
SUBJECT = "https://gitlab.com/facutuesca/gitlab-oidc-project//.gitlab-ci.yml@refs/heads/main"
PACKAGE = "gitlab-oidc-project"
BIN = Path(sys.executable).parent


@dataclass(frozen=True, kw_only=True, slots=True)
class World:
    sandbox: Sandbox
    directory: Path
    token: str
    is_apart: bool = False
    """Whether our commands are the scripts, in processes of their own, and not typed into this one."""

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory),
            "GITLAB_URL": self.sandbox.gitlab_url,
            "GITLAB_TOKEN": self.token,
        }
        if words[0] in COMMANDS and not self.is_apart:
            return typed_in(self.directory, environment, *words)
        if words[0] in COMMANDS:
            words = (str(BIN / words[0]), *words[1:])
        return subprocess.run(
            words, cwd=self.directory, env=environment, capture_output=True, text=True, check=False
        )

    def install(self, *words: str) -> tuple[int, dict[str, str], str]:
        """Run safe-install with an empty cache; return its exit code, codes or outcomes by file, output."""
        return self.told("safe-install", "--python", str(self.environment), *words)

    def judge(self) -> tuple[int, dict[str, str], str]:
        """Judge the release as an installation does, but without a pip; return the same."""
        return self.told("pip-warden", "verify-release", f"{PACKAGE}==0.0.3")

    def told(self, *words: str) -> tuple[int, dict[str, str], str]:
        result = self.run(*words, "--cache-dir", str(self.directory / "cache"), "--format", "json")
        report = json.loads(result.stdout)
        verdicts = {
            line["file"]: line["refused"]["code"] if line["outcome"] == "refused" else line["outcome"]
            for line in report.get("files", [])
        }
        return result.returncode, verdicts, result.stdout + result.stderr

    @property
    def environment(self) -> Path:
        return self.directory / "env"

    def freeze(self) -> str:
        code = (
            "from importlib.metadata import distributions as d; "
            "print(sorted((x.name, x.version) for x in d()))"
        )
        return self.run(str(self.environment / "bin/python"), "-I", "-c", code).stdout

    def sealed(self) -> list[str]:
        """Return the names of the archives in the vault."""
        return [path.name for path in (self.directory / "cache").rglob("*") if path.suffix in {".whl", ".gz"}]

    def trust(self, subject: str = SUBJECT, project_id: str = "55235664") -> None:
        root = ROOT.read_bytes()
        (self.directory / "root.json").write_bytes(root)
        (self.directory / "pytrust.toml").write_text(
            f"""
version = 1

[sigstore]
trusted-root = "root.json"
trusted-root-sha256 = "{digest_of(root)}"
issuers = ["https://gitlab.com"]

[source.mirror]
type = "gitlab"
url = "{self.sandbox.gitlab_url}"

[source.pypi]
type = "simple"
url = "{self.sandbox.pypi_url}"

[[package]]
name = "{PACKAGE}"
source = "mirror"
project = "mirror/gitlab-oidc-project"

  [[package.identity]]
  issuer = "https://gitlab.com"
  subject = "{subject}"
  project-id = {project_id}

[[package]]
name = "flit-core"
source = "pypi"
version = "3.12.0"
sha256 = {{ "{FLIT}" = "{digest_of((DATA / FLIT).read_bytes())}" }}
reason = "publisher does not sign; hash reviewed"
""",
            encoding="utf-8",
        )


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with Sandbox() as sandbox:
        project = sandbox.project("mirror/gitlab-oidc-project")
        sandbox.put_files(project, [File(name=SDIST, data=(DATA / SDIST).read_bytes())])
        sandbox.put_evidence(project, "0.0.3", {ATTESTATION: (DATA / ATTESTATION).read_bytes()})
        sandbox.upstream.add("flit-core", [File(name=FLIT, data=(DATA / FLIT).read_bytes())])
        made = World(sandbox=sandbox, directory=tmp_path, token=sandbox.token(scopes=("api",)))
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(made.environment)], check=True)
        made.trust()
        yield made


def test_the_real_package_is_installed_with_its_build_dependency_through_the_same_gate(world: World) -> None:
    world = replace(world, is_apart=True)
    code, verdicts, said = world.install(PACKAGE)

    assert (code, verdicts) == (0, {SDIST: "accepted", FLIT: "accepted"}), said
    assert world.run(str(world.environment / "bin/gitlab-oidc-project")).returncode == 0
    assert "0.0.3" in world.freeze()


def test_one_flipped_bit_of_the_sdist_is_refused(world: World) -> None:
    project = world.sandbox.project("mirror/gitlab-oidc-project")
    before = world.freeze()
    world.sandbox.tamper(project, SDIST, flip_bit=8 * 3000, keep_claimed_hash=True)

    code, verdicts, said = world.install(PACKAGE)

    assert (code, set(verdicts)) == (1, {SDIST}), said
    assert verdicts[SDIST] in {"malformed-sdist", "index-digest-differs"}
    assert (world.freeze(), world.sealed()) == (before, [])


def test_an_sdist_rebuilt_with_other_content_is_refused_by_its_signature(world: World) -> None:
    project = world.sandbox.project("mirror/gitlab-oidc-project")
    other = world.sandbox.sdist(PACKAGE, "0.0.3")
    world.sandbox.tamper(project, SDIST, data=other.data, keep_claimed_hash=False)

    code, verdicts, said = world.install(PACKAGE)

    assert (code, verdicts) == (1, {SDIST: "subject-mismatch"}), said
    assert world.sealed() == []


@pytest.mark.parametrize(
    ("bit", "why"), [(8 * 300 + 1, "certificate"), (8 * 7990 + 2, "signature"), (8 * 6000, "log entry")]
)
def test_one_flipped_bit_of_the_attestation_is_refused(world: World, bit: int, why: str) -> None:
    project = world.sandbox.project("mirror/gitlab-oidc-project")
    world.sandbox.replace_evidence(project, ATTESTATION, flip_bit=bit)

    code, verdicts, said = world.judge()

    assert code == 1, (why, said)
    assert set(verdicts) == {SDIST}
    assert verdicts[SDIST] != "accepted"
    assert world.sealed() == []


@pytest.mark.parametrize(
    ("subject", "project_id", "refusal"),
    [
        (SUBJECT.replace("facutuesca", "facutuescb"), "55235664", "identity-mismatch"),
        (SUBJECT.replace("main", "mein"), "55235664", "identity-mismatch"),
        (SUBJECT, "55235665", "project-id-mismatch"),
    ],
)
def test_one_letter_of_the_pinned_identity_changed_is_refused(
    world: World, subject: str, project_id: str, refusal: str
) -> None:
    world.trust(subject, project_id)

    code, verdicts, said = world.judge()

    assert (code, verdicts) == (1, {SDIST: refusal}), said
    assert world.sealed() == []


def test_a_trusted_root_that_was_swapped_decides_nothing(world: World) -> None:
    (world.directory / "root.json").write_bytes(ROOT.read_bytes() + b"\n")

    code, _, said = world.install(PACKAGE)

    assert code == 3, said
    assert "trusted-root-digest" in said


def test_a_build_dependency_with_other_bytes_than_pinned_is_refused_and_nothing_is_built(
    world: World,
) -> None:
    before = world.freeze()
    world.sandbox.upstream.file(FLIT).data = (DATA / FLIT).read_bytes()[:-1] + b"\x01"

    code, verdicts, said = world.install(PACKAGE)

    assert code == 1, said
    assert verdicts[SDIST] == "accepted"
    assert verdicts[FLIT] in {"malformed-wheel", "pinned-digest-differs"}
    assert world.freeze() == before


def test_verify_takes_the_attestation_as_evidence_of_a_local_file(world: World) -> None:
    named = [
        "--certificate-identity",
        SUBJECT,
        "--certificate-oidc-issuer",
        "https://gitlab.com",
        "--trusted-root",
        str(ROOT),
    ]
    words = [
        "pip-warden",
        "verify",
        str(DATA / SDIST),
        "--bundle",
        str(DATA / ATTESTATION),
        "--offline",
    ]

    assert world.run(*words, *named).returncode == 0
    assert world.run(*words).returncode == 0
    named[1] = SUBJECT.replace("main", "mein")
    refused = world.run(*words, *named)
    assert refused.returncode == 1
    assert "[identity-mismatch]" in refused.stderr
