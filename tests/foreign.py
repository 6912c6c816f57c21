"""Untrusted values that may be in the place of any value of a document."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

Path = tuple[str | int, ...]

MARK = "\x00here\x00"
"""Placeholder in a document for a value that is inserted afterwards."""

SPELLINGS = (
    "null",
    "true",
    "[]",
    "{}",
    "[[]]",
    '{"": {}}',
    "[null]",
    '""',
    '"x"',
    '" "',
    r'"\ud800"',
    r'"a\udfff"',
    r'{"\ud800": 1}',
    r'"\u0000"',
    r'"\u2028\u202e"',
    '"²"',
    '"https://["',
    '"https://[::1"',
    '"//[x]:y/"',
    '"1!"',
    '"' + "1" * 5000 + '"',
    '"' + "x" * 70_000 + '"',
    '"0001-01-01T00:00:00+23:59"',
    '"9999-12-31T23:59:59-23:59"',
    '"9223372036854775807"',
    "0",
    "-1",
    "1",
    "1.5",
    "-0.0",
    "1e400",
    "1e308",
    "9223372036854775807",
    "1" * 40,
    "9" * 4300,
    "9" * 5000,
    "[" * 50 + "]" * 50,
    "[" * 100 + "]" * 100,
    "[" * 5000,
    '{"a":' * 60 + "1" + "}" * 60,
    '{"a": 1, "a": 2}',
)
"""JSON that a careless reader fails at; some of it is not JSON."""

spellings = st.sampled_from(SPELLINGS) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
).map(json.dumps)


def paths(document: Any, way: Path = ()) -> Iterator[Path]:
    """Yield the path of every value in a document, including the document itself."""
    yield way
    members = (
        document.items()
        if isinstance(document, dict)
        else enumerate(document)
        if isinstance(document, list)
        else ()
    )
    for key, value in members:
        yield from paths(value, (*way, key))


def respelled(document: Any, way: Path, spelling: str) -> bytes:
    """Return a document as JSON with one value spelled differently."""
    return _marked(document, way).replace(json.dumps(MARK), spelling).encode()


def mutants(document: Any) -> Iterator[bytes]:
    """Yield a document with every spelling in the place of every value."""
    for way in paths(document):
        marked = _marked(document, way)
        for spelling in SPELLINGS:
            yield marked.replace(json.dumps(MARK), spelling).encode()


def _marked(document: Any, way: Path) -> str:
    """Return a document as JSON with the placeholder for one value."""
    if not way:
        return json.dumps(MARK)
    result = copy.deepcopy(document)
    at = result
    for step in way[:-1]:
        at = at[step]
    at[way[-1]] = MARK
    return json.dumps(result)


BINARIES = (
    b"",
    b"\x00",
    b"\xff",
    b"\x30",
    b"\x30\x80",
    b"\x30\x81",
    b"\x30\x84\xff\xff\xff\xff",
    b"-----BEGIN",
    b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf{}",
    b"MAA=",
    b"<html>",
    b"{" * 5000,
    b'"' + b"\\" * 5001,
)
"""Bytes that a careless reader fails at."""

TOML_SPELLINGS = (
    "1",
    "0",
    "-1",
    "9223372036854775808",
    "9" * 4300,
    "9" * 5000,
    "0x" + "f" * 5000,
    "1.5",
    "1e400",
    "inf",
    "nan",
    "true",
    "1979-05-27",
    "1979-05-27T07:32:00Z",
    "0001-01-01T00:00:00+23:59",
    "07:32:00",
    "[]",
    "{}",
    "[[]]",
    '[{a = 1}, "x", 1]',
    '{"" = {}}',
    '""',
    '" "',
    '"²"',
    '"\\u0000"',
    '"\\ud800"',
    '"\\u2028\\u202e"',
    '"https://["',
    '"https://[::1"',
    '"https://x:99999999"',
    '"https://x:²"',
    '"https://\\u2100.example"',
    '"1!"',
    '"' + "1" * 4096 + '"',
    '"' + "1" * 4097 + '"',
    '"' + "1" * 5000 + '"',
    '"' + "a/" * 2000 + '"',
    '"\ud800"',
    '"{version}{version}"',
    '"*"',
    "[" * 200 + "]" * 200,
    "[" * 5000,
    "{a=" * 200 + "1" + "}" * 200,
)
"""TOML that a careless reader fails at; some of it is not TOML."""
