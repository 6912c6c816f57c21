"""Sdists whose two files agree, and ``pyproject.toml`` as every installer reads it: of B05, B07 and T48."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from archives import (
    METADATA,
    code,
    sdist,
)
from pip_warden.artifact.model import Contents
from pip_warden.faults import Fault

Read = Callable[[bytes], Contents | Fault]


@pytest.mark.parametrize(
    ("project", "info"),
    [
        ('dependencies = ["idna"]', ""),
        ("", "Requires-Dist: idna\n"),
        ('dependencies = ["idna>=3"]', "Requires-Dist: idna>=2\n"),
        ("dependencies = [\"idna; python_version < '3.12'\"]", "Requires-Dist: idna\n"),
        (
            "dependencies = [\"idna; python_version <= '3.11'\"]",
            "Requires-Dist: idna ; python_full_version <= '3.11'\n",
        ),
        ('version = "2.0"', ""),
        ("version = 1.0", ""),
        ('requires-python = ">=3.8"', ""),
        ('requires-python = ">=3.8"', "Requires-Python: >=3.9\n"),
        ("", "Requires-Python: >=3.9\n"),
        ("requires-python = 3", "Requires-Python: >=3\n"),
        (
            'optional-dependencies = { x = ["idna"] }',
            "Provides-Extra: x\nRequires-Dist: evil ; extra == 'x'\n",
        ),
        (
            'optional-dependencies = { x = ["idna"] }',
            "Provides-Extra: y\nRequires-Dist: idna ; extra == 'y'\n",
        ),
        (
            'optional-dependencies = { x = ["idna"] }',
            "Provides-Extra: x\nRequires-Dist: idna ; extra == 'x'\nRequires-Dist: idna\n",
        ),
    ],
)
def test_b07_an_sdist_that_contradicts_itself_is_refused(read: Read, project: str, info: str) -> None:
    text = METADATA.replace("2.1", "2.4") + info

    assert (
        code(
            read(
                sdist({"PKG-INFO": text, "pyproject.toml": f'[project]\nname = "acme_widgets"\n{project}\n'})
            )
        )
        == "bad-metadata"
    )


REWRITTEN = [
    ("a~=2.0", "a<3.0,>=2.0"),
    ("a~=2.0.1", "a<2.1.0,>=2.0.1"),
    ("a==2.0", "a==2"),
    ("a; python_version > '3.8'", "a ; python_full_version >= '3.9'"),
    ("a; python_version <= '3.10'", "a ; python_full_version < '3.11'"),
    ("a; python_version == '3.10'", "a ; python_full_version == '3.10.*'"),
    ("a; python_version != '3.10'", "a ; python_full_version < '3.10' or python_full_version >= '3.11'"),
    ("a; platform_system == 'Windows' or sys_platform == 'win32'", "a ; sys_platform == 'win32'"),
    (
        "a; os_name == 'posix' and (sys_platform == 'x' or sys_platform == 'y')",
        "a ; (sys_platform == 'y' or sys_platform == 'x') and os_name == 'posix'",
    ),
]


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


@pytest.mark.parametrize(
    "expanded",
    ["Requires-Dist: idna ; extra == 'all'\n", "Requires-Dist: acme-widgets[x] ; extra == 'all'\n"],
)
def test_b07_extras_that_name_extras_may_be_spelled_out(read: Read, expanded: str) -> None:
    pyproject = (
        '[project]\nname = "acme_widgets"\n'
        '[project.optional-dependencies]\nx = ["idna"]\nall = ["Acme.Widgets[X]"]\n'
    )
    info = "Provides-Extra: x\nProvides-Extra: all\nRequires-Dist: idna ; extra == 'x'\n"
    text = METADATA.replace("2.1", "2.4") + info

    result = read(sdist({"PKG-INFO": text + expanded, "pyproject.toml": pyproject}))
    assert isinstance(result, Contents), result
    assert code(read(sdist({"PKG-INFO": text, "pyproject.toml": pyproject}))) == "bad-metadata"


def test_b07_an_old_pkg_info_without_dependencies_contradicts_nothing(read: Read) -> None:
    project = '[project]\nname = "acme_widgets"\ndependencies = ["idna"]\n'

    assert isinstance(read(sdist({"pyproject.toml": project})), Contents)
    assert (
        code(read(sdist({"pyproject.toml": project, "PKG-INFO": METADATA + "Requires-Dist: evil\n"})))
        == "bad-metadata"
    )


@pytest.mark.parametrize(
    "text",
    [
        "x = 9223372036854775808",
        "x = " + "[" * 80 + "]" * 80,
        "[build-system]\nrequires = []\nbuild-backend = 'a:'",
        "[build-system]\nrequires = []\nbuild-backend = 'a; b'",
        "[build-system]\nrequires = []\nbuild-backend = 1",
    ],
)
def test_b07_a_pyproject_that_only_some_installers_can_read_is_refused(read: Read, text: str) -> None:
    assert code(read(sdist({"pyproject.toml": text}))) == "bad-metadata"


def test_b07_an_sdist_of_another_name_in_its_pyproject_is_refused(read: Read) -> None:
    assert code(read(sdist({"pyproject.toml": '[project]\nname = "other"\n'}))) == "bad-metadata"


@pytest.mark.parametrize(
    ("project", "info"),
    [
        ('dependencies = ["IDNA >= 3 , != 4"]', "Requires-Dist: idna!=4,>=3\n"),
        (
            "dependencies = [\"idna; python_version < '3.11'\"]",
            'Requires-Dist: idna ; python_full_version < "3.11"\n',
        ),
        ('dynamic = ["dependencies"]', "Requires-Dist: idna\n"),
        ('dynamic = ["dependencies"]', "Requires-Dist: idna\nDynamic: Requires-Dist\n"),
        ('requires-python = ">=3.8, <4"', "Requires-Python: <4,>=3.8\n"),
        ('dynamic = ["requires-python"]', "Requires-Python: >=3.8\n"),
        (
            'optional-dependencies = { x = ["idna"] }',
            "Provides-Extra: x\nRequires-Dist: idna ; extra == 'x'\n",
        ),
    ],
)
def test_b07_an_sdist_that_agrees_with_itself_is_read(read: Read, project: str, info: str) -> None:
    text = METADATA.replace("2.1", "2.4") + info
    result = read(
        sdist({"PKG-INFO": text, "pyproject.toml": f'[project]\nname = "acme_widgets"\n{project}\n'})
    )

    assert isinstance(result, Contents), result


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
