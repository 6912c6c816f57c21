"""Strict reader of a ZIP file's parts: end records, central entries and extra fields.

Numbers in comments are sections of PKWARE's APPNOTE.TXT 6.3.10.
"""

from __future__ import annotations

import struct
from typing import Any, BinaryIO

from pip_warden.artifact.limits import MOST_MEMBERS
from pip_warden.artifact.problem import problem
from pip_warden.artifact.tree import unsafe
from pip_warden.faults import FaultError
from pip_warden.values import dataclass

LOCAL_SIGNATURE = b"PK\x03\x04"
END_SIGNATURE = b"PK\x05\x06"
_CENTRAL_SIGNATURE = b"PK\x01\x02"
LOCAL = struct.Struct("<4s2B4H3L2H")  # 4.3.7
_CENTRAL = struct.Struct("<4s4B4H3L5H2L")  # 4.3.12
_END = struct.Struct("<4s4H2LH")  # 4.3.16
_END64_LOCATOR = struct.Struct("<4sLQL")  # 4.3.15
_END64 = struct.Struct("<4sQ2H2L4Q")  # 4.3.14
_LARGEST_DIRECTORY = 128 << 20

STORED, _DEFLATED = 0, 8
STREAMED, UTF8 = 0x8, 0x800
# 4.4.4: deflate's level, data descriptor, names in UTF-8; nothing encrypted or patched
_FLAGS = 0x6 | STREAMED | UTF8
_ELSEWHERE = 0xFFFFFFFF
ZIP64 = 0x0001
# 4.6.1: times and owners; no second names
_HARMLESS_EXTRAS = frozenset({0x000A, 0x5455, 0x5855, 0x7855, 0x7875})
_REGULAR, _DIRECTORY = 0o100000, 0o040000


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """A central entry, not yet compared with its local header.

    Attributes:
        name: Its path, not decoded.
        flags: General purpose flags.
        method: 0 stored, 8 deflated.
        stamp: Time and date, not decoded.
        crc: CRC-32 of the content.
        packed: Bytes in the archive.
        size: Bytes of content.
        offset: Where its local header begins.
    """

    name: bytes
    flags: int
    method: int
    stamp: tuple[int, int]
    crc: int
    packed: int
    size: int
    offset: int


def read_end(stream: BinaryIO, size: int) -> tuple[int, int, int]:
    """Read the one end record, the file's last 22 bytes: without a comment nothing can hide behind it.

    Returns:
        Where the central directory begins and ends, and how many entries it has.

    Raises:
        FaultError: ``malformed-wheel`` or ``archive-too-large``.
    """
    at = size - _END.size
    if at < 0:
        raise malformed_zip("a file too short for an end record")
    stream.seek(at)
    signature, disk, first_disk, here, count, length, offset, comment = read_struct(_END, stream)
    if signature != END_SIGNATURE or comment:
        raise malformed_zip("a comment, or further bytes, behind the end record")
    if (disk, first_disk, here) != (0, 0, count):
        raise malformed_zip("an archive of several disks")
    wide = _read_end64(stream, at)
    if wide is not None:
        at, stated = wide[0], wide[1:]
        narrow = (min(stated[0], 0xFFFF), min(stated[1], _ELSEWHERE), min(stated[2], _ELSEWHERE))
        if any(value not in {limit, full} for value, limit, full in zip(
            (count, length, offset), narrow, (0xFFFF, _ELSEWHERE, _ELSEWHERE), strict=True
        )):  # fmt: skip
            raise malformed_zip("two end records that disagree")
        count, length, offset = stated
    if offset + length != at:
        raise malformed_zip("an end record that does not follow the central directory it states")
    if not 0 < count <= MOST_MEMBERS or length > _LARGEST_DIRECTORY:
        raise problem("archive-too-large", f"1 to {MOST_MEMBERS} members", f"{count}, in {length} bytes")
    return offset, at, count


def _read_end64(stream: BinaryIO, end: int) -> tuple[int, int, int, int] | None:
    """Read the ZIP64 end record and its locator, if any: directly before the end record, in this order."""
    at = end - _END64_LOCATOR.size
    if at < 0:
        return None
    stream.seek(at)
    signature, disk, offset, disks = read_struct(_END64_LOCATOR, stream)
    if signature != b"PK\x06\x07":
        return None
    if (disk, disks, offset) != (0, 1, at - _END64.size):
        raise malformed_zip("a ZIP64 end record that is not where it belongs")
    stream.seek(offset)
    signature, length, _, _, disk, first_disk, here, count, size, start = read_struct(_END64, stream)
    if (signature, length, disk, first_disk, here) != (b"PK\x06\x06", _END64.size - 12, 0, 0, count):
        raise malformed_zip("a ZIP64 end record of another form")
    return offset, count, size, start


