"""ZIP files built from parts, so that every field of every part can be wrong."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from dataclasses import dataclass, field

STAMP = (0x6000, 0x5CDE)
"""Noon of 30 June 2026, in MS-DOS format."""


@dataclass(kw_only=True)
class Part:
    """A member; a None is computed.

    Attributes:
        name: Its path.
        data: Its content.
        mode: Its Unix mode, the type included.
        local_name: Its path in the local header.
        local: Numbers of the local header that differ from the central directory.
        descriptor: ``""``, or the form of the data descriptor: ``signed``, ``bare`` or ``wide``.
    """

    name: str
    data: bytes = b""
    mode: int = 0o100644
    system: int = 3
    made: int = 20
    needed: int = 20
    flags: int = 0
    method: int = 8
    level: int = 6
    stamp: tuple[int, int] = STAMP
    internal: int = 0
    dos: int = 0
    extra: bytes = b""
    local_extra: bytes | None = None
    local_name: str | None = None
    comment: bytes = b""
    descriptor: str = ""
    gap: bytes = b""
    crc: int | None = None
    packed: bytes | None = None
    raw_name: bytes | None = None
    local: dict[str, int] = field(default_factory=dict)


@dataclass(kw_only=True)
class Zip:
    """A whole file.

    Attributes:
        parts: Its members, in the order of the file.
        shuffled: Whether the central directory lists them in reverse.
    """

    parts: list[Part] = field(default_factory=list)
    shuffled: bool = False
    comment: bytes = b""
    before: bytes = b""
    after: bytes = b""
    wide_end: bool = False

    def part(self, name: str) -> Part:
        """Return a member."""
        for part in self.parts:
            if part.name == name:
                return part
        raise LookupError(name)

    def has(self, name: str) -> bool:
        """Return whether there is such a member."""
        return any(part.name == name for part in self.parts)


def read_zip(data: bytes) -> Zip:
    """Parse a well-formed file."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return Zip(parts=[_read_part(archive, info) for info in archive.infolist()])


def _read_part(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Part:
    year, month, day, hour, minute, second = info.date_time
    return Part(
        name=info.filename,
        data=archive.read(info),
        mode=info.external_attr >> 16,
        dos=info.external_attr & 0xFFFF,
        method=info.compress_type,
        system=info.create_system,
        flags=info.flag_bits & ~8,
        stamp=(hour << 11 | minute << 5 | second // 2, (year - 1980) << 9 | month << 5 | day),
        extra=info.extra,
    )


def write_zip(made: Zip) -> bytes:
    """Build a file."""
    body, entries = bytearray(made.before), list[bytes]()
    for part in made.parts:
        body += part.gap
        entry, local = _write_part(part, len(body))
        body += local
        entries.append(entry)
    if made.shuffled:
        entries.reverse()
    directory = b"".join(entries)
    count, begins = len(entries), len(body)
    end = b""
    if made.wide_end:
        end += struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, len(directory), begins)
        end += struct.pack("<4sLQL", b"PK\6\7", 0, begins + len(directory), 1)
    end += struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, count, count, len(directory), begins, len(made.comment))
    return bytes(body) + directory + end + made.comment + made.after


def _write_part(part: Part, offset: int) -> tuple[bytes, bytes]:
    """Return a member's central entry and its bytes in the body."""
    raw, flags = _name(part.name if part.raw_name is None else part.raw_name)
    local_raw = raw if part.local_name is None else _name(part.local_name)[0]
    flags |= part.flags | (8 if part.descriptor else 0)
    packed = part.packed if part.packed is not None else _pack(part)
    sums = (zlib.crc32(part.data) if part.crc is None else part.crc, len(packed), len(part.data))
    local_extra = part.extra if part.local_extra is None else part.local_extra
    crc, size, full = (0, 0, 0) if part.descriptor else sums
    local = {
        "needed": part.needed,
        "attributes": 0,
        "flags": flags,
        "method": part.method,
        "time": part.stamp[0],
        "date": part.stamp[1],
    }
    local |= {"crc": crc, "packed": size, "size": full}
    head = struct.pack(
        "<4s2B4H3L2H",
        b"PK\3\4",
        *(part.local.get(key, value) for key, value in local.items()),
        len(local_raw),
        len(local_extra),
    )
    entry = struct.pack(
        "<4s4B4H3L5H2L",
        b"PK\1\2",
        part.made,
        part.system,
        part.needed,
        0,
        flags,
        part.method,
        *part.stamp,
        *sums,
        len(raw),
        len(part.extra),
        len(part.comment),
        0,
        part.internal,
        part.mode << 16 | part.dos,
        offset,
    )
    return (
        entry + raw + part.extra + part.comment,
        head + local_raw + local_extra + packed + _descriptor(part.descriptor, sums),
    )


def _pack(part: Part) -> bytes:
    if part.method != zipfile.ZIP_DEFLATED:
        return part.data
    packer = zlib.compressobj(part.level, zlib.DEFLATED, -15)
    return packer.compress(part.data) + packer.flush()


def _descriptor(form: str, sums: tuple[int, int, int]) -> bytes:
    signed, bare = struct.pack("<4s3L", b"PK\7\x08", *sums), struct.pack("<3L", *sums)
    wide = struct.pack("<4sL2Q", b"PK\7\x08", *sums)
    return {"": b"", "signed": signed, "bare": bare, "wide": wide}[form]


def _name(name: str | bytes) -> tuple[bytes, int]:
    """Encode a name, and set the UTF-8 flag where needed."""
    if isinstance(name, bytes):
        return name, 0
    return name.encode(), 0 if name.isascii() else 0x800


def extra(*fields: tuple[int, bytes]) -> bytes:
    """Make extra fields."""
    return b"".join(struct.pack("<2H", kind, len(value)) + value for kind, value in fields)
