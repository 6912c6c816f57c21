"""What is static about a source distribution stands in two files, and installers that do not build believe one or the other (PEP 643, PEP 621).

So both must say the same. What a build backend makes up later is not judged here; whatever it asks for comes through the gate, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from email.message import Message

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from pip_warden.artifact import metadata
from pip_warden.artifact.problem import MalformedError, bad_metadata
from pip_warden.artifact.pyproject import Pyproject
from pip_warden.artifact.requirements import extras_of, read_requirement

_PKG_INFO, _PYPROJECT = "PKG-INFO", "pyproject.toml"
_BEFORE_MINOR = re.compile(r'python_full_version (<|>=) "([0-9]+\.[0-9]+)(?:\.0)?"', re.ASCII)


def check_agreement(core: Message, pyproject: Pyproject) -> None:
    """Check that PKG-INFO does not contradict the static parts of ``[project]``.

    Old build tools write no dependencies into PKG-INFO; nobody believes it then.

    Raises:
        MalformedError: ``bad-metadata``.
    """
    name, version = metadata.project_and_version(core, _PKG_INFO)
    if pyproject.project not in {None, name} or pyproject.version not in {None, version}:
        raise _contradiction([f"{pyproject.project} {pyproject.version}"], [f"{name} {version}"])
    python = metadata.requires_python(core, _PKG_INFO) or ""
    if pyproject.requires_python is not None and SpecifierSet(pyproject.requires_python) != SpecifierSet(
        python
    ):
        raise _contradiction([f"Python {pyproject.requires_python}"], [f"Python {python}"])
    requires = metadata.every(core, "Requires-Dist")
    if not requires and not _is_believed(core):
        return
    if pyproject.dependencies is not None:
        _compare(_always(pyproject.dependencies, _PYPROJECT), _always(requires, _PKG_INFO))
    if pyproject.optional is not None:
        stated = (
            _named(extra, read_requirement(text, _PYPROJECT))
            for extra, texts in pyproject.optional
            for text in texts
        )
        _compare(stated, _with_extra(requires))


def _is_believed(core: Message) -> bool:
    """Since version 2.2 PKG-INFO says which of its fields a build may change, so that it may be believed (PEP 643)."""
    major, _, minor = metadata.one(core, "Metadata-Version", _PKG_INFO).partition(".")
    return (int(major), int(minor)) >= (2, 2)


def _always(requirements: Iterable[str], where: str) -> Iterator[str]:
    """Yield what is required without any extra, in one spelling."""
    for text in requirements:
        requirement = read_requirement(text, where)
        if not extras_of(requirement):
            marker = "" if requirement.marker is None else f" ; {requirement.marker}"
            # Before a minor version is the same for both; some tools rewrite one into the other.
            yield _named("", requirement) + _BEFORE_MINOR.sub(r'python_version \1 "\2"', marker)


def _with_extra(requirements: Iterable[str]) -> Iterator[str]:
    """Yield what is required with an extra; tools rewrite the markers of these, so they are left out."""
    for text in requirements:
        requirement = read_requirement(text, _PKG_INFO)
        yield from (_named(extra, requirement) for extra in extras_of(requirement))


def _named(extra: str, requirement: Requirement) -> str:
    asked = ",".join(sorted(canonicalize_name(name) for name in requirement.extras))
    wanted = f" @ {requirement.url}" if requirement.url else str(requirement.specifier)
    spelled = canonicalize_name(requirement.name) + (f"[{asked}]" if asked else "") + wanted
    return f"{spelled} for {canonicalize_name(extra)}" if extra else spelled


def _compare(pyproject: Iterable[str], pkg_info: Iterable[str]) -> None:
    one, other = set(pyproject), set(pkg_info)
    if one != other:
        raise _contradiction(sorted(one - other), sorted(other - one))


def _contradiction(pyproject: list[str], pkg_info: list[str]) -> MalformedError:
    return bad_metadata(
        f"{_PYPROJECT} and {_PKG_INFO}, which say the same",
        f"{', '.join(pyproject[:4]) or 'nothing'} in the first, {', '.join(pkg_info[:4]) or 'nothing'} in the second",
    )
