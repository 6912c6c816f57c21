"""``trust add`` by hash, from a simple index, and through a group."""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

from cli.terminal import Person, typed
from pip_warden.sandbox import File, Project

REASON = ("--hash", "--reason", "publisher does not sign")


def packages(person: Person) -> list[Any]:
    return list(tomllib.loads(person.file.read_text())["package"])


def upstream(person: Person, name: str) -> tuple[File, File]:
    files = person.sandbox.wheel(name, "3.20"), person.sandbox.sdist(name, "3.20")
    person.sandbox.upstream.add(name, files)
    return files


def by_hash(person: Person, *words: str) -> Any:
    return typed("trust", "add", *words, "--source", person.sandbox.pypi_url, *REASON, "--yes")


def test_every_file_of_a_release_by_hash(person: Person) -> None:
    files = upstream(person, "idna-a")
    said = by_hash(person, "idna-a==3.20")
    assert said.code == 0, said.err
    assert "This proves what the files are, not who published them" in said.out
    (package,) = packages(person)
    assert package["sha256"] == {file.name: file.sha256 for file in files}
    assert ("version" in package, package["reason"]) == (False, "publisher does not sign")
    source = tomllib.loads(person.file.read_text())["source"]
    assert source == {"index": {"type": "simple", "url": person.sandbox.pypi_url}}
    assert typed("trust", "check").code == 0


def test_by_hash_needs_an_answer_too(person: Person) -> None:
    upstream(person, "idna-b")
    with person.untouched():
        words = ("idna-b==3.20", "--source", person.sandbox.pypi_url, *REASON)
        assert typed("trust", "add", *words).code == 2
        assert typed("trust", "add", *words, answers="n\n").code == 1
    assert typed("trust", "add", *words, answers="y\n").code == 0


def test_requirements_file_by_hash(person: Person) -> None:
    wheel, _ = upstream(person, "idna-c")
    upstream(person, "idna-d")
    Path("requirements.txt").write_text(f"idna-c==3.20 --hash=sha256:{wheel.sha256}\nidna-d==3.20\n")
    Path("bare.txt").write_text("idna-d==3.20\n")
    said = by_hash(person, "-r", "bare.txt")
    assert said.code == 0, said.err
    Path("requirements.txt").write_text(f"idna-c==3.20 --hash=sha256:{wheel.sha256}\n")
    said = by_hash(person, "-r", "requirements.txt")
    assert said.code == 0, said.err
    assert {package["name"]: len(package["sha256"]) for package in packages(person)} == {
        "idna-c": 1,
        "idna-d": 2,
    }


def test_requirements_file_with_another_hash(person: Person) -> None:
    upstream(person, "idna-e")
    other = hashlib.sha256(b"other bytes").hexdigest()
    Path("requirements.txt").write_text(f"idna-e==3.20 --hash=sha256:{other}\n")
    with person.untouched():
        said = by_hash(person, "-r", "requirements.txt")
    assert (said.code, "error[hash-not-found]" in said.err) == (1, True), said.err


def test_requirement_without_a_version(person: Person) -> None:
    Path("requirements.txt").write_text("idna>=3\n")
    with person.untouched():
        said = by_hash(person, "-r", "requirements.txt")
    assert (said.code, "error[version-needed]" in said.err) == (2, True), said.err


def test_gitlab_files_by_hash(person: Person) -> None:
    project = person.project()
    file = person.sandbox.wheel(project.record.name, "1.0")
    person.sandbox.publish(project, [file], forms=())
    said = typed(
        "trust", "add", f"{project.record.name}==1.0", "--source", person.sandbox.gitlab_url,
        "--project", project.path, *REASON, "--yes",
    )  # fmt: skip
    assert said.code == 0, said.err
    (package,) = packages(person)
    assert (package["project"], package["sha256"]) == (project.path, {file.name: file.sha256})


def test_release_that_has_changed_since(person: Person) -> None:
    upstream(person, "idna-f")
    assert by_hash(person, "idna-f==3.20").code == 0
    text = person.file.read_text()
    digest = packages(person)[0]["sha256"]["idna_f-3.20-py3-none-any.whl"]
    person.file.write_text(text.replace(digest, hashlib.sha256(b"reviewed").hexdigest()))
    with person.untouched():
        said = by_hash(person, "idna-f==3.20")
    assert (said.code, "error[pin-conflict]" in said.err) == (2, True), said.err


def signed_upstream(person: Person, name: str) -> Project:
    project = person.project()
    file = person.sandbox.wheel(name, "1.0")
    evidence = person.sandbox.sign(file, person.sandbox.job(project, tag="v1.0"), ("pep740",))
    person.sandbox.upstream.add(name, [file], provenance={file.name: list(evidence.values())})
    return project


def test_simple_index_with_provenance(person: Person) -> None:
    project = signed_upstream(person, "signed-a")
    words = ("signed-a", "--source", person.sandbox.pypi_url, "--trusted-root", str(person.root))
    with person.untouched():
        said = typed("trust", "add", *words, "--yes")
    assert (said.code, "error[not-pinned-unasked]" in said.err) == (1, True), said.err
    said = typed("trust", "add", *words, answers="y\n")
    assert said.code == 0, said.err
    file = tomllib.loads(person.file.read_text())
    assert file["sigstore"]["issuers"] == [person.sandbox.issuer], "the signer's issuer, not the index"
    assert str(file["package"][0]["identity"][0]["project-id"]) == str(project.id)
    assert typed("trust", "check").code == 0


