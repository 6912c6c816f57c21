"""Scenarios of ``trust sync`` are directories: what the index has, a lock, the trust file before and after.

``README.md`` says why, ``scenario.toml`` the rest; ``pytrust.toml`` is the trust file before, where there is
one, ``after.toml`` the one after, to the letter (none: it stays as it was). Every other file is put into the
working directory. A new scenario needs no new code; ``RECORD=1`` writes ``after.toml``, to be reviewed.

Texts have placeholders: ``@alpha@`` a package, ``@alpha 1.0 whl@`` a file of it, ``@alpha 1.0 whl sha256@``
its digest, ``@alpha subject@`` its signer without the ref, ``@alpha project@`` that project's number;
``@PYPI@``, ``@MIRROR@``, ``@INTEGRITY@``, ``@GITLAB@`` places, ``@ISSUER@``, ``@ROOT@`` and ``@ROOTSHA256@``.
After a command that succeeded the same is typed once more, without a terminal: there must be nothing to do.
"""

from __future__ import annotations

import hashlib
import os
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from pip_warden.sandbox import File, Sandbox
from pip_warden.sandbox.faults import Answer
from pip_warden.sandbox.upstream import UpstreamFile
from scenario import check_ending, play

SCENARIOS = Path(__file__).parent / "scenarios"
NAMES = sorted(path.name for path in SCENARIOS.iterdir() if path.is_dir())
RECORDING = bool(os.environ.get("RECORD"))
OWN = {"README.md", "scenario.toml", "after.toml"}


@dataclass(frozen=True, kw_only=True)
class Stage:
    """What a scenario plays on."""

    sandbox: Sandbox
    home: Path
    words: dict[str, str]

    def filled(self, text: str) -> str:
        return re.sub(r"@([A-Za-z][\w. -]*)@", lambda found: self.words[found[1]], text)

    def recorded(self, text: str) -> str:
        for word, value in sorted(self.words.items(), key=lambda item: -len(item[1])):
            if len(value) > 3:
                text = text.replace(value, f"@{word}@")
        return re.sub(r"(?m)^(\s*project-id = )\d+$", r"\1@alpha project@", text)

    def run(self, command: list[str], answers: str | None) -> tuple[int, str]:
        code, said = play([self.filled(word) for word in command], answers)
        return code, " ".join(said.split())


def _files(sandbox: Sandbox, name: str, package: dict[str, Any]) -> dict[str, File]:
    """Build the files of a release, each by its kind: ``whl``, ``tar.gz``, or the tag of a wheel."""
    version = package["version"]
    return {
        kind: sandbox.sdist(name, version)
        if kind == "tar.gz"
        else sandbox.wheel(name, version, tag="py3-none-any" if kind == "whl" else kind)
        for kind in package.get("files", ["whl"])
    }


def publish(sandbox: Sandbox, scenario: str, packages: list[dict[str, Any]]) -> dict[str, str]:
    """Put packages on the index, oldest release first; return their placeholders."""
    words: dict[str, str] = {}
    for package in packages:
        short, version = package["name"], package["version"]
        name = f"{short}-{scenario}"
        files = _files(sandbox, name, package)
        project = sandbox.project(package.get("project", f"acme/{name}"))
        job = sandbox.job(project, f"refs/tags/v{version}", pipeline_source=package.get("trigger", "push"))
        signed = package.get("signed", [])
        evidence = {
            files[kind].name: [*sandbox.sign(files[kind], job, ("pep740",)).values()] for kind in signed
        }
        added = sandbox.upstream.add(name, [*files.values()], provenance=evidence)
        if package.get("silent"):
            _serve_without_digests(sandbox, name, added)
        if package.get("tampered"):
            other = sandbox.wheel(name, version, files={f"{name.replace('-', '_')}/extra.py": b"1\n"})
            added[0].data, added[0].claimed_sha256 = other.data, other.sha256
        words |= {
            short: name,
            f"{short} subject": job.san.partition("@")[0],
            f"{short} project": str(project.id),
        }
        for kind, file in files.items():
            words[f"{short} {version} {kind}"] = file.name
            words[f"{short} {version} {kind} sha256"] = file.sha256
    return words


