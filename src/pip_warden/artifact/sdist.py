"""Source distributions, read strictly and without extracting (PEP 625, PEP 643, PEP 518).

The tar headers are read here, not by tarfile, because it takes whichever of two contradicting sizes comes last; a file passes only where all
headers of a member agree.
"""

from __future__ import annotations

import tomllib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from pip_warden.artifact import metadata
from pip_warden.artifact.model import Contents
from pip_warden.artifact.problem import MalformedError
from pip_warden.artifact.zipfile_strict import FREE_SIZE, LARGEST_RATIO, MOST_MEMBERS, safe_path
from pip_warden.names import ArtifactName

DEFAULT_BUILD_REQUIRES = ("setuptools>=40.8.0",)
"""What PEP 518 assumes without a ``pyproject.toml``."""

_BLOCK = 512
_CHUNK = 1 << 18
_KEPT = ("PKG-INFO", "pyproject.toml")
_LARGEST_HEADER = 1 << 20
_LARGEST_OCTAL = 8**11
"""The first size that the plain header cannot hold."""
_REGULAR = {b"0", b"\0"}
_LINKS = {b"1", b"2"}
_DIRECTORY = b"5"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Member:
    name: str
    kind: bytes
    size: int
    link: str


def inspect_sdist(path: Path, name: ArtifactName) -> Contents:
    """Read an sdist.

    Raises:
        MalformedError: With the fault.
        OSError: The file cannot be read.
    """
    with path.open("rb") as stream:
        kept = _read_tar(_Gunzip(stream, path.stat().st_size), name)
    if "PKG-INFO" not in kept:
        raise _bad("one PKG-INFO at its top", "none")
    return _contents(kept["PKG-INFO"], kept.get("pyproject.toml"))


class _Gunzip:
    """One gzip member and nothing behind it (RFC 1952), with a limit on what it unpacks to."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream = stream
        self._state = zlib.decompressobj(wbits=31)
        self._buffer = bytearray()
        self._left = max(FREE_SIZE, size * LARGEST_RATIO)
        if stream.read(3) != b"\x1f\x8b\x08":
            raise _bad("a gzip file", "other bytes at its beginning")
        stream.seek(0)

    def read(self, count: int) -> bytes:
        """Return exactly so many bytes, fewer only at the end."""
        while len(self._buffer) < count and not self._state.eof:
            self._fill()
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def _fill(self) -> None:
        raw = self._state.unconsumed_tail or self._stream.read(_CHUNK)
        if not raw:
            raise _bad("a whole gzip file", "one that is cut off")
        try:
            piece = self._state.decompress(raw, _CHUNK)
        except zlib.error as err:
            raise _bad("a gzip file", str(err)) from err
        self._left -= len(piece)
        if self._left < 0:
            raise _bad("a reasonable size unpacked", "a decompression bomb")
        self._buffer += piece
        if self._state.eof and (self._state.unused_data or self._stream.read(1)):
            raise _bad("one gzip member and nothing behind it", "further bytes")


def _read_tar(source: _Gunzip, name: ArtifactName) -> dict[str, bytes]:
    """Walk the archive and keep the two files that matter."""
    kept: dict[str, bytes] = {}
    seen: set[str] = set()
    top: str | None = None
    for number, member in enumerate(_members(source)):
        if number > MOST_MEMBERS:
            raise _bad(f"at most {MOST_MEMBERS} members", "more")
        path = member.name.rstrip("/")
        folder, _, inside = path.partition("/")
        top = top or _check_top(folder, name)
        _check_member(member, path, folder == top, seen)
        content_is_kept = inside in _KEPT
        if content_is_kept and (member.kind not in _REGULAR or member.size > metadata.LARGEST_METADATA):
            raise _bad(f"a plain file {inside}", "something else")
        content = _take(source, member.size, keep=content_is_kept)
        if content_is_kept:
            kept[inside] = content
    return kept


def _check_top(folder: str, name: ArtifactName) -> str:
    """The one top directory is ``{name}-{version}``, in whichever spelling normalises to it."""
    project, _, version = folder.rpartition("-")
    try:
        fits = str(canonicalize_name(project)) == str(name.project) and Version(version) == name.version
    except InvalidVersion:
        fits = False
    if not fits:
        raise _bad(f"a top directory {name.project}-{name.version}", repr(folder))
    return folder


def _check_member(member: _Member, path: str, in_top: bool, seen: set[str]) -> None:
    if not in_top or not safe_path(path):
        raise _bad("members below the one top directory", repr(member.name))
    if member.kind not in _REGULAR | _LINKS | {_DIRECTORY}:
        raise _bad("plain files, directories and links", f"{member.name!r} of type {member.kind!r}")
    if path.casefold() in seen and member.kind != _DIRECTORY:
        raise _bad("each member once", f"{member.name!r} twice")
    seen.add(path.casefold())
    if member.kind in _LINKS and not _stays_inside(member, path):
        raise _bad("links that stay inside", f"{member.name!r} -> {member.link!r}")
    if member.kind not in _REGULAR and member.size:
        raise _bad("content in plain files only", f"{member.name!r} with {member.size} bytes")


def _stays_inside(member: _Member, path: str) -> bool:
    """Resolve a link as text: a hard link from the archive's root, a symbolic one from its own directory."""
    if not member.link or member.link.startswith("/") or "\\" in member.link:
        return False
    parts = path.split("/")[:-1] if member.kind == b"2" else []
    for part in member.link.split("/"):
        if part == "..":
            if len(parts) <= 1:
                return False
            parts.pop()
        elif part not in {"", "."}:
            parts.append(part)
    return len(parts) > 1 and parts[0] == path.partition("/")[0]