def test_t31_simple_index_and_what_it_names_see_no_foreign_token(person: Person) -> None:
    signed_upstream(person, "signed-b")
    person.sandbox.clear_requests()
    words = ("signed-b", "--source", person.sandbox.pypi_url, "--trusted-root", str(person.root))
    assert typed("trust", "add", *words, answers="y\n").code == 0
    assert person.sandbox.requests
    for request in person.sandbox.requests:
        assert request.header("authorization") is None
        assert request.header("private-token") is None


def test_project_of_a_simple_index(person: Person) -> None:
    upstream(person, "idna-g")
    assert by_hash(person, "idna-g==3.20").code == 0
    with person.untouched():
        said = typed("trust", "add", "idna-g", "--source", "index", "--project", "acme/x")
    assert (said.code, "error[usage]" in said.err) == (2, True), said.err


def group_add(person: Person, name: str, group: str) -> Any:
    return typed(
        "trust", "add", name, "--source", person.sandbox.gitlab_url, "--group", group,
        "--trusted-root", str(person.root), "--yes",
    )  # fmt: skip


def test_group_says_which_project_publishes_it(person: Person) -> None:
    project = person.published(project=person.sandbox.project("guild/tools/saw"))
    said = group_add(person, "saw", "guild")
    assert said.code == 0, said.err
    assert f"saw is published by {project.path}" in said.err
    assert packages(person)[0]["project"] == project.path


def test_group_where_no_project_has_the_package(person: Person) -> None:
    """GitLab forwards the request to pypi.org, and there is nothing to try again."""
    person.published(project=person.sandbox.project("guild/tools/rasp"))
    with person.untouched():
        said = group_add(person, "absent", "guild")
    assert (said.code, "error[page-missing]" in said.err) == (3, True), said.err
    assert "found no project of the group with it" in said.err
    assert "--project" in said.err.partition("hint: ")[2]


def test_group_where_two_projects_have_the_file(person: Person) -> None:
    first, second = person.sandbox.project("crowd/a"), person.sandbox.project("crowd/b")
    wheel = person.sandbox.wheel("plane", "1.0")
    for project in (first, second):
        person.sandbox.publish(project, [wheel])
    with person.untouched():
        said = group_add(person, "plane", "crowd")
    assert (said.code, "error[ambiguous-owner]" in said.err) == (3, True), said.err


def test_group_needs_a_token(person: Person) -> None:
    person.published(project=person.sandbox.project("guarded/lathe", visibility="public"))
    person.use_token(None)
    with person.untouched():
        said = group_add(person, "lathe", "guarded")
    assert (said.code, "GITLAB_TOKEN" in said.err) == (3, True), said.err


def test_group_that_does_not_publish_it(person: Person) -> None:
    person.published(project=person.sandbox.project("other/hammer"))
    with person.untouched():
        said = group_add(person, "chisel", "other")
    assert (said.code, "error[" in said.err) in {(1, True), (3, True)}, said.err


def twin(person: Person, file: File, name: str) -> File:
    """Return other bytes under the same file name."""
    return replace(file, data=person.sandbox.wheel(name, file.version, files={"evil.py": ""}).data)


def test_b09_group_where_two_projects_have_other_bytes_under_one_name(person: Person) -> None:
    """The first one listed would be taken for the publisher."""
    first, second = person.sandbox.project("mob/a"), person.sandbox.project("mob/b")
    wheel = person.sandbox.wheel("adze", "1.0")
    person.sandbox.publish(first, [wheel])
    person.sandbox.publish(second, [twin(person, wheel, "adze")])
    with person.untouched():
        said = group_add(person, "adze", "mob")
    assert (said.code, "error[same-name-other-bytes]" in said.err) == (1, True), said.err


def test_b09_release_with_two_files_of_one_name_is_not_pinned_by_identity(person: Person) -> None:
    project = person.published("1.0")
    wheel = person.sandbox.wheel(project.record.name, "1.0")
    person.sandbox.put_files(project, [twin(person, wheel, project.record.name)])
    with person.untouched():
        said = person.add(project, "--yes")
    assert (said.code, "error[same-name-other-bytes]" in said.err) == (1, True), said.err


def test_b09_release_with_two_files_of_one_name_is_not_pinned_by_hash(person: Person) -> None:
    wheel, _ = upstream(person, "idna-h")
    person.sandbox.upstream.add("idna-h", [twin(person, wheel, "idna-h")])
    with person.untouched():
        said = by_hash(person, "idna-h==3.20")
    assert (said.code, "error[same-name-other-bytes]" in said.err) == (1, True), said.err


def test_b09_file_that_is_listed_twice_is_pinned_once(person: Person) -> None:
    files = upstream(person, "idna-i")
    person.sandbox.upstream.add("idna-i", [files[0]])
    said = by_hash(person, "idna-i==3.20")
    assert said.code == 0, said.err
    assert said.out.count(files[0].name) == 1, said.out
    assert packages(person)[0]["sha256"] == {file.name: file.sha256 for file in files}
