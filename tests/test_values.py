"""Our dataclass and the standard library's are the same for whoever uses their classes."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from collections.abc import Callable, Mapping
from dataclasses import field
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pip_warden import values

SOURCES = Path(values.__file__).parent
MADE_BY: dict[str, Callable[..., Any]] = {
    "ours": values._frozen,  # the one of Python before 3.13, whatever this is
    "the standard library": lambda **options: dataclasses.dataclass(frozen=True, **options),
}


def _classes(made: Callable[..., Any]) -> tuple[type[Any], ...]:
    @made(kw_only=True, slots=True)
    class Point:
        """A point."""

        x: int
        y: int = 2
        names: tuple[str, ...] = ()
        seen: Mapping[str, int] = field(default_factory=dict, compare=False, repr=False)
        total: int = field(init=False, repr=False)
        kind: str = field(init=False, default="point")
        known: list[int] = field(init=False, default_factory=list, hash=False)

        def __post_init__(self) -> None:
            object.__setattr__(self, "total", self.x + self.y)

    @made(slots=True)
    class Pair:
        first: int
        second: str = "b"

        def __repr__(self) -> str:
            return "its own"

    @made(slots=True)
    class Nothing:
        """Has no field."""

    @made(slots=True)
    class Wider(Pair):
        third: int = 3

    return Point, Pair, Nothing, Wider


OURS, THEIRS = (_classes(made) for made in MADE_BY.values())
MAKINGS: list[tuple[int, tuple[Any, ...], dict[str, Any]]] = [
    (0, (), {"x": 1}),
    (0, (), {"x": 1, "y": 5, "names": ("a",), "seen": {"a": 1}}),
    (0, (), {}),
    (0, (1,), {}),
    (0, (), {"x": 1, "total": 3}),
    (0, (), {"x": 1, "z": 3}),
    (1, (1,), {}),
    (1, (1, "c"), {}),
    (1, (), {"second": "c", "first": 2}),
    (1, (1, "c", 3), {}),
    (2, (), {}),
    (3, (1, "c", 4), {}),
    (3, (1,), {"third": 5}),
]


def _told(work: Callable[[], object]) -> object:
    try:
        return repr(work()).replace("'", '"')
    except (TypeError, AttributeError) as err:
        return type(err).__name__, str(err)


@pytest.mark.parametrize(("which", "given", "named"), MAKINGS, ids=str)
def test_what_is_made_and_what_is_refused_is_the_same(
    which: int, given: tuple[Any, ...], named: dict[str, Any]
) -> None:
    both: tuple[Callable[..., object], ...] = (OURS[which], THEIRS[which])
    ours, theirs = (_told(partial(made, *given, **named)) for made in both)

    assert ours == theirs


@pytest.mark.parametrize("which", range(4))
def test_what_a_class_says_of_itself_is_the_same(which: int) -> None:
    ours, theirs = OURS[which], THEIRS[which]

    assert str(inspect.signature(ours)) == str(inspect.signature(theirs))
    assert ours.__match_args__ == theirs.__match_args__
    assert [each.name for each in dataclasses.fields(ours)] == [
        each.name for each in dataclasses.fields(theirs)
    ]
    assert getattr(ours, "__slots__", None) == getattr(theirs, "__slots__", None)


@pytest.mark.parametrize("made", MADE_BY.values(), ids=MADE_BY)
def test_a_value_is_equal_to_what_has_its_fields_and_to_nothing_else(made: Callable[..., Any]) -> None:
    point, pair, nothing, wider = _classes(made)
    one = point(x=1, seen={"a": 1})

    assert one == point(x=1)  # what is not compared
    assert hash(one) == hash(point(x=1))
    assert one != point(x=2, y=1)  # of the same total
    assert one != "text"
    assert (pair(1) == pair(1), pair(1) == wider(1), wider(1) == pair(1)) == (True, False, False)
    assert (nothing() == nothing(), hash(nothing()) == hash(nothing())) == (True, True)
    assert len({pair(1), pair(1), pair(2)}) == 2
    with pytest.raises(TypeError):
        hash(pair([]))


@pytest.mark.parametrize("made", MADE_BY.values(), ids=MADE_BY)
def test_a_value_cannot_be_changed_and_can_be_copied(made: Callable[..., Any]) -> None:
    point, pair, *_ = _classes(made)
    one = point(x=1, names=("a",))

    with pytest.raises(dataclasses.FrozenInstanceError, match="field 'x'"):
        one.x = 2
    with pytest.raises(dataclasses.FrozenInstanceError, match="field 'x'"):
        del one.x
    assert (one.x, one.total, one.kind) == (1, 3, "point")
    assert dataclasses.replace(one, x=4).total == 6
    assert copy.deepcopy(one) == copy.copy(one) == one
    assert dataclasses.asdict(pair(1)) == {"first": 1, "second": "b"}


@pytest.mark.parametrize("made", MADE_BY.values(), ids=MADE_BY)
def test_what_a_user_derives_from_it_is_frozen_too(made: Callable[..., Any]) -> None:
    pair = _classes(made)[1]
    derived = dataclasses.make_dataclass("Derived", [("third", int, 3)], bases=(pair,), frozen=True)

    one = derived(1)

    assert (one, one.third, one == derived(1, "b", 3)) == (derived(1), 3, True)
    for name in ("first", "third"):
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(one, name, 2)
    with pytest.raises(TypeError, match="cannot inherit non-frozen dataclass from a frozen one"):
        dataclasses.make_dataclass("Mutable", [("third", int, 3)], bases=(pair,))


@values._frozen(kw_only=True, slots=True)
class Kept:
    """Can be found by its name, as what is pickled must be."""

    x: int


def test_a_value_can_be_pickled() -> None:
    kept: Any = Kept(x=1)  # type: ignore[call-arg]

    assert pickle.loads(pickle.dumps(kept)) == kept  # noqa: S301 -- our own


@pytest.mark.parametrize("made", MADE_BY.values(), ids=MADE_BY)
def test_defaults_that_are_made_are_made_for_each(made: Callable[..., Any]) -> None:
    point = _classes(made)[0]

    assert point(x=1).seen is not point(x=1).seen
    assert point(x=1).known is not point(x=1).known


def test_every_module_takes_it() -> None:
    """Two that are alike are told apart by nobody who reads the first line of a class."""
    others = [
        str(path.relative_to(SOURCES))
        for path in sorted(SOURCES.rglob("*.py"))
        if not {"values.py", "sandbox"} & {*path.parts[len(SOURCES.parts) :]}  # which imports nothing of ours
        and any(
            line.startswith("from dataclasses import")
            and {"dataclass", "field"} & {*line.partition(" import ")[2].split(", ")}
            for line in path.read_text(encoding="utf-8").splitlines()
        )
    ]

    assert others == []
