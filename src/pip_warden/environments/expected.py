"""What a wheel puts into an environment, file by file (PyPA specification "Binary distribution format").

The archive is the run's own copy of what was judged; its digest is checked once more before it is read.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import BinaryIO

from packaging.utils import canonicalize_name

from pip_warden.artifact.entry_points import SCRIPTS, read_entry_points, script_of
from pip_warden.artifact.layout import DIST_INFO, data_of
from pip_warden.artifact.limits import CHUNK, MOST_MEMBERS, most_unpacked
from pip_warden.digests import digest_of_stream
from pip_warden.disk import open_regular
from pip_warden.environments.launchers import ScriptEntry
from pip_warden.environments.layout import SiteLayout
from pip_warden.environments.model import AcceptedArchive
from pip_warden.faults import Fault, FaultError
from pip_warden.names import ProjectName
from pip_warden.values import dataclass

_SCRIPT = b"#!python"
"""How a script begins whose first line an installer replaces."""
_SIGNATURES = ("/RECORD.jws", "/RECORD.p7s")
_LARGEST_POINTS = 1 << 20
_LARGEST_SCRIPT = 16 << 20
_LARGEST_OWN = 64 << 20
"""Bytes of a file that an installer makes; of byte code, too."""
_UNREADABLE = (
    OSError,
    ValueError,
    RuntimeError,
    NotImplementedError,
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
)
"""What zipfile raises for an archive that it cannot read."""
_SEEDS = frozenset({"pip", "setuptools", "wheel"})
"""Projects that virtualenv installs into new environments; it does not record their scripts."""
_VERSIONED = re.compile(r"(?P<base>pip|easy_install)(-?[0-9]+(\.[0-9]+)?)?", re.ASCII)
"""Scripts that installers name after the Python they install into, whatever is listed (pip, uv)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ExpectedFile:
    """What is expected of one file: one of ``sha256``, ``body`` and ``runs``.

    Attributes:
        sha256: The digest of its content, ``b""`` where an installer writes its own.
        size: The most bytes that it may have.
        body: Of a script, all behind its first line.
        runs: Of a generated script, what it runs.
        is_recorded: Whether RECORD must name it, with a hash.
        may_be_missing: Whether installers differ in whether they write it.
        others: What other accepted archives bring to the same place: the last that is installed stays.
    """

    sha256: bytes = b""
    size: int = _LARGEST_OWN
    body: bytes | None = None
    runs: ScriptEntry | None = None
    is_recorded: bool = True
    may_be_missing: bool = False
    others: tuple[ExpectedFile, ...] = ()

    @property
    def is_script(self) -> bool:
        """Return whether its first line is the installer's."""
        return self.body is not None or self.runs is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class ExpectedFiles:
    """What an archive puts into an environment.

    Attributes:
        info: Its ``.dist-info`` directory.
        files: By key (:meth:`SiteLayout.key`) what is expected there.
        headers: What is expected in its directory of C headers, which each installer has elsewhere: by path
            in that.
        versioned: By ``pip`` or ``easy_install`` what its scripts run that are named after Python's version.
    """

    info: str
    files: Mapping[str, ExpectedFile]
    headers: Mapping[str, ExpectedFile]
    versioned: Mapping[str, ScriptEntry]

    def placed(self, recorded: Iterable[str], layout: SiteLayout, project: str) -> dict[str, ExpectedFile]:
        """Return what is expected by key, now with the files whose place or name only RECORD tells.

        Raises:
            FaultError: ``not-through-gate``: RECORD does not name all header files.
        """
        files, missing = dict(self.files), set(self.headers)
        for key in recorded if self.headers or self.versioned else ():
            if key in files:
                continue
            path = layout.path(key)
            header = _header(path.relative_to(layout.prefix).parts, project)
            renamed = _VERSIONED.fullmatch(path.name)
            if header in self.headers:
                files[key] = self.headers[header]
                missing.discard(header)
            elif renamed and path.parent == layout.scripts and renamed["base"] in self.versioned:
                files[key] = ExpectedFile(
                    runs=self.versioned[renamed["base"]], is_recorded=False, may_be_missing=True
                )
        if missing:
            raise FaultError(_fault("all files of the archive in RECORD", f"{min(missing)} not there"))
        return files


def expected_files(archive: AcceptedArchive, layout: SiteLayout) -> ExpectedFiles | Fault:
    """Read what a wheel puts into an environment; a fault where the copy is no longer what was judged."""
    try:
        with open_regular(archive.path, follow=False) as stream:
            if digest_of_stream(stream) != archive.digest:
                return _unreadable("another content")
            size = stream.tell()
            stream.seek(0)
            return _read(stream, most_unpacked(size), archive.name.project, layout)
    except FaultError as err:
        return err.fault
    except _UNREADABLE as err:
        return _unreadable(type(err).__name__)