def read_directory(raw: bytes, count: int) -> list[Entry]:
    """Read the central directory.

    Args:
        raw: Its bytes.
        count: How many entries it has.

    Raises:
        FaultError: ``malformed-wheel`` or ``unsafe-member``.
    """
    entries, position = [], 0
    for _ in range(count):
        entry, position = _read_entry(raw, position)
        entries.append(entry)
    if position != len(raw):
        raise malformed_zip("a central directory with more or fewer entries than stated")
    return entries


def _read_entry(raw: bytes, position: int) -> tuple[Entry, int]:
    if len(raw) < position + _CENTRAL.size:
        raise malformed_zip("a central directory with fewer entries than stated")
    fields = _CENTRAL.unpack_from(raw, position)
    signature, _, _, _, _, flags, method, time, date, crc, packed, size = fields[:12]
    name_length, extra_length, comment_length, disk, _, attributes, offset = fields[12:]
    position += _CENTRAL.size
    end = position + name_length + extra_length
    if signature != _CENTRAL_SIGNATURE or disk or comment_length or end > len(raw):
        raise malformed_zip("a central entry of another form")
    name = raw[position : position + name_length]
    extra = read_extra(raw[position + name_length : end])
    size, packed, offset = widened(extra, (size, packed, offset))
    entry = Entry(
        name=name, flags=flags, method=method, stamp=(time, date),
        crc=crc, packed=packed, size=size, offset=offset,
    )  # fmt: skip
    _check_kind(entry, attributes)
    return entry, end


def _check_kind(entry: Entry, attributes: int) -> None:
    """Allow plain files and directories, stored or deflated; no links, devices or encryption."""
    mode = attributes >> 16
    is_directory = entry.name.endswith(b"/")
    wanted = {0, _DIRECTORY} if is_directory else {0, _REGULAR}
    says_directory = bool(attributes & 0x10)
    # Without a type some installers look at the permissions and others do not.
    is_vague = mode & 0o170000 == 0 and mode & 0o111 and not is_directory
    if mode & 0o170000 not in wanted or is_vague or (says_directory and not is_directory):
        raise unsafe(
            "plain files and directories", f"a link, a device or another special file: {shown_name(entry)}"
        )
    if entry.flags & ~_FLAGS or entry.method not in {STORED, _DEFLATED}:
        raise malformed_zip(
            f"an encrypted member, or one packed in another way than deflate: {shown_name(entry)}"
        )
    if is_directory and (entry.size or (entry.method == _DEFLATED and entry.flags & STREAMED)):
        raise malformed_zip(f"a directory with content: {shown_name(entry)}")
    if entry.method == STORED and entry.packed != entry.size:
        raise malformed_zip(f"a stored member with two sizes: {shown_name(entry)}")
    if entry.method == STORED and entry.flags & STREAMED and entry.size:
        raise malformed_zip(
            f"a stored member whose end only the central directory knows: {shown_name(entry)}"
        )


def read_extra(raw: bytes) -> dict[int, bytes]:
    """Read extra fields (4.5); one that could rename the member (0x7075) or is unknown is refused.

    Raises:
        FaultError: ``malformed-wheel``.
    """
    found: dict[int, bytes] = {}
    while raw:
        if len(raw) < 4:
            raise malformed_zip("an extra field that is cut off")
        kind, length = struct.unpack_from("<2H", raw)
        value, raw = raw[4 : 4 + length], raw[4 + length :]
        if len(value) != length or kind in found or kind not in _HARMLESS_EXTRAS | {ZIP64}:
            raise malformed_zip(f"an extra field that is cut off, repeated or unknown: 0x{kind:04x}")
        found[kind] = value
    return found


def widened(extra: dict[int, bytes], narrow: tuple[int, ...]) -> tuple[int, ...]:
    """Replace the plain fields that say so by their values in the ZIP64 field (4.5.3).

    Args:
        extra: The extra fields.
        narrow: The plain fields: sizes, and where a local header begins.

    Raises:
        FaultError: ``malformed-wheel``.
    """
    count = narrow.count(_ELSEWHERE)
    wide = extra.get(ZIP64, b"")
    if len(wide) != 8 * count:
        raise malformed_zip("a ZIP64 field that holds other values than it should")
    values = iter(struct.unpack(f"<{count}Q", wide))
    return tuple(next(values) if value == _ELSEWHERE else value for value in narrow)


def read_struct(form: struct.Struct, stream: BinaryIO) -> tuple[Any, ...]:
    """Read a header of a fixed form at the stream's position.

    Raises:
        FaultError: ``malformed-wheel``: it is cut off.
    """
    raw = stream.read(form.size)
    if len(raw) != form.size:
        raise malformed_zip("a header that is cut off")
    return form.unpack(raw)


def shown_name(entry: Entry) -> str:
    """Return a member's name for people: its bytes, since they may not be text."""
    return repr(entry.name)[1:]


def malformed_zip(found: str) -> FaultError:
    """Return the fault of a ZIP file that readers could disagree about."""
    return problem(
        "malformed-wheel",
        "a ZIP file whose parts all agree",
        found,
        hint="Readers could disagree about what is in it, so it is not used. "
        "Ask its publisher to build it again.",
    )
