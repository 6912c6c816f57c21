"""The structure of a ZIP file, read so that no two readers can disagree about it.

Installers differ in which part of a ZIP they believe: the central directory, the local headers, the first or the last end record (CVE-2025-54368, PyPI
blog 2025-08-07). A file passes only where all parts say the same and no byte lies between them (APPNOTE.TXT 4.3).
"""

from __future__ import annotations

import struct
import unicodedata
import zipfile
from typing import BinaryIO

from pip_warden.artifact.problem import MalformedError

_LOCAL = struct.Struct("<4s5H3L2H")
_END = struct.Struct("<4s4H2LH")
_END64_LOCATOR = 20
_END64 = 56
_DESCRIPTOR_FLAG = 0x8
_ENCRYPTED_FLAGS = 0x1 | 0x40 | 0x2000
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_SYMLINK = 0o120000
_TYPE_MASK = 0o170000
_REGULAR = {0, 0o100000, 0o040000}
MOST_MEMBERS = 200_000
LARGEST_RATIO = 300
FREE_SIZE = 256 << 20
"""Bytes of unpacked content that no ratio is asked for."""


def members(stream: BinaryIO, size: int) -> tuple[zipfile.ZipFile, list[zipfile.ZipInfo]]:
    """Open a ZIP file and check its structure.

    Raises:
        MalformedError: ``malformed-wheel``.
    """
    stream.seek(0)
    if stream.read(4) != b"PK\x03\x04":
        raise _bad("bytes that do not begin with a ZIP member")
    try:
        archive = zipfile.ZipFile(stream)
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        ValueError,
        EOFError,
        struct.error,
        OverflowError,
    ) as err:
        raise _bad(str(err) or type(err).__name__) from err
    listed = archive.infolist()
    directory = _check_end(stream, size, listed)
    _check_names(listed)
    _check_sizes(listed, size)
    _check_layout(stream, listed, directory)
    return archive, listed


def _check_end(stream: BinaryIO, size: int, listed: list[zipfile.ZipInfo]) -> int:
    """Check that the one end record is the end of the file, and return where the central directory begins."""
    stream.seek(max(0, size - _END.size))
    raw = stream.read()
    if len(raw) < _END.size:
        raise _bad("no end record")
    signature, disk, first_disk, here, total, length, offset, comment = _END.unpack(raw)
    if signature != b"PK\x05\x06" or comment:
        raise _bad("a comment or further bytes behind the end record")
    end = size - _END.size
    stream.seek(max(0, end - _END64_LOCATOR))
    if end >= _END64_LOCATOR + _END64 and stream.read(4) == b"PK\x06\x07":
        stream.seek(end - _END64_LOCATOR - _END64)
        raw = stream.read(_END64)
        if raw[:4] != b"PK\x06\x06" or struct.unpack("<Q", raw[4:12])[0] != _END64 - 12:
            raise _bad("a ZIP64 end record that is not where it belongs")
        here, total, length, offset = struct.unpack("<4Q", raw[24:56])
        end -= _END64_LOCATOR + _END64
    if (disk, first_disk) != (0, 0) or here != total or total != len(listed) or offset + length != end:
        raise _bad("an end record that does not fit the central directory")
    return int(offset)


def _check_names(listed: list[zipfile.ZipInfo]) -> None:
    if not 0 < len(listed) <= MOST_MEMBERS:
        raise _bad(f"{len(listed)} members")
    seen = set()
    for info in listed:
        name = info.orig_filename
        if name != info.filename or not safe_path(name.removesuffix("/") if name.endswith("/") else name):
            raise _bad(f"the member name {name!r}")
        key = unicodedata.normalize("NFC", name).casefold().rstrip("/")
        if key in seen:
            raise _bad(f"two members {name!r}")
        seen.add(key)
        kind = (info.external_attr >> 16) & _TYPE_MASK
        if kind not in _REGULAR or info.flag_bits & _ENCRYPTED_FLAGS or info.compress_type not in _METHODS:
            raise _bad(f"{name!r}, which is no plain stored or deflated file")


def safe_path(name: str) -> bool:
    """Tell whether a member name is a plain relative path below the archive's root."""
    if not name or name.startswith("/") or "\\" in name or name[1:2] == ":":
        return False
    if any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for char in name):
        return False
    return all(part not in {"", ".", ".."} for part in name.split("/"))


