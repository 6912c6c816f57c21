"""The structure of a ZIP file, read so that no two readers can disagree about it (T40).

Installers differ in which part of a ZIP they believe: the central directory, the local headers, the first or the last end record, a
second name in an extra field (CVE-2025-54368, PyPI blog 2025-08-07). A file passes only where all parts say the same and every byte
belongs to exactly one of them. Numbers in comments are sections of PKWARE's APPNOTE.TXT 6.3.10.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO

from pip_warden.artifact.inflate import inflate
from pip_warden.artifact.limits import CHUNK, MOST_MEMBERS, most_unpacked
from pip_warden.artifact.problem import MalformedError
from pip_warden.artifact.tree import Tree, unsafe

LOCAL_SIGNATURE = b"PK\x03\x04"
END_SIGNATURE = b"PK\x05\x06"
_CENTRAL_SIGNATURE = b"PK\x01\x02"
_DESCRIPTOR_SIGNATURE = b"PK\x07\x08"
_LOCAL = struct.Struct("<4s2B4H3L2H")  # 4.3.7
_CENTRAL = struct.Struct("<4s4B4H3L5H2L")  # 4.3.12
_END = struct.Struct("<4s4H2LH")  # 4.3.16
_END64_LOCATOR = struct.Struct("<4sLQL")  # 4.3.15
_END64 = struct.Struct("<4sQ2H2L4Q")  # 4.3.14
_LARGEST_DIRECTORY = 128 << 20

_STORED, _DEFLATED = 0, 8
_STREAMED, _UTF8 = 0x8, 0x800
_FLAGS = (
    0x6 | _STREAMED | _UTF8
)  # 4.4.4: deflate's level, data descriptor, names in UTF-8; nothing encrypted or patched
_ELSEWHERE = 0xFFFFFFFF
_ZIP64 = 0x0001
_HARMLESS_EXTRAS = frozenset(
    {0x000A, 0x5455, 0x5855, 0x7855, 0x7875}
)  # 4.6.1: times and owners; no second names
_REGULAR, _DIRECTORY = 0o100000, 0o040000


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """One member, as its central entry and its local header agree on it.

    Attributes:
        name: Its path; a directory's ends in a slash.
        method: 0 stored, 8 deflated.
        crc: CRC-32 of the content.
        packed: Bytes in the archive.
        size: Bytes of content.
        offset: Where its local header begins.
        begins: Where its packed bytes begin.
    """

    name: str
    method: int
    crc: int
    packed: int
    size: int
    offset: int
    begins: int

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory."""
        return self.name.endswith("/")


@dataclass(frozen=True, kw_only=True, slots=True)
class _Entry:
    """A central entry, before its local header has agreed."""

    name: bytes
    flags: int
    method: int
    stamp: tuple[int, int]
    crc: int
    packed: int
    size: int
    offset: int


def read_members(stream: BinaryIO, size: int) -> tuple[Member, ...]:
    """Read the structure of a ZIP file of ``size`` bytes.

    Raises:
        MalformedError: ``malformed-wheel``, ``unsafe-member`` or ``archive-too-large``.
    """
    directory, end, count = _read_end(stream, size)
    stream.seek(directory)
    raw = stream.read(end - directory)
    if END_SIGNATURE in raw:
        raise _bad("a second end record in the central directory")
    entries, tree = _read_directory(raw, count), Tree()
    if sum(entry.size for entry in entries) > most_unpacked(size):
        raise MalformedError(
            "archive-too-large",
            f"at most {most_unpacked(size)} bytes unpacked from {size}",
            str(sum(entry.size for entry in entries)),
        )
    members, position = [], 0
    for entry in sorted(entries, key=lambda entry: entry.offset):
        if entry.offset != position:
            raise _bad(f"bytes that belong to no member, or to two, before {_shown(entry)}")
        member, position = _read_local(stream, entry)
        tree.add(member.name.removesuffix("/"), is_directory=member.is_directory)
        members.append(member)
    if position != directory:
        raise _bad("bytes between the last member and the central directory")
    return tuple(members)


def unpack(stream: BinaryIO, member: Member) -> Iterator[bytes]:
    """Yield a member's content in pieces, and check its size and CRC at the end.

    Raises:
        MalformedError: ``malformed-wheel``.
    """
    stream.seek(member.begins)
    stored = member.method == _STORED
    pieces = _stored(stream, member.packed) if stored else inflate(stream, member.packed, "malformed-wheel")
    size, crc = 0, 0
    for piece in pieces:
        size, crc = size + len(piece), zlib.crc32(piece, crc)
        if size > member.size:
            break
        yield piece
    if (size, crc) != (member.size, member.crc):
        raise _bad(f"content with another size or CRC than stated, of {member.name!r}")


