"""Edits what a trust file pins by hash: releases are added, replaced and taken out, file by file.

Releases on the same terms (source, reason, last day) share one table, sorted, so that a change of the file
shows what has changed and nothing else. A table of one release, as it was written before there were such
tables, stays one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from packaging.version import Version

from pip_warden.errors import UsageError
from pip_warden.names import ProjectName
from pip_warden.trust.editing.changed import absent_pin, checked_as, conflict, with_block
from pip_warden.trust.editing.hash_tables import Files, HashTables, Plan, written
from pip_warden.trust.editing.render import render_hash_entry
from pip_warden.trust.file import parse
from pip_warden.trust.model import HashEntry, TrustFile
from pip_warden.trust.suggest import renew

__all__ = ["Files", "add_hash_entry", "remove_release", "replace_all", "replace_releases"]


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
    tables = HashTables(text, trust, entry.project)
    old = tables.release(entry.version)
    if old is not None:
        return _with_more_files(text, trust, tables, old, entry)
    expected = replace(trust, entries=(*trust.entries, entry))
    target = tables.joinable(entry)
    if target is not None:
        files = (*tables.files(target), *entry.files)
        return checked_as(written(text, trust, {target: files}, {}), expected)
    return checked_as(with_block(text, _block(entry, trust, is_grouped=tables.is_next_grouped)), expected)


def replace_releases(text: str, project: ProjectName, releases: Mapping[Version, Files], path: Path) -> str:
    """Pin exactly these releases of a package by hash, on the terms on which it is pinned already.

    A release that stays keeps its table, and a file that stays its line. What is new has the terms of the
    newest release, and takes the place of what goes: in that one's table, where others can join it, else in
    another with its terms that others can join, or whose release goes.

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
    if not releases:
        raise _nothing(project)
    return replace_all(text, {project: releases}, path)


def replace_all(text: str, wanted: Mapping[ProjectName, Mapping[Version, Files]], path: Path) -> str:
    """Pin exactly these releases of some packages by hash, each as :func:`replace_releases` does.

    The text is read and checked once, however many packages there are.

    Args:
        text: The trust file's text.
        wanted: The files of each release, which are not empty, by package; releases of each are pinned by
            hash. A package without a release loses its tables of hashes.
        path: The trust file's path.

    Raises:
        UsageError: ``not-in-trust-file``: a package is not pinned by hash; ``nothing-to-pin``: a release has
            no file; ``trust-file-uneditable``.
        TrustFileError: The text is not a valid trust file, before or after.
    """
    trust = parse(text, path)
    plans = [_plan(text, trust, project, releases) for project, releases in wanted.items()]
    appended = [entry for plan in plans for entry in plan.appended]
    files = {table: new for plan in plans for table, new in plan.changed.items()}
    versions = {table: new for plan in plans for table, new in plan.versions.items()}
    if not files and not appended:
        return text
    changed = written(text, trust, files, versions)
    for entry in appended:
        changed = with_block(changed, _block(entry, trust, is_grouped=False))
    others = [each for each in trust.entries if not isinstance(each, HashEntry) or each.project not in wanted]
    entries = (entry for plan in plans for entry in plan.entries)
    return checked_as(changed, replace(trust, entries=(*others, *entries)))


def remove_release(text: str, project: ProjectName, version: Version, path: Path) -> str:
    """Take out a release that is pinned by hash; its table goes with its last file.

    Raises:
        UsageError: ``not-in-trust-file``; ``trust-file-uneditable``.
        TrustFileError: The text is not a valid trust file, before or after.
    """
    trust = parse(text, path)
    tables = HashTables(text, trust, project)
    old = tables.release(version)
    if old is None:
        raise absent_pin(f"hash entry of {project} {version}", project, trust)
    table = tables.table_of(version)
    rest = tuple(file for file in tables.files(table) if file not in set(old.files))
    left = tuple(entry for entry in trust.entries if entry != old)
    return checked_as(written(text, trust, {table: rest}, {}), replace(trust, entries=left))


def _plan(text: str, trust: TrustFile, project: ProjectName, releases: Mapping[Version, Files]) -> Plan:
    tables = HashTables(text, trust, project)
    if not tables.entries:
        raise absent_pin(f"hash entry of {project}", project, trust)
    if not all(releases.values()):
        raise _nothing(project)
    return Plan(tables, releases)


def _nothing(project: ProjectName) -> UsageError:
    return UsageError("nothing-to-pin", f"expected files of {project} to pin, found none")


def _with_more_files(
    text: str, trust: TrustFile, tables: HashTables, old: HashEntry, entry: HashEntry
) -> str:
    _check_agrees(old, entry, trust.path)
    missing = tuple(file for file in entry.files if old.digest_for(file[0]) is None)
    if not missing:
        return text
    table = tables.table_of(old.version)
    merged = replace(old, files=(*old.files, *missing))
    expected = tuple(merged if known == old else known for known in trust.entries)
    changed = written(text, trust, {table: (*tables.files(table), *missing)}, {})
    return checked_as(changed, replace(trust, entries=expected))


def _block(entry: HashEntry, trust: TrustFile, *, is_grouped: bool) -> str:
    source = next((each for each in trust.sources if each.name == entry.source), None)
    return render_hash_entry(entry, source.hash_reason if source else "", is_grouped=is_grouped)


def _check_agrees(old: HashEntry, entry: HashEntry, path: Path) -> None:
    release = f"{entry.project} {entry.version}"
    same_place = replace(entry, files=old.files, reason=old.reason, version=old.version, expires=old.expires)
    if same_place != old:
        raise conflict(release, f"source {old.source}", f"source {entry.source}, or another project of it")
    if entry.expires not in {None, old.expires}:
        change = f"`{renew(f'{entry.project}=={entry.version}', path)}`"
        raise conflict(f"the last day of {release}", str(old.expires or "none"), str(entry.expires), change)
    for name, digest in entry.files:
        pinned = old.digest_for(name)
        if pinned is not None and pinned != digest:
            raise conflict(f"{name} of {release}", f"SHA-256 {pinned}", f"SHA-256 {digest}")
