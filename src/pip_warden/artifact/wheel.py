"""Wheels, read strictly and without extracting (PEP 427, and the binary distribution format specification)."""

from __future__ import annotations

from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import BinaryIO

from packaging.tags import parse_tag
from packaging.utils import canonicalize_name
from packaging.version import Version

from pip_warden.artifact import metadata
from pip_warden.artifact.entry_points import check_entry_points
from pip_warden.artifact.model import Contents
from pip_warden.artifact.problem import MalformedError
from pip_warden.artifact.record import LARGEST_RECORD, check_listing, read_record
from pip_warden.artifact.zipfile_strict import LOCAL_SIGNATURE, Member, read_members, unpack
from pip_warden.names import ProjectName

_DIST_INFO = ".dist-info"
_LARGEST_WHEEL_FILE = 1 << 16
_MOST_TAGS = 4096
_TAR_MAGIC_AT = 257


@dataclass(frozen=True, slots=True)
class _Wheel:
    """An open wheel."""

    stream: BinaryIO
    members: dict[str, Member]
    info: str

    def read(self, name: str, largest: int = metadata.LARGEST_METADATA) -> bytes:
        """Return the content of a file in the ``.dist-info`` directory."""
        member = self.members.get(f"{self.info}/{name}")
        if member is None:
            raise _bad(f"a file {self.info}/{name}", "none")
        if member.size > largest:
            raise MalformedError("archive-too-large", f"at most {largest} bytes in {name}", str(member.size))
        return b"".join(unpack(self.stream, member))

    def has(self, name: str) -> bool:
        """Tell whether there is such a file in the ``.dist-info`` directory."""
        return f"{self.info}/{name}" in self.members


def inspect_wheel(path: Path) -> Contents:
    """Read a wheel.

    Raises:
        MalformedError: With the fault.
        OSError: The file cannot be read.
    """
    with path.open("rb") as stream:
        _check_magic(stream)
        members = {member.name: member for member in read_members(stream, path.stat().st_size)}
        wheel = _Wheel(stream, members, _find_dist_info(members))
        contents = _read_contents(wheel)
        _check_directories(wheel, contents.project, contents.version)
        if wheel.has("entry_points.txt"):
            check_entry_points(wheel.read("entry_points.txt"))
        _check_record(wheel)
        return contents


def _check_magic(stream: BinaryIO) -> None:
    """A wheel begins as a ZIP file and is no tar archive besides (T41)."""
    start = stream.read(_TAR_MAGIC_AT + 5)
    if not start.startswith(LOCAL_SIGNATURE) or start[_TAR_MAGIC_AT:] == b"ustar":
        raise MalformedError(
            "wrong-file-type",
            "a ZIP file and nothing else, as the suffix .whl says",
            f"a file that begins with {start[:4].hex(' ')}, or is a tar archive too",
            hint="Readers could disagree about what is in it, so it is not used.",
        )


def _find_dist_info(members: dict[str, Member]) -> str:
    """Find the one ``.dist-info`` directory, however it is spelled, and none where an installer would put a second (T47)."""
    found = set()
    for name in members:
        top, _, rest = name.partition("/")
        # What lies in NAME-VERSION.data/purelib ends up beside .dist-info.
        segment = rest.split("/")[1] if top.casefold().endswith(".data") and rest.count("/") else top
        if segment.casefold().endswith((_DIST_INFO, ".egg-info")):
            found.add(segment if segment is top else name)
    if len(found) != 1 or not (info := found.pop()).endswith(_DIST_INFO) or "/" in info:
        raise _bad("exactly one .dist-info directory", ", ".join(sorted(found)) or "none, or one elsewhere")
    return info


def _read_contents(wheel: _Wheel) -> Contents:
    raw = wheel.read("METADATA")
    core = metadata.core(raw, "METADATA")
    project, version = metadata.project_and_version(core, "METADATA")
    about = metadata.headers(wheel.read("WHEEL", _LARGEST_WHEEL_FILE), "WHEEL")
    _check_about(about)
    requires = metadata.every(core, "Requires-Dist")
    return Contents(
        project=project,
        version=version,
        metadata=raw,
        requires_python=metadata.requires_python(core, "METADATA"),
        requires_dist=requires,
        tags=_read_tags(about),
        build=metadata.at_most_one(about, "Build", "WHEEL") or "",
        direct_references=metadata.direct_references(requires, "METADATA"),
    )


def _check_about(about: Message) -> None:
    """Allow the one major version of the format that there is; installers refuse another (PEP 427)."""
    stated = metadata.one(about, "Wheel-Version", "WHEEL")
    major, _, minor = stated.partition(".")
    if major != "1" or not (minor.isascii() and minor.isdecimal()):
        raise metadata.bad("WHEEL", f"Wheel-Version {stated}")
    if metadata.one(about, "Root-Is-Purelib", "WHEEL").lower() not in {"true", "false"}:
        raise metadata.bad("WHEEL", "Root-Is-Purelib that is neither true nor false")


def _read_tags(about: Message) -> frozenset[str]:
    """Expand the ``Tag`` lines (PEP 425)."""
    found: set[str] = set()
    for line in metadata.every(about, "Tag"):
        parts = [part.split(".") for part in line.split("-")]
        if len(parts) != 3 or len(parts[0]) * len(parts[1]) * len(parts[2]) > _MOST_TAGS:
            raise metadata.bad("WHEEL", f"the tag {line[:200]!r}")
        found |= {str(tag) for tag in parse_tag(line)}
    if not found:
        raise metadata.bad("WHEEL", "no Tag line")
    return frozenset(found)


def _check_directories(wheel: _Wheel, project: ProjectName, version: Version) -> None:
    """The ``.dist-info`` and ``.data`` directories carry the name and version that METADATA states."""
    tops = {name.partition("/")[0] for name in wheel.members}
    for top in sorted(tops):
        stem, dot, kind = top.rpartition(".")
        if not dot or kind.casefold() not in {"dist-info", "data"}:
            continue
        name, _, stated = stem.partition("-")
        try:
            fits = str(canonicalize_name(name)) == project and Version(stated) == version
        except ValueError:
            fits = False
        if not fits:
            raise _bad(f"directories of {project} {version}, as METADATA says", top)


def _check_record(wheel: _Wheel) -> None:
    """RECORD lists exactly the files; every byte of every member is unpacked once, in pieces."""
    unhashed = frozenset(f"{wheel.info}/{name}" for name in ("RECORD", "RECORD.jws", "RECORD.p7s"))
    recorded = read_record(wheel.read("RECORD", LARGEST_RECORD), unhashed)
    files = [member for member in wheel.members.values() if not member.is_directory]
    check_listing(recorded, (member.name for member in files), unhashed)
    for member in wheel.members.values():
        row = recorded.get(member.name)
        pieces = unpack(wheel.stream, member)
        if row is not None:
            row.check(member.name, pieces)
        else:
            for _ in pieces:
                pass


def _bad(expected: str, found: str) -> MalformedError:
    return MalformedError(
        "malformed-wheel",
        expected,
        found,
        hint="Installers could disagree about what it is, so it is not used. Ask its publisher to build it again.",
    )
