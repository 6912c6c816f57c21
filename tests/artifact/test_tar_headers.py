"""Tar archives that CPython's ``tarfile``, pip, uv or tar read differently: B01, and parts of B07 and T48."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Callable

import pytest

from archives import (
    END,
    METADATA,
    TOP,
    archive,
    block,
    changed,
    checked,
    code,
    gz,
    padded,
    pax,
    sdist,
    wheel,
)
from pip_warden.artifact import tree
from pip_warden.artifact.model import Contents
from pip_warden.faults import Fault

Read = Callable[[bytes], Contents | Fault]


EVIL = b'[build-system]\nrequires = ["evil @ file:///tmp/evil"]\n'


SMUGGLED = block(f"{TOP}/pyproject.toml", size=len(EVIL)) + padded(EVIL)
"""A header and its content, to be hidden in the content of another member."""


def names(data: bytes) -> list[str]:
    """List an archive as pip does."""
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:", encoding="utf-8") as listed:
        return listed.getnames()


HIDDEN = f"{TOP}/pyproject.toml"


def old_regular(size: int) -> bytes:
    return block(f"{TOP}/data.bin/", kind=b"\0", size=size)


@pytest.mark.parametrize("extension", ["pax", "gnu"])
def test_b01_a_file_that_old_readers_take_for_a_directory_hides_no_members(
    read: Read, extension: str
) -> None:
    long = f"{TOP}/data.bin\0".encode()
    heads = {
        "pax": pax({"path": f"{TOP}/data.bin"}) + old_regular(len(SMUGGLED)),
        "gnu": block("././@LongLink", kind=b"L", size=len(long))
        + padded(long)
        + old_regular(len(SMUGGLED)).replace(b"ustar\x0000", b"ustar  \0"),
    }
    data = archive(heads[extension], SMUGGLED)

    if extension == "pax":
        assert HIDDEN in names(data)
    assert code(read(gz(data))) == "malformed-sdist"


def test_b01_a_size_that_begins_with_nul_hides_no_members(read: Read) -> None:
    head = block(f"{TOP}/data.bin", raw_size=b"\0" + b"%011o" % len(SMUGGLED))
    data = archive(head, SMUGGLED)

    assert HIDDEN in names(data)
    assert code(read(gz(data))) == "malformed-sdist"


FIELDS = {"mode": (100, 8), "uid": (108, 8), "gid": (116, 8), "size": (124, 12), "mtime": (136, 12)}


DEVICES = {"devmajor": (329, 8), "devminor": (337, 8)}


FORMS = {
    "garbage": b"zzzzzzzzzzzz",
    "leading NUL": b"\x0000000000000",
    "leading blanks": b"    00000000",
    "inner blank": b"000 000 000\0",
    "sign": b"+0000000000\0",
    "underscore": b"0_000000000\0",
    "eight": b"00000000008\0",
    "base 256": b"\x80" + bytes(11),
    "negative base 256": b"\xff" * 12,
    "no end": b"000000000000",
    "something behind the end": b"0000\x000000001",
    "blank": b" " * 12,
}


@pytest.mark.parametrize("field", [*FIELDS, *DEVICES])
@pytest.mark.parametrize("form", FORMS)
def test_b01_every_number_of_a_header_is_read_strictly(read: Read, field: str, form: str) -> None:
    at, length = (FIELDS | DEVICES)[field]
    head = changed(block(f"{TOP}/x"), at, FORMS[form][:length])

    assert code(read(gz(archive(head)))) == "malformed-sdist"


@pytest.mark.parametrize("field", ["mode", "size", "mtime"])
def test_b01_only_numbers_of_users_and_devices_may_be_left_out(read: Read, field: str) -> None:
    at, length = FIELDS[field]
    free = block(f"{TOP}/x")
    for place, size in (FIELDS["uid"], FIELDS["gid"], *DEVICES.values()):
        free = changed(free, place, bytes(size))

    assert isinstance(read(gz(archive(free))), Contents)
    assert code(read(gz(archive(changed(free, at, bytes(length)))))) == "malformed-sdist"


def test_b01_a_checksum_that_begins_with_nul_drops_no_members(read: Read) -> None:
    head = bytearray(block(f"{TOP}/x"))
    head[148:156] = b"\0" + bytes(head[148:154]) + b" "
    data = archive(bytes(head))

    assert names(data) == [f"{TOP}/PKG-INFO"]
    assert code(read(gz(data))) == "malformed-sdist"


@pytest.mark.parametrize(
    "records",
    [
        {"mtime": "nan"},
        {"mtime": "inf"},
        {"mtime": "1e400"},
        {"mtime": "-1"},
        {"mtime": "99999999999"},
        {"mtime": "0x10"},
        {"atime": "nan"},
        {"uid": "1.5"},
        {"uid": "4294967296"},
        {"gid": "-1"},
        {"uid": "\u0661"},
        {"SCHILY.xattr.user.a": "b"},
        {"comment": "a\n30 path=top/evil"},
        {"comment": "a\n22 hdrcharset=BINARY"},
    ],
)
def test_b07_pax_numbers_are_finite_and_no_value_holds_another_record(
    read: Read, records: dict[str, str]
) -> None:
    assert code(read(gz(archive(pax(records), block(f"{TOP}/x"))))) == "malformed-sdist"


def test_b07_one_archive_speaks_one_dialect(read: Read) -> None:
    gnu = changed(block(f"{TOP}/x"), 257, b"ustar  \0")
    long = f"{TOP}/y\0".encode()

    assert code(read(gz(archive(gnu)))) == "malformed-sdist"
    assert code(read(gz(archive(block("l", kind=b"L", size=len(long)) + padded(long), block("y"))))) == (
        "malformed-sdist"
    )


def test_b07_links_that_leave_the_top_directory_on_their_way_are_refused(read: Read) -> None:
    out = block(f"{TOP}/sub/link", kind=b"2", link=f"../../{TOP}/PKG-INFO")
    within = block(f"{TOP}/sub/link", kind=b"2", link="../PKG-INFO")
    beside = block(f"{TOP}/link", kind=b"2", link="./PKG-INFO")

    assert code(read(gz(archive(out)))) == "unsafe-member"
    assert isinstance(read(gz(archive(within, beside))), Contents)


@pytest.mark.parametrize("name", ["x" * 256, "\ue000", "\U000e0fff", "x "])
def test_b07_names_that_no_installer_can_write_are_refused(read: Read, name: str) -> None:
    assert code(read(gz(archive(pax({"path": f"{TOP}/{name}"}), block("x"))))) == "unsafe-member"
    assert code(read(wheel({f"acme/{name}": ""}))) == "unsafe-member"


def test_b07_extended_headers_are_neither_empty_nor_last(read: Read) -> None:
    empty = block("p", kind=b"x")
    last = block("g", kind=b"g", size=16) + padded(b"16 comment=abcd\n")
    starred = block(f"{TOP}/x")[:508] + b"tar\0"

    for bad in ((empty, block(f"{TOP}/x")), (last,), (checked(bytearray(starred)),)):
        assert code(read(gz(archive(*bad)))) == "malformed-sdist"


def gnu_long(content: bytes) -> bytes:
    """An sdist in GNU's dialect whose last member has a long name."""
    info = METADATA.encode()
    heads = (
        block(f"{TOP}/PKG-INFO", size=len(info)),
        block("././@LongLink", kind=b"L", size=len(content)),
        block("x"),
    )
    first, long, member = (changed(head, 257, b"ustar  \0") for head in heads)
    return gz(first + padded(info) + long + padded(content) + member + END)


