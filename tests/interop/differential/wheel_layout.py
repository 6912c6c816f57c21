"""Oddities of a wheel's layout: ``.dist-info``, RECORD, ``.data``, scripts and entry points."""

from __future__ import annotations

import base64
import hashlib
import random
import re
from collections.abc import Callable

from interop.differential.mutants import Operators
from interop.differential.wheel_bases import DATA, INFO, Rows, Wheel

OPERATORS = Operators[Wheel]()

_INFO_FILES = {
    "requires.txt": "dep-c\n",
    "dependency_links.txt": "https://evil.example/\n",
    "direct_url.json": '{"url": "https://evil.example/", "dir_info": {"editable": true}}',
    "INSTALLER": "nobody\n",
    "REQUESTED": "",
    "top_level.txt": "os\nsys\n",
    "licenses/LICENSE": "text\n",
    "sboms/a.json": "{}",
    "PKG-INFO": "Metadata-Version: 2.1\nName: other\nVersion: 9\n",
    "RECORD.jws": "{}",
    "RECORD.p7s": "x",
    "zip-safe": "\n",
    "namespace_packages.txt": "acme\n",
    "not-zip-safe": "\n",
    "LICENSE": "text\n",
    "LICENSES/MIT": "x\n",
    "AUTHORS": "x\n",
    "metadata.json": "{}",
    "pydist.json": "{}",
    "uv_cache.json": "{}",
    "uv_build.json": "{}",
    "SOURCES.txt": "x\n",
    "METADATA.txt": "x\n",
    "metadata": "Metadata-Version: 2.1\nName: acme-widgets\nVersion: 1.0\nRequires-Dist: dep-c\n",
    "record": "x\n",
    "wheel": "x\n",
    "Entry_Points.txt": "[console_scripts]\nevil = acme:evil\n",
    "provenance_url.json": "{}",
    "origin.json": "{}",
    "odd/METADATA": "Name: x\n",
    "build_details.json": "{}",
    "entry_points.json": "{}",
    "installed-files.txt": "x\n",
    "receipt.json": "{}",
    "licenses/a/b/c.txt": "x\n",
    "variant.json": "{}",
    "egg-info/PKG-INFO": "x\n",
    "sub.dist-info/METADATA": "x\n",
    "py.typed": "",
    "__init__.py": "x\n",
}


def _put_info(wheel: Wheel, file: tuple[str, str]) -> None:
    wheel.put(f"{INFO}/{file[0]}", file[1])


OPERATORS.table("info", "pure", _put_info, {name: (name, text) for name, text in _INFO_FILES.items()})


@OPERATORS.named("info-requires.txt-alone", "pure")
def _requires_txt(wheel: Wheel, rng: random.Random) -> None:
    wheel.swap("METADATA", "^Requires-Dist: .*\n", "")
    wheel.put(f"{INFO}/requires.txt", "dep-c\n[x]\ndep-d\n")


_LICENSES = {
    "requires": "requires.txt",
    "direct-url": "direct_url.json",
    "installer": "INSTALLER",
    "requested": "REQUESTED",
    "pkg-info": "PKG-INFO",
}


def _called_license(wheel: Wheel, name: str) -> None:
    wheel.swap("METADATA", "^Requires-Dist: .*\n", "")
    wheel.headers(f"License-File: {name}")
    wheel.put(f"{INFO}/{name}", _INFO_FILES[name])


OPERATORS.table("info-license", "pure", _called_license, _LICENSES)

_SECOND = {
    "root": "",
    "purelib": f"{DATA}/purelib/",
    "platlib": f"{DATA}/platlib/",
    "headers": f"{DATA}/headers/",
    "scripts": f"{DATA}/scripts/",
    "data": f"{DATA}/data/",
    "site": f"{DATA}/data/lib/python3.11/site-packages/",
}


def _second(wheel: Wheel, where: str) -> None:
    wheel.put(f"{where}other-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")


OPERATORS.table("second-info", "spread", _second, _SECOND)


