"""Oddities of a member's header: its numbers, its type, its other fields."""

from __future__ import annotations

import random

from interop.differential.mutants import Operators
from interop.differential.sdist_bases import TOP, below, odd
from interop.differential.tar_parts import (
    GNU,
    USTAR,
    Entry,
    Tar,
    checksum,
    extended,
    header,
    padded,
    record,
)

OPERATORS = Operators[Tar]()

_WIDTHS = {"mode": 8, "uid": 8, "gid": 8, "size": 12, "mtime": 12, "chksum": 8, "devmajor": 8, "devminor": 8}
_NUMBERS = {
    "leading-spaces": "{n: >{a}o}\0",
    "leading-spaces-space": "{n: >{a}o} ",
    "trailing-space": "{n:0>{a}o} ",
    "space-nul": "{n:0>{b}o} \0",
    "nul-space": "{n:0>{b}o}\0 ",
    "short": "{n:o}\0",
    "short-spaces": "{n: <{w}o}",
    "short-space-nuls": "{n:o} ",
    "no-end": "{n:0>{w}o}",
    "inner-space": "0 {n:0>{c}o}\0",
    "inner-nul": "0\0{n:0>{c}o}\0",
    "leading-nul": "\0{n:0>{a}o}",
    "leading-tab": "\t{n:0>{b}o}\0",
    "behind-nul": "{n:0>{c}o}\0" + "7\0",
    "base-256": "\x80{raw}",
    "base-256-negative": "{e:\xff>{a}}\xfe",
    "base-256-huge": "\x80{e:\xff>{a}}",
    "garbage": "zzz",
    "empty": "",
    "spaces": "{e: >{w}}",
    "eight": "0000008\0",
    "minus": "-{n:0>{b}o}\0",
    "plus": "+{n:0>{b}o}\0",
    "prefix-0o": "0o{n:0>{c}o}\0",
    "underscore": "0_{n:0>{c}o}\0",
    "high-digit": "\xd9\xa0{n:0>{c}o}\0",
    "largest": "{e:7>{a}}\0",
    "form-feed": "{n:0>{b}o}\x0c\0",
}
"""Templates of a number of so many bytes.

Their fields are the number, its big-endian bytes, nothing at all, and the width less one, two and three.
"""


def _formed(template: str, number: int, width: int) -> bytes:
    raw = number.to_bytes(width - 1, "big").decode("latin-1")
    text = template.format(n=number, raw=raw, e="", w=width, a=width - 1, b=width - 2, c=width - 3)
    return text.encode("latin-1")


def _number(made: Tar, change: tuple[str, str]) -> None:
    entry, (where, template) = odd(made), change
    value = {"mode": entry.mode, "size": len(entry.data), "mtime": 0o15217574100, "chksum": 0}.get(where, 0)
    if where == "chksum":
        value = checksum(entry, made.magic)
    entry.raw[where] = _formed(template, value, _WIDTHS[where])


for _field in _WIDTHS:
    OPERATORS.table(_field, "ustar", _number, {key: (_field, template) for key, template in _NUMBERS.items()})

_FEW = ("leading-spaces", "no-end", "inner-space", "leading-nul", "garbage", "empty", "base-256", "eight")
_ELSEWHERE = {
    f"{field}-{form}": (field, _NUMBERS[form])
    for field in ("mode", "uid", "size", "mtime", "devmajor")
    for form in _FEW
}


def _raw_number(change: tuple[str, str], size: int) -> dict[str, bytes]:
    field, template = change
    value = {"mode": 0o644, "size": size, "mtime": 0o15217574100}.get(field, 0)
    return {field: _formed(template, value, _WIDTHS[field])}


def _number_of_directory(made: Tar, change: tuple[str, str]) -> None:
    made.entry(below("src")).raw |= _raw_number(change, 0)


def _number_of_link(made: Tar, change: tuple[str, str]) -> None:
    made.entry(below("src/acme/readme")).raw |= _raw_number(change, 0)


def _number_of_hard_link(made: Tar, change: tuple[str, str]) -> None:
    made.entry(below("copy.py")).raw |= _raw_number(change, 0)


def _number_of_pax(made: Tar, change: tuple[str, str]) -> None:
    records = record(b"comment", b"x")
    odd(made).before = extended(b"x", records, b"PaxHeaders/x", _raw_number(change, len(records)))


def _number_of_global(made: Tar, change: tuple[str, str]) -> None:
    records = record(b"comment", b"x")
    odd(made).before = extended(b"g", records, b"pax_global_header", _raw_number(change, len(records)))


def _number_of_long_name(made: Tar, change: tuple[str, str]) -> None:
    name = below("src/acme/long-name.py") + b"\0"
    odd(made).before = extended(b"L", name, raw=_raw_number(change, len(name)))


