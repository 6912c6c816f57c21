"""The commands that hints suggest are typed as they are printed: only words in capitals are replaced."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from cli.terminal import Person, Said, typed
from pip_warden.cli.install import safe_install
from pip_warden.cli.run import run
from pip_warden.sandbox import Project
from pip_warden.trust.suggest import pin_by_identity


def _name(project: Project) -> str:
    return str(project.record.name)


def _suggested(text: str) -> list[str]:
    """Return the commands in a text, as they are printed."""
    return re.findall(r"`(pip-warden [^`]+)`", text)


def _type(command: str, *, answers: str = "y\n", **values: str) -> Said:
    """Type a command, with values in place of its words in capitals."""
    for placeholder, value in values.items():
        assert placeholder.replace("_", "/") in command, command
        command = command.replace(placeholder.replace("_", "/"), value)
    name, *words = shlex.split(command)
    assert name == "pip-warden"
    assert not re.findall(r"\b[A-Z]{3,}\b", command), f"{command}: what is to be put in here?"
    return typed(*words, answers=answers)


def _install(person: Person, *words: str) -> tuple[int, str, dict[str, Any]]:
    """Run safe-install, and return its exit code, its text and its document."""
    shown, told = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(shown), contextlib.redirect_stderr(shown):
        code = run(safe_install, "safe-install", ["--dry-run", *words])
    with contextlib.redirect_stdout(told), contextlib.redirect_stderr(io.StringIO()):
        assert run(safe_install, "safe-install", ["--dry-run", "--format", "json", *words]) == code
    return code, shown.getvalue(), json.loads(told.getvalue())


def _installs(*words: str) -> bool:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return run(safe_install, "safe-install", ["--dry-run", *words]) == 0


def _hint(document: dict[str, Any], code: str) -> str:
    return next(
        str(line["refused"]["hint"])
        for line in document["files"]
        if line.get("refused", {}).get("code") == code
    )


def _knows_pypi(person: Person) -> None:
    """Pin something by hash that comes from pypi.org's stand-in, so that it is a source."""
    person.sandbox.upstream.add("idna", [person.sandbox.wheel("idna", "3.20")])
    words = ("idna==3.20", "--source", person.sandbox.pypi_url, "--hash", "--reason", "reviewed", "--yes")
    assert typed("trust", "add", *words).code == 0


def test_not_pinned_where_the_only_source_is_a_gitlab(person: Person) -> None:
    known, wanted = person.published(), person.published()
    assert person.add(known, "--yes").code == 0

    code, shown, document = _install(person, _name(wanted))
    (command,) = _suggested(_hint(document, "not-pinned"))

    assert code == 1
    assert command == f"pip-warden trust add {_name(wanted)} --source gitlab --project GROUP/PROJECT"
    assert f"\n  {command}\n" in shown
    assert _type(command, GROUP_PROJECT=wanted.path).code == 0
    assert _installs(_name(wanted))


def test_not_pinned_where_the_only_source_is_a_simple_index(person: Person) -> None:
    _knows_pypi(person)
    person.sandbox.upstream.add("tools", [person.sandbox.wheel("tools", "1.0")])

    code, shown, document = _install(person, "tools")
    (command,) = _suggested(_hint(document, "not-pinned"))

    assert code == 1
    assert command == "pip-warden trust add tools --source index"
    looked = _type(f"{command} --trusted-root {person.root}")
    assert (looked.code, "no-evidence" in looked) == (1, True), looked
    (by_hash,) = re.findall(r"^  (pip-warden trust add tools==VERSION .*)$", shown, re.MULTILINE)
    assert _type(by_hash, VERSION="1.0", WHY="nobody signs it").code == 0
    assert _installs("tools")


def test_not_pinned_where_there_are_both(person: Person) -> None:
    known, wanted = person.published(), person.published()
    assert person.add(known, "--yes").code == 0
    _knows_pypi(person)

    _, shown, document = _install(person, _name(wanted))
    of_gitlab, of_index = _suggested(_hint(document, "not-pinned"))

    assert of_gitlab.endswith("--source gitlab --project GROUP/PROJECT")
    assert of_index.endswith("--source index")
    assert f"\n  {of_gitlab}\nor\n  {of_index}\n" in shown
    assert _type(of_index).code in {1, 3}  # it is not there
    assert _type(of_gitlab, GROUP_PROJECT=wanted.path).code == 0


@pytest.mark.interop
def test_no_evidence(person: Person) -> None:
    project = person.published()
    assert person.add(project, "--yes").code == 0
    person.sandbox.put_files(project, [person.sandbox.wheel(_name(project), "2.0")])

    code, _, document = _install(person, f"{_name(project)}==2.0")
    (command,) = _suggested(_hint(document, "no-evidence"))

    assert code == 1
    assert command == f'pip-warden trust add {_name(project)}==2.0 --source gitlab --hash --reason "WHY"'
    assert _type(command, WHY="the signer was ill").code == 0
    assert _installs(f"{_name(project)}==2.0")


def test_no_evidence_at_first_use(person: Person) -> None:
    """There is no trust file yet, so the source has no name but its URL, and nobody is pinned."""
    project = person.project()
    person.sandbox.put_files(project, [person.sandbox.wheel(_name(project), "1.0")])

    refused = person.add(project)
    (command,) = _suggested(refused.out + refused.err)

    assert (refused.code, "no-evidence" in refused, "pinned to an identity" in refused) == (1, True, False)
    assert _type(command, WHY="nobody signs it").code == 0
    assert _installs(_name(project))


