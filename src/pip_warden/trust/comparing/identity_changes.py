"""What changed about who may sign a package."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from pip_warden.trust.comparing.change import Change, Effect, effect_if, was_is
from pip_warden.trust.comparing.covering import are_disjoint, covers
from pip_warden.trust.model import Identity, IdentityEntry, ImageEntry

_WORDS = {
    "issuer": "issuer",
    "subject": "signer",
    "project_id": "project-id",
    "not_before": "not-before",
    "not_after": "not-after",
    "root": "trusted root",
    "is_account": "account",
}


Signed = IdentityEntry | ImageEntry
"""What is pinned by identity."""


def identity_changes(subject: str, old: Signed, new: Signed) -> list[Change]:
    """Return what changed about the identities of a package or image that both files pin by identity."""
    found = list(_signer_changes(subject, old, new))
    is_wider = any(change.effect is Effect.WIDENED for change in found)
    if old.identities != new.identities and not is_wider and not _keep_their_statements(old, new):
        words = "another signer's provenance and annotations may count than did"
        found.append(Change(kind="signer-order", subject=subject, effect=Effect.WIDENED, words=words))
    return found


def spelled_signers(entry: Signed) -> str:
    """Return who may sign, in words."""
    return ", or by ".join(map(_spelled, entry.identities))


def _spelled(identity: Identity) -> str:
    return f"{identity.subject.text} (issued by {identity.issuer})"


def _signer_changes(subject: str, old: Signed, new: Signed) -> Iterator[Change]:
    change = partial(Change, subject=subject)
    added = [each for each in new.identities if each not in old.identities]
    removed = [each for each in old.identities if each not in new.identities]
    for before, after in _pairs(removed, added):
        removed.remove(before)
        added.remove(after)
        words = f"signer {after.subject.text}: {'; '.join(_differences(before, after))}"
        yield change(kind="signer-changed", effect=_effect(after, old.identities), words=words)
    for each in added:
        words = f"may be published by {_spelled(each)}"
        yield change(
            kind="signer-added",
            effect=effect_if(not _is_covered(each, old.identities), Effect.NEUTRAL),
            words=words,
        )
    for each in removed:
        is_covered = _is_covered(each, new.identities)
        words = f"may not be published by {_spelled(each)} any more"
        yield change(
            kind="signer-removed",
            effect=Effect.NEUTRAL if is_covered else Effect.NARROWED,
            words=f"{words}, but by another signer of the pin who is the same" if is_covered else words,
        )


def _effect(each: Identity, old: Iterable[Identity]) -> Effect:
    return effect_if(not _is_covered(each, old))


def _is_covered(each: Identity, others: Iterable[Identity]) -> bool:
    return any(covers(other, each) for other in others)


def _keep_their_statements(old: Signed, new: Signed) -> bool:
    """Return whether required statements of a new identity counted under one of the old identities.

    An item of evidence belongs to the first identity that matches it, and statements count under that one
    alone. So a pin that requires statements may accept more after an identity is removed that came first.
    """
    asked = old.require
    if asked.provenance is None and not asked.confirmed_build and not asked.annotations:
        return True
    first = sorted(old.identities, key=lambda each: each.root)
    return all(
        next((covers(other, each) for other in first if not are_disjoint(other, each)), False)
        for each in new.identities
    )


def _pairs(removed: Sequence[Identity], added: Sequence[Identity]) -> list[tuple[Identity, Identity]]:
    """Return what is told as one signer that was changed: each with the same name, or the only ones."""
    if len(removed) == len(added) == 1:
        return [(removed[0], added[0])]
    left = list(removed)
    found = []
    for after in added:
        before = next((each for each in left if _name(each) == _name(after)), None)
        if before is not None:
            left.remove(before)
            found.append((before, after))
    return found


def _name(identity: Identity) -> tuple[str, str]:
    return identity.issuer, identity.subject.text


def _differences(old: Identity, new: Identity) -> Iterator[str]:
    for name, word in _WORDS.items():
        before, after = (getattr(each, name) for each in (old, new))
        if before != after:
            yield was_is(word, getattr(before, "text", before), getattr(after, "text", after))