def test_b07_a_long_name_ends_with_nul(read: Read) -> None:
    assert isinstance(read(gnu_long(f"{TOP}/y\0".encode())), Contents)
    for content in (f"{TOP}/y".encode(), b"\0", b""):
        assert code(read(gnu_long(content))) == "malformed-sdist"


def test_b07_a_long_name_may_be_cut_within_a_character(read: Read) -> None:
    long = f"{TOP}/{'d' * 81}/\u00e9.py"
    cut = long.encode()[:100]
    assert cut.endswith("\u00e9".encode()[:1])
    info = METADATA.encode()
    raw = block("x")
    member = changed(cut + raw[100:], 257, b"ustar  \0")
    first = changed(block(f"{TOP}/PKG-INFO", size=len(info)), 257, b"ustar  \0")
    content = long.encode() + b"\0"
    named = changed(block("././@LongLink", kind=b"L", size=len(content)), 257, b"ustar  \0") + padded(content)

    assert isinstance(read(gz(first + padded(info) + named + member + END)), Contents)
    assert code(read(gz(first + padded(info) + member + END))) == "malformed-sdist"


def test_b07_a_link_target_is_neither_empty_nor_a_files(read: Read) -> None:
    assert code(read(gz(archive(pax({"linkpath": ""}), block(f"{TOP}/x"))))) == "malformed-sdist"


