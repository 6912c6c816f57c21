"""A wheel's entry points: installers make executable files with these names (T43, CVE-2026-8643).

Installers differ in what they accept in this file: comments behind a value, continued lines, sections that
provide values to others. So it is read strictly enough for all of them, as are scripts' names and references.
"""

from __future__ import annotations

import re

from pip_warden.artifact.problem import problem
from pip_warden.faults import FaultError
from pip_warden.names import ProjectName
from pip_warden.values import dataclass

SCRIPTS = frozenset({"console_scripts", "gui_scripts"})
"""The groups whose names become files."""
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*", re.ASCII)
_REFERENCE = re.compile(
    r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*( ?\[\w[\w-]*(, ?\w[\w-]*)*\])?", re.ASCII
)
"""The specification's object reference with an object; scripts are generated from it, so nothing else."""
_INTERPRETER = re.compile(r"(python|pythonw|pypy|graalpy)[0-9.]*t?", re.ASCII)
_VERSIONED = re.compile(r"(?P<base>pip|easy_install)(-?[0-9]+(\.[0-9]+)?)?", re.ASCII)
_OWNERS = {"pip": "pip", "easy_install": "setuptools"}
"""Scripts that installers rename after the Python they install into, and their projects."""
_WRAPPER = re.compile(r"(?P<name>.*?)(-script\.pyw?|\.exe|\.pya)?", re.DOTALL | re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class EntryPoint:
    """One line of ``entry_points.txt``."""

    group: str
    name: str
    value: str


def read_entry_points(raw: bytes, project: ProjectName) -> tuple[EntryPoint, ...]:
    """Read a wheel's entry points.

    Args:
        raw: The file.
        project: The wheel's project: only pip may have a script named pip.

    Raises:
        FaultError: ``bad-entry-point``: an installer could read it differently, or a script's name or
            reference is not plain.
    """
    found = _read(_text(raw))
    names = set[str]()
    for point in found:
        if point.group.casefold() not in SCRIPTS:
            continue
        if point.group not in SCRIPTS:
            raise _bad(f"the group {point.group!r}, in another spelling")
        check_script_name(point.name, project)
        if point.name.casefold() in names:
            raise _bad(f"the script {point.name!r} twice")
        names.add(point.name.casefold())
        if not _REFERENCE.fullmatch(point.value):
            raise _bad(f"the object reference {point.value[:200]!r}")
    return found


def check_script_name(name: str, project: ProjectName) -> None:
    """Check that every installer writes a script, and under this name.

    Raises:
        FaultError: ``bad-entry-point``.
    """
    plain = script_of(name).casefold()
    if not _NAME.fullmatch(name) or not plain or _INTERPRETER.fullmatch(plain.removesuffix(".py")):
        raise _bad(f"the script name {name[:200]!r}")
    renamed = _VERSIONED.fullmatch(plain)
    if renamed and _OWNERS[renamed["base"]] != project:
        raise _bad(f"the script name {name[:200]!r}, which installers rename")


def script_of(name: str) -> str:
    """Return the entry point whose old wrapper installers take a script for, or its own name."""
    wrapper = _WRAPPER.fullmatch(name)
    return name if wrapper is None else wrapper["name"]


def _text(raw: bytes) -> str:
    try:
        text = raw.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as err:
        raise _bad("bytes that are not UTF-8") from err
    if any(char != "\t" and not char.isprintable() for line in text.split("\n") for char in line):
        raise _bad("control characters, or what only some readers take for the end of a line")
    return text


def _read(text: str) -> tuple[EntryPoint, ...]:
    found: dict[tuple[str, str], EntryPoint] = {}
    groups = set[str]()
    group, deepest = "", None
    for line in text.split("\n"):
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        depth = len(line) - len(line.lstrip())
        if deepest is not None and depth > deepest:
            raise _bad(f"a line that goes on in the next, {stripped[:200]!r}")
        if stripped.startswith("["):
            group, deepest = _group(stripped), None
            if group in groups:
                raise _bad(f"[{group}] twice")
            groups.add(group)
            continue
        point, deepest = _point(stripped, group), depth
        if (point.group, point.name) in found:
            raise _bad(f"{point.name!r} twice in [{group}]")
        found[point.group, point.name] = point
    return tuple(found.values())


def _group(line: str) -> str:
    name = line[1:-1]
    if not line.endswith("]") or name != name.strip() or not name or set(name) & set("[]#;="):
        raise _bad(f"the line {line[:200]!r}")
    if name.casefold() == "default":
        raise _bad("a section [DEFAULT], which lends its values to all others in some readers")
    return name


def _point(line: str, group: str) -> EntryPoint:
    name, equals, value = (part.strip() for part in line.partition("="))
    if not (group and equals and name and value) or set(line) & set("#;%") or set(name) & set("[]:\t"):
        raise _bad(f"the line {line[:200]!r}")
    return EntryPoint(group, name, value)


def _bad(found: str) -> FaultError:
    return problem(
        "bad-entry-point",
        "entry points that every installer reads alike, "
        "whose names are plain file names and whose values name an object",
        found,
        hint="An installer would write a file of that name, or code from that value. "
        "Do not use it; tell the publisher.",
    )
