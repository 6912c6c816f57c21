"""What every JSON document begins with, whichever command prints it, and however that ends."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from pip_warden.errors import TrustFileError, WardenError
from pip_warden.strict_json import JSONValue, dumps

SCHEMA_VERSION = 1
"""Keys may be added to a document; none is removed or changes its meaning without another number."""


def document(
    command: str,
    told: Mapping[str, JSONValue] | None = None,
    *,
    exit_code: int = 0,
    error: WardenError | None = None,
) -> str:
    """Render what a command has to tell; foreign text is escaped by JSON itself (ASCII only).

    ``report/shapes.py`` describes each command's document, and ``docs/report.schema.json`` is made of that.

    Args:
        command: The command without the program's name: ``trust list``.
        told: What it tells, by key.
        exit_code: Of the run.
        error: What ended the run; None where nothing did.
    """
    begin: dict[str, JSONValue] = {
        "schema_version": SCHEMA_VERSION,
        "tool": {"name": "pip-warden", "version": _own_version()},
        "command": command,
        "exit_code": exit_code,
    }
    end: dict[str, JSONValue] = {"error": None if error is None else error_value(error)}
    return dumps({**begin, **(told or {}), **end}, indent=2)


def error_value(error: WardenError) -> JSONValue:
    """Return an error, with every fault of a trust file."""
    faults = error.faults if isinstance(error, TrustFileError) else ()
    return {
        "code": error.code,
        "message": error.message,
        "hint": error.hint or None,
        "faults": [{"path": path, "message": message} for path, message in faults],
    }


@cache
def _own_version() -> str | None:
    try:
        return version("pip-warden")
    except PackageNotFoundError:  # its files are used without having been installed
        return None
