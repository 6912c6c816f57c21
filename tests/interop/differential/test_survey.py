"""The survey itself: what it compares, and that a difference too many and one too few both fail."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import archives
from interop.differential.mutants import Family, Mutant, Operators
from interop.differential.reading import Reading, differences
from interop.differential.survey import Row, Survey, survey
from pip_warden.artifact.model import Contents

OPERATORS = Operators[dict[str, str]]()


@OPERATORS.named("more", "good")
def _more(files: dict[str, str], rng: random.Random) -> None:
    files["acme/more.py"] = ""


@OPERATORS.named("bad", "good")
def _bad(files: dict[str, str], rng: random.Random) -> None:
    files["../acme.py"] = ""


FAMILY: Family[dict[str, str]] = Family(
    {"good": dict}, (OPERATORS,), lambda files: (archives.WHEEL_NAME, archives.wheel(files))
)


def one(tool: str, **tree: str) -> Reading:
    return Reading(tool=tool, tree=tree)


def test_readings_that_are_the_same_differ_in_nothing() -> None:
    assert differences([one("pip", a="plain 1"), one("uv", a="plain 1")]) == {}


def test_each_kind_of_difference_has_its_word() -> None:
    read = one("pip", a="plain 1", b="plain 2", c="directory", d="plain 3")
    other = one("uv", a="plain 9", b="executable 2", d="plain 3", e="plain 4")

    assert differences([read, other]).keys() == {"bytes", "executable", "directories", "paths"}


def test_a_refusal_is_a_difference_only_where_another_reader_goes_on() -> None:
    refusal = Reading(tool="uv", refusal="no")

    assert differences([one("pip", a="plain 1"), refusal]) == {"uv refuses": "no"}
    assert differences([refusal, Reading(tool="pip", refusal="no")]) == {}


def test_dependencies_are_compared_between_those_who_read_them() -> None:
    pip, uv = (Reading(tool=tool, needs={"": needs}) for tool, needs in (("pip", "a"), ("uv", "b")))

    assert differences([one("installer"), pip, uv]).keys() == {"dependencies"}
    assert differences([one("installer"), pip]) == {}


def _surveyed(place: Path, tree: Callable[[Mutant], dict[str, str]], *rows: Row) -> Survey:
    def ask(mutant: Mutant, path: Path, contents: Contents, at: Path) -> list[Reading]:
        return [one("pip"), one("uv", **tree(mutant))]

    return survey(FAMILY, ask, list(rows), place, count=5)


def _odd_where_more(mutant: Mutant) -> dict[str, str]:
    return {"more": "plain 1"} if "more" in mutant.operators else {}


def _row(kind: str) -> Row:
    return Row(frozenset({"more"}), frozenset({kind}), always=True)


def test_what_we_refuse_is_shown_to_nobody(tmp_path: Path) -> None:
    found = _surveyed(tmp_path, lambda mutant: {"bad": "plain 1"} if "bad" in mutant.operators else {})

    assert (found.refused, found.refused_controls, found.unexplained) == (1, [], [])


def test_a_difference_that_is_on_no_page_is_reported(tmp_path: Path) -> None:
    assert _surveyed(tmp_path, _odd_where_more).unexplained[0].startswith("good + more: paths: ")
    assert _surveyed(tmp_path, _odd_where_more, _row("bytes")).unexplained != []
    assert _surveyed(tmp_path, _odd_where_more, _row("paths")).unexplained == []


def test_a_row_whose_difference_is_gone_is_reported(tmp_path: Path) -> None:
    sometimes = Row(frozenset({"more"}), frozenset({"paths"}), always=False)

    assert _surveyed(tmp_path, lambda _: {}, _row("paths")).gone == ["more: paths"]
    assert _surveyed(tmp_path, lambda _: {}, sometimes).gone == []
    assert _surveyed(tmp_path, _odd_where_more, _row("paths")).gone == []
