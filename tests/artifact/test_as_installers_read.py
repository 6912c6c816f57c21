"""What an installer reads is what was judged: each case here was accepted once, and read otherwise by pip, uv or CPython's own readers.

Numbers B01 to B03 and B07 are those of two hostile reviews; the mutants of `tests/interop/differential` look for more of the kind.
"""

from __future__ import annotations

import io
import struct
import sys
import tarfile
import zipfile
from collections.abc import Callable, Sequence
from importlib.util import MAGIC_NUMBER
from pathlib import Path

import pytest

from archives import (
    INFO,
    METADATA,
    SDIST_NAME,
    TOP,
    WHEEL,
    WHEEL_NAME,
    block,
    central_offset,
    checked,
    directory_of,
    gz,
    padded,
    pax,
    sdist,
    wheel,
    wheel_files,
    with_directory,
    zipped,
)
from pip_warden.artifact import listing, readers, tree
from pip_warden.artifact.inspect import inspect, read_by
from pip_warden.artifact.model import Artifact, Contents
from pip_warden.artifact.problem import MalformedError
from pip_warden.artifact.sdist import check_elsewhere
from pip_warden.digests import Hasher, digest_of
from pip_warden.errors import UndecidedError
from pip_warden.faults import Fault
from pip_warden.names import parse_artifact_name

Read = Callable[[bytes], Contents | Fault]
END = bytes(1024)
EVIL = b'[build-system]\nrequires = ["evil @ file:///tmp/evil"]\n'
SMUGGLED = block(f"{TOP}/pyproject.toml", size=len(EVIL)) + padded(EVIL)
"""A header and its content, to be hidden in the content of another member."""


@pytest.fixture
def read(tmp_path: Path) -> Read:
    def read(data: bytes) -> Contents | Fault:
        name = WHEEL_NAME if data[:2] == b"PK" else SDIST_NAME
        path = tmp_path / name
        path.write_bytes(data)
        return inspect(path, parse_artifact_name(name))

    return read


def code(result: Contents | Fault) -> str:
    assert isinstance(result, Fault), result
    return result.code


def archive(*members: bytes, end: bytes = END) -> bytes:
    info = METADATA.encode()
    return block(f"{TOP}/PKG-INFO", size=len(info)) + padded(info) + b"".join(members) + end


def names(data: bytes) -> list[str]:
    """List an archive as pip does."""
    with tarfile.open(fileobj=io.BytesIO(data), mode="r:", encoding="utf-8") as listed:
        return listed.getnames()


def changed(head: bytes, at: int, value: bytes) -> bytes:
    """Exchange bytes of a header and mend its checksum."""
    return checked(bytearray(head[:at] + value + head[at + len(value) :]))


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


class Stranger:
    """A reader that sees what it is told to."""

    def __init__(self, *rows: list[object]) -> None:
        self._rows = rows

    def __call__(self, _stream: object) -> Sequence[list[object]]:
        return self._rows


TRUE_ROWS = [
    [f"{TOP}/acme/__init__.py", "0", 16, 512, ""],
    [f"{TOP}/PKG-INFO", "0", len(METADATA), 1536, ""],
]


@pytest.mark.parametrize(
    "rows",
    [
        TRUE_ROWS[:1],
        [],
        [*TRUE_ROWS, [f"{TOP}/more", "0", 0, 2560, ""]],
        *([[*TRUE_ROWS[0][:at], other, *TRUE_ROWS[0][at + 1 :]], TRUE_ROWS[1]] for at, other in enumerate(["x", "5", 17, 513, "y"])),
    ],
)  # fmt: skip
def test_t46_an_sdist_that_tarfile_lists_otherwise_is_refused(
    read: Read, monkeypatch: pytest.MonkeyPatch, rows: list[list[object]]
) -> None:
    monkeypatch.setattr(listing, "rows", Stranger(*TRUE_ROWS))
    assert isinstance(read(sdist()), Contents)

    monkeypatch.setattr(listing, "rows", Stranger(*rows))
    assert code(read(sdist())) == "archive-ambiguous"


