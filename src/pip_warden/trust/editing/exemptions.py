"""Edits what a trust file pins by hash: releases are added, replaced and taken out, file by file.

Releases on the same terms (source, reason, last day) share one table, sorted, so that a change of the file
shows what has changed and nothing else. A table of one release, as it was written before there were such
tables, stays one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from packaging.version import Version

from pip_warden.digests import Digest
from pip_warden.errors import UsageError
from pip_warden.names import ProjectName
from pip_warden.trust.editing.changed import absent_pin, checked_as, conflict, with_block
from pip_warden.trust.editing.package_tables import PackageTables
from pip_warden.trust.editing.render import render_hash_entry
from pip_warden.trust.file import parse
from pip_warden.trust.model import HashEntry, TrustFile

Files = tuple[tuple[str, Digest], ...]


def add_hash_entry(text: str, entry: HashEntry, path: Path) -> str:
    """Pin a release by hash; where it is pinned so, the files that it does not list yet are added.

    It joins a table of the package that has its terms and says no version. Else a table is written: one that
    others can join, unless those of the package say their version.

    Args:
        text: The trust file's text.
        entry: The release.
        path: The trust file's path.

    Raises:
        UsageError: ``pin-conflict``: the release is pinned with another digest for one of the files, another
            source, or another last day than one that is given; ``trust-file-uneditable``.
        TrustFileError: The text is not a valid trust file, before or after.
    """
    trust = parse(text, path)
    tables = _HashTables(text, trust, entry.project)
    old = tables.release(entry.version)
    if old is not None:
        return _with_more_files(text, trust, tables, old, entry)
    expected = replace(trust, entries=(*trust.entries, entry))
    target = tables.joinable(entry)
    if target is not None:
        return checked_as(tables.written({target: (*tables.files(target), *entry.files)}), expected)
    return checked_as(with_block(text, _block(entry, trust, is_grouped=tables.is_next_grouped)), expected)


def replace_releases(text: str, project: ProjectName, releases: Mapping[Version, Files], path: Path) -> str:
    """Pin exactly these releases of a package by hash, on the terms on which it is pinned already.

    A release that stays keeps its table, and a file that stays its line. What is new takes the place of what
    goes: in the table of the newest release, where others can join that, else in that of a release that goes.

    Args:
        text: The trust file's text.
        project: The package; releases of it are pinned by hash.
        releases: The files of each release; neither may be empty.
        path: The trust file's path.

    Raises:
        UsageError: ``not-in-trust-file``: it is not pinned by hash; ``nothing-to-pin``: there is no release,
            or one without a file; ``trust-file-uneditable``.
        TrustFileError: The text is not a valid trust file, before or after.
    """
    trust = parse(text, path)
    tables = _HashTables(text, trust, project)
    if not tables.entries:
        raise absent_pin(f"hash entry of {project}", project, trust)
    if not releases or not all(releases.values()):
        raise UsageError("nothing-to-pin", f"expected files of {project} to pin, found none")
    plan = _Plan(tables, releases)
    if plan.is_idle:
        return text
    changed = tables.written(plan.files, plan.versions)
    for entry in plan.appended:
        changed = with_block(changed, _block(entry, trust, is_grouped=False))
    others = [entry for entry in trust.entries if entry not in {*tables.entries.values()}]
    return checked_as(changed, replace(trust, entries=(*others, *plan.entries)))


def remove_release(text: str, project: ProjectName, version: Version, path: Path) -> str:
    """Take out a release that is pinned by hash; its table goes with its last file.

    Raises:
        UsageError: ``not-in-trust-file``; ``trust-file-uneditable``.
        TrustFileError: The text is not a valid trust file, before or after.
    """
    trust = parse(text, path)
    tables = _HashTables(text, trust, project)
    old = tables.release(version)
    if old is None:
        raise absent_pin(f"hash entry of {project} {version}", project, trust)
    table = tables.table_of(version)
    rest = tuple(file for file in tables.files(table) if file not in set(old.files))
    left = tuple(entry for entry in trust.entries if entry != old)
    return checked_as(tables.written({table: rest}), replace(trust, entries=left))


@dataclass(frozen=True, slots=True)
class _HashTables:
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

    def written(self, files: Mapping[int, Files], versions: Mapping[int, Version] | None = None) -> str:
        """Return the text with other files, and versions, of some tables; one without a file is taken out."""
        text = self.text
        count = max(self.trust.tables) + 1
        for table, new in files.items():
            if new:
                text = PackageTables(text, count).with_files(table, dict(new))
        for table, version in (versions or {}).items():
            text = PackageTables(text, count).with_version(table, version)
        empty = [table for table, new in files.items() if not new]
        return PackageTables(text, count).without(empty) if empty else text


class _Plan:
    """Which table gets which files.

    Attributes:
        files: The files of each table.
        versions: Its version, where it says one and that changes.
        appended: The releases for which there is no table.
        entries: Every release as it will be.
    """

    def __init__(self, tables: _HashTables, releases: Mapping[Version, Files]) -> None:
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
    def is_idle(self) -> bool:
        """Whether everything is as it should be."""
        before = {table: frozenset(self._tables.files(table)) for table in self._tables.numbers}
        after = {table: frozenset(files) for table, files in self.files.items()}
        return before == after and not self.appended

    def _place(self, versions: Iterable[Version], releases: Mapping[Version, Files]) -> None:
        tables = self._tables
        (newest, _), terms = max(tables.entries.items(), key=lambda item: item[0][1])
        grouped = [table for table in tables.numbers if tables.is_grouped(table)]
        target = newest if newest in grouped else next(reversed(grouped), None)
        free = [table for table in tables.numbers if not self.files[table] and table not in grouped]
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


def _with_more_files(
    text: str, trust: TrustFile, tables: _HashTables, old: HashEntry, entry: HashEntry
) -> str:
    _check_agrees(old, entry)
    missing = tuple(file for file in entry.files if old.digest_for(file[0]) is None)
    if not missing:
        return text
    table = tables.table_of(old.version)
    merged = replace(old, files=(*old.files, *missing))
    expected = tuple(merged if known == old else known for known in trust.entries)
    changed = tables.written({table: (*tables.files(table), *missing)})
    return checked_as(changed, replace(trust, entries=expected))


def _block(entry: HashEntry, trust: TrustFile, *, is_grouped: bool) -> str:
    source = next((each for each in trust.sources if each.name == entry.source), None)
    return render_hash_entry(entry, source.hash_reason if source else "", is_grouped=is_grouped)


def _check_agrees(old: HashEntry, entry: HashEntry) -> None:
    release = f"{entry.project} {entry.version}"
    same_place = replace(entry, files=old.files, reason=old.reason, version=old.version, expires=old.expires)
    if same_place != old:
        raise conflict(release, f"source {old.source}", f"source {entry.source}, or another project of it")
    if entry.expires not in {None, old.expires}:
        raise conflict(f"the last day of {release}", str(old.expires or "none"), str(entry.expires))
    for name, digest in entry.files:
        pinned = old.digest_for(name)
        if pinned is not None and pinned != digest:
            raise conflict(f"{name} of {release}", f"SHA-256 {pinned}", f"SHA-256 {digest}")
