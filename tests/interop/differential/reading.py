"""How a reader reads an archive, and how two readings differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """How a reader reads an archive.

    Attributes:
        tool: The reader.
        refusal: Its message when it refused, ``""`` where it did not.
        tree: The resulting files: a path, and ``directory``, ``link to …``, ``plain …`` or ``executable …``.
        needs: By extras, comma-separated: the dependencies that it found; None where none of them fit.
    """

    tool: str
    refusal: str = ""
    tree: Mapping[str, str] = field(default_factory=dict)
    needs: Mapping[str, str | None] = field(default_factory=dict)


def differences(readings: Iterable[Reading]) -> dict[str, str]:
    """Compare readings, each with each.

    Returns:
        What was observed, by the kind of difference: ``pip refuses`` (only where others do not), ``paths``,
        ``directories``, ``bytes``, ``executable`` or ``dependencies``.
    """
    refused = {one.tool: one.refusal for one in readings if one.refusal}
    good = [one for one in readings if not one.refusal]
    if not good:
        return {}
    found = {f"{tool} refuses": said.strip()[-400:] for tool, said in refused.items()}
    for one, other in combinations(good, 2):
        for kind, said in (*_trees(one, other), *_needs(one, other)):
            found.setdefault(kind, said)
    return found


def _trees(one: Reading, other: Reading) -> Iterator[tuple[str, str]]:
    for path in sorted({*one.tree, *other.tree}):
        seen = one.tree.get(path), other.tree.get(path)
        if seen[0] != seen[1]:
            yield _kind(seen), f"{path!r}: {one.tool} {seen[0]}, {other.tool} {seen[1]}"


def _kind(seen: tuple[str | None, str | None]) -> str:
    words = [word.partition(" ") for word in seen if word is not None]
    if len(words) == 1:
        return "directories" if words[0][0] == "directory" else "paths"
    if words[0][2] == words[1][2] and {words[0][0], words[1][0]} == {"plain", "executable"}:
        return "executable"
    return "bytes"


def _needs(one: Reading, other: Reading) -> Iterator[tuple[str, str]]:
    for extras in one.needs.keys() & other.needs.keys():
        if one.needs[extras] != other.needs[extras]:
            yield (
                "dependencies",
                f"[{extras}]: {one.tool} {one.needs[extras]}, {other.tool} {other.needs[extras]}",
            )