OPERATORS.table("directory", "gnu", _number_of_directory, _ELSEWHERE)
OPERATORS.table("symbolic", "linked", _number_of_link, _ELSEWHERE)
OPERATORS.table("hard", "linked", _number_of_hard_link, _ELSEWHERE)
OPERATORS.table("pax-header", "ustar", _number_of_pax, _ELSEWHERE)
OPERATORS.table("global-header", "ustar", _number_of_global, _ELSEWHERE)
OPERATORS.table("long-name-header", "gnu", _number_of_long_name, _ELSEWHERE)

_MODES = (0, 0o755, 0o777, 0o4755, 0o2755, 0o1644, 0o600, 0o100644, 0o111, 0o655, 0o400, 0o222, 0o40755)


def _set_mode(made: Tar, mode: int) -> None:
    odd(made).mode = mode


OPERATORS.table("mode-is", "ustar", _set_mode, {f"{mode:o}": mode for mode in _MODES})


@OPERATORS.named("checksum-signed", "ustar")
def _signed(made: Tar, rng: random.Random) -> None:
    entry = odd(made)
    entry.raw["uname"] = "é".encode() * 3
    head = header(entry, made.magic)
    plain = head[:148] + b" " * 8 + head[156:]
    entry.raw["chksum"] = b"%06o\0 " % sum(byte - 256 if byte > 127 else byte for byte in plain)


@OPERATORS.named("checksum-wrong", "ustar")
def _wrong_sum(made: Tar, rng: random.Random) -> None:
    odd(made).raw["chksum"] = b"000001\0 "


_FLAGS = {chr(flag): bytes([flag]) for flag in b"0123456789AaBDEGIKLMNPSVXZgxz"} | {
    "nul": b"\0",
    "space": b" ",
    "ff": b"\xff",
}


def _insert_kind(made: Tar, kind: bytes) -> None:
    made.entries.insert(3, Entry(name=below("odd"), raw={"kind": kind}))


def _set_kind(made: Tar, kind: bytes) -> None:
    odd(made).raw["kind"] = kind


OPERATORS.table("kind-empty", "ustar", _insert_kind, _FLAGS)
OPERATORS.table("kind", "ustar", _set_kind, _FLAGS)
OPERATORS.table(
    "gnu-kind", "gnu", _set_kind, {key: kind for key, kind in _FLAGS.items() if kind in b"DKLMNSV"}
)


def _smuggled(name: bytes = b"pyproject.toml") -> bytes:
    """Return what a reader finds that reads content as headers: a file of its own."""
    evil = b'[build-system]\nrequires = ["evil @ file:///tmp/evil"]\n'
    return header(Entry(name=TOP + b"/smuggled-" + name, data=evil)) + padded(evil)


@OPERATORS.named("smuggle-nul-type-slash", "ustar")
def _nul_slash(made: Tar, rng: random.Random) -> None:
    made.entries.insert(
        3,
        Entry(
            name=below("data.bin/"),
            data=_smuggled(),
            raw={"kind": b"\0"},
            records=[(b"path", below("data.bin"))],
        ),
    )


@OPERATORS.named("smuggle-nul-type-slash-gnu", "gnu")
def _nul_slash_gnu(made: Tar, rng: random.Random) -> None:
    made.entries.insert(
        3,
        Entry(
            name=below("data.bin/"),
            data=_smuggled(),
            raw={"kind": b"\0"},
            before=extended(b"L", below("data.bin") + b"\0"),
        ),
    )


@OPERATORS.named("smuggle-size-nul", "ustar")
def _size_nul(made: Tar, rng: random.Random) -> None:
    data = _smuggled()
    made.entries.insert(
        3, Entry(name=below("data.bin"), data=data, raw={"size": b"\0" + b"%011o" % len(data)})
    )


@OPERATORS.named("smuggle-pax-size", "ustar")
def _pax_size(made: Tar, rng: random.Random) -> None:
    made.entries.insert(
        3,
        Entry(
            name=below("data.bin"),
            data=_smuggled(),
            raw={"size": b"00000000000\0"},
            records=[(b"size", b"%d" % len(_smuggled()))],
        ),
    )


@OPERATORS.named("smuggle-directory-size", "ustar")
def _directory_size(made: Tar, rng: random.Random) -> None:
    made.entries.insert(3, Entry(name=below("data"), kind=b"5", data=_smuggled()))


@OPERATORS.named("smuggle-link-size", "ustar")
def _link_size(made: Tar, rng: random.Random) -> None:
    made.entries.insert(3, Entry(name=below("data"), kind=b"2", link=b"README.md", data=_smuggled()))


@OPERATORS.named("smuggle-seven", "ustar")
def _seven(made: Tar, rng: random.Random) -> None:
    made.entries.insert(3, Entry(name=below("data.bin"), kind=b"7", data=_smuggled()))


@OPERATORS.named("smuggle-realsize", "ustar")
def _realsize(made: Tar, rng: random.Random) -> None:
    made.entries.insert(
        3, Entry(name=below("data.bin"), data=_smuggled(), records=[(b"SCHILY.realsize", b"0")])
    )


@OPERATORS.named("nul-type-slash-empty", "ustar")
def _nul_slash_empty(made: Tar, rng: random.Random) -> None:
    made.entries.insert(3, Entry(name=below("odd/"), raw={"kind": b"\0"}))


