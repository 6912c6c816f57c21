"""Wheels, read strictly and without extracting (PEP 427, and the binary distribution format specification)."""

from __future__ import annotations

import base64
import configparser
import csv
import hashlib
import io
import zipfile
import zlib
from pathlib import Path

from packaging.tags import parse_tag
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from pip_warden.artifact import metadata
from pip_warden.artifact.model import Contents
from pip_warden.artifact.problem import MalformedError
from pip_warden.artifact.zipfile_strict import members
from pip_warden.names import ArtifactName

_ALGORITHMS = {"sha256", "sha384", "sha512"}
_UNLISTED = ("RECORD.jws", "RECORD.p7s")
_LARGEST_RECORD = 64 << 20
_CHUNK = 1 << 20


def inspect_wheel(path: Path, name: ArtifactName) -> Contents:
    """Read a wheel.

    Raises:
        MalformedError: With the fault.
        OSError: The file cannot be read.
    """
    with path.open("rb") as stream:
        archive, listed = members(stream, path.stat().st_size)
        with archive:
            info = _dist_info(listed, name)
            _check_record(archive, listed, info)
            return _contents(archive, listed, info)


def _dist_info(listed: list[zipfile.ZipInfo], name: ArtifactName) -> str:
    """Find the one ``.dist-info`` directory, which must carry the wheel's own name and version."""
    tops = {entry.filename.partition("/")[0] for entry in listed}
    found = sorted(top for top in tops if top.casefold().endswith(".dist-info"))
    if len(found) != 1:
        raise MalformedError(
            "malformed-wheel", "exactly one .dist-info directory", ", ".join(found) or "none"
        )
    project, _, version = found[0][: -len(".dist-info")].partition("-")
    try:
        fits = str(canonicalize_name(project)) == str(name.project) and Version(version) == name.version
    except InvalidVersion:
        fits = False
    if not fits or not found[0].endswith(".dist-info"):
        raise MalformedError(
            "malformed-wheel", f"the .dist-info directory of {name.project} {name.version}", found[0]
        )
    return found[0]


def _read(archive: zipfile.ZipFile, member: str, largest: int = metadata.LARGEST_METADATA) -> bytes:
    try:
        entry = archive.getinfo(member)
    except KeyError as err:
        raise MalformedError("malformed-wheel", f"a file {member}", "none") from err
    if entry.file_size > largest:
        raise MalformedError("malformed-wheel", f"at most {largest} bytes of {member}", str(entry.file_size))
    return b"".join(_content(archive, entry))


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> list[bytes]:
    """Unpack a member; zipfile checks its CRC and never yields more than its stated size."""
    try:
        with archive.open(entry) as member:
            return list(iter(lambda: member.read(_CHUNK), b""))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as err:
        raise MalformedError("malformed-wheel", f"readable content of {entry.filename}", str(err)) from err


def _check_record(archive: zipfile.ZipFile, listed: list[zipfile.ZipInfo], info: str) -> None:
    """RECORD lists exactly the members, each with its hash and size."""
    raw = _read(archive, f"{info}/RECORD", _LARGEST_RECORD)
    recorded = _record(raw, info)
    present = {entry.filename: entry for entry in listed if not entry.filename.endswith("/")}
    exempt = {f"{info}/RECORD", *(f"{info}/{name}" for name in _UNLISTED)}
    missing = sorted(recorded.keys() - present.keys())
    extra = sorted(present.keys() - recorded.keys() - exempt)
    if missing or extra:
        raise _record_fault(f"{(missing or extra)[0]!r} only in {'RECORD' if missing else 'the archive'}")
    for name, entry in present.items():
        if name not in exempt:
            _check_hash(archive, entry, *recorded[name])


def _record(raw: bytes, info: str) -> dict[str, tuple[str, str]]:
    try:
        rows = list(csv.reader(io.StringIO(raw.decode("utf-8"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as err:
        raise _record_fault(str(err)) from err
    found: dict[str, tuple[str, str]] = {}
    for row in rows:
        if len(row) != 3 or row[0] in found:
            raise _record_fault(f"the line {','.join(row)!r}")
        found[row[0]] = (row[1], row[2])
    if found.get(f"{info}/RECORD", ("", ""))[0]:
        raise _record_fault("a hash of RECORD itself")
    return found


def _check_hash(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, stated: str, size: str) -> None:
    algorithm, equals, value = stated.partition("=")
    if not equals or algorithm not in _ALGORITHMS:
        raise _record_fault(f"{stated or 'no hash'} for {entry.filename!r}")
    if size and size != str(entry.file_size):
        raise _record_fault(f"size {size} for {entry.filename!r} of {entry.file_size} bytes")
    state = hashlib.new(algorithm)
    try:
        with archive.open(entry) as member:
            for chunk in iter(lambda: member.read(_CHUNK), b""):
                state.update(chunk)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as err:
        raise MalformedError("malformed-wheel", f"readable content of {entry.filename}", str(err)) from err
    if base64.urlsafe_b64encode(state.digest()).rstrip(b"=").decode() != value.rstrip("="):
        raise _record_fault(f"other bytes of {entry.filename!r}")


def _contents(archive: zipfile.ZipFile, listed: list[zipfile.ZipInfo], info: str) -> Contents:
    raw = _read(archive, f"{info}/METADATA")
    core = metadata.headers(raw, "METADATA")
    project, version = metadata.project_and_version(core, "METADATA")
    wheel = metadata.headers(_read(archive, f"{info}/WHEEL"), "WHEEL")
    if metadata.one(wheel, "Wheel-Version", "WHEEL").partition(".")[0] != "1":
        raise MalformedError("malformed-wheel", "Wheel-Version 1.x", str(wheel["Wheel-Version"]))
    if f"{info}/entry_points.txt" in {entry.filename for entry in listed}:
        _check_entry_points(_read(archive, f"{info}/entry_points.txt"))
    requires = metadata.every(core, "Requires-Dist")
    return Contents(
        project=project,
        version=version,
        metadata=raw,
        requires_python=metadata.at_most_one(core, "Requires-Python", "METADATA"),
        requires_dist=requires,
        tags=frozenset(str(tag) for line in metadata.every(wheel, "Tag") for tag in parse_tag(line)),
        build=metadata.at_most_one(wheel, "Build", "WHEEL") or "",
        direct_references=metadata.direct_references(requires, "METADATA"),
    )


def _check_entry_points(raw: bytes) -> None:
    """An entry point's name becomes a file name (CVE-2026-8643)."""
    parser = configparser.ConfigParser(delimiters=("=",), strict=True, interpolation=None)
    parser.optionxform = str  # type: ignore[method-assign,assignment]
    try:
        parser.read_string(raw.decode("utf-8"))
    except (UnicodeDecodeError, configparser.Error) as err:
        raise MalformedError("bad-entry-point", "a well-formed entry_points.txt", str(err)) from err
    for group in ("console_scripts", "gui_scripts"):
        for name in parser[group] if parser.has_section(group) else ():
            if (
                not name
                or name in {".", ".."}
                or any(char in name for char in "/\\\0")
                or not name.isprintable()
            ):
                raise MalformedError("bad-entry-point", "a script name that is a plain file name", repr(name))


def _record_fault(found: str) -> MalformedError:
    return MalformedError(
        "record-mismatch",
        "a RECORD that lists exactly the wheel's files with their hashes",
        found,
        hint="The wheel was changed after it was built. Ask its publisher to build it again.",
    )
