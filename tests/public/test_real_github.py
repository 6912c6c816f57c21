"""Releases that GitHub really built: pinned, verified and installed from a loopback index."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ordinary import parametrized
from pip_warden.digests import digest_of
from pip_warden.sandbox import File, Sandbox
from scenario import play

DATA = Path(__file__).parents[1] / "data" / "real"
ROOT = DATA / "trusted_root.public-good.json"
GITHUB = "https://token.actions.githubusercontent.com"
WHEEL = "abi3info-2024.10.3-py3-none-any.whl"
SUBJECT = "https://github.com/woodruffw/abi3info/.github/workflows/release.yml@refs/tags/v{version}"
SDIST = "pypi_attestation_models-0.0.4a2.tar.gz"
SIGNER = "https://github.com/trailofbits/pypi-attestation-models/.github/workflows/release.yml@refs/tags/v{version}"
TRIGGER = 'build-trigger = ["release"]'


@dataclass(frozen=True, kw_only=True)
class World:
    sandbox: Sandbox
    home: Path

    def type(self, *words: str, answers: str | None = None) -> tuple[int, str]:
        return play(words, answers)

    def install(self, *words: str) -> tuple[int, dict[str, str], dict[str, Any]]:
        """Install into an environment of its own; return exit code, outcomes or codes by file, the report."""
        target = self.home / "env"
        if not target.exists():
            subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(target)], check=True)
        code, said = self.type("safe-install", "--python", str(target), "--format", "json", *words)
        report = json.loads(said[said.index("{\n") :])
        outcomes = {
            line["file"]: line["refused"]["code"] if line["outcome"] == "refused" else line["outcome"]
            for line in report["files"]
        }
        return code, outcomes, report

    def installed(self) -> bool:
        return bool(list((self.home / "env").glob("lib/python*/site-packages/abi3info")))

    def trust(
        self, name: str = "", subject: str = "", require: str = "", project_id: int = 538293197
    ) -> None:
        (self.home / "root.json").write_bytes(ROOT.read_bytes())
        package = f"""
[[package]]
name = "{name}"
source = "pypi"
  [[package.identity]]
  issuer = "{GITHUB}"
  subject = "{subject}"
  project-id = {project_id}
"""
        required = f"  [package.require]\n  {require}\n" if require else ""
        (self.home / "pytrust.toml").write_text(
            f"""version = 1
