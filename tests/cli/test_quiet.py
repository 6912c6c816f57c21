"""``-q`` and ``-qq`` where a command has them: results that are well are not told, unless as JSON."""

from __future__ import annotations

import pytest

from cli.terminal import Person, Said, typed

NOTHING = Said(code=0, out="", err="")


@pytest.mark.parametrize("quiet", ["-q", "-qq"])
def test_what_is_well_is_not_told(person: Person, quiet: str) -> None:
    project = person.published("1.0")
    name = project.record.name

    assert person.add(project, "--yes", quiet) == NOTHING
    assert person.file.exists()
    assert typed("verify-release", f"{name}==1.0", quiet) == NOTHING
    refused = typed("verify-release", f"{name}==1.0", quiet, "--source-revision", "0" * 40)
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith("✗ ")
    document = typed("verify-release", f"{name}==1.0", quiet, "--format", "json")
    assert (document.code, document.err, document.json["exit_code"]) == (0, "", 0)


def test_what_is_asked_about_is_shown(person: Person) -> None:
    project = person.published("1.0")
    said = person.add(project, "-qq", answers="y\n")

    assert said.code == 0
    assert f"acme/{project.record.name}//.gitlab-ci.yml@refs/tags/v1.0" in said.out
    assert "pytrust.toml" not in said.out


def test_a_no_is_told(person: Person) -> None:
    said = person.add(person.published("1.0"), "-qq", answers="n\n")

    assert (said.code, "error[declined]" in said.err) == (1, True)
