"""Puts more into an array of a pair's text, in the array's own form.

Only the pair's own lines are given to tomlkit: of a whole text it moves tables that are not in a row. Where
it parses something wrongly, that is not noticed here: the caller checks the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import Array

from pip_warden.errors import UsageError


def extended(statement: str, path: Sequence[str], items: Iterable[object]) -> str:
    """Return the text of a pair with more items at the end of an array; a table becomes an inline one.

    Args:
        statement: The pair.
        path: The keys that lead to the array: the pair's own, and those of inline tables.
        items: Texts, or tables.

    Raises:
        UsageError: ``trust-file-uneditable``.
    """
    try:
        document = tomlkit.parse(statement.replace("\r\n", "\n"))
        found: object = document
        for key in path:
            # tomlkit's containers share no type that can be indexed.
            found = found[key]  # type: ignore[index]
        if not isinstance(found, Array):
            raise uneditable(None)
        for item in items:
            found.append(_inline(item) if isinstance(item, dict) else item)
    except (KeyError, IndexError, TypeError, TOMLKitError) as err:
        raise uneditable(None) from err
    changed = document.as_string()
    return changed.replace("\n", "\r\n") if "\r\n" in statement else changed


def uneditable(path: Path | None) -> UsageError:
    """Return the error for a trust file that is valid but cannot be edited."""
    return UsageError(
        "trust-file-uneditable",
        f"expected {path or 'the trust file'} to be laid out as in docs/trust-file.md, "
        "found tables that cannot be edited safely",
        hint="Nothing was changed. Make the change by hand, "
        "or put the tables in the order of docs/trust-file.md.",
    )


def _inline(table: dict[str, object]) -> object:
    inline = tomlkit.inline_table()
    inline.update(table)
    return inline
