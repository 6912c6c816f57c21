"""What a command did to the trust file, as data: one shape, nothing else on stdout, errors in JSON too."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cli.terminal import typed
from pip_warden.report.formats import FORMATS
from pip_warden.sandbox import File, Sandbox

KEYS = {
    "schema_version", "tool", "command", "exit_code", "trust_file", "is_written", "added", "removed",
    "added_images", "removed_images", "added_sources", "refused", "mirrors", "warnings", "error",
}  # fmt: skip
PINNING = KEYS | {"files", "unpinned", "target", "installer_exit_code"}
"""Of what judges: a report, and what became of the trust file."""


@dataclass(frozen=True, kw_only=True)
class Bench:
    """A project with two releases of a package on the index, the first pinned by hash."""

    sandbox: Sandbox
    home: Path
    name: str
    first: File
    second: File

    def lock(self, *files: File) -> None:
        lines = [f"{self.name}=={file.name.split('-')[1]} --hash=sha256:{file.sha256}" for file in files]
        (self.home / "r.txt").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    def run(self, *words: str, answers: str | None = None, code: int = 0) -> tuple[dict[str, Any], str]:
        """Run a command that prints JSON, and return that and what was told."""
        said = typed("trust", *words, "--format", "json", answers=answers)
        assert said.code == code, said.err
        found: dict[str, Any] = said.json
        assert found["exit_code"] == code
        return found, said.err


@pytest.fixture
def bench(sandbox: Sandbox, home: Path, request: pytest.FixtureRequest) -> Bench:
    name = re.sub("[^a-z0-9]+", "-", request.node.name).strip("-")[:60]
    files = [sandbox.wheel(name, version) for version in ("1.0", "2.0")]
    for file in files:
        sandbox.upstream.add(name, [file], uploaded=datetime(2020, 1, 1, tzinfo=UTC))
    (home / "pytrust.toml").write_text(
        f"""version = 1

[source.pypi]
type = "simple"
url = "{sandbox.upstream.simple_url}"
evidence = "{sandbox.upstream.integrity_url}"
hash-reason = "nobody signs it"

[[package]]
name = "{name}"
source = "pypi"

  [package.sha256]
  "{files[0].name}" = "{files[0].sha256}"
