"""What people read: the user's own words for things, and why, where pip says only that it found nothing."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from flow.user import Run, User
from ordinary import parametrized
from pip_warden.sandbox import File, Project


def undecided(result: Run, name: str) -> dict[str, str]:
    found: dict[str, str] = result.line(name)["undecided"]
    return found


def upstream(user: User, *files: File, project: Project) -> None:
    """Publish on the stand-in for pypi.org."""
    user.sandbox.upstream.add(project.record.name, list(files))


def absent(source: str) -> str:
    """Return the entry of a package that nobody publishes."""
    lines = ['name = "absent"', f'source = "{source}"', 'version = "1.0"', 'reason = "r"']
    return "\n".join(["[[package]]", *lines, f'sha256 = {{ "absent-1.0.tar.gz" = "{"0" * 64}" }}'])


def test_a_project_that_the_public_index_does_not_have(user: User) -> None:
    user.write(absent("pypi"))
    result = user.refused("absent", code="page-missing", exit_code=3)
    said = undecided(result, "absent")
    host = user.sandbox.pypi_url.split("/")[2]
    assert f"found no such project on {host}" in said["message"]
    assert "GITLAB_TOKEN" not in said["hint"]


def test_a_source_that_cannot_be_reached_is_named(user: User) -> None:
    user.write('[source.gone]\ntype = "simple"\nurl = "http://127.0.0.1:9/simple"')
    user.write(absent("gone"))
    result = user.refused("--retries", "0", "absent", code="unreachable", exit_code=3)
    message = undecided(result, "absent")["message"]
    assert "from http://127.0.0.1:9/simple/absent/, found no connection: Connection refused" in message


def test_a_wheel_for_another_platform(user: User) -> None:
    project = user.published(tag="cp311-cp311-win_amd64")
    result = user.refused(project.record.name, code="no-fitting-wheel", exit_code=4)
    message = result.document["error"]["message"]
    assert "cp311-cp311-win_amd64" in message
    assert f"{user.target}/bin/python (Python 3." in message
    assert "which takes cp3" in message
    assert "py30-none-any" in message


@parametrized("has_sdist", [True, False], ordinary={0})
def test_a_wheel_for_another_platform_than_the_one_named(user: User, has_sdist: bool) -> None:
    """With ``--platform`` pip demands ``--only-binary``, so an sdist changes nothing."""
    project = user.published(tag="cp311-cp311-win_amd64")
    if has_sdist:
        user.sandbox.publish(project, [user.sandbox.sdist(project.record.name, "1.0")])
    words = (
        "--only-binary",
        ":all:",
        "--platform",
        "win_arm64",
        "--python-version",
        "3.12",
        "--target",
        "there",
    )
    result = user.refused(*words, project.record.name, code="no-fitting-wheel", exit_code=4)
    assert "which takes cp312-cp312-win_arm64" in result.document["error"]["message"]


def test_a_wheel_that_is_too_old_is_none_for_another_platform(user: User) -> None:
    project = user.published()
    result = user.refused(f"{project.record.name}>1", code="pip-failed", exit_code=4)
    assert result.outcome(f"{project.record.name}>1") == "not_judged"


@parametrized("is_listed", [True, False], ordinary={0})
def test_a_version_that_the_hash_pins_lack(user: User, is_listed: bool) -> None:
    project = user.project()
    name = project.record.name
    upstream(
        user,
        *(user.wheel(project, version) for version in ("1.0", "1.1", "2.0")[: 2 + is_listed]),
        project=project,
    )
    for version in ("1.0", "1.1"):
        user.pin_hash(user.wheel(project, version), name=name)
    result = user.refused(f"{name}==2.0", code="version-not-pinned")
    refused = result.line(name)["refused"]
    assert (refused["step"], refused["found"]) == (1, "only 1.0, 1.1, by hash")
    assert refused["expected"] == f"{name}==2.0 in pytrust.toml"
    assert (f"pip-warden trust add {name}==2.0 --source pypi --hash" in refused["hint"]) is is_listed


def test_what_a_build_prints_refuses_nothing(user: User) -> None:
    """It may print pip's line about any project; nothing is looked up for it that pip did not ask for."""
    other = user.published()
    project = user.published(pinned=False)
    user.pin_hash(user.wheel(project), name=project.record.name, source="acme", project=project)
    mine = local_project(user)
    line = f"ERROR: No matching distribution found for {project.record.name}==9"
    (mine / "_backend" / "sandbox_backend.py").write_text(
        f"print({line!r}, flush=True)\nraise SystemExit(1)\n"
    )
    result = user.refused(other.record.name, "./mine", "-v", code="pip-failed", exit_code=4)
    assert "version-not-pinned" not in result.codes


def local_project(user: User, *, requires: tuple[str, ...] = (), build: tuple[str, ...] = ()) -> Path:
    """Unpack a project with a backend of its own into the working directory."""
    sdist = user.sandbox.sdist("mine", "1.0", requires=requires, build_requires=build)
    (user.home / "mine.tar.gz").write_bytes(sdist.data)
    with tarfile.open(user.home / "mine.tar.gz") as archive:
        archive.extractall(user.home, filter="data")
    (user.home / "mine-1.0").rename(user.home / "mine")
    return user.home / "mine"


