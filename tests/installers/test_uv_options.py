"""pip's options in uv's words: complete, and each word is one that the real uv has."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pip_warden.errors import UsageError
from pip_warden.installer import uv as uv_module
from pip_warden.installer.options import OPTIONS, Treatment
from pip_warden.installer.python import choose_target
from pip_warden.installer.uv import find_uv, may_link, packages_of, uv_command
from pip_warden.installer.uv_options import ANYWAY, SAME, TRANSLATED, uv_options
from pip_warden.names import ProjectName

PASSED = {option.names[0]: option for option in OPTIONS if option.treatment is Treatment.PASSED}
REFUSED_WITH_UV = {
    "--only-deps",
    "--platform",
    "--python-version",
    "--implementation",
    "--abi",
    "--root",
    "--ignore-installed",
    "--ignore-requires-python",
    "--check-build-dependencies",
    "--no-require-hashes",
    "--all-releases",
    "--only-final",
    "--prefer-binary",
    "--require-virtualenv",
}
NAMED = (ProjectName("acme-widgets"), ProjectName("beta"))


@pytest.fixture(scope="module")
def its_options() -> dict[str, bool]:
    """Every option of the real ``uv pip install``, and whether it takes a value."""
    uv = find_uv({})
    shown = subprocess.run(
        [str(uv.executable), "help", "--no-pager", "pip", "install"],
        capture_output=True,
        text=True,
        check=True,
        env={},
    ).stdout
    return {
        name: bool(value)
        for name, value in re.findall(r"^ +(?:-\w, )?(--[a-z-]+)(?:\.\.\.)?( <[^>]+>)?", shown, re.MULTILINE)
    }


def refused(*options: str) -> UsageError:
    with pytest.raises(UsageError) as caught:
        uv_options(options, NAMED)
    return caught.value


def test_each_of_pip_s_options_is_in_the_table_once() -> None:
    groups = [set(SAME), ANYWAY, TRANSLATED, REFUSED_WITH_UV]

    assert set().union(*groups) == set(PASSED)
    assert sum(map(len, groups)) == len(PASSED)


@pytest.mark.parametrize("name", sorted(REFUSED_WITH_UV))
def test_what_uv_has_not_is_refused_by_its_name(name: str) -> None:
    error = refused(name, *(["x"] if PASSED[name].takes_value else []))

    assert (error.code, name in error.message, error.exit_code) == ("refused-option", True, 2)


def test_uv_has_what_it_is_given(its_options: dict[str, bool]) -> None:
    for name, words in SAME.items():
        word, equals, _ = words.partition("=")
        assert its_options[word] == (PASSED[name].takes_value or bool(equals)), word
    for word in ("--upgrade-package", "--exclude-newer", "--no-binary", "--only-binary"):
        assert its_options[word], word
    for word in ("--requirements", "--constraints", "--build-constraints", "--config-settings-package"):
        assert its_options[word], word
    for word in ("--upgrade", "--dry-run", "--require-hashes", "--verbose", "--quiet"):
        assert not its_options[word], word


@pytest.mark.parametrize(("links", "mode"), [(False, "copy"), (True, "hardlink")])
def test_uv_has_what_its_command_line_always_has(
    its_options: dict[str, bool], tmp_path: Path, links: bool, mode: str
) -> None:
    target = choose_target(sys.executable, {}, sys.executable)
    command = uv_command(find_uv({}), target, [], cache=tmp_path / "uv", links=links)

    assert command[1:3] == ["pip", "install"]
    assert command[command.index("--link-mode") + 1] == mode
    given = command[3:]
    while given:
        word = given.pop(0)
        assert word in its_options, word
        if its_options[word]:
            given.pop(0)


def test_uv_links_where_it_installs_on_the_file_system_that_it_unpacks_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Elsewhere it would say that it cannot. A directory of packages is made where the nearest one is."""
    elsewhere = tmp_path / "mounted"
    elsewhere.mkdir()
    stat = Path.stat

    def stat_of_mounted(path: Path, **how: bool) -> object:
        return SimpleNamespace(st_dev=-1, st_mode=0o40755) if path == elsewhere else stat(path, **how)

    monkeypatch.setattr(Path, "stat", stat_of_mounted)
    near, far = tmp_path / "v" / "site-packages", elsewhere / "v" / "site-packages"
    assert may_link(tmp_path, [tmp_path, near])
    assert not may_link(tmp_path, [near, far])
    assert not may_link(tmp_path, [])
    assert not may_link(tmp_path / "gone", [near])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), []),
        (("--no-deps", "--pre"), ["--no-deps", "--prerelease=allow"]),
        (("--target", "--pre"), ["--target", "--pre"]),
        (("--progress-bar", "off", "--no-color"), []),
        (("--upgrade",), ["--upgrade-package", "acme-widgets", "--upgrade-package", "beta"]),
        (("--upgrade-strategy", "eager"), []),
        (("--upgrade", "--upgrade-strategy", "eager"), ["--upgrade"]),
        (
            ("--upgrade", "--upgrade-strategy", "eager", "--upgrade-strategy", "only-if-needed"),
            ["--upgrade-package", "acme-widgets", "--upgrade-package", "beta"],
        ),
        (("--no-binary", "a,b"), ["--no-binary", "a", "--no-binary", "b"]),
        (("--only-binary", ":all:"), ["--only-binary", ":all:"]),
        (
            ("--uploaded-prior-to", "2026-05-01T00:00:00+02:00"),
            ["--exclude-newer", "2026-05-01T00:00:00+02:00"],
        ),
    ],
)
def test_words(options: tuple[str, ...], words: list[str]) -> None:
    assert uv_options(options, NAMED) == words


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (("--uploaded-prior-to", "2026-05-01"), "option-value"),
        (("--uploaded-prior-to", "2026-05-01T00:00:00"), "option-value"),
        (("--uploaded-prior-to", "P3D"), "option-value"),
        (("--upgrade", "--upgrade-strategy", "odd"), "refused-option"),
        (("--only-binary", ":all:", "--no-binary", "a"), "refused-option"),
    ],
)
def test_what_would_mean_something_else_is_refused(options: tuple[str, ...], code: str) -> None:
    assert refused(*options).code == code


