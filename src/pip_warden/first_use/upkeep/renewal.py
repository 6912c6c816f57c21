"""Gives exemptions a later last day, or another reason, once somebody has looked at them again."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from packaging.version import Version

from pip_warden.errors import UsageError
from pip_warden.first_use.by_hash import expires_past
from pip_warden.first_use.draft import Draft
from pip_warden.names import ProjectName
from pip_warden.trust.editing.changed import absent_pin
from pip_warden.trust.editing.terms import Terms
from pip_warden.trust.model import HashEntry, TrustFile

Named = tuple[ProjectName, Version | None]
"""A package, and one release of it or None for all that are pinned by hash."""


def check_terms(names: Iterable[Named], terms: Terms, today: date) -> None:
    """Check that somebody says what is renewed, and for how long.

    Raises:
        UsageError: ``usage``: no name; ``reason-missing``; ``expires-past``.
    """
    if not tuple(names):
        raise UsageError(
            "usage",
            "expected NAME together with --expires or --reason, found none",
            hint="Whoever renews an exemption has looked at it again: name each.",
        )
    if terms == Terms():
        raise UsageError(
            "reason-missing", "expected --reason saying why a hash is enough, found an empty one"
        )
    if terms.expires is not None and terms.expires < today:
        raise expires_past("--expires", terms.expires, today)


def exemptions_of(trust: TrustFile, names: Iterable[Named]) -> tuple[HashEntry, ...]:
    """Return the exemptions that are meant, by name and version.

    Raises:
        UsageError: ``not-in-trust-file``: one is not pinned by hash.
    """
    found: dict[tuple[ProjectName, Version], HashEntry] = {}
    for project, version in names:
        meant = [
            entry
            for entry in trust.entries_of(project)
            if isinstance(entry, HashEntry) and version in {None, entry.version}
        ]
        if not meant:
            which = project if version is None else f"{project} {version}"
            raise absent_pin(f"hash entry of {which}", project, trust)
        found |= {(project, entry.version): entry for entry in meant}
    return tuple(found[key] for key in sorted(found))


def draft_renewal(draft: Draft, entries: Iterable[HashEntry], terms: Terms) -> None:
    """Draft the trust file with other terms of some exemptions."""
    wanted: dict[ProjectName, list[Version]] = {}
    for entry in entries:
        wanted.setdefault(entry.project, []).append(entry.version)
    draft.renew(wanted, terms)
