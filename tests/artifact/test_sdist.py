"""Source distributions and local projects: read strictly, never extracted or run."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archives import (
    END,
    METADATA,
    SDIST_NAME,
    TOP,
    archive,
    block,
    checked,
    code,
    gz,
    padded,
    pax,
    sdist,
    sdist_members,
    tar,
    tar_member,
    wheel,
)
from pip_warden.artifact import limits
from pip_warden.artifact.inspect import inspect
from pip_warden.artifact.model import Contents
from pip_warden.artifact.pyproject import DEFAULT_BUILD_REQUIRES, Pyproject, local_project
from pip_warden.faults import Fault
from pip_warden.names import parse_artifact_name

Read = Callable[..., Contents | Fault]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(data: bytes, filename: str = SDIST_NAME) -> Contents | Fault:
        path = tmp_path / filename
        path.write_bytes(data)
        return inspect(path, parse_artifact_name(filename))

    return read


def by_hand(*extra: bytes) -> bytes:
    """Make an sdist of hand-made blocks after a good PKG-INFO."""
    return gz(archive(*extra))


def test_a_plain_sdist_is_read(read: Read) -> None:
    result = read(sdist())

    assert isinstance(result, Contents)
    assert (result.project, str(result.version)) == ("acme-widgets", "1.0")
    assert result.metadata == METADATA.encode()
    assert result.build_requires == DEFAULT_BUILD_REQUIRES
    assert result.tags == frozenset()


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_every_usual_format_with_long_names_and_directories_is_read(read: Read, form: int) -> None:
    long = "/".join(["d" * 60] * (2 if form == tarfile.USTAR_FORMAT else 5))
    members = [tar_member(TOP, type=tarfile.DIRTYPE), *sdist_members({f"{long}/x.py": "x", "ä.py": "y"})]

    assert isinstance(read(gz(tar(members, form))), Contents)


def test_the_real_sdist_is_read() -> None:
    path = next((Path(__file__).parent.parent / "data" / "real").rglob("*.tar.gz"))
    result = inspect(path, parse_artifact_name(path.name))

    assert isinstance(result, Contents)
    assert result.project == "gitlab-oidc-project"
    assert result.build_requires == ("flit_core >=3.5,<4",)


@pytest.mark.parametrize("top", ["acme-widgets-1.0", "Acme.Widgets-1.0.0", "acme_widgets-1.0"])
def test_old_spellings_of_the_top_directory_are_read(read: Read, top: str) -> None:
    assert isinstance(read(sdist(top=top)), Contents)


@pytest.mark.parametrize("top", ["other-1.0", "acme_widgets-2.0", "acme_widgets", "src"])
def test_t47_a_top_directory_that_pkg_info_contradicts_is_refused(read: Read, top: str) -> None:
    assert code(read(sdist(top=top))) == "malformed-sdist"


def test_pyproject_gives_build_requirements_and_direct_references(read: Read) -> None:
    text = """
        [build-system]
        requires = ["flit_core", "backend @ https://evil.example/b.whl"]
        backend-path = [".", "_build/"]
        [project]
        name = "acme-widgets"
        dependencies = ["a @ git+https://evil.example/a", "c @ https://evil.example/c"]
        [project.optional-dependencies]
        x = ["b @ file:///etc/b"]
    """
    info = METADATA + (
        "Requires-Dist: c @ https://evil.example/c\nRequires-Dist: a @ git+https://evil.example/a\n"
        "Provides-Extra: x\nRequires-Dist: b @ file:///etc/b ; extra == 'x'\n"
    )

    result = read(sdist({"pyproject.toml": text, "PKG-INFO": info}))

    assert isinstance(result, Contents)
    assert result.build_requires == ("flit_core", "backend @ https://evil.example/b.whl")
    named = dict.fromkeys(text.split(" ")[0] for text in result.direct_references)
    assert list(named) == ["c", "a", "b", "backend"]


@pytest.mark.parametrize(
    "text",
    [
        "[build-system",
        "[build-system]\n",
        "[build-system]\nrequires = 'x'\n",
        "[build-system]\nrequires = [1]\n",
        "[build-system]\nrequires = ['not a requirement !']\n",
        "[build-system]\nrequires = []\nbackend-path = ['..']\n",
        "[build-system]\nrequires = []\nbackend-path = ['/tmp']\n",
        "[build-system]\nrequires = []\nbackend-path = ['a/../../b']\n",
        "build-system = 1\n",
        "project = []\n",
        "[project]\ndependencies = 'x'\n",
        "[project]\noptional-dependencies = 1\n",
        "[project]\nversion = 'one'\n",
        "[project]\nname = '..'\n",
        "x = " + "9" * 5000,
        "x = " + "[" * 5000,
        b"\xff",
    ],
)
def test_a_pyproject_that_cannot_be_read_is_refused(read: Read, text: str | bytes) -> None:
    assert code(read(sdist({"pyproject.toml": text}))) == "bad-metadata"


def test_nothing_but_one_plain_pkg_info_at_the_top_will_do(read: Read) -> None:
    assert code(read(sdist({"PKG-INFO": None}))) == "malformed-sdist"
    assert code(read(sdist({"PKG-INFO": None, "sub/PKG-INFO": METADATA}))) == "malformed-sdist"
    assert code(read(sdist({"PKG-INFO": None, "pkg-info": METADATA}))) == "malformed-sdist"
    assert code(read(sdist({"PKG-INFO": METADATA + "Name: other\n"}))) == "bad-metadata"
    linked = [
        *sdist_members({"PKG-INFO": None, "other": METADATA}),
        tar_member(f"{TOP}/PKG-INFO", type=b"2", linkname="other"),
    ]
    assert code(read(gz(tar(linked)))) == "malformed-sdist"


def test_a_pyproject_that_is_a_link_or_in_other_letters_is_refused(read: Read) -> None:
    link = [*sdist_members(), tar_member(f"{TOP}/pyproject.toml", type=b"2", linkname="acme/__init__.py")]

    assert code(read(gz(tar(link)))) == "malformed-sdist"
    assert code(read(sdist({"PyProject.toml": ""}))) == "malformed-sdist"


def test_t33_nothing_in_an_sdist_is_run(read: Read, tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    files = {
        "setup.py": f"open({str(marker)!r}, 'w')",
        "pyproject.toml": "[build-system]\nrequires=[]\nbackend-path=['.']\n",
    }

    assert isinstance(read(sdist(files)), Contents)
    assert sorted(path.name for path in tmp_path.iterdir()) == [SDIST_NAME]


def test_t41_a_sdist_that_is_also_a_zip_is_refused(read: Read) -> None:
    assert code(read(sdist() + wheel())) == "wrong-file-type"
    assert code(read(wheel())) == "wrong-file-type"
    hidden = gzip.compress(tar([*sdist_members(), tar_member(f"{TOP}/z", wheel())]), compresslevel=0, mtime=0)
    assert code(read(hidden)) == "wrong-file-type"


@pytest.mark.parametrize("data", [b"", b"\x1f", b"BZh9", b"<!DOCTYPE html>", b"\x1f\x8b\x07\0\0\0\0\0\0\0"])
def test_t41_other_files_under_an_sdists_name_are_refused(read: Read, data: bytes) -> None:
    assert code(read(data)) == "wrong-file-type"


def test_one_gzip_member_and_nothing_else(read: Read) -> None:
    good, archive = sdist(), tar(sdist_members())

    for bad in (
        good + b"\0",
        good + good,
        gz(archive[:512]) + gz(archive[512:]),
        good[:-1],
        good[:-8] + bytes(8),
        good[:3] + b"\4" + good[4:10] + b"\2\0xx" + good[10:],
        good[:3] + b"\x10" + good[4:10] + b"comment\0" + good[10:],
        good[:3] + b"\x08" + good[4:10] + b"n" * 2000,
        good[:10],
    ):
        assert code(read(bad)) == "malformed-sdist"


def test_the_name_that_gzip_keeps_is_passed_over(read: Read) -> None:
    good = sdist()

    assert isinstance(read(good[:3] + b"\x08" + good[4:10] + b"acme_widgets-1.0.tar\0" + good[10:]), Contents)


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", f"{TOP}/../../x", "../x", f"{TOP}//x", f"./{TOP}/x", f"{TOP}/a\\b", f"{TOP}/a\x01"],
)
def test_t42_members_that_lead_elsewhere_are_refused(read: Read, name: str) -> None:
    assert code(read(by_hand(block(name)))) == "unsafe-member"
    assert code(read(by_hand(pax({"path": name}), block(f"{TOP}/x")))) == "unsafe-member"


def test_t42_a_safe_pax_name_does_not_hide_an_unsafe_plain_one(read: Read) -> None:
    assert code(read(by_hand(pax({"path": f"{TOP}/x"}), block("../../x")))) == "unsafe-member"


@pytest.mark.parametrize("kind", [b"3", b"4", b"6", b"7", b"S", b"V", b"M", b"D", b"A", b"9"])
def test_t42_devices_sparse_and_unknown_members_are_refused(read: Read, kind: bytes) -> None:
    assert code(read(by_hand(block(f"{TOP}/x", kind=kind)))) == "unsafe-member"


@pytest.mark.parametrize(
    ("kind", "target"),
    [
        (b"2", "/etc/passwd"),
        (b"2", "../../etc/passwd"),
        (b"2", "../other-top"),
        (b"2", f"../{TOP}/PKG-INFO"),
        (b"2", "sub/../../../x"),
        (b"2", "nowhere"),
        (b"2", "link"),
        (b"2", ".."),
        (b"1", "/etc/passwd"),
        (b"1", f"{TOP}/nowhere"),
        (b"1", "PKG-INFO"),
        (b"1", f"{TOP}/../x"),
    ],
)
def test_t42_links_out_of_the_tree_are_refused(read: Read, kind: bytes, target: str) -> None:
    assert code(read(by_hand(block(f"{TOP}/link", kind=kind, link=target)))) == "unsafe-member"


def test_t42_links_by_way_of_links_are_refused(read: Read) -> None:
    up = block(f"{TOP}/a/b/up", kind=b"2", link="../../acme")
    through = block(f"{TOP}/x", kind=b"2", link="a/b/up/f")

    assert code(read(by_hand(block(f"{TOP}/acme/f"), up, through))) == "unsafe-member"
    assert code(read(by_hand(block(f"{TOP}/acme/f"), up, block(f"{TOP}/a/b/up/f")))) == "unsafe-member"


def test_links_within_the_tree_are_read(read: Read) -> None:
    good = by_hand(
        block(f"{TOP}/acme/f"),
        block(f"{TOP}/l", kind=b"2", link="acme/f"),
        block(f"{TOP}/acme/m", kind=b"2", link="../PKG-INFO"),
        block(f"{TOP}/d", kind=b"2", link="acme"),
        block(f"{TOP}/h", kind=b"1", link=f"{TOP}/acme/f"),
    )

    assert isinstance(read(good), Contents)


def test_duplicates_are_refused(read: Read) -> None:
    assert code(read(gz(tar(sdist_members() * 2)))) == "unsafe-member"
    assert code(read(by_hand(block(f"{TOP}/pkg-info")))) == "unsafe-member"


def test_t46_a_pax_size_that_differs_is_refused(read: Read) -> None:
    hidden = padded(block("evil"))

    assert code(read(by_hand(pax({"size": "512"}), block(f"{TOP}/x"), hidden))) == "malformed-sdist"
    assert code(read(by_hand(pax({"size": "0"}), block(f"{TOP}/x", size=512), hidden))) == "malformed-sdist"
    assert code(read(by_hand(pax({"size": "00"}), block(f"{TOP}/x")))) == "malformed-sdist"
    assert isinstance(read(by_hand(pax({"size": "0", "mtime": "1.5"}), block(f"{TOP}/x"))), Contents)


@pytest.mark.parametrize(
    "records",
    [
        {"GNU.sparse.major": "1", "GNU.sparse.realsize": "9"},
        {"SCHILY.realsize": "9"},
        {"hdrcharset": "BINARY"},
        {"unknown": "1"},
    ],
)
def test_t46_pax_records_that_change_the_meaning_are_refused(read: Read, records: dict[str, str]) -> None:
    assert code(read(by_hand(pax(records), block(f"{TOP}/x")))) == "malformed-sdist"


def _raw_pax(content: bytes, kind: bytes = b"x") -> bytes:
    return block("p", kind=kind, size=len(content)) + padded(content)


@pytest.mark.parametrize(
    "content",
    [
        b"12 path=abc\n12 path=abd\n",
        b"11 path=abc\n",
        b"13 path=abc\n",
        b"012 path=abc\n",
        b"99 path=abc\n",
        b"path=abc\n",
        b"5 a\n",
        b"0 \n",
        b"12 path=ab\xff\n",
        b"-1 path=abc\n",
        b"\xb2 path=abc\n",
    ],
)
def test_t46_malformed_or_repeated_pax_records_are_refused(read: Read, content: bytes) -> None:
    assert code(read(by_hand(_raw_pax(content), block(f"{TOP}/x")))) == "malformed-sdist"


def test_t46_extended_headers_of_two_kinds_or_without_a_member_are_refused(read: Read) -> None:
    path, long = pax({"path": f"{TOP}/x"}), _raw_pax(f"{TOP}/y\0".encode(), b"L")

    for extra in (
        (path, path, block("x")),
        (path, long, block("x")),
        (long, path, block("x")),
        (long, long, block("x")),
        (path,),
    ):
        assert code(read(by_hand(*extra))) == "malformed-sdist"


def test_a_global_header_may_comment_and_no_more(read: Read) -> None:
    assert isinstance(read(by_hand(_raw_pax(b"16 comment=abcd\n", b"g"), block(f"{TOP}/x"))), Contents)
    assert code(read(by_hand(_raw_pax(b"12 path=abc\n", b"g"), block(f"{TOP}/x")))) == "malformed-sdist"


@pytest.mark.parametrize(
    "size", [b"\x80" + bytes(10) + b"\1", b"\xff" * 12, b"00000000009\0", b"            ", b"-0000000001\0"]
)
def test_t46_sizes_that_are_not_octal_are_refused(read: Read, size: bytes) -> None:
    assert code(read(by_hand(block(f"{TOP}/x", raw_size=size)))) == "malformed-sdist"


def test_headers_of_other_forms_are_refused(read: Read) -> None:
    def changed(at: int, value: bytes) -> bytes:
        head = bytearray(block(f"{TOP}/x"))
        head[at : at + len(value)] = value
        return checked(head)

    wrong_sum = bytearray(block(f"{TOP}/x"))
    wrong_sum[0] ^= 1
    for bad in (
        bytes(wrong_sum),
        changed(257, bytes(8)),
        changed(98, b"x"),
        changed(0, b"\xff"),
        changed(257, b"ustar  \0")[:345] + b"prefix" + bytes(161),
        block(f"{TOP}/x", kind=b"5", size=512) + bytes(512),
        block(f"{TOP}/x", kind=b"0", link="target"),
        block(f"{TOP}/x", kind=b"2"),
    ):
        assert code(read(by_hand(bad))) == "malformed-sdist"


def test_the_end_of_the_archive_is_the_end(read: Read) -> None:
    archive = tar(sdist_members())
    body = archive.rstrip(b"\0")
    body += bytes(-len(body) % 512)

    assert isinstance(read(gz(body + END)), Contents)
    for bad in (
        body,
        body + bytes(512),
        body + END + block("evil") + END,
        body + END + b"\0",
        body + bytes(512) + block("evil"),
    ):
        assert code(read(gz(bad))) == "malformed-sdist"


def test_padding_holds_nothing(read: Read) -> None:
    info = METADATA.encode()
    padding = b"x" * (-len(info) % 512)

    assert (
        code(read(gz(block(f"{TOP}/PKG-INFO", size=len(info)) + info + padding + END))) == "malformed-sdist"
    )


def test_t48_a_decompression_bomb_is_stopped(read: Read) -> None:
    packer = zlib.compressobj(9, wbits=31)
    data = packer.compress(block(f"{TOP}/zeros", size=1 << 32))
    for _ in range(limits.FREE_SIZE // (1 << 20) + 1):
        data += packer.compress(bytes(1 << 20))

    assert code(read(data + packer.flush())) == "archive-too-large"


def test_t48_an_oversized_pkg_info_is_refused_unread(read: Read) -> None:
    assert code(read(gz(block(f"{TOP}/PKG-INFO", size=1 << 30)))) == "archive-too-large"


def test_t14_no_flipped_byte_makes_another_sdist_or_an_exception(read: Read) -> None:
    good = sdist()
    original = read(good)

    for at in range(len(good)):
        for bit in (0x01, 0x80, 0xFF):
            result = read(good[:at] + bytes([good[at] ^ bit]) + good[at + 1 :])
            assert isinstance(result, Fault) or result == original, (at, bit)


def test_t14_no_flipped_byte_of_the_tar_makes_an_exception(read: Read) -> None:
    archive = tar([*sdist_members({"ä.py": "x"})])[:4096] + END

    for at in range(len(archive)):
        assert isinstance(
            read(gz(archive[:at] + bytes([archive[at] ^ 0x41]) + archive[at + 1 :])), Contents | Fault
        )


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=300), text=st.text(max_size=200))
def test_t14_no_bytes_make_an_exception(read: Read, data: bytes, text: str) -> None:
    assert isinstance(read(b"\x1f\x8b" + data), Fault)
    assert isinstance(read(gz(data)), Fault)
    assert isinstance(read(by_hand(_raw_pax(data), block(f"{TOP}/x"))), Contents | Fault)
    assert isinstance(read(sdist({"pyproject.toml": text, "PKG-INFO": METADATA + text})), Contents | Fault)


def test_t20_a_local_project_tells_what_it_would_fetch(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        "[build-system]\nrequires = ['flit_core']\n[project]\nname = 'Acme.Widgets'\ndynamic = ['version']\n"
        "dependencies = ['idna', 'x @ file:///tmp/x']\n"
    )

    project = local_project(tmp_path)

    assert isinstance(project, Pyproject)
    assert (project.project, project.version, project.dynamic) == ("acme-widgets", None, ("version",))
    assert project.direct_references == ("x @ file:///tmp/x",)
    assert project.build_requires == ("flit_core",)


def test_a_directory_without_a_project_is_a_fault(tmp_path: Path) -> None:
    nothing = local_project(tmp_path)
    (tmp_path / "setup.py").write_text("")
    old = local_project(tmp_path)
    (tmp_path / "pyproject.toml").write_text("[")
    broken = local_project(tmp_path)

    assert isinstance(nothing, Fault)
    assert nothing.code == "not-a-project"
    assert isinstance(old, Pyproject)
    assert old.build_requires == DEFAULT_BUILD_REQUIRES
    assert isinstance(broken, Fault)
    assert broken.code == "bad-metadata"
