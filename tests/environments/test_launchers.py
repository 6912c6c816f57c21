"""Which scripts are as installers write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from pip_warden.environments.launchers import ScriptEntry, as_installed, body_of
from pip_warden.environments.layout import SiteLayout, layout_of


@pytest.fixture(params=["env", "a path with spaces"])
def layout(request: pytest.FixtureRequest, tmp_path: Path) -> SiteLayout:
    prefix = tmp_path / request.param
    (prefix / "bin").mkdir(parents=True)
    (prefix / "pyvenv.cfg").write_bytes(b"")
    (tmp_path / "link").symlink_to(prefix)
    return layout_of(prefix / "lib" / "python3.11" / "site-packages")


SHELL = "#!/bin/sh\n'''exec' {} \"$0\" \"$@\"\n' '''\n"


@pytest.mark.parametrize(
    "start",
    [
        "#!BIN/python\n",
        "#!BIN/python3.14t\n",
        "#!BIN/pypy3.10\n",
        SHELL.format("'BIN/../../link/bin/python3'"),
        SHELL.format("'BIN/python'"),
        SHELL.format('"BIN/python"'),
        SHELL.format('"$(dirname -- "$(realpath -- "$0")")"/\'python3\''),
        SHELL.format('"$(dirname -- "$(realpath -- "$0")")"/python'),
    ],
)
def test_the_interpreter_of_the_environment(layout: SiteLayout, start: str) -> None:
    script = start.replace("BIN", str(layout.scripts)) + "print(1)\n"

    assert body_of(script.encode(), layout) == b"print(1)\n"


def test_a_detour_is_no_other_interpreter(tmp_path: Path) -> None:
    layout = layout_of(tmp_path / "env" / "lib" / "python3.11" / "site-packages")
    layout.scripts.mkdir(parents=True)
    layout.settings.touch()
    (tmp_path / "link").symlink_to(layout.prefix)

    assert body_of(b"#!%b/../link/bin/python3\n1" % bytes(layout.prefix), layout) == b"1"
    assert body_of(b"#!%b/a b/../link/bin/python3\n1" % bytes(tmp_path), layout) is None


def test_what_pipx_adds_to_the_interpreters_line_was_not_recorded() -> None:
    assert as_installed(b"#!/a/bin/python -E\nprint(1)\n") == b"#!/a/bin/python\nprint(1)\n"
    for script in (
        b"#!/a/bin/python\nprint(1) -E\n",
        b"#!python -E\n1",
        b"#!/a/python -E",
        b"#!/a/python -iE\n",
    ):
        assert as_installed(script) == script


def test_a_path_without_quotes(tmp_path: Path) -> None:
    layout = layout_of(tmp_path)

    assert body_of(SHELL.format("/opt/python3").encode() + b"1", layout) == b"1"
    there = tmp_path / "any place" / "python3"
    there.parent.mkdir()
    there.touch()
    assert body_of(b"#!%b\n1" % bytes(there), layout) == b"1"
    assert body_of(b"#!/opt/python3 -cimport evil#/python3\n1", layout) is None
    assert body_of(SHELL.format("/opt/python3;evil/python").encode() + b"1", layout) is None
    assert body_of(SHELL.format("/opt/python3 /evil/python").encode() + b"1", layout) is None


@pytest.mark.parametrize(
    "start",
    [
        "",
        "print(0)\n",
        "#!python\n",
        "#!BIN/python",
        "#!BIN/python -i\n",
        "#!BIN/python\r\n",
        "#!BIN/python -cimport os;os.abort()#/../python\n",
        "#!BIN/python\t-cimport evil#/../python\n",
        "#!BIN/evil\n",
        "#!BIN/evil/python\n",
        "#!BIN/python/../evil\n",
        "#!/usr/bin/python3\n",
        "#!/usr/bin/env python\n",
        "#! BIN/python\n",
        "#!/bin/sh\n",
        SHELL.format("'BIN/python' -i"),
        SHELL.format("'/usr/bin/python3'"),
        SHELL.format("'BIN/python';'evil'"),
        SHELL.format("\"BIN/'''+__import__('evil')+'''/../python\""),
        SHELL.format('"$(evil)BIN/python"'),
        SHELL.format('"`evil`BIN/python"'),
        SHELL.format('"$(dirname -- "$(realpath -- "$0")")"/\'sh\''),
        SHELL.format('"$(dirname -- "$(realpath -- "$0")")"/../\'python3\''),
        SHELL.format("'BIN/python'").replace('"$@"', '-i "$@"'),
        SHELL.format("'BIN/python'").replace("/bin/sh", "/opt/sh"),
    ],
)
def test_another_beginning(layout: SiteLayout, start: str) -> None:
    script = start.replace("BIN", str(layout.scripts)) + "print(1)\n"

    assert body_of(script.encode(), layout) is None


def test_bytes_that_are_not_utf8_name_no_interpreter(layout: SiteLayout) -> None:
    assert body_of(b"#!/\xff/python\n", layout) is None
    assert body_of(SHELL.encode().replace(b"{}", b"'/\xff/python'"), layout) is None


TEXT = "import sys\nfrom a.b import C\nif __name__ == '__main__':\n"
REMOVED = TEXT + "    sys.argv[0] = sys.argv[0].removesuffix('.exe')\n    sys.exit(C.d())\n"


@pytest.mark.parametrize(
    ("text", "is_known"),
    [
        (REMOVED, True),
        (REMOVED.replace("'", '"'), True),
        (
            TEXT
            + "    if sys.argv[0].endswith('.exe'):\n        sys.argv[0] = sys.argv[0][:-4]\n"
            + "    sys.exit(C.d())\n",
            True,
        ),
        ("", False),
        (REMOVED + "\n", False),
        (REMOVED.replace("\n", "\r\n"), False),
        ("import evil\n" + REMOVED, False),
        (REMOVED.replace("a.b", "a.c"), False),
        (REMOVED.replace("C.d", "C"), False),
        (REMOVED.replace("import C", "import C as D"), False),
        (TEXT + "    sys.exit(C.d())\n", False),
    ],
)
def test_what_a_script_runs(text: str, *, is_known: bool) -> None:
    assert ScriptEntry(module="a.b", function="C.d").is_launched_by(text.encode()) is is_known
