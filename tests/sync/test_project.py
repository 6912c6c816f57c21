"""Extras and dependency groups of a project without a lock, and the Python whose markers count."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pip_warden.errors import UsageError
from pip_warden.first_use.sync.project import Choice, dependencies_of
from pip_warden.sandbox import Sandbox
from sync.test_discovery import index, pinned, sync
from sync.test_sync_scenarios import Stage

PROJECT = """
[project]
name = "Mine"
version = "1"
dependencies = ["base>=1", "mine[cli]; python_version < '4'"]
[project.optional-dependencies]
cli = ["click"]
test = ["pytest; os_name == 'posix'", "mine[Fast_IO]; python_version > '3'"]
fast-io = ["uvloop; sys_platform != 'win32'"]
all = ["mine[test,all,cli]"]
lost = ["mine[nowhere]"]
[dependency-groups]
Dev = ["ruff", {include-group = "typing"}, {include-group = "typing"}, "mine[test]"]
typing = ["mypy"]
circle = [{include-group = "other"}]
other = [{include-group = "circle"}]
itself = [{include-group = "itself"}]
absent = [{include-group = "nowhere"}]
odd = [{include = "typing"}]
text = "ruff"
broken = ["not a requirement!"]
"""
BASE = ("base>=1", 'click; python_version < "4"')
FAST = 'uvloop; python_version > "3" and sys_platform != "win32"'


def wanted(tmp_path: Path, *, extras: tuple[str, ...] = (), groups: tuple[str, ...] = ()) -> tuple[str, ...]:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    return dependencies_of(tmp_path, Choice(extras=extras, groups=groups))


@pytest.mark.parametrize(
    ("extras", "groups", "more"),
    [
        ((), (), ()),
        (("test",), (), ('pytest; os_name == "posix"', FAST)),
        (("fast_io",), (), ('uvloop; sys_platform != "win32"',)),
        (("all",), (), ("click", 'pytest; os_name == "posix"', FAST)),
        ((), ("dev",), ("ruff", "mypy", 'pytest; os_name == "posix"', FAST)),
        ((), ("typing", "Typing"), ("mypy",)),
    ],
)
def test_extras_and_groups_are_added_and_the_project_itself_is_never_asked_for(
    tmp_path: Path, extras: tuple[str, ...], groups: tuple[str, ...], more: tuple[str, ...]
) -> None:
    found = wanted(tmp_path, extras=extras, groups=groups)
    assert found[: len(BASE)] == BASE
    assert set(found[len(BASE) :]) == set(more)
    assert not any(each.startswith("mine") for each in found)


@pytest.mark.parametrize(
    ("extra", "group", "code"),
    [
        ("nowhere", "", "no-such-extra"),
        ("lost", "", "no-such-extra"),
        ("", "nowhere", "no-such-group"),
        ("", "absent", "no-such-group"),
        ("", "circle", "bad-dependency-group"),
        ("", "itself", "bad-dependency-group"),
        ("", "odd", "bad-dependency-group"),
        ("", "text", "bad-dependency-group"),
        ("", "broken", "bad-dependency-group"),
    ],
)
def test_what_is_not_there_or_goes_in_a_circle_is_refused(
    tmp_path: Path, extra: str, group: str, code: str
) -> None:
    with pytest.raises(UsageError) as caught:
        wanted(tmp_path, extras=tuple(filter(None, [extra])), groups=tuple(filter(None, [group])))
    assert caught.value.code == code


def test_a_circle_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a circle: circle includes other includes circle"):
        wanted(tmp_path, groups=("circle",))


def test_a_file_of_groups_alone_needs_no_project(tmp_path: Path) -> None:
    text = '[dependency-groups]\ndev = ["ruff"]\n'
    (tmp_path / "pyproject.toml").write_text(text)
    assert dependencies_of(tmp_path, Choice(groups=("dev",))) == ("ruff",)
    with pytest.raises(UsageError, match="dependencies"):
        dependencies_of(tmp_path, Choice())
    (tmp_path / "pyproject.toml").write_text(
        f'[project]\nname = "x"\ndynamic = ["version", "dependencies"]\n{text}'
    )
    with pytest.raises(UsageError, match="dependencies"):
        dependencies_of(tmp_path, Choice(groups=("dev",)))


def test_many_groups_in_a_row_are_refused_and_many_roads_to_one_are_walked_once(tmp_path: Path) -> None:
    def groups(count: int, each: int) -> str:
        includes = (", ".join([f"{{include-group = 'g{n + 1}'}}"] * each) for n in range(count))
        lines = [f"g{n} = [{line}]" for n, line in enumerate(includes)]
        return "\n".join(["[dependency-groups]", *lines, f'g{count} = ["ruff"]'])

    (tmp_path / "pyproject.toml").write_text(groups(60, 2))
    assert dependencies_of(tmp_path, Choice(groups=("g0",))) == ("ruff",)
    (tmp_path / "pyproject.toml").write_text(groups(2000, 1))
    with pytest.raises(UsageError, match="in a row"):
        dependencies_of(tmp_path, Choice(groups=("g0",)))


@pytest.mark.parametrize(("count", "each"), [(60, 2), (200, 1)])
def test_extras_that_multiply_or_go_on_and_on_are_refused(tmp_path: Path, count: int, each: int) -> None:
    lines = [f"e{n} = {[f'mine[e{n + 1}]'] * each}" for n in range(count)]
    (tmp_path / "pyproject.toml").write_text(
        "\n".join(['[project]\nname = "mine"\n[project.optional-dependencies]', *lines, f"e{count} = ['x']"])
    )
    with pytest.raises(UsageError) as caught:
        dependencies_of(tmp_path, Choice(extras=("e0",)))
    assert caught.value.code == "bad-dependency-group"


@pytest.fixture
def stage(sandbox: Sandbox, home: Path) -> Stage:
    return Stage(sandbox=sandbox, home=home, words={})


def test_what_is_chosen_is_resolved_and_pinned(stage: Stage) -> None:
    box = stage.sandbox
    index(box, *(box.wheel(f"chosen-{name}", "1.0") for name in ("base", "extra", "group", "elsewhere")))
    (stage.home / "pyproject.toml").write_text(
        '[project]\nname = "chosen"\nversion = "1"\ndependencies = ["chosen-base"]\n'
        '[project.optional-dependencies]\nmore = ["chosen-extra", "chosen-elsewhere; os_name == \'x\'"]\n'
        '[dependency-groups]\ndev = ["chosen-group", "chosen[more]"]\n'
    )
    code, said = sync(stage, "--group", "dev", "--python", sys.executable)
    assert (code, [*pinned(stage)]) == (0, ["chosen-base", "chosen-extra", "chosen-group"]), said
    assert not [request for request in box.requests if request.path.startswith("/simple/chosen/")]


@pytest.mark.parametrize(
    "words",
    [
        ("--extra", "x", "-r", "r.txt"),
        ("--group", "x", "-r", "r.txt"),
        ("--group", "x", "--lock", "pylock.toml"),
        ("--python", sys.executable, "--lock", "pylock.toml"),
        ("--python", sys.executable, "-r", "r.txt"),
        ("--extra", "x"),
    ],
)
def test_a_choice_that_changes_nothing_is_an_error(stage: Stage, words: tuple[str, ...]) -> None:
    (stage.home / "r.txt").write_text(f"x==1 --hash=sha256:{'0' * 64}\n")
    code, said = sync(stage, *words)
    assert (code, "[usage]" in said) == (2, True), said


def test_a_python_that_is_not_there_is_an_error(stage: Stage) -> None:
    (stage.home / "r.txt").write_text("x\n")
    code, said = sync(stage, "-r", "r.txt", "--python", "nowhere")
    assert (code, "[no-such-python]" in said) == (2, True), said
