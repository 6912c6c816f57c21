"""Oddities of extended headers, pax and GNU, and of the bytes before, between and after members."""

from __future__ import annotations

import random
import struct
import zlib

from interop.differential.mutants import Operators
from interop.differential.sdist_bases import TOP, below, odd
from interop.differential.tar_parts import (
    GNU,
    Entry,
    Tar,
    compress,
    extended,
    header,
    padded,
    record,
)

OPERATORS = Operators[Tar]()

_PAX: dict[str, tuple[str, str]] = {
    "mtime-nan": ("mtime", "nan"),
    "mtime-inf": ("mtime", "inf"),
    "mtime-negative": ("mtime", "-1"),
    "mtime-negative-fraction": ("mtime", "-0.5"),
    "mtime-huge": ("mtime", "9" * 30),
    "mtime-far": ("mtime", "99999999999"),
    "mtime-exponent": ("mtime", "1e9"),
    "mtime-exponent-huge": ("mtime", "1e400"),
    "mtime-empty": ("mtime", ""),
    "mtime-space": ("mtime", " 1"),
    "mtime-text": ("mtime", "x"),
    "mtime-plus": ("mtime", "+1"),
    "mtime-underscore": ("mtime", "1_0"),
    "mtime-dot": ("mtime", "1."),
    "mtime-dot-first": ("mtime", ".5"),
    "mtime-comma": ("mtime", "1,5"),
    "mtime-long": ("mtime", "1." + "0" * 200),
    "mtime-zero": ("mtime", "0"),
    "mtime-arabic": ("mtime", "\u0661"),
    "mtime-leading-zeros": ("mtime", "0001"),
    "mtime-whole": ("mtime", "1782820800"),
    "mtime-hex": ("mtime", "0x10"),
    "mtime-year-9999": ("mtime", "253402300800"),
    "mtime-2-31": ("mtime", "2147483648"),
    "mtime-2-63": ("mtime", "9223372036854775808"),
    "atime": ("atime", "1782820800.1"),
    "atime-nan": ("atime", "nan"),
    "atime-text": ("atime", "x"),
    "ctime": ("ctime", "1782820800.1"),
    "ctime-text": ("ctime", "x"),
    "uid": ("uid", "1000"),
    "uid-text": ("uid", "root"),
    "uid-negative": ("uid", "-1"),
    "uid-huge": ("uid", "9" * 30),
    "uid-empty": ("uid", ""),
    "uid-big": ("uid", "4294967296"),
    "uid-float": ("uid", "1.5"),
    "gid": ("gid", "1000"),
    "gid-text": ("gid", "x"),
    "gid-space": ("gid", " 1"),
    "uname": ("uname", "root"),
    "uname-unicode": ("uname", "\xe9"),
    "gname": ("gname", ""),
    "comment": ("comment", "hello"),
    "charset": ("charset", "ISO-IR 8859 1 1998"),
    "hdrcharset-binary": ("hdrcharset", "BINARY"),
    "hdrcharset-utf8": ("hdrcharset", "ISO-IR 10646 2000 UTF-8"),
    "hdrcharset-odd": ("hdrcharset", "latin-1"),
    "size-zero": ("size", "0"),
    "size-huge": ("size", "9" * 20),
    "size-negative": ("size", "-1"),
    "size-text": ("size", "x"),
    "size-empty": ("size", ""),
    "size-space": ("size", " 24"),
    "size-right": ("size", "24"),
    "size-zeros": ("size", "0024"),
    "size-plus": ("size", "+24"),
    "size-underscore": ("size", "2_4"),
    "path": ("path", "acme_widgets-1.0/src/odd.py"),
    "path-same": ("path", "acme_widgets-1.0/src/acme/main.py"),
    "path-empty": ("path", ""),
    "path-slash": ("path", "acme_widgets-1.0/src/odd.py/"),
    "path-absolute": ("path", "/odd.py"),
    "path-up": ("path", "acme_widgets-1.0/../odd.py"),
    "path-dot": ("path", "./acme_widgets-1.0/odd.py"),
    "path-nul": ("path", "acme_widgets-1.0/odd.py\0evil"),
    "path-newline": ("path", "acme_widgets-1.0/o\ndd.py"),
    "linkpath-file": ("linkpath", "README.md"),
    "linkpath-empty": ("linkpath", ""),
    "sparse-major": ("GNU.sparse.major", "1"),
    "sparse-name": ("GNU.sparse.name", "acme_widgets-1.0/evil.py"),
    "sparse-size": ("GNU.sparse.size", "5"),
    "sparse-realsize": ("GNU.sparse.realsize", "5"),
    "sparse-map": ("GNU.sparse.map", "0,5"),
    "sparse-numblocks": ("GNU.sparse.numblocks", "1"),
    "volume": ("GNU.volume.label", "x"),
    "dumpdir": ("GNU.dumpdir", "x"),
    "schily-realsize": ("SCHILY.realsize", "5"),
    "schily-xattr": ("SCHILY.xattr.user.x", "y"),
    "schily-fflags": ("SCHILY.fflags", "x"),
    "schily-dev": ("SCHILY.dev", "1"),
    "schily-acl": ("SCHILY.acl.access", "user::rw-"),
    "libarchive-xattr": ("LIBARCHIVE.xattr.user.x", "eA"),
    "libarchive-creation": ("LIBARCHIVE.creationtime", "1782820800"),
    "libarchive-creation-text": ("LIBARCHIVE.creationtime", "x"),
    "libarchive-symlinktype": ("LIBARCHIVE.symlinktype", "dir"),
    "rht-selinux": ("RHT.security.selinux", "x"),
    "mswin": ("MSWINDOWS.rawsd", "x"),
    "unknown": ("unknown", "x"),
    "key-empty": ("", "x"),
    "key-space": ("a b", "x"),
    "key-case": ("PATH", "acme_widgets-1.0/odd.py"),
    "key-padding": (" path", "acme_widgets-1.0/odd.py"),
    "value-equals": ("comment", "a=b"),
    "value-newline": ("comment", "a\nb"),
    "value-record": ("comment", "x\n30 path=acme_widgets-1.0/evil\n"),
    "devmajor": ("SCHILY.devmajor", "1"),
    "type": ("SCHILY.filetype", "x"),
    "mode": ("mode", "755"),
    "schily-offset": ("SCHILY.offset", "1"),
    "schily-ino": ("SCHILY.ino", "1"),
    "schily-nlink": ("SCHILY.nlink", "2"),
    "libarchive-odd": ("LIBARCHIVE.odd", "\0"),
    "schily-tarsize": ("SCHILY.tarsize", "1"),
    "sun-holes": ("SUN.holesdata", " 0 5"),
    "star-linkpath": ("SCHILY.linkpath", "x"),
}


