"""What each tool is given: nobody's configuration, no cache of the user's, their real data directories."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest

from pip_warden.errors import UndecidedError
from pip_warden.installer.gate_port import HOST, INDEX_URL
from pip_warden.tools.known import recognise
from pip_warden.tools.model import Tool

SECRETS = {
    "UV_INDEX_OWN_PASSWORD": "secret",
    "UV_NATIVE_TLS": "1",
    "UV_SYSTEM_CERTS": "1",
    "UV_CACHE_DIR": "/users/cache",
    "UV_CONFIG_FILE": "/users/uv.toml",
    "UV_INSECURE_HOST": "h",
    "UV_KEYRING_PROVIDER": "subprocess",
    "UV_PYTHON_DOWNLOADS": "automatic",
    "PIP_CONFIG_FILE": "/users/pip.conf",
    "PIP_TRUSTED_HOST": "h",
    "PIP_PROXY": "http://secret@h",
    "PIP_CONSTRAINT": "/users/c.txt",
    "POETRY_HTTP_BASIC_OWN_PASSWORD": "secret",
    "POETRY_PYPI_TOKEN_OWN": "secret",
    "POETRY_CACHE_DIR": "/users/poetry-cache",
    "POETRY_REPOSITORIES_OWN_URL": "https://h",
    "PDM_PYPI_PASSWORD": "secret",
    "PDM_PYPI_VERIFY_SSL": "0",
    "PDM_CACHE_DIR": "/users/pdm-cache",
    "TOX_OVERRIDE": "testenv.install_command=x",
    "TOX_USER_CONFIG_FILE": "/users/tox.ini",
    "PIPX_FETCH_PYTHON": "always",
    "HATCH_CACHE_DIR": "/users/hatch-cache",
    "HATCH_INDEX_AUTH": "secret",
    "VIRTUALENV_EXTRA_SEARCH_DIR": "/users/wheels",
}
COMMANDS = ["pip install x", "uv sync", "uv pip install x", "uv tool install x", "uvx x", "poetry install"]
COMMANDS += ["pdm sync", "pipx install x", "hatch run x", "tox", "nox"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "pyproject.toml").write_text("")
    return tmp_path / "home"


def known(line: str, home: Path, **environ: str) -> Tool:
    tool = recognise(
        line.split(),
        environ={"HOME": str(home), "PATH": ""} | environ,
        directory=home.parent / "project",
        index_urls=["https://own.example/simple/"],
        private=home.parent / "private",
    )
    assert tool is not None
    return tool


@pytest.mark.parametrize("line", COMMANDS)
def test_nothing_of_the_users_that_leads_elsewhere_is_passed_on(home: Path, line: str) -> None:
    given = known(line, home, **SECRETS).environment
    # Where environments lie is the user's; it is passed on in a file.
    assert not [name for name, value in given.items() if "secret" in value or value.startswith("/users")]
    same = {name for name, value in SECRETS.items() if given.get(name) == value}
    assert not same
    assert "UV_NATIVE_TLS" not in given
    assert "UV_SYSTEM_CERTS" not in given


@pytest.mark.parametrize("line", COMMANDS)
def test_caches_and_configuration_are_the_runs_own(home: Path, line: str) -> None:
    given = known(line, home).environment
    private = str(home.parent / "private")
    for name, value in given.items():
        if "CACHE" in name:
            assert value.startswith(private), name
    for name in ("XDG_CONFIG_DIRS", "POETRY_CONFIG_DIR", "PDM_CONFIG_FILE", "HATCH_CONFIG"):
        assert given.get(name, private).startswith(private)
    assert given.get("PIP_CONFIG_FILE", os.devnull) == os.devnull
    assert not (home / ".cache").exists()


def test_the_systems_configuration_of_uv_is_hidden_by_an_empty_file(home: Path) -> None:
    (directory,) = known("uv sync", home).environment["XDG_CONFIG_DIRS"].split(":")
    assert (Path(directory) / "uv" / "uv.toml").read_text() == ""


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("uv sync", "UV_PYTHON_INSTALL_DIR", ".local/share/uv/python"),
        ("uv tool install x", "UV_TOOL_DIR", ".local/share/uv/tools"),
        ("uv tool install x", "UV_TOOL_BIN_DIR", ".local/bin"),
        ("pipx install x", "PIPX_HOME", ".local/share/pipx"),
        ("pipx install x", "PIPX_BIN_DIR", ".local/bin"),
        ("hatch run x", "HATCH_DATA_DIR", ".local/share/hatch"),
        ("poetry install", "POETRY_PYTHON_INSTALLATION_DIR", ".local/share/pypoetry/python"),
        ("pip install x", "PYTHONUSERBASE", ".local"),
    ],
)
def test_data_directories_are_the_users(home: Path, line: str, name: str, value: str) -> None:
    assert known(line, home).environment[name] == str(home / value)
    assert known(line, home, **{name: "/other"}).environment[name] == "/other"


def test_data_directories_follow_xdg(home: Path) -> None:
    given = known("uv sync", home, XDG_DATA_HOME="/data/share").environment
    assert given["UV_TOOL_DIR"] == "/data/share/uv/tools"
    assert given["UV_TOOL_BIN_DIR"] == "/data/bin"
    assert known("uv sync", home, XDG_DATA_HOME="data").environment["UV_TOOL_DIR"].startswith(str(home))


def test_older_homes_of_pipx_count(home: Path) -> None:
    (home / ".local" / "pipx").mkdir(parents=True)
    assert known("pipx install x", home).environment["PIPX_HOME"] == str(home / ".local" / "pipx")


def test_a_pipx_that_pipx_installed_has_its_home_around_it(home: Path) -> None:
    managed = home / "apps" / "venvs" / "pipx"
    (managed / "bin").mkdir(parents=True)
    (managed / "bin" / "pipx").touch()
    (managed / "pipx_metadata.json").touch()
    (home / "programs").mkdir()
    (home / "programs" / "pipx").symlink_to(managed / "bin" / "pipx")
    given = known(f"{home}/programs/pipx install x", home).environment
    assert given["PIPX_HOME"] == str(home / "apps")
    assert given["PIPX_BIN_DIR"] == str(home / "programs")


@pytest.mark.parametrize(
    ("line", "pip", "uv"),
    [
        ("pip install x", True, False),
        ("pip lock x", False, False),
        ("uv pip install x", False, True),
        ("uv pip compile x.in", False, True),
        ("uv pip compile x.in -o pylock.toml", False, False),
        ("uv pip compile x.in --format pylock.toml", False, False),
        ("uvx x", False, True),
        ("uv sync", False, False),
        ("uv add x", False, False),
        ("uv tool install x", False, False),
        ("uv tool upgrade x", False, False),
        ("poetry install", False, False),
        ("pdm sync", False, False),
        ("pipx install x", True, True),
        ("tox", True, False),
        ("nox", True, False),
        ("hatch run x", True, False),
    ],
)
def test_the_reserved_index_is_given_where_nothing_records_it(
    home: Path, line: str, pip: bool, uv: bool
) -> None:
    given = known(line, home).environment
    assert (given.get("PIP_INDEX_URL") == INDEX_URL, given.get("PIP_TRUSTED_HOST") == HOST) == (pip, pip)
    assert (given.get("UV_DEFAULT_INDEX") == INDEX_URL, given.get("UV_INSECURE_HOST") == HOST) == (uv, uv)


def test_a_pinned_index_of_the_users_is_passed_on_without_credentials(home: Path) -> None:
    tool = known(
        "uv lock", home, UV_INDEX="own=https://u:secret@own.example/simple https://own.example/simple"
    )
    assert tool.environment["UV_INDEX"] == "own=https://own.example/simple https://own.example/simple"
    assert not tool.elsewhere


@pytest.mark.parametrize(("line", "name"), [("uv lock", "UV_INDEX"), ("pip install x", "PIP_FIND_LINKS")])
def test_another_index_of_the_users_is_said_and_not_passed_on(home: Path, line: str, name: str) -> None:
    tool = known(line, home, **{name: "https://own.example/simple https://secret@other.example"})
    assert name not in tool.environment
    (said,) = tool.elsewhere
    assert (said.what, said.where, said.adds_source) == (f"{name} is not passed on", "the environment", False)


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("uv sync", "UV_PROJECT_ENVIRONMENT"),
        ("uv sync", "UV_FROZEN"),
        ("poetry install", "POETRY_VIRTUALENVS_IN_PROJECT"),
        ("pdm sync", "PDM_IGNORE_SAVED_PYTHON"),
        ("pipx install x", "PIPX_DEFAULT_BACKEND"),
        ("tox", "TOXENV"),
        ("nox", "NOXSESSION"),
        ("pip install x", "PIP_NO_BINARY"),
    ],
)
def test_harmless_variables_are_passed_on(home: Path, line: str, name: str) -> None:
    assert known(line, home, **{name: "x"}).environment[name] == "x"


def test_settings_of_the_users_that_say_where_environments_lie_are_kept(home: Path) -> None:
    settings = home / ".config" / "pypoetry" / "config.toml"
    settings.parent.mkdir(parents=True)
    settings.write_text(
        'cache-dir = "~/c"\n[virtualenvs]\nin-project = true\npath = "{cache-dir}/v\\"\\u007f"\n'
        '[repositories.own]\nurl = "https://h"\n'
    )
    tool = known("poetry install", home)
    written = tomllib.loads(Path(tool.environment["POETRY_CONFIG_DIR"], "config.toml").read_text())
    place = home / "c" / 'v"\x7f'
    assert written == {"virtualenvs": {"in-project": True, "path": str(place)}}
    assert place in tool.environments


def test_settings_of_pdm_and_hatch_that_say_where_environments_lie_are_kept(home: Path) -> None:
    (home / ".config" / "pdm").mkdir(parents=True)
    (home / ".config" / "pdm" / "config.toml").write_text(
        '[venv]\nlocation = "~/v"\n[pypi]\nurl = "https://h"\n'
    )
    pdm = known("pdm sync", home)
    assert tomllib.loads(Path(pdm.environment["PDM_CONFIG_FILE"]).read_text())["venv"] == {
        "location": str(home / "v")
    }
    assert home / "v" in pdm.environments
    (home / ".config" / "hatch").mkdir(parents=True)
    (home / ".config" / "hatch" / "config.toml").write_text('[dirs.env]\nvirtual = ".hatch"\n')
    hatch = known("hatch run x", home)
    written = tomllib.loads(Path(hatch.environment["HATCH_CONFIG"]).read_text())
    assert written == {"dirs": {"env": {"virtual": ".hatch"}}}
    assert home.parent / "project" / ".hatch" in hatch.environments


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("uv sync", "UV_KEYRING_PROVIDER", "disabled"),
        ("uv sync", "UV_PYTHON_DOWNLOADS", "never"),
        ("uv sync", "UV_HTTP_RETRIES", "0"),
        ("pip install x", "PIP_KEYRING_PROVIDER", "disabled"),
        ("pip install x", "PIP_NO_INPUT", "1"),
        ("poetry install", "POETRY_KEYRING_ENABLED", "false"),
        ("pdm sync", "PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring"),
        ("pdm sync", "PDM_CHECK_UPDATE", "false"),
        ("pipx install x", "PIPX_FETCH_PYTHON", "never"),
        ("nox", "NOX_DOWNLOAD_PYTHON", "never"),
        ("tox", "VIRTUALENV_NO_PERIODIC_UPDATE", "1"),
    ],
)
def test_what_is_turned_off(home: Path, line: str, name: str, value: str) -> None:
    assert known(line, home).environment[name] == value


@pytest.mark.parametrize(
    ("given", "used"), [("", "copy"), ("symlink", "copy"), ("copy", "copy"), ("hardlink", "hardlink")]
)
def test_nothing_is_installed_as_a_link_into_the_runs_cache(home: Path, given: str, used: str) -> None:
    assert known("uv sync", home, UV_LINK_MODE=given).environment["UV_LINK_MODE"] == used


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no such device elsewhere")
def test_a_full_disk_is_no_bug(home: Path) -> None:
    place = home.parent / "private" / "tool" / "poetry"
    place.mkdir(parents=True)
    (place / "config.toml").symlink_to("/dev/full")
    with pytest.raises(UndecidedError) as caught:
        known("poetry install", home)
    assert (caught.value.code, caught.value.exit_code) == ("cannot-store", 3)


@pytest.mark.parametrize(
    ("line", "name", "text", "said"),
    [
        (
            "uv sync",
            "uv/uv.toml",
            "index-url = 'https://u:hunter2@h/x'",
            ["index-url https://…@h/x is not passed on"],
        ),
        (
            "uvx x",
            "uv/uv.toml",
            "[[index]]\nname = 'a'\nurl = 'https://h/x'",
            ["index https://h/x is not passed on"],
        ),
        (
            "uv pip install x",
            "uv/uv.toml",
            "pip.find-links = ['/w']\npip.target = 't'",
            ["pip /w is not passed on"],
        ),
        (
            "pdm sync",
            "pdm/config.toml",
            "[pypi]\nurl = 'https://h/x'\npassword = 'hunter://2'",
            ["pypi https://h/x is not passed on"],
        ),
        ("uv sync", "uv/uv.toml", "offline = true", []),
    ],
)
def test_indexes_of_the_users_own_configuration_are_said(
    home: Path, line: str, name: str, text: str, said: list[str]
) -> None:
    path = home / ".config" / name
    path.parent.mkdir(parents=True)
    path.write_text(text)
    found = known(line, home).elsewhere
    assert [item.what for item in found] == said
    assert not any(item.adds_source for item in found)


def test_how_pdm_makes_environments_is_kept(home: Path) -> None:
    users = home / ".config" / "pdm" / "config.toml"
    users.parent.mkdir(parents=True)
    users.write_text("[venv]\nin_project = false\n")
    written = tomllib.loads(Path(known("pdm sync", home).environment["PDM_CONFIG_FILE"]).read_text())
    assert written["venv"] == {"in_project": False, "location": str(home / ".local/share/pdm/venvs")}
