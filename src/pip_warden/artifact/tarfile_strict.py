"""Tar archives (POSIX.1-2001 pax and ustar, GNU), read so that no two readers can disagree about them.

Readers differ in which of two contradicting sizes they believe, in what a sparse or unknown member is, and in where an archive ends
(uv GHSA-w476-p2h3-79g9, T46). A member passes only where everything said of it agrees, and every block belongs to one member.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pip_warden.artifact.limits import LONGEST_NAME
from pip_warden.artifact.problem import MalformedError
from pip_warden.artifact.tree import Tree, is_plain_path, unsafe

_BLOCK = 512
_ZEROS = bytes(_BLOCK)
_LARGEST_EXTENSION = 1 << 20
_REGULAR, _HARD, _SYMBOLIC, _DIRECTORY = b"0", b"1", b"2", b"5"
_PAX, _GLOBAL, _LONG_NAME, _LONG_LINK = b"x", b"g", b"L", b"K"
_PAX_KEYS = frozenset(
    {"path", "linkpath", "size", "uid", "gid", "uname", "gname", "mtime", "atime", "ctime", "comment"}
)
_PAX_VENDORS = ("SCHILY.", "LIBARCHIVE.")
"""Attributes that bsdtar and star add; SCHILY.realsize, a second size, is not among them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """One member, as all its headers agree on it.

    Attributes:
        name: Its path, without the slash at the end of a directory's.
        kind: ``b"0"`` file, ``b"1"`` hard link, ``b"2"`` symbolic link, ``b"5"`` directory.
        size: Bytes of content.
        link: A link's target as it stands, ``""`` for others.
    """

    name: str
    kind: bytes
    size: int
    link: str = ""

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file with its own content."""
        return self.kind == _REGULAR

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory."""
        return self.kind == _DIRECTORY


@dataclass(frozen=True, kw_only=True, slots=True)
class _Header:
    kind: bytes
    name: str
    link: str
    size: int


def read_tar(pieces: Iterable[bytes], keep: dict[str, int]) -> tuple[tuple[Member, ...], dict[str, bytes]]:
    """Read an archive to its end.

    Args:
        pieces: The archive, in pieces of any length.
        keep: Paths below the top directory whose content is wanted, each with the most bytes it may have.

    Returns:
        Every member, and the contents that were wanted by the same paths.

    Raises:
        MalformedError: ``malformed-sdist``, ``unsafe-member`` or ``archive-too-large``.
    """
    source, tree, links = _Blocks(pieces), Tree(), _Links()
    members: list[Member] = []
    kept: dict[str, bytes] = {}
    for member in _members(source):
        tree.add(member.name, is_directory=member.is_directory)
        links.add(member)
        members.append(member)
        below = member.name.partition("/")[2]
        if member.is_file and below in keep:
            if member.size > keep[below]:
                raise MalformedError(
                    "archive-too-large", f"at most {keep[below]} bytes in {below}", str(member.size)
                )
            kept[below] = source.content(member.size)
        else:
            source.skip(member.size)
    links.check()
    return tuple(members), kept


class _Blocks:
    """Deals out a stream of pieces."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._held = b""
        self._at = 0

    def some(self, most: int) -> bytes:
        """Return at least one byte and at most so many; nothing at the end."""
        if self._at == len(self._held):
            self._held, self._at = next(self._pieces, b""), 0
        taken = self._held[self._at : self._at + most]
        self._at += len(taken)
        return taken

    def runs(self, count: int) -> Iterator[bytes]:
        """Yield exactly so many bytes in pieces."""
        while count:
            piece = self.some(count)
            if not piece:
                raise bad("a whole archive", "one that is cut off")
            count -= len(piece)
            yield piece

    def block(self) -> bytes:
        """Return a header block."""
        return b"".join(self.runs(_BLOCK))

    def content(self, size: int) -> bytes:
        """Return a member's content."""
        found = b"".join(self.runs(size))
        self._pad(size)
        return found

    def skip(self, size: int) -> None:
        """Pass over a member's content."""
        for _ in self.runs(size):
            pass
        self._pad(size)

    def _pad(self, size: int) -> None:
        if any(piece.strip(b"\0") for piece in self.runs(-size % _BLOCK)):
            raise bad("zeros behind a member's content", "other bytes")

    def finish(self) -> None:
        """Check that only zero blocks follow, as another reader might go on after two of them."""
        length = 0
        while piece := self.some(1 << 20):
            length += len(piece)
            if piece.strip(b"\0"):
                raise bad("nothing behind the end of the archive", "further bytes")
        if length % _BLOCK:
            raise bad("an archive of whole blocks", f"{length % _BLOCK} bytes too many")


