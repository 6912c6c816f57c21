"""Good archives, named ways to make one odd, and both combined at random, reproducibly from a seed."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Draft = TypeVar("Draft")


@dataclass(frozen=True, slots=True)
class Mutant:
    """An archive and the changes made to it.

    Attributes:
        base: The name of the original.
        operators: The changes, in order; none for a control.
        filename: Its file name.
        data: Its bytes.
    """

    base: str
    operators: tuple[str, ...]
    filename: str
    data: bytes

    def __str__(self) -> str:
        return " + ".join((self.base, *self.operators))


@dataclass(frozen=True, slots=True)
class _Operator(Generic[Draft]):
    base: str
    apply: Callable[[Draft, random.Random], None]


class Operators(Generic[Draft]):
    """Ways to make an archive odd, by name; each with the base on which it is tried alone."""

    def __init__(self) -> None:
        self.known: dict[str, _Operator[Draft]] = {}

    def named(
        self, name: str, base: str
    ) -> Callable[[Callable[[Draft, random.Random], None]], Callable[[Draft, random.Random], None]]:
        """Add the decorated function."""

        def keep(apply: Callable[[Draft, random.Random], None]) -> Callable[[Draft, random.Random], None]:
            assert name not in self.known, name
            self.known[name] = _Operator(base, apply)
            return apply

        return keep

    def table(
        self, prefix: str, base: str, apply: Callable[[Draft, Any], None], values: Mapping[str, Any]
    ) -> None:
        """Add the same for each of many values."""
        for key, value in values.items():
            self.named(f"{prefix}-{key}", base)(lambda draft, _, value=value: apply(draft, value))  # type: ignore[misc]


class Family(Generic[Draft]):
    """Archives of one kind.

    Args:
        bases: Makers of good ones, by name.
        operators: The ways to make one odd.
        build: Returns a draft's file name and bytes.
    """

    def __init__(
        self,
        bases: Mapping[str, Callable[[], Draft]],
        operators: tuple[Operators[Draft], ...],
        build: Callable[[Draft], tuple[str, bytes]],
    ) -> None:
        self._bases = bases
        self._operators = {name: one for group in operators for name, one in group.known.items()}
        self._build = build

    def controls(self) -> Iterator[Mutant]:
        """Make every base, unchanged."""
        for base in self._bases:
            yield self._mutant(base, (), random.Random(0))  # noqa: S311

    def single(self, seed: int) -> Iterator[Mutant]:
        """Make every mutant of one change."""
        rng = random.Random(seed)  # noqa: S311
        for name, operator in self._operators.items():
            yield self._mutant(operator.base, (name,), rng)

    def mixed(self, seed: int, names: Sequence[str]) -> Iterator[Mutant]:
        """Make mutants of one to three of the given changes on any base, without end."""
        rng, bases = random.Random(seed), list(self._bases)  # noqa: S311
        while True:
            chosen = tuple(rng.sample(names, min(len(names), rng.choice((1, 2, 2, 3)))))
            yield self._mutant(rng.choice(bases), chosen, rng)

    def _mutant(self, base: str, names: tuple[str, ...], rng: random.Random) -> Mutant:
        draft, done = self._bases[base](), []
        for name in names:
            try:
                self._operators[name].apply(draft, rng)
            except LookupError:  # this base has nothing to change in this way
                continue
            done.append(name)
        return Mutant(base, tuple(done), *self._build(draft))
