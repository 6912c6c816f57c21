"""``trust sync`` tells in every format what became of each release that is needed."""

from __future__ import annotations

import errno
import json
import re
from pathlib import Path
from typing import Any

import pytest
from junitparser import JUnitXml, Skipped

from cli.terminal import typed
from pip_warden.cli import outputs
from pip_warden.report.formats import FORMATS
from pip_warden.sandbox import Sandbox
from pip_warden.sandbox.faults import Answer
from sync.test_sync import with_sources
from sync.test_sync_scenarios import Stage

EVERYTHING = [word for name in FORMATS for word in ("--output", f"{name}=told.{name}")]
SYNC = ("trust", "sync", "-r", "r.txt", "--source", "pypi", "--hash-only")


@pytest.fixture
def stage(sandbox: Sandbox, home: Path, request: pytest.FixtureRequest) -> Stage:
    """Return a project that needs two packages of an index, in lines 2 and 3."""
    stage = with_sources(sandbox, home)
    name = re.sub("[^a-z0-9]+", "-", request.node.name).strip("-")[:50]
    stage.words["name"] = name
    lines = ["# what is needed"]
    for number in (1, 2):
        wheel = sandbox.wheel(f"{name}-{number}", "1.0")
        sandbox.upstream.add(f"{name}-{number}", [wheel])
        lines.append(f"{name}-{number}==1.0 --hash=sha256:{wheel.sha256}")
    (home / "r.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return stage


def disagree(stage: Stage, name: str) -> None:
    """Have the requirements file demand another digest of a package."""
    path = stage.home / "r.txt"
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(rf"({name}==1.0 --hash=sha256:)\w+", rf"\g<1>{'0' * 64}", text), encoding="utf-8")


def told(stage: Stage, name: str) -> str:
    return (stage.home / f"told.{name}").read_text(encoding="utf-8")


def cases(text: str) -> dict[str, str]:
    """Return what became of each case of a JUnit report."""
    (suite,) = JUnitXml.fromstring(text.encode())
    found = {}
    for case in suite:
        said = [
            f"{type(each).__name__.lower()}: {each.message if isinstance(each, Skipped) else each.type}"
            for each in case.result
        ]
        found[case.name] = "; ".join(said) or "passed"
    assert len(found) == len(list(suite))
    return found


def results(stage: Stage) -> list[dict[str, Any]]:
    (run,) = json.loads(told(stage, "sarif"))["runs"]
    found: list[dict[str, Any]] = run["results"]
    return found


def test_what_was_pinned_and_what_was_already(stage: Stage) -> None:
    name = stage.words["name"]
    said = typed(*SYNC, *EVERYTHING, "--yes")
    assert (said.code, "name" in said.out, "<testsuite" in said.out) == (0, True, False)
    (one, two) = json.loads(told(stage, "json"))["files"]
    assert (one["file"], one["project"], one["version"], one["outcome"], one["source"], one["note"]) == (
        f"{name}-1 1.0", f"{name}-1", "1.0", "pinned", "pypi", "by hash: --hash-only",
    )  # fmt: skip
    assert two["requirement"] == {"text": None, "path": "r.txt", "line": 3}
    assert cases(told(stage, "junit")) == {f"{name}-1 1.0": "passed", f"{name}-2 1.0": "passed"}
    assert results(stage) == []
    assert told(stage, "markdown").startswith("## `pip-warden trust sync`: ✅ pinned\n")
    assert '<h1 class="good">Everything that is needed is pinned</h1>' in told(stage, "html")
    assert "2 packages: 2 pinned" in told(stage, "text")

    again = typed(*SYNC, *EVERYTHING, "--format", "json")
    assert (again.code, {each["outcome"] for each in again.json["files"]}) == (0, {"pinned_already"})
    assert (again.json["is_written"], again.json["added"]) == (False, [])
    assert set(cases(told(stage, "junit")).values()) == {"skipped: pinned already"}


