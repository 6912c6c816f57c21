"""Messages for a trust file's faults: a path like ``package[3].identity[0].issuer``, expected, found."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, time
from typing import TYPE_CHECKING

from pip_warden.display import escape_text

if TYPE_CHECKING:
    from pydantic import ValidationError

FaultLine = tuple[str, str]
"""``(path, what is wrong)``."""

_LARGEST_SHOWN = 2**63
_LONGEST_SHOWN = 80
_LOGIN = re.compile(r"://[^/@]*@")
"""A user name and password in a URL, which may stand where none belongs."""

_HASH_ONLY = frozenset({"expires", "reason", "sha256", "version"})
_IDENTITY_ONLY = frozenset({"evidence", "identity", "require"})


def describe_value(value: object) -> str:
    """Describe an unexpected value in TOML's terms, in at most a line."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value) if abs(value) < _LARGEST_SHOWN else "a huge number"
        case str():
            return f'"{escape_text(_LOGIN.sub("://***@", value), _LONGEST_SHOWN)}"'
        case float():
            return f"the number {value}"
        case list():
            return "a list" if value else "an empty list"
        case dict():
            return "a table"
        case date() | time():
            return "a date or time"
        case _:
            return "something else"


def joined(base: str, *parts: str | int) -> str:
    """Extend a path by keys and positions."""
    path = base
    for part in parts:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            path += ("." if path else "") + _key(part)
    return path


def faults_of(err: ValidationError, base: str) -> Iterator[FaultLine]:
    """Yield a message for each of pydantic's errors.

    Args:
        err: The error of one table's validation.
        base: The table's own path.
    """
    for detail in err.errors(include_url=False):
        location = [part for part in detail["loc"] if part != "[key]"]
        yield (
            joined(base, *location),
            _message(detail["type"], detail.get("ctx", {}), detail["input"], location),
        )


def faults_of_unknown(keys: Iterable[str], base: str) -> Iterator[FaultLine]:
    """Yield a message for each unknown key."""
    for key in keys:
        yield joined(base, key), _unknown(key)


def _message(kind: str, context: Mapping[str, object], value: object, location: Sequence[str | int]) -> str:
    match kind:
        case "value_error":
            return str(context["error"])
        case "missing":
            return "is required, found nothing"
        case "extra_forbidden":
            return _unknown(str(location[-1]) if location else "")
        case "too_short":
            return "expected at least one item, found none"
        case "literal_error":
            return f"expected {context['expected']}, found {describe_value(value)}"
        case "list_type":
            return f"expected a list, found {describe_value(value)}"
        case _:
            return f"expected a table, found {describe_value(value)}"


def _unknown(key: str) -> str:
    if key in _HASH_ONLY:
        return "belongs to a package pinned by hash, not here"
    if key in _IDENTITY_ONLY:
        return "belongs to a package pinned by identity, not here"
    return "is not a key of this table: misspelled, or it needs a newer pip-warden"


def _key(text: str) -> str:
    """Spell a key as TOML does: bare where it can be."""
    bare = bool(text) and text.isascii() and all(char.isalnum() or char in "-_" for char in text)
    return text if bare else f'"{escape_text(text, _LONGEST_SHOWN)}"'
