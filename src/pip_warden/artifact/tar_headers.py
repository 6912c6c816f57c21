"""Strict reader of tar header blocks and pax records (POSIX.1-2001 ``pax`` and ``ustar``, GNU).

Every number is read strictly, also those that are not used here: a reader that fails on one may silently drop
the member and all after it, and a lenient one may read another value.
"""

from __future__ import annotations

import re

from pip_warden.artifact.problem import problem
from pip_warden.artifact.tree import unsafe
from pip_warden.faults import FaultError
from pip_warden.values import dataclass

BLOCK = 512
"""Bytes of a header; every content is padded to a multiple of it."""
REGULAR, HARD, SYMBOLIC, DIRECTORY = b"0", b"1", b"2", b"5"
PAX, GLOBAL, LONG_NAME, LONG_LINK = b"x", b"g", b"L", b"K"

_OLD_REGULAR = b"\0"
_MEMBERS = frozenset({REGULAR, HARD, SYMBOLIC, DIRECTORY})
_POSIX, _GNU = b"ustar\x0000", b"ustar  \0"
_DIALECT_OF = {PAX: _POSIX, GLOBAL: _POSIX, LONG_NAME: _GNU, LONG_LINK: _GNU}
_DIGITS = re.compile(rb"([0-7]+)[ \0]+", re.ASCII)
_NUMBERS = ((100, 108), (124, 136), (136, 148))
"""The fields of mode, size and time."""
_MAY_BE_EMPTY = ((108, 116), (116, 124), (329, 337), (337, 345))
"""User, group and device: tools without a value leave the whole field NUL."""
_SIZE, _CHECKSUM = slice(124, 136), slice(148, 156)

_PAX_PATHS = frozenset({"path", "linkpath"})
_PAX_TEXTS = frozenset({"uname", "gname", "comment"})
_LONGEST_TEXT = 255
"""Characters of a text that is not a path.

``tarfile`` before Python 3.11.10 and 3.12.6 takes quadratic time for a run of digits (CVE-2024-6232).
"""
_PAX_NUMBERS = frozenset({"size", "uid", "gid"})
_PAX_TIMES = frozenset({"mtime", "atime", "ctime"})
_WHOLE = re.compile(r"0|[1-9][0-9]{0,11}", re.ASCII)
_MOST_IDS = 1 << 32
_TIME = re.compile(r"[0-9]{1,10}(\.[0-9]{1,20})?", re.ASCII)
"""Seconds that an installer can set: ten digits fit a file system's 64-bit nanoseconds; no nan or inf."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Header:
    """What one header block says.

    Attributes:
        kind: The type flag; ``b"0"`` also for the old flag of a regular file.
        dialect: Magic and version.
        name: The path in this block; with U+FFFD where GNU tar cut it within a character.
        link: A link's target, ``""`` for others.
        size: Bytes of content.
    """

    kind: bytes
    dialect: bytes
    name: str
    link: str
    size: int


def read_header(raw: bytes) -> Header:
    """Read a header block of 512 bytes.

    Raises:
        FaultError: ``malformed-sdist``, or ``unsafe-member`` for a type other than file, directory or link.
    """
    unsigned = sum(raw) - sum(raw[_CHECKSUM]) + 8 * 0x20
    if _octal(raw[_CHECKSUM]) != unsigned:
        raise malformed_sdist("headers with their checksum", "another checksum")
    dialect, kind = raw[257:265], raw[156:157]
    if dialect not in {_POSIX, _GNU} or _DIALECT_OF.get(kind, dialect) != dialect:
        raise malformed_sdist("ustar and pax, or GNU headers", f"{dialect!r} on a header of type {kind!r}")
    for begin, end in _NUMBERS:
        _octal(raw[begin:end])
    for begin, end in _MAY_BE_EMPTY:
        if raw[begin:end].strip(b"\0"):
            _octal(raw[begin:end])
    name, prefix = _cut_text(raw[0:100], dialect), text(raw[345:500])
    if (prefix and dialect == _GNU) or raw[500:].strip(b"\0"):
        raise malformed_sdist("GNU headers without a prefix, and no marks of other dialects", repr(prefix))
    if kind == _OLD_REGULAR and name.endswith("/"):
        raise malformed_sdist(
            "one type of each member", f"a file that old readers take for a directory, {name!r}"
        )
    kind = REGULAR if kind == _OLD_REGULAR else kind
    if kind not in _MEMBERS | _DIALECT_OF.keys():
        raise unsafe("plain files, directories and links", f"a member of type {kind!r}, {name!r}")
    return Header(
        kind=kind,
        dialect=dialect,
        name=f"{prefix}/{name}" if prefix else name,
        link=_cut_text(raw[157:257], dialect),
        size=_octal(raw[_SIZE]),
    )


def _cut_text(field: bytes, dialect: bytes) -> str:
    """Read a name; GNU tar cuts off a long one, maybe within a character, after a header with all of it."""
    if dialect == _GNU and b"\0" not in field:
        return field.decode("utf-8", "replace")
    return text(field)


def _octal(field: bytes) -> int:
    """Read octal digits, then NUL or space; GNU's base 256 is for 8 GiB and more, which no sdist has."""
    digits = _DIGITS.fullmatch(field)
    if digits is None:
        raise malformed_sdist("octal digits, then NUL or space, in a header's numbers", repr(field)[1:])
    return int(digits[1], 8)