@pytest.mark.parametrize("reason", [(), ("--reason", " ")])
def test_reason_missing(person: Person, reason: tuple[str, ...]) -> None:
    project = person.published()

    refused = person.add(f"{_name(project)}==1.0", "--hash", *reason, to=project)
    (command,) = _suggested(refused.out + refused.err)

    assert (refused.code, "reason-missing" in refused) == (2, True)
    assert _type(command, WHY="until it's signed").code == 0
    assert _installs(_name(project))


def test_project_needed(person: Person) -> None:
    project = person.published()

    words = ("--source", person.sandbox.gitlab_url, "--trusted-root", str(person.root))
    refused = typed("trust", "add", _name(project), *words)
    (command,) = _suggested(refused.out + refused.err)

    assert (refused.code, "project-needed" in refused) == (2, True)
    assert _type(command, GROUP_PROJECT=project.path).code == 0
    assert _installs(_name(project))


@pytest.mark.parametrize(
    "words",
    [
        ("--source", "https://me:s3cret@pypi.org/simple"),
        ("--mirror", "pypi=me:s3cret@example.com/simple"),
        ("--mirror", "pypi=https://example.com/simple?token=s3cret"),
        ("--mirror=pypi=https://example.com/simple?token=s3cret",),
        ("--token-file", "example.com=s3cret"),
        ("--token-file=example.com=s3cret",),
    ],
)
def test_a_command_that_may_hold_a_password_is_not_repeated(person: Person, words: tuple[str, ...]) -> None:
    refused = typed("trust", "add", "a==1", *words, "--hash")

    assert (refused.code, "reason-missing" in refused, "s3cret" in refused) == (2, True, False)
    assert '`--reason "WHY"`' in refused


def test_what_is_not_in_the_trust_file(person: Person) -> None:
    known, wanted = person.published(), person.published()
    assert person.add(known, "--yes").code == 0

    shown = typed("trust", "show", _name(wanted))
    (command,) = _suggested(shown.err)

    assert (shown.code, "not-in-trust-file" in shown) == (2, True)
    assert _type(command, GROUP_PROJECT=wanted.path).code == 0


def test_another_version_or_file_than_is_pinned_by_hash(person: Person) -> None:
    project = person.published("1.0", "2.0")
    assert person.add(f"{_name(project)}==1.0", "--hash", "--reason", "x", "--yes", to=project).code == 0

    other = typed("verify-release", f"{_name(project)}==2.0")
    (command,) = _suggested(other.out + other.err)
    assert (other.code, "version-not-pinned" in other) == (1, True)
    assert _type(command, WHY="reviewed").code == 0

    sdist = person.sandbox.sdist(_name(project), "2.0")
    person.sandbox.put_files(project, [sdist])
    checked = typed("verify-release", f"{_name(project)}==2.0")
    (command,) = _suggested(checked.out + checked.err)
    assert (checked.code, "file-not-in-hash-pin" in checked) == (1, True)
    assert _type(command, WHY="reviewed").code == 0
    assert typed("verify-release", f"{_name(project)}==2.0").code == 0


def test_a_trust_file_of_another_name_is_named(person: Person, tmp_path: Path) -> None:
    known, wanted = person.published(), person.published()
    assert person.add(known, "--yes").code == 0
    person.file.rename(person.home / "team trust.toml")

    _, shown, document = _install(person, "--trust", "team trust.toml", _name(wanted))
    (command,) = _suggested(_hint(document, "not-pinned"))

    assert command in shown
    assert _type(command, GROUP_PROJECT=wanted.path).code == 0
    assert _installs("--trust", "team trust.toml", _name(wanted))


def test_an_unsigned_file_judged_by_an_identity_of_the_command_line(person: Person) -> None:
    """No trust file has its source, so there is no command that would pin it."""
    wheel = person.sandbox.wheel("tools", "1.0")
    (person.home / wheel.name).write_bytes(wheel.data)
    signer = (
        "--certificate-identity",
        "me@example.com",
        "--certificate-oidc-issuer",
        "https://id.example.com",
    )

    said = typed("verify", wheel.name, *signer, "--trusted-root", str(person.root), "--offline")

    assert (said.code, "no-evidence" in said, "Ask its publisher to sign it." in said) == (1, True, True), (
        said
    )


def test_a_trust_file_without_a_source() -> None:
    assert pin_by_identity(["a"], ()) == [
        "pip-warden trust add a --source URL --project GROUP/PROJECT",
        "pip-warden trust add a --source URL",
    ]


def test_a_name_close_to_a_pinned_one_is_named_first_and_in_no_command_to_copy(person: Person) -> None:
    known = person.published()
    assert person.add(known, "--yes").code == 0
    wanted = f"{_name(known)}s"

    code, shown, document = _install(person, wanted, "quite-another")
    refused = document["files"][0]["refused"]
    others = document["files"][1]["refused"]

    assert code == 1
    assert (refused["did_you_mean"], others["did_you_mean"]) == ([_name(known)], [])
    head = f"✗ {wanted} refused[not-pinned] at step 1 (pin)"
    assert f"{head}\n    did you mean: {_name(known)}\n    expected: " in shown
    assert "hint: A name close to a pinned one may be somebody else's package." in shown
    assert "\n  pip-warden trust add quite-another --source gitlab --project GROUP/PROJECT\n" in shown

    code, shown, _ = _install(person, wanted)
    assert code == 1
    assert "Pin them" not in shown
    assert shown.index("did you mean") < shown.index("pip-warden trust add")
    said = typed("trust", "show", wanted)
    assert (said.code, f"]: did you mean {_name(known)}? expected an entry" in said.err) == (2, True), (
        said.err
    )
