"""Wheels, read strictly and without extracting (PEP 427, and the binary distribution format)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from email.message import Message
from itertools import chain, islice
from math import prod
from pathlib import Path
from typing import BinaryIO

from packaging.tags import parse_tag
from packaging.utils import canonicalize_name
from packaging.version import Version

from pip_warden.artifact import metadata
from pip_warden.artifact.entry_points import SCRIPTS, EntryPoint, read_entry_points
from pip_warden.artifact.layout import DIST_INFO, check_layout, data_of, has_data, malformed_wheel
from pip_warden.artifact.model import Contents
from pip_warden.artifact.problem import bad_metadata, problem
from pip_warden.artifact.readers import check_metadata, check_zip
from pip_warden.artifact.record import LARGEST_RECORD, check_listing, read_record
from pip_warden.artifact.zip_headers import LOCAL_SIGNATURE
from pip_warden.artifact.zipfile_strict import ZipMember, read_members, unpack
from pip_warden.names import ArtifactName, ProjectName
from pip_warden.values import dataclass

_LARGEST_WHEEL_FILE = 1 << 16
_MOST_TAGS = 4096
_TAR_MAGIC_AT = 257
_WHEEL_KEYS = frozenset({"Wheel-Version", "Generator", "Root-Is-Purelib", "Tag", "Build"})
_TAG = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*(-\w+(\.\w+)*){2}", re.ASCII)
"""The interpreters are identifiers, as packaging requires; no part is empty."""
_FORMAT = re.compile(r"1\.[0-9]{1,4}", re.ASCII)
_STATED = ("Name", "Version", "Requires-Python", "Requires-Dist", "Provides-Extra")
"""What installers act on."""


@dataclass(frozen=True, slots=True)
class _Wheel:
    """An open wheel."""

    stream: BinaryIO
    members: dict[str, ZipMember]
    info: str

    def read(self, name: str, largest: int = metadata.LARGEST_METADATA) -> bytes:
        """Return the content of a file in the ``.dist-info`` directory."""
        found = self.find(name, largest)
        if found is None:
            raise malformed_wheel(f"a file {self.info}/{name}", "none")
        return found

    def find(self, name: str, largest: int = metadata.LARGEST_METADATA) -> bytes | None:
        """Return the content of a file in the ``.dist-info`` directory, None where there is none."""
        member = self.members.get(f"{self.info}/{name}")
        if member is None:
            return None
        if member.size > largest:
            raise problem("archive-too-large", f"at most {largest} bytes in {name}", str(member.size))
        return b"".join(unpack(self.stream, member))


def inspect_wheel(path: Path, name: ArtifactName) -> Contents:
    """Read a wheel.

    Args:
        path: Where the bytes are.
        name: The parsed file name; installers look for ``.data`` under it or ``.dist-info``'s name.

    Raises:
        FaultError: With the fault.
        OSError: The file cannot be read.
    """
    with path.open("rb") as stream:
        _check_magic(stream)
        listed = read_members(stream, path.stat().st_size)
        check_zip(stream, listed)
        members = {member.name: member for member in listed}
        wheel = _Wheel(stream, members, _find_dist_info(members))
        raw = wheel.read("METADATA")
        core = metadata.core(raw, "METADATA")
        contents = _read_contents(wheel, raw, core)
        _check_stem(wheel.info, contents.project, contents.version)
        if has_data(members, wheel.info):
            _check_spelling(wheel.info, contents, name)
            _check_first_lines(wheel)
        points = read_entry_points(wheel.find("entry_points.txt") or b"", contents.project)
        check_layout(
            members,
            wheel.info,
            project=contents.project,
            scripts=[point.name for point in points if point.group in SCRIPTS],
            licenses=metadata.all_headers(core, "License-File"),
        )
        _check_as_described(wheel, core, points)
        _check_compiled(wheel)
        _check_record(wheel)
        return contents


def _check_magic(stream: BinaryIO) -> None:
    """Check that a wheel begins as a ZIP file and is not a tar archive as well (T41)."""
    start = stream.read(_TAR_MAGIC_AT + 5)
    if not start.startswith(LOCAL_SIGNATURE) or start[_TAR_MAGIC_AT:] == b"ustar":
        raise problem(
            "wrong-file-type",
            "a ZIP file and nothing else, as the suffix .whl says",
            f"a file that begins with {start[:4].hex(' ') or 'nothing'}, or is a tar archive too",
            hint="Readers could disagree about what is in it, so it is not used.",
        )


def _find_dist_info(members: Iterable[str]) -> str:
    """Find the one ``.dist-info`` directory at the root; the layout check refuses look-alikes (T47)."""
    tops = {name.partition("/")[0] for name in members if "/" in name}
    found = [top for top in tops if top.casefold().endswith(DIST_INFO)]
    if len(found) != 1 or not found[0].endswith(DIST_INFO):
        raise malformed_wheel("exactly one .dist-info directory", ", ".join(sorted(found)) or "none")
    return found[0]


def _read_contents(wheel: _Wheel, raw: bytes, core: Message) -> Contents:
    project, version = metadata.project_and_version(core, "METADATA")
    about = metadata.headers(wheel.read("WHEEL", _LARGEST_WHEEL_FILE), "WHEEL")
    _check_about(about)
    requires = metadata.dependencies(core, "METADATA")
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
    """Check the format's version: major version 1, in the spelling that every installer knows (PEP 427)."""
    for key in about.keys():  # noqa: SIM118 -- a message is not iterable
        if key not in _WHEEL_KEYS and key.casefold() in {known.casefold() for known in _WHEEL_KEYS}:
            raise bad_metadata("WHEEL", f"the key {key} in another spelling")
    stated = metadata.required_header(about, "Wheel-Version", "WHEEL")
    if not _FORMAT.fullmatch(stated):
        raise bad_metadata("WHEEL", f"Wheel-Version {stated}")
    pure = metadata.required_header(about, "Root-Is-Purelib", "WHEEL")
    if pure not in {"true", "false"}:
        raise bad_metadata("WHEEL", f"Root-Is-Purelib {pure}, which is neither true nor false")


