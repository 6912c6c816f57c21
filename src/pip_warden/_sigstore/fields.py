"""Protobuf JSON read strictly, field by field: unknown fields are refused.

Sigstore's messages travel as protobuf JSON. Its usual readers are lenient in ways that leave bits unread:
base64 with other padding bits, numbers in several spellings, unknown fields. Here each value has exactly one
spelling.
"""

from __future__ import annotations

import binascii
import re

from pip_warden.strict_json import JSONValue, MalformedError

_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_LARGEST = 2**63 - 1


def canonical_base64(text: str, where: str) -> bytes:
    """Decode standard base64 that encodes back to the same text.

    Raises:
        MalformedError: It is not base64, or not its one canonical spelling (RFC 4648 section 3.5).
    """
    try:
        data = binascii.a2b_base64(text, strict_mode=True)
    except (binascii.Error, ValueError) as err:
        raise MalformedError(f"{where} is not base64") from err
    if base64_of(data) != text:
        raise MalformedError(f"{where} is not canonical base64")
    return data


def base64_of(data: bytes) -> str:
    """Encode bytes for protobuf JSON, as :func:`canonical_base64` decodes them."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")


class Fields:
    """A JSON object whose fields are taken one by one; :meth:`done` refuses the rest.

    A field that is ``null`` counts as absent, as in protobuf JSON.
    """

    def __init__(self, value: JSONValue, where: str) -> None:
        if not isinstance(value, dict):
            raise MalformedError(f"{where} is not an object")
        self._values = value
        self._unread = set(value)
        self.where = where

    def has(self, key: str) -> bool:
        """Return whether a field is present; a null one is not, and counts as taken."""
        if self._values.get(key) is not None:
            return True
        self._unread.discard(key)
        return False

    def take(self, key: str) -> JSONValue:
        """Take a value of any type, None where absent."""
        self._unread.discard(key)
        return self._values.get(key)

    def text(self, key: str, default: str | None = None) -> str:
        """Take a string; without a default it is required."""
        value = self.take(key)
        if isinstance(value, str):
            return value
        if value is None and default is not None:
            return default
        raise MalformedError(f"{self._path(key)} is {'missing' if value is None else 'not a string'}")

    def data(self, key: str, *, size: int | None = None, empty: bool = False) -> bytes:
        """Take bytes in canonical base64; absent is empty.

        Args:
            key: The field.
            size: The exact length required.
            empty: Whether it may be empty.
        """
        data = canonical_base64(self.text(key, ""), self._path(key))
        if size is not None and len(data) != size:
            raise MalformedError(f"{self._path(key)} has {len(data)} bytes, not {size}")
        if not data and not empty:
            raise MalformedError(f"{self._path(key)} is missing or empty")
        return data

    def number(self, key: str) -> int:
        """Take a 64-bit number, written as a canonical decimal string; absent is 0."""
        text = self.text(key, "0")
        if not _NUMBER.fullmatch(text) or int(text) > _LARGEST:
            raise MalformedError(f"{self._path(key)} is no canonical decimal number")
        return int(text)

    def child(self, key: str) -> Fields:
        """Take a required object."""
        return Fields(self.take(key), self._path(key))

    def optional(self, key: str) -> Fields | None:
        """Take an optional object, None where absent."""
        value = self.take(key)
        return None if value is None else Fields(value, self._path(key))

    def items(self, key: str, *, most: int) -> list[JSONValue]:
        """Take a list of at most ``most`` values; absent is empty."""
        value = self.take(key)
        if value is None:
            return []
        if not isinstance(value, list):
            raise MalformedError(f"{self._path(key)} is not a list")
        if len(value) > most:
            raise MalformedError(f"{self._path(key)} has {len(value)} entries, more than {most}")
        return value

    def children(self, key: str, *, most: int) -> list[Fields]:
        """Take a list of at most ``most`` objects; absent is empty."""
        path = self._path(key)
        return [Fields(item, f"{path}[{at}]") for at, item in enumerate(self.items(key, most=most))]

    def done(self) -> None:
        """Refuse every field that was not taken."""
        if self._unread:
            raise MalformedError(f"{self.where} has the unknown field {min(self._unread)[:80]!r}")

    def _path(self, key: str) -> str:
        return f"{self.where}.{key}"
