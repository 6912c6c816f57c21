"""Where each tool installs."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from pip_warden.tools.interpreter import interpreter_of
from pip_warden.tools.known import recognise
from pip_warden.tools.model import Tool


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "project" / "below").mkdir(parents=True)
    (tmp_path / "project" / "pyproject.toml").write_text("")
    for name in ("one", "two", "project/.venv"):
        (tmp_path / name / "bin").mkdir(parents=True)
        (tmp_path / name / "pyvenv.cfg").touch()
        for program in ("python", "python3", "pip", "poetry", "pdm"):
            path = tmp_path / name / "bin" / program
            path.write_text(f"#!{tmp_path}/{name}/bin/python\n")
            path.chmod(0o755)
    return tmp_path


def known(root: Path, line: str, environ: Mapping[str, str], *, pinned: tuple[str, ...] = ()) -> Tool:
    tool = recognise(
        line.replace("ROOT", str(root)).split(),
        environ={"HOME": str(root / "home"), "PATH": f"{root}/one/bin"}
        | {name: value.replace("ROOT", str(root)) for name, value in environ.items()},
        directory=root / "project" / "below",
        index_urls=pinned,
        private=root / "private",
    )
    assert tool is not None
    return tool


def places(root: Path, line: str, **environ: str) -> list[str]:
    tool = known(root, line, environ)
    return [os.path.normpath(path).removeprefix(f"{root}/") for path in tool.environments]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("pip install x", ["one"]),
        ("ROOT/two/bin/pip install x", ["two"]),
        ("../../two/bin/pip install x", ["two"]),
        ("python -m pip install x", ["one"]),
        ("pip --python ROOT/two install x", ["two"]),
        ("pip --python ../../two/bin/python install x", ["two"]),
        ("pip --python nowhere install x", []),
        ("pip install --user x", ["home/.local"]),
        ("pip install -t t x --prefix=ROOT/p", ["project/below/t", "p"]),
        ("uv sync", ["project/.venv"]),
        ("uv run x", ["project/.venv"]),
        ("uv --project ROOT/two sync", ["two/.venv"]),
        ("uv pip install x", ["project/.venv"]),
        ("uv pip install -p ROOT/two x", ["two"]),
        ("uv pip install --system x", ["one"]),
        ("uv pip install --target t x", ["project/below/t"]),
        ("uv cache clean", []),
        ("poetry self add x", ["one"]),
        ("pdm self add x", ["one"]),
        ("tox --workdir w", ["project/below/w"]),
        ("pipx install x --global", ["/opt/pipx/venvs", "/opt/pipx/.cache", "/opt/pipx/shared"]),
    ],
)
def test_where_a_tool_installs(root: Path, line: str, found: list[str]) -> None:
    assert places(root, line) == found


@pytest.mark.parametrize("line", ["pip --python poetry install x", "uv pip install --python poetry x"])
def test_a_directory_here_comes_before_a_program_of_its_name(root: Path, line: str) -> None:
    shutil.copytree(root / "two", root / "project" / "below" / "poetry")
    assert places(root, line) == ["project/below/poetry"]


@pytest.mark.parametrize(
    ("line", "variable", "value", "found"),
    [
        ("uv sync", "UV_PROJECT_ENVIRONMENT", "env", "project/env"),
        ("uv sync", "UV_PROJECT_ENVIRONMENT", "/env", "/env"),
        ("uv sync --active", "VIRTUAL_ENV", "ROOT/two", "two"),
        ("uv pip install x", "VIRTUAL_ENV", "ROOT/two", "two"),
        ("uv pip install x", "UV_SYSTEM_PYTHON", "1", "one"),
        ("uv tool install x", "UV_TOOL_DIR", "ROOT/tools", "tools"),
        ("poetry install", "VIRTUAL_ENV", "ROOT/two", "two"),
        ("poetry install", "POETRY_VIRTUALENVS_PATH", "ROOT/v", "v"),
        ("poetry install", "POETRY_VIRTUALENVS_CREATE", "false", "one"),
        ("pdm sync", "VIRTUAL_ENV", "ROOT/two", "two"),
        ("pdm sync -g", "X", "", "one"),
    ],
)
def test_where_variables_lead_it(root: Path, line: str, variable: str, value: str, found: str) -> None:
    assert found in places(root, line, **{variable: value})


def test_a_python_without_an_environment_is_asked(root: Path) -> None:
    assert places(root, f"{sys.executable} -m pip install x") == [sys.prefix]


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("#!/a/bin/python3\n", "/a/bin/python3"),
        ("#! /a/bin/python3 -I\nimport x", "/a/bin/python3"),
        ("#!/bin/sh\n'''exec' \"/a b/bin/python\" \"$0\" \"$@\"\n' '''\n", "/a b/bin/python"),
        ("#!/bin/sh\n'''exec' /a/bin/python3 \"$0\" \"$@\"\n' '''\n", "/a/bin/python3"),
        ("#!/bin/sh\necho\n", None),
        ("", None),
    ],
)
def test_the_interpreter_of_a_script(tmp_path: Path, script: str, found: str | None) -> None:
    path = tmp_path / "pip"
    path.write_text(script)
    assert interpreter_of(path) == (Path(found) if found else None)


def test_a_program_without_a_text_lies_beside_its_python(tmp_path: Path) -> None:
    (tmp_path / "pip").write_bytes(b"\x7fELF")
    (tmp_path / "python").touch()
    assert interpreter_of(tmp_path / "pip") == tmp_path / "python"
    assert interpreter_of(tmp_path / "none") is None


@pytest.mark.parametrize(
    ("setting", "found"),
    [
        ("target = 't'", ["project/below/t"]),
        ("prefix = 't'", ["project/below/t"]),
        ("python = 'ROOT/two'", ["two"]),
        ("system = true", ["one"]),
        ("system = false", ["project/.venv"]),
    ],
)
def test_settings_say_where_uv_pip_installs(root: Path, setting: str, found: list[str]) -> None:
    text = f"[tool.uv.pip]\n{setting}\n".replace("ROOT", str(root))
    (root / "project" / "pyproject.toml").write_text(text)
    assert places(root, "uv pip install x") == found


def test_a_member_of_a_workspace_may_be_anywhere(root: Path) -> None:
    (root / "two" / "pyproject.toml").touch()
    (root / "project" / "pyproject.toml").write_text(f"[tool.uv.workspace]\nmembers = ['{root}/tw*']")
    tool = known(root, "uv lock", {})
    assert [item.what for item in tool.elsewhere] == [f"workspace member {root}/two"]


@pytest.mark.parametrize(
    ("environ", "path"),
    [({}, "cache/pypoetry/vv"), ({"POETRY_VIRTUALENVS_PATH": "/mine"}, "/mine")],
    ids=["of the project", "of the user"],
)
def test_environments_of_poetry_are_never_in_the_caches_of_the_run(
    root: Path, environ: dict[str, str], path: str
) -> None:
    (root / "project" / "poetry.toml").write_text("virtualenvs.path = '{cache-dir}/vv'")
    tool = known(root, "poetry install", environ | {"XDG_CACHE_HOME": f"{root}/cache"})
    assert tool.environment["POETRY_VIRTUALENVS_PATH"] == str(root / path)
    assert root / path in tool.environments


@pytest.mark.parametrize(
    ("project", "settings", "pinned", "value"),
    [
        ("", None, (), None),
        ("[[tool.pdm.source]]\nname = 'a'", None, (), "true"),
        ("[[tool.pdm.source]]\nname = 'a'", None, ("https://pypi.org/simple/",), None),
        ("[[tool.pdm.source]]\nname = 'a'", "venv.in_project = true", (), "true"),
        ("[[tool.pdm.source]]\nname = 'a'", "pypi.url = 'https://own.example'", (), None),
    ],
)
def test_pdm_asks_pypi_where_that_may_be_meant(
    root: Path, project: str, settings: str | None, pinned: tuple[str, ...], value: str | None
) -> None:
    (root / "project" / "pyproject.toml").write_text(project)
    if settings is not None:
        (root / "project" / "pdm.toml").write_text(settings)
    assert known(root, "pdm lock", {}, pinned=pinned).environment.get("PDM_IGNORE_STORED_INDEX") == value
