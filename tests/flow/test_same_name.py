"""B09: two files under one name. Which one an installer takes is undefined, so their release is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from flow.user import User
from pip_warden.cli.verify import command as verify
from pip_warden.sandbox import File, Project

CODE = "same-name-other-bytes"


def other_bytes(user: User, file: File, project: Project) -> File:
    """Return other bytes under the same file name, as good an archive as the first."""
    make = user.wheel if file.name.endswith(".whl") else user.sdist
    evil = make(project, file.version, files={"evil.py": "x = 1\n"})
    return replace(file, data=evil.data)


def respelled(file: File, project: Project) -> File:
    """Return a file under another spelling of its name: equivalent to every installer."""
    name = project.record.name
    return replace(file, name=file.name.replace(name, name.capitalize()))


def doubled(user: User, project: Project, twin: File) -> None:
    """Check that 2.0 is refused, and that 1.0 is unchanged."""
    assert user.judged_bad(project, "2.0", code=CODE, files=[twin]).codes == {CODE}
    assert user.judge(project, "1.0").code == 0


@pytest.mark.interop
def test_b09_the_release_is_refused_however_it_is_asked_for(user: User) -> None:
    project = user.published("1.0", "2.0")
    twin = other_bytes(user, user.wheel(project, "2.0"), project)
    user.sandbox.put_files(project, [twin])
    doubled(user, project, twin)
    name = project.record.name
    user.refused(name, code=CODE, files=[twin])
    user.refused(f"{name}==2.0", code=CODE, files=[twin])
    user.refused("--download", "there", name, code=CODE)
    result = user.install(f"{name}==1.0")
    assert (result.code, user.installed()) == (0, {name: "1.0"}), result.output


@pytest.mark.parametrize("digest", ["its own", "none"])
@pytest.mark.parametrize("spelling", ["the same", "another"])
def test_b09_second_wheel_of_other_bytes(user: User, spelling: str, digest: str) -> None:
    project = user.published("1.0", "2.0")
    twin = other_bytes(user, user.wheel(project, "2.0"), project)
    twin = respelled(twin, project) if spelling == "another" else twin
    user.sandbox.put_files(project, [twin])
    if digest == "none":
        user.sandbox.lie(
            project, twin.name, sha256="", url=f"{project.pypi_url}/files/{twin.sha256}/{twin.name}"
        )
    doubled(user, project, twin)


@pytest.mark.parametrize("spelling", ["name", "version"])
def test_b09_second_sdist_of_other_bytes(user: User, spelling: str) -> None:
    project = user.published("1.0")
    sdist = user.sdist(project, "2.0")
    user.sandbox.publish(project, [sdist])
    twin = other_bytes(user, sdist, project)
    twin = (
        respelled(twin, project)
        if spelling == "name"
        else replace(twin, name=sdist.name.replace("2.0", "2.0.0"))
    )
    user.sandbox.put_files(project, [twin])
    doubled(user, project, twin)


def test_b09_evidence_for_both_makes_neither_good(user: User) -> None:
    project = user.published("1.0", "2.0")
    twin = other_bytes(user, user.wheel(project, "2.0"), project)
    user.sandbox.publish(project, [twin])
    doubled(user, project, twin)


def test_b09_first_row_of_other_bytes(user: User) -> None:
    project = user.published("1.0")
    good = user.wheel(project, "2.0")
    twin = other_bytes(user, good, project)
    user.sandbox.put_files(project, [twin])
    user.sandbox.publish(project, [good])
    doubled(user, project, twin)


@pytest.mark.interop
def test_b09_same_bytes_twice_are_one_file(user: User) -> None:
    project = user.published("1.0", "2.0")
    user.sandbox.put_files(project, [user.wheel(project, "2.0")])
    released = user.judge(project, "2.0")
    assert (released.code, len(released.document["files"])) == (0, 1), released.output
    result = user.install("--download", "there", project.record.name)
    assert result.code == 0, result.output
    result = user.install(project.record.name)
    assert (result.code, user.installed()) == (0, {project.record.name: "2.0"}), result.output


def test_b09_second_file_beside_one_pinned_by_hash(user: User) -> None:
    project = user.published("2.0", pinned=False, forms=())
    good = user.wheel(project, "2.0")
    user.pin_hash(good, name=project.record.name, source="acme", project=project)
    assert user.install("--dry-run", project.record.name).code == 0
    twin = other_bytes(user, good, project)
    user.sandbox.put_files(project, [twin])
    user.forget()
    user.refused(project.record.name, code=CODE, files=[twin])


def test_b09_cache_that_holds_two(user: User) -> None:
    """Neither need be the registry's present one; offline, that is unknown."""
    project = user.published("2.0")
    good = user.wheel(project, "2.0")
    assert user.install("--dry-run", project.record.name).code == 0
    user.sandbox.delete_file(project, good.name)
    user.sandbox.delete_evidence(project, f"{good.name}.sigstore.json")
    again = other_bytes(user, good, project)
    user.sandbox.publish(project, [again])
    assert user.install("--dry-run", project.record.name).code == 0
    assert all(user.keeps(file.name, file.sha256) for file in (good, again))
    result = user.install("--offline", project.record.name)
    assert (result.code, result.codes, user.installed()) == (1, {CODE}, {}), result.output


