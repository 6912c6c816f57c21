"""Strict reader of tar archives (POSIX.1-2001 pax and ustar, GNU), so that no two readers can disagree.

Readers differ in which of two contradicting sizes they use, in how they read a sparse or unknown member, and
in where an archive ends (uv GHSA-w476-p2h3-79g9, T46). A member is accepted only where all its headers agree,
and every block must belong to one member.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO

from pip_warden.artifact.limits import LONGEST_NAME
from pip_warden.artifact.problem import problem
from pip_warden.artifact.tar_headers import (
    BLOCK,
    DIRECTORY,
    GLOBAL,
    HARD,
    LONG_LINK,
    LONG_NAME,
    PAX,
    REGULAR,
    SYMBOLIC,
    Header,
    long_text,
    malformed_sdist,
    read_header,
    read_pax,
)
from pip_warden.artifact.tree import Tree, is_plain_path, unsafe
from pip_warden.values import dataclass

_ZEROS = bytes(BLOCK)
_LARGEST_EXTENSION = 1 << 16
_CUT = "\ufffd"


@dataclass(frozen=True, kw_only=True, slots=True)
class TarMember:
    """A member whose headers agree.

    Attributes:
        name: Its path, without the slash at the end of a directory's.
        kind: ``b"0"`` file, ``b"1"`` hard link, ``b"2"`` symbolic link, ``b"5"`` directory.
        size: Bytes of content.
        begins: Where its content begins, in bytes from the archive's start.
        link: A link's target, not resolved; ``""`` for others.
    """

    name: str
    kind: bytes
    size: int
    begins: int
    link: str = ""

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file with its own content."""
        return self.kind == REGULAR

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory."""
        return self.kind == DIRECTORY


def read_tar(
    pieces: Iterable[bytes], keep: dict[str, int], skeleton: BinaryIO
) -> tuple[tuple[TarMember, ...], dict[str, bytes]]:
    """Read an archive to its end.

    Args:
        pieces: The archive, in pieces of any length.
        keep: Paths below the top directory whose content is returned, each with the most bytes it may have.
        skeleton: An empty file, which becomes the archive with holes in place of the members' contents: all
            that another reader needs to list them.

    Returns:
        Every member, and the contents that ``keep`` names, by the same paths.

    Raises:
        FaultError: ``malformed-sdist``, ``unsafe-member`` or ``archive-too-large``.
    """
    source, tree, links = _Blocks(pieces, skeleton), Tree(), _Links()
    members: list[TarMember] = []
    kept: dict[str, bytes] = {}
    for member in _members(source):
        tree.add(member.name, is_directory=member.is_directory)
        links.add(member)
        members.append(member)
        below = member.name.partition("/")[2]
        most = keep.get(below) if member.is_file else None
        if most is not None:
            if member.size > most:
                raise problem("archive-too-large", f"at most {most} bytes in {below}", str(member.size))
            kept[below] = source.content(member.size)
        else:
            source.skip(member.size)
    links.check()
    return tuple(members), kept


class _Blocks:
    """Reads blocks from a stream of pieces, and writes all but members' contents into the skeleton."""

    def __init__(self, pieces: Iterable[bytes], skeleton: BinaryIO) -> None:
        self._pieces = iter(pieces)
        self._skeleton = skeleton
        self._held = b""
        self._at = 0
        self.position = 0

    def some(self, most: int) -> bytes:
        """Return at least one and at most ``most`` bytes; none at the end."""
        if self._at == len(self._held):
            self._held, self._at = next(self._pieces, b""), 0
        taken = self._held[self._at : self._at + most]
        self._at += len(taken)
        self.position += len(taken)
        return taken

    def runs(self, count: int) -> Iterator[bytes]:
        """Yield exactly ``count`` bytes in pieces."""
        while count:
            piece = self.some(count)
            if not piece:
                raise malformed_sdist("a whole archive", "one that is cut off")
            count -= len(piece)
            yield piece

    def block(self) -> bytes:
        """Return a header block."""
        return self._bone(BLOCK)

    def extension(self, size: int) -> bytes:
        """Return the content of an extended header."""
        found = self._bone(size)
        self._pad(size)
        return found

    def content(self, size: int) -> bytes:
        """Return a member's content."""
        found = b"".join(self.runs(size))
        self._pad(size)
        return found

    def skip(self, size: int) -> None:
        """Skip a member's content."""
        for _ in self.runs(size):
            pass
        self._pad(size)

    def _bone(self, size: int) -> bytes:
        self._skeleton.seek(self.position)
        found = b"".join(self.runs(size))
        self._skeleton.write(found)
        return found

    def _pad(self, size: int) -> None:
        if any(piece.strip(b"\0") for piece in self.runs(-size % BLOCK)):
            raise malformed_sdist("zeros behind a member's content", "other bytes")

    def finish(self) -> None:
        """Check that only zero blocks follow: another reader might continue after two of them."""
        while piece := self.some(1 << 20):
            if piece.strip(b"\0"):
                raise malformed_sdist("nothing behind the end of the archive", "further bytes")
        if self.position % BLOCK:
            raise malformed_sdist("an archive of whole blocks", f"{self.position % BLOCK} bytes too many")
        self._skeleton.truncate(self.position)


