"""safe-install with uv: the same verdicts; what it has changed is compared afterwards."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path

import pytest

from flow.test_past_the_gate import EDITABLE, Trap, recorded, route_hook, unpack
from flow.user import Run, User
from pip_warden.installer import uv as uv_module
from pip_warden.sandbox.packages import backend_source

UV = ("--installer", "uv")


@pytest.fixture
def trap(tmp_path: Path) -> Trap:
    return Trap(tmp_path / "trap")


@pytest.fixture(autouse=True)
def lock(user: User) -> None:
    """Uv leaves an empty lock next to what it installs into."""
    (user.target / ".lock").touch()


def with_uv(user: User, *words: str) -> Run:
    return user.install(*UV, *words)


def test_uv_installs_what_was_accepted(user: User) -> None:
    needed = user.published("1.0", "2.0")
    project = user.published("1.0", "2.0", requires=(needed.record.name,))
    name, other = project.record.name, needed.record.name

    result = with_uv(user, "--compile", f"{name}<2; python_version > '3'")

    assert result.code == 0, result.output
    assert user.installed() == {name: "1.0", other: "2.0"}
    assert result.accepted == {f"{name}-1.0-py3-none-any.whl", f"{other}-2.0-py3-none-any.whl"}
    assert re.search(rf"^   \+ {name}==1\.0$", result.output, re.MULTILINE)
    assert result.document["installer_exit_code"] == 0

    again = with_uv(user, "--upgrade", name)

    assert again.code == 0, again.output
    assert user.installed() == {name: "2.0", other: "2.0"}
    assert again.outcome(f"{other} 2.0") == "verified_earlier_unchanged"


def test_a_refused_file_ends_uv_and_nothing_is_installed(user: User) -> None:
    good, project = user.published(), user.project()
    user.pin(project)
    unsigned = user.wheel(project, "2.0")
    user.sandbox.publish(project, [user.wheel(project)])
    user.sandbox.publish(project, [unsigned], forms=())

    user.refused(*UV, good.record.name, project.record.name, code="no-evidence", files=[unsigned])


def test_a_dry_run_changes_nothing(user: User) -> None:
    project = user.published()
    before = user.snapshot()

    result = with_uv(user, "--dry-run", project.record.name)

    assert (result.code, user.snapshot()) == (0, before), result.output
    (line,) = result.document["files"]
    assert (line["outcome"], line.get("note")) == ("accepted", None)


def test_what_is_unpinned_never_starts_uv(user: User) -> None:
    user.refused(*UV, "unpinned", code="not-pinned")


def test_an_sdist_is_built_with_what_was_accepted(user: User) -> None:
    needed, project, marker = user.published(), user.project(), user.home / "ran"
    user.pin(project)
    user.sandbox.publish(project, [user.sdist(project, requires=(needed.record.name,), marker=marker)])

    result = with_uv(user, project.record.name)

    assert result.code == 0, result.output
    assert marker.exists()
    assert user.installed() == {project.record.name: "1.0", needed.record.name: "1.0"}


def test_local_files_and_projects(user: User) -> None:
    projects = {kind: user.project() for kind in ("wheel", "sdist", "mine", "mine[extra]", "editable")}
    words = {kind: recorded(user, project, kind) for kind, project in projects.items()}

    result = with_uv(user, *(word for each in words.values() for word in each))

    assert result.code == 0, result.output
    assert len(user.installed()) == len(projects)
    outcomes = [line["outcome"] for line in result.document["files"]]
    assert (outcomes.count("local"), outcomes.count("accepted")) == (3, 2)
    assert "pip-warden-" not in result.output
    for kind, project in projects.items():
        path = words[kind][-1].partition("[")[0]
        assert recorded_place(user.site, project.record.name) == (user.home / path).resolve().as_uri()


def recorded_place(site: Path, name: str) -> str:
    """Return the URL that a distribution was installed from; its RECORD has the hash of what says so."""
    info = next(site.glob(f"{name}-*.dist-info"))
    content = (info / "direct_url.json").read_bytes()
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
    assert f"{info.name}/direct_url.json,sha256={digest},{len(content)}\n" in (info / "RECORD").read_text()
    return str(json.loads(content)["url"])


def test_a_digest_for_one_demands_one_for_all(user: User) -> None:
    other, project = user.published(), user.project()
    user.pin(project)
    wheel = user.wheel(project)
    user.sandbox.publish(project, [wheel])
    lines = [f"{project.record.name}==1.0 --hash=sha256:{wheel.sha256}", other.record.name]
    (user.home / "one.txt").write_text(f"{lines[0]}\n")
    (user.home / "both.txt").write_text("\n".join(lines))

    user.refused(*UV, "-r", "both.txt", code="uv-failed", exit_code=4)
    assert with_uv(user, "-r", "one.txt").code == 0


def test_another_digest_than_the_user_s(user: User) -> None:
    project = user.published()
    (user.home / "r.txt").write_text(f"{project.record.name}==1.0 --hash=sha256:{'0' * 64}\n")

    user.refused(*UV, "-r", "r.txt", code="uv-failed", exit_code=4)


def test_constraints_and_a_directory_of_its_own(user: User) -> None:
    project = user.published("1.0", "2.0")
    (user.home / "c.txt").write_text(f"{project.record.name}<2\n")
    before = user.snapshot()
    (user.home / "there").mkdir()
    (user.home / "there" / "mine.py").touch()

    result = with_uv(user, "-c", "c.txt", "--target", "there", project.record.name)

    assert (result.code, user.snapshot()) == (0, before), result.output
    assert [path.name for path in (user.home / "there").glob("*.dist-info")] == [
        f"{project.record.name}-1.0.dist-info"
    ]
    # Whether uv has linked or copied: nothing else leads to what it has installed.
    files = [path for path in (user.home / "there").rglob("*") if path.is_file()]
    assert {path.stat().st_nlink for path in files} == {1}


def test_why_nothing_meets_a_requirement(user: User) -> None:
    wheel = user.sandbox.wheel("plain", "1.0")
    user.sandbox.upstream.add("plain", [wheel])
    user.pin_hash(wheel, name="plain")

    user.refused(*UV, "plain>1", code="version-not-pinned")


@pytest.mark.parametrize("words", [(), ("-e",)])
def test_what_a_local_project_asks_for_on_this_machine_is_noticed(
    user: User, trap: Trap, words: tuple[str, ...]
) -> None:
    unpack(user.sandbox.sdist("mine", "1.0"), user.home)
    (user.home / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "sandbox_backend"\nbackend-path = ["_backend"]\n'
    )
    backend = backend_source("mine", "1.0", requires=[trap.reference("wheel")])
    (user.home / "_backend" / "sandbox_backend.py").write_text(f"{backend}{EDITABLE}")

    result = with_uv(user, *words, ".")

    assert (result.code, result.codes) == (1, {"not-through-gate"}), result.output
    assert "found evil 9.0" in result.document["error"]["message"]
    assert "is in the environment now" in result.document["error"]["hint"]


def test_what_a_build_asks_for_on_this_machine_is_not_installed(user: User, trap: Trap) -> None:
    """The code of an accepted sdist opens what it likes; into the target comes nothing of it."""
    project = user.project()
    user.pin(project)
    user.sandbox.publish(project, [route_hook(user, project, trap.reference("wheel"))])

    result = with_uv(user, project.record.name)

    assert result.code == 0, result.output
    assert user.installed() == {project.record.name: "1.0"}


@pytest.mark.parametrize(("name", "then"), [("evil.pth", ""), ("evil.py", "\nraise SystemExit(1)\n")])
def test_what_a_build_puts_into_the_target_is_noticed(user: User, name: str, then: str) -> None:
    """Whether uv succeeds or fails."""
    project = user.project()
    user.pin(project)
    backend = backend_source(project.record.name, "1.0")
    backend += f"\nimport pathlib\npathlib.Path({str(user.site / name)!r}).write_text('import os'){then}\n"
    user.sandbox.publish(project, [user.sdist(project, files={"_backend/sandbox_backend.py": backend})])

    result = with_uv(user, project.record.name)

    assert (result.code, result.codes) == (1, {"not-through-gate"}), result.output
    assert name in result.document["error"]["message"]
    assert bool(user.installed()) is not bool(then)


def test_what_is_installed_where_nobody_looks_is_no_success(user: User, tmp_path: Path) -> None:
    project = user.published()
    user.patch.setattr("pip_warden.install.with_uv.packages_of", lambda _target: (tmp_path / "elsewhere",))

    result = with_uv(user, project.record.name)

    assert (result.code, result.codes) == (4, {"inspect-failed"}), result.output


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--report", "r.json"), "refused-option"),
        (("--download", "d"), "refused-option"),
        (("--user",), "refused-option"),
        (("--installer", "conda"), "option-value"),
    ],
)
def test_what_uv_has_not_is_said_before_anything(user: User, words: tuple[str, ...], code: str) -> None:
    result = user.refused(*UV, *words, "acme", code=code, exit_code=2)

    assert words[-1 if code == "option-value" else 0] in result.document["error"]["message"]


def test_an_option_of_a_file_is_held_against_uv_s_too(user: User) -> None:
    (user.home / "r.txt").write_text("--prefer-binary\nacme\n")

    user.refused(*UV, "-r", "r.txt", code="refused-option", exit_code=2)


def test_the_variable_chooses_and_the_option_wins(user: User) -> None:
    user.patch.setenv("PIP_WARDEN_INSTALLER", "conda")
    user.refused("acme", code="option-value", exit_code=2)
    user.patch.setenv("PIP_WARDEN_INSTALLER", "uv")
    project = user.published()
    user.patch.setattr(uv_module, "_own", lambda: None)
    user.patch.setenv("PATH", "/nowhere")
    user.refused(project.record.name, code="no-uv", exit_code=2)

    assert user.install("--installer", "pip", project.record.name).code == 0
    assert user.installed() == {project.record.name: "1.0"}