_SPELLINGS = {
    "case": "Acme_Widgets-1.0.dist-info",
    "version": "acme_widgets-1.0.0.dist-info",
    "dash": "acme-widgets-1.0.dist-info",
    "dot": "acme.widgets-1.0.dist-info",
    "suffix": "acme_widgets-1.0.DIST-INFO",
}


def _rename(wheel: Wheel, new: str) -> None:
    for part in (*wheel.zip.parts, wheel.record):
        top, slash, rest = part.name.partition("/")
        if top == INFO:
            part.name = new + slash + rest


OPERATORS.table("info-spelling", "pure", _rename, _SPELLINGS)


def _cell(row: int, column: int, change: Callable[[str], str]) -> Callable[[Rows], None]:
    def edit(rows: Rows) -> None:
        rows[row][column] = change(rows[row][column])

    return edit


_ROWS: dict[str, Callable[[Rows], object]] = {
    "reverse": lambda rows: rows.reverse(),
    "column": lambda rows: rows[0].append(""),
    "no-size": _cell(0, 2, lambda _: ""),
    "no-hash": _cell(0, 1, lambda _: ""),
    "wrong-hash": _cell(0, 1, lambda text: text[:8] + "A" * 42),
    "wrong-size": _cell(0, 2, lambda _: "1"),
    "zero-size": _cell(0, 2, lambda text: f"00{text}"),
    "self-missing": lambda rows: rows.pop(),
    "self-hashed": _cell(-1, 1, lambda _: "sha256=" + "A" * 43),
    "missing": lambda rows: rows.pop(0),
    "more": lambda rows: rows.append(["nobody.py", *rows[0][1:]]),
    "twice": lambda rows: rows.append(rows[0]),
    "dot-path": _cell(0, 0, lambda text: f"./{text}"),
    "backslash": _cell(0, 0, lambda text: text.replace("/", "\\")),
    "upper-algorithm": _cell(0, 1, lambda text: text.replace("sha256", "SHA256")),
    "padded-hash": _cell(0, 1, lambda text: f"{text}="),
    "outside": lambda rows: rows.append(["../../../outside", *rows[0][1:]]),
    "empty-row": lambda rows: rows.insert(1, []),
}


def _edit_rows(wheel: Wheel, change: Callable[[Rows], None]) -> None:
    wheel.rows.append(change)


OPERATORS.table("record", "pure", _edit_rows, _ROWS)


def _other_algorithm(wheel: Wheel, algorithm: str) -> None:
    part = wheel.zip.parts[0]

    def change(rows: Rows) -> None:
        for row in rows:
            if row[0] == part.name:
                digest = hashlib.new(algorithm, part.data).digest()
                row[1] = f"{algorithm}=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    wheel.rows.append(change)


_ALGORITHMS = ("md5", "sha1", "sha224", "sha384", "sha512", "sha3_256", "blake2b")
OPERATORS.table("record", "pure", _other_algorithm, {name: name for name in _ALGORITHMS})

_EDITS: dict[str, Callable[[bytes], bytes]] = {
    "crlf": lambda raw: raw.replace(b"\n", b"\r\n"),
    "cr": lambda raw: raw.replace(b"\n", b"\r"),
    "no-newline": lambda raw: raw.rstrip(b"\n"),
    "blank-end": lambda raw: raw + b"\n",
    "blank-first": lambda raw: b"\n" + raw,
    "bom": lambda raw: b"\xef\xbb\xbf" + raw,
    "quoted": lambda raw: re.sub(rb"^([^,\"\n]+),", rb'"\1",', raw, flags=re.MULTILINE),
    "quoted-all": lambda raw: re.sub(rb"([^,\"\n]+)", rb'"\1"', raw),
    "space": lambda raw: raw.replace(b",", b", "),
    "semicolon": lambda raw: raw.replace(b",", b";"),
    "nul": lambda raw: raw + b"\0",
    "comment": lambda raw: b"# comment\n" + raw,
    "latin-1": lambda raw: raw + b"\xe9,,\n",
    "quote-newline": lambda raw: raw.replace(b"acme/main.py", b'"acme/main.py\n"'),
}


