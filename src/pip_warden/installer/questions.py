"""Requests of our pip while it runs (``guarded_pip.py``), read strictly and passed to the gate.

``link``: may this link, which is not the index's, be opened? ``take``: where is this file of the index, to be
moved away? ``plan``: may this be installed? ``unfit``: no request, but a report that this pip cannot be
guarded.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pip_warden.display import escape_text
from pip_warden.errors import InstallerError, UsageError
from pip_warden.installer.model import Backend, LinkRequest, PlannedInstall
from pip_warden.names import parse_project_name
from pip_warden.strict_json import JSONValue, MalformedError, loads_object

LARGEST_QUESTION = 8 << 20
"""Bytes: a plan of some ten thousand distributions."""


def answer(question: str, body: bytes, backend: Backend) -> dict[str, str]:
    """Pass a request to the gate and return its answer.

    Raises:
        RefusedError: The gate refuses.
        UndecidedError: The gate cannot decide.
        InstallerError: ``unknown-pip``: this pip is not the one that we know.
    """
    try:
        document = loads_object(body, max_bytes=LARGEST_QUESTION)
        match question:
            case "link":
                asked = LinkRequest(**_texts(document, "name", "url", "wanted_by"))
                return {"record": backend.link(asked)}
            case "take":
                return {"path": _handed_over(backend, **_texts(document, "project", "filename"))}
            case "plan":
                backend.plan(tuple(_planned(item) for item in _list(document, "items")))
                return {}
            case "unfit":
                found = _texts(document, "found")["found"]
            case _:
                found = f"the question {escape_text(question)}"
    except MalformedError as err:
        found = f"a malformed question: {err}"
    raise InstallerError(
        "unknown-pip",
        f"expected a pip that can be guarded, found {escape_text(found, 500)}",
        hint="Install pip-warden again, with the pip that it asks for.",
    )


def _handed_over(backend: Backend, project: str, filename: str) -> str:
    """Hand a file over as for a request of its bytes; each character of the path is one of its bytes."""
    try:
        name = parse_project_name(project)
    except UsageError as err:
        raise MalformedError("a project that can have no name") from err
    path = backend.file(name, filename).path
    backend.sent(filename)
    backend.carried(path.stat().st_size)
    return os.fsencode(path).decode("latin-1")


def _planned(item: JSONValue) -> PlannedInstall:
    if not isinstance(item, dict):
        raise MalformedError("an item that is no object")
    texts = _texts(item, "name", "version", "source", "wheel")
    return PlannedInstall(
        name=texts["name"], version=texts["version"], source=texts["source"], wheel=Path(texts["wheel"])
    )


def _list(document: Mapping[str, JSONValue], key: str) -> list[JSONValue]:
    value = document.get(key)
    if not isinstance(value, list):
        raise MalformedError(f"no list of {key}")
    return value


def _texts(document: Mapping[str, JSONValue], *keys: str) -> dict[str, str]:
    """Return the values of an object that has these keys and no others, all of them texts."""
    texts = {key: value for key, value in document.items() if isinstance(value, str)}
    if texts.keys() != set(keys) or len(document) != len(keys):
        raise MalformedError(f"an object without {', '.join(keys)}, or with more")
    return texts