[sigstore]
trusted-root = "root.json"
trusted-root-sha256 = "{digest_of(ROOT.read_bytes())}"
issuers = ["{GITHUB}"]
[source.pypi]
type = "simple"
url = "{self.sandbox.pypi_url}"
evidence = "{self.sandbox.upstream.integrity_url}"
{package + required if name else ""}"""
        )


@pytest.fixture
def world(sandbox: Sandbox, home: Path) -> World:
    if "abi3info" not in sandbox.upstream.state():
        (bundle,) = json.loads((DATA / f"{WHEEL}.provenance").read_bytes())["attestation_bundles"]
        sandbox.upstream.add(
            "abi3info",
            [File(name=WHEEL, data=(DATA / WHEEL).read_bytes())],
            provenance={WHEEL: bundle["attestations"]},
            publisher=bundle["publisher"],
        )
        sandbox.upstream.add(
            "pypi-attestation-models",
            [File(name=SDIST, data=(DATA / SDIST).read_bytes())],
            provenance={SDIST: [(DATA / f"{SDIST}.attestation").read_bytes()]},
            publisher={"kind": "ActiveState", "organization": "example", "project": "another"},
        )
    return World(sandbox=sandbox, home=home)


@pytest.fixture(autouse=True)
def _fresh(sandbox: Sandbox) -> Iterator[None]:
    sandbox.clear_requests()
    yield
    sandbox.upstream.is_integrity_disabled = False


def test_trust_add_pins_the_repository_the_workflow_the_tag_and_the_trigger(world: World) -> None:
    world.trust()
    code, said = world.type("trust", "add", "abi3info", "--source", "pypi", answers="y\n")
    assert code == 0, said
    (package,) = tomllib.loads((world.home / "pytrust.toml").read_text())["package"]
    assert package == {
        "name": "abi3info",
        "source": "pypi",
        "identity": [{"issuer": GITHUB, "subject": SUBJECT, "project-id": 538293197}],
        "require": {"build-trigger": ["release"]},
    }
    assert world.install("abi3info")[:2] == (0, {WHEEL: "accepted"})
    assert world.installed()


def test_trust_add_of_a_release_whose_index_names_another_publisher(world: World) -> None:
    world.trust()
    words = ("trust", "add", "pypi-attestation-models", "--source", "pypi")
    code, said = world.type(*words, answers="y\n")
    assert code == 0, said
    (package,) = tomllib.loads((world.home / "pytrust.toml").read_text())["package"]
    assert package["identity"] == [{"issuer": GITHUB, "subject": SIGNER, "project-id": 772247423}]
    code, said = world.type("verify-release", "pypi-attestation-models==0.0.4a2")
    assert code == 0, said


def test_trust_add_asks_even_where_it_may_not(world: World) -> None:
    world.trust()
    before = (world.home / "pytrust.toml").read_text()
    code, said = world.type("trust", "add", "abi3info", "--source", "pypi", "--yes")
    assert (code, "[not-pinned-unasked]" in said) == (1, True), said
    assert (world.home / "pytrust.toml").read_text() == before


def test_the_wheel_is_installed_through_a_mirror_and_then_offline(world: World) -> None:
    world.trust("abi3info", SUBJECT, TRIGGER)
    mirror = f"pypi={world.sandbox.upstream.mirror_url}"
    code, outcomes, report = world.install("--mirror", mirror, "abi3info")
    assert (code, outcomes, world.installed()) == (0, {WHEEL: "accepted"}, True)
    assert report["mirrors"] == [{"source": "pypi", "url": world.sandbox.upstream.mirror_url}]
    assert not [each for each in world.sandbox.requests if each.path.startswith("/simple")]

    world.sandbox.clear_requests()
    world.sandbox.upstream.is_integrity_disabled = True
    code, outcomes, report = world.install("--offline", "--mirror", mirror, "--force-reinstall", "abi3info")
    assert (code, outcomes, report["mirrors"]) == (0, {WHEEL: "accepted"}, [])
    assert world.sandbox.requests == ()


@parametrized(
    ("subject", "require", "project_id", "code"),
    [
        (SUBJECT.replace("woodruffw", "woodruffv"), TRIGGER, 538293197, "identity-mismatch"),
        (SUBJECT.replace("release.yml", "ci.yml"), TRIGGER, 538293197, "identity-mismatch"),
        (SUBJECT.replace("tags/v{version}", "heads/main"), TRIGGER, 538293197, "identity-mismatch"),
        (SUBJECT, TRIGGER, 1, "project-id-mismatch"),
        (SUBJECT, "", 538293197, "build-trigger-refused"),
        (SUBJECT, 'build-trigger = ["workflow_dispatch"]', 538293197, "build-trigger-refused"),
    ],
    ordinary={0, 4},
)
def test_a_wrong_pin_installs_nothing(
    world: World, subject: str, require: str, project_id: int, code: str
) -> None:
    world.trust("abi3info", subject, require, project_id)
    assert world.install("abi3info")[:2] == (1, {WHEEL: code})
    assert not world.installed()


def test_a_service_that_cannot_be_asked_installs_nothing(world: World) -> None:
    world.trust("abi3info", SUBJECT, TRIGGER)
    world.sandbox.upstream.is_integrity_disabled = True
    code, outcomes, _ = world.install("abi3info")
    assert (code, outcomes) == (3, {WHEEL: "undecided"})
    assert not world.installed()


def verify(world: World, file: str, evidence: str, subject: str, *words: str) -> tuple[int, str]:
    return world.type(
        "verify", str(DATA / file), "--bundle", str(DATA / f"{file}{evidence}"), "--offline",
        "--certificate-identity", subject, "--certificate-oidc-issuer", GITHUB,
        "--trusted-root", str(ROOT), *words,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("file", "evidence", "subject"),
    [(WHEEL, ".provenance", SUBJECT), (SDIST, ".attestation", SIGNER), (SDIST, ".sigstore", SIGNER)],
)
def test_verify_with_a_signer_and_its_trigger_on_the_command_line(
    world: World, file: str, evidence: str, subject: str
) -> None:
    assert verify(world, file, evidence, subject, "--build-trigger", "release")[0] == 0
    assert (
        verify(world, file, evidence, subject, "--build-trigger", "push", "--build-trigger", "release")[0]
        == 0
    )
    for words in ((), ("--build-trigger", "schedule")):
        code, said = verify(world, file, evidence, subject, *words)
        assert (code, "[build-trigger-refused]" in said) == (1, True), said
    code, said = verify(
        world, file, evidence, subject.replace("release.yml", "x.yml"), "--build-trigger", "release"
    )
    assert (code, "[identity-mismatch]" in said) == (1, True), said


@pytest.mark.parametrize("trigger", ["pull_request_target", "workflow_run", "issue_comment"])
def test_verify_takes_no_trigger_that_strangers_can_start(world: World, trigger: str) -> None:
    words = ("--build-trigger", "release", "--build-trigger", trigger)
    code, said = verify(world, WHEEL, ".provenance", SUBJECT, *words)
    assert (code, "[build-trigger-unsafe]" in said) == (1, True), said


def test_verify_takes_no_trigger_of_an_account_of_which_it_would_require_nothing(world: World) -> None:
    code, said = verify(world, WHEEL, ".provenance", "me@example.com", "--build-trigger", "release")
    assert (code, "[usage]" in said, "no project" in said) == (2, True, True), said


def test_verify_takes_a_trigger_only_for_a_signer_on_the_command_line(world: World) -> None:
    world.trust("abi3info", SUBJECT, TRIGGER)
    code, said = world.type("verify", str(DATA / WHEEL), "--build-trigger", "push")
    assert (code, "[usage]" in said) == (2, True), said


def test_a_report_on_a_local_file_names_no_mirror(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.trust("abi3info", SUBJECT, TRIGGER)
    monkeypatch.setenv("PIP_WARDEN_MIRROR_PYPI", world.sandbox.upstream.mirror_url)
    bundle = str(DATA / f"{WHEEL}.provenance")
    code, said = world.type("verify", str(DATA / WHEEL), "--bundle", bundle, "--format", "json")
    assert (code, json.loads(said)["mirrors"]) == (0, [])