def _edit_record(wheel: Wheel, edit: Callable[[bytes], bytes]) -> None:
    wheel.raw.append(edit)


OPERATORS.table("record", "pure", _edit_record, _EDITS)


_DATA_FILES = {
    "nested": f"acme/{DATA}/purelib/odd.py",
    "two-writers-headers": f"{DATA}/data/include/site/python3.11/acme-widgets/acme.h",
    "two-writers-lib": f"{DATA}/data/lib/python3.11/dist-packages/acme/__init__.py",
    "stdlib-file": f"{DATA}/data/lib/python3.11/acme.py",
    "nested-same": f"{DATA}/purelib/{DATA}/scripts/odd",
    "two-writers-purelib": f"{DATA}/purelib/acme/__init__.py",
    "two-writers-platlib": f"{DATA}/platlib/acme/__init__.py",
    "two-writers-data": f"{DATA}/data/lib/python3.11/site-packages/acme/__init__.py",
    "two-writers-scripts": f"{DATA}/data/bin/acme-tool",
    "unknown-scheme": f"{DATA}/odd/x.py",
    "upper-scheme": f"{DATA}/PURELIB/x.py",
    "stdlib": f"{DATA}/stdlib/x.py",
    "platstdlib": f"{DATA}/platstdlib/x.py",
    "include": f"{DATA}/include/x.h",
    "platinclude": f"{DATA}/platinclude/x.h",
    "file-in-data": f"{DATA}/odd.txt",
    "scheme-is-file": f"{DATA}/purelib2",
    "script-directory": f"{DATA}/scripts/sub/tool",
    "script-empty": f"{DATA}/scripts/",
    "script-exe": f"{DATA}/scripts/tool.exe",
    "script-py": f"{DATA}/scripts/tool.py",
    "script-python": f"{DATA}/scripts/python",
    "script-pip": f"{DATA}/scripts/pip",
    "script-pip3": f"{DATA}/scripts/pip3",
    "script-easy": f"{DATA}/scripts/easy_install-3.11",
    "script-activate": f"{DATA}/scripts/activate",
    "script-dot": f"{DATA}/scripts/.tool",
    "script-space": f"{DATA}/scripts/a tool",
    "script-suffix": f"{DATA}/scripts/tool-script.py",
    "script-pyc": f"{DATA}/scripts/__pycache__/x.pyc",
    "script-apostrophe": f"{DATA}/scripts/it's",
    "other-case": "ACME_WIDGETS-1.0.data/purelib/x.py",
    "other-spelling": "acme.widgets-1.0.data/purelib/x.py",
    "other-version": "acme_widgets-1.0.0.data/purelib/x.py",
    "upper-suffix": "acme_widgets-1.0.DATA/purelib/x.py",
    "foreign": "other-1.0.data/purelib/x.py",
    "no-version": "acme_widgets.data/purelib/x.py",
    "only": ".data/purelib/x.py",
    "data-pyvenv": f"{DATA}/data/pyvenv.cfg",
    "data-bin": f"{DATA}/data/bin/python",
    "data-include": f"{DATA}/data/include/x.h",
    "data-top": f"{DATA}/data/x.txt",
    "data-lib-pth": f"{DATA}/data/lib/python3.11/site-packages/x.pth",
    "data-info": f"{DATA}/data/lib/python3.11/site-packages/{INFO}/METADATA",
    "data-record": f"{DATA}/purelib/{INFO}/odd.txt",
    "purelib-metadata": f"{DATA}/purelib/{INFO}/METADATA",
    "platlib-metadata": f"{DATA}/platlib/{INFO}/METADATA",
    "purelib-entry-points": f"{DATA}/purelib/{INFO}/entry_points.txt",
    "purelib-pth": f"{DATA}/purelib/x.pth",
    "headers-sub": f"{DATA}/headers/sub/x.h",
    "headers-init": f"{DATA}/headers/acme_widgets/x.h",
    "egg-info-purelib": f"{DATA}/purelib/other.egg-info",
    "info-in-scripts": f"{DATA}/scripts/x.dist-info",
    "empty-scheme": f"{DATA}/purelib/",
    "empty": f"{DATA}/",
    "double": f"{DATA}/data/data/x",
    "case-writer": f"{DATA}/purelib/ACME/__init__.py",
    "lib64": f"{DATA}/data/lib64/python3.11/site-packages/x.py",
    "purelib-file-directory": f"{DATA}/purelib/acme",
    "data-empty-directory": f"{DATA}/data/share/empty/",
    "scripts-directory": f"{DATA}/scripts/sub/",
}


