"""Just enough DER (X.690) to read a time-stamp request and write a time-stamp token."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

INTEGER, BOOLEAN, OCTETS, NULL, OID = 0x02, 0x01, 0x04, 0x05, 0x06
UTC_TIME, GENERALIZED_TIME, SEQUENCE, SET = 0x17, 0x18, 0x30, 0x31
_LONG = 0x80


def tlv(tag: int, *contents: bytes) -> bytes:
    """Write one element of a one-byte tag and its contents."""
    body = b"".join(contents)
    if len(body) < _LONG:
        return bytes((tag, len(body))) + body
    length = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes((tag, _LONG | len(length))) + length + body


def sequence(*items: bytes) -> bytes:
    """Write a SEQUENCE."""
    return tlv(SEQUENCE, *items)


def set_of(*items: bytes) -> bytes:
    """Write a SET OF, sorted as DER demands."""
    return tlv(SET, *sorted(items))


def explicit(number: int, *items: bytes) -> bytes:
    """Write a constructed, context-specific element."""
    return tlv(0xA0 | number, *items)


def integer(value: int) -> bytes:
    """Write an INTEGER in as few octets as hold it (X.690 section 8.3.2)."""
    bits = (value if value >= 0 else ~value).bit_length()
    return tlv(INTEGER, value.to_bytes(bits // 8 + 1, "big", signed=True))


def octets(value: bytes) -> bytes:
    """Write an OCTET STRING."""
    return tlv(OCTETS, value)


def null() -> bytes:
    """Write a NULL."""
    return tlv(NULL)


def utf8(value: str) -> bytes:
    """Write a UTF8String."""
    return tlv(0x0C, value.encode("utf-8"))


def oid(dotted: str) -> bytes:
    """Write an OBJECT IDENTIFIER."""
    first, second, *rest = (int(part) for part in dotted.split("."))
    return tlv(OID, *(_base128(arc) for arc in (first * 40 + second, *rest)))


def generalized_time(moment: datetime) -> bytes:
    """Write a GeneralizedTime, its fraction of a second without trailing zeros (X.690 section 11.7)."""
    digits = moment.astimezone(UTC).strftime("%Y%m%d%H%M%S.%f").rstrip("0").rstrip(".")
    return tlv(GENERALIZED_TIME, f"{digits}Z".encode("ascii"))


def utc_time(moment: datetime) -> bytes:
    """Write a UTCTime, as CMS wants for years up to 2049 (RFC 5652 section 11.3)."""
    return tlv(UTC_TIME, moment.astimezone(UTC).strftime("%y%m%d%H%M%SZ").encode("ascii"))


def _base128(arc: int) -> bytes:
    septets = [arc & 0x7F]
    while arc := arc >> 7:
        septets.append(arc & 0x7F | 0x80)
    return bytes(reversed(septets))


@dataclass(frozen=True, kw_only=True, slots=True)
class Element:
    """One parsed element.

    Attributes:
        tag: Its identifier octet.
        content: Its contents.
        raw: The whole element, as received.
    """

    tag: int
    content: bytes
    raw: bytes

    def integer(self) -> int:
        """Return the contents as a signed number."""
        return int.from_bytes(self.content, "big", signed=True)


def read(data: bytes) -> tuple[Element, ...]:
    """Parse a sequence of elements, to the end of the data.

    Raises:
        ValueError: It is not DER with one-byte tags, or is truncated.
    """
    elements = []
    while data:
        header, length = _header(data)
        if len(data) < header + length:
            message = f"cut short: {header + length} bytes announced, {len(data)} left"
            raise ValueError(message)
        elements.append(
            Element(tag=data[0], content=data[header : header + length], raw=data[: header + length])
        )
        data = data[header + length :]
    return tuple(elements)


def _header(data: bytes) -> tuple[int, int]:
    if len(data) < 2 or data[0] & 0x1F == 0x1F:
        message = "not an element with a one-byte tag"
        raise ValueError(message)
    if data[1] < _LONG:
        return 2, data[1]
    count = data[1] & 0x7F
    length = int.from_bytes(data[2 : 2 + count], "big")
    if not 1 <= count <= 4 or len(data) < 2 + count or length < _LONG:
        message = "not a definite DER length"
        raise ValueError(message)
    return 2 + count, length