def _members(source: _Gunzip) -> Iterator[_Member]:
    """Yield each member; the consumer reads its content before it asks for the next."""
    extended: dict[str, str] = {}
    while True:
        header = source.read(_BLOCK)
        if header == b"\0" * _BLOCK:
            _check_end(source)
            return
        kind, size, fields = _header(header)
        if kind in {b"x", b"g", b"L", b"K"}:
            if size > _LARGEST_HEADER:
                raise _bad("small extended headers", f"{size} bytes")
            extended |= _extended(kind, _take(source, size, keep=True))
            continue
        yield _merged(kind, size, fields, extended)
        extended = {}


def _check_end(source: _Gunzip) -> None:
    """Behind the end-of-archive block there are only zeros."""
    while piece := source.read(_CHUNK):
        if piece.strip(b"\0"):
            raise _bad("nothing behind the end of the archive", "further bytes")


def _header(raw: bytes) -> tuple[bytes, int, dict[str, str]]:
    """Read a ustar or GNU header (POSIX.1-1988 section 10.1.1)."""
    if len(raw) != _BLOCK:
        raise _bad("a whole tar archive", "one that is cut off")
    unsigned = sum(raw[:148]) + sum(raw[156:]) + 8 * 32
    if _octal(raw[148:156]) != unsigned:
        raise _bad("tar headers with their checksum", "another checksum")
    name, link = _text(raw[0:100]), _text(raw[157:257])
    magic = raw[257:263]
    prefix = _text(raw[345:500]) if magic == b"ustar\0" else ""
    return (
        raw[156:157],
        _octal(raw[124:136]),
        {"path": f"{prefix}/{name}" if prefix else name, "linkpath": link},
    )


def _octal(field: bytes) -> int:
    """Read a number: octal digits, or GNU's base 256 for large ones."""
    if field[:1] == b"\x80":
        return int.from_bytes(field[1:], "big")
    digits = field.strip(b" \0")
    if not digits:
        return 0
    if not digits.isdigit() or b"8" in digits or b"9" in digits:
        raise _bad("octal numbers in tar headers", repr(field))
    return int(digits, 8)


def _text(field: bytes) -> str:
    raw, _, rest = field.partition(b"\0")
    if rest.strip(b"\0"):
        raise _bad("names that end at their first NUL", repr(field))
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as err:
        raise _bad("names in UTF-8", repr(raw)) from err


