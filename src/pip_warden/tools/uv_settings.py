"""What uv's own settings add: ``uv.toml``, ``[tool.uv]`` and the metadata in a script (PEP 723)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pip_warden.tools.around import COMMAND_LINE, shown
from pip_warden.tools.documents import Document, below, read_toml, tables, texts
from pip_warden.tools.model import Elsewhere
from pip_warden.tools.references import Bounds, Found
from pip_warden.tools.settings import of_metadata, path_like, requirements_in
from pip_warden.tools.uv_projects import UvProject

_INDEXES = ("index-url", "extra-index-url", "find-links")
_PAST_THE_GATE = (
    "http-proxy",
    "https-proxy",
    "no-proxy",
    "python-install-mirror",
    "pypy-install-mirror",
    "graalpy-install-mirror",
    "pyodide-install-mirror",
    "python-downloads-json-url",
    "torch-backend",
)
_SAID = ("keyring-provider", "native-tls", "system-certs", "allow-insecure-host")
_REQUIREMENTS = (
    "dev-dependencies",
    "constraint-dependencies",
    "build-constraint-dependencies",
    "override-dependencies",
    "extra-build-dependencies",
    "dependency-metadata",
)


def of_settings(project: UvProject, bounds: Bounds) -> Iterator[Found]:
    """Yield what ``uv.toml`` adds, and the ``[tool.uv]`` above a project that has none.

    Those of the project itself are read with it.
    """
    for document, table in settings_tables(project):
        if isinstance(document, Elsewhere):
            yield document
        else:
            yield from _of_table(table, document, bounds)


def settings_tables(project: UvProject) -> Iterator[tuple[Document | Elsewhere, Mapping[str, Any]]]:
    """Yield uv's settings, and the file of each.

    uv reads the nearest: in each directory ``uv.toml`` first.
    """
    for start in dict.fromkeys((project.start, project.root)):
        for directory in (start, *start.parents):
            settings = read_toml(directory / "uv.toml")
            if settings is not None:
                yield settings, settings.table if isinstance(settings, Document) else {}
            project_file = read_toml(directory / "pyproject.toml")
            table = below(project_file.table, "tool", "uv") if isinstance(project_file, Document) else None
            if isinstance(project_file, Document) and isinstance(table, Mapping):
                yield project_file, table
                break
            if settings is not None:
                break


def uv_tables(document: Document, bounds: Bounds) -> Iterator[Found]:
    """Yield what ``[tool.uv]`` of a ``pyproject.toml`` adds."""
    uv = below(document.table, "tool", "uv")
    if isinstance(uv, Mapping):
        yield from _of_table(uv, document, bounds)


def of_script(word: str, base: Path, bounds: Bounds) -> Iterator[Found]:
    """Yield what the metadata in a script adds; nothing, where the word names no file."""
    if re.match(r"https?://", word, re.IGNORECASE):
        yield Elsewhere(what=f"script {shown(word)}", where=COMMAND_LINE, adds_source=True)
        return
    if "\0" not in word:
        yield from of_metadata(base / word, bounds, uv_tables)


def _of_table(uv: Mapping[str, Any], document: Document, bounds: Bounds) -> Iterator[Found]:
    for table in (uv, *tables(uv.get("pip"))):
        for key in _INDEXES:
            for url in texts(table.get(key)):
                yield from bounds.index(url, key, document.where(url, key))
        yield from _of_keys(table, document)
    for index in tables(uv.get("index")):
        for place in texts(index.get("url")):
            yield from bounds.index(place, "index", document.where(place, "index"))
    for name, source in table_items(uv.get("sources")):
        for table in tables(source):
            yield from path_like(table, f"source of {shown(name)}", document, bounds)
    for key in _REQUIREMENTS:
        yield from requirements_in(uv.get(key), document, bounds)


def _of_keys(table: Mapping[str, Any], document: Document) -> Iterator[Elsewhere]:
    for keys, adds_source in ((_PAST_THE_GATE, True), (_SAID, False)):
        for key in keys:
            value = table.get(key)
            if value not in (None, False, "", [], "disabled"):
                told = ", ".join(map(shown, texts(value)))
                yield Elsewhere(
                    what=f"{key} {told}".strip(), where=document.where(key), adds_source=adds_source
                )


def table_items(value: object) -> Iterator[tuple[str, object]]:
    """Yield the keys and values of a table; nothing, where it is none."""
    if isinstance(value, Mapping):
        yield from ((str(key), item) for key, item in value.items())