def test_t46_whatever_tarfile_stumbles_over_is_refused(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    def stumble(_stream: object) -> Sequence[list[object]]:
        raise AttributeError("inside of a reader that is not ours")

    monkeypatch.setattr(listing, "rows", stumble)

    assert code(read(sdist())) == "archive-ambiguous"


def test_t46_another_interpreters_tarfile_is_asked_too(tmp_path: Path) -> None:
    path = tmp_path / SDIST_NAME
    path.write_bytes(sdist({"pyproject.toml": "", "data.bin": b"x" * 100_000}))
    check_elsewhere(path, Path(sys.executable))

    for script in ("print('[]')", "import sys; sys.exit('out of order')", ""):
        stranger = tmp_path / "python"
        stranger.write_text(f"#!{sys.executable}\n{script}\n")
        stranger.chmod(0o700)
        with pytest.raises(MalformedError) as caught:
            check_elsewhere(path, stranger)
        assert caught.value.fault.code == "archive-ambiguous"


@pytest.mark.parametrize("why", ["nothing there", "no end"])
def test_t46_an_interpreter_that_cannot_be_asked_decides_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    monkeypatch.setattr(readers, "_PATIENCE", 0.01)
    path, python = tmp_path / SDIST_NAME, tmp_path / "python"
    path.write_bytes(sdist())
    name = parse_artifact_name(SDIST_NAME)
    contents = inspect(path, name)
    if why == "no end":
        python.write_text("#!/bin/sh\nexec sleep 60\n")
        python.chmod(0o700)

    with pytest.raises(UndecidedError) as caught:
        read_by(python, Artifact(name=name, path=path, digest=digest_of(b""), size=0, contents=contents))

    assert caught.value.code == "cannot-ask-python"


def test_t40_a_wheel_that_zipfile_lists_otherwise_is_refused(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = zipfile.ZipFile.infolist

    for change in ("filename", "file_size", "compress_size", "compress_type", "CRC", "header_offset"):

        def lie(archive: zipfile.ZipFile, change: str = change) -> list[zipfile.ZipInfo]:
            listed = real(archive)
            value = getattr(listed[-1], change)
            setattr(listed[-1], change, value + ("x" if isinstance(value, str) else 1))
            return listed

        monkeypatch.setattr(zipfile.ZipFile, "infolist", lie)
        assert code(read(wheel())) == "archive-ambiguous", change
    monkeypatch.setattr(zipfile.ZipFile, "infolist", lambda archive: real(archive)[:-1])
    assert code(read(wheel())) == "archive-ambiguous"


def test_b07_a_wheel_for_a_later_zip_than_installers_know_is_refused(read: Read) -> None:
    data = wheel()
    later = data.replace(b"PK\1\2\x14\x03\x14", b"PK\1\2\x14\x03\xff").replace(b"PK\3\4\x14", b"PK\3\4\xff")

    assert later != data
    assert code(read(later)) == "archive-ambiguous"


@pytest.mark.parametrize(
    "name",
    [
        "requires.txt", "dependency_links.txt", "direct_url.json", "INSTALLER", "REQUESTED", "PKG-INFO", "SOURCES.txt",
        "installed-files.txt", "uv_cache.json", "provenance_url.json", "Requires.txt", "scripts/run", "anything",
    ],
)  # fmt: skip
def test_b02_files_that_installers_read_besides_metadata_are_refused(read: Read, name: str) -> None:
    assert code(read(wheel({f"{INFO}/{name}": "evil @ file:///tmp/evil\n"}))) == "unexpected-metadata"


def test_b02_licences_and_what_build_tools_leave_are_read(read: Read) -> None:
    text = METADATA + "License-File: docs/terms.md\nLicense-File: WHY\n"
    kept = {f"{INFO}/{name}": "x" for name in ("LICENSE.txt", "licenses/a/requires.txt", "sboms/x.json", "top_level.txt", "mit.LICENSE")}  # fmt: skip
    named = {f"{INFO}/METADATA": text, f"{INFO}/docs/terms.md": "x", f"{INFO}/WHY": "x"}

    assert isinstance(read(wheel(kept | named)), Contents)


@pytest.mark.parametrize(
    "name",
    ["INSTALLER", "REQUESTED", "direct_url.json", "PKG-INFO", "Requires.txt", "scripts/run", "METADATA/x"],
)
def test_b02_no_licence_is_called_as_what_installers_read_and_write(read: Read, name: str) -> None:
    text = f"{METADATA}License-File: {name}\n"

    assert code(read(wheel({f"{INFO}/METADATA": text, f"{INFO}/{name}": "x"}))) in {"unexpected-metadata", "unsafe-member"}  # fmt: skip


DATA = "acme_widgets-1.0.data"


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ({f"{DATA}/purelib/other-1.0.dist-info/METADATA": "x"}, "malformed-wheel"),
        ({f"{DATA}/purelib/{INFO}/requires.txt": "evil @ file:///tmp/evil"}, "malformed-wheel"),
        ({f"{DATA}/platlib/other.EGG-INFO/requires.txt": "x"}, "malformed-wheel"),
        ({f"{DATA}/data/lib/python3.11/site-packages/other-1.0.dist-info/METADATA": "x"}, "malformed-wheel"),
        ({f"{DATA}/data/Lib/Site-Packages/other.egg-info": "x"}, "malformed-wheel"),
        ({"other.egg-info": "x"}, "malformed-wheel"),
        ({"other.egg-link": "x"}, "malformed-wheel"),
        ({"other.egg/EGG-INFO/PKG-INFO": "x"}, "malformed-wheel"),
        ({f"{DATA}/headers/acme.h": "x", f"{DATA}/data/include/site/python3.11/Acme.Widgets/acme.h": "y"}, "unsafe-member"),
        ({"other.egg-info/": ""}, "malformed-wheel"),
        ({"other.dist-info": "x"}, "malformed-wheel"),
        ({f"{DATA}/purelib/acme/__init__.py": "x"}, "unsafe-member"),
        ({f"{DATA}/purelib/acme/__INIT__.py": "x"}, "unsafe-member"),
        ({f"{DATA}/purelib/a.py": "x", f"{DATA}/platlib/a.py": "x"}, "unsafe-member"),
        ({f"{DATA}/data/lib/python3.11/site-packages/acme/__init__.py": "x"}, "unsafe-member"),
        ({f"{DATA}/data/bin/run": "x", f"{DATA}/scripts/run": "x"}, "unsafe-member"),
        ({f"{DATA}/purelib/acme": "x"}, "unsafe-member"),
        ({f"{DATA}/evil/x": "x"}, "malformed-wheel"),
        ({f"{DATA}/evil/": ""}, "malformed-wheel"),
        ({f"{DATA}/Scripts/x": "x"}, "malformed-wheel"),
        ({f"{DATA}/PURELIB/x": "x"}, "malformed-wheel"),
        ({f"{DATA}/x": "x"}, "malformed-wheel"),
        ({"Acme_Widgets-1.0.data/scripts/x": "x"}, "malformed-wheel"),
        ({"acme.widgets-1.0.data/purelib/x.py": "x"}, "malformed-wheel"),
        ({"acme_widgets-1.0.0.data/purelib/x.py": "x"}, "malformed-wheel"),
        ({"acme_widgets-1.0.DATA/purelib/x.py": "x"}, "malformed-wheel"),
        ({DATA: "x"}, "malformed-wheel"),
        ({"X.data": "x"}, "malformed-wheel"),
        ({f"{DATA}/purelib/{DATA}/scripts/x": "x"}, "malformed-wheel"),
        ({f"{DATA}/scripts/sub/x": "x"}, "malformed-wheel"),
        ({f"{DATA}/scripts/sub/": ""}, "malformed-wheel"),
        ({f"{DATA}/scripts/.exe": "x"}, "bad-entry-point"),
        ({f"{DATA}/scripts/-script.py": "x"}, "bad-entry-point"),
        ({f"{DATA}/scripts/python": "x"}, "bad-entry-point"),
        ({f"{DATA}/scripts/Python3.11.exe": "x"}, "bad-entry-point"),
        ({f"{DATA}/data/bin/python3": "x"}, "bad-entry-point"),
        ({f"{DATA}/scripts/pip3": "x"}, "bad-entry-point"),
        ({f"{DATA}/scripts/o dd": "x"}, "bad-entry-point"),
    ],
)  # fmt: skip
def test_b02_what_installers_would_put_elsewhere_or_twice_is_refused(
    read: Read, files: dict[str, str], wanted: str
) -> None:
    assert code(read(wheel(files))) == wanted


