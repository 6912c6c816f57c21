"""Known attacks on what a whole project is pinned by, each by its number."""

from __future__ import annotations

from pathlib import Path

import pytest

from pip_warden.sandbox import File, Sandbox
from sync.test_sync import with_sources
from sync.test_sync_scenarios import Stage


@pytest.fixture
def stage(sandbox: Sandbox, home: Path) -> Stage:
    return with_sources(sandbox, home)


def published(stage: Stage, name: str, version: str, *, is_signed: bool) -> list[File]:
    box = stage.sandbox
    files = [box.wheel(name, version), box.sdist(name, version)]
    job = box.job(box.project(f"acme/{name}"), f"refs/tags/v{version}")
    evidence = {file.name: [*box.sign(file, job, ("pep740",)).values()] for file in files if is_signed}
    box.upstream.add(name, files, provenance=evidence)
    return files


def lock(stage: Stage, name: str, version: str, files: dict[str, str], more: str = "") -> None:
    """Write a ``uv.lock``; a file without a digest has none in it."""
    url = stage.sandbox.upstream.simple_url
    hashes = {file: f', hash = "sha256:{sha}"' if sha else "" for file, sha in files.items()}
    listed = "".join(f'  {{ url = "https://x.example/{file}"{sha} }},\n' for file, sha in hashes.items())
    (stage.home / "uv.lock").write_text(
        f'version = 1\n[[package]]\nname = "{name}"\nversion = "{version}"\n'
        f'source = {{ registry = "{url}" }}\nwheels = [\n{listed}]\n{more}'
    )


def test_t23_a_release_without_a_signature_never_becomes_an_exemption_by_itself(stage: Stage) -> None:
    """The signer is pinned; whoever got hold of the index publishes the next release unsigned."""
    files = published(stage, "chestnut", "1.0", is_signed=True)
    lock(stage, "chestnut", "1.0", {file.name: file.sha256 for file in files})
    code, said = stage.run(["trust", "sync"], "y\n")
    assert (code, " identity " in said) == (0, True), said
    pinned = (stage.home / "pytrust.toml").read_text()

    later = published(stage, "chestnut", "2.0", is_signed=False)
    lock(stage, "chestnut", "2.0", {file.name: file.sha256 for file in later})
    for command in (
        ["sync"],
        ["sync", "--hash-only"],
        ["update"],
        ["update", "--hash-only"],
        ["update", "--latest"],
    ):
        code, said = stage.run(["trust", *command, "--yes"], None)
        assert (code, (stage.home / "pytrust.toml").read_text()) == (0, pinned), said


def test_t50_what_is_pinned_unproved_or_not_at_all_is_named(stage: Stage) -> None:
    wheel, sdist = published(stage, "butternut", "1.0", is_signed=True)
    place = "https://token@git.example/forked#abc"
    repository = f'[[package]]\nname = "forked"\nversion = "3"\nsource = {{ git = "{place}" }}\n'
    lock(stage, "butternut", "1.0", {wheel.name: wheel.sha256, sdist.name: ""}, repository)

    code, said = stage.run(["trust", "sync", "--hash-only", "--yes"], None)

    assert code == 0, said
    assert "butternut 1.0 hash --hash-only; not 1 without a SHA-256 in the lock; 1 file" in said
    assert "forked from https://…@git.example/forked#abc" in said
    assert "is of no index, and is not pinned" in said
    assert "token" not in said


def test_t52_the_environment_gives_no_answer_and_no_option(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel, sdist = published(stage, "hickory", "1.0", is_signed=True)
    lock(stage, "hickory", "1.0", {wheel.name: wheel.sha256, sdist.name: sdist.sha256})
    before = (stage.home / "pytrust.toml").read_text()
    for name in ("YES", "HASH_ONLY", "SOURCE", "REASON", "TRUSTED_ROOT", "COOL_DOWN"):
        for prefix in ("PIP_WARDEN_", "PIP_WARDEN_TRUST_", "PIP_WARDEN_TRUST_SYNC_", "PIP_"):
            monkeypatch.setenv(prefix + name, "1")

    code, said = stage.run(["trust", "sync"], None)

    assert (code, "[yes-needed]" in said, " identity " in said) == (2, True, True), said
    assert (stage.home / "pytrust.toml").read_text() == before


def test_a_gitlab_alone_says_no_project_for_what_no_lock_names(stage: Stage) -> None:
    trust = stage.home / "pytrust.toml"
    before = trust.read_text().partition("[source.pypi]")[0]
    trust.write_text(before)
    (stage.home / "requirements.txt").write_text("mockernut\n")
    code, said = stage.run(["trust", "sync", "--yes", "-r", "requirements.txt"], None)
    assert (code, "[project-needed]" in said) == (2, True), said
    assert trust.read_text() == before


def test_a_page_with_two_files_of_one_name_is_refused_whichever_is_locked(stage: Stage) -> None:
    box = stage.sandbox
    one = box.wheel("filbert", "1.0")
    other = box.wheel("filbert", "1.0", files={"filbert/more.py": b"1\n"})
    box.upstream.add("filbert", [one, other])
    before = (stage.home / "pytrust.toml").read_text()
    for file in (one, other):
        lock(stage, "filbert", "1.0", {file.name: file.sha256})
        code, said = stage.run(["trust", "sync", "--hash-only", "--yes"], None)
        assert (code, "[same-name-other-bytes]" in said) == (1, True), said
        assert (stage.home / "pytrust.toml").read_text() == before


@pytest.mark.parametrize(
    ("project", "code"),
    [("..%2F..", "project-needed"), ("1/packages/pypi/simple/../../2", "project-needed")],
)
def test_a_gitlab_index_of_no_project_chooses_none(stage: Stage, project: str, code: str) -> None:
    place = f"{stage.sandbox.gitlab_url}/api/v4/projects/{project}/packages/pypi/simple"
    lock(stage, "almond", "1.0", {"almond-1.0-py3-none-any.whl": "0" * 64})
    text = (stage.home / "uv.lock").read_text()
    (stage.home / "uv.lock").write_text(text.replace(stage.sandbox.upstream.simple_url, place))
    ended, said = stage.run(["trust", "sync", "--yes", "--reason", "x"], None)
    assert (ended, f"[{code}]" in said) == (2, True), said


def test_a_package_of_two_sources_is_none_of_both(stage: Stage) -> None:
    box = stage.sandbox
    index = f"{box.gitlab_url}/api/v4/projects/1/packages/pypi/simple"
    lock(stage, "macadamia", "1.0", {"macadamia-1.0-py3-none-any.whl": "0" * 64})
    text = (stage.home / "uv.lock").read_text()
    more = text.partition("[[package]]")[2].replace("1.0", "2.0").replace(box.upstream.simple_url, index)
    (stage.home / "uv.lock").write_text(f"{text}\n[[package]]{more}")
    stage.sandbox.clear_requests()
    code, said = stage.run(["trust", "sync", "--yes"], None)
    assert (code, "[lock-source]" in said) == (2, True), said
    assert not stage.sandbox.requests
