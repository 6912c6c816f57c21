"""Hears what signed statements say about an accepted file: for people, and never for the verdict."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from pip_warden.errors import RefusedError, UndecidedError
from pip_warden.evidence.model import BadItem, Item
from pip_warden.verdict.evidence import EvidenceEvaluation
from pip_warden.verdict.model import Accepted, ItemRefusal, Passed, ProvedStatement, SignedBy

_MOST_HEARD = 64
"""Items that are heard after the verdict."""


def accept(weighing: EvidenceEvaluation, good: SignedBy, before: Iterable[Passed]) -> Accepted:
    """Return the acceptance of a file.

    Args:
        weighing: Its evidence.
        good: What the good item proved.
        before: What was checked before any evidence.
    """
    passed = (*before, *weighing.passed)
    accepted = Accepted(artifact=weighing.artifact, basis=good, bad_items=weighing.refusals, passed=passed)
    return _hear(accepted, weighing, None)


def hear_all(accepted: Accepted, weighing: EvidenceEvaluation, further: Iterable[Item | BadItem]) -> Accepted:
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
    except (RefusedError, UndecidedError) as err:
        unheard = err.code
    return replace(_hear(accepted, weighing, items), unheard=unheard)


def _hear(
    accepted: Accepted, weighing: EvidenceEvaluation, further: Iterable[Item | BadItem] | None
) -> Accepted:
    """Return an acceptance with what signed statements say, each once in whatever forms it is there."""
    said: dict[object, ProvedStatement] = {}
    unproved = []
    for found in weighing.statements(further):
        if isinstance(found, ItemRefusal):
            unproved.append(found)
        else:
            said.setdefault(found.content, found)
    return replace(accepted, statements=tuple(said.values()), unproved=tuple(unproved))