def _extended(kind: bytes, raw: bytes) -> dict[str, str]:
    """Read a PAX header (POSIX.1-2001) or a GNU long name."""
    if kind == b"L":
        return {"path": _text(raw)}
    if kind == b"K":
        return {"linkpath": _text(raw)}
    found: dict[str, str] = {}
    while raw:
        digits, space, rest = raw.partition(b" ")
        if not space or not digits.isdigit() or not len(digits) + 1 < int(digits) <= len(raw):
            raise _bad("well-formed PAX records", "others")
        record, raw = rest[: int(digits) - len(digits) - 1], raw[int(digits) :]
        key, equals, value = record.partition(b"=")
        if not equals or not value.endswith(b"\n"):
            raise _bad("well-formed PAX records", "others")
        found[_text(key)] = value[:-1].decode("utf-8", "surrogateescape")
    if kind == b"g":
        if found.keys() - {"comment"}:
            raise _bad("global PAX headers with a comment only", ", ".join(sorted(found)))
        return {}
    if any(key.startswith("GNU.sparse") for key in found):
        raise _bad("no sparse members", "one")
    return found


def _merged(kind: bytes, size: int, fields: dict[str, str], extended: dict[str, str]) -> _Member:
    """Let a PAX header give what the plain header cannot hold; a size that both state must be the same (T46)."""
    stated = extended.get("size")
    if stated is not None:
        if not (stated.isascii() and stated.isdecimal()) or (
            size != int(stated) and int(stated) < _LARGEST_OCTAL
        ):
            raise _bad("one size of a member", f"{size} and {stated!r}")
        size = int(stated)
    return _Member(
        name=extended.get("path", fields["path"]),
        kind=kind,
        size=size,
        link=extended.get("linkpath", fields["linkpath"]),
    )


def _take(source: _Gunzip, size: int, *, keep: bool) -> bytes:
    """Read a member's content and its padding."""
    kept = bytearray()
    left = size + -size % _BLOCK
    while left:
        piece = source.read(min(left, _CHUNK))
        if not piece:
            raise _bad("a whole tar archive", "one that is cut off")
        left -= len(piece)
        if keep:
            kept += piece
    return bytes(kept[:size])


def _contents(pkg_info: bytes, pyproject: bytes | None) -> Contents:
    core = metadata.headers(pkg_info, "PKG-INFO")
    project, version = metadata.project_and_version(core, "PKG-INFO")
    build_requires, static = read_pyproject(pyproject)
    requires = metadata.every(core, "Requires-Dist")
    return Contents(
        project=project,
        version=version,
        metadata=pkg_info,
        requires_python=metadata.at_most_one(core, "Requires-Python", "PKG-INFO"),
        requires_dist=requires,
        build_requires=build_requires,
        direct_references=metadata.direct_references((*requires, *static), "PKG-INFO")
        + metadata.direct_references(build_requires, "pyproject.toml"),
    )


def read_pyproject(raw: bytes | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read build requirements and static dependencies (PEP 518, PEP 621).

    Raises:
        MalformedError: ``bad-metadata``.
    """
    if raw is None:
        return DEFAULT_BUILD_REQUIRES, ()
    try:
        document = tomllib.loads(raw.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as err:
        raise MalformedError("bad-metadata", "a well-formed pyproject.toml", str(err)) from err
    system, project = document.get("build-system", {}), document.get("project", {})
    if not isinstance(system, dict) or not isinstance(project, dict):
        raise MalformedError("bad-metadata", "tables [build-system] and [project]", "something else")
    _check_backend_path(system.get("backend-path", []))
    requires = _strings(system.get("requires", list(DEFAULT_BUILD_REQUIRES)), "build-system.requires")
    optional = project.get("optional-dependencies", {})
    if not isinstance(optional, dict):
        raise MalformedError("bad-metadata", "a table optional-dependencies", "something else")
    static = _strings(project.get("dependencies", []), "project.dependencies")
    for name, extras in optional.items():
        static += _strings(extras, f"project.optional-dependencies.{name}")
    return requires, static


def _check_backend_path(value: object) -> None:
    """An in-tree backend lies in the tree (PEP 517)."""
    for entry in _strings(value, "build-system.backend-path"):
        if entry.startswith("/") or ".." in entry.split("/") or "\\" in entry:
            raise MalformedError("bad-metadata", "a backend-path inside the tree", repr(entry))


def _strings(value: object, where: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise MalformedError("bad-metadata", f"a list of strings in {where}", repr(value)[:80])
    return tuple(value)


def _bad(expected: str, found: str) -> MalformedError:
    return MalformedError(
        "malformed-sdist",
        expected,
        found,
        hint="Readers could disagree about what is in it, so it is not used. Ask its publisher to build it again.",
    )
