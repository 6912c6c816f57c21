"""Takes what nothing needs any more out of a trust file's text; every other line stays."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path

from pip_warden.errors import UsageError
from pip_warden.names import ProjectName
from pip_warden.trust.editing.arrays import uneditable
from pip_warden.trust.editing.changed import absent, checked_as
from pip_warden.trust.editing.package_tables import PackageTables
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
    if left == trust.sources:
        raise absent(f"source {name}")
    _check_unused(f"source {name}", trust, lambda trust: {entry.source for entry in trust.entries}, name)
    return checked_as(_without_table(text, ("source", name), path), replace(trust, sources=left))


def remove_root(text: str, name: str, path: Path) -> str:
    """Take out a trusted root that no identity is verified against; its file stays.

    Raises:
        UsageError: ``not-in-trust-file``; ``still-used``; ``trust-file-uneditable``.
        TrustFileError: The text is not a valid trust file, before or after.
    """
    trust = parse(text, path)
    left = tuple(root for root in trust.roots if root.name != name)
    if left == trust.roots:
        raise absent(f"trusted root {name}")
    _check_unused(f"trusted root {name}", trust, _used_roots, name)
    keys = ("sigstore",) if name == "default" else ("sigstore", name)
    return checked_as(_without_table(text, keys, path), replace(trust, roots=left))


def _used_roots(trust: TrustFile) -> set[str]:
    by_identity = (entry for entry in trust.entries if isinstance(entry, IdentityEntry))
    return {identity.root for entry in by_identity for identity in entry.identities}


def _check_unused(what: str, trust: TrustFile, used: Callable[[TrustFile], set[str]], name: str) -> None:
    if name in used(trust):
        raise UsageError(
            "still-used",
            f"expected a {what} that no package names, found one that does",
            hint="`pip-warden trust list` shows which; remove those first.",
        )


def _without_table(text: str, keys: tuple[str, ...], path: Path) -> str:
    lines = lines_of(text)
    chosen = [section for section in sections_of(lines) if section.keys == keys]
    if len(chosen) != 1:
        raise uneditable(path)
    return "".join(without(lines, chosen))
