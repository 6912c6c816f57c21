"""Poetry: its environments lie in one directory of the user's, or in the project."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from pip_warden.tools.around import Around, passed_on
from pip_warden.tools.command_line import given_on
from pip_warden.tools.documents import Document, below, read_toml, tables, texts
from pip_warden.tools.interpreter import active_environment, own_prefix, system_prefix
from pip_warden.tools.model import Elsewhere, Tool
from pip_warden.tools.private import Value, no_system_configuration, user_setting, written
from pip_warden.tools.projects import project_root
from pip_warden.tools.references import Bounds, Found
from pip_warden.tools.results import tool_of_findings
from pip_warden.tools.settings import RequirementsFiles, of_lock, of_project, path_like, requirements_in
from pip_warden.tools.virtualenv import VIRTUALENV
from pip_warden.tools.words import Grammar, Means, table

POETRY = Grammar(
    valued=table(
        directory="--directory -C",
        project="--project -P",
        output="--output -o",
        nothing="--group -G --extras -E --optional --python --platform --markers --source --without --with "
        "--only --format -f --name --description --author --dependency --dev-dependency --license",
    ),
    flags={},
    groups=frozenset({"self", "env", "cache", "source", "debug", "python"}),
    runs=frozenset({("run",)}),
)

_HARMLESS = (
    "POETRY_VIRTUALENVS_IN_PROJECT POETRY_VIRTUALENVS_CREATE POETRY_VIRTUALENVS_PROMPT "
    " POETRY_VIRTUALENVS_USE_POETRY_PYTHON "
    "POETRY_VIRTUALENVS_OPTIONS_ALWAYS_COPY POETRY_VIRTUALENVS_OPTIONS_SYSTEM_SITE_PACKAGES "
    "POETRY_VIRTUALENVS_OPTIONS_NO_PIP POETRY_INSTALLER_PARALLEL POETRY_INSTALLER_MAX_WORKERS "
    "POETRY_INSTALLER_NO_BINARY POETRY_INSTALLER_ONLY_BINARY POETRY_INSTALLER_RE_RESOLVE "
    "POETRY_NO_INTERACTION POETRY_SOLVER_MIN_RELEASE_AGE CONDA_PREFIX CONDA_DEFAULT_ENV"
)
_KEPT = ("create", "in-project", "prompt", "use-poetry-python")


def poetry_tool(around: Around) -> Tool:
    """Say what is known of a call of Poetry."""
    root = project_root(around, around.call.last(Means.PROJECT))
    return tool_of_findings(
        name=around.call.name,
        environment={
            **passed_on(around.environ, _HARMLESS),
            **no_system_configuration(around),
            **VIRTUALENV,
            **_own_virtualenvs(around, root),
            "POETRY_CONFIG_DIR": str(_configuration(around, root).parent),
            "POETRY_CACHE_DIR": around.own("poetry-cache"),
            "POETRY_PYTHON_INSTALLATION_DIR": str(
                around.given("POETRY_PYTHON_INSTALLATION_DIR", around.data("pypoetry", "python"))
            ),
            "POETRY_KEYRING_ENABLED": "false",
            "POETRY_REQUESTS_TIMEOUT": "1800",
            "POETRY_REQUESTS_MAX_RETRIES": "0",
            # Parts of a file cannot be judged: metadata comes from an accepted file, or beside it.
            "POETRY_SOLVER_LAZY_WHEEL": "false",
        },
        environments=_environments(around, root),
        locks=(root / "poetry.lock", *map(around.within, around.call.values(Means.OUTPUT))),
        found=_found(around, root),
        local=(root,),
    )


def _configuration(around: Around, root: Path) -> Path:
    """Write a configuration with where the user's environments lie, and how they are made."""
    users = _users_configuration(around)
    kept = {key: user_setting(users, "virtualenvs", key) for key in _KEPT}
    virtualenvs: dict[str, Value] = {key: value for key, value in kept.items() if value is not None}
    virtualenvs["path"] = str(_virtualenvs(around, root))
    return written(around, "poetry/config.toml", {"virtualenvs": virtualenvs})


