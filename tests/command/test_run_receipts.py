"""What a command installs behind the gate gets receipts, and what has one is looked at again."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from command.test_run import false_uv, pip, ran
from flow.test_receipts import RECEIPT, info_of, receipt_of, subject
from flow.user import User
from ordinary import parametrized
from pip_warden.errors import DeliveryError
from pip_warden.sandbox import Project


def uv(user: User, *words: str) -> tuple[str, ...]:
    """Return a command line of uv."""
    return (str(Path(sys.executable).with_name("uv")), "pip", *words, "--python", str(user.target))


def idle(user: User) -> tuple[str, ...]:
    """Return a command line of a tool that does nothing."""
    return ("pip", "--python", str(user.target), "list")


@pytest.fixture(autouse=True)
def tools(user: User) -> None:
    """Have a pip on the path that does nothing, whatever it is told."""
    program = Path(false_uv(user, "exit 0"))
    shutil.copy(program, program.with_name("pip"))
    user.patch.setenv("PATH", str(program.parent), prepend=":")


@parametrized("tool", [pip, uv], ordinary={0}, ids=["pip", "uv"])
def test_what_a_command_installs_gets_receipts(user: User, tool: object) -> None:
    assert callable(tool)
    needed = user.published()
    project = user.published(requires=(needed.record.name,))
    first = ran(user, *tool(user, "install", project.record.name))
    assert (first.code, first.document["warnings"]) == (0, []), first.output
    written = receipt_of(user.site, project)
    assert written["archive"] == user.wheel(project, requires=(needed.record.name,)).name
    assert written["basis"] == "identity"

    again = ran(user, *tool(user, "install", project.record.name), options=("--strict",))
    assert again.code == 0, again.output
    for each in (project, needed):
        line = again.line(subject(each))
        assert line["outcome"] == "verified_earlier_unchanged"
        assert line["note"].endswith(f", in {user.site}")
    assert receipt_of(user.site, project) == written

    installed = user.install("--strict", project.record.name)
    assert installed.code == 0, installed.output
    assert installed.outcome(subject(project)) == "verified_earlier_unchanged"


def test_what_has_changed_since_is_refused_whoever_installed_it(user: User) -> None:
    project, other = user.published(), user.published()
    assert user.install(project.record.name, other.record.name).code == 0
    module = next((user.site / project.record.name).glob("*.py"))
    receipt = info_of(user.site, project) / RECEIPT
    for path, content, code in (
        (module, b"evil", "changed-after-install"),
        (receipt, b"{}", "receipt-differs"),
    ):
        before = path.read_bytes()
        path.write_bytes(content)
        run = ran(user, *idle(user))
        assert (run.code, run.codes) == (1, {code}), run.output
        assert run.line(subject(project))["refused"]["code"] == code
        assert run.outcome(subject(other)) == "verified_earlier_unchanged"
        path.write_bytes(before)

    hook = user.site / "hook.pth"
    hook.write_text("import os")
    run = ran(user, *idle(user))
    assert (run.code, run.codes, run.outcome(str(hook))) == (1, {"changed-after-install"}, "refused")


def test_what_the_command_itself_has_changed_is_told_once(user: User) -> None:
    project, other = user.published(), user.published()
    assert user.install(project.record.name, other.record.name).code == 0
    module = next((user.site / project.record.name).glob("*.py"))
    hook = user.site / "hook.pth"
    (user.home / "bin" / "pip").write_text(f"#!/bin/sh\necho evil >> {module}\necho evil > {hook}\n")

    run = ran(user, *idle(user))

    assert (run.code, run.codes) == (1, {"not-through-gate"}), run.output
    assert sorted(line["file"] for line in run.document["files"]) == sorted(
        [subject(project), str(hook), subject(other)]
    )


def test_pins_of_now_decide_where_there_are_any(user: User) -> None:
    """A project that shares the environment may have another trust file, which knows nothing of it."""
    project, other = user.published(pinned=False), user.published()
    blocks = list(user.blocks)
    user.pin(project)
    assert user.install(project.record.name, other.record.name).code == 0

    user.blocks = list(blocks)
    stranger = other.url.partition("://")[2]
    user.pin(project, subject=f"https://{stranger}//.gitlab-ci.yml@refs/tags/v{{version}}")
    run = ran(user, *idle(user))
    assert (run.code, run.codes) == (1, {"identity-mismatch"}), run.output

    user.blocks = list(blocks)
    user.write("")
    run = ran(user, *idle(user), options=("--strict",))
    assert run.code == 0, run.output
    assert [line["file"] for line in run.document["files"]] == [subject(other)]

    renamed = info_of(user.site, project) / "METADATA"
    renamed.write_text(renamed.read_text().replace(f"Name: {project.record.name}", "Name: nobodys"))
    run = ran(user, *idle(user))
    assert (run.code, run.codes) == (1, {"receipt-differs"}), run.output


def test_without_its_archive_nothing_is_said_of_it(user: User) -> None:
    """As of what has no receipt: a cache that is empty is no refusal, with --strict either."""
    project = user.published()
    assert user.install(project.record.name).code == 0
    user.forget()

    run = ran(user, *idle(user), options=("--strict",))

    assert (run.code, run.document["files"]) == (0, []), run.output
    assert "not verified again: 1 distribution whose archive is not in the cache" in run.output


def test_what_is_not_as_accepted_gets_no_receipt(user: User) -> None:
    """One that the gate served is there with other bytes: nothing says that it was accepted."""
    project, good = user.published(), user.published()
    names = (project.record.name, good.record.name)
    site, real = user.site, " ".join(pip(user, "install", *names))
    (user.home / "bin" / "pip").write_text(
        f"#!/bin/sh\n{real} || exit\necho evil >> {site}/{project.record.name}/__init__.py\n"
    )

    run = ran(user, "pip", "--python", str(user.target), "install", *names)

    assert (run.code, run.codes) == (1, {"not-through-gate"}), run.output
    assert _received(user) == [info_of(site, good) / RECEIPT]


def test_what_came_past_the_gate_gets_no_receipt(user: User) -> None:
    """The same release was accepted, and is not what lies there."""
    project = user.published()
    wheel = user.home / user.wheel(project).name
    wheel.write_bytes(user.wheel(project, files={"evil.py": b"1\n"}).data)
    real = " ".join((*pip(user, "install", "--no-index"), str(wheel)))
    fetch = " ".join(pip(user, "download", "--no-deps", "-d", "away", project.record.name))
    (user.home / "bin" / "pip").write_text(f"#!/bin/sh\n{fetch} && {real}\n")

    run = ran(user, "pip", "--python", str(user.target), "install", project.record.name)

    assert (run.code, run.codes) == (1, {"not-through-gate"}), run.output
    assert _received(user) == []


@pytest.mark.interop
def test_of_what_is_built_and_of_the_users_own(user: User) -> None:
    project = user.project()
    user.pin(project)
    sdist = user.sdist(project)
    user.sandbox.publish(project, [sdist])

    assert ran(user, *pip(user, "install", project.record.name)).code == 0

    assert receipt_of(user.site, project)["archive"] == sdist.name
    run = ran(user, *idle(user))
    assert run.outcome(subject(project)) == "built_from_a_verified_sdist_not_comparable"
    assert ran(user, *idle(user), options=("--strict",)).codes == {"strict"}


def test_the_draft_of_a_killed_run_is_removed_and_told(user: User) -> None:
    project = user.published()
    assert ran(user, *pip(user, "install", project.record.name)).code == 0
    draft = info_of(user.site, project) / f".pip-warden-{16 * 'a'}.part"
    draft.write_bytes(b"half a rec")

    run = ran(user, *idle(user), options=("--strict",))

    assert (run.code, draft.exists()) == (0, False), run.output
    assert run.outcome(subject(project)) == "verified_earlier_unchanged"
    assert f"removed {draft}, the draft" in " ".join(run.output.split())


@pytest.mark.interop
def test_of_what_is_in_the_users_own_directory(user: User) -> None:
    project = user.published()
    python = f"{sys.base_prefix}/bin/python3"

    run = ran(user, python, "-m", "pip", "install", "--user", "--break-system-packages", project.record.name)

    assert (run.code, run.document["warnings"]) == (0, []), run.output
    (site,) = (user.home / ".local").glob("lib/python*/site-packages")
    assert receipt_of(site, project)["archive"] == user.wheel(project).name


def test_a_receipt_that_cannot_be_written_is_a_warning(user: User) -> None:
    project = user.published()

    def fail(*_arguments: object) -> None:
        raise DeliveryError("receipt-not-written", "expected to write it, found: a full moon")

    user.patch.setattr("pip_warden.install.receipts.write_receipt", fail)
    run = ran(user, *pip(user, "install", project.record.name))

    assert run.code == 0, run.output
    (warning,) = run.document["warnings"]
    assert all(text in warning for text in (subject(project), "[receipt-not-written]", "a full moon"))


def _received(user: User) -> list[Path]:
    return list(user.site.glob(f"*/{RECEIPT}"))


def test_two_environments_are_each_compared_with_what_is_theirs(user: User) -> None:
    """A file that a package of the other one brings in this one's place is a change."""
    first, second = (user.published(files={"shared/__init__.py": text}) for text in (b"1\n", b"2\n"))
    _into(user, "one", first)
    _into(user, "two", second)
    words = ("pip", "--python", str(user.target), "list", "--target", "one", "--target", "two")
    assert ran(user, *words).code == 0

    shutil.copy(user.home / "two/shared/__init__.py", user.home / "one/shared/__init__.py")
    run = ran(user, *words)

    assert (run.code, run.codes) == (1, {"changed-after-install"}), run.output
    assert run.line(subject(first))["note"] == f"in {user.home / 'one'}"
    assert run.outcome(subject(second)) == "verified_earlier_unchanged"


def _into(user: User, place: str, project: Project) -> None:
    result = user.install("--target", place, project.record.name)
    assert result.code == 0, result.output
