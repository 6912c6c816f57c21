"""A wheel's entry points: installers make executable files with these names (T43, CVE-2026-8643).

Installers read the file line by line and not all alike, so a line that is no section, no ``name = value`` and no comment is a fault.
"""

from __future__ import annotations

import re

from pip_warden.artifact.problem import MalformedError
from pip_warden.artifact.tree import is_plain_path

_SCRIPTS = frozenset({"console_scripts", "gui_scripts"})
_REFERENCE = re.compile(r"\w+(\.\w+)*(\s*:\s*\w+(\.\w+)*)?\s*(\[[\w\s,.-]*\])?")
"""The object reference of the entry points specification; scripts are generated from it, so nothing else may be in it."""


def check_entry_points(raw: bytes) -> None:
    """Check that no script's name is a path and no reference more than a reference.

    Raises:
        MalformedError: ``bad-entry-point``.
    """
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as err:
        raise _bad("bytes that are not UTF-8") from err
    section, seen = "", set[tuple[str, str]]()
    for line in (line.strip() for line in text.splitlines()):
        if not line or line[0] in "#;":
            continue
        if line[0] == "[":
            section = _section(line)
            continue
        name = _check_line(line, section)
        if (section, name) in seen:
            raise _bad(f"{name!r} twice in [{section}]")
        seen.add((section, name))


def _section(line: str) -> str:
    if not line.endswith("]") or "[" in line[1:] or "]" in line[:-1]:
        raise _bad(f"the line {line[:200]!r}")
    return line[1:-1].strip()


def _check_line(line: str, section: str) -> str:
    name, equals, value = (part.strip() for part in line.partition("="))
    if not (section and equals and name and value):
        raise _bad(f"the line {line[:200]!r}")
    if section.casefold() in _SCRIPTS:
        if "/" in name or not is_plain_path(name):
            raise _bad(f"the script name {name[:200]!r}")
        if not _REFERENCE.fullmatch(value):
            raise _bad(f"the object reference {value[:200]!r}")
    return name


def _bad(found: str) -> MalformedError:
    return MalformedError(
        "bad-entry-point",
        "entry points whose names are no paths and whose values name an object",
        found,
        hint="An installer would write a file of that name, or code from that value. Do not use it; tell the publisher.",
    )
