"""Wheels: well-formed ones are read, what two readers could read differently is refused with its code."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archives import (
    INFO,
    METADATA,
    WHEEL,
    WHEEL_NAME,
    central_offset,
    code,
    directory_of,
    record_line,
    wheel,
    wheel_files,
    with_directory,
    zipped,
)
from pip_warden.artifact import limits
from pip_warden.artifact.inspect import inspect
from pip_warden.artifact.model import Contents
from pip_warden.faults import Fault
from pip_warden.names import parse_artifact_name

Read = Callable[..., Contents | Fault]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(data: bytes, filename: str = WHEEL_NAME) -> Contents | Fault:
        path = tmp_path / filename
        path.write_bytes(data)
        return inspect(path, parse_artifact_name(filename))

    return read


def test_a_plain_wheel_is_read(read: Read) -> None:
    result = read(wheel())

    assert isinstance(result, Contents)
    assert (result.project, str(result.version)) == ("acme-widgets", "1.0")
    assert result.metadata == METADATA.encode()
    assert result.tags == {"py3-none-any"}
    assert (result.build, result.requires_python, result.requires_dist) == ("", None, ())


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_both_methods_of_packing_are_read(read: Read, method: int) -> None:
    assert isinstance(read(wheel(method=method)), Contents)


def test_what_metadata_and_wheel_say_is_returned(read: Read) -> None:
    text = METADATA + (
        "Requires-Python: >=3.9\nRequires-Dist: idna\nProvides-Extra: x\n"
        "Requires-Dist: evil @ https://evil.example/e.whl ; extra == 'x'\n\nText\n"
    )
    about = WHEEL.replace(
        "Tag: py3-none-any", "Tag: py2.py3-none-any\nTag: cp311-cp311-linux_x86_64\nBuild: 1abc"
    )

    result = read(wheel({f"{INFO}/METADATA": text, f"{INFO}/WHEEL": about}))

    assert isinstance(result, Contents)
    assert result.requires_python == ">=3.9"
    assert result.tags == {"py2-none-any", "py3-none-any", "cp311-cp311-linux_x86_64"}
    assert result.build == "1abc"
    assert len(result.requires_dist) == 2
    assert result.direct_references == ("evil @ https://evil.example/e.whl ; extra == 'x'",)


def test_directories_and_streamed_members_and_zip64_are_read(read: Read) -> None:
    buffer = io.BytesIO()
    files = wheel_files({"acme/": b""})

    class Pipe(io.RawIOBase):
        def writable(self) -> bool:
            return True

        def write(self, data: bytes) -> int:  # type: ignore[override]
            return buffer.write(data)

    with zipfile.ZipFile(Pipe(), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            if name.endswith("/"):
                archive.writestr(zipfile.ZipInfo(name), b"")
                continue
            with archive.open(name, "w", force_zip64=name.endswith("METADATA")) as member:
                member.write(data)

    assert isinstance(read(buffer.getvalue()), Contents)


def test_a_renamed_wheel_is_returned_for_step_4_to_refuse(read: Read) -> None:
    result = read(wheel(), "acme_widgets-2.0-py3-none-any.whl")

    assert isinstance(result, Contents)
    assert str(result.version) == "1.0"


def test_t40_prefix_trailing_bytes_and_comments_are_refused(read: Read) -> None:
    good = wheel()

    assert code(read(b"\0" + good)) == "wrong-file-type"
    assert code(read(good + b"\0")) == "malformed-wheel"
    assert code(read(good[:-2] + b"\1\0x")) == "malformed-wheel"
    assert code(read(good + good)) == "malformed-wheel"
    assert code(read(b"")) == "wrong-file-type"
    assert code(read(good[:-1])) == "malformed-wheel"
    assert code(read(b"PK\3\4")) == "malformed-wheel"


def test_t40_bytes_between_members_are_refused(read: Read) -> None:
    good = wheel()
    members = good[: central_offset(good)]

    assert code(read(with_directory(good, directory_of(good), members=members + b"gap"))) == "malformed-wheel"


def test_t40_a_second_end_record_in_the_directory_is_refused(read: Read) -> None:
    good = wheel()
    end = good[-22:]
    extra = struct.pack("<2H", 0x5455, len(end)) + end
    directory = bytearray(directory_of(good))
    name_length = struct.unpack_from("<H", directory, 28)[0]
    directory[30:32] = struct.pack("<H", len(extra))
    directory[46 + name_length : 46 + name_length] = extra

    assert code(read(with_directory(good, bytes(directory)))) == "malformed-wheel"


@pytest.mark.parametrize("count", [1, 3, 5, 0])
def test_t40_another_count_of_entries_is_refused(read: Read, count: int) -> None:
    good = wheel()

    assert code(read(with_directory(good, directory_of(good), count=count))) in {
        "malformed-wheel",
        "archive-too-large",
    }


@pytest.mark.parametrize(
    ("offset", "what"),
    [
        (6, "flags"),
        (8, "method"),
        (10, "time"),
        (12, "date"),
        (14, "crc"),
        (18, "packed"),
        (22, "size"),
        (30, "name"),
    ],
)
def test_t40_a_local_header_that_differs_is_refused(read: Read, offset: int, what: str) -> None:
    bad = bytearray(wheel())
    bad[offset] ^= 1

    assert code(read(bytes(bad))) == "malformed-wheel", what


@pytest.mark.parametrize("kind", [0x7075, 0x9901, 0xCAFE])
def test_t40_extra_fields_that_could_rename_a_member_are_refused(read: Read, kind: int) -> None:
    files = wheel_files()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name)
            entry.extra = struct.pack("<2H", kind, 5) + b"\1\0\0\0\0"
            archive.writestr(entry, data)

    assert code(read(buffer.getvalue())) == "malformed-wheel"


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../up", "a/../b", "a//b", "./a", "a\\b", "C:x", "a\x01b", "a\u202eb", "a:stream", "a/."],
)
def test_t40_member_names_that_lead_elsewhere_are_refused(read: Read, name: str) -> None:
    assert code(read(wheel({name: "x"}))) == "unsafe-member"


def test_t40_a_nul_in_a_name_is_refused(read: Read) -> None:
    good = wheel({"acme/aXb": "x"})

    assert code(read(good.replace(b"acme/aXb", b"acme/a\0b"))) == "unsafe-member"


def test_t40_names_that_are_not_marked_utf8_are_refused(read: Read) -> None:
    assert code(read(wheel({"acme/aXb": "x"}).replace(b"acme/aXb", b"acme/a\xffb"))) == "malformed-wheel"
    assert isinstance(read(wheel({"acme/ä.py": "x"})), Contents)


@pytest.mark.parametrize(
    ("first", "second"),
    [("acme/A.py", "acme/a.py"), ("acme/é", "acme/e\u0301"), ("acme/x", "acme/x/y"), ("acme/x/y", "acme/x")],
)
def test_t40_members_that_could_land_on_each_other_are_refused(read: Read, first: str, second: str) -> None:
    assert code(read(wheel({first: "1", second: "2"}))) == "unsafe-member"


def test_t40_duplicate_members_are_refused(read: Read) -> None:
    good = wheel({"acme/one.py": "x", "acme/two.py": "x"})

    assert code(read(good.replace(b"acme/two.py", b"acme/one.py"))) == "unsafe-member"


@pytest.mark.parametrize("mode", [0o120777, 0o020666, 0o010666, 0o140666, 0o040755])
def test_t42_links_and_devices_are_refused(read: Read, mode: int) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in wheel_files().items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (mode if name.endswith(".py") else 0o100644) << 16
            archive.writestr(entry, data)

    assert code(read(buffer.getvalue())) == "unsafe-member"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_methods_of_packing_are_refused(read: Read, method: int) -> None:
    assert code(read(wheel(method=method))) == "malformed-wheel"


def test_encrypted_members_are_refused(read: Read) -> None:
    bad = bytearray(wheel())
    bad[6] |= 1
    bad[central_offset(bytes(bad)) + 8] |= 1

    assert code(read(bytes(bad))) == "malformed-wheel"


@pytest.mark.parametrize(
    "change",
    [
        {"extra.py": None, f"{INFO}/RECORD": ""},
        {f"{INFO}/RECORD": "one,two\n"},
        {f"{INFO}/RECORD": "\xff"},
        {f"{INFO}/RECORD": b"\xff"},
        {f"{INFO}/RECORD": '"unclosed\n'},
    ],
)
def test_t40_a_record_that_does_not_list_the_members_is_refused(
    read: Read, change: dict[str, str | None]
) -> None:
    assert code(read(wheel(change))) == "record-mismatch"


def _record(**changes: str) -> str:
    lines = {
        name: record_line(name, data) for name, data in wheel_files().items() if not name.endswith("RECORD")
    }
    lines["acme/__init__.py"] = changes.get("line", lines["acme/__init__.py"])
    return "".join(lines.values()) + changes.get("more", "")


@pytest.mark.parametrize(
    "record",
    [
        _record(line=record_line("acme/__init__.py", b"VERSION = '9.9'\n")),
        _record(line=""),
        _record(line="acme/__init__.py,,\n"),
        _record(line="acme/__init__.py,md5=1B2M2Y8AsgTpgAmY7PhCfg,\n"),
        _record(line="acme/__init__.py,sha256=AAAA,\n"),
        _record(line=record_line("acme/__init__.py", b"VERSION = '1.0'\n").replace(",16", ",17")),
        _record(line=record_line("acme/__init__.py", b"VERSION = '1.0'\n").replace(",16", ",-16")),
        _record(line=record_line("acme/__init__.py", b"VERSION = '1.0'\n") * 2),
        _record(more=record_line("acme/ghost.py", b"")),
        _record(more=record_line("../../ghost.py", b"")),
    ],
)
def test_t40_a_record_with_another_hash_size_or_file_is_refused(read: Read, record: str) -> None:
    assert code(read(wheel({f"{INFO}/RECORD": record}))) == "record-mismatch"


def test_t40_signatures_of_the_record_need_no_hash_but_nothing_else_is_exempt(read: Read) -> None:
    listed = {f"{INFO}/RECORD": _record()}

    assert isinstance(read(wheel(listed | {f"{INFO}/RECORD.jws": "{}", f"{INFO}/RECORD.p7s": "x"})), Contents)
    assert code(read(wheel(listed | {f"{INFO}/licenses/RECORD.jws": "{}"}))) == "record-mismatch"
    assert code(read(wheel(listed | {"RECORD.jws": "{}"}))) == "record-mismatch"


def test_t40_content_with_another_crc_is_refused(read: Read) -> None:
    stored = wheel(method=zipfile.ZIP_STORED)

    assert code(read(stored.replace(b"VERSION = '1.0'", b"VERSION = '6.6'"))) == "malformed-wheel"


def test_t41_a_wheel_that_is_also_a_tar_archive_is_refused(read: Read) -> None:
    name = "a" * (257 - 30)
    files = {name: b"ustar" + bytes(300)} | wheel_files()

    assert code(read(zipped(files, method=zipfile.ZIP_STORED))) == "wrong-file-type"


def test_t41_something_else_under_a_wheels_name_is_refused(read: Read) -> None:
    assert code(read(b"<!DOCTYPE html>")) == "wrong-file-type"
    assert code(read(b"\x1f\x8b\x08\0")) == "wrong-file-type"


SCRIPT = f"{INFO}/entry_points.txt"


@pytest.mark.parametrize(
    "text",
    [
        "[console_scripts]\n../../bin/sh = acme:main\n",
        "[console_scripts]\na/b = acme:main\n",
        "[console_scripts]\na\\b = acme:main\n",
        "[gui_scripts]\n.. = acme:main\n",
        "[ Console_Scripts ]\n../x = acme:main\n",
        "[console_scripts]\nx = acme:main; import os\n",
        "[console_scripts]\nx = acme:main()\n",
        "[console_scripts]\nx = acme:main\nx = acme:other\n",
        "[console_scripts]\nx\n",
        "[console_scripts\nx = acme:main\n",
        "x = acme:main\n",
        b"\xff",
    ],
)
def test_t43_entry_points_that_are_paths_or_code_are_refused(read: Read, text: str | bytes) -> None:
    assert code(read(wheel({SCRIPT: text}))) == "bad-entry-point"


@pytest.mark.parametrize(
    "text",
    [
        "[console_scripts]\nacme = acme.cli:main\nacme-2.0 = acme.cli:Main.run [extra, other]\n",
        "# comment\n\n[group.of.ours]\na/b = anything at all\n[gui_scripts]\nx=acme:main\n",
        "",
    ],
)
def test_t43_ordinary_entry_points_are_read(read: Read, text: str) -> None:
    assert isinstance(read(wheel({SCRIPT: text})), Contents)


OTHER = "other-1.0.dist-info"


@pytest.mark.parametrize(
    "files",
    [
        {f"{OTHER}/METADATA": METADATA},
        {"acme_widgets-1.0.DIST-INFO/METADATA": METADATA},
        {"other.egg-info/PKG-INFO": METADATA},
        {"acme_widgets-1.0.data/purelib/other-1.0.dist-info/METADATA": METADATA},
        {"acme_widgets-1.0.data/platlib/other-1.0.Dist-Info/RECORD": "x"},
        {"evil-1.0.data/scripts/x": "x"},
        {"acme_widgets-2.0.data/scripts/x": "x"},
        {f"{INFO}/METADATA": None},
        {f"{INFO}/WHEEL": None},
    ],
)
def test_t47_a_second_or_incomplete_dist_info_is_refused(read: Read, files: dict[str, str | None]) -> None:
    result = read(wheel(files))

    assert code(result) in {"malformed-wheel", "unsafe-member"}


@pytest.mark.parametrize(
    "info", ["other-1.0.dist-info", "acme_widgets-2.0.dist-info", "acme_widgets.dist-info", ".dist-info"]
)
def test_t47_a_dist_info_that_metadata_contradicts_is_refused(read: Read, info: str) -> None:
    assert code(read(wheel(info=info))) == "malformed-wheel"


def test_t47_other_spellings_of_the_name_are_read(read: Read) -> None:
    assert isinstance(read(wheel(info="Acme.Widgets-1.0.0.dist-info")), Contents)


def test_t47_vendored_dist_infos_and_own_data_are_read(read: Read) -> None:
    files = {f"acme/_vendor/{OTHER}/METADATA": METADATA, "acme_widgets-1.0.data/scripts/x": "#!python\n"}

    assert isinstance(read(wheel(files)), Contents)


@pytest.mark.parametrize(
    "text",
    [
        METADATA + "Name: other\n",
        METADATA + "name: other\n",
        METADATA + "Version: 2.0\n",
        METADATA.replace("Version: 1.0\n", ""),
        METADATA.replace("Name: acme-widgets\n", ""),
        METADATA.replace("1.0\n", "one\n"),
        METADATA.replace("1.0\n", "9" * 5000 + "\n"),
        METADATA.replace("acme-widgets", "acme widgets"),
        METADATA.replace("acme-widgets", "acme-\n widgets"),
        METADATA.replace("Metadata-Version: 2.1", "Metadata-Version: 3.0"),
        METADATA.replace("Metadata-Version: 2.1\n", ""),
        METADATA + "no header at all\nRequires-Dist: x @ https://evil.example/x\n",
        METADATA + "Summary: a\x0bName: other\n",
        METADATA + "Summary: a\u2028Name: other\n",
        METADATA + "Summary: a\rName: other\n",
        METADATA + "Summary: \x00\n",
        "From somebody\n" + METADATA,
        "\ufeff" + METADATA,
        "\n" + METADATA,
        METADATA + "Requires-Dist: not a requirement !!\n",
        METADATA + "Requires-Dist:\n",
        METADATA + "Requires-Dist: x; " + "(" * 5000 + "\n",
        METADATA + "Requires-Python: three\n",
        METADATA + "Requires-Python: >=3\nRequires-Python: >=2\n",
        METADATA.encode() + b"Summary: \xff\n",
    ],
)
def test_t47_metadata_that_could_be_read_twice_is_refused(read: Read, text: str | bytes) -> None:
    assert code(read(wheel({f"{INFO}/METADATA": text}))) == "bad-metadata"


@pytest.mark.parametrize(
    "text",
    [
        WHEEL.replace("Wheel-Version: 1.0", "Wheel-Version: 2.0"),
        WHEEL.replace("Wheel-Version: 1.0\n", ""),
        WHEEL.replace("true", "maybe"),
        WHEEL.replace("Root-Is-Purelib: true\n", ""),
        WHEEL.replace("Tag: py3-none-any\n", ""),
        WHEEL.replace("py3-none-any", "py3-none"),
        WHEEL.replace(
            "py3-none-any", ".".join("abcdefghij" * 20) + "-" + ".".join("abcdefghij" * 20) + "-any"
        ),
        WHEEL + "Build: 1\nBuild: 2\n",
    ],
)
def test_a_wheel_file_without_sense_is_refused(read: Read, text: str) -> None:
    assert code(read(wheel({f"{INFO}/WHEEL": text}))) == "bad-metadata"


def test_t48_a_decompression_bomb_is_refused_before_it_is_unpacked(read: Read) -> None:
    bomb = wheel({"acme/zeros": bytes(limits.FREE_SIZE)})

    assert code(read(bomb)) == "archive-too-large"


def test_t48_a_bomb_that_lies_about_its_size_is_refused(read: Read) -> None:
    good = wheel({"acme/zeros": bytes(1 << 20)})

    assert (
        code(read(good.replace(struct.pack("<L", 1 << 20), struct.pack("<L", 1 << 10)))) == "malformed-wheel"
    )


def test_t48_an_oversized_metadata_file_is_refused(read: Read) -> None:
    assert code(read(wheel({f"{INFO}/WHEEL": WHEEL + "X: y\n" * 20_000}))) == "archive-too-large"


def test_t14_no_flipped_byte_makes_another_wheel_or_an_exception(read: Read) -> None:
    good = wheel({SCRIPT: "[console_scripts]\nacme = acme:main\n"})
    original = read(good)

    for at in range(len(good)):
        for bit in (0x01, 0x80, 0xFF):
            result = read(good[:at] + bytes([good[at] ^ bit]) + good[at + 1 :])
            assert isinstance(result, Fault) or result == original, (at, bit)


def test_t14_no_cut_makes_a_wheel(read: Read) -> None:
    good = wheel()

    assert all(isinstance(read(good[:end]), Fault) for end in range(len(good)))


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=400), start=st.sampled_from([b"", b"PK\3\4", b"PK\5\6"]))
def test_t14_no_bytes_make_an_exception(read: Read, data: bytes, start: bytes) -> None:
    assert isinstance(read(start + data), Fault)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    file=st.sampled_from([f"{INFO}/METADATA", f"{INFO}/WHEEL", f"{INFO}/RECORD", SCRIPT]),
    data=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)),
    append=st.booleans(),
)
def test_t14_no_description_file_makes_an_exception(read: Read, file: str, data: bytes, append: bool) -> None:
    base = wheel_files().get(file, b"") if append else b""

    assert isinstance(read(wheel({file: base + data})), Contents | Fault)


def with_zip64_end(
    data: bytes, *, narrow: bool = False, lie: int = 0, locator: int = 0, length: int = 44
) -> bytes:
    """Add a ZIP64 end record and its locator; ``lie`` and ``locator`` shift what they state."""
    at, directory = central_offset(data), directory_of(data)
    count = struct.unpack("<H", data[-12:-10])[0]
    end64 = struct.pack("<4sQ2H2L4Q", b"PK\6\6", length, 45, 45, 0, 0, count, count, len(directory), at + lie)
    pointer = struct.pack("<4sLQL", b"PK\6\7", 0, at + len(directory) + locator, 1)
    numbers = (0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF) if narrow else (count, count, len(directory), at)
    return data[:-22] + end64 + pointer + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, *numbers, 0)


@pytest.mark.parametrize("narrow", [False, True])
def test_t40_zip64_end_records_must_agree(read: Read, narrow: bool) -> None:
    good = wheel()

    assert isinstance(read(with_zip64_end(good, narrow=narrow)), Contents)
    for change in ({"lie": 1}, {"lie": -1}, {"locator": 1}, {"length": 45}):
        assert code(read(with_zip64_end(good, narrow=narrow, **change))) == "malformed-wheel"


def test_t40_an_end_record_that_differs_from_its_zip64_twin_is_refused(read: Read) -> None:
    bad = bytearray(with_zip64_end(wheel()))
    bad[-6:-2] = struct.pack("<L", 1)

    assert code(read(bytes(bad))) == "malformed-wheel"


def test_t40_an_archive_of_several_disks_is_refused(read: Read) -> None:
    bad = bytearray(wheel())
    bad[-18] = 1

    assert code(read(bytes(bad))) == "malformed-wheel"


def test_t40_a_zip64_field_may_repeat_true_sizes_and_no_others(read: Read) -> None:
    good = wheel(method=zipfile.ZIP_STORED)
    size, name = struct.unpack_from("<L", good, 22)[0], struct.unpack_from("<H", good, 26)[0]

    def with_field(*values: int) -> bytes:
        field = struct.pack(f"<2H{len(values)}Q", 1, 8 * len(values), *values)
        members = good[: 30 + name] + field + good[30 + name : central_offset(good)]
        members = members[:28] + struct.pack("<H", len(field)) + members[30:]
        directory, at = bytearray(directory_of(good)), 0
        while at < len(directory):
            lengths = struct.unpack_from("<3H", directory, at + 28)
            offset = struct.unpack_from("<L", directory, at + 42)[0]
            struct.pack_into("<L", directory, at + 42, offset and offset + len(field))
            at += 46 + sum(lengths)
        return with_directory(good, bytes(directory), members=members)

    assert isinstance(read(with_field(size, size)), Contents)
    for values in ((size + 1, size), (size, size + 1), (size,), (size, size, 0)):
        assert code(read(with_field(*values))) == "malformed-wheel"


def test_t40_a_directory_with_content_is_refused(read: Read) -> None:
    assert code(read(wheel({"acme/": b"hidden"}))) == "malformed-wheel"


def _streamed(descriptor: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Make a wheel whose first member is streamed, with a given descriptor behind it."""
    good = wheel(method=method)
    packed, size, name = (*struct.unpack_from("<2L", good, 18), struct.unpack_from("<H", good, 26)[0])
    crc = good[14:18]
    end = 30 + name + packed
    tail = (
        descriptor.replace(b"CRC.", crc)
        .replace(b"PACK", struct.pack("<L", packed))
        .replace(b"SIZE", struct.pack("<L", size))
    )
    head = bytearray(good[:end])
    head[6] |= 8
    head[14:26] = bytes(12)
    directory, at = bytearray(directory_of(good)), 0
    directory[8] |= 8
    while at < len(directory):
        offset = struct.unpack_from("<L", directory, at + 42)[0]
        struct.pack_into("<L", directory, at + 42, offset and offset + len(tail))
        at += 46 + sum(struct.unpack_from("<3H", directory, at + 28))
    return with_directory(
        good, bytes(directory), members=bytes(head) + tail + good[end : central_offset(good)]
    )


def test_t40_data_descriptors_must_agree(read: Read) -> None:
    assert isinstance(read(_streamed(b"PK\7\x08CRC.PACKSIZE")), Contents)
    assert isinstance(read(_streamed(b"CRC.PACKSIZE")), Contents)
    for bad in (
        b"",
        b"PK\7\x08CRC.PACKPACK",
        b"CRC.SIZEPACK",
        b"CRC.PACK\0\0\0\0SIZE\0\0\0\0",
        b"PK\7\x08CRC.PACKSIZE\0",
    ):
        assert code(read(_streamed(bad))) == "malformed-wheel"
    assert code(read(_streamed(b"CRC.PACKSIZE", zipfile.ZIP_STORED))) == "malformed-wheel"


def test_t48_too_many_members_are_refused_unread(read: Read) -> None:
    good = wheel()
    count = limits.MOST_MEMBERS + 1
    end64 = struct.pack(
        "<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, len(directory_of(good)), central_offset(good)
    )
    pointer = struct.pack("<4sLQL", b"PK\6\7", 0, len(good) - 22, 1)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)

    assert code(read(good[:-22] + end64 + pointer + end)) == "archive-too-large"
