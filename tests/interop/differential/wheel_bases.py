"""Good wheels, and every known way to make them odd."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import random
import re
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

from interop.differential.zip_parts import Part, Zip, read_zip, write_zip

STEM = "acme_widgets-1.0"
INFO = f"{STEM}.dist-info"
DATA = f"{STEM}.data"
PLATFORM = sysconfig.get_platform().replace("-", "_").replace(".", "_")

Rows = list[list[str]]


@dataclass(kw_only=True)
class Wheel:
    """A wheel in preparation.

    Attributes:
        zip: Its members, without RECORD.
        tag: The compatibility tag of its file name.
        build: The build tag of its file name.
        stem: Name and version of its file name.
        rows: Changes to the rows of RECORD.
        raw: Changes to the bytes of RECORD.
    """

    zip: Zip
    tag: str = "py3-none-any"
    build: str = ""
    stem: str = STEM
    rows: list[Callable[[Rows], None]] = field(default_factory=list)
    raw: list[Callable[[bytes], bytes]] = field(default_factory=list)
    record: Part = field(default_factory=lambda: Part(name=f"{INFO}/RECORD"))
    record_first: bool = False

    @property
    def filename(self) -> str:
        """The file name."""
        return "-".join(part for part in (self.stem, self.build, self.tag) if part) + ".whl"

    def put(self, name: str, data: str | bytes = b"", **fields: object) -> Part:
        """Add a member, or replace its content."""
        content = data.encode() if isinstance(data, str) else data
        if self.zip.has(name):
            part = self.zip.part(name)
            part.data = content
        else:
            part = Part(name=name, data=content)
            if name.endswith("/"):
                part.mode, part.dos, part.method = 0o040755, 0x10, 0
            self.zip.parts.append(part)
        for key, value in fields.items():
            setattr(part, key, value)
        return part

    def info(self, name: str) -> Part:
        """Return a member of the ``.dist-info`` directory."""
        return self.zip.part(f"{INFO}/{name}")

    def headers(self, text: str, where: str = "METADATA") -> None:
        """Add lines at the end of the headers."""
        part = self.info(where)
        head, empty, body = part.data.partition(b"\n\n")
        part.data = (
            head.rstrip(b"\n") + b"\n" + text.encode().rstrip(b"\n") + (empty + body if empty else b"\n")
        )

    def swap(self, where: str, old: str, new: str) -> None:
        """Replace what matches a regular expression."""
        part = self.info(where)
        part.data = re.sub(old.encode(), lambda _: new.encode(), part.data, count=1, flags=re.MULTILINE)

    def file(self, rng: random.Random) -> Part:
        """Choose a plain file of the package."""
        return rng.choice(
            [
                part
                for part in self.zip.parts
                if not part.name.endswith("/") and ".dist-info/" not in part.name
            ]
        )

    def built(self) -> bytes:
        """Return the file's bytes."""
        rows: Rows = [_row(part) for part in self.zip.parts if not part.name.endswith("/")]
        rows.append([self.record.name, "", ""])
        for change in self.rows:
            change(rows)
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(rows)
        self.record.data = text.getvalue().encode("utf-8", "surrogateescape")
        for edit in self.raw:
            self.record.data = edit(self.record.data)
        parts = [self.record, *self.zip.parts] if self.record_first else [*self.zip.parts, self.record]
        return write_zip(replace(self.zip, parts=parts))


def _row(part: Part) -> list[str]:
    digest = base64.urlsafe_b64encode(hashlib.sha256(part.data).digest()).rstrip(b"=").decode()
    return [part.name, f"sha256={digest}", str(len(part.data))]


def _wheel(
    files: dict[str, str | bytes],
    *,
    metadata: str = "",
    body: str = "",
    tag: str = "py3-none-any",
    purelib: str = "true",
    build: str = "",
) -> Wheel:
    made = Wheel(zip=Zip(), tag=tag, build=build)
    for name, data in files.items():
        made.put(name, data)
    made.put(
        f"{INFO}/METADATA",
        f"Metadata-Version: 2.1\nName: acme-widgets\nVersion: 1.0\n{metadata}"
        + (f"\n{body}" if body else ""),
    )
    said = f"Build: {build}\n" if build else ""
    made.put(
        f"{INFO}/WHEEL",
        f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: {purelib}\nTag: {tag}\n{said}",
    )
    return made


def pure() -> Wheel:
    """A package of two modules."""
    return _wheel(
        {
            "acme/__init__.py": "VERSION = '1.0'\n",
            "acme/main.py": "def run():\n    return 0\n",
            "acme/py.typed": "",
        },
        metadata="Summary: Widgets\nRequires-Python: >=3.8\nRequires-Dist: dep-a\n",
        body="# Acme\n\nText\n",
    )