class _Links:
    """Collects links, and checks that the target of each is a member of the archive."""

    def __init__(self) -> None:
        self._files: set[str] = set()
        self._paths: set[str] = set()
        self._symbolic: dict[str, str] = {}

    def add(self, member: TarMember) -> None:
        """Add a member of any kind."""
        if member.kind == HARD and member.link not in self._files:
            raise unsafe("hard links to files before them", f"{member.name!r} to {member.link!r}")
        if member.kind == SYMBOLIC:
            self._symbolic[member.name] = _target(member)
            return
        if not member.is_directory:
            self._files.add(member.name)
        end = len(member.name)
        # Every directory above, up to the first that is known: those above it are known too.
        while end > 0 and member.name[:end] not in self._paths:
            self._paths.add(member.name[:end])
            end = member.name.rfind("/", 0, end)

    def check(self) -> None:
        """Check that no symbolic link leads to or through another, or to what is not a member."""
        for name, target in self._symbolic.items():
            if target not in self._paths:
                raise unsafe(
                    "symbolic links to files and directories of the same tree", f"{name!r} to {target!r}"
                )


def _target(member: TarMember) -> str:
    """Resolve a symbolic link by its text.

    It goes up only at its beginning, and never out of the top directory: installers cut that off before they
    resolve a link.
    """
    inside = member.name.split("/")[:-1]
    rest = member.link.removeprefix("./")
    while rest.startswith("../") and len(inside) > 1:
        rest, inside = rest[3:], inside[:-1]
    if not inside or not is_plain_path(rest):
        raise unsafe(
            "symbolic links to plain relative paths of the same tree", f"{member.name!r} to {member.link!r}"
        )
    return "/".join([*inside, rest])


def _members(source: _Blocks) -> Iterator[TarMember]:
    """Yield members up to the end of the archive; the caller reads each member's content before the next."""
    extensions: dict[bytes, dict[str, str]] = {}
    dialect, is_open = b"", False
    while True:
        raw = source.block()
        if raw == _ZEROS:
            if is_open or source.block() != _ZEROS:
                raise malformed_sdist(
                    "two zero blocks at the end, and no header without its member before them", "others"
                )
            source.finish()
            return
        header = read_header(raw)
        if dialect not in {b"", header.dialect}:
            raise malformed_sdist("one dialect of tar in one archive", f"{dialect!r} and {header.dialect!r}")
        dialect, is_open = header.dialect, header.kind in {PAX, GLOBAL, LONG_NAME, LONG_LINK}
        if is_open:
            _add_extension(extensions, header, source)
        else:
            yield _merged(header, extensions, source.position)
            extensions = {}


def _add_extension(extensions: dict[bytes, dict[str, str]], header: Header, source: _Blocks) -> None:
    if header.size > _LARGEST_EXTENSION:
        raise malformed_sdist(f"extended headers of at most {_LARGEST_EXTENSION} bytes", str(header.size))
    content = source.extension(header.size)
    if header.kind == GLOBAL:
        # git archive writes its commit so; anything else would change the meaning of later headers.
        if extensions or read_pax(content).keys() - {"comment"}:
            raise malformed_sdist("global headers with a comment only", "others")
        return
    is_pax = header.kind == PAX
    if header.kind in extensions or (extensions and (is_pax or PAX in extensions)):
        raise malformed_sdist("extended headers of one kind, and each once", "several before one member")
    key = "linkpath" if header.kind == LONG_LINK else "path"
    extensions[header.kind] = read_pax(content) if is_pax else {key: long_text(content)}


def _merged(header: Header, extensions: dict[bytes, dict[str, str]], begins: int) -> TarMember:
    """Merge the names that the plain header cannot hold from extended headers, and nothing else."""
    extended = {key: value for fields in extensions.values() for key, value in fields.items()}
    if extended.get("size", str(header.size)) != str(header.size):
        raise malformed_sdist("one size of a member", f"{header.size} and {extended['size']!r}")
    name, link = extended.get("path", header.name), extended.get("linkpath", header.link)
    if _CUT in name + link:
        raise malformed_sdist("names in UTF-8", repr(name))
    if "linkpath" in extended and not link:
        raise malformed_sdist("a target for each link", repr(name))
    if header.name.startswith("/") or ".." in header.name.split("/"):
        raise unsafe("member names that are plain relative paths", repr(header.name))
    if header.kind != REGULAR and header.size:
        raise malformed_sdist("links and directories without content", f"{name!r} with {header.size} bytes")
    if (header.kind in {HARD, SYMBOLIC}) != bool(link) or len(link) > LONGEST_NAME:
        raise malformed_sdist("a target for each link and for nothing else", repr(name))
    if header.kind == DIRECTORY:
        name = name.removesuffix("/")
    return TarMember(name=name, kind=header.kind, size=header.size, begins=begins, link=link)
