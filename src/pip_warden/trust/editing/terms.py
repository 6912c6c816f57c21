"""Gives what is pinned by hash another last day or reason: somebody has looked at it again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

from packaging.version import Version

from pip_warden.names import ProjectName
from pip_warden.trust.editing.changed import absent_pin, checked_as
from pip_warden.trust.editing.exemptions import add_hash_entry, remove_release
from pip_warden.trust.editing.hash_tables import HashTables
from pip_warden.trust.editing.package_tables import PackageTables
from pip_warden.trust.editing.render import spelled
from pip_warden.trust.file import parse
from pip_warden.trust.model import HashEntry, TrustFile
from pip_warden.values import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Terms:
    """On which a hash is enough.

    Attributes:
        expires: The last day (UTC); None to leave that as it is.
        reason: Why; ``""`` to leave that as it is.
    """

    expires: date | None = None
    reason: str = ""

    def of(self, entry: HashEntry) -> HashEntry:
        """Return a pin with these terms."""
        return replace(entry, expires=self.expires or entry.expires, reason=self.reason or entry.reason)

    def pairs(self) -> dict[str, str]:
        """Return what is written, by key."""
        found = {"reason": spelled(self.reason)} if self.reason else {}
        return found if self.expires is None else found | {"expires": spelled(self.expires)}


def with_terms(text: str, wanted: Mapping[ProjectName, Collection[Version]], terms: Terms, path: Path) -> str:
    """Pin releases that are pinned by hash on other terms; their files stay.

    A table all of whose releases are meant gets other values and no other line changes. Else the releases
    leave their table for one with the new terms.

    Args:
        text: The trust file's text.
        wanted: The releases of each package.
        terms: The terms.
        path: The trust file's path.

    Raises:
        UsageError: ``not-in-trust-file``; ``trust-file-uneditable``.
        TrustFileError: The text is not a valid trust file, before or after.
    """
    trust = parse(text, path)
    whole: list[int] = []
    single: list[HashEntry] = []
    for project, versions in wanted.items():
        tables = HashTables(text, trust, project)
        for version in versions:
            if tables.release(version) is None:
                raise absent_pin(f"hash entry of {project} {version}", project, trust)
        for number in tables.numbers:
            inside = [entry for (table, _), entry in tables.entries.items() if table == number]
            chosen = [entry for entry in inside if entry.version in versions]
            whole += [number] if chosen == inside else []
            single += [] if chosen == inside else chosen
    text = _with_values(text, trust, whole, terms)
    for entry in single:
        if terms.of(entry) != entry:
            text = remove_release(text, entry.project, entry.version, path)
            text = add_hash_entry(text, terms.of(entry), path)
    return text


def _with_values(text: str, trust: TrustFile, tables: Collection[int], terms: Terms) -> str:
    """Return the text with the terms of some tables, whose releases are all wanted."""
    entries = tuple(
        terms.of(entry) if table in tables and isinstance(entry, HashEntry) else entry
        for table, entry in zip(trust.tables, trust.entries, strict=True)
    )
    if entries == trust.entries:
        return text
    changed = PackageTables(text, max(trust.tables) + 1).with_values(dict.fromkeys(tables, terms.pairs()))
    return checked_as(changed, replace(trust, entries=entries))
