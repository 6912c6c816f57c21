"""Source distributions, read strictly and without extracting (PEP 625, PEP 643, PEP 518)."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import BinaryIO

from packaging.utils import parse_sdist_filename

from pip_warden.artifact import metadata
from pip_warden.artifact.agreement import check_agreement
from pip_warden.artifact.gzip_strict import gunzip
from pip_warden.artifact.model import Contents
from pip_warden.artifact.pyproject import LARGEST_PYPROJECT, NO_PYPROJECT, read_pyproject
from pip_warden.artifact.readers import check_tar, check_tar_elsewhere
from pip_warden.artifact.requirements import read_agreed
from pip_warden.artifact.tar_headers import malformed_sdist
from pip_warden.artifact.tarfile_strict import TarMember, read_tar

_KEEP = {"PKG-INFO": metadata.LARGEST_METADATA, "pyproject.toml": LARGEST_PYPROJECT}


def inspect_sdist(path: Path) -> Contents:
    """Read an sdist.

    Raises:
        FaultError: With the fault.
        OSError: The file cannot be read.
    """
    with tempfile.TemporaryFile() as skeleton:
        members, kept = _read_archive(path, skeleton)
        check_tar(skeleton, members)
    top = _find_top(members)
    for wanted in _KEEP:
        _check_regular(members, top, wanted, kept)
    if "PKG-INFO" not in kept:
        raise malformed_sdist(f"a file {top}/PKG-INFO", "none")
    contents = _read_contents(kept["PKG-INFO"], kept.get("pyproject.toml"))
    _check_top(top, contents)
    return contents


def check_elsewhere(path: Path, interpreter: Path) -> None:
    """Compare a well-formed sdist with what another interpreter's ``tarfile`` lists.

    Args:
        path: Where the bytes are.
        interpreter: The Python that an installer will run in.

    Raises:
        FaultError: ``archive-ambiguous``.
        OSError: The file cannot be read, or the interpreter not be run.
        subprocess.TimeoutExpired: The interpreter does not end in time.
    """
    with tempfile.TemporaryFile() as skeleton:
        members, _ = _read_archive(path, skeleton)
        skeleton.flush()
        check_tar_elsewhere(interpreter, skeleton, members)


def _read_archive(path: Path, skeleton: BinaryIO) -> tuple[tuple[TarMember, ...], dict[str, bytes]]:
    with path.open("rb") as stream:
        return read_tar(gunzip(stream, path.stat().st_size), _KEEP, skeleton)


def _find_top(members: tuple[TarMember, ...]) -> str:
    tops = sorted({member.name.partition("/")[0] for member in members})
    if len(tops) != 1:
        raise malformed_sdist("one top directory", ", ".join(tops[:5]) or "nothing at all")
    return tops[0]


def _check_regular(members: tuple[TarMember, ...], top: str, wanted: str, kept: dict[str, bytes]) -> None:
    """Refuse a link, a directory, or a name in another letter case in place of a file that builders read."""
    path = f"{top}/{wanted}"
    if wanted not in kept and any(member.name.casefold() == path.casefold() for member in members):
        raise malformed_sdist(f"a plain file {path}", "a link, a directory, or another spelling of the name")


def _check_top(top: str, contents: Contents) -> None:
    """Check that the top directory's name and version are PKG-INFO's, in any spelling."""
    try:
        name, version = parse_sdist_filename(f"{top}.tar.gz")
    except ValueError:
        fits = False
    else:
        fits = str(name) == contents.project and version == contents.version
    if not fits:
        raise malformed_sdist(
            f"the top directory of {contents.project} {contents.version}, as PKG-INFO says", top
        )


def _read_contents(pkg_info: bytes, pyproject: bytes | None) -> Contents:
    core = metadata.core(pkg_info, "PKG-INFO")
    project, version = metadata.project_and_version(core, "PKG-INFO")
    build = NO_PYPROJECT if pyproject is None else read_pyproject(pyproject)
    requires = metadata.dependencies(core, "PKG-INFO")
    read_agreed((*build.build_requires, *build.requires), "pyproject.toml")
    check_agreement(core, build)
    direct = metadata.direct_references(requires, "PKG-INFO") + build.direct_references
    return Contents(
        project=project,
        version=version,
        metadata=pkg_info,
        requires_python=metadata.requires_python(core, "PKG-INFO"),
        requires_dist=requires,
        build_requires=build.build_requires,
        direct_references=tuple(dict.fromkeys(direct)),
    )
