"""The configuration that a tool has instead of the user's and the system's: files in the run's directory."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from pip_warden.disk import storing
from pip_warden.tools.around import Around, shown
from pip_warden.tools.documents import Document, below, read_toml
from pip_warden.tools.model import Elsewhere

_NAMING = frozenset({"url", "index-url", "extra-index-url", "find-links"})

Value = str | bool | Mapping[str, "Value"]
"""What is written of a configuration."""


def no_system_configuration(around: Around) -> dict[str, str]:
    """Return the variable that turns off the system's configuration of every tool.

    It names a directory (XDG Base Directory Specification) with an empty file for uv, which otherwise would
    look in ``/etc/uv``.
    """
    return {"XDG_CONFIG_DIRS": str(written(around, "system/uv/uv.toml", {}).parent.parent)}


def written(around: Around, name: str, table: Mapping[str, Value]) -> Path:
    """Write a TOML file below the run's private directory, and return its path.

    Raises:
        UndecidedError: ``cannot-store``: the disk is full.
        OSError: It cannot be written.
    """
    path = Path(around.own(name))
    with storing(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        path.write_text(_toml(table), encoding="utf-8", errors="surrogateescape")
    return path


def _toml(table: Mapping[str, Value]) -> str:
    return "".join(f"{_text(key)} = {_value(value)}\n" for key, value in table.items())


def _value(value: Value) -> str:
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{_text(key)} = {_value(item)}" for key, item in value.items()) + " }"
    return str(value).lower() if isinstance(value, bool) else _text(value)


def _text(text: str) -> str:
    """Write a basic string of TOML, which is one of JSON but for DEL."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def unused_indexes(path: Path, *keys: str) -> Iterator[Elsewhere]:
    """Yield what is said of indexes in the user's own configuration: the tool does not see them in a run."""
    document = read_toml(path)
    if isinstance(document, Document):
        for key in keys:
            for url in _urls(document.table.get(key)):
                where = document.where(url, key)
                yield Elsewhere(what=f"{key} {shown(url)} is not passed on", where=where, adds_source=False)


def _urls(value: object) -> Iterator[str]:
    """Yield what a setting names: texts, or what tables have below such keys, and not the logins in them."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if key in _NAMING or not isinstance(item, str):
                yield from _urls(item)
    elif isinstance(value, list):
        for item in value:
            yield from _urls(item)
    elif isinstance(value, str):
        yield value


def user_setting(path: Path, *keys: str) -> str | bool | None:
    """Return a setting of the user's own configuration; None where there is none, or it cannot be read."""
    document = read_toml(path)
    value = below(document.table, *keys) if isinstance(document, Document) else None
    return value if isinstance(value, str | bool) else None
