"""What a change of the trust file means: two files compared as values.

Every change has an effect: *widened*, *narrowed* or *neutral*
(:mod:`~pip_warden.trust.comparing.change`). If none is widened, each file that the new trust file accepts is
accepted by the old one, given the same day, page, bytes and evidence; ``tests/trust/test_narrower.py`` puts
that to the verdict itself. The reverse does not hold: what is in doubt is called widened.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

from pip_warden.trust.comparing.change import (
    Change,
    Effect,
    compared,
    effect_if,
    effect_of_places,
    unknown_changes,
    was_is,
)
from pip_warden.trust.comparing.image_changes import image_changes
from pip_warden.trust.comparing.package_changes import package_changes
from pip_warden.trust.model import Revocation, RootPin, Source, TrustFile

_FILE = frozenset({"path", "roots", "sources", "entries", "images", "revoked"})
_ROOT = frozenset({"name", "path", "sha256", "issuers"})
_SOURCE = frozenset({"name", "type", "url", "evidence", "hash_reason"})
_REVOCATION = frozenset({"sha256", "project", "version", "reason"})


def changes(old: TrustFile, new: TrustFile) -> tuple[Change, ...]:
    """Compare two trust files: trusted roots first, then sources, packages, images and revocations.

    Where tables stand in a file, and where the file is, means nothing.

    Args:
        old: The trust file before.
        new: The trust file after.
    """
    found = unknown_changes("the trust file", old, new, _FILE, "file-changed")
    found += _root_changes(old, new)
    found += _source_changes(old, new)
    found += package_changes(old, new)
    found += image_changes(old, new)
    found += _revocation_changes(old.revoked, new.revoked)
    return tuple(found)


def _root_changes(old: TrustFile, new: TrustFile) -> Iterator[Change]:
    before, after = ({root.name: root for root in trust.roots} for trust in (old, new))
    added, removed, both = compared(before, after)
    for name, root in added.items():
        yield _root(name)(
            kind="root-added",
            effect=Effect.WIDENED,
            words=f"may vouch for {', '.join(root.issuers)}, SHA-256 {root.sha256}",
        )
    for name in removed:
        yield _root(name)(kind="root-removed", effect=Effect.NARROWED, words="vouches for nobody any more")
    for was, now in both.values():
        yield from _one_root(was, now)


def _root(name: str) -> partial[Change]:
    return partial(Change, subject="trusted root" if name == "default" else f"trusted root {name}")


def _one_root(old: RootPin, new: RootPin) -> Iterator[Change]:
    change = _root(old.name)
    if old.sha256 != new.sha256:
        words = f"{was_is('SHA-256', old.sha256, new.sha256)}: who it lets sign is in the file, not in here"
        yield change(kind="root-digest", effect=Effect.WIDENED, words=words)
    elif old.path.name != new.path.name:
        yield change(
            kind="root-file", effect=Effect.NEUTRAL, words=was_is("file", old.path.name, new.path.name)
        )
    for issuer in new.issuers:
        if issuer not in old.issuers:
            yield change(kind="root-issuer-added", effect=Effect.WIDENED, words=f"may vouch for {issuer}")
    for issuer in old.issuers:
        if issuer not in new.issuers:
            words = f"vouches for {issuer} no more"
            yield change(kind="root-issuer-removed", effect=Effect.NARROWED, words=words)
    yield from unknown_changes(change.keywords["subject"], old, new, _ROOT, "root-changed")


def _source_changes(old: TrustFile, new: TrustFile) -> Iterator[Change]:
    before, after = ({source.name: source for source in trust.sources} for trust in (old, new))
    added, removed, both = compared(before, after)
    for name, source in added.items():
        words = f"{source.type} {source.url}; nothing comes from it but what a package names"
        yield Change(kind="source-added", subject=f"source {name}", effect=Effect.NEUTRAL, words=words)
    for name, source in removed.items():
        words = f"{source.type} {source.url}; nothing comes from it any more"
        yield Change(kind="source-removed", subject=f"source {name}", effect=Effect.NEUTRAL, words=words)
    used = {entry.source for entry in new.entries}
    for name, (was, now) in both.items():
        yield from _one_source(was, now, is_used=name in used)


def _one_source(old: Source, new: Source, *, is_used: bool) -> Iterator[Change]:
    change = partial(Change, subject=f"source {old.name}")
    unused = "" if is_used else "; no package names it"
    if (old.type, old.url) != (new.type, new.url):
        words = was_is("it", f"{old.type} {old.url}", f"{new.type} {new.url}") + unused
        yield change(kind="source-moved", effect=effect_if(is_used, Effect.NEUTRAL), words=words)
    if old.evidence != new.evidence:
        yield change(
            kind="source-evidence",
            effect=effect_of_places(old.evidence, new.evidence) if is_used else Effect.NEUTRAL,
            words=f"{was_is('place of evidence', _evidence(old), _evidence(new))}{unused}",
        )
    if old.hash_reason != new.hash_reason:
        words = was_is("reason of exemptions that give none", old.hash_reason, new.hash_reason)
        yield change(kind="source-reason", effect=Effect.NEUTRAL, words=words)
    yield from unknown_changes(f"source {old.name}", old, new, _SOURCE, "source-changed")


def _evidence(source: Source) -> tuple[str, ...] | str:
    return source.evidence or "where the index's pages say"


def _revocation_changes(old: Iterable[Revocation], new: Iterable[Revocation]) -> Iterator[Change]:
    before, after = ({_revoked(each): each for each in some} for some in (old, new))
    added, removed, both = compared(before, after)
    for what, each in added.items():
        is_new = not _is_revoked_by(each, before.values())
        words = f"is refused whatever else is said: {each.reason}"
        yield Change(
            kind="revocation-added",
            subject=what,
            effect=Effect.NARROWED if is_new else Effect.NEUTRAL,
            words=words if is_new else f"{words}; another revocation said so already",
        )
    for what, each in removed.items():
        is_open = not _is_revoked_by(each, after.values())
        words = f"is not revoked any more; the reason was: {each.reason}"
        yield Change(
            kind="revocation-removed",
            subject=what,
            effect=effect_if(is_open, Effect.NEUTRAL),
            words=words if is_open else "is revoked by another revocation now",
        )
    for what, (was, now) in both.items():
        if was.reason != now.reason:
            words = was_is("reason", was.reason, now.reason)
            yield Change(kind="revocation-reason", subject=what, effect=Effect.NEUTRAL, words=words)
        yield from unknown_changes(what, was, now, _REVOCATION, "revocation-changed")


def _revoked(each: Revocation) -> str:
    """Return what is revoked, in words; equal words are the same revocation."""
    if each.sha256 is not None:
        return f"SHA-256 {each.sha256}"
    return f"{each.project}" if each.version is None else f"{each.project} {each.version}"


def _is_revoked_by(each: Revocation, others: Iterable[Revocation]) -> bool:
    return any(
        (other.sha256, other.project) == (each.sha256, each.project) and other.version in {None, each.version}
        for other in others
    )
