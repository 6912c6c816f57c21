"""The recipes of ``docs/upkeep.md`` work: their scripts are run as they stand there.

What a bot and a server do is done here by git: the bot's branch changes a lock, jobs run in clones with a
detached head, as runners have them. The index is the sandbox.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pip_warden.sandbox import File, Sandbox

DOCS = (Path(__file__).parents[2] / "docs" / "upkeep.md").read_text(encoding="utf-8")
GITLAB, UPDATE, DIFF = re.findall(r"```yaml\n(.*?)```", DOCS, re.DOTALL)
PINS = """\
version = 1

[source.pypi]
type = "simple"
url = "{url}"
hash-reason = "nobody signs it"

[[package]]
name = "{name}"
source = "pypi"

  [package.sha256]
  "{file}" = "{sha256}"
"""


def gitlab_script(job: str) -> str:
    """Return the script of a job: commands of one shell, which ends with the first that fails."""
    block = re.split(r"^(?=\S)", GITLAB, flags=re.MULTILINE)
    (found,) = [each for each in block if each.startswith(f"{job}:")]
    return "\n".join(re.findall(r"^    - (.*)$", found.partition("  script:\n")[2], re.MULTILINE))


def github_script(workflow: str) -> str:
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

    def commit(self, branch: str, files: dict[str, str]) -> None:
        """Commit files to a branch and push it, as a bot or a person does."""
        clone = self.directory / f"bot-{branch.replace('/', '-')}"
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

    def read(self, branch: str, name: str = "pytrust.toml") -> str:
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


def published(sandbox: Sandbox, name: str, version: str) -> File:
    file = sandbox.wheel(name, version)
    sandbox.upstream.add(name, [file], uploaded=datetime.now(UTC) - timedelta(days=30))
    return file


def lock(name: str, file: File) -> str:
    return (
        'lock-version = "1.0"\ncreated-by = "test"\n'
        f'[[packages]]\nname = "{name}"\nversion = "{file.version}"\n'
        f'[[packages.wheels]]\nname = "{file.name}"\nurl = "https://files.example/{file.name}"\n'
        f'hashes = {{ sha256 = "{file.sha256}" }}\n'
    )


def pins(sandbox: Sandbox, name: str, file: File) -> str:
    url = sandbox.upstream.simple_url
    return PINS.format(url=url, name=name, file=file.name, sha256=file.sha256)


def test_on_gitlab_the_pins_follow_the_bot_and_the_diff_asks_for_a_second_person(
    sandbox: Sandbox, server: Server
) -> None:
    old, new = (published(sandbox, "acorn", version) for version in ("1.0", "1.1"))
    server.commit("main", {"pylock.toml": lock("acorn", old), "pytrust.toml": pins(sandbox, "acorn", old)})
    branch = "renovate/acorn-1.x"
    server.commit(branch, {"pylock.toml": lock("acorn", new)})
    ci = {
        "CI_PROJECT_URL": server.origin.removesuffix(".git"),
        "CI_COMMIT_BRANCH": branch,
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "TRUST_TOKEN": "not-needed-here",
    }

    first = server.job(gitlab_script("trust-update"), branch, **ci)
    assert first.returncode == 0, first.stderr
    assert server.read(branch) == pins(sandbox, "acorn", new)
    assert server.log(branch)[0] == "Move the pins to the versions in the lock"
    assert "not-needed-here" not in first.stdout + first.stderr

    again = server.job(gitlab_script("trust-update"), branch, **ci)
    assert again.returncode == 0, again.stderr
    assert len(server.log(branch)) == 3

    diff = server.job(gitlab_script("trust-diff"), branch, **ci)
    assert diff.returncode == 1, diff.stderr
    assert "widened" in diff.stdout

    unchanged = server.job(gitlab_script("trust-diff"), "main", **ci)
    assert unchanged.returncode == 0, unchanged.stderr


def test_on_gitlab_a_branch_that_moved_meanwhile_is_not_overwritten(sandbox: Sandbox, server: Server) -> None:
    old, new = (published(sandbox, "beech", version) for version in ("1.0", "1.1"))
    server.commit("main", {"pylock.toml": lock("beech", old), "pytrust.toml": pins(sandbox, "beech", old)})
    branch = "renovate/beech-1.x"
    server.commit(branch, {"pylock.toml": lock("beech", new)})
    moved = 'git -C "$BOT" commit --quiet --allow-empty -m moved\ngit -C "$BOT" push --quiet origin HEAD\n'
    bot = {f"GIT_{who}_{what}": "bot" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    ci = {"CI_PROJECT_URL": server.origin.removesuffix(".git"), "CI_COMMIT_BRANCH": branch, "TRUST_TOKEN": ""}

    place = str(server.directory / "bot-renovate-beech-1.x")
    job = server.job(moved + gitlab_script("trust-update"), branch, BOT=place, **ci, **bot)

    assert job.returncode != 0
    assert server.log(branch)[0] == "moved"


def test_on_gitlab_a_lock_that_the_index_contradicts_stops_the_job(sandbox: Sandbox, server: Server) -> None:
    old, new = (published(sandbox, "cedar", version) for version in ("1.0", "1.1"))
    server.commit("main", {"pylock.toml": lock("cedar", old), "pytrust.toml": pins(sandbox, "cedar", old)})
    branch = "renovate/cedar-1.x"
    server.commit(branch, {"pylock.toml": lock("cedar", new).replace(new.sha256, "0" * 64)})
    ci = {"CI_PROJECT_URL": server.origin.removesuffix(".git"), "CI_COMMIT_BRANCH": branch, "TRUST_TOKEN": ""}

    job = server.job(gitlab_script("trust-update"), branch, **ci)

    assert job.returncode == 1
    assert "[lock-disagrees]" in job.stderr
    assert len(server.log(branch)) == 2


def test_on_github_the_pins_follow_the_bot(sandbox: Sandbox, server: Server) -> None:
    old, new = (published(sandbox, "dogwood", version) for version in ("1.0", "1.1"))
    server.commit(
        "main", {"pylock.toml": lock("dogwood", old), "pytrust.toml": pins(sandbox, "dogwood", old)}
    )
    branch = "dependabot/pip/dogwood-1.1"
    server.commit(branch, {"pylock.toml": lock("dogwood", new)})

    job = server.job(github_script(UPDATE), branch, GITHUB_REF_NAME=branch)

    assert job.returncode == 0, job.stderr
    assert server.read(branch) == pins(sandbox, "dogwood", new)
    assert "[dependabot skip]" in server.log(branch)[0]

    diff = server.job(github_script(DIFF), branch, GITHUB_BASE_REF="main")
    assert diff.returncode == 1, diff.stderr
    assert "widened" in diff.stdout
