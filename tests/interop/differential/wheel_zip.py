"""Oddities of a wheel as a ZIP file: the fields of its members, their order and their names."""

from __future__ import annotations

import random
import zlib
from dataclasses import replace

from interop.differential.mutants import Operators
from interop.differential.wheel_bases import INFO, Wheel
from interop.differential.zip_parts import Part, extra

OPERATORS = Operators[Wheel]()

_FIELDS: dict[str, dict[str, object]] = {
    "stored": {"method": 0},
    "level-0": {"level": 0},
    "level-9": {"level": 9},
    "flag-utf8": {"flags": 0x800},
    "flag-level": {"flags": 0x6},
    "flag-patched": {"flags": 0x20},
    "flag-encrypted": {"flags": 1},
    "flag-strong": {"flags": 0x41},
    "flag-masked": {"flags": 0x2000},
    "made-0": {"made": 0},
    "made-63": {"made": 63},
    "needed-10": {"needed": 10},
    "needed-45": {"needed": 45},
    "needed-63": {"needed": 63},
    "needed-0": {"needed": 0},
    "needed-255": {"needed": 255},
    "system-dos": {"system": 0, "mode": 0},
    "system-dos-mode": {"system": 0, "mode": 0o100755},
    "system-mac": {"system": 19},
    "system-255": {"system": 255},
    "stamp-zero": {"stamp": (0, 0)},
    "stamp-odd": {"stamp": (0xFFFF, 0xFFFF)},
    "internal-text": {"internal": 1},
    "internal-odd": {"internal": 0xFFFF},
    "mode-0": {"mode": 0},
    "mode-755": {"mode": 0o100755},
    "mode-700": {"mode": 0o100700},
    "mode-011": {"mode": 0o100655},
    "mode-setuid": {"mode": 0o104755},
    "mode-setgid": {"mode": 0o102755},
    "mode-sticky": {"mode": 0o101644},
    "mode-no-type": {"mode": 0o644},
    "mode-no-type-exec": {"mode": 0o755},
    "mode-000": {"mode": 0o100000},
    "mode-777": {"mode": 0o100777},
    "mode-write-only": {"mode": 0o100222},
    "mode-link": {"mode": 0o120777},
    "mode-directory": {"mode": 0o040755},
    "dos-directory": {"dos": 0x10},
    "dos-readonly": {"dos": 1},
    "dos-archive": {"dos": 0x20},
    "dos-odd": {"dos": 0xEF},
    "comment": {"comment": b"hello"},
    "descriptor-signed": {"descriptor": "signed"},
    "descriptor-bare": {"descriptor": "bare"},
    "descriptor-wide": {"descriptor": "wide"},
    "descriptor-zip64": {"descriptor": "wide", "local_extra": extra((1, bytes(16)))},
    "extra-time": {"extra": extra((0x5455, b"\1\0\0\0\0"))},
    "extra-owner": {"extra": extra((0x7875, b"\1\4\0\0\0\0\4\0\0\0\0"))},
    "extra-ntfs": {"extra": extra((0x000A, bytes(32)))},
    "extra-unicode-path": {"extra": extra((0x7075, b"\1\0\0\0\0evil.py"))},
    "extra-unicode-path-right": {"extra": b"", "descriptor": ""},
    "extra-cut": {"extra": b"\x55\x54\x09\0\1"},
    "extra-odd": {"extra": extra((0x4141, b"A"))},
    "extra-short": {"extra": b"\1"},
    "extra-local-only": {"local_extra": extra((0x5455, b"\1\0\0\0\0"))},
    "extra-jar": {"extra": extra((0xCAFE, b""))},
    "extra-time-short": {"extra": extra((0x5455, b""))},
    "extra-owner-short": {"extra": extra((0x7875, b"\1"))},
    "extra-zip64-empty": {"extra": extra((1, b""))},
    "extra-zip64-local": {"local_extra": extra((1, b""))},
    "extra-unix-link": {"extra": extra((0x000D, bytes(12) + b"target"))},
    "extra-pkware-unix": {"extra": extra((0x5855, bytes(12)))},
    "crc-wrong": {"crc": 1},
    "method-bzip2": {"method": 12},
    "method-lzma": {"method": 14},
    "method-93": {"method": 93},
    "local-name": {"local_name": "acme/other.py"},
    "gap": {"gap": b"gap"},
}


def _set_field(wheel: Wheel, fields: dict[str, object]) -> None:
    part = wheel.zip.part("acme/main.py")
    for key, value in fields.items():
        setattr(part, key, value)


OPERATORS.table("zip", "pure", _set_field, _FIELDS)


