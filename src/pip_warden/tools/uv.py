"""uv: its project commands, ``uv pip`` and its tools. Source: uv's reference of settings and environment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pip_warden.installer.gate_port import HOST, INDEX_URL
from pip_warden.tools.around import COMMAND_LINE, Around, index_variables, passed_on, shown
from pip_warden.tools.command_line import given_on
from pip_warden.tools.documents import texts
from pip_warden.tools.interpreter import named_prefix, system_prefix
from pip_warden.tools.model import Elsewhere, Tool
from pip_warden.tools.private import no_system_configuration, unused_indexes
from pip_warden.tools.references import Bounds, Found
from pip_warden.tools.results import tool_of_findings
from pip_warden.tools.settings import RequirementsFiles, of_lock, of_project
from pip_warden.tools.uv_projects import UvProject, find_project
from pip_warden.tools.uv_settings import of_script, of_settings, settings_tables, table_items, uv_tables
from pip_warden.tools.words import Grammar, Means, table

UV = Grammar(
    valued=table(
        index="--index --default-index --index-url -i --extra-index-url",
        links="--find-links -f",
        file_of_requirements="--requirements --requirement -r --constraints --constraint -c --overrides "
        "--override --build-constraints --build-constraint -b --with-requirements --excludes",
        reference="--editable -e --with -w --with-editable --with-executables-from --from",
        past_the_gate="--config-file --cache-dir",
        trust="--cert --client-cert --allow-insecure-host --trusted-host --keyring-provider",
        directory="--directory",
        project="--project",
        python="--python -p",
        target="--target -t --prefix",
        output="--output-file -o",
        format="--format",
        script="--script -s",
        module="--module -m",
        group="--group",
        nothing="--extra --no-extra --no-group --only-group --no-editable-package --env-file --package "
        "--python-platform --index-strategy --upgrade-package -P --upgrade-group --resolution --prerelease "
        "--prerelease-package --fork-strategy --exclude-newer --exclude-newer-package --no-sources-package "
        "--reinstall-package --link-mode --config-setting --config-settings -C --config-settings-package "
        "--no-build-isolation-package --no-build-package --no-binary-package --refresh-package --color "
        "--output-format --no-install-package --marker --optional --bounds --rev --tag --branch "
        "--no-binary --only-binary --python-version --torch-backend --annotation-style --prune "
        "--custom-compile-command --no-emit-package --max-recursion-depth",
    ),
    flags=table(trust="--native-tls --system-certs"),
    groups=frozenset({"pip", "tool", "python", "cache", "self", "auth", "workspace"}),
    runs=frozenset({("run",), ("tool", "run")}),
    aliases={"uvx": "run"},
)

INDEXES = frozenset({"UV_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS"})
_USERS = ("index", "index-url", "extra-index-url", "find-links", "pip")
_HARMLESS = (
    "UV_PROJECT_ENVIRONMENT UV_PYTHON UV_FROZEN UV_LOCKED UV_NO_DEV UV_DEV UV_NO_SYNC UV_NO_EDITABLE "
    "UV_NO_GROUP UV_NO_DEFAULT_GROUPS UV_COMPILE_BYTECODE UV_CONCURRENT_DOWNLOADS "
    "UV_CONCURRENT_BUILDS UV_CONCURRENT_INSTALLS UV_NO_PROGRESS UV_SYSTEM_PYTHON UV_BREAK_SYSTEM_PACKAGES "
    "UV_RESOLUTION UV_PRERELEASE UV_FORK_STRATEGY UV_EXCLUDE_NEWER UV_NO_BUILD UV_NO_BINARY "
    "UV_NO_BUILD_PACKAGE UV_NO_BINARY_PACKAGE UV_REQUIRE_HASHES UV_OFFLINE UV_PREVIEW UV_PREVIEW_FEATURES "
    "UV_INDEX_STRATEGY UV_MANAGED_PYTHON UV_NO_MANAGED_PYTHON UV_VENV_SEED UV_VENV_CLEAR UV_ISOLATED "
    "UV_PROJECT UV_NO_INSTALL_PROJECT UV_NO_INSTALL_LOCAL UV_NO_INSTALL_WORKSPACE CONDA_PREFIX"
)
_WITHOUT_PROJECT = frozenset({(name,) for name in ("pip", "tool", "python", "cache", "self", "auth", "help")})
_INSTALLING = frozenset({"install", "compile", "sync", "add"})


def uv_environment(around: Around) -> dict[str, str]:
    """Return what every uv is given.

    uv reads its settings in the project, and so its configuration is not turned off. The user's would lie in
    the private home, where there is none.
    """
    link_mode = around.environ.get("UV_LINK_MODE", "")
    return {
        **no_system_configuration(around),
        "UV_CACHE_DIR": around.own("uv-cache"),
        # Links into the run's cache would lead nowhere afterwards.
        "UV_LINK_MODE": link_mode if link_mode in {"clone", "hardlink"} else "copy",
        "UV_CREDENTIALS_DIR": around.own("uv-credentials"),
        "UV_KEYRING_PROVIDER": "disabled",
        "UV_HTTP_TIMEOUT": "1800",
        "UV_HTTP_RETRIES": "0",
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_PYTHON_INSTALL_DIR": str(around.given("UV_PYTHON_INSTALL_DIR", around.data("uv", "python"))),
        "UV_PYTHON_BIN_DIR": str(around.given("UV_PYTHON_BIN_DIR", _programs(around))),
        "UV_TOOL_DIR": str(_tool_directory(around)),
        "UV_TOOL_BIN_DIR": str(around.given("UV_TOOL_BIN_DIR", _programs(around))),
    }


RESERVED_FOR_UV = {"UV_DEFAULT_INDEX": INDEX_URL, "UV_INSECURE_HOST": HOST}


def uv_tool(around: Around) -> Tool:
    """Say what is known of a call of uv."""
    call = around.call
    project = find_project(_project_directory(around))
    is_reserved = _takes_reserved(around)
    indexes, said = index_variables(around, INDEXES, wanted=not is_reserved)
    return tool_of_findings(
        name=call.name,
        environment={
            **passed_on(around.environ, _HARMLESS),
            **uv_environment(around),
            **(RESERVED_FOR_UV if is_reserved else indexes),
        },
        environments=_environments(around, project),
        locks=_locks(around, project),
        found=(*said, *unused_indexes(around.config("uv", "uv.toml"), *_USERS), *_found(around, project)),
    )


def _takes_reserved(around: Around) -> bool:
    """Return whether uv is given the reserved index: where it would write it into no lock or receipt."""
    match around.call.command:
        case ("pip", "compile"):
            output = around.call.last(Means.OUTPUT) or ""
            return not (output.endswith(".toml") or around.call.last(Means.FORMAT) == "pylock.toml")
        case ("pip", _) | ("tool", "run"):
            return True
        case _:
            return False


def _is_of_tool(around: Around) -> bool:
    """Return whether uv reads no project: only settings of user and system, of which there are none here."""
    return around.call.command[:1] == ("tool",)


def _found(around: Around, project: UvProject) -> Iterator[Found]:
    call = around.call
    bounds = Bounds(root=project.root, pinned=around.pinned)
    files = RequirementsFiles(bounds=bounds, reader=uv_tables)
    is_installing = bool(_INSTALLING.intersection(call.command[-1:]))
    words = call.words if is_installing or call.command == ("tool", "run") else ()
    if call.command in {("pip", "sync"), ("pip", "compile")}:
        for word in words:
            yield from files.read(word, around.directory, COMMAND_LINE)
        words = ()
    given = list(given_on(around, bounds, files, words))
    yield from given
    if call.command == ("run",) and call.words[:1] == ("-",):
        yield Elsewhere(what="a script on standard input", where=COMMAND_LINE, adds_source=True)
    if call.command == ("run",) or call.last(Means.SCRIPT):
        for word in (*call.words, *call.values(Means.SCRIPT)):
            yield from of_script(word, around.directory, bounds)
    if _is_of_tool(around):
        return
    yield from of_settings(project, bounds)
    for member in project.members:
        yield from bounds.directory(member, "workspace member", shown(str(project.root / "pyproject.toml")))
    named = [item for item in given if isinstance(item, Path)]
    yield from of_project([*project.members, *named], bounds, uv_tables)
    for lock in _locks(around, project):
        yield from of_lock(lock, bounds)


def _project_directory(around: Around) -> Path:
    given = around.call.last(Means.PROJECT) or around.environ.get("UV_PROJECT")
    return around.within(given) if given else around.directory


def _locks(around: Around, project: UvProject) -> tuple[Path, ...]:
    call = around.call
    outputs = [around.within(text) for text in call.values(Means.OUTPUT)]
    scripts = [around.within(f"{text}.lock") for text in filter(None, call.values(Means.SCRIPT))]
    if call.command == ("run",):
        scripts += [around.within(f"{word}.lock") for word in call.words if word.endswith(".py")]
    is_of_project = call.command[:1] not in _WITHOUT_PROJECT
    return (*([project.root / "uv.lock"] if is_of_project else ()), *outputs, *scripts)


def _environments(around: Around, project: UvProject) -> tuple[Path | None, ...]:
    call = around.call
    match call.command[:1]:
        case ("pip",):
            return _of_pip(around, project)
        case ("tool",):
            return (_tool_directory(around),)
        case group if group in _WITHOUT_PROJECT:
            return ()
        case _:
            given = around.environ.get("UV_PROJECT_ENVIRONMENT")
            own = Path(given) if given else Path(".venv")
            active = around.environ.get("VIRTUAL_ENV")
            is_active = active and any(option.name == "--active" for option in call.options)
            return (project.root / own, around.within(active) if active and is_active else None)


def _of_pip(around: Around, project: UvProject) -> tuple[Path | None, ...]:
    """Return where ``uv pip`` installs: the active environment, else the nearest ``.venv`` upwards."""
    call = around.call
    said = {
        key: value for _, table in settings_tables(project) for key, value in table_items(table.get("pip"))
    }
    if targets := call.values(Means.TARGET) or tuple(texts([said.get("target"), said.get("prefix")])):
        return tuple(map(around.within, targets))
    named = call.last(Means.PYTHON) or around.environ.get("UV_PYTHON") or next(texts(said.get("python")), "")
    if named:
        prefix = named_prefix(named, around) or named_prefix(f"python{named}", around)
        # A version is looked for among many, so each of them may be meant.
        return (prefix,) if prefix else _usual(around)
    is_system = (
        any(option.name == "--system" for option in call.options)
        or "UV_SYSTEM_PYTHON" in around.environ
        or said.get("system") is True
    )
    return (system_prefix(around),) if is_system else _usual(around)[:1]


def _usual(around: Around) -> tuple[Path | None, ...]:
    active = [around.environ.get(name) for name in ("VIRTUAL_ENV", "CONDA_PREFIX")]
    near = (directory / ".venv" for directory in (around.directory, *around.directory.parents))
    found = [around.within(text) for text in active if text]
    found += [path for path in near if (path / "pyvenv.cfg").is_file()][:1]
    return (*found, system_prefix(around))


def _programs(around: Around) -> Path:
    """Return where uv puts programs, as it computes it."""
    if found := around.environ.get("XDG_BIN_HOME"):
        return Path(found)
    if found := around.environ.get("XDG_DATA_HOME"):
        return Path(found).parent / "bin"
    return around.home() / ".local" / "bin"


def _tool_directory(around: Around) -> Path:
    return around.given("UV_TOOL_DIR", around.data("uv", "tools"))