class _Links:
    """Collects links, and checks that each leads to something within its own tree."""

    def __init__(self) -> None:
        self._files: set[str] = set()
        self._paths: set[str] = set()
        self._symbolic: dict[str, str] = {}

    def add(self, member: Member) -> None:
        """Add a member of any kind."""
        if member.kind == _HARD and member.link not in self._files:
            raise unsafe("hard links to files before them", f"{member.name!r} to {member.link!r}")
        if member.kind == _SYMBOLIC:
            self._symbolic[member.name] = _target(member)
        else:
            self._files |= {member.name} if not member.is_directory else set()
            parts = member.name.split("/")
            self._paths |= {"/".join(parts[:count]) for count in range(2, len(parts) + 1)}

    def check(self) -> None:
        """Check where symbolic links lead: to a member that is no such link, by no such link, so that none can lead out."""
        for name, target in self._symbolic.items():
            if target not in self._paths:
                raise unsafe(
                    "symbolic links to files and directories of the same tree", f"{name!r} to {target!r}"
                )


def _target(member: Member) -> str:
    """Resolve a symbolic link by its text, which is allowed to go up only at its beginning."""
    rest = member.link
    while rest.startswith("../"):
        rest = rest[3:]
    if not is_plain_path(rest):
        raise unsafe("symbolic links to plain relative paths", f"{member.name!r} to {member.link!r}")
    return posixpath.normpath(posixpath.join(posixpath.dirname(member.name), member.link))


def _members(source: _Blocks) -> Iterator[Member]:
    """Read headers up to the end of the archive; the caller takes each member's content before it goes on."""
    extensions: dict[bytes, dict[str, str]] = {}
    while True:
        raw = source.block()
        if raw == _ZEROS:
            if extensions or source.block() != _ZEROS:
                raise bad(
                    "two zero blocks at the end, and no header without its member before them", "others"
                )
            source.finish()
            return
        header = _read_header(raw)
        if header.kind in {_PAX, _GLOBAL, _LONG_NAME, _LONG_LINK}:
            _add_extension(extensions, header, source)
        else:
            yield _merged(header, extensions)
            extensions = {}


def _add_extension(extensions: dict[bytes, dict[str, str]], header: _Header, source: _Blocks) -> None:
    if header.size > _LARGEST_EXTENSION:
        raise bad(f"extended headers of at most {_LARGEST_EXTENSION} bytes", str(header.size))
    content = source.content(header.size)
    if header.kind == _GLOBAL:
        # git archive names its commit so; anything else would change what later headers mean.
        if extensions or _read_pax(content).keys() - {"comment"}:
            raise bad("global headers with a comment only", "others")
        return
    is_pax = header.kind == _PAX
    if header.kind in extensions or (extensions and (is_pax or _PAX in extensions)):
        raise bad("extended headers of one kind, and each once", "several before one member")
    key = "linkpath" if header.kind == _LONG_LINK else "path"
    extensions[header.kind] = _read_pax(content) if is_pax else {key: _text(content)}