_POINTED_FILES = {
    "scripts": f"{DATA}/scripts/acme",
    "bin": f"{DATA}/data/bin/acme",
    "bin-two": f"{DATA}/data/bin/acme-three",
}


def _put_data(wheel: Wheel, name: str) -> None:
    mode = 0o100755 if "/scripts/" in name or "/bin/" in name else 0o100644
    if name.endswith("/"):
        wheel.put(name)
    else:
        wheel.put(name, "#!python\nODD = 1\n", mode=mode)


OPERATORS.table("data", "spread", _put_data, _DATA_FILES)
OPERATORS.table("data-pointed", "pointed", _put_data, _POINTED_FILES)

_SHEBANGS = {
    "python": "#!python\nx\n",
    "pythonw": "#!pythonw\nx\n",
    "python3": "#!python3\nx\n",
    "python-space": "#! python\nx\n",
    "python-options": "#!python -O\nx\n",
    "python-crlf": "#!python\r\nx\r\n",
    "python-alone": "#!python",
    "pythonic": "#!pythonic\nx\n",
    "env": "#!/usr/bin/env python\nx\n",
    "env3": "#!/usr/bin/env python3\nx\n",
    "absolute": "#!/usr/bin/python\nx\n",
    "sh": "#!/bin/sh\nx\n",
    "upper": "#!PYTHON\nx\n",
    "none": "x\n",
    "empty": "",
    "binary": "\x7fELF\0\0",
    "second-line": "\n#!python\nx\n",
    "coding": "#!python\n# coding: latin-1\nx\n",
    "trailing-space": "#!python \nx\n",
    "tab": "#!python\tx\nx\n",
    "pythonw-options": "#!pythonw -E\nx\n",
    "python2": "#!python2.7\nx\n",
    "bom": "\ufeff#!python\nx\n",
    "long": "#!python " + "x" * 300 + "\nx\n",
    "only-hash": "#!\nx\n",
    "pypy": "#!pypy\nx\n",
    "nul": "#!python\0\nx\n",
    "wrapper": "#!python\nimport sys\nfrom acme.main import run\n"
    "if __name__ == '__main__':\n    sys.exit(run())\n",
    "cr": "#!python\rx\r",
    "python-slash": "#!python/x\nx\n",
    "python-dash": "#!python-x\nx\n",
    "form-feed": "#!python\x0c\nx\n",
}


def _script(wheel: Wheel, text: str) -> None:
    wheel.put(f"{DATA}/scripts/odd-script", text, mode=0o100755)


OPERATORS.table("shebang", "spread", _script, _SHEBANGS)


@OPERATORS.named("shebang-not-executable", "spread")
def _not_executable(wheel: Wheel, rng: random.Random) -> None:
    wheel.put(f"{DATA}/scripts/odd-script", "#!python\nx\n", mode=0o100644)


@OPERATORS.named("script-binary-bytes", "spread")
def _binary_script(wheel: Wheel, rng: random.Random) -> None:
    wheel.put(f"{DATA}/scripts/odd-script", b"#!python\n\xff\xfe\n", mode=0o100755)


