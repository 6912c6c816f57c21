"""What changed about who may publish a package, from where, and which of its files are exempt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from functools import partial

from packaging.version import Version

from pip_warden.names import ProjectName
from pip_warden.trust.comparing.change import (
    Change,
    Effect,
    compared,
    effect_if,
    effect_of_places,
    unknown_changes,
    was_is,
)
from pip_warden.trust.comparing.identity_changes import identity_changes, spelled_signers
from pip_warden.trust.comparing.requirement_changes import requirement_changes
from pip_warden.trust.model import HashEntry, IdentityEntry, Source, TrustFile

_PLACE = frozenset({"project", "source", "registry", "registry_id"})
_IDENTITY = _PLACE | {"identities", "require", "evidence"}
_HASH = _PLACE | {"version", "files", "reason", "expires"}


def package_changes(old: TrustFile, new: TrustFile) -> Iterator[Change]:
    """Yield what changed about each package, in the order of the new file; then what was removed."""
    before, after = (dict.fromkeys(trust.projects) for trust in (old, new))
    for project in after | before:
        if project in before and project in after:
            yield from _place_changes(project, old, new)
        yield from _identity_pin_changes(project, old, new)
        yield from _hash_pin_changes(project, old, new)


def _place_changes(project: ProjectName, old: TrustFile, new: TrustFile) -> Iterator[Change]:
    """Yield a change of where a package comes from; that of a source itself is said once, with the source."""
    before, after = old.page_entry(project), new.page_entry(project)
    if before is None or after is None:
        return
    change = partial(Change, subject=project)
    if before.source != after.source:
        moved = _differ(old.source(before.source), new.source(after.source))
        yield change(
            kind="package-source",
            effect=effect_if(moved, Effect.NEUTRAL),
            words=was_is("source", before.source, after.source)
            + ("" if moved else ", which is the same place"),
        )
    if before.registry != after.registry:
        words = was_is("registry project", before.registry, after.registry)
        yield change(kind="package-project", effect=Effect.WIDENED, words=words)
    if before.registry_id != after.registry_id:
        words = was_is("registry-id", before.registry_id, after.registry_id)
        yield change(kind="package-registry-id", effect=Effect.WIDENED, words=words)


def _differ(one: Source, other: Source) -> bool:
    """Return whether two sources are different places."""
    ignored = {"name", "hash_reason"}
    names = [field.name for field in fields(one) if field.compare and field.name not in ignored]
    return any(getattr(one, name) != getattr(other, name) for name in names)


def _identity_pin_changes(project: ProjectName, old: TrustFile, new: TrustFile) -> Iterator[Change]:
    before, after = old.identity_entry(project), new.identity_entry(project)
    change = partial(Change, subject=project)
    if before is None and after is not None:
        words = f"may be published by {spelled_signers(after)}, from {_place(after, new)}"
        yield change(kind="pin-added", effect=Effect.WIDENED, words=words)
    elif before is not None and after is None:
        words = f"may not be published by {spelled_signers(before)} any more"
        yield change(kind="pin-removed", effect=Effect.NARROWED, words=words)
    elif before is not None and after is not None:
        yield from identity_changes(project, before, after)
        yield from requirement_changes(project, before.require, after.require)
        yield from _evidence_changes(before, after, old, new)
        yield from unknown_changes(project, before, after, _IDENTITY, "pin-changed")


def _evidence_changes(
    before: IdentityEntry, after: IdentityEntry, old: TrustFile, new: TrustFile
) -> Iterator[Change]:
    if before.evidence == after.evidence:
        return
    was, now = (
        entry.evidence or trust.source(entry.source).evidence
        for entry, trust in ((before, old), (after, new))
    )
    yield Change(
        kind="package-evidence",
        subject=before.project,
        effect=effect_of_places(was, now),
        words=was_is("place of evidence", was, now),
    )


def _hash_pin_changes(project: ProjectName, old: TrustFile, new: TrustFile) -> Iterator[Change]:
    before, after = (_releases(project, trust) for trust in (old, new))
    added, removed, both = compared(before, after)
    for entry in added.values():
        yield _exempted(entry, new, is_published=old.identity_entry(project) is not None)
    for version in removed:
        is_published = new.identity_entry(project) is not None
        yield Change(
            kind="exemption-removed",
            subject=f"{project} {version}",
            effect=effect_if(is_published),
            words="is no exemption any more: "
            + ("whoever may publish the package may sign it" if is_published else "it is refused"),
        )
    for was, now in both.values():
        yield from _one_release(was, now, old, new)


def _releases(project: ProjectName, trust: TrustFile) -> dict[Version, HashEntry]:
    return {entry.version: entry for entry in trust.entries_of(project) if isinstance(entry, HashEntry)}


def _exempted(entry: HashEntry, trust: TrustFile, *, is_published: bool) -> Change:
    instead = " instead of by who signed it" if is_published else ""
    files = f"{len(entry.files)} file{'s' if len(entry.files) > 1 else ''}"
    until = "" if entry.expires is None else f" until {entry.expires}"
    return Change(
        kind="exemption-added",
        subject=f"{entry.project} {entry.version}",
        effect=Effect.WIDENED,
        words=f"{files} may be installed by digest{until}{instead}, "
        f"from {_place(entry, trust)}: {entry.reason}",
    )


def _one_release(
    old: HashEntry, new: HashEntry, trust_before: TrustFile, trust_after: TrustFile
) -> Iterator[Change]:
    subject = f"{new.project} {new.version}"
    added, removed, both = compared(dict(old.files), dict(new.files))
    for name, digest in added.items():
        words = f"{name} may be installed, SHA-256 {digest}"
        yield Change(kind="file-added", subject=subject, effect=Effect.WIDENED, words=words)
    for name in removed:
        words = f"{name} is refused"
        yield Change(kind="file-removed", subject=subject, effect=Effect.NARROWED, words=words)
    for name, (was, now) in both.items():
        if was != now:
            words = was_is(f"SHA-256 of {name}", was, now)
            yield Change(kind="file-digest", subject=subject, effect=Effect.WIDENED, words=words)
    if old.reason != new.reason and not _said_by_source(old, new, trust_before, trust_after):
        words = was_is("reason", old.reason, new.reason)
        yield Change(kind="exemption-reason", subject=subject, effect=Effect.NEUTRAL, words=words)
    yield from _expiry_changes(subject, old, new)
    yield from unknown_changes(subject, old, new, _HASH, "exemption-changed")


def _said_by_source(old: HashEntry, new: HashEntry, trust_before: TrustFile, trust_after: TrustFile) -> bool:
    """Return whether the reason is that of the same source, before and after: it is told there, once."""
    before, after = (
        trust.source(entry.source).hash_reason for entry, trust in ((old, trust_before), (new, trust_after))
    )
    return (old.source, old.reason, new.reason) == (new.source, before, after)


def _expiry_changes(subject: str, old: HashEntry, new: HashEntry) -> Iterator[Change]:
    before, after = old.expires, new.expires
    if before == after:
        return
    is_sooner = after is not None and (before is None or after < before)
    yield Change(
        kind="exemption-expiry",
        subject=subject,
        effect=effect_if(not is_sooner),
        words=was_is("last day", before, after),
    )


def _place(entry: IdentityEntry | HashEntry, trust: TrustFile) -> str:
    return " ".join(filter(None, (trust.source(entry.source).url, entry.registry)))