def _read_tags(about: Message) -> frozenset[str]:
    """Expand the ``Tag`` lines (PEP 425)."""
    found: set[str] = set()
    for line in metadata.all_headers(about, "Tag"):
        count = prod(part.count(".") + 1 for part in line.split("-"))
        if not _TAG.fullmatch(line) or count + len(found) > _MOST_TAGS:
            raise bad_metadata("WHEEL", f"the tag {line[:200]!r}")
        found |= {str(tag) for tag in parse_tag(line)}
    if not found:
        raise bad_metadata("WHEEL", "no Tag line")
    return frozenset(found)


def _check_stem(info: str, project: ProjectName, version: Version) -> None:
    """Check that the ``.dist-info`` directory's name and version are METADATA's."""
    name, _, stated = info.removesuffix(DIST_INFO).partition("-")
    try:
        fits = str(canonicalize_name(name)) == project and Version(stated) == version
    except ValueError:
        fits = False
    if not fits:
        raise malformed_wheel(f"a directory of {project} {version}, as METADATA says", info)


def _check_spelling(info: str, contents: Contents, name: ArtifactName) -> None:
    """Check that ``.dist-info``, next to ``.data``, is spelled as the file; other names are for step 4."""
    stem = "-".join(name.filename.split("-")[:2])
    is_other = (contents.project, contents.version) != (name.project, name.version)
    if info != f"{stem}{DIST_INFO}" and not is_other:
        raise malformed_wheel(f"a directory {stem}{DIST_INFO}, as the file is called, next to .data", info)


def _check_as_described(wheel: _Wheel, core: Message, points: Iterable[EntryPoint]) -> None:
    check_metadata(
        wheel.find,
        stated={header: metadata.all_headers(core, header) for header in _STATED},
        entry_points=[(point.group, point.name, point.value) for point in points],
    )


def _check_first_lines(wheel: _Wheel) -> None:
    """Check scripts' first lines for a lone carriage return.

    Installers replace the first line by their interpreter's, and differ in whether it ends there.
    """
    scripts = f"{data_of(wheel.info)}/scripts/"
    for member in wheel.members.values():
        if member.name.startswith(scripts) and not member.is_directory:
            line = next(unpack(wheel.stream, member), b"").partition(b"\n")[0]
            if line.startswith(b"#!python") and b"\r" in line.removesuffix(b"\r"):
                raise malformed_wheel(
                    "scripts whose first line has one end", f"a carriage return in that of {member.name!r}"
                )


def _check_compiled(wheel: _Wheel) -> None:
    """Refuse compiled code that is valid without a check of its source (PEP 552).

    pip compiles the source again, other installers keep the compiled file. Code that is valid for a source's
    modification time is not used, since that is the time of the installation.
    """
    for member in wheel.members.values():
        path = f"/{member.name}".casefold()
        if not (path.endswith(".pyc") and "/__pycache__/" in path):
            continue
        if any(islice(chain.from_iterable(unpack(wheel.stream, member)), 4, 8)):
            raise malformed_wheel("no compiled code that is used instead of its source", member.name)


def _check_record(wheel: _Wheel) -> None:
    """Check that RECORD lists exactly the files; every byte of every member is unpacked once, in pieces."""
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
