"""Strict JSON: duplicate keys, non-finite numbers, lone surrogates, deep nesting and large input fail.

Two readers that disagree about a duplicate key disagree about what was signed (RFC 8259 section 4 leaves it
open). A lone surrogate is not Unicode text: it cannot be written again, and readers disagree about it
(section 8.2). Time and memory are linear in the length of the input.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections import Counter
from typing import NoReturn, TypeAlias

JSONValue: TypeAlias = "bool | int | float | str | list[JSONValue] | dict[str, JSONValue] | None"

_DEEPEST = 64
_LARGEST = int(sys.float_info.max)
_SURROGATE = re.compile("[\ud800-\udfff]")


_ESCAPE = re.compile(r"\\u(d[89ab]..\\ud[c-f]..|(?P<half>d[89a-f]..))|\\.")
"""An escape as :mod:`json` writes it: a pair of surrogates is one character, and one alone is half of one."""


class MalformedError(ValueError):
    """Input is not strictly valid; the message says why. Rooms that read turn it into a fault or an error.

    Attributes:
        code: The refusal code it becomes, "" where the reader's usual one will do.
    """

    def __init__(self, message: str, *, code: str = "") -> None:
        super().__init__(message)
        self.code = code


def loads(raw: bytes | str, *, max_bytes: int) -> JSONValue:
    """Parse strict UTF-8 JSON.

    Args:
        raw: The text; bytes must be UTF-8 without a byte order mark.
        max_bytes: The longest input accepted.

    Raises:
        MalformedError: It is too large, not UTF-8, not JSON, repeats a key, nests too deep, or holds a lone
            surrogate or a non-finite number.
    """
    if len(raw) > max_bytes:
        raise MalformedError(f"larger than {max_bytes} bytes")
    try:
        text = raw.decode("utf-8") if isinstance(raw, bytes) else raw
        # json.loads names a byte order mark, which the decoder by itself takes for any other wrong letter.
        value: JSONValue = json.loads(text) if text.startswith("\ufeff") else _DECODER.decode(text)
    except UnicodeDecodeError as err:
        raise MalformedError("not UTF-8") from err
    except RecursionError as err:
        raise MalformedError("nested too deep") from err
    except MalformedError:
        raise
    except ValueError as err:
        raise MalformedError(f"not JSON: {err}") from err
    _check(value, _DEEPEST)
    return value


def loads_object(raw: bytes | str, *, max_bytes: int) -> dict[str, JSONValue]:
    """Parse strict JSON whose top level is an object.

    Raises:
        MalformedError: As for :func:`loads`, or the top level is not an object.
    """
    value = loads(raw, max_bytes=max_bytes)
    if not isinstance(value, dict):
        raise MalformedError(f"expected an object, found {kind_of(value)}")
    return value


def dumps(value: JSONValue, *, indent: int | None = None) -> str:
    r"""Write JSON that every strict reader reads (:func:`loads`), in ASCII only.

    Half a character, as in the name of a file that is no UTF-8, is escaped as in all that is shown
    (:func:`~pip_warden.display.escape_text`): it reads as the text ``\udcff``.

    Args:
        value: The value.
        indent: Spaces for each level; None for one line.
    """
    text = json.dumps(value, indent=indent)
    return _ESCAPE.sub(lambda found: f"\\{found[0]}" if found["half"] else found[0], text)


def kind_of(value: JSONValue) -> str:
    """Name the kind of a value in JSON's terms."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case list():
            return "an array"
        case dict():
            return "an object"


def _object(pairs: list[tuple[str, JSONValue]]) -> dict[str, JSONValue]:
    result = dict(pairs)
    if len(result) != len(pairs):
        counts = Counter(key for key, _ in pairs)
        twice = next(key for key, count in counts.items() if count > 1)
        raise MalformedError(f"key {twice[:80]!r} appears twice")
    return result


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise MalformedError(f"the number {text[:40]} is beyond all bounds")
    return value


def _constant(text: str) -> NoReturn:
    raise MalformedError(f"{text} is not JSON")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=_number, parse_constant=_constant)


def _check(value: JSONValue, left: int) -> None:
    """Check every value once, in the document's order: its depth, and that text is valid Unicode.

    Nearly all of a long document is plain text, and a call for each costs more than reading it.
    """
    if left == 0:
        raise MalformedError("nested too deep")
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, int):
        _check_whole(value)
    elif isinstance(value, dict):
        for key, item in value.items():
            if not (left > 1 and key.isascii() and type(item) is str and item.isascii()):
                _check_text(key)
                _check(item, left - 1)
    elif isinstance(value, list):
        for item in value:
            if not (left > 1 and type(item) is str and item.isascii()):
                _check(item, left - 1)


def _check_whole(value: int) -> None:
    """Refuse integers beyond a double's range, which many readers use (RFC 8259 section 6)."""
    if not -_LARGEST <= value <= _LARGEST:
        raise MalformedError("a whole number beyond all bounds")


def _check_text(text: str) -> None:
    if not text.isascii() and _SURROGATE.search(text):
        raise MalformedError(f"half a character (a lone surrogate) in {text[:80]!r}")
