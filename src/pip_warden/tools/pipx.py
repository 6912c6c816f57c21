"""pipx: one environment for each application, in the user's own directory."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path

from pip_warden.tools.around import COMMAND_LINE, Around, passed_on, shown
from pip_warden.tools.command_line import given_on
from pip_warden.tools.interpreter import program_path
from pip_warden.tools.model import Elsewhere, Tool
from pip_warden.tools.pip import PIP, RESERVED_FOR_PIP, pip_environment
from pip_warden.tools.references import Bounds, Found
from pip_warden.tools.results import tool_of_findings
from pip_warden.tools.settings import RequirementsFiles
from pip_warden.tools.uv import RESERVED_FOR_UV, uv_environment
from pip_warden.tools.uv_settings import of_script
from pip_warden.tools.virtualenv import VIRTUALENV
from pip_warden.tools.words import Grammar, Means, parse, table

PIPX = Grammar(
    valued=table(
        index="--index-url -i",
        reference="--spec --with --preinstall --include-resources-from --upgrade",
        file_of_requirements="--lock --requirement -r",
        pip_words="--pip-args",
        python="--python",
        nothing="--suffix --app --cooldown --python-args --backend --skip --output",
    ),
    flags=table(user="--global"),
    groups=frozenset({"interpreter"}),
    runs=frozenset({("run",)}),
    abbreviates=True,
)

_HARMLESS = (
    "PIPX_DEFAULT_PYTHON PIPX_DEFAULT_BACKEND PIPX_COOLDOWN PIPX_USE_EMOJI PIPX_MAX_LOGS PIPX_MAN_DIR "
    "PIPX_COMPLETION_DIR PIPX_GLOBAL_BIN_DIR PIPX_GLOBAL_MAN_DIR PIPX_GLOBAL_COMPLETION_DIR"
)
_TAKE_REFERENCES = frozenset({"install", "install-all", "run", "inject", "upgrade"})


def pipx_tool(around: Around) -> Tool:
    """Say what is known of a call of pipx. It records no index that a variable names."""
    home, everybodys = _home(around), around.given("PIPX_GLOBAL_HOME", Path("/opt/pipx"))
    homes = (everybodys,) if around.call.values(Means.USER) else (home,)
    return tool_of_findings(
        name=around.call.name,
        environment={
            **passed_on(around.environ, _HARMLESS),
            **pip_environment(around),
            **RESERVED_FOR_PIP,
            # It uses uv where there is one.
            **uv_environment(around),
            **RESERVED_FOR_UV,
            **VIRTUALENV,
            "PIPX_HOME": str(home),
            "PIPX_GLOBAL_HOME": str(everybodys),
            "PIPX_BIN_DIR": str(around.given("PIPX_BIN_DIR", _programs(around))),
            "PIPX_MAN_DIR": str(around.given("PIPX_MAN_DIR", around.home() / ".local/share/man")),
            "PIPX_COMPLETION_DIR": str(around.given("PIPX_COMPLETION_DIR", around.home() / ".local/share")),
            "PIPX_SHARED_LIBS": str(around.given("PIPX_SHARED_LIBS", home / "shared")),
            "PIPX_FETCH_PYTHON": "never",
            "PIPX_DISABLE_SHARED_LIBS_AUTO_UPGRADE": "1",
        },
        # What `pipx run` has made before is in a directory of its own.
        environments=[path for one in homes for path in (one / "venvs", one / ".cache", one / "shared")],
        found=_found(around),
    )


def _home(around: Around) -> Path:
    """Return the user's home of pipx, as it computes it."""
    older = around.home() / ".local" / "pipx"
    usual = older if older.exists() else around.data("pipx")
    managed = _managing(around)
    return around.given("PIPX_HOME", managed.parent.parent if managed else usual)


def _managing(around: Around) -> Path | None:
    """Return the environment of a pipx that pipx itself has installed: its home is pipx's home."""
    program = program_path(around.call.executable, around.environ, around.directory)
    try:
        root = program.resolve().parent.parent if program else Path()
        is_managed = root.name == "pipx" and (root / "pipx_metadata.json").is_file()
    except (OSError, RuntimeError):
        return None
    return root if is_managed and root.parent.name == "venvs" else None


def _programs(around: Around) -> Path:
    program = program_path(around.call.executable, around.environ, around.directory)
    managed = _managing(around)
    is_linked = managed is not None and program is not None and not program.is_relative_to(managed)
    return program.parent if is_linked and program is not None else around.home() / ".local" / "bin"


def _found(around: Around) -> Iterator[Found]:
    bounds = Bounds(root=around.directory, pinned=around.pinned)
    files = RequirementsFiles(bounds=bounds)
    words = around.call.words if _TAKE_REFERENCES.intersection(around.call.command) else ()
    scripts = [word for word in words if word.endswith(".py")]
    for script in scripts:
        yield from of_script(script, around.directory, bounds)
    yield from given_on(around, bounds, files, [word for word in words if word not in scripts])
    for value in around.call.values(Means.PIP_WORDS):
        try:
            call = parse(("pip", "install", *shlex.split(value)), {"pip": PIP})
        except ValueError:
            call = None
        if call is None:
            yield Elsewhere(what=f"--pip-args {shown(value)}", where=COMMAND_LINE, adds_source=True)
        else:
            yield from given_on(around.replaced(call=call), bounds, files, call.words)
