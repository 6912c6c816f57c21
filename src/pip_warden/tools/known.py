"""Which tool a command is, and what is known of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from pip_warden.tools.around import Around, Pinned
from pip_warden.tools.hatch import HATCH, hatch_tool
from pip_warden.tools.model import Tool
from pip_warden.tools.pdm import PDM, pdm_tool
from pip_warden.tools.pip import PIP, pip_tool
from pip_warden.tools.pipx import PIPX, pipx_tool
from pip_warden.tools.poetry import POETRY, poetry_tool
from pip_warden.tools.sessions import NOX, TOX, nox_tool, tox_tool
from pip_warden.tools.uv import UV, uv_tool
from pip_warden.tools.words import Grammar, Means, parse

_FAMILIES: Mapping[str, tuple[Grammar, Callable[[Around], Tool]]] = {
    "pip": (PIP, pip_tool),
    "uv": (UV, uv_tool),
    "poetry": (POETRY, poetry_tool),
    "pdm": (PDM, pdm_tool),
    "pipx": (PIPX, pipx_tool),
    "hatch": (HATCH, hatch_tool),
    "tox": (TOX, tox_tool),
    "nox": (NOX, nox_tool),
}
_GRAMMARS = {name: grammar for name, (grammar, _) in _FAMILIES.items()}


def recognise(
    words: Sequence[str],
    *,
    environ: Mapping[str, str],
    directory: Path,
    index_urls: Collection[str],
    private: Path,
) -> Tool | None:
    """Say what is known of a command, without starting it; files of the project are read.

    Args:
        words: The command line.
        environ: The user's environment.
        directory: Where it runs.
        index_urls: URLs of the trust file's sources.
        private: A private directory of the run, in which the tool's caches and configuration are to lie.

    Returns:
        None for a command that is no known tool.
    """
    call = parse(words, _GRAMMARS)
    if call is None:
        return None
    around = Around(
        call=call,
        environ=environ,
        directory=directory.absolute(),
        private=private.absolute(),
        pinned=Pinned.of(index_urls),
    )
    if given := call.last(Means.DIRECTORY):
        around = around.replaced(directory=around.within(given))
    return _FAMILIES[call.family][1](around)
