"""T68: text from untrusted sources reaches the terminal escaped, whichever command prints it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.terminal import Person, Said, typed
from pip_warden.sandbox.faults import Answer

EVIL = "\x1b[2J\u202e\r::error::"
"""Clears the screen, reverses the writing direction, returns to the start of the line."""


def assert_harmless(said: Said) -> None:
    for char in "\x1b\u202e\r":
        assert char not in said, repr(said)


@pytest.fixture
def project_name(person: Person) -> str:
    project = person.published()
    assert person.add(project, "--yes").code == 0
    return project.record.name


@pytest.mark.parametrize("output_format", ["text", "json"])
@pytest.mark.parametrize("status", [403, 404, 500])
def test_t68_body_of_an_error(person: Person, project_name: str, status: int, output_format: str) -> None:
    answer = Answer(status=status, body=f'{{"message":"{EVIL}"}}'.encode())
    person.sandbox.fault(answer, f"simple/{project_name}", times=None)
    words = ("--retries", "0", "--format", output_format)
    said = typed("verify-release", f"{project_name}==1.0", *words)
    assert said.code == 3, said
    assert_harmless(said)


def test_t68_body_of_an_error_while_adding(person: Person, project_name: str) -> None:
    person.sandbox.fault(Answer(status=403, body=EVIL.encode()), f"simple/{project_name}", times=None)
    said = typed("trust", "add", project_name, "--retries", "0")
    assert said.code == 3, said
    assert_harmless(said)


def test_t68_ref_of_a_signer(person: Person) -> None:
    project = person.project()
    person.published("1.0", project=project, job=person.sandbox.job(project, f"refs/heads/{EVIL}"))
    said = person.add(project, "--yes")
    assert said.code != 0
    assert_harmless(said)


@pytest.mark.parametrize("output_format", ["text", "json"])
def test_t68_name_of_a_local_file(person: Person, project_name: str, output_format: str) -> None:
    path = Path(f"{project_name}-1.0-py3-none-any{EVIL.replace('/', '')}.whl")
    path.write_bytes(b"x")
    said = typed("verify", str(path), "--format", output_format)
    assert said.code in {1, 2}, said
    assert_harmless(said)


@pytest.mark.parametrize("word", ["trust", "verify", "explain", "verify-release", "nonsense"])
def test_t68_word_of_the_command_line(person: Person, word: str) -> None:
    (person.home / "unrelated").touch()
    for words in ((word, EVIL), (word, f"--{EVIL}"), (EVIL,)):
        said = typed(*words)
        assert said.code != 0
        assert_harmless(said)


@pytest.mark.parametrize("words", [("show",), ("check",), ("show", "--format", "json")])
def test_t68_trust_file(alone: Path, words: tuple[str, ...]) -> None:
    (alone / "pytrust.toml").write_text('version = 1\n"\\u001b[2J\\u202e\\r" = "\\u001b\\u202e"\n')
    said = typed("trust", *words)
    assert said.code == 2
    assert_harmless(said)
