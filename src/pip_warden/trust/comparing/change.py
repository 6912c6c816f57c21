"""One change of a trust file, and what it does to what is accepted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from enum import StrEnum
from typing import Any, TypeVar

from pip_warden.values import dataclass

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")
_Compared = tuple[dict[_Key, _Value], dict[_Key, _Value], dict[_Key, tuple[_Value, _Value]]]


class Effect(StrEnum):
    """What a change does to the set of files that are accepted."""

    WIDENED = "widened"
    """Something may be accepted that was not. What is in doubt is this."""
    NARROWED = "narrowed"
    """Nothing is accepted that was not, and something is refused that was accepted, or may be."""
    NEUTRAL = "neutral"
    """It accepts what it accepted."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Change:
    """One change.

    Attributes:
        kind: Stable kebab-case name of the kind; ``docs/trust-changes.md`` lists them.
        subject: What was changed: a package, one of its releases, a source, a trusted root, a revocation.
        effect: What it does to what is accepted.
        words: What was changed, as a sentence without its end. It may hold foreign text, not escaped.
    """

    kind: str
    subject: str
    effect: Effect
    words: str


def effect_if(widens: bool, otherwise: Effect = Effect.NARROWED) -> Effect:
    """Return *widened* where something widens, else another effect."""
    return Effect.WIDENED if widens else otherwise


def effect_of_bound(old: object | None, new: object | None) -> Effect:
    """Return the effect of a requirement whose values have no order: none, or one that must be met."""
    return effect_if(not (old is None and new is not None))


def effect_of_places(old: tuple[str, ...], new: tuple[str, ...]) -> Effect:
    """Return the effect of looking for evidence elsewhere; no template means a place that none names."""
    return effect_if(not new or not set(new) <= set(old), Effect.NEUTRAL)


def was_is(name: str, old: object | None, new: object | None) -> str:
    """Return ``name was OLD, is NEW``."""
    return f"{name} was {_shown(old)}, is {_shown(new)}"


def changed_fields(old: Any, new: Any, known: frozenset[str]) -> list[str]:
    """Return the names of the fields that differ and that nobody knows how to compare.

    A field that is added to a value later counts as widened until somebody says what it means.

    Args:
        old: A value.
        new: Another of the same class.
        known: The fields that are compared elsewhere.
    """
    return [
        field.name
        for field in fields(old)
        if field.compare and field.name not in known and getattr(old, field.name) != getattr(new, field.name)
    ]


def unknown_changes(subject: str, old: Any, new: Any, known: frozenset[str], kind: str) -> list[Change]:
    """Return a widening change for each field that differs and that nobody knows how to compare."""
    return [
        Change(
            kind=kind,
            subject=subject,
            effect=Effect.WIDENED,
            words=was_is(_key(name), getattr(old, name), getattr(new, name)),
        )
        for name in changed_fields(old, new, known)
    ]


def compared(old: Mapping[_Key, _Value], new: Mapping[_Key, _Value]) -> _Compared[_Key, _Value]:
    """Return what is only in the new, what is only in the old, and the two values of what is in both.

    Each in the order of its file, so that equal changes are told in equal words.
    """
    return (
        {key: value for key, value in new.items() if key not in old},
        {key: value for key, value in old.items() if key not in new},
        {key: (old[key], value) for key, value in new.items() if key in old},
    )


def _shown(value: object | None) -> str:
    if value is None or value == "" or value == ():
        return "none"
    if isinstance(value, tuple | list | frozenset):
        return ", ".join(sorted(str(item) for item in value))
    return str(value)


def _key(name: str) -> str:
    return name.replace("_", "-")