def _pax_record(made: Tar, change: tuple[str, str]) -> None:
    entry, (key, value) = odd(made), change
    entry.records = [record for record in entry.records if record[0] != key.encode()]
    entry.records.append((key.encode(), value.encode()))


OPERATORS.table("pax", "pax", _pax_record, _PAX)

_GLOBAL = (
    "comment",
    "path",
    "size-zero",
    "mtime-whole",
    "uname",
    "hdrcharset-binary",
    "sparse-major",
    "schily-xattr",
    "value-newline",
    "uid",
)


def _global_record(made: Tar, change: tuple[str, str]) -> None:
    made.start += extended(b"g", record(change[0].encode(), change[1].encode()), b"pax_global_header")


OPERATORS.table("global", "ustar", _global_record, {key: _PAX[key] for key in _GLOBAL})

_PAX_RAW: dict[str, bytes] = {
    "twice": record(b"comment", b"a") + record(b"comment", b"b"),
    "path-twice": record(b"path", TOP + b"/a.py") + record(b"path", TOP + b"/b.py"),
    "length-short": b"10 comment=hello\n",
    "length-long": b"99 comment=hello\n",
    "length-zero": b"0 comment=hello\n",
    "length-leading-zero": b"018 comment=hello\n",
    "length-plus": b"+18 comment=hello\n",
    "length-space": b" 18 comment=hello\n",
    "length-tab": b"17\tcomment=hello\n",
    "length-hex": b"0x11 comment=hello\n",
    "length-text": b"x comment=hello\n",
    "length-minus": b"-1 comment=hello\n",
    "length-huge": b"9" * 30 + b" comment=hello\n",
    "no-newline": b"17 comment=hello!",
    "no-equals": b"14 comment..\n",
    "nul-end": record(b"comment", b"x") + b"\0" * 20,
    "nul-start": b"\0" * 5 + record(b"path", TOP + b"/odd.py"),
    "nul-key": record(b"pa\0th", b"x"),
    "nul-value": record(b"comment", b"a\0b"),
    "latin-value": record(b"comment", b"\xe9"),
    "latin-path": record(b"path", TOP + b"/\xe9.py"),
    "latin-key": record(b"\xe9", b"x"),
    "only-length": b"3 \n",
    "empty-value-short": b"11 comment=\n"[:11] + b"\n",
    "superscript": "\xb218 comment=hello\n".encode(),
    "garbage": b"garbage",
    "newline-first": b"\n" + record(b"comment", b"x"),
    "trailing-newline": record(b"comment", b"x") + b"\n",
    "xattr-binary": record(b"SCHILY.xattr.user.x", b"\xff\0\n"),
    "xattr-newline": record(b"SCHILY.xattr.user.x", b"a\nb"),
}