def _stored(stream: BinaryIO, left: int) -> Iterator[bytes]:
    while left:
        piece = stream.read(min(left, CHUNK))
        if not piece:
            raise _bad("a member that is cut off")
        left -= len(piece)
        yield piece


def _read_end(stream: BinaryIO, size: int) -> tuple[int, int, int]:
    """Read the one end record, which is the file's last 22 bytes: without a comment nothing can hide behind it.

    Returns:
        Where the central directory begins and ends, and how many entries it has.
    """
    at = size - _END.size
    if at < 0:
        raise _bad("a file too short for an end record")
    stream.seek(at)
    signature, disk, first_disk, here, count, length, offset, comment = _unpacked(_END, stream)
    if signature != END_SIGNATURE or comment:
        raise _bad("a comment, or further bytes, behind the end record")
    if (disk, first_disk, here) != (0, 0, count):
        raise _bad("an archive of several disks")
    wide = _read_end64(stream, at)
    if wide is not None:
        at, stated = wide[0], wide[1:]
        narrow = (min(stated[0], 0xFFFF), min(stated[1], _ELSEWHERE), min(stated[2], _ELSEWHERE))
        if any(value not in {limit, full} for value, limit, full in zip(
            (count, length, offset), narrow, (0xFFFF, _ELSEWHERE, _ELSEWHERE), strict=True
        )):  # fmt: skip
            raise _bad("two end records that disagree")
        count, length, offset = stated
    if offset + length != at:
        raise _bad("an end record that does not follow the central directory it states")
    if not 0 < count <= MOST_MEMBERS or length > _LARGEST_DIRECTORY:
        raise MalformedError(
            "archive-too-large", f"1 to {MOST_MEMBERS} members", f"{count}, in {length} bytes"
        )
    return offset, at, count


def _read_end64(stream: BinaryIO, end: int) -> tuple[int, int, int, int] | None:
    """Read the ZIP64 end record and its locator, where there is one: directly before the end record, in this order."""
    at = end - _END64_LOCATOR.size
    if at < 0:
        return None
    stream.seek(at)
    signature, disk, offset, disks = _unpacked(_END64_LOCATOR, stream)
    if signature != b"PK\x06\x07":
        return None
    if (disk, disks, offset) != (0, 1, at - _END64.size):
        raise _bad("a ZIP64 end record that is not where it belongs")
    stream.seek(offset)
    signature, length, _, _, disk, first_disk, here, count, size, start = _unpacked(_END64, stream)
    if (signature, length, disk, first_disk, here) != (b"PK\x06\x06", _END64.size - 12, 0, 0, count):
        raise _bad("a ZIP64 end record of another form")
    return offset, count, size, start


def _read_directory(raw: bytes, count: int) -> list[_Entry]:
    entries, position = [], 0
    for _ in range(count):
        entry, position = _read_entry(raw, position)
        entries.append(entry)
    if position != len(raw):
        raise _bad("a central directory with more or fewer entries than stated")
    return entries


def _read_entry(raw: bytes, position: int) -> tuple[_Entry, int]:
    if len(raw) < position + _CENTRAL.size:
        raise _bad("a central directory with fewer entries than stated")
    fields = _CENTRAL.unpack_from(raw, position)
    signature, _, _, _, _, flags, method, time, date, crc, packed, size = fields[:12]
    name_length, extra_length, comment_length, disk, _, attributes, offset = fields[12:]
    position += _CENTRAL.size
    end = position + name_length + extra_length
    if signature != _CENTRAL_SIGNATURE or disk or comment_length or end > len(raw):
        raise _bad("a central entry of another form")
    name = raw[position : position + name_length]
    extra = _read_extra(raw[position + name_length : end])
    size, packed, offset = _widened(extra, (size, packed, offset))
    entry = _Entry(
        name=name, flags=flags, method=method, stamp=(time, date), crc=crc, packed=packed, size=size, offset=offset
    )  # fmt: skip
    _check_kind(entry, attributes)
    return entry, end


def _check_kind(entry: _Entry, attributes: int) -> None:
    """Allow plain files and directories, stored or deflated; no links, devices or encryption."""
    mode = attributes >> 16
    is_directory = entry.name.endswith(b"/")
    wanted = {0, _DIRECTORY} if is_directory else {0, _REGULAR}
    says_directory = bool(attributes & 0x10)
    # Without a type some installers look at the permissions and others do not.
    is_vague = mode & 0o170000 == 0 and mode & 0o111 and not is_directory
    if mode & 0o170000 not in wanted or is_vague or (says_directory and not is_directory):
        raise unsafe(
            "plain files and directories", f"a link, a device or another special file: {_shown(entry)}"
        )
    if entry.flags & ~_FLAGS or entry.method not in {_STORED, _DEFLATED}:
        raise _bad(f"an encrypted member, or one packed in another way than deflate: {_shown(entry)}")
    if is_directory and (entry.size or (entry.method == _DEFLATED and entry.flags & _STREAMED)):
        raise _bad(f"a directory with content: {_shown(entry)}")
    if entry.method == _STORED and entry.packed != entry.size:
        raise _bad(f"a stored member with two sizes: {_shown(entry)}")
    if entry.method == _STORED and entry.flags & _STREAMED and entry.size:
        raise _bad(f"a stored member whose end only the central directory knows: {_shown(entry)}")


