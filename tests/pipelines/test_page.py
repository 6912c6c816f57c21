"""What `docs/components.md` says; `interop.test_components` runs its pipelines."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml

from pip_warden.trust.file import load
from pip_warden.trust.model import IdentityEntry
from pipelines.reading import Component, table

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "components.md").read_text(encoding="utf-8")
OWN = ROOT / ".gitlab-ci.yml"


def test_the_table_has_every_input_with_its_default() -> None:
    assert table() in PAGE


def test_the_examples_give_inputs_that_there_are_and_name_this_version() -> None:
    included = [
        each
        for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
        for each in yaml.safe_load(text)["include"]
    ]

    assert len(included) == 6
    for each in included:
        path, _, tag = each["component"].partition("@")
        component = Component.read(path.rpartition("/")[2])
        mandatory = {key for key, spec in component.inputs.items() if "default" not in spec}
        assert tag == f"v{version('pip-warden')}"
        assert mandatory <= each["inputs"].keys() <= component.inputs.keys()


def test_the_trust_file_of_a_fork_is_made_as_the_page_says(tmp_path: Path) -> None:
    commands = PAGE.partition("```sh\n")[2].partition("```")[0]
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    environment = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(tmp_path)}
    subprocess.run(["sh", "-ec", commands], cwd=tmp_path, env=environment, check=True, capture_output=True)
    (entry,) = load(tmp_path / "pytrust.toml", check_owner=False).entries

    assert isinstance(entry, IdentityEntry)
    assert (str(entry.project), entry.registry) == ("pip-warden", "you/pip-warden")
    assert "acme" not in (tmp_path / "pytrust.toml").read_text(encoding="utf-8")


def test_this_repositorys_pipeline_publishes_from_tags_alone() -> None:
    config = yaml.safe_load(OWN.read_text(encoding="utf-8"))
    jobs = {name: job for name, job in config.items() if isinstance(job, dict) and "script" in job}
    rules = {name: (config.get(job.get("extends", ""), {}) | job).get("rules") for name, job in jobs.items()}

    assert [name for name, rule in rules.items() if rule is None] == ["test", "build"]
    assert all("$CI_COMMIT_TAG" in rule[0]["if"] for rule in rules.values() if rule is not None)
    assert {job["stage"] for job in jobs.values()} == set(config["stages"])
    assert [name for name, job in jobs.items() if "id_tokens" in job] == ["sign", "promote"]


def test_what_it_installs_is_locked() -> None:
    install = yaml.safe_load(OWN.read_text(encoding="utf-8"))["variables"]["PIP_WARDEN_INSTALL"]

    assert [words.split("install ")[1] for words in install.split(";")] == [
        "-q --require-hashes -r locked/requirements.txt -r locked/build.txt",
        "-q --no-index --no-deps --no-build-isolation .",
    ]


def test_its_test_job_has_the_toolchains_that_the_foreign_programs_need() -> None:
    """Go as the image has it; `make interop` says what is missing of the rest, and brings what Debian has."""
    job = yaml.safe_load(OWN.read_text(encoding="utf-8"))["test"]
    tools = tomllib.loads((ROOT / "tests/interop/stack/tools.toml").read_text(encoding="utf-8"))
    installed = set(job["before_script"][-1].split())

    assert tools.keys() == {"go", "ours", "files", "npm", "debian", "python"}
    assert job["image"].startswith("golang:")
    assert installed >= {"npm", "nodejs", "python3", "python3-venv", "make", "git", "curl"}


@pytest.mark.parametrize("name", ["build.in", "build.txt"])
def test_what_builds_it_is_locked(name: str) -> None:
    lines = (ROOT / "locked" / name).read_text(encoding="utf-8").splitlines()
    named = {re.split(r"[=>]=", line)[0] for line in lines if re.match(r"[a-z]", line)}

    assert named >= {"build", "hatchling"}
    if name == "build.txt":
        releases = [line for line in lines if re.match(r"[a-z]", line)]
        assert all(re.match(r"[a-z0-9-]+==\S+ .*\\$", line) for line in releases)
        assert sum("--hash=sha256:" in line for line in lines) >= len(releases)