def _users_configuration(around: Around) -> Path:
    return around.given("POETRY_CONFIG_DIR", around.config("pypoetry")) / "config.toml"


def _virtualenvs(around: Around, root: Path) -> Path:
    """Return where environments lie: as the user says, as this project does, or as it is for any project."""
    users = _users_configuration(around)
    cache = user_setting(users, "cache-dir")
    cache_dir = around.given(
        "POETRY_CACHE_DIR", around.within(cache) if isinstance(cache, str) else around.cache("pypoetry")
    )
    given = (
        around.environ.get("POETRY_VIRTUALENVS_PATH"),
        user_setting(root / "poetry.toml", "virtualenvs", "path"),
        user_setting(users, "virtualenvs", "path"),
    )
    text = next((value for value in given if isinstance(value, str)), "{cache-dir}/virtualenvs")
    data = str(around.data("pypoetry"))
    return around.within(text.replace("{cache-dir}", str(cache_dir)).replace("{data-dir}", data))


def _own_virtualenvs(around: Around, root: Path) -> dict[str, str]:
    """Return the variable for a project's own setting, whose ``{cache-dir}`` else would be the run's."""
    if user_setting(root / "poetry.toml", "virtualenvs", "path") is None:
        return {}
    return {"POETRY_VIRTUALENVS_PATH": str(_virtualenvs(around, root))}


def _environments(around: Around, root: Path) -> tuple[Path | None, ...]:
    call, environ = around.call, around.environ
    own = own_prefix(call.executable, environ, around.directory, is_python=call.is_module)
    if call.command[:1] == ("self",):
        return (own,)
    local = root / "poetry.toml"
    creates = (
        environ.get("POETRY_VIRTUALENVS_CREATE"),
        user_setting(local, "virtualenvs", "create"),
        user_setting(_users_configuration(around), "virtualenvs", "create"),
    )
    is_creating = str(next((value for value in creates if value is not None), True)).lower()
    return (
        root / ".venv",
        # Plugins that the project asks for.
        root / ".poetry",
        _virtualenvs(around, root),
        active_environment(around),
        system_prefix(around) if is_creating in {"false", "0"} else None,
    )


def _found(around: Around, root: Path) -> Iterator[Found]:
    bounds = Bounds(root=root, pinned=around.pinned)
    words = around.call.words if around.call.command[-1:] == ("add",) else ()
    yield from given_on(around, bounds, RequirementsFiles(bounds=bounds), words)
    yield from of_project([root], bounds, _tables)
    local = read_toml(root / "poetry.toml")
    if isinstance(local, Elsewhere):
        yield local
    elif local is not None:
        for name in below(local.table, "certificates") or ():
            yield Elsewhere(
                what=f"certificates of {name}", where=local.where("certificates"), adds_source=False
            )
    yield from of_lock(root / "poetry.lock", bounds)


def _tables(document: Document, bounds: Bounds) -> Iterator[Found]:
    """Yield what ``[tool.poetry]`` of a ``pyproject.toml`` adds."""
    poetry = below(document.table, "tool", "poetry")
    if not isinstance(poetry, Mapping):
        return
    for source in tables(poetry.get("source")):
        for url in texts(source.get("url")):
            yield from bounds.index(url, "source", document.where(url, "source"))
    groups = poetry.get("group")
    in_groups = (
        (below(group, "dependencies") for group in groups.values()) if isinstance(groups, Mapping) else ()
    )
    named = (poetry.get(key) for key in ("dependencies", "dev-dependencies", "requires-plugins"))
    for dependencies in (*named, *in_groups):
        if isinstance(dependencies, Mapping):
            for name, value in dependencies.items():
                for item in tables(value):
                    yield from path_like(item, name, document, bounds)
    yield from requirements_in(below(poetry, "build-constraints"), document, bounds)