def platform() -> Wheel:
    """A wheel for this platform, with a library and a build tag."""
    made = _wheel(
        {"acme/__init__.py": "", "acme.libs/": b"", "acme.libs/libacme.so.1": b"\x7fELF"},
        tag=f"py3-none-{PLATFORM}",
        purelib="false",
        build="1",
    )
    made.put("acme/_native.so", b"\x7fELF" + bytes(400), mode=0o100755, method=0)
    return made


def spread() -> Wheel:
    """A wheel with every kind of ``.data`` directory."""
    made = _wheel({"acme/__init__.py": ""}, metadata="Requires-Dist: dep-b>=1\n")
    made.put(f"{DATA}/purelib/acme/pure.py", "PURE = 1\n")
    made.put(f"{DATA}/platlib/acme_native/plat.py", "PLAT = 1\n")
    made.put(f"{DATA}/headers/acme.h", "#define ACME 1\n")
    made.put(f"{DATA}/data/share/acme/table.csv", "a,b\n")
    made.put(f"{DATA}/scripts/acme-tool", "#!python\nprint('tool')\n", mode=0o100755)
    made.put(f"{DATA}/scripts/acme-sh", "#!/bin/sh\necho tool\n", mode=0o100755)
    return made


def pointed() -> Wheel:
    """A wheel with entry points."""
    made = pure()
    made.put(
        f"{INFO}/entry_points.txt",
        "[console_scripts]\nacme = acme.main:run\nacme-two = acme.main:run\n\n"
        "[gui_scripts]\nacme-gui = acme.main:run\n\n"
        "[acme.plugins]\nblog/one = acme.main\n",
    )
    made.put(f"{INFO}/top_level.txt", "acme\n")
    return made


def nested() -> Wheel:
    """A wheel with directories, deep packages, vendored packages, and licences."""
    made = _wheel(
        {"acme/": b"", "acme/__init__.py": "", "acme/a/": b"", "acme/a/b/c/__init__.py": "DEEP = 1\n"}
    )
    made.put(
        "acme/_vendor/idna-3.10.dist-info/METADATA", "Metadata-Version: 2.1\nName: idna\nVersion: 3.10\n"
    )
    made.put("acme/_vendor/idna/__init__.py", "")
    made.put("acme/données.txt", "é\n")
    made.headers("License-Expression: MIT\nLicense-File: LICENSE\n")
    made.swap("METADATA", "Metadata-Version: 2.1", "Metadata-Version: 2.4")
    made.put(f"{INFO}/licenses/LICENSE", "MIT\n")
    return made


def choosy() -> Wheel:
    """A wheel with extras and markers."""
    return _wheel(
        {"acme/__init__.py": ""},
        metadata="Requires-Dist: dep-a >=1.0,<3\nRequires-Dist: dep-b ; python_version >= '3.8'\n"
        "Requires-Dist: dep-c ; python_version < '3'\n"
        "Provides-Extra: x\nRequires-Dist: dep-d ; extra == 'x'\nProvides-Extra: y-z\n"
        "Requires-Dist: dep-e[q] (>=1) ; sys_platform == 'linux' and extra == 'y-z'\n",
    )


_PROJECT = """\
[build-system]
requires = []
build-backend = "none"

[project]
name = "acme-widgets"
version = "1.0"
description = "Widgets"
requires-python = ">=3.8"
dependencies = ["dep-a"]
license = "MIT"
license-files = ["LICENSE"]

[project.optional-dependencies]
x = ["dep-b"]

[project.scripts]
acme = "acme:run"

[tool.flit.module]
name = "acme"

[tool.hatch.build.targets.wheel]
packages = ["acme"]
"""


@cache
def _built_by(backend: str) -> bytes:
    """Return a wheel built by a real backend of our own environment."""
    with tempfile.TemporaryDirectory() as place:
        package = Path(place, "acme", "__init__.py")
        package.parent.mkdir()
        package.write_text("def run():\n    return 0\n", encoding="utf-8")
        Path(place, "LICENSE").write_text("MIT\n", encoding="utf-8")
        Path(place, "pyproject.toml").write_text(_PROJECT, encoding="utf-8")
        program = f"import {backend} as backend; backend.build_wheel('.')"
        subprocess.run([sys.executable, "-c", program], cwd=place, check=True, capture_output=True)
        return next(Path(place).glob("*.whl")).read_bytes()


def _real(backend: str) -> Wheel:
    made = Wheel(zip=read_zip(_built_by(backend)))
    made.record = made.info("RECORD")
    made.zip.parts.remove(made.record)
    return made


def hatchling() -> Wheel:
    """As built by hatchling."""
    return _real("hatchling.build")


def flit() -> Wheel:
    """As built by flit."""
    return _real("flit_core.buildapi")


BASES: dict[str, Callable[[], Wheel]] = {
    made.__name__: made for made in (pure, platform, spread, pointed, nested, choosy, hatchling, flit)
}
