"""How the stack's programs are installed, with stand-ins for Go, npm and apt-get: an ordinary test."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from interop.stack import install as installing
from interop.stack.install import MissingError, install
from interop.stack.jobs import Commands, JobError

TOOLS = {
    "go": {
        "one": "example.com/tools/cmd/one@v1.0.0",
        "two": "example.com/tools/cmd/two@v1.0.0",
        "three-1": "example.com/other/three@v1.0.0",
    },
    "ours": {"made": "source"},
    "files": {"some.yaml": "example.com/tools@v1.0.0/config/some.yaml"},
    "npm": {"runner": "1.0.0"},
    "python": {"solver": "solver==1.0.0"},
    "debian": {"stand-in-server": "stand-in-core"},
}

GO = """
case "$1 $2" in
  "version -m") shift 2; for file; do echo "$file: go1.26.8"; cat "$file"; done;;
  "install -n") for package; do case "$package" in *unknown*) echo "no such module" >&2; exit 1;; esac; done;;
  install*)
    shift 2; mkdir -p "$GOBIN"
    for package; do
      path="${package%@*}"; version="${package#*@}"; name="${path##*/}"
      case "$name" in
        broken) until [ -e "$HERE/slow" ]; do sleep 0.05; done; echo "undefined: x" >&2; exit 2;;
        slow) echo $$ > "$HERE/slow.new"; mv "$HERE/slow.new" "$HERE/slow"; sleep 600; exit 0;;
      esac
      printf '\\tpath\\t%s\\n\\tmod\\tx\\t%s\\th1:x\\n' "$path" "$version" > "$GOBIN/$name"
    done;;
  build*) cat main.go > "$4";;
  "mod download") printf '{"Dir": "%s/module"}' "$HERE";;
esac
"""
NPM = """
while [ "$1" != --prefix ]; do shift; done
mkdir -p "$2/node_modules/runner"
"""
PYTHON = """
case "$2" in
  venv) mkdir -p "$3/bin" && cp "$0" "$3/bin/python";;
  pip)
    [ ! -e "$HERE/offline" ] || { echo "no matching distribution" >&2; exit 1; }
    while [ "$1" != --retries ]; do shift; done; shift 2
    echo "$@" > "${0%/*}/${1%%==*}";;
esac
"""
APT = """
case "$1" in
  update) [ ! -e "$HERE/stale" ] || { echo "no route to mirror" >&2; exit 100; };;
  install) [ ! -e "$HERE/gone" ] || { echo "unable to locate package" >&2; exit 100; }
    echo "$@" > "$HERE/packages"; cp "$HERE/programs/apt-get" "$HERE/programs/stand-in-server";;