def test_b07_names_that_differ_only_in_dots_at_their_ends_are_refused(read: Read) -> None:
    assert code(read(wheel({"acme/a": "", "acme/a.": ""}))) == "unsafe-member"
    assert isinstance(read(wheel({"acme/logging.": ""})), Contents)


@pytest.mark.parametrize("key", ["comment", "uname", "gname"])
def test_t48_texts_that_old_readers_search_for_ever_are_refused(read: Read, key: str) -> None:
    def archived(length: int) -> bytes:
        return gz(archive(pax({key: "1" * length}), block(f"{TOP}/x")))

    assert isinstance(read(archived(255)), Contents)
    assert code(read(archived(256))) == "malformed-sdist"


def test_t48_extended_headers_have_a_largest_size(read: Read) -> None:
    large = gz(archive(pax({"path": "1" * 70_000}), block(f"{TOP}/x")))

    result = read(large)
    assert isinstance(result, Fault)
    assert (result.code, "65536" in result.expected) == ("malformed-sdist", True)


def test_t48_paths_above_members_count(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = [pax({"path": f"{TOP}/{number}" + "/a" * 500}) + block("x") for number in range(20)]
    assert isinstance(read(gz(archive(*deep))), Contents)

    monkeypatch.setattr(tree, "_MOST_LETTERS", 1 << 20)
    assert code(read(gz(archive(*deep)))) == "archive-too-large"
    assert code(read(wheel({f"{number}" + "/a" * 500: "" for number in range(20)}))) == "archive-too-large"


@pytest.mark.parametrize("flag", [0x02, 0x04, 0x10, 0x20, 0x40, 0x80])
def test_b07_a_gzip_header_with_unknown_flags_is_refused(read: Read, flag: int) -> None:
    good = sdist()

    assert code(read(good[:3] + bytes([flag]) + good[4:])) == "malformed-sdist"


def test_b07_a_gzip_name_without_an_end_is_refused(read: Read) -> None:
    good = sdist()
    named = good[:3] + b"\x08" + good[4:10]

    assert isinstance(read(named + b"acme\0" + good[10:]), Contents)
    assert code(read(named + b"n" * 1025 + good[10:])) == "malformed-sdist"


def test_b07_a_file_beside_the_top_directory_is_refused(read: Read) -> None:
    assert code(read(gz(archive(block("zzz/x"))))) == "malformed-sdist"
    assert code(read(gz(archive(block("zzz"))))) == "malformed-sdist"


def test_b01_a_pax_record_stands_once(read: Read) -> None:
    content = b"13 comment=a\n" * 2
    twice = block("p", kind=b"x", size=len(content)) + padded(content)

    assert code(read(gz(archive(twice, block(f"{TOP}/x"))))) == "malformed-sdist"


def test_t48_members_are_counted(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "MOST_MEMBERS", 2)

    assert isinstance(read(sdist()), Contents)
    assert code(read(sdist({"x": ""}))) == "archive-too-large"