def _read_extra(raw: bytes) -> dict[int, bytes]:
    """Read extra fields (4.5); one that could name the member anew (0x7075) or is unknown is refused."""
    found: dict[int, bytes] = {}
    while raw:
        if len(raw) < 4:
            raise _bad("an extra field that is cut off")
        kind, length = struct.unpack_from("<2H", raw)
        value, raw = raw[4 : 4 + length], raw[4 + length :]
        if len(value) != length or kind in found or kind not in _HARMLESS_EXTRAS | {_ZIP64}:
            raise _bad(f"an extra field that is cut off, repeated or unknown: 0x{kind:04x}")
        found[kind] = value
    return found


def _widened(extra: dict[int, bytes], narrow: tuple[int, ...]) -> tuple[int, ...]:
    """Take from the ZIP64 field (4.5.3) exactly the values that say they are there."""
    count = narrow.count(_ELSEWHERE)
    wide = extra.get(_ZIP64, b"")
    if len(wide) != 8 * count:
        raise _bad("a ZIP64 field that holds other values than it should")
    values = iter(struct.unpack(f"<{count}Q", wide))
    return tuple(next(values) if value == _ELSEWHERE else value for value in narrow)


def _read_local(stream: BinaryIO, entry: _Entry) -> tuple[Member, int]:
    """Compare a local header with its central entry, and return the member and where it ends."""
    stream.seek(entry.offset)
    fields = _unpacked(_LOCAL, stream)
    signature, _, _, flags, method, time, date, crc, packed, size, name_length, extra_length = fields
    name, raw = stream.read(name_length), stream.read(extra_length)
    same = (entry.flags, entry.method, entry.stamp, entry.name)
    if signature != LOCAL_SIGNATURE or (flags, method, (time, date), name) != same:
        raise _bad(f"a local header that differs from the central directory: {_shown(entry)}")
    extra = _read_extra(raw)
    if extra.get(_ZIP64) != struct.pack(
        "<2Q", size, packed
    ):  # Bazel repeats there what the plain fields hold
        size, packed = _widened(extra, (size, packed))
    begins = entry.offset + _LOCAL.size + name_length + extra_length
    end = begins + entry.packed
    stated, real = (crc, packed, size), (entry.crc, entry.packed, entry.size)
    if flags & _STREAMED:
        if stated not in {(0, 0, 0), real}:
            raise _bad(f"sizes or a CRC that differ from the central directory: {_shown(entry)}")
        end += _descriptor_length(stream, entry, end, is_wide=_ZIP64 in extra)
    elif stated != real:
        raise _bad(f"sizes or a CRC that differ from the central directory: {_shown(entry)}")
    member = Member(
        name=_decoded(entry), method=method, crc=entry.crc, packed=entry.packed, size=entry.size, offset=entry.offset,
        begins=begins,
    )  # fmt: skip
    return member, end


def _descriptor_length(stream: BinaryIO, entry: _Entry, at: int, *, is_wide: bool) -> int:
    """Check the data descriptor behind a streamed member (4.3.9); its signature is optional, its width is not."""
    wanted = struct.pack("<L2Q" if is_wide else "<3L", entry.crc, entry.packed, entry.size)
    stream.seek(at)
    raw = stream.read(len(wanted) + 4)
    if raw == _DESCRIPTOR_SIGNATURE + wanted:
        return len(wanted) + 4
    if raw.startswith(wanted):
        return len(wanted)
    raise _bad(f"a data descriptor that differs from the central directory: {_shown(entry)}")


def _decoded(entry: _Entry) -> str:
    """Read a name: ASCII, or UTF-8 that says it is (4.4.4 bit 11); CP437 is read in too many ways."""
    try:
        return entry.name.decode("utf-8" if entry.flags & _UTF8 else "ascii")
    except UnicodeDecodeError as err:
        raise _bad(f"a name that is neither ASCII nor marked UTF-8: {_shown(entry)}") from err


def _unpacked(form: struct.Struct, stream: BinaryIO) -> tuple[Any, ...]:
    raw = stream.read(form.size)
    if len(raw) != form.size:
        raise _bad("a header that is cut off")
    return form.unpack(raw)


def _shown(entry: _Entry) -> str:
    return repr(entry.name)[1:]


def _bad(found: str) -> MalformedError:
    return MalformedError(
        "malformed-wheel",
        "a ZIP file whose parts all agree",
        found,
        hint="Readers could disagree about what is in it, so it is not used. Ask its publisher to build it again.",
    )
