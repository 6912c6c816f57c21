"""PDM: its environments lie in the project, or in one directory of the user's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from pip_warden.tools.around import Around, index_variables, passed_on, shown
from pip_warden.tools.command_line import given_on
from pip_warden.tools.documents import Document, below, read_text, read_toml, tables, texts
from pip_warden.tools.interpreter import active_environment, own_prefix, prefix_of, system_prefix
from pip_warden.tools.model import Elsewhere, Tool
from pip_warden.tools.private import Value, unused_indexes, user_setting, written
from pip_warden.tools.projects import project_root
from pip_warden.tools.references import Bounds, Found
from pip_warden.tools.results import tool_of_findings
from pip_warden.tools.settings import RequirementsFiles, of_lock, of_metadata, of_project, requirements_in
from pip_warden.tools.uv import uv_environment
from pip_warden.tools.virtualenv import VIRTUALENV
from pip_warden.tools.words import Grammar, Means, table

PDM = Grammar(
    valued=table(
        project="--project -p",
        reference="--editable -e",
        file_of_requirements="--override",
        past_the_gate="--config -c --pip-args",
        output="--lockfile -L --output -o",
        python="--python",
        nothing="--config-setting -C --skip -k --group -G --with --without --strategy -S --exclude-newer "
        "--exclude-newer-override --platform --implementation --env --env-file --working-dir --venv --format "
        "-f --append",
    ),
    flags=table(user="--global -g"),
    groups=frozenset({"venv", "python", "py", "cache", "self", "plugin"}),
    runs=frozenset({("run",)}),
    abbreviates=True,
)

_MEANT_ELSEWHERE = re.compile(r"--(?:ov|conf|pr|ed|lockf)|-[cpeL]", re.ASCII)
"""Options that lead to other files, cut short or not, where a project's ``[tool.pdm.options]`` adds them."""

_PYPI = "https://pypi.org/simple"
INDEXES = frozenset({"PDM_PYPI_URL"})
_HARMLESS = (
    "PDM_PROJECT PDM_LOCKFILE PDM_LOCK_FORMAT PDM_FROZEN_LOCKFILE PDM_NO_LOCK PDM_NO_EDITABLE PDM_NO_SELF "
    "PDM_PYTHON PDM_PYTHON_VERSION PDM_IGNORE_SAVED_PYTHON PDM_IGNORE_ACTIVE_VENV PDM_USE_VENV "
    "PDM_VENV_IN_PROJECT PDM_VENV_BACKEND PDM_VENV_PROMPT PDM_VENV_WITH_PIP PDM_INSTALL_PARALLEL "
    "PDM_BUILD_ISOLATION PDM_NO_BINARY PDM_ONLY_BINARY PDM_PREFER_BINARY PDM_RESOLVE_MAX_ROUNDS "
    "PDM_NON_INTERACTIVE PDM_USE_UV PDM_USE_PYTHON_VERSION PDM_SKIP_HOOKS CONDA_PREFIX"
)


def pdm_tool(around: Around) -> Tool:
    """Say what is known of a call of PDM."""
    call = around.call
    root = project_root(around, call.last(Means.PROJECT) or around.environ.get("PDM_PROJECT"))
    locks = _locks(around, root)
    indexes, said = index_variables(around, INDEXES, wanted=True)
    return tool_of_findings(
        name=call.name,
        environment={
            **passed_on(around.environ, _HARMLESS),
            # It may call uv.
            **uv_environment(around),
            **VIRTUALENV,
            **indexes,
            "PDM_CONFIG_FILE": str(_configuration(around, root)),
            "PDM_CACHE_DIR": around.own("pdm-cache"),
            "PDM_LOG_DIR": around.own("pdm-log"),
            "PDM_CHECK_UPDATE": "false",
            **_without_pypi(around, root),
            "PDM_REQUEST_TIMEOUT": "1800",
        },
        environments=_environments(around, root),
        locks=locks,
        found=(*said, *unused_indexes(_users(around), "pypi"), *_found(around, root, locks)),
        local=(root,),
    )


