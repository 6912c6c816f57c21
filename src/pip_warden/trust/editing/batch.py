"""Adds many packages to a trust file in one edit, which is validated once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from functools import reduce
from pathlib import Path

from packaging.version import Version

from pip_warden.names import ProjectName
from pip_warden.trust.editing.changed import checked_as, conflict, with_block
from pip_warden.trust.editing.exemptions import Files, add_hash_entry, replace_all
from pip_warden.trust.editing.render import render_hash_entry, render_identity_entry
from pip_warden.trust.file import parse
from pip_warden.trust.model import Entry, HashEntry, TrustFile


def add_entries(text: str, entries: Sequence[Entry], path: Path) -> str:
    """Add packages and releases; what is pinned stays.

    A package that is pinned by hash keeps its terms (reason, last day): its new releases and files join those
    it has, and those of a new package its first one's table. A release that is to have another last day than
    the one that it would join has a table of its own.

    Args:
        text: The trust file's text.
        entries: What is added.
        path: The trust file's path.

    Raises:
        UsageError: ``pin-conflict``: a package is pinned by identity already, from another place, a file of
            a release with another digest, or a release with another last day; ``trust-file-uneditable``.
        TrustFileError: The text is not a valid trust file, before or after.
    """
    trust = parse(text, path)
    for entry in entries:
        _check(entry, trust)
    apart = [each for each in entries if isinstance(each, HashEntry) and _has_own_last_day(each, trust)]
    begins, joining = _sorted([each for each in entries if each not in apart], trust)
    changed = reduce(with_block, _blocks(begins, trust), text)
    expected = replace(trust, entries=(*trust.entries, *begins))
    if begins:
        checked_as(changed, expected)
    joined = {project: _releases(expected, project, more) for project, more in joining.items() if more}
    changed = replace_all(changed, joined, path)
    return reduce(lambda before, entry: add_hash_entry(before, entry, path), apart, changed)


def _sorted(
    entries: Iterable[Entry], trust: TrustFile
) -> tuple[list[Entry], dict[ProjectName, list[HashEntry]]]:
    """Return the entries that begin a table, and by package those that join one."""
    begins: list[Entry] = []
    joining: dict[ProjectName, list[HashEntry]] = {}
    for entry in entries:
        if not isinstance(entry, HashEntry):
            begins.append(entry)
        elif entry.project in joining or _by_hash(trust.entries_of(entry.project)):
            joining.setdefault(entry.project, []).append(entry)
        else:
            joining[entry.project] = []
            begins.append(entry)
    return begins, joining


def _blocks(entries: Iterable[Entry], trust: TrustFile) -> Iterator[str]:
    reasons = {source.name: source.hash_reason for source in trust.sources}
    for entry in entries:
        if isinstance(entry, HashEntry):
            yield render_hash_entry(entry, reasons.get(entry.source, ""), is_grouped=True)
        else:
            yield render_identity_entry(entry)


def _has_own_last_day(entry: HashEntry, trust: TrustFile) -> bool:
    """Return whether a release is to have another last day than what it would join."""
    pinned = _by_hash(trust.entries_of(entry.project))
    like = max(pinned, key=lambda known: (known.version == entry.version, known.version), default=None)
    return like is not None and entry.expires not in {None, like.expires}


def _releases(trust: TrustFile, project: ProjectName, more: Iterable[HashEntry]) -> dict[Version, Files]:
    found = {entry.version: dict(entry.files) for entry in _by_hash(trust.entries_of(project))}
    for entry in more:
        found.setdefault(entry.version, {}).update(entry.files)
    return {version: tuple(files.items()) for version, files in found.items()}


def _by_hash(entries: Iterable[Entry]) -> list[HashEntry]:
    return [entry for entry in entries if isinstance(entry, HashEntry)]


def _check(entry: Entry, trust: TrustFile) -> None:
    """Check that an entry contradicts none of its package."""
    for old in trust.entries_of(entry.project):
        place, other = ((each.source, each.registry) for each in (old, entry))
        if place != other:
            raise conflict(
                str(entry.project), f"from {old.source}", f"from {entry.source}, or another project"
            )
        if not isinstance(old, HashEntry) and not isinstance(entry, HashEntry):
            raise conflict(f"package {entry.project}", "a pinned signer", "another entry of it")
        if isinstance(old, HashEntry) and isinstance(entry, HashEntry) and old.version == entry.version:
            _check_digests(old, entry)


def _check_digests(old: HashEntry, entry: HashEntry) -> None:
    for name, digest in entry.files:
        pinned = old.digest_for(name)
        if pinned not in {None, digest}:
            raise conflict(
                f"{name} of {entry.project} {entry.version}", f"SHA-256 {pinned}", f"SHA-256 {digest}"
            )
