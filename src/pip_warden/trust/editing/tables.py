"""Changes tables of a user's TOML text in place, so that everything around them stays unchanged.

TOML can be written in ways that tomlkit parses wrongly. That is not noticed here: the caller checks the
result.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import tomlkit
from tomlkit import TOMLDocument
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Array, InlineTable, Item, Table, Whitespace

from pip_warden.errors import UsageError


def document_of(text: str) -> TOMLDocument:
    """Parse a text.

    Raises:
        UsageError: ``trust-file-uneditable``.
    """
    try:
        return tomlkit.parse(text)
    except TOMLKitError as err:
        raise uneditable(None) from err


def at(container: object, key: str | int, *further: str | int) -> Item:
    """Return the item at a path of keys in a document that :func:`pip_warden.trust.file.parse` accepted.

    Raises:
        UsageError: ``trust-file-uneditable``: tomlkit does not find it.
    """
    try:
        # tomlkit's containers share no type that can be indexed.
        found = container[key]  # type: ignore[index]
    except (KeyError, IndexError, TypeError, TOMLKitError) as err:
        raise uneditable(None) from err
    if not isinstance(found, Item):
        raise uneditable(None)
    return at(found, *further) if further else found


def extend_array(array: Item, texts: Iterable[str]) -> None:
    """Add texts at the end of an array."""
    if isinstance(array, Array):
        array.extend(texts)


def set_text(table: Item, key: str, text: str) -> None:
    """Set the value of a table's key."""
    if isinstance(table, Table | InlineTable):
        table[key] = text


def append_table(tables: Item, fresh: Item) -> None:
    """Add a table to an array of tables, in the array's own form."""
    if not isinstance(fresh, Table):
        return
    if isinstance(tables, AoT):
        tail = _cut_tail(tables[-1])
        tables[-1].add(tomlkit.nl())
        tables.append(fresh)
        _add_all(tables[-1], tail)
    elif isinstance(tables, Array):
        inline = tomlkit.inline_table()
        inline.update(fresh.unwrap())
        tables.append(inline)


def uneditable(path: Path | None) -> UsageError:
    """Return the error for a trust file that is valid but cannot be edited."""
    return UsageError(
        "trust-file-uneditable",
        f"expected {path or 'the trust file'} to be laid out as in docs/trust-file.md, "
        "found tables that cannot be edited safely",
        hint="Nothing was changed. Make the change by hand, "
        "or put the tables in the order of docs/trust-file.md.",
    )


def _cut_tail(table: Table) -> list[Item]:
    """Remove and return blank lines and comments at a table's end: readers see them as the next one's."""
    body = table.value.body
    start = len(body)
    while start and body[start - 1][0] is None:
        start -= 1
    while start < len(body) and not isinstance(body[start][1], Whitespace):
        start += 1
    tail = [item for _, item in body[start:]]
    del body[start:]
    return tail


def _add_all(table: Table, tail: list[Item]) -> None:
    for item in tail:
        table.value.body.append((None, item))