_LOCAL = {"needed": 45, "flags": 2, "method": 0, "time": 1, "date": 1, "crc": 1, "packed": 1, "size": 1}


def _set_local(wheel: Wheel, number: tuple[str, int]) -> None:
    wheel.zip.part("acme/main.py").local[number[0]] = number[1]


OPERATORS.table("zip-local", "pure", _set_local, {key: (key, value) for key, value in _LOCAL.items()})

_WHOLE: dict[str, dict[str, object]] = {
    "reverse-directory": {"shuffled": True},
    "comment-end": {"comment": b"hello"},
    "after": {"after": b"\0\0"},
    "before": {"before": b"#!/bin/sh\n"},
    "wide-end": {"wide_end": True},
}


def _set_whole(wheel: Wheel, fields: dict[str, object]) -> None:
    for key, value in fields.items():
        setattr(wheel.zip, key, value)


OPERATORS.table("zip", "pure", _set_whole, _WHOLE)


@OPERATORS.named("zip-order", "pure")
def _order(wheel: Wheel, rng: random.Random) -> None:
    rng.shuffle(wheel.zip.parts)


@OPERATORS.named("zip-record-first", "pure")
def _record_first(wheel: Wheel, rng: random.Random) -> None:
    wheel.record_first = True


@OPERATORS.named("zip-all-streamed", "pure")
def _all_streamed(wheel: Wheel, rng: random.Random) -> None:
    for part in wheel.zip.parts:
        if not part.name.endswith("/"):
            part.descriptor, part.method = "signed", 8


@OPERATORS.named("zip-stored-streamed", "pure")
def _stored_streamed(wheel: Wheel, rng: random.Random) -> None:
    part = wheel.file(rng)
    part.descriptor, part.method = "signed", 0


@OPERATORS.named("zip-empty-streamed", "pure")
def _empty_streamed(wheel: Wheel, rng: random.Random) -> None:
    wheel.put("acme/empty.py", b"", method=0, descriptor="signed")


@OPERATORS.named("zip-empty-deflated", "pure")
def _empty_deflated(wheel: Wheel, rng: random.Random) -> None:
    wheel.put("acme/empty.py", b"", method=8)


@OPERATORS.named("zip-two-blocks", "pure")
def _two_blocks(wheel: Wheel, rng: random.Random) -> None:
    part, packer = wheel.file(rng), zlib.compressobj(9, zlib.DEFLATED, -15)
    part.method = 8
    part.packed = packer.compress(part.data) + packer.flush(zlib.Z_FULL_FLUSH) + packer.flush()


@OPERATORS.named("zip-record-executable", "pure")
def _record_executable(wheel: Wheel, rng: random.Random) -> None:
    wheel.record.mode = 0o100755


@OPERATORS.named("zip-metadata-executable", "pure")
def _metadata_executable(wheel: Wheel, rng: random.Random) -> None:
    wheel.info("METADATA").mode = 0o100755


_NAMES = {
    "dot": "./acme/odd.py",
    "dot-inside": "acme/./odd.py",
    "double-slash": "acme//odd.py",
    "up": "acme/../odd.py",
    "up-out": "../odd.py",
    "absolute": "/odd.py",
    "backslash": "acme\\odd.py",
    "colon": "acme/C:odd.py",
    "drive": "C:/odd.py",
    "control": "acme/o\x01dd.py",
    "newline": "acme/o\ndd.py",
    "tab": "acme/o\tdd.py",
    "nul": "acme/odd.py\0.txt",
    "trailing-dot": "acme/odd.py.",
    "trailing-space": "acme/odd.py ",
    "leading-space": "acme/ odd.py",
    "space-segment": "acme/ /odd.py",
    "dots-segment": "acme/.../odd.py",
    "device": "acme/con.py",
    "device-name": "acme/NUL",
    "nfd": "acme/e\u0301.py",
    "nfc": "acme/\xe9.py",
    "bidi": "acme/o\u202edd.py",
    "zero-width": "acme/o\u200bdd.py",
    "surrogate-pair": "acme/\U0001f600.py",
    "dotless-i": "acme/\u0131.py",
    "sharp-s": "acme/stra\xdfe.py",
    "kelvin": "acme/\u212a.py",
    "long": "acme/" + "a" * 250 + ".py",
    "too-long": "acme/" + "a" * 300 + ".py",
    "deep": "acme/" + "d/" * 60 + "odd.py",
    "tilde": "~/odd.py",
    "dash": "-odd.py",
    "star": "acme/*.py",
    "question": "acme/?.py",
    "quote": 'acme/"odd".py',
    "comma": "acme/a,b.py",
    "pipe": "acme/a|b.py",
    "less": "acme/<odd>.py",
    "percent": "acme/%2e%2e.py",
    "dollar": "acme/$HOME.py",
    "brace": "acme/{x}.py",
    "pyc": "acme/__pycache__/main.cpython-311.pyc",
    "pth": "acme.pth",
    "hash": "acme/#odd.py",
    "non-breaking": "acme/\xa0odd.py",
    "ideographic-space": "acme/\u3000odd.py",
    "data-like": "acme.data/odd.py",
    "info-like": "acme/sub.dist-info/odd.txt",
    "egg-info": "acme.egg-info/PKG-INFO",
    "egg-info-file": "acme.egg-info",
    "dist-info-file": "acme.dist-info",
    "other-info": "other-1.0.dist-info/METADATA",
    "upper-info": "ACME_WIDGETS-1.0.DIST-INFO/METADATA",
    "dot-git": ".git/config",
    "dot-file": ".hidden",
    "sitecustomize": "sitecustomize.py",
    "other-data": "other-1.0.data/purelib/odd.py",
    "plain-data-file": "X.data",
    "data-directory": "X.data/",
    "private-use": "acme/\ue000.py",
    "unassigned": "acme/\u0378.py",
    "combining-first": "acme/\u0301.py",
    "angstrom": "acme/\u212b.py",
    "fullwidth": "acme/\uff21.py",
    "slash-like": "acme/a\u2215b.py",
    "root-file": "odd.txt",
    "egg-link": "acme.egg-link",
    "egg": "acme.egg/EGG-INFO/PKG-INFO",
}


