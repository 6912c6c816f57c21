"""Checks that an sdist's PKG-INFO and ``pyproject.toml`` state the same static metadata (PEP 643, PEP 621).

Installers that do not build it read one or the other. What a build backend adds later is not judged here;
whatever it requires comes through the gate, too.
"""

from __future__ import annotations

from collections.abc import Iterable
from email.message import Message

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from pip_warden.artifact import metadata
from pip_warden.artifact.equivalence import hold_alike, spelled, with_extras
from pip_warden.artifact.problem import bad_metadata
from pip_warden.artifact.pyproject import Pyproject
from pip_warden.artifact.requirements import extras_of, read_requirement
from pip_warden.faults import FaultError

_PKG_INFO, _PYPROJECT = "PKG-INFO", "pyproject.toml"
_MOST_REWRITTEN = 64
"""Limit of requirements whose markers are spelled differently: comparing them takes time."""


def check_agreement(core: Message, pyproject: Pyproject) -> None:
    """Check that PKG-INFO does not contradict the static parts of ``[project]``.

    Old build tools write no dependencies into PKG-INFO; installers do not rely on it then.

    Raises:
        FaultError: ``bad-metadata``.
    """
    name, version = metadata.project_and_version(core, _PKG_INFO)
    if pyproject.project not in {None, name} or pyproject.version not in {None, version}:
        raise _contradiction([f"{pyproject.project} {pyproject.version}"], [f"{name} {version}"])
    python = metadata.requires_python(core, _PKG_INFO) or ""
    if pyproject.requires_python is not None and SpecifierSet(pyproject.requires_python) != SpecifierSet(
        python
    ):
        raise _contradiction([f"Python {pyproject.requires_python}"], [f"Python {python}"])
    requires = metadata.all_headers(core, "Requires-Dist")
    if not requires and not _is_believed(core):
        return
    stated = [read_requirement(text, _PKG_INFO) for text in requires]
    if pyproject.dependencies is not None:
        wanted = [read_requirement(text, _PYPROJECT) for text in pyproject.dependencies]
        _compare_always(wanted, [requirement for requirement in stated if not extras_of(requirement)])
    if pyproject.optional is not None:
        optional = {
            str(canonicalize_name(extra)): [read_requirement(text, _PYPROJECT) for text in texts]
            for extra, texts in pyproject.optional
        }
        _compare(with_extras(optional, name), with_extras(_by_extra(stated), name))


def _is_believed(core: Message) -> bool:
    """Return whether PKG-INFO says which of its fields a build may change (since version 2.2, PEP 643)."""
    major, _, minor = metadata.required_header(core, "Metadata-Version", _PKG_INFO).partition(".")
    return (int(major), int(minor)) >= (2, 2)


def _compare_always(pyproject: Iterable[Requirement], pkg_info: Iterable[Requirement]) -> None:
    """Compare requirements without an extra: the same projects and versions, in the same environments."""
    ours, theirs = _markers(pyproject), _markers(pkg_info)
    _compare(ours, theirs)
    rewritten = [name for name in ours if set(map(str, ours[name])) != set(map(str, theirs[name]))]
    for at, name in enumerate(rewritten):
        if at >= _MOST_REWRITTEN or not hold_alike(ours[name], theirs[name]):
            raise _contradiction(
                *([f"{name} ; {marker}" for marker in side[name]] for side in (ours, theirs)),
            )


def _markers(requirements: Iterable[Requirement]) -> dict[str, list[Marker | None]]:
    found: dict[str, list[Marker | None]] = {}
    for requirement in requirements:
        found.setdefault(spelled(requirement), []).append(requirement.marker)
    return found


def _by_extra(requirements: Iterable[Requirement]) -> dict[str, list[Requirement]]:
    """Group requirements by extra; their other markers are not compared, since backends rewrite them."""
    found: dict[str, list[Requirement]] = {}
    for requirement in requirements:
        for extra in extras_of(requirement):
            found.setdefault(str(canonicalize_name(extra)), []).append(requirement)
    return found


def _compare(pyproject: Iterable[str], pkg_info: Iterable[str]) -> None:
    one, other = set(pyproject), set(pkg_info)
    if one != other:
        raise _contradiction(sorted(one - other), sorted(other - one))


def _contradiction(pyproject: list[str], pkg_info: list[str]) -> FaultError:
    return bad_metadata(
        f"{_PYPROJECT} and {_PKG_INFO}, which say the same",
        f"{', '.join(pyproject[:4]) or 'nothing'} in the first, "
        f"{', '.join(pkg_info[:4]) or 'nothing'} in the second",
    )