def _configuration(around: Around, root: Path) -> Path:
    """Write a configuration with where the user's environments and Pythons lie: no variable tells it."""
    kept = {key: user_setting(_users(around), "venv", key) for key in ("in_project", "backend", "prompt")}
    venv: dict[str, Value] = {key: value for key, value in kept.items() if value is not None}
    return written(
        around,
        "pdm.toml",
        {
            "venv": venv | {"location": str(_virtualenvs(around, root))},
            "python": {"install_root": str(around.data("pdm", "python"))},
            "global_project": {"path": str(around.config("pdm", "global-project"))},
        },
    )


def _users(around: Around) -> Path:
    return around.given("PDM_CONFIG_FILE", around.config("pdm", "config.toml"))


def _virtualenvs(around: Around, root: Path) -> Path:
    for path in (root / "pdm.toml", _users(around)):
        if isinstance(given := user_setting(path, "venv", "location"), str):
            return around.within(given)
    return around.data("pdm", "venvs")


def _without_pypi(around: Around, root: Path) -> dict[str, str]:
    """Return the variable that has PDM leave PyPI alone, which it asks besides the project's own sources.

    It is set where nobody could have meant PyPI: it is not pinned, and the project has other sources.
    """
    document = read_toml(root / "pyproject.toml")
    sources = below(document.table, "tool", "pdm", "source") if isinstance(document, Document) else None
    local = read_toml(root / "pdm.toml")
    own = below(local.table, "pypi") if isinstance(local, Document) else None
    is_unwanted = bool(sources) and not around.pinned.has(_PYPI) and own is None
    return {"PDM_IGNORE_STORED_INDEX": "true"} if is_unwanted else {}


def _locks(around: Around, root: Path) -> tuple[Path, ...]:
    # PDM takes names of locks from the project's root, those of exports from the working directory.
    named = [around.environ.get("PDM_LOCKFILE"), *around.call.values(Means.OUTPUT)]
    given = [place for name in filter(None, named) for place in (root / name, around.directory / name)]
    return (root / "pdm.lock", root / "pylock.toml", *given)


def _environments(around: Around, root: Path) -> tuple[Path | None, ...]:
    call = around.call
    own = own_prefix(call.executable, around.environ, around.directory, is_python=call.is_module)
    if call.command[:1] in {("self",), ("plugin",)}:
        return (own,)
    saved = read_text(root / ".pdm-python")
    saved_python = prefix_of(root / saved.strip()) if isinstance(saved, str) and saved.strip() else None
    return (
        *(root / name for name in (".venv", "venv", "env")),
        root / "__pypackages__",
        # Plugins that the project asks for.
        root / ".pdm-plugins",
        _virtualenvs(around, root),
        saved_python,
        active_environment(around),
        system_prefix(around) if call.values(Means.USER) else None,
    )


def _found(around: Around, root: Path, locks: tuple[Path, ...]) -> Iterator[Found]:
    bounds = Bounds(root=root, pinned=around.pinned)
    words = around.call.words if around.call.command[-1:] in {("add",), ("outdated",)} else ()
    yield from given_on(around, bounds, RequirementsFiles(bounds=bounds), words)
    if around.call.command == ("run",):
        for word in around.call.words:
            yield from of_metadata(around.within(word), bounds, _tables)
    yield from of_project([root], bounds, _tables)
    local = read_toml(root / "pdm.toml")
    if isinstance(local, Elsewhere):
        yield local
    elif local is not None:
        pypi = below(local.table, "pypi")
        named = pypi.values() if isinstance(pypi, Mapping) else ()
        for item in tables([pypi, *named]):
            for url in texts(item.get("url")):
                yield from bounds.index(url, "pypi", local.where(url, "pypi"))
    for lock in locks:
        yield from of_lock(lock, bounds)


def _tables(document: Document, bounds: Bounds) -> Iterator[Found]:
    """Yield what ``[tool.pdm]`` of a ``pyproject.toml`` adds."""
    pdm = below(document.table, "tool", "pdm")
    for source in tables(below(pdm, "source")):
        for url in texts(source.get("url")):
            yield from bounds.index(url, "source", document.where(url, "source"))
    for text in texts(below(pdm, "options")):
        if _MEANT_ELSEWHERE.match(text):
            yield Elsewhere(
                what=f"option {shown(text)}", where=document.where(text, "options"), adds_source=True
            )
    for keys in (("dev-dependencies",), ("plugins",), ("resolution", "overrides")):
        yield from requirements_in(below(pdm, *keys), document, bounds)