def test_what_was_refused_stands_at_its_line_once(stage: Stage) -> None:
    name = stage.words["name"]
    disagree(stage, f"{name}-2")
    said = typed(*SYNC, *EVERYTHING, "--yes")
    assert (said.code, "error[hash-not-found]" in said.err) == (1, True)
    document = json.loads(told(stage, "json"))
    one, two = document["files"]
    assert (one["outcome"], one["note"]) == ("not_judged", "the run has pinned nothing")
    assert (two["outcome"], two["refused_early"]["code"]) == ("refused", "hash-not-found")
    assert [each["project"] for each in document["refused"]] == [f"{name}-2"]
    assert (document["exit_code"], document["error"], document["is_written"]) == (1, None, False)
    assert list(cases(told(stage, "junit")).items()) == [
        (f"{name}-2", "failure: hash-not-found"),
        (f"{name}-1 1.0", "skipped: not judged: the run has pinned nothing"),
    ]
    (result,) = results(stage)
    place = result["locations"][0]["physicalLocation"]
    assert (result["ruleId"], result["level"]) == ("hash-not-found", "error")
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("r.txt", 3)
    assert told(stage, "markdown").startswith("## `pip-warden trust sync`: ❌ refused\n")
    assert "Everything" not in told(stage, "html")
    assert "[hash-not-found]" in told(stage, "text")


def test_the_verdict_of_a_file_is_told_as_one(stage: Stage) -> None:
    name = stage.words["name"]
    other = stage.sandbox.wheel(f"{name}-1", "1.0", files={f"{name.replace('-', '_')}_1/more.py": b"1\n"})
    stage.sandbox.upstream.add(f"{name}-1", [other])
    said = typed(*SYNC, "--yes", "--format", "json")
    assert said.code == 1
    line = said.json["files"][0]
    assert (line["outcome"], line["refused"]["code"]) == ("refused", "same-name-other-bytes")


def test_what_could_not_be_asked_is_undecided(stage: Stage) -> None:
    name = stage.words["name"]
    page = re.compile(f"/simple/{name}-1/")
    stage.sandbox.fault(Answer(status=503, body=b""), page, origin="pypi", times=None)
    try:
        said = typed(*SYNC, *EVERYTHING, "--yes")
    finally:
        stage.sandbox.faults.clear()
    assert (said.code, "error[" in said.err) == (3, True)
    assert cases(told(stage, "junit"))[f"{name}-1"].startswith("error: ")
    assert {each["level"] for each in results(stage)} == {"error"}
    assert told(stage, "markdown").startswith("## `pip-warden trust sync`: ❓ undecided\n")


def test_a_no_and_what_was_never_asked_are_told_too(stage: Stage) -> None:
    said = typed(*SYNC, *EVERYTHING, answers="n\n")
    assert (said.code, json.loads(told(stage, "json"))["error"]["code"]) == (1, "declined")
    assert [kind for kind in cases(told(stage, "junit")).values() if kind == "failure: declined"]
    said = typed(*SYNC, *EVERYTHING, "--format", "junit")
    assert (said.code, "error: yes-needed" in cases(said.out).values()) == (2, True)
    said = typed(*SYNC, *EVERYTHING, "--lock", "absent.lock", "--yes")
    assert (said.code, len(results(stage))) == (2, 1)


def test_a_report_that_cannot_be_written_changes_nothing_but_the_exit_code(stage: Stage) -> None:
    (stage.home / "there").mkdir()
    before = (stage.home / "pytrust.toml").read_text(encoding="utf-8")
    assert typed(*SYNC, "--yes", "--output", "json=there").code == 2
    assert typed(*SYNC, "--yes", "--output", "json=pytrust.toml").code == 2
    assert typed(*SYNC, "--yes", "--output", "json=r.txt").code == 2
    assert (stage.home / "pytrust.toml").read_text(encoding="utf-8") == before


def test_what_is_pinned_and_cannot_be_told_ends_with_4(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(text: str, path: Path) -> None:
        if path.name == "told.html":
            raise OSError(errno.ENOSPC, "No space left on device")
        path.write_text(text, encoding="utf-8")

    monkeypatch.setattr(outputs, "_write", full)
    said = typed(*SYNC, *EVERYTHING, "--yes")
    assert (said.code, "error[output-not-written]" in said.err) == (4, True)
    assert (json.loads(told(stage, "json"))["exit_code"], json.loads(told(stage, "json"))["is_written"]) == (
        4,
        True,
    )
    assert stage.words["name"] in (stage.home / "pytrust.toml").read_text(encoding="utf-8")
    assert told(stage, "markdown").startswith("## `pip-warden trust sync`: ❌ failed (exit code 4)\n")
