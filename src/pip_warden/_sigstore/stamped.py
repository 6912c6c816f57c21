"""The time in a time-stamp response, to the fraction of a second.

The library that verifies time stamps leaves the fraction out, and so would take one of half a second after a certificate's end.

Sources: RFC 3161 section 2.4.2 (``TSTInfo``), RFC 5652 section 5 (``SignedData``), X.690 section 11.7 (``GeneralizedTime`` in DER).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

from pip_warden._sigstore.fields import Malformed

_LONG_FORM = 0x80
_GENERALIZED_TIME = 0x18
_TIME = re.compile(rb"([0-9]{14})(?:\.([0-9]{0,5}[1-9]))?Z")

_TO_GEN_TIME = (0, 1, 1, 0, 2, 1, 0, 0, 4)
"""Which element to enter, level by level: the response; its token; the token's content ([0]), signed data, what it encapsulates, the
content of that ([0]), an octet string, which holds a ``TSTInfo``, and there the fifth."""


def gen_time(response: bytes) -> datetime:
    """Return ``genTime`` of a ``TimeStampResp`` in DER, aware UTC. Nothing is verified.

    Raises:
        Malformed: It is not there, or finer than microseconds.
    """
    tag, content = 0, response
    for at in _TO_GEN_TIME:
        tag, content = _element(content, at)
    found = _TIME.fullmatch(content) if tag == _GENERALIZED_TIME else None
    if found is None:
        raise Malformed("a time-stamp response without a time in whole microseconds")
    seconds, fraction = (part.decode("ascii") for part in found.groups(default=b""))
    try:
        return datetime.strptime(f"{seconds}.{fraction or 0}", "%Y%m%d%H%M%S.%f").replace(tzinfo=UTC)
    except ValueError as err:
        raise Malformed(f"a time-stamp response of the time {seconds}") from err


def _element(data: bytes, at: int) -> tuple[int, bytes]:
    """Return tag and content of one of the elements in a row."""
    for _ in range(at):
        _, _, data = _first(data)
    tag, content, _ = _first(data)
    return tag, content


def _first(data: bytes) -> tuple[int, bytes, bytes]:
    """Return the first element's tag and content, and what follows it."""
    if len(data) < 2:
        raise Malformed("a time-stamp response that is cut short")
    tag, length, start = data[0], data[1], 2
    if length & _LONG_FORM:
        start += length & ~_LONG_FORM
        length = int.from_bytes(data[2:start], "big")
    if start + length > len(data):
        raise Malformed("a time-stamp response that is cut short")
    return tag, data[start : start + length], data[start + length :]