def test_b02_data_is_spelled_as_the_file_is(tmp_path: Path) -> None:
    spread, plain = wheel({f"{DATA}/scripts/run": "x"}), wheel()
    for filename in (
        WHEEL_NAME,
        "Acme_Widgets-1.0-py3-none-any.whl",
        "acme_widgets-1.0.0-py3-none-any.whl",
        "acme_widgets-2.0-py3-none-any.whl",
    ):
        path, name = tmp_path / filename, parse_artifact_name(filename)
        path.write_bytes(plain)
        assert isinstance(inspect(path, name), Contents)
        path.write_bytes(spread)
        found = inspect(path, name)
        # Another version is for step 4 to refuse, by its own code.
        assert isinstance(found, Contents) is (filename == WHEEL_NAME or "-2.0-" in filename), filename


@pytest.mark.parametrize("text", [b"#!python\rimport evil\nx\n", b"#!pythonw\r\r\nx\n", b"#!python -E\rx"])
def test_b07_a_first_line_that_ends_twice_is_refused(read: Read, text: bytes) -> None:
    assert code(read(wheel({f"{DATA}/scripts/run": text}))) == "malformed-wheel"
    assert isinstance(read(wheel({f"{DATA}/data/share/run": text})), Contents)


@pytest.mark.parametrize("text", [b"#!python\r\nx\r\n", b"#!python", b"", b"\x7fELF\r", b"#!/bin/sh\rx\n"])
def test_b07_other_first_lines_are_read(read: Read, text: bytes) -> None:
    assert isinstance(read(wheel({f"{DATA}/scripts/run": text})), Contents)


def test_b02_data_of_every_scheme_and_vendored_copies_are_read(read: Read) -> None:
    files = {
        f"{DATA}/purelib/one.py": "x",
        f"{DATA}/platlib/two.so": "x",
        f"{DATA}/headers/": "",
        f"{DATA}/headers/acme.h": "x",
        f"{DATA}/scripts/acme.py": "#!python\n",
        f"{DATA}/data/share/man/man1/acme.1": "x",
        f"{DATA}/data/etc/acme.data/x": "x",
        "acme/_vendor/other-1.0.dist-info/requires.txt": "x",
        "acme/_vendor/other.egg-info": "x",
        "acme/x.data/y": "x",
    }

    assert isinstance(read(wheel(files)), Contents)


ENTRY_POINTS = f"{INFO}/entry_points.txt"


@pytest.mark.parametrize(
    "script", ["acme", "Acme", "acme.exe", "acme.EXE", "acme-script.py", "acme-script.pyw", "acme.pya"]
)
def test_b02_a_script_beside_the_entry_point_of_its_name_is_refused(read: Read, script: str) -> None:
    files = {ENTRY_POINTS: "[console_scripts]\nacme = acme:main\n", f"{DATA}/scripts/{script}": "x"}

    assert code(read(wheel(files))) == "unsafe-member"


