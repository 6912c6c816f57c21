"""Hears what signed statements say about an accepted file or image: for people, and never for the verdict."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, TypeVar

from pip_warden.errors import RefusedError, UndecidedError, UsageError
from pip_warden.evidence.model import BadItem, Item
from pip_warden.verdict.evidence import EvidenceEvaluation
from pip_warden.verdict.judged import JudgedT
from pip_warden.verdict.model import Acceptance, ItemRefusal, ProvedStatement

AcceptanceT = TypeVar("AcceptanceT", bound=Acceptance[Any])

_MOST_HEARD = 64
"""Items that are heard after the verdict."""


def heard(accepted: AcceptanceT, weighing: EvidenceEvaluation[JudgedT]) -> AcceptanceT:
    """Return a new acceptance with what the evidence says that was looked at for it, and what of it is bad.

    Args:
        accepted: The acceptance.
        weighing: The evidence that was judged.
    """
    return _hear(replace(accepted, bad_items=weighing.refusals), weighing, None)


def hear_all(
    accepted: AcceptanceT, weighing: EvidenceEvaluation[JudgedT], further: Iterable[Item | BadItem]
) -> AcceptanceT:
    """Return an acceptance with what all evidence says; it rests on the same item as before.

    An error of the look-up ends the hearing, and is told; so does too much evidence.

    Args:
        accepted: The acceptance.
        weighing: The evidence that was judged.
        further: The evidence that was not, since there was a good item.
    """
    items: list[Item | BadItem] = []
    unheard = ""
    try:
        for item in further:
            if len(items) == _MOST_HEARD:
                unheard = "too-much-evidence"
                break
            items.append(item)
    except (RefusedError, UndecidedError, UsageError) as err:
        unheard = err.code
    return replace(_hear(accepted, weighing, items), unheard=unheard)


def _hear(
    accepted: AcceptanceT, weighing: EvidenceEvaluation[JudgedT], further: Iterable[Item | BadItem] | None
) -> AcceptanceT:
    """Return an acceptance with what signed statements say, each once in whatever forms it is there."""
    said: dict[object, ProvedStatement] = {}
    unproved = []
    for found in weighing.statements(further):
        if isinstance(found, ItemRefusal):
            unproved.append(found)
        else:
            said.setdefault(found.content, found)
    return replace(accepted, statements=tuple(said.values()), unproved=tuple(unproved))
