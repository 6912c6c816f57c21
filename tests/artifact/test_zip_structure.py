"""ZIP files whose parts say different things: further cases of T40."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable

import pytest

from archives import (
    central_offset,
    code,
    directory_of,
    wheel,
    wheel_files,
    with_directory,
    zipped,
)
from pip_warden.artifact.model import Contents
from pip_warden.faults import Fault

Read = Callable[[bytes], Contents | Fault]


def test_b07_permissions_without_a_type_are_refused(read: Read) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in wheel_files().items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (0o755 if name.endswith(".py") else 0o644) << 16
            archive.writestr(entry, data)

    assert code(read(buffer.getvalue())) == "unsafe-member"
    assert isinstance(
        read(buffer.getvalue().replace(struct.pack("<L", 0o755 << 16), struct.pack("<L", 0o644 << 16))),
        Contents,
    )


def test_t40_a_wheel_without_description_is_refused(read: Read) -> None:
    assert code(read(zipped({"acme/__init__.py": b""}))) == "malformed-wheel"


def test_t40_a_comment_that_is_only_announced_is_refused(read: Read) -> None:
    assert code(read(wheel()[:-2] + b"\1\0")) == "malformed-wheel"


def test_t40_bytes_behind_the_last_central_entry_are_refused(read: Read) -> None:
    good = wheel()

    assert code(read(with_directory(good, directory_of(good) + b"junk"))) == "malformed-wheel"


def test_t40_an_entry_of_another_disk_is_refused(read: Read) -> None:
    good = wheel()
    directory = bytearray(directory_of(good))
    directory[34:36] = b"\1\0"

    assert code(read(with_directory(good, bytes(directory)))) == "malformed-wheel"


@pytest.mark.parametrize(("disk", "ahead", "disks"), [(0, 0, 0), (0, 1, 1), (1, 0, 1)])
def test_t40_a_zip64_locator_that_points_elsewhere_is_refused(
    read: Read, disk: int, ahead: int, disks: int
) -> None:
    good = wheel()
    end, begins = len(good) - 22, central_offset(good)
    count = struct.unpack("<H", good[-12:-10])[0]
    wide = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, end - begins, begins)

    def located(*where: int) -> bytes:
        return good[:end] + wide + struct.pack("<4sLQL", b"PK\6\7", *where) + good[end:]

    assert isinstance(read(located(0, end, 1)), Contents)
    assert code(read(located(disk, end - ahead, disks))) == "malformed-wheel"


def test_t40_a_streamed_member_whose_local_header_states_something_else_is_refused(read: Read) -> None:
    buffer = io.BytesIO()

    class Pipe(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]
            return buffer.write(data)

    with zipfile.ZipFile(Pipe(), "w", zipfile.ZIP_DEFLATED) as pipe:
        for name, data in wheel_files().items():
            pipe.writestr(name, data)
    streamed = buffer.getvalue()

    assert isinstance(read(streamed), Contents)
    assert code(read(streamed[:14] + b"\1" + streamed[15:])) == "malformed-wheel"


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_b07_a_directory_is_not_both_packed_and_streamed(read: Read, method: int) -> None:
    buffer = io.BytesIO()

    class Pipe(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]
            return buffer.write(data)

    with zipfile.ZipFile(Pipe(), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in wheel_files({"acme/": b""}).items():
            archive.writestr(
                zipfile.ZipInfo(name),
                data,
                compress_type=method if name.endswith("/") else zipfile.ZIP_DEFLATED,
            )

    result = read(buffer.getvalue())

    assert isinstance(result, Fault) is (method == zipfile.ZIP_DEFLATED), result
    assert isinstance(result, Contents) or result.code == "malformed-wheel"
