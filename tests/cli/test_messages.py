"""What somebody is told who mistyped, or named something that is none."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import click
import pytest

from cli.terminal import Person, Said, typed
from pip_warden.cli.install import safe_install
from pip_warden.cli.run import run
from pip_warden.errors import UsageError
from pip_warden.first_use.new_root import NewRoot


def installing(*words: str, capsys: pytest.CaptureFixture[str]) -> Said:
    capsys.readouterr()
    code = run(safe_install, "safe-install", list(words))
    out, err = capsys.readouterr()
    return Said(code=code, out=out, err=err)


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("verfy",), "verify"),
        (("VERIFY",), "verify"),
        (("trust", "shwo"), "show"),
        (("trust", "ad"), "add"),
        (("root", "updaet"), "update"),
        (("verify", "--bundel", "x"), "--bundle"),
    ],
)
def test_a_mistyped_command_or_option(alone: Path, words: tuple[str, ...], meant: str) -> None:
    said = typed(*words)
    assert (said.code, said.err.startswith("error[usage]: No such ")) == (2, True), said.err
    assert f"Did you mean {meant!r}?" in said.err or f"Did you mean {meant}" in said.err


@pytest.mark.parametrize("word", ["xyzzy", "--xyzzy"])
def test_what_resembles_nothing_is_not_guessed(alone: Path, word: str) -> None:
    said = typed(word)
    assert (said.code, "Did you mean" in said) == (2, False), said.err


@pytest.mark.parametrize(
    ("option", "hint"),
    [
        ("--dry-rnu", "Did you mean --dry-run"),
        ("--downlaod", "Did you mean --download"),
        ("--requirment", "Did you mean --requirement"),
        ("--dry", "Spell it out: --dry-run."),
        ("--xyzzy", "`safe-install --help` lists what it takes."),
        ("-Z", "`safe-install --help` lists what it takes."),
    ],
)
def test_a_mistyped_option_of_safe_install(
    alone: Path, capsys: pytest.CaptureFixture[str], option: str, hint: str
) -> None:
    said = installing(option, "x", capsys=capsys)
    assert (said.code, said.err.startswith("error[unknown-option]")) == (2, True)
    assert f"hint: {hint}" in said.err


def test_a_refused_option_is_not_suggested(alone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "--find-links" not in installing("--find-lnks", "x", capsys=capsys).err


@pytest.mark.parametrize("code", ["NOT-PINNED", "Not-Pinned", " not-pinned "])
def test_a_code_in_any_case(code: str) -> None:
    said = typed("explain", code)
    assert (said.code, said.out.startswith("not-pinned ")) == (0, True)


@pytest.mark.parametrize("code", ["not-pined", "NOT-PINED", "notpinned"])
def test_a_mistyped_code_is_answered_with_the_nearest_three(code: str) -> None:
    said = typed("explain", code)
    assert (said.code, said.err.startswith("error[unknown-code]")) == (2, True)
    hint = said.err.partition("hint: Did you mean ")[2].strip().rstrip("?").split(", ")
    assert (hint[0], len(hint)) == ("not-pinned", 3)


def test_verify_without_a_file(alone: Path) -> None:
    said = typed("verify")
    assert (said.code, said.err.startswith("error[nothing-to-verify]")) == (2, True), said.err
    document = typed("verify", "--format", "json").json
    assert (document["exit_code"], document["error"]["code"]) == (2, "nothing-to-verify")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("verify", "LONG.whl"), "no-such-file"),
        (("verify", "FILE", "--bundle", "LONG"), "no-such-file"),
        (("verify", "FILE", "--trusted-root", "LONG"), "no-such-file"),
        (("sign", "LONG.whl"), "no-such-file"),
        (("publish", "LONG.whl"), "no-such-file"),
        (("publish-evidence", "LONG.whl"), "no-such-file"),
        (("trust", "add", "x==1", "--hash", "--reason", "x", "--trust", "LONG"), "no-trust-file"),
    ],
)
def test_a_name_that_is_longer_than_any_files(person: Person, words: tuple[str, ...], code: str) -> None:
    project = person.published()
    assert person.add(project, "--yes").code == 0
    (person.home / "x-1.0.tar.gz").touch()
    said = typed(*(word.replace("LONG", "a" * 300).replace("FILE", "x-1.0.tar.gz") for word in words))
    assert (said.code, f"[{code}]" in said) == (2, True), said


def test_a_python_of_a_name_that_is_longer_than_any_files(
    person: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    assert person.add(person.published(), "--yes").code == 0
    said = installing("--python", "a" * 300, "x", capsys=capsys)
    assert (said.code, "[no-such-python]" in said) == (2, True), said


def test_evidence_is_no_file_to_verify(alone: Path) -> None:
    """`dist/*` names it after `pip-warden sign`: it goes with its file, and alone it is an error."""
    names = ("tools-1.0-py3-none-any.whl", "tools-1.0-py3-none-any.whl.sigstore.json")
    for name in names:
        (alone / name).write_bytes(b"")
    for identity in (
        (),
        ("--certificate-identity", "a@b", "--certificate-oidc-issuer", "https://id.example"),
    ):
        said = typed("verify", names[1], *identity)
        assert (said.code, said.err.startswith("error[evidence-alone]")) == (2, True), said.err
        assert names[1] in said.err
    assert typed("verify", *names).err.startswith("error[no-trust-file]")
    assert "`pip-warden verify dist/*.whl`" in typed("verify").err


def test_the_evidence_of_a_local_file_lies_next_to_it(person: Person) -> None:
    """A wheel that `safe-install --download` wrote has none there, which its publisher cannot mend."""
    project = person.published()
    assert person.add(project, "--yes").code == 0
    wheel = person.sandbox.wheel(str(project.record.name), "1.0")
    (person.home / wheel.name).write_bytes(wheel.data)
    said = typed("verify", wheel.name)
    assert (said.code, "no-evidence" in said) == (1, True), said
    assert f"hint: A local file's evidence lies next to it ({wheel.name}.sigstore.json)." in said.err


@pytest.mark.parametrize(
    ("words", "path"),
    [
        (("sandbox", "--directory"), "pip-warden sandbox"),
        (("trust", "show", "--color"), "pip-warden trust show"),
        (("--color",), "pip-warden"),
    ],
)
def test_an_option_without_its_value_is_in_the_help_that_is_named(words: tuple[str, ...], path: str) -> None:
    said = typed(*words)
    assert (said.code, said.err.startswith("error[usage]")) == (2, True), said.err
    assert f"hint: `{path} --help` lists what it takes." in said.err


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("dist", "expected a file dist, found a directory\n\nhint: Name the files in it, not the directory."),
        ("*.whl", "found none\n\nhint: The shell passes on unchanged a pattern that matches nothing."),
        ("absent.whl", "expected a file absent.whl, found none\n"),
        ("pipe", "expected a file pipe, found something else\n"),
    ],
)
def test_what_is_named_for_a_file_and_is_none(alone: Path, name: str, found: str) -> None:
    (alone / "dist").mkdir()
    os.mkfifo(alone / "pipe")
    (alone / "pytrust.toml").write_text("version = 1\n")
    for command in (("verify",), ("publish", "--gitlab", "http://127.0.0.1:1", "--project", "a/b")):
        said = typed(*command, name)
        assert (said.code, said.err.startswith("error[no-such-file]")) == (2, True), said.err
        assert found in said.err


def test_a_predicate_that_is_not_there(alone: Path) -> None:
    (alone / "a-1.0.tar.gz").write_bytes(b"x")
    options = ("--predicate", "absent.json", "--predicate-type", "https://example.com/reviewed")
    said = typed("attest", "a-1.0.tar.gz", *options)
    assert said.code == 2
    assert said.err.startswith(
        "error[bad-predicate]: expected a JSON object in absent.json, found: No such file or directory\n"
    )


def test_a_release_that_nobody_pinned_is_wanted_by_you(person: Person) -> None:
    project = person.published()
    assert person.add(project, "--yes").code == 0
    said = typed("verify-release", "absent==1", "--format", "json")
    assert (said.code, said.json["files"][0]["refused"]["code"]) == (1, "not-pinned")
    assert [name["wanted_by"] for name in said.json["unpinned"]] == ["you"]


@pytest.mark.parametrize("revision", ["zz", "abc123", "main", "v1.0", "g" * 40, "0" * 41, ""])
def test_a_revision_that_is_no_commit(person: Person, revision: str) -> None:
    assert person.add(person.published(), "--yes").code == 0
    said = typed("verify-release", "absent==1", "--source-revision", revision)
    assert (said.code, said.err.startswith("error[bad-source-revision]")) == (2, True), said.err


@pytest.mark.parametrize("revision", ["a" * 40, "A" * 64])
def test_a_revision_that_is_a_commit(person: Person, revision: str) -> None:
    assert person.add(person.published(), "--yes").code == 0
    said = typed("verify-release", "absent==1", "--source-revision", revision)
    assert (said.code, "not-pinned" in said) == (1, True), said.err


def test_requirements_that_name_nothing(person: Person) -> None:
    (person.home / "empty.txt").write_text("# nothing\n")
    words = ("--source", person.sandbox.pypi_url, "--hash", "--reason", "r", "-r", "empty.txt", "--yes")
    said = typed("trust", "add", *words)
    assert (said.code, said.err.startswith("error[nothing-to-pin]")) == (2, True), said.err
    assert not (person.home / "pytrust.toml").exists()


@pytest.mark.parametrize("url", ["ftp://x", "http://example.com", "https://", "https://x/?y=z"])
def test_a_source_that_nobody_may_ask(alone: Path, url: str) -> None:
    said = typed("trust", "add", "x", "--source", url)
    assert (said.code, said.err.startswith("error[invalid-url]: --source: expected an https URL")) == (
        2,
        True,
    )
    assert str(alone) not in said.err


SECRET = "s3cret"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((f"https://me:{SECRET}@h.example/x",), "usage"),
        (("trust", "check", f"https://me:{SECRET}@h.example/x"), "usage"),
        (("explain", f"https://me:{SECRET}@h.example/x"), "unknown-code"),
        (("verify-release", f"https://me:{SECRET}@h.example/x"), "version-needed"),
        (("verify-release", f"https://me:{SECRET}@h.example/x==1"), "invalid-name"),
        (("verify-release", f"a==https://me:{SECRET}@h.example/x"), "invalid-version"),
        ((f"https://h.example/x?token={SECRET}",), "usage"),
        (("explain", f"https://h.example/x#{SECRET}"), "unknown-code"),
        (("verify-release", f"https://h.example/x?token={SECRET}"), "version-needed"),
        (("verify", f"https://me:{SECRET}@h.example/x?token={SECRET}"), "no-such-file"),
        (("image", "verify", f"https://h.example/x?token={SECRET}"), "invalid-image"),
        (("trust", "add", "a", "--source", f"me:{SECRET}@h.example"), "invalid-url"),
        (("trust", "add", "a", "--source", f"https://h.example/?private_token={SECRET}"), "invalid-url"),
        (("trust", "add", "a", "--source", f"https://h.example/#{SECRET}"), "invalid-url"),
    ],
)
@pytest.mark.parametrize("output_format", ["text", "json"])
def test_the_credentials_in_a_url_are_not_repeated(
    person: Person, words: tuple[str, ...], code: str, output_format: str
) -> None:
    assert person.add(person.published(), "--yes").code == 0
    said = typed(*words, *(["--format", output_format] if words[0] == "verify-release" else []))
    assert (said.code, code in said, SECRET in said) == (2, True, False), said


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (SECRET, "token-file"),
        (f"https://me:{SECRET}@h.example", "token-file"),
        (f"me:{SECRET}@HOST=FILE", "token-file"),
        (f"HOST={SECRET}", "unreadable-token-file"),
    ],
)
def test_a_token_in_the_place_of_its_file_is_not_repeated(person: Person, given: str, code: str) -> None:
    assert person.add(person.published(), "--yes").code == 0
    host = person.sandbox.gitlab_url.removeprefix("http://")
    said = typed("verify-release", "a==1", "--token-file", given.replace("HOST", host))
    assert (said.code, f"error[{code}]" in said, SECRET in said) == (2, True, False), said


@pytest.mark.parametrize("option", ["--directory", "--dump"])
def test_a_sandbox_that_cannot_write(alone: Path, option: str) -> None:
    (alone / "file").write_text("")
    said = typed("sandbox", option, "file/below")
    assert (said.code, said.err.startswith("error[sandbox-failed]: expected to write to file/below")) == (
        2,
        True,
    )
    assert f"with {option}" in said.err


def test_trust_show_counts_in_words(person: Person) -> None:
    assert person.add(person.published(), "--yes").code == 0
    assert "1 source, 1 trusted root, 0 revocations" in typed("trust", "show").out


@pytest.mark.parametrize("has_it", [True, False])
def test_a_bug_speaks_of_debug_only_where_there_is_one(
    capsys: pytest.CaptureFixture[str], has_it: bool
) -> None:
    def broken(**_options: Any) -> None:
        raise RuntimeError("a bug")

    options = [click.Option(["--debug"], is_flag=True)] if has_it else []
    group = click.Group("x", commands=[click.Command("y", callback=broken, params=[*options])])
    assert run(group, "x", ["y"]) == 70
    assert ("--debug shows where it happened" in capsys.readouterr().err) is has_it


def test_a_root_that_does_not_fit_the_disk_leaves_nothing(
    person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_source: object, target: Any) -> None:
        target.write(b"half")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    project = person.published()
    monkeypatch.setattr(shutil, "copyfileobj", full)
    with person.untouched():
        said = person.add(project, "--yes")
    assert (said.code, "error[trust-file-unwritable]" in said.err) == (2, True), said.err
    assert not list(person.home.iterdir())


def test_a_root_that_came_meanwhile_is_left_alone(tmp_path: Path) -> None:
    new = NewRoot(raw=b"mine", place=tmp_path / "root.json", draft=tmp_path / "draft")
    assert (new.keep(), new.keep(), new.place.read_bytes()) == (True, False, b"mine")
    new.place.write_bytes(b"another")
    with pytest.raises(UsageError) as caught:
        new.keep()
    assert (caught.value.code, caught.value.exit_code) == ("pin-conflict", 2)
    assert new.place.read_bytes() == b"another"


def test_evidence_that_is_a_pipe_is_not_waited_for(person: Person) -> None:
    project = person.published()
    assert person.add(project, "--yes").code == 0
    wheel = person.sandbox.wheel(project.record.name, "1.0")
    (person.home / wheel.name).write_bytes(wheel.data)
    os.mkfifo(person.home / f"{wheel.name}.sigstore.json")
    said = typed("verify", wheel.name)
    assert (said.code, "unreadable-evidence" in said.err) == (2, True), said.err