def _read(stream: BinaryIO, most: int, project: ProjectName, layout: SiteLayout) -> ExpectedFiles | Fault:
    with zipfile.ZipFile(stream) as archive:
        members = [each for each in archive.infolist() if not each.is_dir()]
        if len(members) > MOST_MEMBERS or sum(each.file_size for each in members) > most:
            return _unreadable("more than an archive may hold")
        infos = {each.filename.partition("/")[0] for each in members if each.filename.endswith("/METADATA")}
        infos = {each for each in infos if each.endswith(DIST_INFO)}
        if len(infos) != 1:
            return _unreadable("no distribution")
        (info,) = infos
        runs = _entries(archive, info, project)
        files = {
            _script(layout, name): ExpectedFile(runs=entry, is_recorded=project not in _SEEDS)
            for name, entry in runs.items()
        }
        headers: dict[str, ExpectedFile] = {}
        for member in members:
            scheme, place = _target(member.filename, data_of(info), layout)
            if scheme == "scripts" and script_of(member.filename.rpartition("/")[2]) in runs:
                continue  # an old wrapper of an entry point: the installer makes its own
            found = _expected(archive, member, scheme)
            (headers if scheme == "headers" else files)[place] = found
    versioned = {match["base"]: runs[name] for name in runs if (match := _VERSIONED.fullmatch(name))}
    optional = {_script(layout, name) for name in runs if _VERSIONED.fullmatch(name)}
    for key in optional:
        files[key] = ExpectedFile(
            runs=files[key].runs, is_recorded=project not in _SEEDS, may_be_missing=True
        )
    return ExpectedFiles(info=info, files=files, headers=headers, versioned=versioned)


def _entries(archive: zipfile.ZipFile, info: str, project: ProjectName) -> dict[str, ScriptEntry]:
    name = f"{info}/entry_points.txt"
    if name not in archive.NameToInfo:
        return {}
    with archive.open(name) as stream:
        points = read_entry_points(stream.read(_LARGEST_POINTS), project)
    found: dict[str, ScriptEntry] = {}
    for point in points:
        if point.group in SCRIPTS:
            module, _, function = point.value.partition("[")[0].strip().partition(":")
            found[point.name] = ScriptEntry(module=module, function=function)
    return found


def _target(name: str, data: str, layout: SiteLayout) -> tuple[str, str]:
    """Return the scheme of a member, and the key of where it goes; of a header the path in its directory."""
    top, _, rest = name.partition("/")
    if top != data:
        return "site", name
    scheme, _, path = rest.partition("/")
    if scheme == "scripts":
        return scheme, _script(layout, path)
    if scheme == "data":
        return scheme, layout.key_of(layout.prefix / path)
    return scheme, path


def _header(parts: Sequence[str], project: str) -> str:
    """Return the path of a header in its project's directory, which lies somewhere in ``include``."""
    own = [at for at, part in enumerate(parts[:-1]) if at and canonicalize_name(part) == project]
    return "/".join(parts[own[0] + 1 :]) if own and parts[0] == "include" else ""


def _script(layout: SiteLayout, name: str) -> str:
    return layout.key_of(layout.scripts / name)


def _expected(archive: zipfile.ZipFile, member: zipfile.ZipInfo, scheme: str) -> ExpectedFile:
    if scheme == "scripts" and member.file_size <= _LARGEST_SCRIPT:
        with archive.open(member) as stream:
            content = stream.read(_LARGEST_SCRIPT)
        if content.startswith(_SCRIPT):
            return ExpectedFile(body=content.partition(b"\n")[2])
    state = hashlib.sha256()
    for piece in _pieces(archive, member):
        state.update(piece)
    if re.fullmatch(r"[^/]+\.dist-info/RECORD", member.filename):
        return ExpectedFile(is_recorded=False)
    return ExpectedFile(
        sha256=state.digest(), size=member.file_size, is_recorded=not member.filename.endswith(_SIGNATURES)
    )


def _pieces(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    with archive.open(member) as stream:
        while piece := stream.read(CHUNK):
            yield piece


def _unreadable(found: str) -> Fault:
    return _fault("the archive that was accepted", found)


def _fault(expected: str, found: str) -> Fault:
    return Fault(code="not-through-gate", expected=expected, found=found)
