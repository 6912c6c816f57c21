"""Where installers would put a wheel's files (binary distribution format, with ``.data`` directories).

Only the one ``.dist-info`` may describe the distribution: pip reads more files there than METADATA, and a
directory of such a name at an install root is a distribution to every later reader. No two files may be
written to one path.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from packaging.utils import canonicalize_name

from pip_warden.artifact.entry_points import check_script_name, script_of
from pip_warden.artifact.problem import problem
from pip_warden.artifact.tree import Tree, unsafe
from pip_warden.faults import FaultError
from pip_warden.names import ProjectName

DIST_INFO = ".dist-info"
RECEIPT = "pip-warden.json"
"""In ``.dist-info`` what pip-warden notes there of what it installed: no archive may bring it."""
_DATA = ".data"
_DESCRIBING = (DIST_INFO, ".egg-info", ".egg", ".egg-link", _DATA)
_SCHEMES = frozenset({"purelib", "platlib", "headers", "scripts", "data"})
_LIBRARIES = frozenset({"purelib", "platlib"})
_SITES = frozenset({"site-packages", "dist-packages"})
_BIN = "bin/"
_HEADERS = "include"
_HOME = "lib/python/"
_PROGRAMS = frozenset({"bin", "scripts"})

_KNOWN = frozenset(
    {
        "METADATA", "WHEEL", "RECORD", "RECORD.jws", "RECORD.p7s", "entry_points.txt",
        "top_level.txt", "namespace_packages.txt", "zip-safe", "not-zip-safe", "eager_resources.txt",
        "metadata.json", "DESCRIPTION.rst", "pbr.json", "scm_file_list.json", "scm_version.json",
        "DELVEWHEEL",
    }
)  # fmt: skip
"""Files of ``.dist-info`` that a specification names or a build tool writes, and installers do not act on."""
_INSTALLERS = frozenset(
    {
        "INSTALLER", "REQUESTED", "direct_url.json", "provenance_url.json", "PKG-INFO", "SOURCES.txt",
        "requires.txt", "dependency_links.txt", "installed-files.txt", "scripts", "uv_cache.json",
        "uv_build.json", RECEIPT,
    }
)  # fmt: skip
_RESERVED = frozenset(name.casefold() for name in _INSTALLERS | _KNOWN)
"""What installers write or read there; no licence file may have such a name, whatever METADATA says."""
_SUBDIRECTORIES = frozenset({"licenses", "license_files", "sboms"})
_LEGAL = re.compile(
    r"(licen[cs]e|licencia|copying|copyright|notice|authors|contributors|credits|patents|third.?party)[^/]*"
    r"|[^/]+[._-]licen[cs]e(\.[^/]*)?",
    re.ASCII | re.IGNORECASE,
)
"""Names of licence files that METADATA need not list."""


def check_layout(
    names: Collection[str],
    info: str,
    *,
    project: ProjectName,
    scripts: Iterable[str],
    licenses: Iterable[str],
) -> None:
    """Check where a wheel's members would go.

    Args:
        names: Every member; a directory's ends in a slash.
        info: The ``.dist-info`` directory.
        project: The wheel's project.
        scripts: The names of its script entry points.
        licenses: The licence files that METADATA names.

    Raises:
        FaultError: ``malformed-wheel``, ``unexpected-metadata``, ``unsafe-member`` or ``bad-entry-point``.
    """
    own = _own_licenses(licenses)
    wrapped = {name.casefold() for name in scripts}
    # Without .data each member goes where its name says, and the archive holds each name once.
    is_spread = has_data(names, info)
    tree = Tree()
    for script in sorted(wrapped):
        tree.add(f"{_BIN}{script}", is_directory=False)
    for name in names:
        for target in _targets(name, info, project):
            _check_description(name, target, info, own)
            # With --target, scripts are written to the wheel's own directory bin.
            for place in (target, name):
                program = place.removeprefix(_BIN)
                if program != place and script_of(program).casefold() in wrapped:
                    raise unsafe("one maker of each script", f"{name!r} besides an entry point")
            if is_spread and not name.endswith("/"):
                _add(tree, name, target)


def data_of(info: str) -> str:
    """Return the ``.data`` directory that belongs to a ``.dist-info`` directory."""
    return info.removesuffix(DIST_INFO) + _DATA


def has_data(names: Iterable[str], info: str) -> bool:
    """Return whether a wheel has a ``.data`` directory, spelled as its ``.dist-info`` is."""
    return any(name.startswith(f"{data_of(info)}/") for name in names)


def _add(tree: Tree, name: str, target: str) -> None:
    try:
        tree.add(target, is_directory=False)
    except FaultError as err:
        raise unsafe(
            "members that an installer writes to one place each", f"{name!r}, where another one goes too"
        ) from err


def _targets(name: str, info: str, project: ProjectName) -> Iterator[str]:
    """Yield where a member would go: below ``lib/``, ``bin/`` or ``include/``."""
    top, _, rest = name.partition("/")
    if top != data_of(info):
        yield f"lib/{name}"
        return
    scheme, slash, path = rest.partition("/")
    if name == f"{top}/":
        return
    if scheme not in _SCHEMES or not slash:
        raise malformed_wheel(f"{', '.join(sorted(_SCHEMES))} in {top}/, and no files directly in it", name)
    if not path:
        return
    if scheme == "scripts":
        if "/" in path:
            raise malformed_wheel("scripts without directories", name)
        check_script_name(path, project)
        yield f"{_BIN}{path}"
    elif scheme in _LIBRARIES:
        yield f"lib/{path}"
    elif scheme == "headers":
        yield f"include/{path}"
    else:
        yield from _data_targets(path, project)


def _data_targets(path: str, project: ProjectName) -> Iterator[str]:
    """Yield where a member of the ``data`` scheme would go: anywhere in the environment.

    With ``--target`` its root is an install root, and so is pip's ``lib/python`` with ``--home``.
    """
    yield f"lib/{path}"
    if path.startswith(_HOME):
        yield f"lib/{path.removeprefix(_HOME)}"
    parts = path.split("/")
    if len(parts) == 2 and parts[0].casefold() in _PROGRAMS and parts[1]:
        check_script_name(parts[1], project)
        yield f"{_BIN}{parts[1]}"
    for at, part in enumerate(parts[:-1], start=1):
        if part.casefold() in _SITES and parts[at]:
            yield f"lib/{'/'.join(parts[at:])}"
        if parts[0].casefold() == _HEADERS and str(canonicalize_name(part)) == project and parts[at]:
            yield f"include/{'/'.join(parts[at:])}"


def _own_licenses(licenses: Iterable[str]) -> frozenset[str]:
    """Leave out names that installers write or read."""
    return frozenset(name for name in licenses if name.partition("/")[0].casefold() not in _RESERVED)


def _check_description(name: str, target: str, info: str, licenses: frozenset[str]) -> None:
    """Check that only one directory describes the distribution, with no file that adds to METADATA.

    Args:
        name: A member.
        target: Where it would go.
        info: The ``.dist-info`` directory.
        licenses: Names of licence files besides the usual ones.

    Raises:
        FaultError: ``malformed-wheel`` or ``unexpected-metadata``.
    """
    root, _, path = target.partition("/")
    top, _, rest = path.partition("/")
    if root != "lib" or not top.casefold().endswith(_DESCRIBING):
        return
    if name.partition("/")[0] != info:
        raise malformed_wheel(f"no description of a distribution but {info}", name)
    first, slash, _ = rest.partition("/")
    known = first in _SUBDIRECTORIES if slash else first in _KNOWN or _LEGAL.fullmatch(first) is not None
    if rest and not known and rest not in licenses:
        raise problem(
            "unexpected-metadata",
            f"in {info} only files that specifications name, and licences",
            rest,
            hint="Installers may take it for a statement of the wheel "
            "(requires.txt: dependencies that METADATA does not state). "
            "Ask the publisher to build it with a current tool.",
        )


def malformed_wheel(expected: str, found: str) -> FaultError:
    """Return the fault of a wheel that is not well-formed."""
    return problem(
        "malformed-wheel",
        expected,
        found,
        hint="Installers could disagree about what it is, so it is not used. "
        "Ask its publisher to build it again.",
    )