def long_text(content: bytes) -> str:
    """Read the content of a GNU long name: ended by a NUL, and not empty.

    Raises:
        FaultError: ``malformed-sdist``.
    """
    found = text(content)
    if not found or not content.endswith(b"\0"):
        raise malformed_sdist("long names that end with a NUL", repr(content[-80:])[1:])
    return found


def text(field: bytes) -> str:
    """Read a name that ends at its first NUL.

    Raises:
        FaultError: ``malformed-sdist``: something follows the NUL, or it is not UTF-8.
    """
    raw, _, rest = field.partition(b"\0")
    if rest.strip(b"\0"):
        raise malformed_sdist("names that end at their first NUL", repr(field[:200])[1:])
    return _decoded(raw)


def read_pax(raw: bytes) -> dict[str, str]:
    """Read pax records: the record's length, a key, a value and a line feed; each key known, and once.

    No value may have a line feed: readers that go by lines would see another record behind it.

    Raises:
        FaultError: ``malformed-sdist``.
    """
    found: dict[str, str] = {}
    at = 0
    if not raw:
        raise malformed_sdist("pax records in a pax header", "none")
    while at < len(raw):
        digits, space, _ = raw[at : at + 20].partition(b" ")
        length = int(digits) if digits.isdigit() and not digits.startswith(b"0") else 0
        record = raw[at + len(digits) + 1 : at + length]
        key, equals, value = record[:-1].partition(b"=")
        if (
            not (space and equals and record.endswith(b"\n"))
            or b"\n" in record[:-1]
            or at + length > len(raw)
        ):
            raise malformed_sdist("well-formed pax records", repr(raw[at : at + 80])[1:])
        name = _decoded(key)
        if name in found:
            raise malformed_sdist("each pax record once", repr(name[:80]))
        found[name] = _pax_value(name, value)
        at += length
    return found


def _pax_value(name: str, value: bytes) -> str:
    known = _decoded(value)
    if name in _PAX_PATHS or (name in _PAX_TEXTS and len(known) <= _LONGEST_TEXT):
        return known
    form = _WHOLE if name in _PAX_NUMBERS else _TIME if name in _PAX_TIMES else None
    if form is None or not form.fullmatch(known) or (name in {"uid", "gid"} and int(known) >= _MOST_IDS):
        raise malformed_sdist(
            "known pax records, with short texts and finite decimal numbers", repr(f"{name}={known}"[:80])
        )
    return known


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as err:
        raise malformed_sdist("names in UTF-8", repr(raw[:200])[1:]) from err


def malformed_sdist(expected: str, found: str) -> FaultError:
    """Return the fault of an sdist that is not well-formed."""
    return problem(
        "malformed-sdist",
        expected,
        found,
        hint="Readers could disagree about what is in it, so it is not used. "
        "Ask its publisher to build it again.",
    )