@pytest.mark.parametrize(
    "text",
    [
        "[DEFAULT]\nevil = acme:main\n",
        "[default]\nx = y\n",
        "[console_scripts]\nacme = acme:main # comment\n",
        "[console_scripts]\nacme = acme:main ; comment\n",
        "[group]\na#b = acme\n",
        "; comment\n",
        "[console_scripts]\nacme = acme:main\u2028evil = acme:evil\n",
        "[console_scripts]\nacme = acme:main\x0cevil = acme:evil\n",
        "[console_scripts]\nacme = acme:main\x85evil = acme:evil\n",
        "[console_scripts]\nacme = acme:main\revil = acme:evil\n",
        "[console_scripts]\nacme = acme:main\n  evil = acme:evil\n",
        "[console_scripts]\nacme = acme:main\n\n  [gui_scripts]\nevil = acme:evil\n",
        "[console_scripts]\nacme = acme:main\n[console_scripts]\nevil = acme:evil\n",
        "[console_scripts]\nacme = acme:main\n[gui_scripts]\nacme = acme:other\n",
        "[console_scripts]\nacme = acme:main\nACME = acme:other\n",
        "[Console_Scripts]\nacme = acme:main\n",
        "[ console_scripts ]\nacme = acme:main\n",
        "[console_scripts] # comment\nacme = acme:main\n",
        "[console_scripts]\nacme : acme:main\n",
        "[console_scripts]\nacme = acme\n",
        "[console_scripts]\nacme = acme : main\n",
        "[console_scripts]\nacme = acme:main []\n",
        "[console_scripts]\nacme = acme:main [a.b]\n",
        "[console_scripts]\nacme = 1acme:main\n",
        "[console_scripts]\nacme = acme:main:more\n",
        "[console_scripts]\nacme = %(home)s:main\n",
        "[console_scripts]\no dd = acme:main\n",
        "[console_scripts]\n[odd = acme:main\n",
        "[console_scripts]\n-odd = acme:main\n",
        "[console_scripts]\npython = acme:main\n",
        "[gui_scripts]\npythonw = acme:main\n",
        "[console_scripts]\nPython3.12 = acme:main\n",
        "[console_scripts]\npypy3 = acme:main\n",
        "[console_scripts]\npip = acme:main\n",
        "[console_scripts]\npip3.12 = acme:main\n",
        "[console_scripts]\neasy_install-3.12 = acme:main\n",
        "\ufeff[console_scripts]\nacme = acme:main\n",
    ],
)
def test_b03_entry_points_have_one_reading(read: Read, text: str) -> None:
    assert code(read(wheel({ENTRY_POINTS: text}))) == "bad-entry-point"


@pytest.mark.parametrize(
    "text",
    [
        "[mkdocs.plugins]\nmaterial/blog = material.plugins.blog.plugin:BlogPlugin\n",
        "[babel.extractors]\njinja2=jinja2.ext:babel_extract[i18n]\n",
        "[egg_info.writers]\ndependency_links.txt = setuptools.command.egg_info:overwrite_arg\n",
        "    [console_scripts]\n    acme = acme:main\n    more=acme.cli:Main.run\n    ",
        "[console_scripts]\r\npy.test = acme:main\r\n\r\n# comment\r\n[gui_scripts]\r\nacme-2.0 = acme:main [gui]\r\n",
        "[console_scripts]\npipx = acme:main\npython-acme = acme:main\n",
    ],
)
def test_b03_ordinary_entry_points_are_read(read: Read, text: str) -> None:
    assert isinstance(read(wheel({ENTRY_POINTS: text})), Contents)


def test_b03_pip_may_bring_pip(tmp_path: Path) -> None:
    info = "pip-1.0.dist-info"
    files = {
        f"{info}/METADATA": METADATA.replace("acme-widgets", "pip"),
        f"{info}/entry_points.txt": "[console_scripts]\npip = acme:main\npip3 = acme:main\n",
    }
    path = tmp_path / "pip-1.0-py3-none-any.whl"
    path.write_bytes(wheel(files, info=info))

    assert isinstance(inspect(path, parse_artifact_name(path.name)), Contents)


def test_b03_entry_points_that_importlib_reads_otherwise_are_refused(
    read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.metadata.Distribution.entry_points", ())

    assert code(read(wheel({ENTRY_POINTS: "[console_scripts]\nacme = acme:main\n"}))) == "archive-ambiguous"


@pytest.mark.parametrize(
    "marker",
    [
        "extra == ''",
        "extra != ''",
        "extra != 'x'",
        "extra in 'x y'",
        "extra not in 'x'",
        "extra < 'y'",
        "extra ~= '1.0'",
        "extra === 'x'",
        "'x' in extras",
        "extras == 'x'",
        "'x' in dependency_groups",
        "'a' == 'a'",
        "'a' in 'abc'",
        "os_name == sys_platform",
        "os_name == os_name",
        "os_name ~= 'posix'",
        "os_name === 'posix'",
        "os_name < 'posix'",
        "python_version === '3.11'",
        "python_version >= 'three'",
        "python_version >= ''",
        "python_version == '*'",
        "python_version >= '3.*'",
        "python_version == '3.8+local'",
        "python_version == '3.11.dev0'",
        "python_version in '3.11 3.12'",
        "'3.1' in python_version",
        "'3.8' ~= python_version",
        "python_version >= '\u0663.8'",
        "platform_release >= 'new'",
        "os_name == 'posix' and (extra == '')",
    ],
)
def test_b07_markers_that_installers_evaluate_differently_are_refused(read: Read, marker: str) -> None:
    text = f"{METADATA}Provides-Extra: x\nRequires-Dist: idna ; {marker}\n"

    assert code(read(wheel({f"{INFO}/METADATA": text}))) == "bad-metadata"
    assert code(read(sdist({"PKG-INFO": text}))) == "bad-metadata"
    build = f'[build-system]\nrequires = ["""idna ; {marker}"""]\n'
    assert code(read(sdist({"pyproject.toml": build}))) == "bad-metadata"


@pytest.mark.parametrize(
    "marker",
    [
        "extra == 'x'",
        "'X_y' == extra",
        "(os_name == 'nt' and implementation_name != 'pypy') and extra == 'test'",
        "python_version < '3.11' or python_full_version >= '3.11.0rc1'",
        "'3.8' <= python_version",
        "python_version ~= '3.8' and python_version == '3.*'",
        "'linux' in sys_platform and platform_system not in 'Darwin Windows'",
        "platform_release >= '20.0.0'",
        "os.name == 'posix' and python_implementation == 'CPython'",
    ],
)
def test_b07_ordinary_markers_are_read(read: Read, marker: str) -> None:
    extras = "".join(f"Provides-Extra: {extra}\n" for extra in ("x", "X_y", "test"))
    result = read(wheel({f"{INFO}/METADATA": f"{METADATA}{extras}Requires-Dist: idna>=3 ; {marker}\n"}))

    assert isinstance(result, Contents), result


@pytest.mark.parametrize(
    "line",
    [
        "Requires-Dist: UNKNOWN",
        "Requires-Dist: idna ; extra == 'undeclared'",
        "Requires-Dist: idna ()",
        "Requires-Dist: idna === 3.0",
        "Requires-Dist: idna >= 10000000000000000000",
        "Requires-Dist: idna\n >=3",
        "Requires-Python: === 3.11",
        "Requires-Python: >3.11.7rc1",
        "Requires-Python: !=3.11.7.*",
        "Requires-Python: ==3.11.7+x",
        "Requires-Dist: idna ; os_name != ' #b'",
        "Requires-Python: >=3.8 ",
        "Provides-Extra: not a name",
        "Provides-Extra: x ",
        "Provides-Extra:\n x",
        "Provides-Extra: x\n  ",
        "Provides-Extra: x\xa0",
        "Provides-Extra: ",
        "Content-Type: multipart/mixed; boundary=x",
        "content-type: message/rfc822",
        "Content-Transfer-Encoding: base64",
        "MIME-Version: 1.0",
    ],
)
def test_b07_metadata_that_only_some_installers_can_read_is_refused(read: Read, line: str) -> None:
    assert code(read(wheel({f"{INFO}/METADATA": f"{METADATA}{line}\n"}))) == "bad-metadata"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Root-Is-Purelib: true", "Root-Is-Purelib: True"),
        ("Root-Is-Purelib: true", "Root-Is-Purelib: true "),
        ("Root-Is-Purelib: true", "Root-Is-Purelib:\n true"),
        ("Root-Is-Purelib: true", "root-is-purelib: true"),
        ("Wheel-Version: 1.0", "wheel-version: 1.0"),
        ("Wheel-Version: 1.0", "Wheel-Version: 01.0"),
        ("Wheel-Version: 1.0", "Wheel-Version: 1.0.1"),
        ("Tag: py3-none-any", "TAG: py3-none-any"),
        ("Tag: py3-none-any", "Tag: py3 -none-any"),
        ("Tag: py3-none-any", "Tag: py3-none-any\n py2-none-any"),
        ("Tag: py3-none-any", "Tag: py3-none-any\nbuild: 1"),
        ("Tag: py3-none-any", "Tag: py3-none-any\nContent-Type: multipart/mixed"),
    ],
)
def test_b07_a_wheel_file_that_installers_read_differently_is_refused(read: Read, old: str, new: str) -> None:
    assert code(read(wheel({f"{INFO}/WHEEL": WHEEL.replace(old, new)}))) == "bad-metadata"