def _serve_without_digests(sandbox: Sandbox, name: str, files: list[UpstreamFile]) -> None:
    """Have a page say no digest: PEP 503 allows that, and old mirrors do it."""
    links = "".join(f'<a href="{sandbox.upstream.files_url}{file.path}">{file.name}</a>' for file in files)
    page = Answer(status=200, body=links.encode(), headers=(("Content-Type", "text/html"),))
    sandbox.fault(page, re.compile(f"/simple/{name}/"), origin="pypi", times=None)


@pytest.fixture
def stage(sandbox: Sandbox, home: Path, request: pytest.FixtureRequest) -> Iterator[Stage]:
    name = str(request.node.callspec.params["name"])
    scenario = tomllib.loads((SCENARIOS / name / "scenario.toml").read_text(encoding="utf-8"))
    words = publish(sandbox, name, scenario.get("package", []))
    root, upstream = sandbox.write_trust(home), sandbox.upstream
    words |= {
        "PYPI": upstream.simple_url,
        "HOST": urlsplit(upstream.simple_url).netloc,
        "MIRROR": upstream.mirror_url,
        "INTEGRITY": upstream.integrity_url,
        "GITLAB": sandbox.gitlab_url,
        "ISSUER": sandbox.issuer,
        "ROOT": str(root),
        "ROOTSHA256": hashlib.sha256(root.read_bytes()).hexdigest(),
    }
    staged = Stage(sandbox=sandbox, home=home, words=words)
    upstream.is_integrity_disabled = scenario.get("disabled", False)
    for fault in scenario.get("fault", []):
        action = Answer(status=fault["status"], body=fault.get("body", "").encode())
        sandbox.fault(action, re.compile(staged.filled(fault["path"])), origin=fault["origin"], times=None)
    for file in (SCENARIOS / name).iterdir():
        if file.name not in OWN:
            (home / file.name).write_text(staged.filled(file.read_text(encoding="utf-8")), encoding="utf-8")
    yield staged
    sandbox.faults.clear()
    upstream.is_integrity_disabled = False


@pytest.mark.parametrize("name", NAMES)
def test_the_scenario_ends_as_it_says(name: str, stage: Stage) -> None:
    scenario = tomllib.loads((SCENARIOS / name / "scenario.toml").read_text(encoding="utf-8"))
    trust = stage.home / "pytrust.toml"
    before = trust.read_text(encoding="utf-8") if trust.exists() else None
    stage.sandbox.clear_requests()

    code, said = stage.run(scenario["command"], scenario.get("answers"))

    check_ending(scenario, code, said, sandbox=stage.sandbox, filled=stage.filled)
    after = trust.read_text(encoding="utf-8") if trust.exists() else None
    wanted = SCENARIOS / name / "after.toml"
    if RECORDING and after is not None and after != before:
        wanted.write_text(stage.recorded(after), encoding="utf-8")
    assert after == (stage.filled(wanted.read_text(encoding="utf-8")) if wanted.exists() else before)
    if code == 0:
        _again(stage, scenario["command"], after, asks=scenario.get("asks-again", False))


def _again(stage: Stage, command: list[str], after: str | None, *, asks: bool) -> None:
    stage.sandbox.clear_requests()
    code, said = stage.run(command, None)
    assert (code, "nothing to do" in said) == (0, True), said
    assert (stage.home / "pytrust.toml").read_text(encoding="utf-8") == after
    assert asks or not stage.sandbox.requests  # what no lock names is resolved again


@pytest.mark.parametrize("name", NAMES)
def test_the_scenario_says_why(name: str) -> None:
    assert len((SCENARIOS / name / "README.md").read_text(encoding="utf-8")) > 40
