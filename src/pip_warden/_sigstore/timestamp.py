"""Strict reader of the times in a time-stamp response.

The library that verifies time stamps ignores the fraction of a second, and so would accept one of half a
second after a certificate's end. Nor does it check the signer's other statements: that there are signed
attributes at all, and the signing time in them.

Sources: RFC 3161 section 2.4.2 (``TSTInfo``), RFC 5652 sections 5 (``SignedData``) and 11.3 (signing time),
X.690 section 11.7.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from pip_warden.strict_json import MalformedError
from pip_warden.values import dataclass

_LONG_FORM = 0x80
_UTC_TIME, _GENERALIZED_TIME, _SET, _ATTRIBUTES = 0x17, 0x18, 0x31, 0xA0
_SIGNING_TIME = bytes.fromhex("2a864886f70d010905")  # 1.2.840.113549.1.9.5
_GEN_TIME = re.compile(rb"([0-9]{14})(?:\.([0-9]{0,5}[1-9]))?Z")

_TO_SIGNED_DATA = (0, 1, 1, 0)
"""Index of the element to enter at each level: response, token, the token's content ([0]), signed data."""
_TO_GEN_TIME = (2, 1, 0, 0, 4)
"""From there: encapsulated content, its content ([0]), octet string with a ``TSTInfo``, its fifth element."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Timestamp:
    """A time stamp's times, aware UTC, not verified.

    Attributes:
        gen_time: When the data existed, to the microsecond.
        signing_time: The signer's statement of when it signed, None where absent.
    """

    gen_time: datetime
    signing_time: datetime | None


def read_timestamp(response: bytes) -> Timestamp:
    """Read a ``TimeStampResp`` in DER.

    Raises:
        MalformedError: A time is absent or finer than microseconds, or there is not one signer with signed
            attributes.
    """
    signed_data = _enter(response, _TO_SIGNED_DATA)[1]
    return Timestamp(gen_time=_gen_time(signed_data), signing_time=_signing_time(signed_data))


def _gen_time(signed_data: bytes) -> datetime:
    tag, content = _enter(signed_data, _TO_GEN_TIME)
    found = _GEN_TIME.fullmatch(content) if tag == _GENERALIZED_TIME else None
    if found is None:
        raise MalformedError("a time-stamp response without a time in whole microseconds")
    seconds, fraction = (part.decode("ascii") for part in found.groups(default=b""))
    return _moment(f"{seconds}.{fraction or 0}", "%Y%m%d%H%M%S.%f")


def _signing_time(signed_data: bytes) -> datetime | None:
    tag, signers = _elements(signed_data)[-1]
    attributes = [
        content
        for _, signer in (_elements(signers) if tag == _SET else [])
        for tag, content in _elements(signer)
        if tag == _ATTRIBUTES
    ]
    if len(attributes) != 1:
        raise MalformedError("a time-stamp response that is not signed once, with attributes")
    stated = [content for _, content in _elements(attributes[0]) if _enter(content, (0,))[1] == _SIGNING_TIME]
    if not stated:
        return None
    if len(stated) > 1 or len(_elements(_enter(stated[0], (1,))[1])) != 1:
        raise MalformedError("a time-stamp response with several signing times")
    tag, text = _enter(stated[0], (1, 0))
    form = {_UTC_TIME: "%y%m%d%H%M%SZ", _GENERALIZED_TIME: "%Y%m%d%H%M%SZ"}.get(tag)
    if form is None or not text.isascii():
        raise MalformedError("a time-stamp response whose signing time is no time")
    return _moment(text.decode("ascii"), form)


def _moment(text: str, form: str) -> datetime:
    try:
        return datetime.strptime(text, form).replace(tzinfo=UTC)
    except ValueError as err:
        raise MalformedError(f"a time-stamp response of the time {text[:40]!r}") from err


def _enter(data: bytes, way: tuple[int, ...]) -> tuple[int, bytes]:
    """Return tag and content of the element at a path: each step is the index of an element at its level."""
    tag = 0
    for at in way:
        elements = _elements(data)
        if at >= len(elements):
            raise MalformedError("a time-stamp response that lacks something")
        tag, data = elements[at]
    return tag, data


def _elements(data: bytes) -> list[tuple[int, bytes]]:
    """Return tag and content of each consecutive element, at least one."""
    found: list[tuple[int, bytes]] = []
    at = 0
    while at < len(data) or not found:
        if len(data) < at + 2:
            raise MalformedError("a time-stamp response that is cut short")
        tag, length, start = data[at], data[at + 1], at + 2
        if length & _LONG_FORM:
            start += length & ~_LONG_FORM
            length = int.from_bytes(data[at + 2 : start], "big")
        at = start + length
        if at > len(data):
            raise MalformedError("a time-stamp response that is cut short")
        found.append((tag, data[start:at]))
    return found