@pytest.mark.parametrize(
    ("project", "info"),
    [
        ('dependencies = ["idna"]', ""),
        ("", "Requires-Dist: idna\n"),
        ('dependencies = ["idna>=3"]', "Requires-Dist: idna>=2\n"),
        ("dependencies = [\"idna; python_version < '3.12'\"]", "Requires-Dist: idna\n"),
        ("dependencies = [\"idna; python_version <= '3.11'\"]", "Requires-Dist: idna ; python_full_version <= '3.11'\n"),
        ('version = "2.0"', ""),
        ("version = 1.0", ""),
        ('requires-python = ">=3.8"', ""),
        ('requires-python = ">=3.8"', "Requires-Python: >=3.9\n"),
        ("", "Requires-Python: >=3.9\n"),
        ("requires-python = 3", "Requires-Python: >=3\n"),
        ('optional-dependencies = { x = ["idna"] }', "Provides-Extra: x\nRequires-Dist: evil ; extra == 'x'\n"),
        ('optional-dependencies = { x = ["idna"] }', "Provides-Extra: y\nRequires-Dist: idna ; extra == 'y'\n"),
        ('optional-dependencies = { x = ["idna"] }', "Provides-Extra: x\nRequires-Dist: idna ; extra == 'x'\nRequires-Dist: idna\n"),
    ],
)  # fmt: skip
def test_b07_an_sdist_that_contradicts_itself_is_refused(read: Read, project: str, info: str) -> None:
    text = METADATA.replace("2.1", "2.4") + info

    assert code(read(sdist({"PKG-INFO": text, "pyproject.toml": f'[project]\nname = "acme_widgets"\n{project}\n'}))) == "bad-metadata"  # fmt: skip


REWRITTEN = [
    ("a~=2.0", "a<3.0,>=2.0"),
    ("a~=2.0.1", "a<2.1.0,>=2.0.1"),
    ("a==2.0", "a==2"),
    ("a; python_version > '3.8'", "a ; python_full_version >= '3.9'"),
    ("a; python_version <= '3.10'", "a ; python_full_version < '3.11'"),
    ("a; python_version == '3.10'", "a ; python_full_version == '3.10.*'"),
    ("a; python_version != '3.10'", "a ; python_full_version < '3.10' or python_full_version >= '3.11'"),
    ("a; platform_system == 'Windows' or sys_platform == 'win32'", "a ; sys_platform == 'win32'"),
    ("a; os_name == 'posix' and (sys_platform == 'x' or sys_platform == 'y')", "a ; (sys_platform == 'y' or sys_platform == 'x') and os_name == 'posix'"),
]  # fmt: skip


@pytest.mark.parametrize(("project", "info"), REWRITTEN)
def test_b07_what_backends_rewrite_is_no_contradiction(read: Read, project: str, info: str) -> None:
    text = METADATA.replace("2.1", "2.4") + f"Requires-Dist: {info}\n"
    pyproject = f'[project]\nname = "acme_widgets"\ndependencies = ["{project}"]\n'

    result = read(sdist({"PKG-INFO": text, "pyproject.toml": pyproject}))

    assert isinstance(result, Contents), result


