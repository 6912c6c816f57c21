"""The building job writes down how it built, the signing job states it; neither believes the other."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from cli.terminal import typed_in
from documents import described
from pip_warden.errors import RefusedError, UsageError
from pip_warden.publish.build_info import (
    LARGEST,
    BuildInfo,
    check_same_build,
    read_build_info,
    this_job,
    write_build_info,
)
from pip_warden.publish.provenance import provenance

NOW = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
SERVER = "https://gitlab.example.com"
PROJECT = f"{SERVER}/acme/widgets"
COMMIT = "c" * 40
VARIABLES = {
    "CI_SERVER_URL": SERVER,
    "CI_PROJECT_URL": PROJECT,
    "CI_PROJECT_ID": "815",
    "CI_COMMIT_SHA": COMMIT,
    "CI_COMMIT_REF_NAME": "v1.0",
    "CI_COMMIT_TAG": "v1.0",
    "CI_PIPELINE_SOURCE": "push",
    "CI_PIPELINE_ID": "7",
    "CI_JOB_ID": "71",
    "CI_JOB_URL": f"{PROJECT}/-/jobs/71",
    "CI_JOB_STARTED_AT": "2026-11-29T11:58:00Z",
}
MORE = {
    "CI_CONFIG_SHA": COMMIT,
    "CI_JOB_NAME": "build",
    "CI_JOB_STAGE": "build",
    "CI_JOB_IMAGE": "python:3.11",
    "CI_RUNNER_ID": "12270807",
    "CI_RUNNER_VERSION": "18.6.0",
    "CI_RUNNER_REVISION": "1a2b3c4d",
    "CI_RUNNER_EXECUTABLE_ARCH": "linux/amd64",
}
STATED = {
    "schema_version": 1,
    "server_url": SERVER,
    "project_url": PROJECT,
    "project_id": "815",
    "commit": COMMIT,
    "ref": "refs/tags/v1.0",
    "config_path": ".gitlab-ci.yml",
    "trigger": "push",
    "pipeline_id": "7",
    "job_id": "71",
    "job_url": f"{PROJECT}/-/jobs/71",
    "started_at": "2026-11-29T11:58:00Z",
    "finished_at": "2026-11-29T12:00:00Z",
}


def _job(**changes: str) -> BuildInfo:
    return this_job(VARIABLES | changes, now=NOW)


@pytest.mark.parametrize("name", ["\U0001f469\u200d\U0001f4bb build", "a\nb", "x" * 1025])
def test_a_jobs_name_that_cannot_be_stated_is_left_out(name: str) -> None:
    assert _job(CI_JOB_NAME=name, CI_JOB_STAGE="build") == _job(CI_JOB_STAGE="build")


def _refused(work: Callable[[], object], code: str = "bad-build-info") -> UsageError:
    with pytest.raises(UsageError) as caught:
        work()
    assert caught.value.code == code
    return caught.value


def test_what_a_job_writes_another_reads(tmp_path: Path) -> None:
    for info in (_job(), _job(**MORE)):
        write_build_info(info, tmp_path / "build-info.json")
        assert read_build_info(tmp_path / "build-info.json") == info


def test_it_is_whole_and_everybodys_to_read_whatever_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "build-info.json"
    path.write_text("what was there before", encoding="utf-8")
    before = os.umask(0o077)
    try:
        write_build_info(_job(), path)
    finally:
        os.umask(before)

    assert json.loads(path.read_bytes()) == STATED
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [each.name for each in tmp_path.iterdir()] == ["build-info.json"]


def test_nothing_but_the_listed_variables_is_written(tmp_path: Path) -> None:
    secrets = {
        name: f"secret-{name}" for name in ("CI_JOB_TOKEN", "CI_RUNNER_SHORT_TOKEN", "SIGSTORE_ID_TOKEN")
    }

    write_build_info(_job(**MORE, **secrets), tmp_path / "b.json")

    text = (tmp_path / "b.json").read_text(encoding="utf-8")
    assert "secret" not in text
    assert set(json.loads(text).values()) <= {*STATED.values(), *MORE.values()}


def test_it_needs_nothing_that_signs_or_that_speaks_to_anybody(tmp_path: Path) -> None:
    program = (
        "import sys; from pip_warden.cli import main\n"
        "sys.argv = ['pip-warden', 'build-info', '-o', 'b.json']\n"
        "try: main()\n"
        "except SystemExit as end: assert not end.code\n"
        "print(*sorted({'cryptography', 'requests', 'sigstore', 'twine'} & set(sys.modules)))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=VARIABLES | {"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
    )

    assert ended.stdout.splitlines() == [f"b.json: {PROJECT}/-/jobs/71", ""]
    assert read_build_info(tmp_path / "b.json").job_url == f"{PROJECT}/-/jobs/71"


def test_where_it_is_written_is_told_as_data(tmp_path: Path) -> None:
    said = typed_in(tmp_path, VARIABLES, "pip-warden", "build-info", "-o", "b.json", "-q", "--format", "json")

    told = described(said.stdout)
    assert (told["path"], told["job_url"]) == ("b.json", f"{PROJECT}/-/jobs/71")
    assert said.stderr == ""


@pytest.mark.parametrize("name", sorted(VARIABLES.keys() - {"CI_COMMIT_TAG"}))
def test_every_variable_that_is_missing_is_named(name: str) -> None:
    assert name in _refused(lambda: _job(**{name: ""}), "not-in-ci").message
    outside = _refused(lambda: this_job({}, now=NOW), "not-in-ci").message
    assert name in outside


def test_a_branch_is_no_tag() -> None:
    assert _job(CI_COMMIT_TAG="").ref == "refs/heads/v1.0"


@pytest.mark.parametrize(
    ("variables", "path"),
    [
        ({}, ".gitlab-ci.yml"),
        ({"CI_CONFIG_PATH": "ci/release.yml"}, "ci/release.yml"),
        (
            {
                "CI_CONFIG_PATH": "ci/release.yml",
                "CI_CONFIG_REF_URI": "gitlab.example.com/acme/widgets//a@b.yml@refs/tags/v1.0",
            },
            "a@b.yml",
        ),
        ({"CI_CONFIG_REF_URI": "https://gitlab.example.com/a/b//ci.yml@refs/heads/v1.0"}, "ci.yml"),
        ({"CI_CONFIG_REF_URI": "", "CI_CONFIG_PATH": ""}, ".gitlab-ci.yml"),
    ],
)
def test_the_configuration_is_the_one_that_the_certificate_will_name(
    variables: dict[str, str], path: str
) -> None:
    assert _job(**variables).config_path == path


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CI_PROJECT_URL", "https://evil.example.com/acme/widgets"),
        ("CI_JOB_URL", "https://gitlab.example.com/evil/fork/-/jobs/71"),
        ("CI_JOB_ID", "72"),
        ("CI_COMMIT_SHA", "main"),
        ("CI_JOB_IMAGE", "python\n:3.11"),
    ],
)
def test_variables_that_were_overridden_are_told_at_once(name: str, value: str) -> None:
    assert "variables of this job" in _refused(lambda: _job(**{name: value})).message


@pytest.mark.parametrize(
    "change",
    [
        {"schema_version": 2},
        {"schema_version": True},
        {"schema_version": "1"},
        {"schema_version": 1.0},
        {"schema_version": None},
        {"extra": "x"},
        {"project_id": 815},
        {"project_id": "0815"},
        {"pipeline_id": "7\n"},
        {"commit": "c" * 39},
        {"commit": "C" * 40},
        {"ref": "v1.0"},
        {"ref": "refs/merge-requests/1/head"},
        {"ref": "refs/heads/"},
        {"trigger": ""},
        {"trigger": "push\x1b[2J"},
        {"trigger": "x" * 1025},
        {"config_path": None},
        {"started_at": "yesterday"},
        {"finished_at": "2026-11-29"},
        {"server_url": "ftp://gitlab.example.com"},
        {"server_url": "https://user@gitlab.example.com"},
        {"server_url": "https://gitlab.example.org"},
        {"server_url": f"{SERVER}/acme/widgets"},
        {"project_url": f"{SERVER}.evil.com/acme/widgets"},
        {"project_url": "https://evil.example.com/acme/widgets"},
        {"project_url": f"{SERVER}.evil/a/b", "job_url": f"{SERVER}.evil/a/b/-/jobs/71"},
        {"job_url": f"{PROJECT}/-/jobs/72"},
        {"job_url": f"{SERVER}/evil/fork/-/jobs/71"},
        {"job_url": f"{PROJECT}/-/jobs/71?x"},
        {"image": None},
        {"image": ["python"]},
        {"image": "py\u202ethon"},
    ],
    ids=str,
)
def test_what_no_building_job_writes_is_not_read(tmp_path: Path, change: dict[str, Any]) -> None:
    path = tmp_path / "b.json"
    path.write_text(json.dumps(STATED), encoding="utf-8")
    assert asdict(read_build_info(path)) == asdict(_job())
    path.write_text(json.dumps(STATED | change), encoding="utf-8")

    _refused(lambda: read_build_info(path))


@pytest.mark.parametrize("name", STATED)
def test_every_fact_must_be_there(tmp_path: Path, name: str) -> None:
    path = tmp_path / "b.json"
    path.write_text(
        json.dumps({key: value for key, value in STATED.items() if key != name}), encoding="utf-8"
    )

    _refused(lambda: read_build_info(path))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        '{"schema_version": 1, "schema_version": 1}',
        json.dumps(STATED) + " " * LARGEST,
        "\udcff",
    ],
    ids=["empty", "list", "bare", "twice", "large", "no utf-8"],
)
def test_what_is_no_strict_json_is_not_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "b.json").write_bytes(text.encode("utf-8", "surrogateescape"))

    _refused(lambda: read_build_info(tmp_path / "b.json"))


def test_what_is_no_file_is_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")

    for name in ("absent", "pipe", "."):
        _refused(lambda name=name: read_build_info(tmp_path / name))  # type: ignore[misc]


def test_where_it_cannot_be_written(tmp_path: Path) -> None:
    for name in ("absent/b.json", "."):
        _refused(lambda name=name: write_build_info(_job(), tmp_path / name), "cannot-write")  # type: ignore[misc]


@pytest.mark.parametrize(
    "other",
    [
        {"CI_COMMIT_SHA": "d" * 40},
        {"CI_COMMIT_REF_NAME": "main", "CI_COMMIT_TAG": ""},
        {"CI_COMMIT_TAG": ""},
        {"CI_PIPELINE_ID": "8"},
        {"CI_PIPELINE_SOURCE": "schedule"},
        {"CI_CONFIG_PATH": "other.yml"},
        {"CI_PROJECT_ID": "816"},
        {"CI_PROJECT_URL": f"{SERVER}/evil/fork", "CI_JOB_URL": f"{SERVER}/evil/fork/-/jobs/71"},
        {
            "CI_SERVER_URL": "https://gitlab.example.org",
            "CI_PROJECT_URL": "https://gitlab.example.org/acme/widgets",
            "CI_JOB_URL": "https://gitlab.example.org/acme/widgets/-/jobs/71",
        },
    ],
    ids=str,
)
def test_another_build_is_refused(other: dict[str, str]) -> None:
    with pytest.raises(RefusedError, match=r"found .* in the build-info") as caught:
        check_same_build(_job(**other), _job(CI_JOB_ID="72", CI_JOB_URL=f"{PROJECT}/-/jobs/72"))

    assert caught.value.code == "build-info-mismatch"


def test_another_job_of_the_pipeline_is_not() -> None:
    building = _job(CI_JOB_ID="70", CI_JOB_URL=f"{PROJECT}/-/jobs/70", CI_JOB_IMAGE="gcc", CI_RUNNER_ID="1")

    check_same_build(building, _job(**MORE))


def test_no_build_info_can_say_that_the_signing_job_built() -> None:
    """Its number can be guessed: whatever else is right in it, it is build code that wrote it."""
    with pytest.raises(RefusedError, match="that of this job") as caught:
        check_same_build(_job(**MORE), _job(**MORE))

    assert caught.value.code == "build-info-mismatch"


def test_provenance_is_of_the_job_that_built() -> None:
    predicate: Any = provenance(_job(**MORE))

    assert predicate["runDetails"] == {
        "builder": {
            "id": f"{SERVER}/-/runners",
            "version": {"gitlab-runner": "18.6.0", "revision": "1a2b3c4d"},
        },
        "metadata": {
            "invocationId": f"{PROJECT}/-/jobs/71",
            "startedOn": "2026-11-29T11:58:00Z",
            "finishedOn": "2026-11-29T12:00:00Z",
        },
    }
    assert predicate["buildDefinition"]["internalParameters"] == {
        "job": "build",
        "stage": "build",
        "image": "python:3.11",
        "pipeline": "7",
        "runner": "12270807",
        "architecture": "linux/amd64",
        "configDigest": COMMIT,
    }
    assert provenance(_job())["buildDefinition"]["internalParameters"] == {"pipeline": "7"}  # type: ignore[index,call-overload]