def put_name(wheel: Wheel, name: str) -> None:
    """Add a small file, or a directory; compiled code is of a source without a time."""
    wheel.put(name, b"" if name.endswith("/") else bytes(16) if name.endswith(".pyc") else "ODD = 1\n")


OPERATORS.table("name", "pure", put_name, _NAMES)


@OPERATORS.named("name-latin-1", "pure")
def _latin(wheel: Wheel, rng: random.Random) -> None:
    wheel.put("acme/\xe9.py", "ODD = 1\n", raw_name=b"acme/\xe9.py")


@OPERATORS.named("name-unmarked-utf8", "pure")
def _unmarked(wheel: Wheel, rng: random.Random) -> None:
    wheel.put("acme/\xe9.py", "ODD = 1\n", raw_name="acme/\xe9.py".encode())


@OPERATORS.named("name-marked-latin-1", "pure")
def _marked(wheel: Wheel, rng: random.Random) -> None:
    wheel.put("acme/\xe9.py", "ODD = 1\n", raw_name=b"acme/\xe9.py", flags=0x800)


@OPERATORS.named("name-case-twice", "pure")
def _case_twice(wheel: Wheel, rng: random.Random) -> None:
    wheel.put("ACME/__init__.py", "OTHER = 1\n")


@OPERATORS.named("name-twice", "pure")
def _twice(wheel: Wheel, rng: random.Random) -> None:
    part = wheel.file(rng)
    wheel.zip.parts.append(replace(part, data=b"OTHER = 1\n"))


@OPERATORS.named("name-file-and-directory", "pure")
def _file_and_directory(wheel: Wheel, rng: random.Random) -> None:
    wheel.put("acme/main.py/odd.py", "ODD = 1\n")


@OPERATORS.named("name-directory-twice", "nested")
def _directory_twice(wheel: Wheel, rng: random.Random) -> None:
    wheel.zip.parts.append(Part(name="acme/a/", mode=0o040755, dos=0x10, method=0))


@OPERATORS.named("name-empty-directory", "pure")
def _empty_directory(wheel: Wheel, rng: random.Random) -> None:
    wheel.put("acme/empty/", b"", mode=0o040755, dos=0x10, method=0)


@OPERATORS.named("name-directory-last", "pure")
def _directory_last(wheel: Wheel, rng: random.Random) -> None:
    wheel.put("acme/", b"", mode=0o040755, dos=0x10, method=0)


@OPERATORS.named("name-directory-plain-mode", "pure")
def _directory_plain(wheel: Wheel, rng: random.Random) -> None:
    wheel.put("acme/plain/", b"", mode=0, method=0)


@OPERATORS.named("name-info-directory", "pure")
def _info_directory(wheel: Wheel, rng: random.Random) -> None:
    wheel.put(f"{INFO}/", b"", mode=0o040755, dos=0x10, method=0)


@OPERATORS.named("name-directory-deflated", "pure")
def _directory_deflated(wheel: Wheel, rng: random.Random) -> None:
    wheel.put("acme/empty/", b"", mode=0o040755, dos=0x10, method=8)
