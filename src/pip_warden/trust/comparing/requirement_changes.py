"""What changed about what a certificate, or a signed statement, must say besides who signed."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from pip_warden.trust.comparing.change import Change, Effect, effect_of_bound, unknown_changes, was_is
from pip_warden.trust.comparing.covering import covers_ref
from pip_warden.trust.model import Requirements

_EXACT = ("runner_environment", "source_repository", "environment", "visibility", "provenance")
_KNOWN = frozenset(
    {*_EXACT, "build_trigger", "predicate_types", "source_ref", "annotations", "confirmed_build"}
)
_KIND = "requirement"


def requirement_changes(subject: str, old: Requirements, new: Requirements) -> Iterator[Change]:
    """Yield what changed about the requirements of a package or image."""
    change = partial(Change, subject=subject, kind=_KIND)
    for name in _EXACT:
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            words = was_is(f"required {name.replace('_', '-')}", before, after)
            yield change(effect=effect_of_bound(before, after), words=words)
    if old.source_ref != new.source_ref:
        before, after = (each.source_ref and each.source_ref.text for each in (old, new))
        yield change(effect=_ref_effect(old, new), words=was_is("required source-ref", before, after))
    for word, was, now in (
        ("started by", old.build_trigger, new.build_trigger),
        ("proved by statements of type", old.predicate_types, new.predicate_types),
    ):
        for each in sorted(now - was):
            yield change(effect=Effect.WIDENED, words=f"a release may be {word} {each}")
        for each in sorted(was - now):
            yield change(effect=Effect.NARROWED, words=f"a release may not be {word} {each} any more")
    if old.confirmed_build != new.confirmed_build:
        effect = Effect.NARROWED if new.confirmed_build else Effect.WIDENED
        words = "the job that signed must be the one that built"
        yield change(effect=effect, words=words if new.confirmed_build else f"no more required: {words}")
    had, has = dict(old.annotations), dict(new.annotations)
    for key in sorted(had | has):
        if had.get(key) != has.get(key):
            words = was_is(f"required annotation {key}", had.get(key), has.get(key))
            yield change(effect=effect_of_bound(had.get(key), has.get(key)), words=words)
    yield from unknown_changes(subject, old, new, _KNOWN, _KIND)


def _ref_effect(old: Requirements, new: Requirements) -> Effect:
    if old.source_ref is None or new.source_ref is None or not covers_ref(old.source_ref, new.source_ref):
        return effect_of_bound(old.source_ref, new.source_ref)
    return Effect.NARROWED
