"""METADATA, WHEEL and RECORD as every installer reads them: of B05, B07 and T48."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from archives import (
    INFO,
    METADATA,
    WHEEL,
    code,
    sdist,
    wheel,
    wheel_files,
)
from pip_warden.artifact.model import Contents
from pip_warden.faults import Fault

Read = Callable[[bytes], Contents | Fault]


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


def test_b05_more_requirements_than_anybody_has_are_refused(read: Read) -> None:
    lines = "".join(f"Requires-Dist: a{number}\n" for number in range(10_001))
    build = f"[build-system]\nrequires = {[f'a{number}' for number in range(10_001)]}\n"

    assert code(read(wheel({f"{INFO}/METADATA": METADATA + lines}))) == "archive-too-large"
    assert code(read(sdist({"pyproject.toml": build}))) == "archive-too-large"


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
    "marker",
    ["python_full_version <= '3.11.0a6'", "python_full_version != '3.9.1.*'", "python_version == '3.9.*'"],
)
def test_b07_versions_of_real_markers_are_read(read: Read, marker: str) -> None:
    text = f"{METADATA}Requires-Dist: idna ; {marker}\n"

    assert isinstance(read(wheel({f"{INFO}/METADATA": text})), Contents)


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


@pytest.mark.parametrize("size", ["1_6", "+16", " 16", "16 ", "\u0661\u0666"])
def test_b07_a_size_in_record_is_digits(read: Read, size: str) -> None:
    files = wheel_files()
    record = files[f"{INFO}/RECORD"].decode()

    assert ",16\n" in record
    assert code(read(wheel({f"{INFO}/RECORD": record.replace(",16\n", f",{size}\n")}))) == "record-mismatch"
