"""The recipes of ``docs/upkeep.md`` work: their scripts are run as they stand there.

What a bot and a server do is done here by git: the bot's branch changes a lock, jobs run in clones with a
detached head, as runners have them. The index is the sandbox.

Each recipe is a directory: ``README.md`` says why, ``pytrust.toml`` is the trust file of the main branch and
``after.toml`` that of the bot's branch in the end, where it is another. ``scenario.toml`` says what the locks
of the two branches name (``needs``, ``bumped``), the jobs in their order with how each must end, and how many
commits the bot's branch then has. Texts have the placeholders of ``stage``.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ordinary import parametrized
from pip_warden.sandbox import Sandbox
from upkeep.stage import Stage, staged

DOCS = (Path(__file__).parents[2] / "docs" / "upkeep.md").read_text(encoding="utf-8")
GITLAB, UPDATE, DIFF = re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL)
RECIPES = Path(__file__).parent / "recipes"
NAMES = sorted(path.name for path in RECIPES.iterdir() if path.is_dir())
FOLLOWING = [NAMES.index("github-pins-follow-the-bot"), NAMES.index("gitlab-pins-follow-the-bot")]
LOCK, TRUST, TOKEN = "pylock.toml", "pytrust.toml", "told-to-nobody"
MOVED = """\
git -C "$BOT" -c user.name=bot -c user.email=bot@example.com commit --quiet --allow-empty -m moved
git -C "$BOT" push --quiet origin HEAD
"""
"""Somebody pushes while the job runs."""


def gitlab_script(job: str) -> str:
    """Return the script of a job: commands of one shell, which ends with the first that fails."""
    block = re.split(r"^(?=\S)", GITLAB, flags=re.MULTILINE)
    (found,) = [each for each in block if each.startswith(f"{job}:")]
    return "\n".join(re.findall(r"^    - (.*)$", found.partition("  script:\n")[2], re.MULTILINE))


def github_script(job: str) -> str:
    workflow = {"trust-update": UPDATE, "trust-diff": DIFF}[job]
    return "\n".join(line.strip() for line in workflow.partition("- run: |\n")[2].splitlines())


@dataclass(frozen=True, kw_only=True)
class Server:
    """A repository on a server, with a bot and runners."""

    directory: Path
    environment: dict[str, str]

    @property
    def origin(self) -> str:
        return f"{self.directory}/origin.git"

    def git(self, where: Path, *words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=where, env=self.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def clone_of(self, branch: str) -> Path:
        """Return where whoever commits to a branch has it."""
        return self.directory / f"bot-{branch.replace('/', '-')}"

    def commit(self, branch: str, files: dict[str, str]) -> None:
        """Commit files to a branch and push it, as a bot or a person does."""
        clone = self.clone_of(branch)
        if not clone.exists():
            self.git(self.directory, "clone", "--quiet", self.origin, str(clone))
            self.git(clone, "switch", "--quiet", "-C", branch)
        for name, text in files.items():
            (clone / name).write_text(text, encoding="utf-8")
        self.git(clone, "add", ".")
        self.git(clone, "-c", "user.name=bot", "-c", "user.email=bot@example.com", "commit", "-qm", "change")
        self.git(clone, "push", "--quiet", "origin", branch)

    def job(self, script: str, branch: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Run a job's script for the newest commit of a branch, in a clone that has no other."""
        clone = self.directory / f"job-{len(list(self.directory.iterdir()))}"
        self.git(
            self.directory,
            "clone",
            "--quiet",
            "--depth=1",
            "--branch",
            branch,
            f"file://{self.origin}",
            str(clone),
        )
        self.git(clone, "switch", "--quiet", "--detach")
        return subprocess.run(
            ["bash", "-eo", "pipefail", "-c", script],
            cwd=clone,
            env=self.environment | more,
            capture_output=True,
            text=True,
            check=False,
        )

    def read(self, branch: str, name: str = TRUST) -> str:
        return self.git(Path(self.origin), "show", f"{branch}:{name}")

    def log(self, branch: str) -> list[str]:
        return self.git(Path(self.origin), "log", "--format=%s", branch).splitlines()


@pytest.fixture
def server(tmp_path: Path) -> Server:
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "GIT_CONFIG_NOSYSTEM": "1",
        "LANG": "C.UTF-8",
    }
    directory = tmp_path / "server"
    directory.mkdir()
    server = Server(directory=directory, environment=environment)
    server.git(directory, "init", "--quiet", "--bare", "--initial-branch=main", server.origin)
    return server


def _scenario(name: str) -> dict[str, Any]:
    return tomllib.loads((RECIPES / name / "scenario.toml").read_text(encoding="utf-8"))


@pytest.fixture
def stage(sandbox: Sandbox, home: Path, request: pytest.FixtureRequest) -> Iterator[Stage]:
    name = str(request.node.callspec.params["name"])
    with staged(sandbox, home, name, _scenario(name)) as stage:
        yield stage


def _lock(stage: Stage, needs: dict[str, Any], changed: dict[str, str] | None = None) -> str:
    stage.lock(needs, form=LOCK, changed=changed or {}, has_digests=True)
    return (stage.home / LOCK).read_text(encoding="utf-8")


def _text(stage: Stage, file: str, otherwise: str = "") -> str:
    path = RECIPES / stage.name / file
    return stage.filled(path.read_text(encoding="utf-8")) if path.exists() else otherwise


def _branches(stage: Stage, server: Server, scenario: dict[str, Any]) -> str:
    """Commit the project, and what the bot makes of its lock; return the trust file of the project."""
    pins = _text(stage, TRUST)
    root = (stage.home / "trusted_root.json").read_text(encoding="utf-8")
    files = {TRUST: pins, "trusted_root.json": root, LOCK: _lock(stage, scenario["needs"])}
    server.commit("main", files)
    changed = {
        file.name: "0" * 64
        for name in scenario.get("changed", [])
        for file in stage.files[name, scenario["bumped"][name]]
    }
    server.commit(scenario["branch"], {LOCK: _lock(stage, scenario["bumped"], changed)})
    return pins


@parametrized("name", NAMES, ordinary=FOLLOWING)
def test_the_recipe_ends_as_it_says(name: str, stage: Stage, server: Server) -> None:
    scenario = _scenario(name)
    branch = scenario["branch"]
    pins = _branches(stage, server, scenario)
    variables = {
        "CI_PROJECT_URL": server.origin.removesuffix(".git"),
        "CI_COMMIT_BRANCH": branch,
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "GITHUB_REF_NAME": branch,
        "GITHUB_BASE_REF": "main",
        "TRUST_TOKEN": TOKEN,
        "BOT": str(server.clone_of(branch)),
    }
    for job in scenario["job"]:
        platform, of = job["run"].split()
        script = {"gitlab": gitlab_script, "github": github_script}[platform](of)
        script = MOVED + script if job.get("moved") else script
        done = server.job(script, job.get("branch", branch), **variables)
        assert (done.returncode == 0) == (job["expect"] == 0), done.stderr
        assert job["expect"] in {done.returncode, "refused"}, done.stderr
        said = " ".join((done.stdout + done.stderr).split())
        for text in job.get("says", []):
            assert stage.filled(text) in said, said
        assert TOKEN not in said
    assert server.read(branch) == _text(stage, "after.toml", pins)
    assert server.read("main") == pins
    log = server.log(branch)
    assert len(log) == scenario["commits"], log
    assert log[0] == scenario.get("newest", "change")


@pytest.mark.parametrize("name", NAMES)
def test_the_recipe_says_why(name: str) -> None:
    assert len((RECIPES / name / "README.md").read_text(encoding="utf-8")) > 40
