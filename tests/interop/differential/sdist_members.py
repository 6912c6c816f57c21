"""Oddities of the names of members, and of link targets."""

from __future__ import annotations

import random

from interop.differential.mutants import Operators
from interop.differential.sdist_bases import TOP, below, odd
from interop.differential.tar_parts import (
    Entry,
    Tar,
    extended,
)

OPERATORS = Operators[Tar]()

_NAMES: dict[str, str | bytes] = {
    "dot": "./odd.py",
    "double-slash": "/odd.py",
    "up": "src/../odd.py",
    "up-out": "../odd.py",
    "up-deep": "../../odd.py",
    "backslash": "src\\odd.py",
    "colon": "C:odd.py",
    "control": "o\x01dd.py",
    "newline": "o\ndd.py",
    "tab": "o\tdd",
    "delete": "o\x7fdd",
    "trailing-dot": "odd.",
    "trailing-space": "odd ",
    "leading-space": " odd",
    "space-segment": " /odd",
    "dots": ".../odd",
    "device": "con.py",
    "nul-device": "NUL",
    "nfd": "e\u0301.py",
    "nfc": "\xe9.py",
    "bidi": "o\u202edd",
    "zero-width": "o\u200bdd",
    "emoji": "\U0001f600",
    "latin": b"\xe9.py",
    "surrogate": b"\xed\xa0\x80.py",
    "overlong": b"\xc0\xaf.py",
    "star": "*.py",
    "quote": '"odd"',
    "dash": "-odd",
    "at": "@odd",
    "tilde": "~",
    "dollar": "$HOME",
    "percent": "%2e",
    "private": "\ue000",
    "unassigned": "\u0378",
    "kelvin": "\u212a",
    "long-segment": "n" * 255,
    "too-long-segment": "n" * 256,
    "setup.py": "setup.py",
    "setup.cfg": "setup.cfg",
    "git": ".git/config",
    "gitattributes": ".gitattributes",
    "pyc": "src/__pycache__/x.cpython-311.pyc",
    "hidden": ".hidden",
    "egg-info": "acme_widgets.egg-info/PKG-INFO",
    "pkg-info-case": "pkg-info",
    "pyproject-case": "Pyproject.toml",
    "pkg-info-deep": "src/PKG-INFO",
    "pyproject-deep": "src/pyproject.toml",
    "case": "SRC/acme/main.py",
    "case-file": "readme.MD",
    "ds-store": ".DS_Store",
    "apple-double": "._README.md",
    "pax-header-name": "PaxHeaders/x",
    "long-link-name": "@LongLink",
    "non-breaking": "\xa0",
    "ideographic": "\u3000x",
    "soft-hyphen": "a\xadb",
    "bom": "\ufeffx",
    "fullwidth": "\uff21",
    "combining": "\u0301",
}


def _put(made: Tar, name: str | bytes) -> None:
    full = below(name)
    entry = Entry(name=full, data=b"odd\n")
    if len(full) > 100:
        entry.records, entry.raw = [(b"path", full)], {"name": full[:100], "prefix": b""}
    made.entries.insert(3, entry)


def _put_pax(made: Tar, name: str | bytes) -> None:
    made.entries.insert(3, Entry(name=below("plain"), data=b"odd\n", records=[(b"path", below(name))]))


OPERATORS.table("name", "ustar", _put, _NAMES)
OPERATORS.table("pax-name", "pax", _put_pax, _NAMES)

_WHOLE = {
    "dot-slash": b"./" + TOP + b"/odd.py",
    "absolute": b"/odd.py",
    "other-top": b"other-1.0/odd.py",
    "no-top": b"odd.py",
    "dot": b".",
    "dot-slash-only": b"./",
    "slash": b"/",
    "top-case": b"ACME_WIDGETS-1.0/odd.py",
    "top-slashes": TOP + b"//odd.py",
    "pax-global": b"pax_global_header",
    "top-file": TOP,
    "dot-git-top": b".git/odd",
    "top-space": TOP + b" /odd.py",
    "empty-pax": b"",
}


def _put_whole(made: Tar, name: bytes) -> None:
    made.entries.insert(3, Entry(name=name, data=b"odd\n"))


OPERATORS.table("whole-name", "ustar", _put_whole, _WHOLE)