@OPERATORS.named("file-slash", "ustar")
def _file_slash(made: Tar, rng: random.Random) -> None:
    made.entries.insert(3, Entry(name=below("odd/")))


@OPERATORS.named("file-slash-full", "ustar")
def _file_slash_full(made: Tar, rng: random.Random) -> None:
    made.entries.insert(3, Entry(name=below("odd/"), data=b"x\n"))


@OPERATORS.named("directory-no-slash", "ustar")
def _directory_no_slash(made: Tar, rng: random.Random) -> None:
    made.entries.insert(3, Entry(name=below("odd"), raw={"kind": b"5"}, mode=0o755))


@OPERATORS.named("directory-two-slashes", "ustar")
def _directory_slashes(made: Tar, rng: random.Random) -> None:
    made.entries.insert(3, Entry(name=below("odd/"), kind=b"5", mode=0o755))


@OPERATORS.named("directory-mode-0", "ustar")
def _directory_mode(made: Tar, rng: random.Random) -> None:
    made.entries.insert(3, Entry(name=below("odd"), kind=b"5", mode=0))


@OPERATORS.named("directory-mode-read", "ustar")
def _directory_read(made: Tar, rng: random.Random) -> None:
    made.entries.insert(0, Entry(name=below("src"), kind=b"5", mode=0o555))


@OPERATORS.named("directory-last", "ustar")
def _directory_last(made: Tar, rng: random.Random) -> None:
    made.entries.append(Entry(name=below("src"), kind=b"5", mode=0o700))


@OPERATORS.named("directory-pax-path-slash", "ustar")
def _directory_pax(made: Tar, rng: random.Random) -> None:
    made.entries.insert(
        3, Entry(name=below("odd"), kind=b"5", mode=0o755, records=[(b"path", below("odd/"))])
    )


@OPERATORS.named("directory-pax-path-no-slash", "ustar")
def _directory_pax_no_slash(made: Tar, rng: random.Random) -> None:
    made.entries.insert(3, Entry(name=below("odd"), kind=b"5", mode=0o755, records=[(b"path", below("odd"))]))


_RAW: dict[str, dict[str, bytes]] = {
    "magic-old": {"magic": b""},
    "magic-posix-space": {"magic": b"ustar 00"},
    "magic-version": {"magic": b"ustar\x00  "},
    "magic-gnu": {"magic": GNU},
    "magic-odd": {"magic": b"odd"},
    "magic-nul": {"magic": b"ustar\0\0\0"},
    "uname": {"uname": b"root"},
    "uname-full": {"uname": b"u" * 32},
    "uname-latin": {"uname": b"\xe9"},
    "uname-behind": {"uname": b"root\0evil"},
    "gname-utf8": {"gname": "é".encode()},
    "uname-control": {"uname": b"a\x07\n"},
    "link-of-file": {"link": b"README.md"},
    "pad": {"pad": b"odd"},
    "pad-tar": {"pad": bytes(8) + b"tar\0"},
    "name-behind": {"name": TOP + b"/odd.py\0evil"},
    "name-full": {"name": TOP + b"/" + b"n" * 83},
    "name-latin": {"name": TOP + b"/\xe9.py"},
    "name-empty": {"name": b""},
    "prefix": {"prefix": TOP, "name": b"odd.py"},
    "prefix-slash": {"prefix": TOP + b"/", "name": b"odd.py"},
    "prefix-name-slash": {"prefix": TOP, "name": b"/odd.py"},
    "prefix-empty-name": {"prefix": TOP, "name": b""},
    "prefix-up": {"prefix": TOP + b"/..", "name": TOP + b"/odd.py"},
    "prefix-full": {"prefix": TOP + b"/" + b"p" * 138, "name": b"odd.py"},
    "prefix-behind": {"prefix": TOP + b"\0evil", "name": b"odd.py"},
    "prefix-star": {"prefix": TOP.ljust(131, b"\0") + b"15217574100\x0015217574100\0", "name": b"odd.py"},
    "device-major": {"devmajor": b"0000001\0"},
    "device-zero": {"devmajor": b"0000000\0", "devminor": b"0000000\0"},
}


def _raw(made: Tar, fields: dict[str, bytes]) -> None:
    odd(made).raw |= fields


OPERATORS.table("field", "ustar", _raw, _RAW)

_GNU_RAW: dict[str, dict[str, bytes]] = {
    "prefix": {"prefix": TOP, "name": b"odd.py"},
    "times": {"prefix": b"15217574100\x0015217574100\0"},
    "offset": {"prefix": bytes(24) + b"00000000001\0"},
    "sparse": {"prefix": bytes(41) + b"00000000000\x0000000000005\0"},
    "extended": {"prefix": bytes(137) + b"\1"},
    "realsize": {"prefix": bytes(138) + b"00000000005\0"},
    "longnames": {"prefix": bytes(36) + b"1234"},
    "magic-ustar": {"magic": USTAR},
}
OPERATORS.table("gnu-field", "gnu", _raw, _GNU_RAW)