@pytest.mark.parametrize(
    ("project", "info"),
    [
        ("a~=2.0", "a<3.1,>=2.0"),
        ("a; python_version > '3.8'", "a ; python_full_version >= '3.8'"),
        ("a; python_version <= '3.10'", "a ; python_full_version <= '3.10'"),
        ("a; platform_system == 'Windows' or os_name == 'posix'", "a ; sys_platform == 'win32'"),
        ("a; platform_machine == 'x'", "a ; platform_machine == 'y'"),
        ("a; implementation_name in 'cpython pypy'", "a ; implementation_name == 'cpython'"),
        ("a", "a ; os_name == 'nt'"),
    ],
)  # fmt: skip
def test_b07_what_holds_elsewhere_is_a_contradiction(read: Read, project: str, info: str) -> None:
    text = METADATA.replace("2.1", "2.4") + f"Requires-Dist: {info}\n"
    pyproject = f'[project]\nname = "acme_widgets"\ndependencies = ["{project}"]\n'

    assert code(read(sdist({"PKG-INFO": text, "pyproject.toml": pyproject}))) == "bad-metadata"


def test_b07_markers_too_many_to_be_compared_are_a_contradiction(read: Read) -> None:
    names = ("platform_machine", "platform_release", "platform_version", "implementation_name")
    atoms = [f"{name} == 'x{at}'" for name in names for at in range(500)]
    ours, theirs = " or ".join(atoms), " or ".join(reversed(atoms))
    text = METADATA.replace("2.1", "2.4") + f"Requires-Dist: a ; {theirs}\n"
    pyproject = f'[project]\nname = "acme_widgets"\ndependencies = ["a; {ours}"]\n'

    assert code(read(sdist({"PKG-INFO": text, "pyproject.toml": pyproject}))) == "bad-metadata"


@pytest.mark.parametrize("expanded", ["Requires-Dist: idna ; extra == 'all'\n", "Requires-Dist: acme-widgets[x] ; extra == 'all'\n"])  # fmt: skip
def test_b07_extras_that_name_extras_may_be_spelled_out(read: Read, expanded: str) -> None:
    pyproject = '[project]\nname = "acme_widgets"\n[project.optional-dependencies]\nx = ["idna"]\nall = ["Acme.Widgets[X]"]\n'
    info = "Provides-Extra: x\nProvides-Extra: all\nRequires-Dist: idna ; extra == 'x'\n"
    text = METADATA.replace("2.1", "2.4") + info

    result = read(sdist({"PKG-INFO": text + expanded, "pyproject.toml": pyproject}))
    assert isinstance(result, Contents), result
    assert code(read(sdist({"PKG-INFO": text, "pyproject.toml": pyproject}))) == "bad-metadata"


def test_b07_an_old_pkg_info_without_dependencies_contradicts_nothing(read: Read) -> None:
    project = '[project]\nname = "acme_widgets"\ndependencies = ["idna"]\n'

    assert isinstance(read(sdist({"pyproject.toml": project})), Contents)
    assert code(read(sdist({"pyproject.toml": project, "PKG-INFO": METADATA + "Requires-Dist: evil\n"}))) == "bad-metadata"  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["x = 9223372036854775808", "x = " + "[" * 80 + "]" * 80, "[build-system]\nrequires = []\nbuild-backend = 'a:'", "[build-system]\nrequires = []\nbuild-backend = 'a; b'", "[build-system]\nrequires = []\nbuild-backend = 1"],
)  # fmt: skip
def test_b07_a_pyproject_that_only_some_installers_can_read_is_refused(read: Read, text: str) -> None:
    assert code(read(sdist({"pyproject.toml": text}))) == "bad-metadata"


def test_b05_more_requirements_than_anybody_has_are_refused(read: Read) -> None:
    lines = "".join(f"Requires-Dist: a{number}\n" for number in range(10_001))
    build = f"[build-system]\nrequires = {[f'a{number}' for number in range(10_001)]}\n"

    assert code(read(wheel({f"{INFO}/METADATA": METADATA + lines}))) == "archive-too-large"
    assert code(read(sdist({"pyproject.toml": build}))) == "archive-too-large"


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


def test_b02_a_directory_bin_brings_no_script_of_an_entry_point(read: Read) -> None:
    points = {ENTRY_POINTS: "[console_scripts]\nacme = acme:main\n"}

    assert code(read(wheel({**points, "bin/acme": "x"}))) == "unsafe-member"
    assert isinstance(read(wheel({**points, "bin/other": "x"})), Contents)


def test_b07_names_that_differ_only_in_dots_at_their_ends_are_refused(read: Read) -> None:
    assert code(read(wheel({"acme/a": "", "acme/a.": ""}))) == "unsafe-member"
    assert isinstance(read(wheel({"acme/logging.": ""})), Contents)


def test_b07_an_sdist_of_another_name_in_its_pyproject_is_refused(read: Read) -> None:
    assert code(read(sdist({"pyproject.toml": '[project]\nname = "other"\n'}))) == "bad-metadata"


