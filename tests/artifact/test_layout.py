"""Where installers put a wheel's files: B02, and scripts and compiled code that they treat differently."""

from __future__ import annotations

import struct
from collections.abc import Callable
from importlib.util import MAGIC_NUMBER
from pathlib import Path

import pytest

from archives import (
    INFO,
    METADATA,
    WHEEL_NAME,
    code,
    wheel,
)
from pip_warden.artifact.inspect import inspect
from pip_warden.artifact.model import Contents
from pip_warden.faults import Fault
from pip_warden.names import parse_artifact_name

Read = Callable[[bytes], Contents | Fault]
ENTRY_POINTS = f"{INFO}/entry_points.txt"


@pytest.mark.parametrize(
    "name",
    [
        "requires.txt", "dependency_links.txt", "direct_url.json", "INSTALLER", "REQUESTED", "PKG-INFO",
        "SOURCES.txt", "installed-files.txt", "uv_cache.json", "provenance_url.json", "Requires.txt",
        "scripts/run", "anything", "pip-warden.json", "Pip-Warden.json",
    ],
)  # fmt: skip
def test_b02_files_that_installers_read_besides_metadata_are_refused(read: Read, name: str) -> None:
    assert code(read(wheel({f"{INFO}/{name}": "evil @ file:///tmp/evil\n"}))) == "unexpected-metadata"


def test_b02_licences_and_what_build_tools_leave_are_read(read: Read) -> None:
    text = METADATA + "License-File: docs/terms.md\nLicense-File: WHY\n"
    kept = {
        f"{INFO}/{name}": "x"
        for name in (
            "LICENSE.txt",
            "licenses/a/requires.txt",
            "sboms/x.json",
            "top_level.txt",
            "mit.LICENSE",
        )
    }
    named = {f"{INFO}/METADATA": text, f"{INFO}/docs/terms.md": "x", f"{INFO}/WHY": "x"}

    assert isinstance(read(wheel(kept | named)), Contents)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "INSTALLER",
            "REQUESTED",
            "direct_url.json",
            "PKG-INFO",
            "Requires.txt",
            "scripts/run",
            "METADATA/x",
        ),
        *("pip-warden.json", "PIP-WARDEN.json"),
    ],
)
def test_b02_no_licence_is_called_as_what_installers_read_and_write(read: Read, name: str) -> None:
    text = f"{METADATA}License-File: {name}\n"

    assert code(read(wheel({f"{INFO}/METADATA": text, f"{INFO}/{name}": "x"}))) in {
        "unexpected-metadata",
        "unsafe-member",
    }


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
        (
            {
                f"{DATA}/headers/acme.h": "x",
                f"{DATA}/data/include/site/python3.11/Acme.Widgets/acme.h": "y",
            },
            "unsafe-member",
        ),
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


@pytest.mark.parametrize(
    "script", ["acme", "Acme", "acme.exe", "acme.EXE", "acme-script.py", "acme-script.pyw", "acme.pya"]
)
def test_b02_a_script_beside_the_entry_point_of_its_name_is_refused(read: Read, script: str) -> None:
    files = {ENTRY_POINTS: "[console_scripts]\nacme = acme:main\n", f"{DATA}/scripts/{script}": "x"}

    assert code(read(wheel(files))) == "unsafe-member"


def test_b02_a_directory_bin_brings_no_script_of_an_entry_point(read: Read) -> None:
    points = {ENTRY_POINTS: "[console_scripts]\nacme = acme:main\n"}

    assert code(read(wheel({**points, "bin/acme": "x"}))) == "unsafe-member"
    assert isinstance(read(wheel({**points, "bin/other": "x"})), Contents)


@pytest.mark.parametrize(
    "name",
    [
        "other-1.0.dist-info/METADATA",
        f"{INFO}/requires.txt",
        "lib/python/other-1.0.dist-info/METADATA",
        "x.egg-info",
    ],
)
def test_b02_what_target_makes_an_install_root_describes_nothing(read: Read, name: str) -> None:
    assert code(read(wheel({f"{DATA}/data/{name}": "x"}))) == "malformed-wheel"


@pytest.mark.parametrize("place", ["acme/", "", f"{DATA}/purelib/other/"])
def test_b07_code_that_is_compiled_beforehand_for_any_source_is_refused(read: Read, place: str) -> None:
    def compiled(flags: int) -> dict[str, str | bytes | None]:
        return {f"{place}__pycache__/x.cpython-311.pyc": MAGIC_NUMBER + struct.pack("<L", flags) + bytes(64)}

    assert isinstance(read(wheel(compiled(0))), Contents)
    for flags in (1, 3):  # by hash, unchecked and checked: both hold after any installation
        assert code(read(wheel(compiled(flags)))) == "malformed-wheel"
