"""Strict reader of a ZIP file's structure, so that no two readers can disagree about it (T40).

Installers differ in which part of a ZIP they use: the central directory, the local headers, the first or the
last end record, a second name in an extra field (CVE-2025-54368, PyPI blog 2025-08-07). A file is accepted
only where all parts say the same and every byte belongs to exactly one of them. Numbers in comments are
sections of PKWARE's APPNOTE.TXT 6.3.10.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from pip_warden.artifact.inflate import inflate
from pip_warden.artifact.limits import CHUNK, most_unpacked
from pip_warden.artifact.problem import problem
from pip_warden.artifact.tree import Tree
from pip_warden.artifact.zip_headers import (
    END_SIGNATURE,
    LOCAL,
    LOCAL_SIGNATURE,
    STORED,
    STREAMED,
    UTF8,
    ZIP64,
    Entry,
    malformed_zip,
    read_directory,
    read_end,
    read_extra,
    read_struct,
    shown_name,
    widened,
)
from pip_warden.values import dataclass

_DESCRIPTOR_SIGNATURE = b"PK\x07\x08"


@dataclass(frozen=True, kw_only=True, slots=True)
class ZipMember:
    """A member whose central entry and local header agree.

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


def read_members(stream: BinaryIO, size: int) -> tuple[ZipMember, ...]:
    """Read the structure of a ZIP file of ``size`` bytes.

    Raises:
        FaultError: ``malformed-wheel``, ``unsafe-member`` or ``archive-too-large``.
    """
    directory, end, count = read_end(stream, size)
    stream.seek(directory)
    raw = stream.read(end - directory)
    if END_SIGNATURE in raw:
        raise malformed_zip("a second end record in the central directory")
    entries, tree = read_directory(raw, count), Tree()
    if sum(entry.size for entry in entries) > most_unpacked(size):
        raise problem(
            "archive-too-large",
            f"at most {most_unpacked(size)} bytes unpacked from {size}",
            str(sum(entry.size for entry in entries)),
        )
    members, position = [], 0
    for entry in sorted(entries, key=lambda entry: entry.offset):
        if entry.offset != position:
            raise malformed_zip(f"bytes that belong to no member, or to two, before {shown_name(entry)}")
        member, position = _read_local(stream, entry)
        tree.add(member.name.removesuffix("/"), is_directory=member.is_directory)
        members.append(member)
    if position != directory:
        raise malformed_zip("bytes between the last member and the central directory")
    return tuple(members)


def unpack(stream: BinaryIO, member: ZipMember) -> Iterator[bytes]:
    """Yield a member's content in pieces, and check its size and CRC at the end.

    Raises:
        FaultError: ``malformed-wheel``.
    """
    stream.seek(member.begins)
    stored = member.method == STORED
    pieces = _stored(stream, member.packed) if stored else inflate(stream, member.packed, "malformed-wheel")
    size, crc = 0, 0
    for piece in pieces:
        size, crc = size + len(piece), zlib.crc32(piece, crc)
        if size > member.size:
            break
        yield piece
    if (size, crc) != (member.size, member.crc):
        raise malformed_zip(f"content with another size or CRC than stated, of {member.name!r}")


def _stored(stream: BinaryIO, left: int) -> Iterator[bytes]:
    while left:
        piece = stream.read(min(left, CHUNK))
        if not piece:
            raise malformed_zip("a member that is cut off")
        left -= len(piece)
        yield piece


def _read_local(stream: BinaryIO, entry: Entry) -> tuple[ZipMember, int]:
    """Compare a local header with its central entry, and return the member and where it ends."""
    stream.seek(entry.offset)
    fields = read_struct(LOCAL, stream)
    signature, _, _, flags, method, time, date, crc, packed, size, name_length, extra_length = fields
    name, raw = stream.read(name_length), stream.read(extra_length)
    same = (entry.flags, entry.method, entry.stamp, entry.name)
    if signature != LOCAL_SIGNATURE or (flags, method, (time, date), name) != same:
        raise malformed_zip(f"a local header that differs from the central directory: {shown_name(entry)}")
    extra = read_extra(raw)
    if extra.get(ZIP64) != struct.pack("<2Q", size, packed):  # Bazel repeats the plain fields there
        size, packed = widened(extra, (size, packed))
    begins = entry.offset + LOCAL.size + name_length + extra_length
    end = begins + entry.packed
    stated, real = (crc, packed, size), (entry.crc, entry.packed, entry.size)
    if flags & STREAMED:
        if stated not in {(0, 0, 0), real}:
            raise malformed_zip(f"sizes or a CRC that differ from the central directory: {shown_name(entry)}")
        end += _descriptor_length(stream, entry, end, is_wide=ZIP64 in extra)
    elif stated != real:
        raise malformed_zip(f"sizes or a CRC that differ from the central directory: {shown_name(entry)}")
    member = ZipMember(
        name=_decoded(entry), method=method, crc=entry.crc, packed=entry.packed, size=entry.size,
        offset=entry.offset, begins=begins,
    )  # fmt: skip
    return member, end


def _descriptor_length(stream: BinaryIO, entry: Entry, at: int, *, is_wide: bool) -> int:
    """Check the data descriptor behind a streamed member (4.3.9); only its signature is optional."""
    wanted = struct.pack("<L2Q" if is_wide else "<3L", entry.crc, entry.packed, entry.size)
    stream.seek(at)
    raw = stream.read(len(wanted) + 4)
    if raw == _DESCRIPTOR_SIGNATURE + wanted:
        return len(wanted) + 4
    if raw.startswith(wanted):
        return len(wanted)
    raise malformed_zip(f"a data descriptor that differs from the central directory: {shown_name(entry)}")


def _decoded(entry: Entry) -> str:
    """Read a name: ASCII, or UTF-8 with its flag (4.4.4 bit 11); readers decode CP437 differently."""
    try:
        return entry.name.decode("utf-8" if entry.flags & UTF8 else "ascii")
    except UnicodeDecodeError as err:
        raise malformed_zip(f"a name that is neither ASCII nor marked UTF-8: {shown_name(entry)}") from err