esac
"""


class Machine:
    """A machine with stand-ins, and an empty cache."""

    def __init__(self, home: Path, patch: pytest.MonkeyPatch) -> None:
        self.home, self.patch = home, patch
        self.cache, self.programs = home / "cache", home / "programs"
        (home / "module" / "config").mkdir(parents=True)
        (home / "module" / "config" / "some.yaml").write_text("a: 1\n", encoding="utf-8")
        (home / "source").mkdir()
        (home / "source" / "main.go").write_text("package main\n", encoding="utf-8")
        self.programs.mkdir()
        for name, script in (("go", GO), ("npm", NPM), ("apt-get", APT), ("python", PYTHON)):
            text = f'#!/bin/sh\necho "{name} $1 $2" >> "$HERE/ran"\n{script}'
            (self.programs / name).write_text(text, encoding="utf-8")
            (self.programs / name).chmod(0o755)
        patch.setenv("PATH", f"{self.programs}:/usr/bin:/bin")
        patch.setenv("HERE", str(home))
        places = {
            "CACHE": "",
            "BIN": "bin",
            "FILES": "files",
            "_BUILDING": "building",
            "_MODULES": "node_modules",
            "PYTHON": "python",
        }
        for name, path in places.items():
            patch.setattr(installing, name, self.cache / path)
        patch.setattr(installing, "_HERE", home)
        patch.setattr(sys, "executable", str(self.programs / "python"))
        patch.setattr(os, "geteuid", lambda: 0)
        self.wants(TOOLS)

    def wants(self, tools: Mapping[str, Mapping[str, str]]) -> None:
        empty: dict[str, Mapping[str, str]] = {
            kind: {} for kind in ("go", "ours", "files", "npm", "python", "debian")
        }
        self.patch.setattr(installing, "TOOLS", empty | dict(tools))

    def ran(self) -> list[str]:
        """Return the commands since the last call, but for version queries."""
        file = self.home / "ran"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return sorted(line for line in lines if not line.startswith("go version"))


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def test_a_bare_machine_gets_everything_and_hears_what_is_done(
    machine: Machine, capfd: pytest.CaptureFixture[str]
) -> None:
    install()
    said = _timeless(capfd)

    assert sorted(file.name for file in (machine.cache / "bin").iterdir()) == [
        "made",
        "one",
        "three-1",
        "two",
    ]
    assert (machine.cache / "files" / "some.yaml").read_text(encoding="utf-8") == "a: 1\n"
    assert (machine.home / "packages").read_text(encoding="utf-8").split()[-1] == "stand-in-core"
    names = ("one, two", "three-1", "made", "some.yaml", "npm", "solver-1.0.0", "apt-get")
    assert [[f"{name}: begins" in said, f"{name}: done in … s" in said] for name in names] == [
        [True, True]
    ] * 7
    assert said[-1] == "all: 7 done in … s"
    assert not (machine.cache / "building").exists()


def _timeless(capfd: pytest.CaptureFixture[str]) -> list[str]:
    return re.sub(r"\d+ s$", "… s", capfd.readouterr().err, flags=re.MULTILINE).splitlines()


def test_a_second_time_nothing_is_done_or_said(machine: Machine, capfd: pytest.CaptureFixture[str]) -> None:
    install()
    machine.ran()
    capfd.readouterr()
    install()

    assert (machine.ran(), capfd.readouterr().err) == ([], "")


def test_packages_of_one_module_are_built_at_once(machine: Machine) -> None:
    install()

    assert [line for line in machine.ran() if line.startswith("go install -ld")] == [
        "go install -ldflags=-s -w"
    ] * 2


def test_what_is_of_another_version_is_brought_anew(machine: Machine) -> None:
    install()
    machine.ran()
    machine.wants(
        {
            "go": TOOLS["go"] | {"three-1": "example.com/other/three@v1.1.0"},
            "files": {"some.yaml": "example.com/tools@v1.1.0/config/some.yaml"},
            "npm": {"runner": "1.1.0"},
        }
    )
    install()

    done = {line.rpartition(" ")[0] for line in machine.ran()}
    assert done == {"go install", "go mod", "go install -ldflags=-s", "npm install"}
    assert installing.built_from([machine.cache / "bin" / "three-1"]) == {
        "three-1": "example.com/other/three@v1.1.0"
    }


def test_versions_of_a_python_program_lie_side_by_side_and_half_of_one_is_made_anew(machine: Machine) -> None:
    (machine.home / "offline").touch()
    machine.wants({"python": {"solver": "solver==1.0.0"}})
    with pytest.raises(MissingError, match=r"solver-1.0.0: .* ended with 1:\nno matching distribution"):
        install()
    (machine.home / "offline").unlink()
    install()
    machine.wants({"python": {"solver": "solver==1.1.0 base<2"}})
    install()

    made = sorted(path.relative_to(machine.cache) for path in (machine.cache / "python").glob("*/bin/solver"))
    assert list(map(str, made)) == ["python/solver-1.0.0/bin/solver", "python/solver-1.1.0/bin/solver"]
    assert (machine.cache / made[1]).read_text(encoding="utf-8") == "solver==1.1.0 base<2\n"


def test_what_is_ours_is_built_anew_when_its_source_changed(machine: Machine) -> None:
    install()
    machine.ran()
    (machine.home / "source" / "main.go").write_text("package main // 2\n", encoding="utf-8")
    install()

    assert machine.ran() == ["go build -ldflags=-s -w", "go mod download"]
    assert (machine.cache / "bin" / "made").read_text(encoding="utf-8") == "package main // 2\n"


def test_what_was_interrupted_is_not_taken_for_whole(machine: Machine) -> None:
    (machine.cache / "files").mkdir(parents=True)
    (machine.cache / "files" / "some.yaml").write_text(
        "", encoding="utf-8"
    )  # as after a kill before the last byte
    (machine.cache / "node_modules" / "runner").mkdir(parents=True)
    (machine.cache / "bin").mkdir()
    (machine.cache / "bin" / "one").write_bytes(b"\x7fELF")
    install()

    assert (machine.cache / "files" / "some.yaml").read_text(encoding="utf-8") == "a: 1\n"
    assert "npm install --no-progress" in machine.ran()
    assert b"path" in (machine.cache / "bin" / "one").read_bytes()


def test_the_first_that_fails_is_the_error_and_ends_the_others(
    machine: Machine, capfd: pytest.CaptureFixture[str]
) -> None:
    machine.wants({"go": {"slow": "example.com/a/slow@v1.0.0", "broken": "example.com/b/broken@v1.0.0"}})
    with pytest.raises(MissingError) as caught:
        install()
    slow = int((machine.home / "slow").read_text(encoding="ascii"))

    assert str(caught.value).startswith("broken: go install ")
    assert str(caught.value).endswith("ended with 2:\nundefined: x")
    assert "slow: not done, after … s" in _timeless(capfd)
    assert not Path(f"/proc/{slow}").exists()
    assert list((machine.cache / "bin").iterdir()) == []
    assert not (machine.cache / "building").exists()


def test_what_cannot_be_fetched_is_not_built(machine: Machine) -> None:
    machine.wants({"go": {"unknown": "example.com/unknown@v1.0.0"}})
    with pytest.raises(MissingError, match=r"unknown: go install -n .* ended with 1:\nno such module"):
        install()

    assert machine.ran() == ["go install -n"]


@pytest.mark.parametrize("program", ["go", "npm"])
def test_without_go_or_npm_nothing_begins(machine: Machine, program: str) -> None:
    (machine.programs / program).unlink()
    machine.patch.setenv("PATH", str(machine.programs))
    with pytest.raises(MissingError, match=f"^{program} is needed and is not on PATH$"):
        install()

    assert machine.ran() == []


def test_only_root_installs_packages_and_others_are_told_which(machine: Machine) -> None:
    machine.patch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(MissingError, match=r"^as root: apt-get install stand-in-core$"):
        install()

    assert machine.ran() == []


def test_a_list_of_packages_that_cannot_be_renewed_may_do(machine: Machine) -> None:
    machine.wants({"debian": TOOLS["debian"]})
    (machine.home / "stale").touch()
    install()

    assert installing.found("stand-in-server") is not None


def test_a_package_that_cannot_be_had_is_told_with_the_list_that_could_not_be_renewed(
    machine: Machine,
) -> None:
    machine.wants({"debian": TOOLS["debian"]})
    (machine.home / "stale").touch()
    (machine.home / "gone").touch()
    with pytest.raises(MissingError) as caught:
        install()

    assert str(caught.value).startswith("apt-get: apt-get install ")
    assert "unable to locate package\nbefore that, apt-get update" in str(caught.value)
    assert str(caught.value).endswith("no route to mirror")


def test_what_must_not_be_left_half_done_is_awaited_and_nothing_begins_after(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "go-on")
    commands = Commands()
    script = 'echo > ready.new; mv ready.new ready; read line < go-on; echo "$line"'
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(commands.run, "sh", "-c", script, cwd=tmp_path, patient=True)
        while not (tmp_path / "ready").exists() and not running.done():
            time.sleep(0.01)
        commands.end()
        (tmp_path / "go-on").write_text("to the end\n", encoding="ascii")

        assert running.result() == "to the end\n"
    with pytest.raises(JobError, match=r"^ended, since another failed$"):
        commands.run("true", cwd=tmp_path)
