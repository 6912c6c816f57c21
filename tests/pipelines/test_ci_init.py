"""`pip-warden ci init` writes pipelines that run what the components run."""

from __future__ import annotations

import json
import os
import re
import subprocess
from importlib.metadata import Distribution, version
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.terminal import typed
from pip_warden import pipelines
from pip_warden.pipelines import HOME, Kind, pipeline
from pipelines.reading import COMMIT, DEFAULT_STAGES, Component, jobs_of

OWN = {"commit": COMMIT, "source": "https://gitlab.example.com:8443/mirrors/pip-warden.git"}


def _jobs(kind: Kind) -> dict[str, dict[str, Any]]:
    found = yaml.safe_load(pipeline(kind, **OWN))
    base = found[".pip-warden"]
    return {name: base | job for name, job in found.items() if isinstance(job, dict) and "extends" in job}


def _said(job: dict[str, Any], variables: dict[str, str], directory: Path) -> list[list[str]]:
    """Run a job's script and return the arguments of each pip-warden in it."""
    told = directory / "told"
    told.unlink(missing_ok=True)
    script = "\n".join(["set -e", *job["script"]])
    environment = {"PATH": f"{directory}/bin:/usr/bin:/bin", "CI_COMMIT_SHA": COMMIT} | variables
    subprocess.run(["sh", "-c", script], cwd=directory, env=environment, check=True)
    if not told.exists():  # it publishes what another job has left
        return [job["script"]]
    return [text.splitlines() for text in told.read_text(encoding="utf-8").split("END\n")[:-1]]


@pytest.mark.parametrize(
    ("kind", "component", "given"),
    [
        (Kind.PUBLISHER, "publish", {"build-info": "build-info.json"}),
        (Kind.PUBLISHER, "publish", {"build-info": "build-info.json", "trust-config": "my config.json"}),
        (Kind.PUBLISHER, "verify", {"source-revision": COMMIT}),
        (Kind.PROMOTION, "promote", {}),
        (Kind.PROMOTION, "promote", {"from-project": "acme/widgets", "source-revision": COMMIT}),
        (Kind.IMAGE, "image", {"digest-file": "built.txt", "overwrite": False}),
        (
            Kind.IMAGE,
            "image",
            {"digest-file": "built.txt", "overwrite": False, "trust-config": "my config.json"},
        ),
    ],
)
def test_the_jobs_run_what_the_component_runs(
    kind: Kind, component: str, given: dict[str, Any], program: Path
) -> None:
    own = _jobs(kind)
    for name in ("built.txt", "image-digest.txt"):
        (program / name).write_text(f"sha256:{'a' * 64}", encoding="utf-8")
    for name, job in jobs_of(component, **given).items():
        variables = {
            key: value.replace("$CI_COMMIT_SHA", COMMIT) for key, value in job.get("variables", {}).items()
        }
        wanted = _said(job, variables, program)
        found = _said(own[name], {"WARDEN_MIN_AGE": "0"} | variables, program)

        assert [sorted(words) for words in found] == [sorted(words) for words in wanted], name
        for key in ("when", "allow_failure", "artifacts"):
            if kind is not Kind.PUBLISHER or name.endswith("-report"):
                assert own[name].get(key) == job.get(key), (name, key)
        assert own[name]["before_script"][:-2] == job["before_script"][:-2]
        for key in ("rules", "needs", "environment", "resource_group", "id_tokens", "interruptible", "image"):
            if kind is Kind.PUBLISHER and name != "pip-warden-sign" and key != "needs":
                assert own[name].get(key) == job.get(key), (name, key)
        assert own[name].get("id_tokens") == job.get("id_tokens")
        assert set(own[name]["cache"]["paths"] if "cache" in job else []) == set(
            job.get("cache", {}).get("paths", [])
        )


@pytest.mark.parametrize("kind", Kind)
def test_what_is_installed_is_what_the_components_install_and_pinned(kind: Kind) -> None:
    install = Component.read("publish").inputs["install"]["default"]
    found = yaml.safe_load(pipeline(kind, **OWN))

    assert found["variables"]["WARDEN_SOURCE"] == OWN["source"]
    assert [line.strip() for line in found[".pip-warden"]["before_script"]] == [
        f'WARDEN_COMMIT="{COMMIT}"',
        install,
    ]


@pytest.mark.parametrize("kind", Kind)
def test_it_works_without_stages_of_ones_own_and_only_the_signing_job_has_a_token(kind: Kind) -> None:
    jobs = _jobs(kind)

    assert "stages" not in yaml.safe_load(pipeline(kind))
    assert {job["stage"] for job in jobs.values()} <= set(DEFAULT_STAGES)
    assert {name for name, job in jobs.items() if "id_tokens" in job} <= {
        "pip-warden-sign",
        "pip-warden-promote",
        "pip-warden-image-sign",
    }
    assert not any("@" in str(job["script"]) and "@COMMIT" in str(job) for job in jobs.values())