def _check_sizes(listed: list[zipfile.ZipInfo], size: int) -> None:
    unpacked = sum(info.file_size for info in listed)
    if unpacked > max(FREE_SIZE, size * LARGEST_RATIO):
        raise _bad(f"{unpacked} bytes unpacked from {size}")


def _check_layout(stream: BinaryIO, listed: list[zipfile.ZipInfo], directory: int) -> None:
    """Check that local headers say what the central directory says, and that members lie end to end."""
    position = 0
    for info in sorted(listed, key=lambda entry: entry.header_offset):
        if info.header_offset != position:
            raise _bad(f"bytes between members, before {info.filename!r}")
        position = _check_local(stream, info)
    if position != directory:
        raise _bad("bytes between the last member and the central directory")


def _check_local(stream: BinaryIO, info: zipfile.ZipInfo) -> int:
    """Compare a local header with its central entry and return where the member ends."""
    stream.seek(info.header_offset)
    raw = stream.read(_LOCAL.size)
    if len(raw) != _LOCAL.size:
        raise _bad("a local header that is cut off")
    signature, _, flags, method, _, _, crc, packed, unpacked, name_length, extra_length = _LOCAL.unpack(raw)
    name, extra = stream.read(name_length), stream.read(extra_length)
    expected_name = info.orig_filename.encode("utf-8" if info.flag_bits & 0x800 else "cp437", "replace")
    if (
        signature != b"PK\x03\x04"
        or flags != info.flag_bits
        or method != info.compress_type
        or name != expected_name
    ):
        raise _bad(f"a local header that differs from the central directory, of {info.filename!r}")
    end = info.header_offset + _LOCAL.size + name_length + extra_length + info.compress_size
    if flags & _DESCRIPTOR_FLAG and (crc, packed, unpacked) != (info.CRC, info.compress_size, info.file_size):
        return _skip_descriptor(stream, info, end, (crc, packed, unpacked))
    packed, unpacked = _zip64_sizes(extra, packed, unpacked)
    if (crc, packed, unpacked) != (info.CRC, info.compress_size, info.file_size):
        raise _bad(f"sizes or checksum that differ from the central directory, of {info.filename!r}")
    return end if not flags & _DESCRIPTOR_FLAG else _skip_descriptor(stream, info, end, (0, 0, 0))


def _skip_descriptor(stream: BinaryIO, info: zipfile.ZipInfo, end: int, local: tuple[int, int, int]) -> int:
    """Read the data descriptor behind a member that was streamed (APPNOTE.TXT 4.3.9)."""
    if any(value not in {0, 0xFFFFFFFF} for value in local):
        raise _bad(f"a streamed member with sizes in its local header, {info.filename!r}")
    stream.seek(end)
    raw = stream.read(24)
    for sizes in ("<LLL", "<LQQ"):
        wanted = (
            struct.pack(sizes, info.CRC, info.compress_size, info.file_size)
            if sizes == "<LQQ" or info.file_size < 1 << 32
            else b""
        )
        for prefix in (b"PK\x07\x08", b""):
            if wanted and raw.startswith(prefix + wanted):
                return end + len(prefix + wanted)
    raise _bad(f"no fitting data descriptor behind {info.filename!r}")


def _zip64_sizes(extra: bytes, packed: int, unpacked: int) -> tuple[int, int]:
    """Return the sizes of a local header, from its ZIP64 field where the plain ones point there."""
    if 0xFFFFFFFF not in {packed, unpacked}:
        return packed, unpacked
    while len(extra) >= 4:
        kind, length = struct.unpack("<2H", extra[:4])
        if kind == 1 and length >= 16 and len(extra) >= 20:
            unpacked, packed = struct.unpack("<2Q", extra[4:20])
            return packed, unpacked
        extra = extra[4 + length :]
    return packed, unpacked


def _bad(found: str) -> MalformedError:
    return MalformedError(
        "malformed-wheel",
        "a ZIP file whose parts all agree",
        found,
        hint="Readers could disagree about what is in it, so it is not used. Ask its publisher to build it again.",
    )
