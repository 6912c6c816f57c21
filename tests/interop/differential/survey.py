"""Makes mutants until enough were accepted: which are refused, which read alike, which differ.

Accepted differences are on the page (docs/archives.md).
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, islice
from pathlib import Path

from interop.differential.mutants import Draft, Family, Mutant
from interop.differential.reading import Reading, differences
from pip_warden.artifact.inspect import inspect
from pip_warden.artifact.model import Artifact, Contents
from pip_warden.digests import digest_of
from pip_warden.errors import UsageError
from pip_warden.faults import Fault
from pip_warden.names import parse_artifact_name
from pip_warden.verdict.archive import check_archive

PAGE = Path(__file__).parents[3] / "docs" / "archives.md"
SEED = int(os.environ.get("DIFFERENTIAL_SEED", "8"))
"""The seed of mutants of several changes, and of an operator's random choices."""
COUNT = int(os.environ.get("DIFFERENTIAL_COUNT", "150"))
"""Number of mutants of several changes, after every one of a single change."""


@dataclass(frozen=True, slots=True)
class Row:
    """An accepted difference.

    Attributes:
        operators: Each of them makes it.
        kinds: Words of `differences`.
        always: Whether it shows on every machine.
    """

    operators: frozenset[str]
    kinds: frozenset[str]
    always: bool


@dataclass(slots=True)
class Survey:
    """The findings.

    Attributes:
        accepted: How many we accepted.
        refused: How many we refused.
        refused_controls: Good archives, and why we refuse them.
        differ: Differences between readers: the mutant, the kind of difference, and their output.
        unexplained: Differences that are not on the page.
        gone: Rows of the page, and operators of a row, that made no such difference.
    """

    accepted: int = 0
    refused: int = 0
    refused_controls: list[str] = field(default_factory=list)
    differ: list[tuple[Mutant, str, str]] = field(default_factory=list)
    unexplained: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.accepted} accepted, {self.refused} refused"


Ask = Callable[[Mutant, Path, Contents, Path], list[Reading]]


def survey(family: Family[Draft], ask: Ask, rows: list[Row], place: Path, *, count: int = COUNT) -> Survey:
    """Make mutants, judge them, and run all readers on those that we accept.

    First every control and every change alone, then several at once of those that were accepted alone.
    """
    found = Survey()
    made = partial(_one, ask=ask, place=place, found=found)
    alone = {mutant.operators: made(mutant) for mutant in chain(family.controls(), family.single(SEED))}
    good = [operators[0] for operators, seen in alone.items() if operators and seen is not None]
    for mutant in islice(family.mixed(SEED, good), count):
        made(mutant)
    _compare(found, rows, alone)
    return found


def _compare(
    found: Survey, rows: list[Row], alone: Mapping[tuple[str, ...], Mapping[str, str] | None]
) -> None:
    """Compare the findings with the page."""
    for mutant, kind, said in found.differ:
        if not any(kind in row.kinds and row.operators.intersection(mutant.operators) for row in rows):
            found.unexplained.append(f"{mutant}: {kind}: {said}")
    wanted = [(name, kind) for row in rows if row.always for name in row.operators for kind in row.kinds]
    found.gone = [f"{name}: {kind}" for name, kind in wanted if kind not in (alone.get((name,)) or {})]


def _one(mutant: Mutant, *, ask: Ask, place: Path, found: Survey) -> dict[str, str] | None:
    """Judge a mutant; return the differences of its readers, None where we refuse it."""
    at = place / "mutant"
    at.mkdir()
    try:
        contents = _judged(mutant, at)
        if isinstance(contents, Fault):
            found.refused += 1
            if not mutant.operators:
                found.refused_controls.append(f"{mutant}: {contents}")
            return None
        found.accepted += 1
        differs = differences(ask(mutant, at / mutant.filename, contents, at))
    except Exception as err:
        err.add_note(f"while {mutant} was judged and read")
        raise
    finally:
        shutil.rmtree(at)
    found.differ += [(mutant, kind, said) for kind, said in differs.items()]
    return differs


def _judged(mutant: Mutant, at: Path) -> Contents | Fault:
    """Judge a file as in step 4."""
    path = at / mutant.filename
    path.write_bytes(mutant.data)
    try:
        name = parse_artifact_name(mutant.filename)
    except UsageError as err:
        return Fault(code=err.code, expected="a file name", found=str(err))
    contents = inspect(path, name)
    digest, size = digest_of(mutant.data), len(mutant.data)
    return (
        check_archive(Artifact(name=name, path=path, digest=digest, size=size, contents=contents)) or contents
    )


def accepted_differences(what: str) -> list[Row]:
    """Read the rows of a table of the page."""
    text = PAGE.read_text(encoding="utf-8")
    table = text.partition(f"<!-- {what}:begin -->")[2].partition(f"<!-- {what}:end -->")[0]
    return list(_rows(table))


def _rows(table: str) -> Iterator[Row]:
    for line in table.splitlines()[3:]:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4:
            operators, kinds = (frozenset(re.findall(r"`([^`]+)`", cell)) for cell in cells[1:3])
            yield Row(operators, kinds, always=not cells[2].startswith("sometimes"))