def test_b09_cache_that_holds_two_of_which_one_is_pinned_by_hash(user: User) -> None:
    project = user.published("2.0", pinned=False, forms=())
    good = user.wheel(project, "2.0")
    again = other_bytes(user, good, project)
    for file in (again, good):
        user.sandbox.delete_file(project, good.name)
        user.sandbox.put_files(project, [file])
        user.blocks = user.blocks[:4]
        user.pin_hash(file, name=project.record.name, source="acme", project=project)
        assert user.install("--dry-run", project.record.name).code == 0
    result = user.install("--offline", project.record.name)
    assert (result.code, user.installed()) == (0, {project.record.name: "2.0"}), result.output


@pytest.mark.parametrize("order", [("good", "evil"), ("evil", "good")])
@pytest.mark.parametrize("spelling", ["the same", "another"])
def test_b09_two_local_files_of_one_name_are_two_files(
    user: User, spelling: str, order: tuple[str, str]
) -> None:
    """Each is judged, and each verdict reported: that of the first says nothing about the second."""
    project = user.published()
    good = user.wheel(project)
    evil = other_bytes(user, good, project)
    evil = respelled(evil, project) if spelling == "another" else evil
    for place, file in (("good", good), ("evil", evil)):
        (user.home / place).mkdir()
        (user.home / place / file.name).write_bytes(file.data)
        bundle = user.sandbox.evidence(project, f"{good.name}.sigstore.json")
        (user.home / place / f"{file.name}.sigstore.json").write_bytes(bundle)
    paths = {"good": f"good/{good.name}", "evil": f"evil/{evil.name}"}

    result = user.type(*(paths[place] for place in order), command=verify, name="pip-warden verify")

    assert result.code == 1, result.output
    outcomes = {line["sha256"]: line["outcome"] for line in result.document["files"]}
    assert outcomes == {good.sha256: "accepted", evil.sha256: "refused"}
    user.refused(*(f"./{paths[place]}" for place in order), code="bad-signature")


@pytest.mark.parametrize("order", [("good", "bare"), ("bare", "good")])
def test_b09_the_same_bytes_without_evidence_are_refused_beside_those_with(
    user: User, order: tuple[str, str]
) -> None:
    """Each file is requested with the evidence next to it."""
    project = user.published()
    wheel = user.wheel(project)
    for place in order:
        (user.home / place).mkdir()
        (user.home / place / wheel.name).write_bytes(wheel.data)
    bundle = user.sandbox.evidence(project, f"{wheel.name}.sigstore.json")
    (user.home / "good" / f"{wheel.name}.sigstore.json").write_bytes(bundle)

    words = [f"{place}/{wheel.name}" for place in order]
    result = user.type(*words, command=verify, name="pip-warden verify")

    assert (result.code, result.codes) == (1, {"no-evidence"}), result.output
    assert result.accepted == {wheel.name}
