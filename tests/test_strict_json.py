"""Strict JSON: what two readers could read differently is refused, and reading takes linear time."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pip_warden.strict_json import JSONValue, MalformedError, dumps, loads, loads_object

ENOUGH = 1 << 24


def _fault(raw: bytes | str) -> str:
    with pytest.raises(MalformedError) as caught:
        loads(raw, max_bytes=ENOUGH)
    text = str(caught.value)
    assert text.encode("utf-8"), "what is said can be written anywhere"
    return text


@pytest.mark.parametrize(
    "raw",
    [
        rb'"\ud800"',
        rb'"\udfff"',
        rb'"\udc00\ud800"',
        rb'"\ud83d \ude00"',
        rb'["a", {"b": [{"c": "\uDBFF"}]}]',
        rb'{"\ud800": 1}',
        rb'{"a": {"\ud800": 1}}',
        rb'{"\ud800": 1, "\ud800": 2}',
        '"\ud800"',
        '{"\udfff": 1}',
    ],
)
def test_b04_half_a_character_is_no_text(raw: bytes | str) -> None:
    _fault(raw)


def test_b04_a_pair_of_halves_is_a_character() -> None:
    assert loads(rb'{"\ud83d\ude00": "\uD83D\uDE00"}', max_bytes=ENOUGH) == {"😀": "😀"}


@pytest.mark.parametrize("number", [b"1e400", b"-1e400", b"1" * 400 + b".0", b"NaN", b"Infinity"])
def test_b04_a_number_beyond_all_bounds_is_none(number: bytes) -> None:
    _fault(b"[" + number + b"]")


@pytest.mark.parametrize("digits", [4301, 100_000])
def test_b04_a_number_of_too_many_digits_is_none(digits: int) -> None:
    _fault(b"-" + b"1" * digits)


@pytest.mark.parametrize("shape", [b"[" * 70 + b"]" * 70, b"[" * 100_000, b'{"a":' * 70 + b"1" + b"}" * 70])
def test_b04_what_nests_too_deep_is_refused(shape: bytes) -> None:
    _fault(shape)


@pytest.mark.parametrize(
    ("raw", "first"),
    [
        (rb'{"a": "\ud800", "\udfff": 1}', "\\ud800"),
        (rb'{"a": {"b": "\ud800"}, "\udfff": 1}', "\\ud800"),
        (b'{"a": 1' + b"0" * 400 + rb', "\ud800": 1}', "whole number"),
        (b"[" * 63 + rb'{"a": 1, "\ud800": 1}' + b"]" * 63, "too deep"),
    ],
)
def test_what_is_wrong_first_is_told(raw: bytes, first: str) -> None:
    assert first in _fault(raw)


@pytest.mark.parametrize(
    "raw", [b"", b"\xff", b"\xef\xbb\xbf{}", b"\xed\xa0\x80", b"nul", b'"\x00"', b"{} {}"]
)
def test_what_is_no_json(raw: bytes) -> None:
    _fault(raw)


def test_b05_the_one_key_of_many_that_appears_twice_is_named() -> None:
    members = [f'"k{number}":0' for number in range(200_000)]

    assert "'k199999'" in _fault("{" + ",".join([*members, members[-1]]) + "}")


def test_the_top_level_must_be_an_object() -> None:
    with pytest.raises(MalformedError):
        loads_object(b"[]", max_bytes=ENOUGH)


_TEXT = st.text(st.characters(codec="utf-8"))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | _TEXT,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
        max_leaves=20,
    )
)
def test_everything_else_is_read_as_it_was_written(value: object) -> None:
    assert loads(json.dumps(value), max_bytes=ENOUGH) == value


def test_what_is_too_large_is_not_read() -> None:
    assert loads(b'"aa"', max_bytes=4) == "aa"
    with pytest.raises(MalformedError, match="larger than 3"):
        loads(b'"aa"', max_bytes=3)


_TEXT = st.text(st.characters(codec=None) | st.sampled_from("\udcff\ud83d\ude00\\ud"))


@given(
    st.recursive(
        _TEXT | st.integers() | st.none(), lambda one: st.lists(one) | st.dictionaries(_TEXT, one, max_size=1)
    )
)
def test_what_is_written_is_read_again(value: JSONValue) -> None:
    """Half a character is the text then that stands for it everywhere else; all other text is the same."""
    for indent in (None, 2):
        raw = dumps(value, indent=indent)
        assert raw.isascii()
        assert loads(raw, max_bytes=ENOUGH) == _shown(value)


def _shown(value: JSONValue) -> JSONValue:
    match value:
        case str():
            whole = value.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")  # pairs are one
            return "".join(f"\\u{ord(one):04x}" if "\ud800" <= one <= "\udfff" else one for one in whole)
        case list():
            return [_shown(one) for one in value]
        case dict():
            return {str(_shown(key)): _shown(one) for key, one in value.items()}
        case _:
            return value
