"""Good sdists, and every known way to make them odd."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from interop.differential.tar_parts import (
    GNU,
    USTAR,
    Entry,
    Tar,
    extended,
    record,
)

TOP = b"acme_widgets-1.0"
PKG_INFO = b"Metadata-Version: 2.1\nName: acme-widgets\nVersion: 1.0\n"
PYPROJECT = b'[build-system]\nrequires = []\nbuild-backend = "dump"\nbackend-path = ["."]\n'
DUMP = Path(__file__).with_name("dump.py").read_bytes()


def below(name: str | bytes) -> bytes:
    return TOP + b"/" + (name.encode() if isinstance(name, str) else name)


def _tar(magic: bytes, files: dict[str, bytes], *, directories: bool = False) -> Tar:
    made = Tar(magic=magic)
    if directories:
        made.entries += [
            Entry(name=name, kind=b"5", mode=0o755) for name in (TOP, below("src"), below("src/acme"))
        ]
    made.entries += [Entry(name=below(name), data=data) for name, data in files.items()]
    return made


def _files(**more: bytes) -> dict[str, bytes]:
    return {
        "src/acme/__init__.py": b"VERSION = '1.0'\n",
        "src/acme/main.py": b"def run():\n    return 0\n",
        "dump.py": DUMP,
        "pyproject.toml": PYPROJECT,
        "README.md": b"# Acme\n" * 100,
        "PKG-INFO": PKG_INFO,
        **more,
    }


def pax() -> Tar:
    """As written by setuptools and flit: pax, with a fractional time."""
    made = _tar(USTAR, _files())
    for entry in made.entries:
        entry.records.append((b"mtime", b"1782820800.5"))
    return made


def ustar() -> Tar:
    """As hatchling may write it: only ustar, and a name that needs the prefix."""
    return _tar(USTAR, _files(**{"src/" + "long/" * 20 + "name.txt": b"long\n"}))


def gnu() -> Tar:
    """As written by GNU tar: directories, and a name that is too long for its header."""
    made = _tar(GNU, _files(), directories=True)
    name = below("src/" + "long/" * 30 + "name.txt")
    made.entries.append(Entry(name=name, data=b"long\n", before=extended(b"L", name + b"\0")))
    return made


def linked() -> Tar:
    """Links of both kinds, and a script."""
    made = _tar(USTAR, _files(), directories=True)
    made.entries += [
        Entry(name=below("README"), kind=b"2", link=b"README.md", mode=0o777),
        Entry(name=below("src/acme/readme"), kind=b"2", link=b"../../README.md", mode=0o777),
        Entry(name=below("copy.py"), kind=b"1", link=below("src/acme/__init__.py")),
        Entry(name=below("run.sh"), data=b"#!/bin/sh\n", mode=0o755),
    ]
    return made


def long() -> Tar:
    """Pax records for a name that is long and not ASCII, and a comment of git's."""
    made = _tar(USTAR, _files())
    made.start = extended(b"g", record(b"comment", b"0" * 40), b"pax_global_header")
    name = below("src/données/" + "long/" * 40 + "name.txt")
    made.entries.append(
        Entry(name=name, data=b"long\n", records=[(b"path", name)], raw={"name": name[:90], "prefix": b""})
    )
    return made


def stated() -> Tar:
    """Metadata of a version that may be trusted without a build, and a [project] table that says the same."""
    made = _tar(USTAR, _files())
    made.entry(below("PKG-INFO")).data = (
        PKG_INFO.replace(b"2.1", b"2.2")
        + b"Requires-Dist: dep-a\nProvides-Extra: x\nRequires-Dist: dep-b; extra == 'x'\n"
    )
    made.entry(below("pyproject.toml")).data = (
        PYPROJECT + b'[project]\nname = "acme-widgets"\nversion = "1.0"\ndependencies = ["dep-a"]\n'
        b'[project.optional-dependencies]\nx = ["dep-b"]\n'
    )
    return made


BASES: dict[str, Callable[[], Tar]] = {
    made.__name__: made for made in (pax, ustar, gnu, linked, long, stated)
}


def odd(made: Tar) -> Entry:
    """Return the file to make odd.

    It is neither the first nor the last, so that a reader that stops there shows it.
    """
    return made.entry(below("src/acme/main.py"))
