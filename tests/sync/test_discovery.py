"""What is not locked is resolved once, from the metadata of wheels: nothing is built, run or handed over."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from pip_warden.sandbox import File, Sandbox
from pip_warden.sandbox.faults import Answer
from sync.test_sync_scenarios import Stage

RUN = ("trust", "sync", "--yes", "--hash-only", "--reason", "resolved", "--source")


@pytest.fixture(autouse=True)
def _fresh(sandbox: Sandbox) -> Iterator[None]:
    sandbox.clear_requests()
    yield
    sandbox.faults.clear()


@pytest.fixture
def stage(sandbox: Sandbox, home: Path) -> Stage:
    return Stage(sandbox=sandbox, home=home, words={})


def index(sandbox: Sandbox, *files: File) -> None:
    for file in files:
        sandbox.upstream.add(file.name.partition("-")[0].replace("_", "-"), [file])


def sync(stage: Stage, *words: str) -> tuple[int, str]:
    return stage.run([*RUN, stage.sandbox.upstream.simple_url, *words], None)


def pinned(stage: Stage) -> dict[str, list[str]]:
    packages = tomllib.loads((stage.home / "pytrust.toml").read_text())["package"]
    return {package["name"]: sorted(package["sha256"]) for package in packages}


def test_dependencies_are_resolved_and_nothing_is_built(stage: Stage, tmp_path: Path) -> None:
    mark, box = tmp_path / "built", stage.sandbox
    index(
        box,
        box.wheel("app-one", "1.0", requires=["lib-two>=1"]),
        box.wheel("lib-two", "1.5"),
        box.sdist("lib-two", "1.5"),
        box.sdist("lib-two", "2.0", marker=mark),
    )
    (stage.home / "requirements.txt").write_text("app-one\n")
    code, said = sync(stage, "-r", "requirements.txt")
    assert code == 0, said
    assert pinned(stage) == {
        "app-one": ["app_one-1.0-py3-none-any.whl"],
        "lib-two": ["lib_two-1.5-py3-none-any.whl", "lib_two-1.5.tar.gz"],
    }
    assert not mark.exists()
    files = [request.path for request in box.requests if request.path.endswith((".whl", ".tar.gz"))]
    assert files == []

    code, said = sync(stage, "-r", "requirements.txt")
    assert (code, "nothing to do" in said) == (0, True), said


def test_a_project_s_static_dependencies_are_resolved(stage: Stage) -> None:
    index(stage.sandbox, stage.sandbox.wheel("app-three", "1.0"))
    (stage.home / "pyproject.toml").write_text(
        '[project]\nname = "mine"\nversion = "1"\ndependencies = ["app-three>=1"]\n'
    )
    code, said = sync(stage)
    assert (code, [*pinned(stage)]) == (0, ["app-three"]), said


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('[project]\nname = "mine"\ndynamic = ["version", "dependencies"]\n', "dynamic-dependencies"),
        ("[tool.x]\ny = 1\n", "dynamic-dependencies"),
        ('[project]\nname = "mine"\nversion = "1"\n', "nothing-to-pin"),
        ("[project\n", "bad-lock-file"),
    ],
)
def test_a_project_that_says_nothing_is_no_success(stage: Stage, text: str, code: str) -> None:
    (stage.home / "pyproject.toml").write_text(text)
    exit_code, said = sync(stage)
    assert (exit_code, f"[{code}]" in said) == (2, True), said
    assert not (stage.home / "pytrust.toml").exists()


def test_what_has_no_wheel_is_listed_with_the_way_out(stage: Stage, tmp_path: Path) -> None:
    mark, box = tmp_path / "built", stage.sandbox
    index(box, box.wheel("app-four", "1.0"), box.sdist("only-source", "1.0", marker=mark))
    (stage.home / "requirements.txt").write_text("app-four\nonly-source\n")
    code, said = sync(stage, "-r", "requirements.txt")
    assert code == 0, said
    assert "unresolved, and not pinned: only-source has no wheel" in said
    assert "--lock FILE" in said
    assert [*pinned(stage)] == ["app-four"]
    assert not mark.exists()


def test_a_dependency_without_a_wheel_ends_the_run(stage: Stage, tmp_path: Path) -> None:
    mark, box = tmp_path / "built", stage.sandbox
    index(
        box,
        box.wheel("app-five", "1.0", requires=["deep-source"]),
        box.sdist("deep-source", "1.0", marker=mark),
    )
    (stage.home / "requirements.txt").write_text("app-five\n")
    code, said = sync(stage, "-r", "requirements.txt")
    assert (code, "[unresolved]" in said, "deep-source" in said) == (2, True, True), said
    assert not mark.exists()
    assert not (stage.home / "pytrust.toml").exists()


def test_metadata_that_the_index_does_not_offer_is_read_in_the_wheel(stage: Stage) -> None:
    box = stage.sandbox
    index(box, box.wheel("app-six", "1.0", requires=["lib-seven"]), box.wheel("lib-seven", "1.0"))
    box.fault(Answer(status=404), r".*\.metadata", origin="files", times=None)
    (stage.home / "requirements.txt").write_text("app-six\n")
    code, said = sync(stage, "-r", "requirements.txt")
    assert (code, [*pinned(stage)]) == (0, ["app-six", "lib-seven"]), said


def test_a_dependency_by_a_link_is_not_followed(stage: Stage) -> None:
    box = stage.sandbox
    index(
        box, box.wheel("app-eight", "1.0", requires=["evil @ https://evil.example/evil-1.0-py3-none-any.whl"])
    )
    (stage.home / "requirements.txt").write_text("app-eight\n")
    code, said = sync(stage, "-r", "requirements.txt")
    assert (code, "[refused-requirement]" in said) == (1, True), said
    assert not (stage.home / "pytrust.toml").exists()


def test_a_page_that_cannot_be_had_decides_nothing(stage: Stage) -> None:
    (stage.home / "requirements.txt").write_text("nowhere-at-all\n")
    code, said = sync(stage, "-r", "requirements.txt")
    assert (code, "[page-missing]" in said) == (3, True), said


def test_versions_that_contradict_each_other_are_pip_s_own_failure(stage: Stage) -> None:
    index(stage.sandbox, stage.sandbox.wheel("app-nine", "1.0"))
    (stage.home / "requirements.txt").write_text("app-nine>=2\n")
    code, said = sync(stage, "-r", "requirements.txt")
    assert (code, "[pip-failed]" in said, "app-nine>=2" in said) == (4, True, True), said


def test_t05_requirements_that_are_all_for_another_platform_are_no_success(stage: Stage) -> None:
    index(stage.sandbox, stage.sandbox.wheel("app-marked", "1.0"))
    (stage.home / "requirements.txt").write_text("app-marked; sys_platform == 'plan9'\n")
    code, said = sync(stage, "-r", "requirements.txt")
    assert (code, "[nothing-to-pin]" in said) == (2, True), said
    assert not (stage.home / "pytrust.toml").exists()


def test_hashes_beside_what_has_no_version_are_explained(stage: Stage) -> None:
    (stage.home / "locked.txt").write_text(f"app-hashed==1.0 --hash=sha256:{'0' * 64}\n")
    (stage.home / "more.txt").write_text("app-open>=1\n")
    code, said = sync(stage, "-r", "locked.txt", "-r", "more.txt")
    assert (code, "[version-needed]" in said, "found app-open>=1" in said) == (2, True, True), said


def test_pip_s_own_settings_choose_no_other_place_and_build_nothing(
    stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark, box, links = tmp_path / "built", stage.sandbox, tmp_path / "links"
    index(box, box.wheel("app-set", "1.0", requires=["lib-set"]), box.wheel("lib-set", "1.0"))
    links.mkdir()
    for file in (box.sdist("lib-set", "9.0", marker=mark), box.wheel("lib-set", "8.0")):
        (links / file.name).write_bytes(file.data)
    monkeypatch.setenv("PIP_FIND_LINKS", str(links))
    monkeypatch.setenv("PIP_NO_BINARY", ":all:")
    config = stage.home / ".config" / "pip" / "pip.conf"
    config.parent.mkdir(parents=True)
    config.write_text(f"[global]\nfind-links = {links}\nno-binary = :all:\n")
    (stage.home / "requirements.txt").write_text("--no-binary :all:\napp-set\n")
    code, said = sync(stage, "-r", "requirements.txt")
    assert code == 0, said
    assert pinned(stage)["lib-set"] == ["lib_set-1.0-py3-none-any.whl"]
    assert not mark.exists()
