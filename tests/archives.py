"""Builds wheels and sdists for tests: good ones by default, and byte by byte where a test wants a bad one."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import struct
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from pip_warden.artifact.model import Contents
from pip_warden.faults import Fault

INFO = "acme_widgets-1.0.dist-info"
WHEEL_NAME = "acme_widgets-1.0-py3-none-any.whl"
SDIST_NAME = "acme_widgets-1.0.tar.gz"
TOP = "acme_widgets-1.0"
METADATA = "Metadata-Version: 2.1\nName: acme-widgets\nVersion: 1.0\n"
WHEEL = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
STAMP = (2026, 6, 30, 12, 0, 0)


def record_line(name: str, data: bytes) -> str:
    """Make a line of RECORD."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
    return f"{name},sha256={digest},{len(data)}\n"


def wheel_files(
    files: Mapping[str, str | bytes | None] | None = None, *, info: str = INFO
) -> dict[str, bytes]:
    """Make the files of a wheel, RECORD last; ``None`` leaves a file out."""
    wanted: dict[str, str | bytes | None] = {
        "acme/__init__.py": "VERSION = '1.0'\n",
        f"{info}/METADATA": METADATA,
        f"{info}/WHEEL": WHEEL,
    }
    wanted |= files or {}
    record = f"{info}/RECORD"
    made = {
        name: data.encode() if isinstance(data, str) else data
        for name, data in wanted.items()
        if data is not None
    }
    if record not in wanted:
        lines = [record_line(name, data) for name, data in made.items() if not name.endswith("/")]
        made[record] = ("".join(lines) + f"{record},,\n").encode()
    return made


def wheel(
    files: Mapping[str, str | bytes | None] | None = None,
    *,
    info: str = INFO,
    method: int = zipfile.ZIP_DEFLATED,
) -> bytes:
    """Build a wheel."""
    return zipped(wheel_files(files, info=info), method=method)


def zipped(files: Mapping[str, bytes], *, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Build a ZIP file with fixed time stamps."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, STAMP)
            entry.external_attr = (0o40755 << 16 | 0x10) if name.endswith("/") else 0o100644 << 16
            entry.compress_type = zipfile.ZIP_STORED if name.endswith("/") else method
            archive.writestr(entry, data)
    return buffer.getvalue()


def central_offset(data: bytes) -> int:
    """Return where a ZIP file's central directory begins."""
    return int(struct.unpack("<L", data[-6:-2])[0])


def with_directory(
    data: bytes, directory: bytes, *, members: bytes | None = None, count: int | None = None
) -> bytes:
    """Replace a ZIP file's central directory, and what is before it, and adjust the end record."""
    body = data[: central_offset(data)] if members is None else members
    entries = struct.unpack("<H", data[-12:-10])[0] if count is None else count
    return (
        body
        + directory
        + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, entries, entries, len(directory), len(body), 0)
    )


def directory_of(data: bytes) -> bytes:
    """Return a ZIP file's central directory."""
    return data[central_offset(data) : -22]


def tar_member(name: str, data: bytes = b"", **fields: object) -> tuple[tarfile.TarInfo, bytes]:
    """Make a member; ``fields`` are attributes of TarInfo."""
    info = tarfile.TarInfo(name)
    info.size = len(data)
    for key, value in fields.items():
        setattr(info, key, value)
    return info, data


def sdist_members(
    files: Mapping[str, str | bytes | None] | None = None, *, top: str = TOP
) -> list[tuple[tarfile.TarInfo, bytes]]:
    """Make the members of an sdist; ``None`` leaves a file out."""
    wanted: dict[str, str | bytes | None] = {"acme/__init__.py": "VERSION = '1.0'\n", "PKG-INFO": METADATA}
    wanted |= files or {}
    return [
        tar_member(f"{top}/{name}", data.encode() if isinstance(data, str) else data)
        for name, data in wanted.items()
        if data is not None
    ]


def tar(
    members: list[tuple[tarfile.TarInfo, bytes]], form: int = tarfile.PAX_FORMAT, **options: object
) -> bytes:
    """Build a tar archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=form, **options) as archive:  # type: ignore[call-overload]
        for info, data in members:
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def gz(data: bytes) -> bytes:
    """Compress."""
    return gzip.compress(data, mtime=0)


def sdist(files: Mapping[str, str | bytes | None] | None = None, *, top: str = TOP) -> bytes:
    """Build an sdist."""
    return gz(tar(sdist_members(files, top=top)))


def block(
    name: str, *, kind: bytes = b"0", size: int = 0, link: str = "", raw_size: bytes | None = None
) -> bytes:
    """Make one ustar header block by hand."""
    head = bytearray(512)
    head[0 : len(name)] = name.encode()
    head[100:108] = b"0000644\0"
    head[108:116] = head[116:124] = b"0000000\0"
    head[124:136] = raw_size if raw_size is not None else b"%011o\0" % size
    head[136:148] = b"00000000000\0"
    head[156:157] = kind
    head[157 : 157 + len(link)] = link.encode()
    head[257:265] = b"ustar\x0000"
    return checked(head)


def checked(head: bytearray) -> bytes:
    """Put the correct checksum into a header block."""
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head)


def padded(data: bytes) -> bytes:
    """Fill up to whole blocks."""
    return data + bytes(-len(data) % 512)


def pax(records: Mapping[str, str]) -> bytes:
    """Make a pax header with its content."""
    content = b""
    for key, value in records.items():
        body = f" {key}={value}\n".encode()
        length = len(body) + 1
        while len(str(length)) + len(body) != length:
            length += 1
        content += str(length).encode() + body
    return block("PaxHeader", kind=b"x", size=len(content)) + padded(content)


END = bytes(1024)
"""The two zero blocks at the end of a tar archive."""


def archive(*members: bytes, end: bytes = END) -> bytes:
    """Make a tar archive of hand-made blocks behind a good PKG-INFO."""
    info = METADATA.encode()
    return block(f"{TOP}/PKG-INFO", size=len(info)) + padded(info) + b"".join(members) + end


def changed(head: bytes, at: int, value: bytes) -> bytes:
    """Replace bytes of a header block and correct its checksum."""
    return checked(bytearray(head[:at] + value + head[at + len(value) :]))


def code(result: Contents | Fault) -> str:
    """Return the code of an archive that was refused."""
    assert isinstance(result, Fault), result
    return result.code


def as_it_lies(path: Path) -> tuple[int, ...]:
    """Return what a file is like whoever reads it: reading moves its access time, now and then."""
    status = path.lstat()
    return status.st_ino, status.st_mode, status.st_nlink, status.st_size, status.st_mtime_ns