def test_the_signing_job_waits_for_all_that_is_built_and_tested() -> None:
    sign = _jobs(Kind.PUBLISHER)["pip-warden-sign"]

    assert "needs" not in sign
    assert sign["stage"] == "deploy"
    assert _jobs(Kind.PUBLISHER)["build"]["script"][-1] == "pip-warden build-info -o build-info.json"


@pytest.mark.parametrize("kind", Kind)
def test_it_writes_the_file_once(kind: Kind, alone: Path) -> None:
    said = typed("ci", "init", kind.value)
    assert (said.code, "written .gitlab-ci.yml" in said.out) == (0, True)
    path = alone / ".gitlab-ci.yml"
    text = path.read_text(encoding="utf-8")
    assert text == pipeline(kind)
    assert path.stat().st_mode & 0o777 == 0o666 & ~_umask()

    path.write_text("mine", encoding="utf-8")
    again = typed("ci", "init", kind.value)
    assert (again.code, "error[pipeline-exists]" in again.err) == (2, True)
    assert path.read_text(encoding="utf-8") == "mine"
    assert typed("ci", "init", kind.value, "-o", "other.yml").code == 0
    assert (alone / "other.yml").read_text(encoding="utf-8") == text
    assert typed("ci", "init", kind.value, "--force").code == 0
    assert path.read_text(encoding="utf-8") == text


def _umask() -> int:
    found = os.umask(0o022)
    os.umask(found)
    return found


def test_a_link_is_not_followed_and_a_dangling_one_is_there_too(alone: Path) -> None:
    (alone / ".gitlab-ci.yml").symlink_to(alone / "elsewhere")
    said = typed("ci", "init", "publisher")

    assert (said.code, "error[pipeline-exists]" in said.err) == (2, True)
    assert not (alone / "elsewhere").exists()


def test_a_directory_that_is_not_there(alone: Path) -> None:
    said = typed("ci", "init", "publisher", "-o", "absent/x.yml")

    assert (said.code, "error[pipeline-unwritable]" in said.err) == (2, True)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--commit", "main"),
        ("--commit", "0" * 39),
        ("--commit", f"{COMMIT}\n"),
        ("--commit", COMMIT.upper()),
        ("--source", "git@gitlab.com:a/b.git"),
        ("--source", "http://gitlab.com/a/b"),
        ("--source", "https://user:secret@gitlab.com/a/b"),
        ("--source", 'https://gitlab.com/a/"b'),
        ("--source", "https://gitlab.com/$(id)"),
        ("--source", "https://gitlab.com/a b"),
    ],
)
def test_what_pins_nothing_is_not_written(option: str, value: str, alone: Path) -> None:
    said = typed("ci", "init", "publisher", option, value)

    assert (said.code, "error[bad-pipeline-pin]" in said.err) == (2, True)
    assert "secret" not in said
    assert not list(alone.iterdir())


@pytest.mark.parametrize(
    ("noted", "source", "commit"),
    [
        (
            {"url": "https://gitlab.example.com/a/b", "commit": COMMIT},
            "https://gitlab.example.com/a/b",
            COMMIT,
        ),
        ({"url": "ssh://git@gitlab.example.com/a/b", "commit": COMMIT}, HOME, COMMIT),
        ({"url": "https://gitlab.example.com/a/b", "commit": "main; id"}, HOME, None),
        ({"url": "file:///work"}, HOME, None),
        (None, HOME, None),
    ],
)
def test_it_pins_what_it_was_installed_from(
    noted: dict[str, str] | None,
    source: str,
    commit: str | None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    info = tmp_path / "pip_warden-0.1.0.dist-info"
    info.mkdir()
    if noted is not None:
        vcs = (
            {"vcs_info": {"vcs": "git", "commit_id": noted["commit"]}}
            if "commit" in noted
            else {"dir_info": {}}
        )
        (info / "direct_url.json").write_text(json.dumps({"url": noted["url"]} | vcs), encoding="utf-8")
    monkeypatch.setattr(pipelines, "distribution", lambda _: Distribution.at(info))
    text = pipeline(Kind.CONSUMER)

    assert f'WARDEN_SOURCE: "{source}"' in text
    assert f'WARDEN_COMMIT="{commit or "v" + version("pip-warden")}"' in text


def test_every_placeholder_is_filled() -> None:
    assert not any(re.search(r"@[A-Z]+@", pipeline(kind)) for kind in Kind)
