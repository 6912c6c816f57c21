"""tox and nox, and what hatch has in common with them: pip or uv installs into environments of theirs.

What a session runs is the project's own: so uv is not given the reserved index, which ``uv sync`` would write
into a lock.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from pip_warden.tools.around import Around, index_variables, passed_on, shown
from pip_warden.tools.command_line import given_on
from pip_warden.tools.documents import read_text
from pip_warden.tools.model import Elsewhere, Tool
from pip_warden.tools.pip import RESERVED_FOR_PIP, pip_environment
from pip_warden.tools.projects import project_root
from pip_warden.tools.references import Bounds, Found
from pip_warden.tools.results import tool_of_findings
from pip_warden.tools.settings import RequirementsFiles, of_metadata, of_project
from pip_warden.tools.uv import INDEXES, uv_environment
from pip_warden.tools.virtualenv import VIRTUALENV
from pip_warden.tools.words import Grammar, Means, table

TOX = Grammar(
    valued=table(
        project="--root",
        configuration="--conf -c",
        target="--workdir",
        reference="--installpkg",
        past_the_gate="--override -x",
        nothing="-e -f -m --result-json --hashseed --discover --skip-env --exit-and-dump-after --parallel -p "
        "--runner --colored --stderr-color --force-dep --label",
    ),
    flags={},
    abbreviates=True,
)
NOX = Grammar(
    valued=table(
        configuration="--noxfile -f",
        target="--envdir",
        nothing="--sessions --session -s -e --keywords -k --tags -t --python --pythons -p "
        "--default-venv-backend -db --force-venv-backend -fb --report --parallel -j --script-venv-backend "
        "--script-mode --extra-pythons --force-pythons -P --usage --download-python",
    ),
    flags={},
    abbreviates=True,
)

_HARMLESS = {
    "hatch": "HATCH_ENV HATCH_ENV_ACTIVE HATCH_PROJECT HATCH_PYTHON HATCH_QUIET HATCH_VERBOSE "
    "HATCH_INTERACTIVE HATCH_KEEP_ENV",
    "tox": "TOXENV TOX_ENV TOX_SKIP_ENV TOX_PARALLEL TOX_PARALLEL_NO_SPINNER TOX_SKIP_MISSING_INTERPRETERS",
    "nox": "NOXSESSION NOXPYTHON NOXEXTRAPYTHON NOXFORCEPYTHON NOX_DEFAULT_VENV_BACKEND NOX_PARALLEL",
}
_FILES = {
    "tox": ("tox.ini", "tox.toml", "setup.cfg", "pyproject.toml"),
    "nox": ("noxfile.py",),
    "hatch": ("hatch.toml", "pyproject.toml"),
}
_ADDED = re.compile(
    r"""(?:--(?:default-|extra-)?index(?:-url)?|--find-links|(?:^\s*|["'])-[if]|_INDEX_URL|UV_(?:DEFAULT_)?INDEX"""
    r"""|_FIND_LINKS)["'\s,:=\]]+(?P<index>[a-z]+://[^"'\s,)]+|\.?/[^"'\s,)]+)"""
    r"""|(?P<reference>(?:git|hg|svn|bzr)\+[^"'\s,)]+|@\s*(?:(?:https?|file)://|\{[a-z]+:)[^"'\s,)]+)""",
    re.IGNORECASE,
)
_PLACE = re.compile(
    r"""^[ \t]*(?:nox\.options\.)?(?:toxworkdir|work_dir|envdir|env_dir|path)[ \t]*=[ \t]*"""
    r"""["']?(?P<place>[^"'\s]+)""",
    re.MULTILINE,
)
_SAID = re.compile(r"^\s*(install_command|indexserver|requirements_files?)\s*=")


def tox_tool(around: Around) -> Tool:
    """Say what is known of a call of tox."""
    root = _root(around)
    work = around.call.values(Means.TARGET)
    extra = {"TOX_USER_CONFIG_FILE": around.own("tox.ini")}
    return session_tool(around, root, extra, (around.within(work[-1]) if work else root / ".tox",))


def nox_tool(around: Around) -> Tool:
    """Say what is known of a call of nox."""
    root = _root(around)
    work = around.call.values(Means.TARGET)
    extra = {"NOX_DOWNLOAD_PYTHON": "never", "NOX_SCRIPT_DOWNLOAD_PYTHON": "never"}
    return session_tool(around, root, extra, (around.within(work[-1]) if work else root / ".nox",))


def _root(around: Around) -> Path:
    if given := around.call.last(Means.CONFIGURATION):
        path = around.within(given)
        return path if path.is_dir() else path.parent
    return project_root(around, around.call.last(Means.PROJECT), *_FILES[around.call.family])


def session_tool(around: Around, root: Path, extra: Mapping[str, str], environments: Iterable[Path]) -> Tool:
    """Put together what is known of such a tool.

    Args:
        around: What it is called with.
        root: The project's directory.
        extra: Variables of this tool alone.
        environments: Where it makes environments unless the project's files say otherwise.
    """
    family = around.call.family
    indexes, said = index_variables(around, INDEXES, wanted=True)
    return tool_of_findings(
        name=around.call.name,
        environment={
            **passed_on(around.environ, _HARMLESS[family]),
            **pip_environment(around),
            **RESERVED_FOR_PIP,
            **uv_environment(around),
            **indexes,
            **VIRTUALENV,
            **extra,
        },
        environments=(*environments, *_placed(around, root)),
        found=(*said, *_found(around, root)),
        local=(root,),
    )


def _files(around: Around, root: Path) -> list[Path]:
    given = around.call.last(Means.CONFIGURATION)
    names = {root / name for name in _FILES[around.call.family]}
    return sorted(names | ({around.within(given)} if given else set()))


def _placed(around: Around, root: Path) -> Iterator[Path]:
    """Yield the directories of environments that a line of the project's files names."""
    for path in _files(around, root):
        text = read_text(path) if not path.is_dir() else None
        for match in _PLACE.finditer(text if isinstance(text, str) else ""):
            place = re.sub(r"\{(?:toxinidir|tox_root|root)\}", lambda _: str(root), match["place"])
            yield root / place.partition("{")[0]


def _found(around: Around, root: Path) -> Iterator[Found]:
    bounds = Bounds(root=root, pinned=around.pinned)
    yield from given_on(around, bounds, RequirementsFiles(bounds=bounds), ())
    yield from of_project([root], bounds)
    for path in _files(around, root):
        yield from of_lines(path, bounds)
    for script in (*around.call.words[:1], *_files(around, root)):
        yield from of_metadata(around.within(str(script)), bounds)


def of_lines(path: Path, bounds: Bounds) -> Iterator[Found]:
    """Yield what a file adds that is a program, or a format of a tool's own: as far as a line shows it."""
    text = read_text(path) if not path.is_dir() else None
    if isinstance(text, Elsewhere):
        yield text
        return
    for number, line in enumerate((text or "").splitlines(), start=1):
        if line.lstrip().startswith(("#", ";")):
            continue
        where = f"{shown(str(path))} (line {number})"
        for match in _ADDED.finditer(line):
            place = (match["reference"] or "").lstrip("@ ").replace("{root:uri}", bounds.root.as_uri())
            if match["index"]:
                yield from bounds.index(match["index"], "index", where)
            elif "{" in place:  # a field, which may lead anywhere
                yield Elsewhere(what=f"requirement {shown(place)}", where=where, adds_source=True)
            else:
                yield from bounds.reference(place, path.parent, "requirement", where)
        if setting := _SAID.match(line):
            yield Elsewhere(what=setting[1], where=where, adds_source=False)