def _raw_records(made: Tar, raw: bytes) -> None:
    odd(made).raw_records += raw


OPERATORS.table("pax-raw", "ustar", _raw_records, _PAX_RAW)

_BEFORE: dict[str, bytes] = {
    "long-name": extended(b"L", TOP + b"/long-name.py\0"),
    "long-name-no-nul": extended(b"L", TOP + b"/long-name.py"),
    "long-name-two-nuls": extended(b"L", TOP + b"/long-name.py\0\0"),
    "long-name-behind": extended(b"L", TOP + b"/long-name.py\0evil"),
    "long-name-empty": extended(b"L", b""),
    "long-name-nul": extended(b"L", b"\0"),
    "long-name-twice": extended(b"L", TOP + b"/a.py\0") + extended(b"L", TOP + b"/b.py\0"),
    "long-name-slash": extended(b"L", TOP + b"/odd.py/\0"),
    "long-name-up": extended(b"L", TOP + b"/../odd.py\0"),
    "long-name-newline": extended(b"L", TOP + b"/odd.py\n\0"),
    "long-name-latin": extended(b"L", TOP + b"/\xe9.py\0"),
    "long-name-short": extended(b"L", TOP + b"/o\0"),
    "long-link-of-file": extended(b"K", b"README.md\0"),
    "long-link-then-name": extended(b"K", b"README.md\0") + extended(b"L", TOP + b"/odd.py\0"),
    "global": extended(b"g", record(b"comment", b"x"), b"g"),
    "global-empty": extended(b"g", b"", b"g"),
    "global-twice": extended(b"g", record(b"comment", b"x"), b"g") * 2,
    "pax-empty": extended(b"x", b"", b"x"),
    "pax-twice": extended(b"x", record(b"comment", b"a"), b"x")
    + extended(b"x", record(b"comment", b"b"), b"x"),
    "pax-then-gnu": extended(b"x", record(b"comment", b"a"), b"x") + extended(b"L", TOP + b"/odd.py\0"),
    "gnu-then-pax": extended(b"L", TOP + b"/odd.py\0") + extended(b"x", record(b"comment", b"a"), b"x"),
    "pax-then-global": extended(b"x", record(b"path", TOP + b"/odd.py"), b"x")
    + extended(b"g", record(b"comment", b"a"), b"g"),
    "global-then-pax": extended(b"g", record(b"comment", b"a"), b"g")
    + extended(b"x", record(b"path", TOP + b"/odd.py"), b"x"),
    "gnu-then-global": extended(b"L", TOP + b"/odd.py\0") + extended(b"g", record(b"comment", b"a"), b"g"),
    "solaris": extended(b"X", record(b"path", TOP + b"/odd.py"), b"X"),
    "zero-block": bytes(512),
    "two-zero-blocks": bytes(1024),
    "garbage-block": b"garbage".ljust(512, b"\0"),
    "pax-path-up-name": extended(b"x", record(b"comment", b"a"), b"../../x"),
    "pax-name-absolute": extended(b"x", record(b"comment", b"a"), b"/x"),
    "pax-padding": extended(b"x", record(b"comment", b"x"), b"x", padding=b"x"),
    "pax-data-magic-gnu": header(Entry(name=b"x", data=record(b"path", TOP + b"/odd.py"), kind=b"x"), GNU)
    + padded(record(b"path", TOP + b"/odd.py")),
    "volume": header(Entry(name=b"label", kind=b"V")),
    "multi-volume": header(Entry(name=TOP + b"/odd", kind=b"M")),
    "gnu-magic-long-name": header(Entry(name=b"././@LongLink", data=TOP + b"/odd.py\0", kind=b"L"), GNU)
    + padded(TOP + b"/odd.py\0"),
}


def _before(made: Tar, raw: bytes) -> None:
    odd(made).before += raw


OPERATORS.table("before", "ustar", _before, _BEFORE)
OPERATORS.table(
    "gnu-before", "gnu", _before, {key: raw for key, raw in _BEFORE.items() if "long" in key or "gnu" in key}
)


@OPERATORS.named("mixed-magic", "ustar")
def _mixed(made: Tar, rng: random.Random) -> None:
    for index, entry in enumerate(made.entries):
        entry.magic = GNU if index % 2 and not entry.name.endswith(b"name.txt") else b""


@OPERATORS.named("mixed-gnu-and-pax", "pax")
def _mixed_extensions(made: Tar, rng: random.Random) -> None:
    made.entries.insert(
        2,
        Entry(
            name=below("short"), data=b"x\n", before=extended(b"L", below("gnu-name.py") + b"\0"), magic=GNU
        ),
    )


