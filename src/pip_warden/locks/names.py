"""Names and versions in a lock, with the place where one is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from packaging.version import Version

from pip_warden.errors import UsageError
from pip_warden.locks.text import bad_lock
from pip_warden.names import ProjectName, parse_project_name, parse_version

_Value = TypeVar("_Value")


def project_name(text: str, where: str) -> ProjectName:
    """Return a normalised project name.

    Raises:
        UsageError: ``bad-lock-file``: it is none.
    """
    return _parsed(parse_project_name, text, where)


def version_of(text: str, where: str) -> Version:
    """Return a version.

    Raises:
        UsageError: ``bad-lock-file``: it is none.
    """
    return _parsed(parse_version, text, where)


def _parsed(parse: Callable[[str], _Value], text: str, where: str) -> _Value:
    try:
        return parse(text)
    except UsageError as err:
        raise bad_lock(where, f"{err.message}") from err