_ENTRY_POINTS = {
    "plain": "[console_scripts]\nodd = acme.main:run\n",
    "no-spaces": "[console_scripts]\nodd=acme.main:run\n",
    "colon": "[console_scripts]\nodd : acme.main:run\n",
    "no-attribute": "[console_scripts]\nodd = acme.main\n",
    "deep-attribute": "[console_scripts]\nodd = acme.main:run.me\n",
    "extras": "[console_scripts]\nodd = acme.main:run [x]\n",
    "extras-two": "[console_scripts]\nodd = acme.main:run [x,y]\n",
    "extras-tight": "[console_scripts]\nodd = acme.main:run[x]\n",
    "extras-empty": "[console_scripts]\nodd = acme.main:run []\n",
    "space-colon": "[console_scripts]\nodd = acme.main : run\n",
    "section-space": "[ console_scripts ]\nodd = acme.main:run\n",
    "section-case": "[CONSOLE_SCRIPTS]\nodd = acme.main:run\n",
    "section-twice": "[console_scripts]\none = acme.main:run\n[gui_scripts]\ng = acme.main:run\n"
    "[console_scripts]\nodd = acme.main:run\n",
    "name-twice": "[console_scripts]\nodd = acme.main:run\nodd = acme.main:other\n",
    "name-case": "[console_scripts]\nOdd = acme.main:run\nodd = acme.main:other\n",
    "name-upper": "[console_scripts]\nODD = acme.main:run\n",
    "both-groups": "[console_scripts]\nodd = acme.main:run\n[gui_scripts]\nodd = acme.main:other\n",
    "default": "[DEFAULT]\nodd = acme.main:run\n[console_scripts]\ntwo = acme.main:run\n",
    "default-lower": "[default]\nodd = acme.main:run\n[console_scripts]\ntwo = acme.main:run\n",
    "default-value": "[DEFAULT]\nx = 1\n[other]\ny = acme:y\n",
    "comment-hash": "# comment\n[console_scripts]\nodd = acme.main:run\n",
    "comment-semicolon": "; comment\n[console_scripts]\nodd = acme.main:run\n",
    "comment-inline": "[console_scripts]\nodd = acme.main:run # comment\n",
    "comment-inline-semicolon": "[console_scripts]\nodd = acme.main:run ; comment\n",
    "comment-indented": "[console_scripts]\n  # comment\nodd = acme.main:run\n",
    "indented": "[console_scripts]\n  odd = acme.main:run\n",
    "indented-second": "[console_scripts]\nodd = acme.main:run\n  two = acme.main:run\n",
    "continuation": "[console_scripts]\nodd =\n  acme.main:run\n",
    "continuation-value": "[console_scripts]\nodd = acme.main:run\n  [x]\n",
    "blank-inside": "[console_scripts]\nodd = acme.main:run\n\n\ntwo = acme.main:run\n",
    "blank-first": "\n\n[console_scripts]\nodd = acme.main:run\n",
    "bom": "\ufeff[console_scripts]\nodd = acme.main:run\n",
    "crlf": "[console_scripts]\r\nodd = acme.main:run\r\n",
    "cr": "[console_scripts]\rodd = acme.main:run\r",
    "form-feed": "[console_scripts]\nodd = acme.main:run\x0ctwo = acme.main:run\n",
    "line-separator": "[console_scripts]\nodd = acme.main:run\u2028two = acme.main:run\n",
    "nel": "[console_scripts]\nodd = acme.main:run\x85two = acme.main:run\n",
    "vertical": "[console_scripts]\nodd = acme.main:run\x0btwo = acme.main:run\n",
    "nul": "[console_scripts]\nodd\0 = acme.main:run\n",
    "no-newline": "[console_scripts]\nodd = acme.main:run",
    "empty": "",
    "only-section": "[console_scripts]\n",
    "no-section": "odd = acme.main:run\n",
    "no-value": "[console_scripts]\nodd\n",
    "empty-value": "[console_scripts]\nodd =\n",
    "empty-name": "[console_scripts]\n= acme.main:run\n",
    "percent": "[console_scripts]\nodd = acme.main:run%(x)s\n",
    "percent-other": "[other]\nodd = acme.main:%(x)s\n",
    "equals-twice": "[console_scripts]\nodd = acme = main:run\n",
    "name-equals": "[console_scripts]\no=d = acme.main:run\n",
    "name-colon": "[console_scripts]\no:d = acme.main:run\n",
    "name-python": "[console_scripts]\npython = acme.main:run\n",
    "name-python3": "[console_scripts]\npython3 = acme.main:run\n",
    "name-pip": "[console_scripts]\npip = acme.main:run\n",
    "name-pip3": "[console_scripts]\npip3 = acme.main:run\n",
    "name-pip311": "[console_scripts]\npip3.11 = acme.main:run\n",
    "name-pip-other": "[console_scripts]\npip2 = acme.main:run\n",
    "name-easy": "[console_scripts]\neasy_install = acme.main:run\n",
    "name-easy-version": "[console_scripts]\neasy_install-3.11 = acme.main:run\n",
    "name-easy-other": "[console_scripts]\neasy_install-2.7 = acme.main:run\n",
    "name-uv": "[console_scripts]\nuv = acme.main:run\n",
    "name-pythonw": "[gui_scripts]\npythonw = acme.main:run\n",
    "name-activate": "[console_scripts]\nactivate = acme.main:run\n",
    "name-pip-gui": "[gui_scripts]\npip = acme.main:run\n",
    "name-wheel": "[console_scripts]\nwheel = acme.main:run\n",
    "name-space": "[console_scripts]\no dd = acme.main:run\n",
    "name-dot": "[console_scripts]\n.odd = acme.main:run\n",
    "name-dots": "[console_scripts]\no.d.d = acme.main:run\n",
    "name-dash": "[console_scripts]\n-odd = acme.main:run\n",
    "name-trailing-dot": "[console_scripts]\nodd. = acme.main:run\n",
    "name-exe": "[console_scripts]\nodd.exe = acme.main:run\n",
    "name-py": "[console_scripts]\nodd.py = acme.main:run\n",
    "name-unicode": "[console_scripts]\n\xe9 = acme.main:run\n",
    "name-slash": "[console_scripts]\no/d = acme.main:run\n",
    "name-backslash": "[console_scripts]\no\\d = acme.main:run\n",
    "name-up": "[console_scripts]\n.. = acme.main:run\n",
    "name-quote": '[console_scripts]\n"odd" = acme.main:run\n',
    "name-bracket": "[console_scripts]\nodd[x] = acme.main:run\n",
    "name-bracket-first": "[console_scripts]\n[odd] = acme.main:run\n",
    "name-plus": "[console_scripts]\no+d = acme.main:run\n",
    "name-at": "[console_scripts]\no@d = acme.main:run\n",
    "name-script": "[console_scripts]\nodd-script.py = acme.main:run\n",
    "name-star": "[console_scripts]\n* = acme.main:run\n",
    "name-device": "[console_scripts]\ncon = acme.main:run\n",
    "name-hash": "[console_scripts]\no#d = acme.main:run\n",
    "name-semicolon": "[console_scripts]\no;d = acme.main:run\n",
    "name-dollar": "[console_scripts]\n$x = acme.main:run\n",
    "name-tool": "[console_scripts]\nacme-tool = acme.main:run\n",
    "name-long": "[console_scripts]\n" + "o" * 240 + " = acme.main:run\n",
    "name-import": "[console_scripts]\nimport = acme.main:run\n",
    "reference-keyword": "[console_scripts]\nodd = class:def\n",
    "reference-keyword-in": "[console_scripts]\nodd = acme.main:import\n",
    "reference-number": "[console_scripts]\nodd = 1acme:2run\n",
    "reference-unicode": "[console_scripts]\nodd = acm\xe9.main:run\n",
    "reference-code": "[console_scripts]\nodd = acme.main:run;evil\n",
    "reference-call": "[console_scripts]\nodd = acme.main:run()\n",
    "reference-space": "[console_scripts]\nodd = acme main:run\n",
    "reference-colons": "[console_scripts]\nodd = acme:main:run\n",
    "reference-dots": "[console_scripts]\nodd = acme..main:run\n",
    "reference-dot-end": "[console_scripts]\nodd = acme.main.:run\n",
    "reference-dot-first": "[console_scripts]\nodd = .main:run\n",
    "reference-empty-attribute": "[console_scripts]\nodd = acme.main:\n",
    "reference-star": "[console_scripts]\nodd = acme.main:*\n",
    "reference-dash": "[console_scripts]\nodd = acme-main:run\n",
    "reference-underscore": "[console_scripts]\nodd = _acme.__main__:_run\n",
    "reference-quotes": "[console_scripts]\nodd = 'acme.main':run\n",
    "reference-paren": "[console_scripts]\nodd = (acme.main:run)\n",
    "reference-comma": "[console_scripts]\nodd = acme.main:run,other\n",
    "reference-extras-odd": "[console_scripts]\nodd = acme.main:run [x y]\n",
    "reference-extras-nested": "[console_scripts]\nodd = acme.main:run [[x]]\n",
    "reference-extras-first": "[console_scripts]\nodd = [x] acme.main:run\n",
    "reference-extras-text": "[console_scripts]\nodd = acme.main:run [x] more\n",
    "reference-extras-open": "[console_scripts]\nodd = acme.main:run [x\n",
    "reference-init": "[console_scripts]\nodd = acme.__init__:run\n",
    "reference-class": "[console_scripts]\nodd = acme.main:Runner.run\n",
    "reference-digit-unicode": "[console_scripts]\nodd = acme.main:r\u0661\n",
    "reference-nfkc": "[console_scripts]\nodd = acme.main:\uff52un\n",
    "group-odd": "[odd group!]\nodd = acme.main\n",
    "group-empty": "[]\nodd = acme.main\n",
    "group-bracket": "[a]b]\nodd = acme.main\n",
    "group-text": "[console_scripts] text\nodd = acme.main:run\n",
    "group-comment": "[console_scripts] # text\nodd = acme.main:run\n",
    "group-unclosed": "[console_scripts\nodd = acme.main:run\n",
    "group-indented": "  [console_scripts]\nodd = acme.main:run\n",
    "group-indented-later": "[other]\nx = acme.main\n  [console_scripts]\nodd = acme.main:run\n",
    "group-unicode": "[\xe9]\nx = acme.main\n",
    "group-name-slash": "[mkdocs.themes]\nmaterial/blog = acme.main\n",
    "group-name-space": "[pytest11]\na b = acme.main\n",
    "group-value-odd": "[other]\nx = anything at all\n",
    "group-value-empty": "[other]\nx =\n",
    "group-value-none": "[other]\nx\n",
    "group-name-colon": "[other]\na:b = acme.main\n",
    "group-name-twice": "[other]\na = acme.main\na = acme.other\n",
    "group-name-case": "[other]\na = acme.main\nA = acme.other\n",
    "dash-group": "[console-scripts]\nodd = acme.main:run\n",
    "tab": "[console_scripts]\nodd\t=\tacme.main:run\n",
    "trailing-space": "[console_scripts]  \nodd = acme.main:run  \n",
    "non-breaking": "[console_scripts]\nodd\xa0=\xa0acme.main:run\n",
    "rem": "[console_scripts]\nrem comment\nodd = acme.main:run\n",
    "latin": "[console_scripts]\nodd = acme.main:run\n# \xe9\n",
}


def _entry_points(wheel: Wheel, text: str) -> None:
    wheel.put(f"{INFO}/entry_points.txt", text)


OPERATORS.table("points", "spread", _entry_points, _ENTRY_POINTS)


@OPERATORS.named("points-bytes", "pure")
def _points_bytes(wheel: Wheel, rng: random.Random) -> None:
    wheel.put(f"{INFO}/entry_points.txt", b"[console_scripts]\nodd = acme.main:run\n# \xff\n")
