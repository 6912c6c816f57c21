"""Scenarios are directories: what the index has, the trust file before, a command, and how it must end.

``README.md`` says why, ``scenario.toml`` the rest, and ``pytrust.toml`` is the trust file before, where there
is one. A new scenario needs no new code. Texts have placeholders: ``@KIT@`` the package, ``@FILE@`` its
newest file and ``@SHA256@`` its digest, ``@PYPI@``, ``@MIRROR@``, ``@INTEGRITY@`` and ``@GITLAB@`` places,
``@ISSUER@`` and ``@SUBJECT@`` the signer (without the ref), ``@ROOT@`` the trusted root. A release is built
by a pipeline, or signed by an ``account`` of an ``issuer``; with ``local`` the newest file is in the working
directory, with its evidence beside it.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pip_warden.sandbox import File, Sandbox
from pip_warden.sandbox.faults import Answer
from pip_warden.sandbox.signing import PUBLISH, statement
from scenario import check_ending, play

SCENARIOS = Path(__file__).parent / "scenarios"
NAMES = sorted(path.name for path in SCENARIOS.iterdir() if path.is_dir())


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What a scenario plays on."""

    sandbox: Sandbox
    home: Path
    kit: str
    words: dict[str, str]

    def filled(self, text: str) -> str:
        return re.sub(r"@[A-Z0-9]+@", lambda found: self.words[found[0].strip("@")], text)

    def run(self, command: list[str], answers: str | None) -> tuple[int, str]:
        code, said = play([self.filled(word) for word in command], answers)
        return code, " ".join(said.split())


def _sign(sandbox: Sandbox, kit: str, file: File, release: dict[str, Any]) -> list[Any]:
    """Return the attestations of a file."""
    if not release.get("signed", True):
        return []
    if "account" in release:
        claims = {"iss": release["issuer"], "email": release["account"], "email_verified": True}
        return [sandbox.sigstore.pep740(statement(file, PUBLISH, None), claims)]
    project = sandbox.project(release.get("project", f"acme/{kit}"))
    ref = release.get("ref", f"refs/tags/v{file.version}")
    job = sandbox.job(project, ref, pipeline_source=release.get("trigger", "push"))
    return [json.loads(raw) for raw in sandbox.sign(file, job, ("pep740",)).values()]


def _publish(sandbox: Sandbox, kit: str, releases: list[dict[str, Any]]) -> tuple[File, list[Any]]:
    """Put releases on the index, oldest first; return the newest file and its attestations."""
    file, evidence = sandbox.wheel(kit, "0"), []
    for release in releases:
        version = release["version"]
        file = sandbox.wheel(kit, version)
        evidence = _sign(sandbox, kit, file, release)
        (added,) = sandbox.upstream.add(
            kit, [file], provenance={file.name: evidence}, publisher=release.get("publisher")
        )
        if release.get("tampered"):
            other = sandbox.wheel(kit, version, files={f"{kit.replace('-', '_')}/extra.py": b"1\n"})
            added.data, added.claimed_sha256 = other.data, other.sha256
    return file, evidence


@pytest.fixture
def stage(sandbox: Sandbox, home: Path, request: pytest.FixtureRequest) -> Iterator[Stage]:
    name = str(request.node.callspec.params["name"])
    scenario = tomllib.loads((SCENARIOS / name / "scenario.toml").read_text(encoding="utf-8"))
    kit = f"kit-{name}"
    file, evidence = _publish(sandbox, kit, scenario.get("release", [{"version": "1.0"}]))
    if scenario.get("local"):
        (home / file.name).write_bytes(file.data)
        (home / f"{file.name}.publish.attestation").write_text(json.dumps(evidence[0]), encoding="utf-8")
    root = sandbox.write_trust(home)
    upstream = sandbox.upstream
    upstream.is_provenance_named = scenario.get("named", True)
    upstream.is_integrity_disabled = scenario.get("disabled", False)
    for fault in scenario.get("fault", []):
        headers = tuple(
            (key, value.replace("@PYPI@", upstream.simple_url)) for key, value in fault.get("headers", [])
        )
        action = Answer(status=fault["status"], body=fault.get("body", "").encode(), headers=headers)
        sandbox.fault(action, re.compile(fault["path"]), origin=fault["origin"], times=None)
    project = sandbox.project(f"acme/{kit}")
    subject = sandbox.job(project).san.partition("@")[0]
    words = {
        "KIT": kit,
        "FILE": file.name,
        "SHA256": file.sha256,
        "PYPI": upstream.simple_url,
        "MIRROR": upstream.mirror_url,
        "INTEGRITY": upstream.integrity_url,
        "GITLAB": sandbox.gitlab_url,
        "ISSUER": sandbox.issuer,
        "SUBJECT": subject,
        "PROJECT": str(project.id),
        "ROOT": str(root),
        "ROOTSHA256": hashlib.sha256(root.read_bytes()).hexdigest(),
    }
    yield Stage(sandbox=sandbox, home=home, kit=kit, words=words)
    sandbox.faults.clear()
    upstream.is_provenance_named, upstream.is_integrity_disabled = True, False


@pytest.mark.parametrize("name", NAMES)
def test_the_scenario_ends_as_it_says(name: str, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = tomllib.loads((SCENARIOS / name / "scenario.toml").read_text(encoding="utf-8"))
    trust, before = stage.home / "pytrust.toml", None
    if (SCENARIOS / name / "pytrust.toml").exists():
        before = stage.filled((SCENARIOS / name / "pytrust.toml").read_text(encoding="utf-8"))
        trust.write_text(before, encoding="utf-8")
    for variable, value in scenario.get("environment", {}).items():
        monkeypatch.setenv(variable, stage.filled(value))
    stage.sandbox.clear_requests()

    code, said = stage.run(scenario["command"], scenario.get("answers"))

    check_ending(scenario, code, said, sandbox=stage.sandbox, filled=stage.filled)
    after = trust.read_text(encoding="utf-8") if trust.exists() else None
    if "after" not in scenario:
        assert after == before
        return
    assert after is not None
    (package,) = [each for each in tomllib.loads(after)["package"] if each["name"] == stage.kit]
    wanted = tomllib.loads(stage.filled(scenario["after"]))
    assert {key: package.get(key) for key in wanted} == wanted
    assert package.keys() - wanted.keys() <= {"name", "source"}
    assert stage.words["MIRROR"] not in after


@pytest.mark.parametrize("name", NAMES)
def test_the_scenario_says_why(name: str) -> None:
    assert len((SCENARIOS / name / "README.md").read_text(encoding="utf-8")) > 40
