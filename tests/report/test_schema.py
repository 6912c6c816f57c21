"""The published schema is made of types; what a type cannot say has no schema."""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

import pytest

from pip_warden.report import command_shapes, shapes, trust_shapes
from pip_warden.report.schema import _described, _object, _value, report_schema

BASES = {"Envelope", "JudgedShape", "AboutRun", "ImagesReport", "SummaryShape"}
"""What others are made of, or the whole schema is."""


class Inner(TypedDict):
    """What is inside."""

    number: int


class Outer(TypedDict):
    """What is outside.

    It has two parts.

    Attributes:
        name: Of it,
            in two lines.
        kind: Which.
    """

    name: str | None
    kind: Literal["a", "b"]
    inner: NotRequired[list[Inner]]
    told: dict[str, int]


def test_a_type_becomes_a_schema() -> None:
    found: dict[str, Any] = {}
    assert _object(Outer, found, is_closed=True) == {
        "description": "What is outside. It has two parts.",
        "type": "object",
        "properties": {
            "name": {"description": "Of it, in two lines.", "anyOf": [{"type": "string"}, {"type": "null"}]},
            "kind": {"description": "Which.", "enum": ["a", "b"]},
            "inner": {"type": "array", "items": {"$ref": "#/$defs/Inner"}},
            "told": {"type": "object", "additionalProperties": {"type": "integer"}},
        },
        "required": ["name", "kind", "told"],
        "additionalProperties": False,
    }
    assert found["Inner"]["required"] == ["number"]


@pytest.mark.parametrize("hint", [Any, object, tuple[str, ...], dict[int, str], float, set[str], "str"])
def test_what_json_has_not_has_no_schema(hint: Any) -> None:
    with pytest.raises(TypeError, match="no schema for"):
        _value(hint, {}, is_closed=False)


def test_every_type_is_described_and_mentions_only_its_own_keys() -> None:
    schema: Any = report_schema()
    for module in (shapes, command_shapes, trust_shapes):
        for name, value in vars(module).items():
            if isinstance(value, type) and value.__module__ == module.__name__:
                words, about = _described(value)
                assert words, name
                assert set(about) <= set(value.__annotations__), name
                assert name in schema["$defs"] or name in BASES, name


def test_only_the_schema_for_tests_is_closed() -> None:
    assert "unevaluatedProperties" not in str(report_schema())
    assert "'additionalProperties': False" not in str(report_schema())
    assert report_schema(is_closed=True)["unevaluatedProperties"] is False
