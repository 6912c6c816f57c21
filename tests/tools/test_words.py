"""Command lines are taken apart as their tools do; whatever the words, nothing breaks."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pip_warden.tools.known import recognise
from pip_warden.tools.pip import PIP
from pip_warden.tools.uv import UV
from pip_warden.tools.words import Means, parse

GRAMMARS = {"pip": PIP, "uv": UV}


def known(*words: str, environ: dict[str, str] | None = None, at: Path = Path("/nowhere")) -> str | None:
    tool = recognise(
        words,
        environ={"HOME": "/home/of/nobody", "PATH": ""} | (environ or {}),
        directory=at,
        index_urls=(),
        private=at / "private" if at != Path("/nowhere") else Path("/tmp/nowhere"),  # noqa: S108
    )
    return None if tool is None else tool.name


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("pip install x", "pip install"),
        ("pip3 -v install x", "pip install"),
        ("/a/.venv/bin/pip3.12 --python p install", "pip install"),
        ("python -m pip install x", "pip install"),
        ("python3.12 -I -X dev -Wdefault -m pip lock .", "pip lock"),
        ("pypy3 -mpip list", "pip list"),
        ("/usr/bin/python3 -Im uv sync", "uv sync"),
        ("uv --directory d --project p -q sync", "uv sync"),
        ("uv pip install x", "uv pip install"),
        ("uv cache clean", "uv cache clean"),
        ("uv", "uv"),
        ("uvx ruff check", "uv tool run"),
        ("poetry -C x -v install", "poetry install"),
        ("poetry self add x", "poetry self add"),
        ("pdm -p x sync", "pdm sync"),
        ("python -m pdm sync", "pdm sync"),
        ("pipx install x", "pipx install"),
        ("python -m pipx run x", "pipx run"),
        ("hatch -e test run x", "hatch run"),
        ("hatch env create", "hatch env create"),
        ("tox -e py", "tox"),
        ("python -m nox -s a", "nox"),
        ("python script.py -m pip", None),
        ("python -c pip -m pip", None),
        ("python -m venv x", None),
        ("python -m", None),
        ("python", None),
        ("make install", None),
        ("pip-compile x", None),
        ("piper", None),
        ("uv-sync", None),
    ],
)
def test_which_tool_a_command_is(tmp_path: Path, line: str, name: str | None) -> None:
    assert known(*line.split(), at=tmp_path) == name


def test_no_words_are_no_tool() -> None:
    assert parse((), GRAMMARS) is None


@pytest.mark.parametrize(
    ("line", "means", "values"),
    [
        ("pip install -fa --find-links=b --find-l c -qf d -f=e", Means.LINKS, ("a", "b", "c", "d", "e")),
        ("pip install -- -f x", Means.LINKS, ()),
        ("pip install --pre x --upgrade y", Means.TARGET, ()),
        ("pip install -f", Means.LINKS, ("",)),
        ("uv add --find-l x", Means.LINKS, ()),
        ("uv run --with a -w b tool --with c", Means.REFERENCE, ("a", "b")),
        ("uv run -m tool --with c", Means.REFERENCE, ()),
        ("uv run --script s.py --with c", Means.REFERENCE, ()),
        ("uv lock --script s.py --index i", Means.SCRIPT, ("s.py",)),
        ("uvx -p 3.12 --from f tool -p x", Means.PYTHON, ("3.12",)),
    ],
)
def test_values_of_options(line: str, means: Means, values: tuple[str, ...]) -> None:
    call = parse(line.split(), GRAMMARS)
    assert call is not None
    assert call.values(means) == values


def test_words_of_the_program_are_its_own() -> None:
    call = parse(["uv", "run", "-q", "python", "-f", "x.py"], GRAMMARS)
    assert call is not None
    assert (call.words, call.rest) == (("python",), ("-f", "x.py"))


WORDS = st.one_of(
    st.sampled_from(
        [
            "install",
            "run",
            "add",
            "sync",
            "tool",
            "pip",
            "-f",
            "-r",
            "-e",
            "--index-url=",
            "--with",
            "--directory",
            ".",
            "/",
            "--",
            "-",
            "--",
            "a@b",
            "@",
            "x.whl",
            "git+",
        ]
    ),
    st.sampled_from(
        ["-C", "..", "\0", "file:", "file://", "~x/", "https://[", "a @ ${X}", "[", "-r\0", "\udc80"]
    ),
    st.text(max_size=8),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    tool=st.sampled_from(["pip", "uv", "uvx", "poetry", "pdm", "pipx", "hatch", "tox", "nox"]),
    words=st.lists(WORDS, max_size=6),
)
def test_any_words_are_read(tmp_path: Path, tool: str, words: list[str]) -> None:
    assert known(tool, *words, at=tmp_path) is not None


@pytest.mark.parametrize("flag", ["--pre", "--upgrade", "--user"])
def test_a_flag_is_no_shorter_form_of_an_option_that_takes_a_value(flag: str) -> None:
    call = parse(["pip", "install", flag, "./x"], GRAMMARS)
    assert call is not None
    assert call.words == ("./x",)
