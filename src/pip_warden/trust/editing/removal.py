"""Takes what nothing needs any more out of a trust file's text; every other line stays."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from pip_warden.errors import UsageError
from pip_warden.names import ProjectName
from pip_warden.trust.editing.arrays import uneditable
from pip_warden.trust.editing.changed import absent, checked_as
from pip_warden.trust.editing.package_tables import PackageTables
from pip_warden.trust.editing.render import root_keys
from pip_warden.trust.editing.statements import lines_of, sections_of, without
from pip_warden.trust.file import parse
from pip_warden.trust.model import IdentityEntry, TrustFile
from pip_warden.trust.suggest import nothing_to_change


def remove_package(text: str, project: ProjectName, path: Path) -> str:
    """Take out every pin of a package; a revocation of it stays.

    Args:
        text: The trust file's text.
        project: The package.
        path: The trust file's path.

    Raises:
        UsageError: ``not-in-trust-file``; ``trust-file-uneditable``.
        TrustFileError: The text is not a valid trust file, before or after.
    """
    return remove_packages(text, (project,), path)


def remove_packages(text: str, projects: Collection[ProjectName], path: Path) -> str:
    """Take out every pin of some packages, each as :func:`remove_package` does; the text is checked once."""
    trust = parse(text, path)
    for project in projects:
        if not trust.entries_of(project):
            raise nothing_to_change(project, trust)
    if not projects:
        return text
    pairs = zip(trust.tables, trust.entries, strict=True)
    gone = {table for table, entry in pairs if entry.project in projects}
    changed = PackageTables(text, max(trust.tables) + 1).without(gone)
    left = tuple(entry for entry in trust.entries if entry.project not in projects)
    return checked_as(changed, replace(trust, entries=left))


def remove_source(text: str, name: str, path: Path) -> str:
    """Take out a source that no package is from.

    Raises:
        UsageError: ``not-in-trust-file``; ``still-used``; ``trust-file-uneditable``.
        TrustFileError: The text is not a valid trust file, before or after.
    """
    trust = parse(text, path)
    left = tuple(source for source in trust.sources if source.name != name)
    used = {entry.source for entry in trust.entries}
    return _without_unused(
        text, f"source {name}", ("source", name), replace(trust, sources=left), name in used
    )


def remove_root(text: str, name: str, path: Path) -> str:
    """Take out a trusted root that no identity is verified against; its file stays.

    Raises:
        UsageError: ``not-in-trust-file``; ``still-used``; ``trust-file-uneditable``.
        TrustFileError: The text is not a valid trust file, before or after.
    """
    trust = parse(text, path)
    left = tuple(root for root in trust.roots if root.name != name)
    is_used = name in _used_roots(trust)
    return _without_unused(text, f"trusted root {name}", root_keys(name), replace(trust, roots=left), is_used)


def _used_roots(trust: TrustFile) -> set[str]:
    packages = (entry for entry in trust.entries if isinstance(entry, IdentityEntry))
    identities = [each.identities for each in packages] + [each.identities for each in trust.images]
    return {identity.root for some in identities for identity in some}


def _without_unused(text: str, what: str, keys: tuple[str, ...], expected: TrustFile, is_used: bool) -> str:
    """Return the text without a table that nothing needs.

    Args:
        text: The trust file's text.
        what: What the table says, for people.
        keys: The table's keys.
        expected: What the text is to mean.
        is_used: Whether something needs it.

    Raises:
        UsageError: ``not-in-trust-file``; ``still-used``; ``trust-file-uneditable``.
    """
    if expected == parse(text, expected.path):
        raise absent(what)
    if is_used:
        raise UsageError(
            "still-used",
            f"expected a {what} that nothing names, found one that does",
            hint="`pip-warden trust list` shows which; remove those first.",
        )
    lines = lines_of(text)
    chosen = [section for section in sections_of(lines) if section.keys == keys]
    if len(chosen) != 1:
        raise uneditable(expected.path)
    return checked_as("".join(without(lines, chosen)), expected)