@parametrized(("where", "place"), [("./mine", "./mine/"), (".", "./")], ordinary={0})
def test_who_wants_a_build_dependency(user: User, where: str, place: str) -> None:
    mine = local_project(user, requires=("unknown-dependency",), build=("unknown-backend",))
    if where == ".":
        user.patch.chdir(mine)
    words = ("--trust", str(user.home / "pytrust.toml"), where)
    result = user.refused(*words, code="not-pinned")
    wanted = {item["project"]: item["wanted_by"] for item in result.document["unpinned"]}
    assert wanted == {"unknown-dependency": place, "unknown-backend": f"to build {place}"}


def test_who_wants_a_build_dependency_of_an_sdist(user: User) -> None:
    project = user.project()
    sdist = user.sdist(project, build_requires=("unknown-backend",))
    user.sandbox.publish(project, [sdist])
    user.pin(project)
    result = user.refused(project.record.name, code="not-pinned")
    assert [item["wanted_by"] for item in result.document["unpinned"]] == [f"to build {sdist.name}"]


@pytest.mark.interop
def test_strict_says_what_it_refuses(user: User) -> None:
    needed = user.published()
    project = user.published(requires=(needed.record.name,))
    assert user.install(needed.record.name).code == 0
    next(user.site.glob("*.dist-info/pip-warden.json")).unlink()  # as if another installer had put it there
    result = user.install("--strict", project.record.name)
    assert (result.code, result.codes) == (1, {"strict"}), result.output
    error = result.document["error"]
    assert f"found present and not verified: {needed.record.name} 1.0" in error["message"]
    assert "is in its place already, and stays" in error["hint"]
    dry = user.install("--strict", "--dry-run", project.record.name)
    assert "stays" not in dry.document["error"]["hint"]


def test_what_a_refused_local_file_left_unjudged(user: User) -> None:
    projects = [user.project() for _ in range(2)]
    names = []
    for project in projects:
        user.pin(project)
        wheel = user.wheel(project)
        (user.home / wheel.name).write_bytes(wheel.data)
        names.append(wheel.name)
    result = user.refused(*(f"./{name}" for name in names), code="no-evidence")
    assert [result.outcome(name) for name in names] == ["refused", "not_judged"]


def test_a_file_that_was_judged_and_not_used(user: User) -> None:
    newer = user.published("1.0", "2.0")
    project = user.published(requires=(f"{newer.record.name}<2",))
    result = user.install(newer.record.name, project.record.name)
    assert (result.code, user.installed()[newer.record.name]) == (0, "1.0"), result.output
    notes = {line["file"]: line["note"] for line in result.document["files"]}
    assert notes.pop(user.wheel(newer, "2.0").name) == "not used: pip read only its metadata"
    assert set(notes.values()) == {None}


def shown_lines(user: User, result: Run) -> str:
    """Return what was printed besides the result, which must name nothing of the run's own."""
    told = result.output[result.output.index("\n}\n") + 3 :]
    text = "\n".join(line.removeprefix("  ") for line in told.splitlines())
    assert "pip-warden.invalid" not in result.output
    assert "requirement.txt" not in result.output
    assert "/pip-warden-" not in text
    return text


def test_pip_speaks_of_the_users_own_files(user: User) -> None:
    needed = user.published()
    project = user.published(requires=(needed.record.name,))
    (user.home / "req.txt").write_text(f"# a list\n\n{project.record.name}>=0\n")
    lines = shown_lines(user, user.install("-v", "-r", "req.txt"))
    assert "Looking in indexes: the sources of pytrust.toml" in lines
    assert f"Collecting {project.record.name}>=0 (from -r req.txt (line 3))" in lines
    assert f"Collecting {needed.record.name} (from {project.record.name}>=0->-r req.txt (line 3))" in lines
    again = shown_lines(user, user.install("--force-reinstall", project.record.name))
    assert f"Collecting {project.record.name}\n" in again


@pytest.mark.interop
def test_pip_speaks_of_the_directory_that_was_named(user: User) -> None:
    project = user.published()
    lines = shown_lines(user, user.install("--download", "files", project.record.name))
    assert f"Saved files/{user.wheel(project).name}" in lines
    lines = shown_lines(user, user.install("--download", "other", "--dry-run", project.record.name))
    assert f"Would save other/{user.wheel(project).name}" in lines


def test_pip_speaks_of_the_file_that_the_user_has(user: User) -> None:
    project = user.project()
    user.pin(project)
    wheel = user.wheel(project)
    (user.home / wheel.name).write_bytes(wheel.data)
    for name, data in user.sandbox.sign(wheel, user.sandbox.job(project, tag="v1.0")).items():
        (user.home / name).write_bytes(data)
    lines = shown_lines(user, user.install(f"./{wheel.name}"))
    assert f"Processing ./{wheel.name}" in lines


def test_strict_counts_warnings(user: User) -> None:
    project = user.project()
    name = project.record.name
    for version, yanked in (("1.0", False), ("2.0", True)):
        user.sandbox.upstream.add(name, [user.wheel(project, version)], yanked=yanked)
        user.pin_hash(user.wheel(project, version), name=name)
    result = user.install("--strict", name)
    assert (result.code, result.codes, user.installed()) == (1, {"strict"}, {name: "1.0"}), result.output
    assert "found 1 warning" in result.document["error"]["message"]
    assert len(result.document["warnings"]) == 1