""",
        encoding="utf-8",
    )
    return Bench(sandbox=sandbox, home=home, name=name, first=files[0], second=files[1])


def pin(bench: Bench, file: File, version: str, why: str | None) -> dict[str, Any]:
    return {
        "project": bench.name,
        "source": "pypi",
        "registry": None,
        "kind": "hash",
        "version": version,
        "files": {file.name: file.sha256},
        "reason": "nobody signs it",
        "why": why,
    }


def test_update_says_what_was_moved(bench: Bench) -> None:
    bench.lock(bench.second)
    found, told = bench.run("update", "-r", "r.txt", answers="y\n")
    assert found.keys() == PINNING
    assert (found["command"], found["is_written"]) == ("trust update", True)
    assert [(each["file"], each["outcome"]) for each in found["files"]] == [(f"{bench.name} 2.0", "pinned")]
    why = "r.txt (line 1)"
    assert found["added"] == [pin(bench, bench.second, "2.0", why)]
    assert found["removed"] == [pin(bench, bench.first, "1.0", why)]
    assert "Change the pins" in told
    assert "will be" in told

    again, _ = bench.run("update", "-r", "r.txt")
    assert (again["is_written"], again["added"], again["removed"]) == (False, [], [])


def test_sync_says_what_was_pinned_and_from_which_new_source(bench: Bench) -> None:
    bench.lock(bench.second)
    (bench.home / "pytrust.toml").unlink()
    url = bench.sandbox.upstream.simple_url
    found, _ = bench.run("sync", "-r", "r.txt", "--source", url, "--reason", "why", "--hash-only", "--yes")
    assert found.keys() == PINNING
    (source,) = found["added_sources"]
    assert (source["type"], source["url"]) == ("simple", url)
    (added,) = found["added"]
    assert (added["files"], added["why"]) == ({bench.second.name: bench.second.sha256}, "--hash-only")
    assert found["removed"] == []


def test_prune_says_what_went_and_why(bench: Bench) -> None:
    bench.lock(bench.second)
    found, told = bench.run("prune", "-r", "r.txt", "--hash-only", "--yes")
    assert found["removed"] == [pin(bench, bench.first, "1.0", "nothing needs this release")]
    assert "nothing needs this release" in told


def test_remove_and_add_have_the_same_shape(bench: Bench) -> None:
    found, _ = bench.run("add", f"{bench.name}==2.0", "--hash", "--yes")
    assert found.keys() == PINNING
    assert found["added"] == [pin(bench, bench.second, "2.0", None)]
    assert [each["note"] for each in found["files"]] == ["by hash"]
    found, told = bench.run("remove", f"{bench.name}==1.0", "--yes")
    assert found.keys() == KEYS
    assert found["removed"] == [pin(bench, bench.first, "1.0", None)]
    assert "by hash, 1 file" in told


def test_what_stays_as_it_is_has_its_code(bench: Bench) -> None:
    (bench.home / "pytrust.toml").write_text(
        (bench.home / "pytrust.toml")
        .read_text()
        .replace('source = "pypi"\n', 'source = "pypi"\nexpires = 2020-02-02\n')
    )
    found, _ = bench.run("update", "--latest", "--yes", code=2)
    (refused,) = found["refused"]
    assert (refused["project"], refused["code"]) == (bench.name, "expires-past")
    assert (found["is_written"], found["added"], found["removed"]) == (False, [], [])
    assert any("stays as it is" in each for each in found["warnings"])


@pytest.mark.parametrize("command", ["sync", "update", "prune"])
def test_an_error_is_json_and_nothing_is_written(bench: Bench, command: str) -> None:
    (bench.home / "r.txt").write_text("")
    before = (bench.home / "pytrust.toml").read_text()
    found, _ = bench.run(command, "-r", "r.txt", "--yes", code=2)
    assert found["error"]["code"] == "nothing-to-pin"
    assert (bench.home / "pytrust.toml").read_text() == before


def test_a_no_is_an_error_in_json(bench: Bench) -> None:
    bench.lock(bench.second)
    found, _ = bench.run("update", "-r", "r.txt", answers="n\n", code=1)
    assert found["error"]["code"] == "declined"
    found, _ = bench.run("update", "-r", "r.txt", code=2)
    assert found["error"]["code"] == "yes-needed"


def test_update_says_in_every_format_what_stays_as_it_is_and_where_it_is_needed(bench: Bench) -> None:
    bench.lock(bench.second)
    text = (bench.home / "r.txt").read_text()
    (bench.home / "r.txt").write_text("# needed\n" + text.replace(bench.second.sha256, "0" * 64))
    told = [word for name in FORMATS for word in ("--output", f"{name}=told.{name}")]
    said = typed("trust", "update", "-r", "r.txt", "--hash-only", "--yes", *told)
    assert (said.code, "error[hash-not-found]" in said.err) == (1, True)
    (run,) = json.loads((bench.home / "told.sarif").read_text())["runs"]
    results = [each for each in run["results"] if each["level"] == "error"]
    place = results[0]["locations"][0]["physicalLocation"]
    assert [each["ruleId"] for each in results] == ["hash-not-found"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("r.txt", 2)
    for name in FORMATS:
        assert "hash-not-found" in (bench.home / f"told.{name}").read_text()

    bench.lock(bench.second)
    said = typed("trust", "update", "-r", "r.txt", "--hash-only", "--yes", *told)
    assert (said.code, "✅ pinned" in (bench.home / "told.markdown").read_text()) == (0, True)
    for name in FORMATS:
        assert "hash-not-found" not in (bench.home / f"told.{name}").read_text()


def test_add_says_in_every_format_what_it_refuses(bench: Bench) -> None:
    told = [word for name in FORMATS for word in ("--output", f"{name}=told.{name}")]
    said = typed("trust", "add", f"{bench.name}==3.0", "--hash", "--yes", *told)
    assert (said.code, "error[no-release]" in said.err) == (1, True)
    for name in FORMATS:
        assert "no-release" in (bench.home / f"told.{name}").read_text()
    said = typed("trust", "add", f"{bench.name}==2.0", "--hash", "--yes", "--format", "markdown")
    assert (said.code, said.out.splitlines()[0]) == (0, "## `pip-warden trust add`: ✅ pinned")