@pytest.mark.parametrize(
    ("project", "info"),
    [
        ('dependencies = ["IDNA >= 3 , != 4"]', "Requires-Dist: idna!=4,>=3\n"),
        ("dependencies = [\"idna; python_version < '3.11'\"]", 'Requires-Dist: idna ; python_full_version < "3.11"\n'),
        ('dynamic = ["dependencies"]', "Requires-Dist: idna\n"),
        ('dynamic = ["dependencies"]', "Requires-Dist: idna\nDynamic: Requires-Dist\n"),
        ('requires-python = ">=3.8, <4"', "Requires-Python: <4,>=3.8\n"),
        ('dynamic = ["requires-python"]', "Requires-Python: >=3.8\n"),
        ('optional-dependencies = { x = ["idna"] }', "Provides-Extra: x\nRequires-Dist: idna ; extra == 'x'\n"),
    ],
)  # fmt: skip
def test_b07_an_sdist_that_agrees_with_itself_is_read(read: Read, project: str, info: str) -> None:
    text = METADATA.replace("2.1", "2.4") + info
    result = read(
        sdist({"PKG-INFO": text, "pyproject.toml": f'[project]\nname = "acme_widgets"\n{project}\n'})
    )

    assert isinstance(result, Contents), result


def test_b07_permissions_without_a_type_are_refused(read: Read) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in wheel_files().items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = (0o755 if name.endswith(".py") else 0o644) << 16
            archive.writestr(entry, data)

    assert code(read(buffer.getvalue())) == "unsafe-member"
    assert isinstance(read(buffer.getvalue().replace(struct.pack("<L", 0o755 << 16), struct.pack("<L", 0o644 << 16))), Contents)  # fmt: skip


def test_b07_a_tag_that_is_none_is_refused(read: Read) -> None:
    for tag in ("2-none-any", "py3..py2-none-any", ".-none-any", "py3-none-any."):
        assert code(read(wheel({f"{INFO}/WHEEL": f"{WHEEL}Tag: {tag}\n"}))) == "bad-metadata"


def test_t48_tags_of_many_lines_are_refused_like_those_of_one(read: Read) -> None:
    many = ".".join("abcdefghijklmnop")
    lines = "".join(f"Tag: {many}-{many}-{many[2:]}.x{number}\n" for number in range(2))

    assert code(read(wheel({f"{INFO}/WHEEL": WHEEL + lines}))) == "bad-metadata"


@pytest.mark.parametrize(
    "marker",
    [
        'os_name != "=?utf-8?q?posix?="',
        'os_name == "x =?utf-8?q?=22_or_os=5Fname_!=3D_=22?= "',
        '"=?utf-8?B?cG9zaXg=?=" in os_name',
    ],
)
def test_b07_words_that_readers_of_mail_decode_are_refused(read: Read, marker: str) -> None:
    text = f"{METADATA}Requires-Dist: idna ; {marker}\n"

    assert code(read(wheel({f"{INFO}/METADATA": text}))) == "bad-metadata"
    assert code(read(sdist({"PKG-INFO": text}))) == "bad-metadata"


def test_b07_words_of_mail_may_stand_where_no_installer_looks(read: Read) -> None:
    text = f"{METADATA}Author: =?utf-8?q?J=C3=BCrgen?=\n"

    assert isinstance(read(wheel({f"{INFO}/METADATA": text})), Contents)


def test_b07_a_dependency_of_an_extra_that_is_not_provided_is_refused(read: Read) -> None:
    text = f"{METADATA}Requires-Dist: idna ; extra == 'X_y'\n"

    assert code(read(wheel({f"{INFO}/METADATA": text}))) == "bad-metadata"
    assert code(read(sdist({"PKG-INFO": text}))) == "bad-metadata"
    assert isinstance(read(wheel({f"{INFO}/METADATA": f"{text}Provides-Extra: x-Y\n"})), Contents)


@pytest.mark.parametrize(
    "marker",
    [
        "python_full_version > '3.11.7rc1'",
        "python_full_version == '3.11.0rc1'",
        "python_version < '3.11a1'",
        "implementation_version >= '3.11.0rc1'",
        "'3.11.0rc1' >= python_full_version",
        "python_version != '3.11.7.*'",
        "platform_version >= '5.0'",
    ],
)
def test_b07_versions_that_installers_round_differently_are_refused(read: Read, marker: str) -> None:
    text = f"{METADATA}Requires-Dist: idna ; {marker}\n"

    assert code(read(wheel({f"{INFO}/METADATA": text}))) == "bad-metadata"


@pytest.mark.parametrize(
    "marker", ["python_full_version <= '3.11.0a6'", "python_full_version != '3.9.1.*'", "python_version == '3.9.*'"]
)  # fmt: skip
def test_b07_versions_of_real_markers_are_read(read: Read, marker: str) -> None:
    text = f"{METADATA}Requires-Dist: idna ; {marker}\n"

    assert isinstance(read(wheel({f"{INFO}/METADATA": text})), Contents)


@pytest.mark.parametrize(
    "name",
    ["other-1.0.dist-info/METADATA", f"{INFO}/requires.txt", "lib/python/other-1.0.dist-info/METADATA", "x.egg-info"],
)  # fmt: skip
def test_b02_what_target_makes_an_install_root_describes_nothing(read: Read, name: str) -> None:
    assert code(read(wheel({f"{DATA}/data/{name}": "x"}))) == "malformed-wheel"


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


