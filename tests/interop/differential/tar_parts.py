"""Tar archives and gzip files built from parts, so that every field of every part can be wrong."""

from __future__ import annotations

import gzip
import struct
import zlib
from dataclasses import dataclass, field

BLOCK = 512
FIELDS: dict[str, tuple[int, int]] = {
    "name": (0, 100),
    "mode": (100, 108),
    "uid": (108, 116),
    "gid": (116, 124),
    "size": (124, 136),
    "mtime": (136, 148),
    "chksum": (148, 156),
    "kind": (156, 157),
    "link": (157, 257),
    "magic": (257, 265),
    "uname": (265, 297),
    "gname": (297, 329),
    "devmajor": (329, 337),
    "devminor": (337, 345),
    "prefix": (345, 500),
    "pad": (500, 512),
}
"""Start and end of each field (POSIX.1-1988 ustar)."""
USTAR, GNU = b"ustar\x0000", b"ustar  \0"


@dataclass(kw_only=True)
class Entry:
    """A member.

    Attributes:
        name: Its path, as bytes; without the slash at a directory's end.
        data: Its content.
        kind: Its type flag.
        link: A link's target.
        mode: Its permissions.
        raw: Header fields whose bytes differ from the computed ones.
        before: Blocks before its header.
        records: Pax records of its own.
        after: Blocks after its content.
        padding: The fill of its last block.
    """

    name: bytes
    data: bytes = b""
    kind: bytes = b"0"
    link: bytes = b""
    mode: int = 0o644
    raw: dict[str, bytes] = field(default_factory=dict)
    before: bytes = b""
    records: list[tuple[bytes, bytes]] = field(default_factory=list)
    raw_records: bytes = b""
    after: bytes = b""
    padding: bytes = b"\0"
    magic: bytes = b""


@dataclass(kw_only=True)
class Tar:
    """A compressed archive.

    Attributes:
        entries: Its members in order.
        magic: The dialect of its headers.
        end: The bytes after the last member.
        head: The gzip header, computed where None.
        tail: The bytes after the gzip member.
        filename: Its file name.
    """

    entries: list[Entry] = field(default_factory=list)
    magic: bytes = USTAR
    start: bytes = b""
    end: bytes = bytes(2 * BLOCK)
    head: bytes | None = None
    tail: bytes = b""
    level: int = 6
    trailer: bytes | None = None
    filename: str = "acme_widgets-1.0.tar.gz"
    split: bool = False

    def entry(self, name: bytes) -> Entry:
        """Return a member."""
        for entry in self.entries:
            if entry.name == name:
                return entry
        raise LookupError(name)


def write_tar(made: Tar) -> bytes:
    """Build an archive, uncompressed."""
    return made.start + b"".join(_written(entry, made.magic) for entry in made.entries) + made.end


def compress(made: Tar) -> bytes:
    """Build an archive, compressed."""
    content = write_tar(made)
    if made.split:
        half = len(content) // 2
        return gzip.compress(content[:half], mtime=0) + gzip.compress(content[half:], mtime=0)
    packer = zlib.compressobj(made.level, zlib.DEFLATED, -15)
    packed = packer.compress(content) + packer.flush()
    head = b"\x1f\x8b\x08\0\0\0\0\0\2\xff" if made.head is None else made.head
    trailer = struct.pack("<2L", zlib.crc32(content), len(content)) if made.trailer is None else made.trailer
    return head + packed + trailer + made.tail


def _written(entry: Entry, magic: bytes) -> bytes:
    records = b"".join(record(key, value) for key, value in entry.records) + entry.raw_records
    extension = extended(b"x", records, b"PaxHeaders/x") if records else b""
    return (
        entry.before
        + extension
        + header(entry, entry.magic or magic)
        + padded(entry.data, entry.padding)
        + entry.after
    )


def header(entry: Entry, magic: bytes = USTAR) -> bytes:
    """Make a header block."""
    head = bytearray(BLOCK)
    name, prefix = entry.name + (b"/" if entry.kind == b"5" else b""), b""
    if (
        len(name) > 100
        and magic == USTAR
        and (cut := name.rfind(b"/", 0, 155)) > 0
        and len(name) - cut - 1 <= 100
    ):
        prefix, name = name[:cut], name[cut + 1 :]
    values = {
        "name": name[:100],
        "mode": b"%07o\0" % entry.mode,
        "uid": b"0000000\0",
        "gid": b"0000000\0",
        "size": b"%011o\0" % len(entry.data),
        "mtime": b"15217574100\0",
        "kind": entry.kind,
        "link": entry.link[:100],
        "magic": magic,
        "prefix": prefix,
    } | entry.raw
    for key, value in values.items():
        begin, end = FIELDS[key]
        head[begin:end] = value.ljust(end - begin, b"\0")[: end - begin]
    if "chksum" not in entry.raw:
        head[148:156] = b" " * 8
        head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head)


def checksum(entry: Entry, magic: bytes) -> int:
    """Return the checksum that belongs in an entry's header."""
    plain = Entry(
        name=entry.name,
        data=entry.data,
        kind=entry.kind,
        link=entry.link,
        mode=entry.mode,
        raw={k: v for k, v in entry.raw.items() if k != "chksum"},
    )
    return int(header(plain, entry.magic or magic)[148:154], 8)


def extended(
    kind: bytes,
    content: bytes,
    name: bytes = b"././@LongLink",
    raw: dict[str, bytes] | None = None,
    padding: bytes = b"\0",
) -> bytes:
    """Make an extended header of a type (``x``, ``g``, ``L``, ``K``) with its content."""
    entry = Entry(name=name, data=content, kind=kind, raw=raw or {})
    return header(entry, GNU if kind in b"LK" else USTAR) + padded(content, padding)


def record(key: bytes, value: bytes) -> bytes:
    """Make a pax record, which begins with its own length."""
    body = b" " + key + b"=" + value + b"\n"
    length = len(body) + 1
    while len(b"%d" % length) + len(body) != length:
        length += 1
    return b"%d" % length + body


def padded(data: bytes, padding: bytes = b"\0") -> bytes:
    """Fill up to whole blocks."""
    return data + padding * (-len(data) % BLOCK)
