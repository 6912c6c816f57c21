"""What changed about who may publish the images of a repository."""

from __future__ import annotations

from collections.abc import Iterator

from pip_warden.trust.comparing.change import (
    Change,
    Effect,
    compared,
    effect_if,
    unknown_changes,
    was_is,
)
from pip_warden.trust.comparing.identity_changes import identity_changes, spelled_signers
from pip_warden.trust.comparing.requirement_changes import requirement_changes
from pip_warden.trust.model import ImageEntry, TrustFile

_KNOWN = frozenset({"repository", "identities", "require", "realm"})


def image_changes(old: TrustFile, new: TrustFile) -> Iterator[Change]:
    """Yield what changed about the images of each repository; then what was removed."""
    before, after = ({str(each.repository): each for each in trust.images} for trust in (old, new))
    added, removed, both = compared(before, after)
    for subject, (was, now) in both.items():
        yield from _one_image(subject, was, now)
    for subject, entry in added.items():
        realm = "" if entry.realm is None else f"; credentials may be sent to {entry.realm}"
        words = f"may be published by {spelled_signers(entry)}{realm}"
        yield Change(kind="pin-added", subject=subject, effect=Effect.WIDENED, words=words)
    for subject, entry in removed.items():
        words = f"may not be published by {spelled_signers(entry)} any more"
        yield Change(kind="pin-removed", subject=subject, effect=Effect.NARROWED, words=words)


def _one_image(subject: str, old: ImageEntry, new: ImageEntry) -> Iterator[Change]:
    yield from identity_changes(subject, old, new)
    yield from requirement_changes(subject, old.require, new.require)
    if old.realm != new.realm:
        yield Change(
            kind="image-realm",
            subject=subject,
            effect=effect_if(new.realm is not None),
            words=was_is("where credentials may be sent", old.realm, new.realm),
        )
    yield from unknown_changes(subject, old, new, _KNOWN, "pin-changed")
