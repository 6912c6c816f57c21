"""Entry points that every installer reads alike: B03."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from archives import (
    INFO,
    METADATA,
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
        (
            "[console_scripts]\r\npy.test = acme:main\r\n\r\n# comment\r\n"
            "[gui_scripts]\r\nacme-2.0 = acme:main [gui]\r\n"
        ),
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
    "text", ["# x\u2028[console_scripts]\u2028evil = acme:evil\n", "[group]\na = b\x01c\n"]
)
def test_b03_control_characters_are_refused_where_no_script_is(read: Read, text: str) -> None:
    assert code(read(wheel({ENTRY_POINTS: text}))) == "bad-entry-point"