@given(st.lists(st.sampled_from([*PASSED, "x", "-x", ":all:", "", "a,b"]), max_size=6))
def test_whatever_the_words_are(words: list[str]) -> None:
    options = [
        part
        for word in words
        for part in ((word, "-r") if word in PASSED and PASSED[word].takes_value else (word,))
        if word in PASSED
    ]
    with contextlib.suppress(UsageError):
        assert all(isinstance(word, str) for word in uv_options(options, NAMED))


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("echo uv 0.8.99", "uv 0.8.99"),
        ("echo something 0.13.0", "does not answer as uv does"),
        ("exit 1", "cannot be run"),
    ],
)
def test_a_uv_that_cannot_be_used(
    body: str, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uv_module, "_own", lambda: None)
    program = tmp_path / "uv"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)

    with pytest.raises(UsageError) as caught:
        find_uv({"PATH": str(tmp_path)})

    assert (caught.value.code, found in caught.value.message) == ("no-uv", True)
    assert "pip-warden[uv]" in (caught.value.hint or "")


@pytest.mark.parametrize("path", ["", ".", f"bin{os.pathsep}."])
def test_a_uv_in_the_working_directory_is_none(
    path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uv_module, "_own", lambda: None)
    monkeypatch.chdir(tmp_path)
    program = tmp_path / "bin" / "uv"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho uv 9.0.0\n")
    program.chmod(0o755)

    with pytest.raises(UsageError) as caught:
        find_uv({"PATH": path})

    assert caught.value.code == "no-uv"
    assert find_uv({"PATH": str(program.parent)}).version == "9.0"


def test_where_the_packages_of_a_python_are() -> None:
    found = packages_of(choose_target(sys.executable, {}, sys.executable))

    assert found == tuple(Path(sys.prefix).glob("lib/python*/site-packages"))