@OPERATORS.named("every-name-dot-slash", "gnu")
def _every_dot(made: Tar, rng: random.Random) -> None:
    for entry in made.entries:
        entry.name = b"./" + entry.name
        entry.before = b""


def _top(made: Tar, top: str) -> None:
    for entry in made.entries:
        entry.name = entry.name.replace(TOP, top.encode(), 1)
        entry.link = entry.link.replace(TOP, top.encode(), 1)
        entry.before = b""
        entry.records = [record for record in entry.records if record[0] != b"path"]


_TOPS = (
    "acme-widgets-1.0",
    "acme.widgets-1.0",
    "ACME_WIDGETS-1.0",
    "acme_widgets-1.0.0",
    "acme_widgets-v1.0",
    "acme_widgets",
    "acme_widgets-1.0-1",
    "acme_widgets-2.0",
    "acme widgets-1.0",
)
OPERATORS.table("top", "ustar", _top, {top: top for top in _TOPS})


@OPERATORS.named("name-twice", "ustar")
def _twice(made: Tar, rng: random.Random) -> None:
    made.entries.append(Entry(name=odd(made).name, data=b"OTHER = 1\n"))


@OPERATORS.named("name-twice-same", "ustar")
def _twice_same(made: Tar, rng: random.Random) -> None:
    made.entries.append(Entry(name=odd(made).name, data=odd(made).data))


@OPERATORS.named("directory-twice", "gnu")
def _directory_twice(made: Tar, rng: random.Random) -> None:
    made.entries.append(Entry(name=below("src"), kind=b"5", mode=0o755))


@OPERATORS.named("file-then-directory", "ustar")
def _file_directory(made: Tar, rng: random.Random) -> None:
    made.entries.append(Entry(name=below("src/acme/main.py/odd"), data=b"x"))


@OPERATORS.named("order", "ustar")
def _order(made: Tar, rng: random.Random) -> None:
    rng.shuffle(made.entries)


@OPERATORS.named("order-links", "linked")
def _order_links(made: Tar, rng: random.Random) -> None:
    made.entries.sort(key=lambda entry: entry.kind != b"2")


_LINKS: dict[str, tuple[str, bytes, str, str]] = {
    "plain": ("odd", b"2", "README.md", ""),
    "up-out": ("odd", b"2", "../outside", ""),
    "up-in": ("src/odd", b"2", "../README.md", ""),
    "up-back-in": ("odd", b"2", "../acme_widgets-1.0/README.md", ""),
    "up-two-back": ("src/odd", b"2", "../../acme_widgets-1.0/README.md", ""),
    "inner-up": ("odd", b"2", "src/../README.md", ""),
    "absolute": ("odd", b"2", "/etc/passwd", ""),
    "dangling": ("odd", b"2", "nobody", ""),
    "dot": ("odd", b"2", ".", ""),
    "dot-slash": ("odd", b"2", "./README.md", ""),
    "slash": ("odd", b"2", "src/", ""),
    "double": ("odd", b"2", "src//acme", ""),
    "directory": ("odd", b"2", "src", ""),
    "directory-deep": ("odd", b"2", "src/acme", ""),
    "self": ("odd", b"2", "odd", ""),
    "top": ("odd", b"2", "../acme_widgets-1.0", ""),
    "parent": ("src/odd", b"2", "..", ""),
    "to-itself-up": ("src/odd", b"2", "../src", ""),
    "empty": ("odd", b"2", "", ""),
    "newline": ("odd", b"2", "READ\nME", ""),
    "backslash": ("odd", b"2", "src\\acme", ""),
    "colon": ("odd", b"2", "C:x", ""),
    "later": ("aaa", b"2", "PKG-INFO", ""),
    "to-link": ("odd2", b"2", "odd", "link"),
    "through-link": ("odd2", b"2", "odd/main.py", "directory-link"),
    "file-through-link": ("odd/new.py", b"0", "", "directory-link"),
    "case": ("odd", b"2", "readme.md", ""),
    "hard": ("odd", b"1", "acme_widgets-1.0/src/acme/__init__.py", ""),
    "hard-relative": ("odd", b"1", "README.md", ""),
    "hard-later": ("odd", b"1", "acme_widgets-1.0/PKG-INFO", ""),
    "hard-dangling": ("odd", b"1", "acme_widgets-1.0/nobody", ""),
    "hard-absolute": ("odd", b"1", "/etc/passwd", ""),
    "hard-up": ("odd", b"1", "acme_widgets-1.0/../x", ""),
    "hard-dot": ("odd", b"1", "./acme_widgets-1.0/src/acme/__init__.py", ""),
    "hard-directory": ("odd", b"1", "acme_widgets-1.0/src", ""),
    "hard-self": ("odd", b"1", "acme_widgets-1.0/odd", ""),
    "hard-to-link": ("odd2", b"1", "acme_widgets-1.0/odd", "link"),
    "hard-to-hard": ("odd2", b"1", "acme_widgets-1.0/odd", "hard"),
    "hard-double-slash": ("odd", b"1", "acme_widgets-1.0//src/acme/__init__.py", ""),
    "pkg-info-link": ("pkg", b"2", "PKG-INFO", ""),
    "trailing-slash-file": ("odd", b"2", "README.md/", ""),
    "space": ("odd", b"2", " README.md", ""),
    "hard-mode": ("odd", b"1", "acme_widgets-1.0/src/acme/__init__.py", "mode"),
    "name-slash": ("odd/", b"2", "README.md", ""),
    "hard-name-slash": ("odd/", b"1", "acme_widgets-1.0/src/acme/__init__.py", ""),
}


