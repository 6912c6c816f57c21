"""The tables that pin a package by hash: which releases share one, and where a further one belongs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from packaging.version import Version

from pip_warden.digests import Digest
from pip_warden.names import ProjectName
from pip_warden.trust.editing.package_tables import PackageTables
from pip_warden.trust.model import HashEntry, TrustFile
from pip_warden.values import dataclass, field

Files = tuple[tuple[str, Digest], ...]
"""Name and digest of each file of a release."""


@dataclass(frozen=True, slots=True)
class HashTables:
    """The tables that pin a package by hash.

    Attributes:
        entries: The releases, each with the table that it is in.
    """

    text: str
    trust: TrustFile
    project: ProjectName
    entries: dict[tuple[int, Version], HashEntry] = field(init=False)
    _layout: PackageTables | None = field(init=False)

    def __post_init__(self) -> None:
        found = {
            (table, entry.version): entry
            for table, entry in zip(self.trust.tables, self.trust.entries, strict=True)
            if isinstance(entry, HashEntry) and entry.project == self.project
        }
        object.__setattr__(self, "entries", found)
        layout = PackageTables(self.text, max(self.trust.tables) + 1) if found else None
        object.__setattr__(self, "_layout", layout)

    @property
    def numbers(self) -> list[int]:
        """Return which tables they are."""
        return sorted({table for table, _ in self.entries})

    @property
    def is_next_grouped(self) -> bool:
        """Return whether a further table is to be one that others can join."""
        return not self.numbers or any(map(self.is_grouped, self.numbers))

    def is_grouped(self, table: int) -> bool:
        """Return whether other releases can join a table."""
        return self._layout is not None and self._layout.is_grouped(table)

    def release(self, version: Version) -> HashEntry | None:
        """Return the entry of a release."""
        return next((entry for (_, known), entry in self.entries.items() if known == version), None)

    def table_of(self, version: Version) -> int:
        """Return the table that a pinned release is in."""
        return next(table for table, known in self.entries if known == version)

    def files(self, table: int) -> Files:
        """Return every file of a table."""
        return tuple(f for (known, _), entry in self.entries.items() if known == table for f in entry.files)

    def joinable(self, entry: HashEntry) -> int | None:
        """Return the last table that others can join and that has the terms of a release."""
        return next(
            (
                table
                for (table, version), known in reversed(self.entries.items())
                if self.is_grouped(table) and replace(entry, version=version, files=known.files) == known
            ),
            None,
        )


class Plan:
    """Which table gets which files.

    Attributes:
        files: The files of each table.
        versions: Its version, where it says one and that changes.
        appended: The releases for which there is no table.
        entries: Every release as it will be.
    """

    def __init__(self, tables: HashTables, releases: Mapping[Version, Files]) -> None:
        self._tables = tables
        self.files: dict[int, Files] = dict.fromkeys(tables.numbers, ())
        self.versions: dict[int, Version] = {}
        self.appended: list[HashEntry] = []
        self.entries: list[HashEntry] = []
        for (table, version), entry in tables.entries.items():
            if version in releases:
                self._put(table, replace(entry, files=releases[version]))
        known = {version for _, version in tables.entries}
        self._place(sorted(version for version in releases if version not in known), releases)

    @property
    def changed(self) -> dict[int, Files]:
        """Return the files of each table that is to have others."""
        before = {table: frozenset(self._tables.files(table)) for table in self._tables.numbers}
        return {table: files for table, files in self.files.items() if frozenset(files) != before[table]}

    def _place(self, versions: Iterable[Version], releases: Mapping[Version, Files]) -> None:
        tables = self._tables
        (newest, _), terms = max(tables.entries.items(), key=lambda item: item[0][1])
        # A table with a later last day, or with none, would exempt for longer than anybody agreed to.
        like = [each for each in tables.numbers if self._like(each, terms.version, terms.files) == terms]
        grouped = [table for table in like if tables.is_grouped(table)]
        target = newest if newest in grouped else next(reversed(grouped), None)
        free = [table for table in like if not self.files[table] and table not in grouped]
        for version in versions:
            if target is not None:
                self._put(target, self._like(target, version, releases[version]))
            elif free:
                table = free.pop(0)
                self.versions[table] = version
                self._put(table, self._like(table, version, releases[version]))
            else:
                self.appended.append(replace(terms, version=version, files=releases[version]))
        self.entries += self.appended

    def _like(self, table: int, version: Version, files: Files) -> HashEntry:
        """Return a release on the terms of a table."""
        terms = next(entry for (known, _), entry in self._tables.entries.items() if known == table)
        return replace(terms, version=version, files=files)

    def _put(self, table: int, entry: HashEntry) -> None:
        self.files[table] += entry.files
        self.entries.append(entry)


def written(text: str, trust: TrustFile, files: Mapping[int, Files], versions: Mapping[int, Version]) -> str:
    """Return the text with other files, and versions, of some tables; one without a file is taken out.

    Args:
        text: The trust file's text.
        trust: What it means.
        files: The files of each table that is to have others.
        versions: The version of each table that is to say another.

    Raises:
        UsageError: ``trust-file-uneditable``.
    """
    count = max(trust.tables, default=-1) + 1
    filled = {table: dict(new) for table, new in files.items() if new}
    text = PackageTables(text, count).with_changes(filled, versions)
    empty = [table for table, new in files.items() if not new]
    return PackageTables(text, count).without(empty) if empty else text