@pytest.mark.parametrize("key", ["a" + ".a" * 70, "a" + ' . "b"' * 70, "a" + ".'b'" * 70])
def test_t48_keys_of_many_parts_are_refused_before_they_are_read(
    read: Read, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    def stumble(_text: str) -> None:
        raise AssertionError("a reader that needs the square of a key's parts")

    monkeypatch.setattr("tomllib.loads", stumble)
    for text in (f"{key} = 1", f"[{key}]", f"x = {{ {key} = 1 }}"):
        assert code(read(sdist({"pyproject.toml": text}))) == "archive-too-large"


def test_t48_dots_in_values_are_read(read: Read) -> None:
    text = f"y = '{'one two. ' * 100}{'.' * 100}'\nz = [{'1.0, ' * 100}]\nversion = '{'b' * 100_000}'\n"

    assert isinstance(read(sdist({"pyproject.toml": text})), Contents)


def test_t48_paths_above_members_count(read: Read, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = [pax({"path": f"{TOP}/{number}" + "/a" * 500}) + block("x") for number in range(20)]
    assert isinstance(read(gz(archive(*deep))), Contents)

    monkeypatch.setattr(tree, "_MOST_LETTERS", 1 << 20)
    assert code(read(gz(archive(*deep)))) == "archive-too-large"
    assert code(read(wheel({f"{number}" + "/a" * 500: "" for number in range(20)}))) == "archive-too-large"


def test_t48_requirements_are_counted(read: Read) -> None:
    many = "".join(f"Requires-Dist: a{number}\n" for number in range(10_001))
    long = f"Requires-Dist: a{','.join(['>=1'] * 300_000)}\n"

    for lines in (many, long):
        assert code(read(wheel({f"{INFO}/METADATA": METADATA + lines}))) == "archive-too-large"
    listed = ",".join(f'"a{number}"' for number in range(10_001))
    assert (
        code(read(sdist({"pyproject.toml": f"[build-system]\nrequires = [{listed}]\n"})))
        == "archive-too-large"
    )


@pytest.mark.parametrize(
    "text", ["# x\u2028[console_scripts]\u2028evil = acme:evil\n", "[group]\na = b\x01c\n"]
)
def test_b03_control_characters_are_refused_where_no_script_is(read: Read, text: str) -> None:
    assert code(read(wheel({ENTRY_POINTS: text}))) == "bad-entry-point"


def test_b07_a_carriage_return_ends_no_line(read: Read) -> None:
    text = f"{METADATA}Summary: a\rRequires-Dist: idna\n"

    assert code(read(wheel({f"{INFO}/METADATA": text}))) == "bad-metadata"


@pytest.mark.parametrize("text", ["Name: UNKNOWN", "Version: 1.10000000000000000000"])
def test_b07_names_of_nobody_and_numbers_beyond_64_bits_are_refused(read: Read, text: str) -> None:
    key = text.partition(":")[0]
    lines = [text if line.startswith(key) else line for line in METADATA.splitlines()]

    assert code(read(sdist({"PKG-INFO": "\n".join(lines) + "\n"}))) == "bad-metadata"


def test_b07_a_python_that_is_no_specifier_is_refused(read: Read) -> None:
    assert code(read(sdist({"pyproject.toml": '[project]\nrequires-python = "three"\n'}))) == "bad-metadata"


@pytest.mark.parametrize("flag", [0x02, 0x04, 0x10, 0x20, 0x40, 0x80])
def test_b07_a_gzip_header_with_unknown_flags_is_refused(read: Read, flag: int) -> None:
    good = sdist()

    assert code(read(good[:3] + bytes([flag]) + good[4:])) == "malformed-sdist"


def test_b07_a_gzip_name_without_an_end_is_refused(read: Read) -> None:
    good = sdist()
    named = good[:3] + b"\x08" + good[4:10]

    assert isinstance(read(named + b"acme\0" + good[10:]), Contents)
    assert code(read(named + b"n" * 1025 + good[10:])) == "malformed-sdist"


@pytest.mark.parametrize("size", ["1_6", "+16", " 16", "16 ", "\u0661\u0666"])
def test_b07_a_size_in_record_is_digits(read: Read, size: str) -> None:
    files = wheel_files()
    record = files[f"{INFO}/RECORD"].decode()

    assert ",16\n" in record
    assert code(read(wheel({f"{INFO}/RECORD": record.replace(",16\n", f",{size}\n")}))) == "record-mismatch"


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


def test_t46_an_interpreter_that_fails_is_not_believed(tmp_path: Path) -> None:
    path, stranger = tmp_path / SDIST_NAME, tmp_path / "python"
    path.write_bytes(sdist())
    stranger.write_text(f'#!/bin/sh\n"{sys.executable}" "$@"\nexit 3\n')
    stranger.chmod(0o700)

    with pytest.raises(MalformedError) as caught:
        check_elsewhere(path, stranger)
    assert caught.value.fault.code == "archive-ambiguous"


def test_t46_an_interpreter_that_cannot_be_run_decides_nothing(tmp_path: Path) -> None:
    path, name = tmp_path / SDIST_NAME, parse_artifact_name(SDIST_NAME)
    path.write_bytes(sdist())
    digest = Hasher().digest()
    artifact = Artifact(name=name, path=path, digest=digest, size=1, contents=inspect(path, name))

    assert read_by(Path(sys.executable), artifact) == artifact
    with pytest.raises(UndecidedError) as caught:
        read_by(tmp_path / "none", artifact)
    assert caught.value.code == "cannot-ask-python"


@pytest.mark.parametrize("place", ["acme/", "", f"{DATA}/purelib/other/"])
def test_b07_code_that_is_compiled_beforehand_for_any_source_is_refused(read: Read, place: str) -> None:
    def compiled(flags: int) -> dict[str, str | bytes | None]:
        return {f"{place}__pycache__/x.cpython-311.pyc": MAGIC_NUMBER + struct.pack("<L", flags) + bytes(64)}

    assert isinstance(read(wheel(compiled(0))), Contents)
    for flags in (1, 3):  # by hash, unchecked and checked: both hold after any installation
        assert code(read(wheel(compiled(flags)))) == "malformed-wheel"