@OPERATORS.named("mixed-pax-in-gnu", "gnu")
def _pax_in_gnu(made: Tar, rng: random.Random) -> None:
    made.entries.insert(4, Entry(name=below("short"), data=b"x\n", records=[(b"path", below("pax-name.py"))]))


@OPERATORS.named("prefix-with-pax-path", "pax")
def _prefix_pax(made: Tar, rng: random.Random) -> None:
    made.entries.insert(
        2, Entry(name=b"x", data=b"x\n", raw={"prefix": TOP}, records=[(b"path", below("pax-name.py"))])
    )


@OPERATORS.named("pax-header-data-odd", "pax")
def _padding(made: Tar, rng: random.Random) -> None:
    odd(made).padding = b"x"


_ENDS: dict[str, bytes] = {
    "none": b"",
    "one-block": bytes(512),
    "three-blocks": bytes(1536),
    "record": bytes(10240),
    "odd-length": bytes(1025),
    "cut-second": bytes(700),
    "garbage": bytes(1024) + b"garbage",
    "garbage-block": bytes(1024) + b"garbage".ljust(512, b"\0"),
    "second-archive": bytes(1024)
    + header(Entry(name=TOP + b"/second.py", data=b"x"))
    + padded(b"x")
    + bytes(1024),
    "one-block-then-member": bytes(512)
    + header(Entry(name=TOP + b"/second.py", data=b"x"))
    + padded(b"x")
    + bytes(1024),
    "garbage-instead": b"garbage".ljust(1024, b"\0"),
    "long": bytes(512 * 2000),
    "extension": extended(b"x", record(b"comment", b"x"), b"x") + bytes(1024),
    "global": extended(b"g", record(b"comment", b"x"), b"g") + bytes(1024),
    "long-name": extended(b"L", TOP + b"/x\0") + bytes(1024),
    "half-header": header(Entry(name=TOP + b"/second.py", data=b""))[:300],
    "cut-member": header(Entry(name=TOP + b"/second.py", data=b"x" * 2000)) + b"x" * 600,
}


def _end(made: Tar, end: bytes) -> None:
    made.end = end


OPERATORS.table("end", "ustar", _end, _ENDS)


@OPERATORS.named("start-zero-block", "ustar")
def _start_zero(made: Tar, rng: random.Random) -> None:
    made.start = bytes(512)


@OPERATORS.named("start-garbage", "ustar")
def _start_garbage(made: Tar, rng: random.Random) -> None:
    made.start = b"garbage".ljust(512, b"\0")


_HEAD = b"\x1f\x8b\x08\0\0\0\0\0\2\xff"


def _flagged(flags: int, rest: bytes) -> bytes:
    return _HEAD[:3] + bytes([flags]) + _HEAD[4:] + rest


_GZIP: dict[str, dict[str, object]] = {
    "named": {"head": _flagged(8, b"acme_widgets-1.0.tar\0")},
    "named-odd": {"head": _flagged(8, b"\xe9\n../evil\0")},
    "named-empty": {"head": _flagged(8, b"\0")},
    "named-long": {"head": _flagged(8, b"n" * 2000 + b"\0")},
    "text": {"head": _flagged(1, b"")},
    "comment": {"head": _flagged(16, b"hello\0")},
    "extra": {"head": _flagged(4, b"\4\0abcd")},
    "sum": {"head": _flagged(2, struct.pack("<H", zlib.crc32(_flagged(2, b"")) & 0xFFFF))},
    "sum-wrong": {"head": _flagged(2, b"\0\0")},
    "reserved": {"head": _flagged(0x20, b"")},
    "encrypted": {"head": _flagged(0x40, b"")},
    "os-odd": {"head": _HEAD[:-1] + b"\x63"},
    "xfl-odd": {"head": _HEAD[:8] + b"\x63\x03"},
    "mtime": {"head": _HEAD[:4] + b"\xff\xff\xff\xff\2\xff"},
    "method": {"head": b"\x1f\x8b\x07" + _HEAD[3:]},
    "level-0": {"level": 0},
    "level-9": {"level": 9},
    "tail-nul": {"tail": b"\0"},
    "tail-nuls": {"tail": bytes(512)},
    "tail-garbage": {"tail": b"garbage"},
    "tail-member": {"tail": compress(Tar(end=b""))},
    "tail-tar": {"tail": compress(Tar(entries=[Entry(name=below("second.py"), data=b"x\n")]))},
    "crc-wrong": {"trailer": bytes(8)},
    "cut": {"trailer": b""},
    "cut-half": {"trailer": b"\0\0\0\0"},
    "split": {"split": True},
    "tail-magic": {"tail": b"\x1f\x8b"},
}


def _gzip(made: Tar, fields: dict[str, object]) -> None:
    for key, value in fields.items():
        setattr(made, key, value)


OPERATORS.table("gzip", "ustar", _gzip, _GZIP)