def _read_header(raw: bytes) -> _Header:
    """Read a ustar or GNU header block."""
    if _octal(raw[148:156]) != sum(raw) - sum(raw[148:156]) + 8 * 0x20:
        raise bad("headers with their checksum", "another checksum")
    magic = raw[257:265]
    if magic not in {b"ustar\x0000", b"ustar  \0"}:
        raise bad("ustar, pax or GNU headers", repr(magic)[1:])
    name, prefix = _text(raw[0:100]), _text(raw[345:500])
    if prefix and magic == b"ustar  \0":
        raise bad("GNU headers without a prefix", repr(prefix))
    return _Header(
        kind=_REGULAR if raw[156:157] == b"\0" else raw[156:157],
        name=f"{prefix}/{name}" if prefix else name,
        link=_text(raw[157:257]),
        size=_octal(raw[124:136]),
    )


def _octal(field: bytes) -> int:
    """Read octal digits. GNU's base 256 is for members of 8 GiB and more, which no sdist has."""
    digits = field.strip(b" \0")
    if not digits or digits.translate(None, b"01234567"):
        raise bad("octal numbers in headers", repr(field)[1:])
    return int(digits, 8)


def _text(field: bytes) -> str:
    raw, _, rest = field.partition(b"\0")
    if rest.strip(b"\0"):
        raise bad("names that end at their first NUL", repr(field[:200])[1:])
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as err:
        raise bad("names in UTF-8", repr(raw[:200])[1:]) from err


def _read_pax(raw: bytes) -> dict[str, str]:
    """Read pax records: the length of the whole, a key, a value and a line feed; each key once."""
    found: dict[str, str] = {}
    while raw:
        digits, space, _ = raw[:20].partition(b" ")
        length = int(digits) if digits.isdigit() and not digits.startswith(b"0") else 0
        record = raw[len(digits) + 1 : length]
        key, equals, value = record[:-1].partition(b"=")
        if not (space and equals and record.endswith(b"\n")) or length > len(raw):
            raise bad("well-formed pax records", repr(raw[:80])[1:])
        name = _text(key)
        if name in found or not (name in _PAX_KEYS or _is_attribute(name)):
            raise bad("known pax records, each once", repr(name[:80]))
        # The value of an attribute may be any bytes; of those that we read, only text will do.
        found[name] = value.decode("utf-8", "replace") if _is_attribute(name) else _pax_text(value)
        raw = raw[length:]
    return found


def _is_attribute(name: str) -> bool:
    return name.startswith(_PAX_VENDORS) and "size" not in name.casefold()


def _pax_text(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as err:
        raise bad("pax records in UTF-8", repr(value[:80])[1:]) from err


def _merged(header: _Header, extensions: dict[bytes, dict[str, str]]) -> Member:
    """Let extended headers give the names that the plain header cannot hold, and nothing else."""
    extended = {key: value for fields in extensions.values() for key, value in fields.items()}
    if extended.get("size", str(header.size)) != str(header.size):
        raise bad("one size of a member", f"{header.size} and {extended['size']!r}")
    name, link = extended.get("path", header.name), extended.get("linkpath", header.link)
    if header.name.startswith("/") or ".." in header.name.split("/"):
        raise unsafe("member names that are plain relative paths", repr(header.name))
    if header.kind not in {_REGULAR, _HARD, _SYMBOLIC, _DIRECTORY}:
        raise unsafe("plain files, directories and links", f"a member of type {header.kind!r}, {name!r}")
    if header.kind != _REGULAR and header.size:
        raise bad("links and directories without content", f"{name!r} with {header.size} bytes")
    if (header.kind in {_HARD, _SYMBOLIC}) != bool(link) or len(link) > LONGEST_NAME:
        raise bad("a target for each link and for nothing else", repr(name))
    if header.kind == _DIRECTORY:
        name = name.removesuffix("/")
    return Member(name=name, kind=header.kind, size=header.size, link=link)


def bad(expected: str, found: str) -> MalformedError:
    """Make the fault of an sdist that is not well-formed."""
    return MalformedError(
        "malformed-sdist",
        expected,
        found,
        hint="Readers could disagree about what is in it, so it is not used. Ask its publisher to build it again.",
    )
