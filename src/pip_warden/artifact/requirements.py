"""Requirements and their markers, in the part of the grammar that installers agree on (PEP 508, PEP 685).

Where installers evaluate a marker differently, they install different projects: ``extra == ''`` holds for
some where no extra is requested, and ``"1" in python_version`` compares text in one and versions in another.
So a marker may only compare a variable with a value of its kind.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from pip_warden.artifact.problem import bad_metadata, problem

_VERSIONS = "python_version|python_full_version|implementation_version"
_RELEASE = "platform_release"
"""A version on some systems, any text on others; real projects compare it with versions nevertheless."""
_TEXTS = (
    "os_name|sys_platform|platform_machine|platform_python_implementation|platform_system"
    f"|implementation_name|platform_version|{_RELEASE}"
)
_ORDER = "<=|>=|<|>"
_VALUE = r'"(?P<{}>[^"\\]*)"'
_ATOM = re.compile(
    "|".join(
        (
            rf"(?P<variable>{_VERSIONS}) (?P<op>==|!=|~=|{_ORDER}) {_VALUE.format('version')}",
            rf"{_VALUE.format('version_before')} (?:==|!=|{_ORDER}) (?:{_VERSIONS})",
            rf"{_RELEASE} (?:{_ORDER}) {_VALUE.format('release')}",
            rf"(?:{_TEXTS}) (?:==|!=|in|not in) {_VALUE.format('text')}",
            rf"{_VALUE.format('text_before')} (?:==|!=|in|not in) (?:{_TEXTS})",
            rf"extra == {_VALUE.format('extra')}",
            rf"{_VALUE.format('extra_before')} == extra",
        )
    ),
    re.ASCII,
)
_ODD = re.compile(r"\(\s*\)|[0-9]{19}|=\?|\s#", re.ASCII)
"""Empty parentheses, comments to old readers, numbers beyond 64 bits, and encoded words (RFC 2047).

The email parser decodes encoded words even within quotes.
"""
_NUMBERS = re.compile(r"[0-9]+(\.[0-9]+)*", re.ASCII)
_COMPARED = re.compile(
    r"python_version [!=<>~]{1,2} [0-9]+(\.[0-9]+)*"
    r"|python_version [!=]= [0-9]+(\.[0-9]+)?\.\*"
    r"|(python_full|implementation)_version ([!=<>~]{1,2} [0-9]+(\.[0-9]+)*|[!=]= [0-9]+(\.[0-9]+)*\.\*)"
    r"|python_full_version [<>]=? [0-9]+\.[0-9]+(\.0)?(a|b|rc)[0-9]+",
    re.ASCII,
)
"""Some installers ignore pre-release parts, and cut off Python's minor version.

The last form occurs in real projects, and only X.Y.0 itself differs.
"""
_MOST_REQUIREMENTS = 10_000
_MOST_LETTERS = 1 << 20
"""Characters of all requirements of one file; real projects have at most a tenth of either limit."""
_PYTHON = re.compile(
    r"(~=|[!=]=|[<>]=?)\s*[0-9]+(\.[0-9]+)*"
    r"|[!=]=\s*[0-9]+(\.[0-9]+)?\.\*"
    r"|[<>]=?\s*[0-9]+\.[0-9]+(\.0)?(a|b|rc|\.?dev)[0-9]+"
    r"|",
    re.ASCII,
)
_EXTRAS = frozenset({"extra", "extra_before"})
_EXTRA = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?", re.ASCII)
_GLUE = re.compile(r"[() ]|\band\b|\bor\b", re.ASCII)


def read_requirement(text: str, where: str) -> Requirement:
    """Read a requirement; one that cannot be read could be a direct reference to another reader.

    Args:
        text: The requirement.
        where: The name of its file, for people.

    Raises:
        FaultError: ``bad-metadata``.
    """
    try:
        return Requirement(text)
    except (ValueError, RecursionError) as err:
        raise bad_metadata(where, f"the requirement {text[:200]!r}") from err


def check_few(requirements: Sequence[str], where: str) -> None:
    """Check that the requirements are not so many that reading them takes minutes.

    Raises:
        FaultError: ``archive-too-large``.
    """
    if len(requirements) > _MOST_REQUIREMENTS or sum(map(len, requirements)) > _MOST_LETTERS:
        raise problem(
            "archive-too-large",
            f"at most {_MOST_REQUIREMENTS} requirements of together {_MOST_LETTERS} characters in {where}",
            f"{len(requirements)} of together {sum(map(len, requirements))}",
        )


def read_agreed(requirements: Sequence[str], where: str) -> tuple[Requirement, ...]:
    """Read requirements that every installer reads alike.

    Raises:
        FaultError: ``bad-metadata`` or ``archive-too-large``.
    """
    check_few(requirements, where)
    found = tuple(read_requirement(text, where) for text in requirements)
    for text, requirement in zip(requirements, found, strict=True):
        # Old tools wrote UNKNOWN for none, and some installers take it for a project.
        if (
            text == "UNKNOWN"
            or not text.isascii()
            or _ODD.search(text)
            or "===" in str(requirement.specifier)
        ):
            raise bad_metadata(where, f"a requirement that installers read differently, {text[:200]!r}")
        if requirement.marker is not None and not is_plain_marker(requirement.marker):
            raise bad_metadata(where, f"a marker that installers evaluate differently, {text[:200]!r}")
    return found


def is_plain_marker(marker: Marker) -> bool:
    """Return whether a marker consists of comparisons that every installer evaluates alike."""
    written = str(marker)
    atoms = list(_ATOM.finditer(written))
    return not _GLUE.sub("", _ATOM.sub("", written)) and all(map(_fits, atoms))


def extras_of(requirement: Requirement) -> frozenset[str]:
    """Return the normalised extras that a requirement depends on; empty where it holds without any."""
    if requirement.marker is None:
        return frozenset()
    atoms = _ATOM.finditer(str(requirement.marker))
    return frozenset(atom[atom.lastgroup] for atom in atoms if atom.lastgroup in _EXTRAS)


def is_extra(text: str) -> bool:
    """Return whether a text is the name of an extra (PEP 685)."""
    return _EXTRA.fullmatch(text) is not None


def _fits(atom: re.Match[str]) -> bool:
    """Return whether the value is of the variable's kind."""
    value = atom[atom.lastgroup or 0]
    if atom.lastgroup in _EXTRAS:
        return is_extra(value)
    if atom.lastgroup == "version":
        compared = f"{atom['variable']} {atom['op']} {value}"
        return _COMPARED.fullmatch(compared) is not None and is_specifier(atom["op"] + value)
    if atom.lastgroup == "version_before":
        return _NUMBERS.fullmatch(value) is not None
    return atom.lastgroup != "release" or is_specifier(f"<={value}")


def is_specifier(text: str) -> bool:
    """Return whether a text is one or more version specifiers that every installer knows (PEP 440)."""
    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        return False
    return text.isascii() and "===" not in text and not _ODD.search(text)


def is_plain_python(text: str) -> bool:
    """Return whether every installer reads a ``Requires-Python`` alike.

    It names final releases, or bounds at the first of a minor version: some installers round all others.
    """
    return all(_PYTHON.fullmatch(spec.strip()) for spec in text.split(","))