def _link(made: Tar, change: tuple[str, bytes, str, str]) -> None:
    name, kind, target, more = change
    first = {
        "link": Entry(name=below("odd"), kind=b"2", link=b"README.md"),
        "directory-link": Entry(name=below("odd"), kind=b"2", link=b"src/acme"),
        "hard": Entry(name=below("odd"), kind=b"1", link=below("src/acme/__init__.py")),
    }
    at = 0 if name == "aaa" else -2
    if more in first:
        made.entries.insert(at, first[more])
    made.entries.insert(
        at, Entry(name=below(name), kind=kind, link=target.encode(), mode=0o755 if more == "mode" else 0o644)
    )


OPERATORS.table("link", "ustar", _link, _LINKS)


@OPERATORS.named("link-pax", "pax")
def _link_pax(made: Tar, rng: random.Random) -> None:
    made.entries.append(
        Entry(name=below("odd"), kind=b"2", link=b"elsewhere", records=[(b"linkpath", b"README.md")])
    )


@OPERATORS.named("link-pax-empty", "pax")
def _link_pax_empty(made: Tar, rng: random.Random) -> None:
    made.entries.append(Entry(name=below("odd"), kind=b"2", link=b"README.md", records=[(b"linkpath", b"")]))


@OPERATORS.named("link-long", "gnu")
def _link_long(made: Tar, rng: random.Random) -> None:
    made.entries.append(
        Entry(name=below("odd"), kind=b"2", link=b"elsewhere", before=extended(b"K", b"README.md\0"))
    )


@OPERATORS.named("link-long-both", "gnu")
def _link_long_both(made: Tar, rng: random.Random) -> None:
    made.entries.append(
        Entry(
            name=below("o"),
            kind=b"2",
            link=b"elsewhere",
            before=extended(b"K", b"README.md\0") + extended(b"L", below("odd") + b"\0"),
        )
    )


@OPERATORS.named("link-full", "ustar")
def _link_full(made: Tar, rng: random.Random) -> None:
    name = below("t" * 60)
    made.entries.insert(1, Entry(name=name, data=b"x\n"))
    made.entries.append(Entry(name=below("odd"), kind=b"2", link=b"../" + TOP + b"/" + b"t" * 60))


@OPERATORS.named("link-hard-size", "ustar")
def _hard_size(made: Tar, rng: random.Random) -> None:
    made.entries.append(
        Entry(
            name=below("odd"),
            kind=b"1",
            link=below("src/acme/main.py"),
            raw={"size": b"%011o\0" % len(odd(made).data)},
        )
    )


@OPERATORS.named("link-hard-content", "ustar")
def _hard_content(made: Tar, rng: random.Random) -> None:
    made.entries.append(
        Entry(name=below("odd"), kind=b"1", link=below("src/acme/main.py"), data=odd(made).data)
    )


@OPERATORS.named("link-size", "linked")
def _link_with_size(made: Tar, rng: random.Random) -> None:
    made.entries[-3].raw["size"] = b"00000000017\0"
