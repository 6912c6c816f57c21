"""Whether two spellings of requirements mean the same.

Build backends rewrite what a project states: ``~=2.0`` as ``<3.0,>=2.0``, one marker as another that holds in
the same environments, an extra that names further extras as their requirements.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, product

from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, canonicalize_version
from packaging.version import Version

Optional = Mapping[str, Sequence[Requirement]]
"""The requirements of each extra, by its normalised name."""

_LITERAL = re.compile(
    r'(\w+) (?:not in|in|[!=<>~]=?) "([^"]*)"|"([^"]*)" (?:not in|in|[!=<>~]=?) (\w+)', re.ASCII
)
_VERSIONS = frozenset({"python_version", "python_full_version", "implementation_version"})
_PLATFORM = ("os_name", "sys_platform", "platform_system")
_PLATFORMS = (("posix", "linux", "Linux"), ("posix", "darwin", "Darwin"), ("nt", "win32", "Windows"))
"""On these platforms the three variables always occur together, and tools simplify accordingly."""
_NOBODYS = ("java", "java", "Java")
_OTHERS = (
    "platform_machine",
    "platform_python_implementation",
    "implementation_name",
    "platform_release",
    "platform_version",
)
_MOST_ENVIRONMENTS = 2048
_MOST_EXTRAS = 256


def spelled(requirement: Requirement) -> str:
    """Return a requirement in one spelling, without its marker."""
    asked = ",".join(sorted(canonicalize_name(name) for name in requirement.extras))
    bounds = sorted(
        {bound for spec in requirement.specifier for bound in _bounds(spec.operator, spec.version)}
    )
    wanted = f" @ {requirement.url}" if requirement.url else ",".join(bounds)
    return canonicalize_name(requirement.name) + (f"[{asked}]" if asked else "") + wanted


def _bounds(operator: str, version: str) -> Iterator[str]:
    """Yield a specifier's bounds; ``~=V`` is a lower and an upper one (PEP 440, compatible release)."""
    if operator != "~=":
        yield operator + (version if version.endswith(".*") else canonicalize_version(version))
        return
    release = Version(version).release
    yield f">={canonicalize_version(version)}"
    yield "<" + canonicalize_version(".".join(map(str, (*release[:-2], release[-2] + 1))))


def with_extras(optional: Optional, own: str) -> Iterator[str]:
    """Yield each extra with each of its requirements, including those of extras that it names."""
    for extra in optional:
        reached = _reached(extra, optional, own) if len(optional) <= _MOST_EXTRAS else [extra]
        for inner in reached:
            for requirement in optional.get(inner, ()):
                if str(canonicalize_name(requirement.name)) != own or len(optional) > _MOST_EXTRAS:
                    yield f"{spelled(requirement)} for {extra}"


def _reached(extra: str, optional: Optional, own: str) -> Iterable[str]:
    """Return an extra, and all others of the project that it names."""
    reached, left = {extra}, [extra]
    while left:
        for requirement in optional.get(left.pop(), ()):
            if str(canonicalize_name(requirement.name)) == own:
                new = {str(canonicalize_name(name)) for name in requirement.extras} - reached
                reached |= new
                left += new
    return reached


def hold_alike(ours: Sequence[Marker | None], theirs: Sequence[Marker | None]) -> bool:
    """Return whether one of ours holds exactly where one of theirs does; None holds everywhere.

    Every compared value and its neighbours are tried. Too many to try count as different, unless the
    spellings are the same.
    """
    if set(map(str, ours)) == set(map(str, theirs)):
        return True
    environments = list(islice(_environments([*ours, *theirs]), _MOST_ENVIRONMENTS + 1))
    return len(environments) <= _MOST_ENVIRONMENTS and all(
        _holds(ours, environment) == _holds(theirs, environment) for environment in environments
    )


def _holds(markers: Sequence[Marker | None], environment: dict[str, str]) -> bool:
    return any(marker is None or marker.evaluate(environment) for marker in markers)


def _environments(markers: Iterable[Marker | None]) -> Iterator[dict[str, str]]:
    literals: dict[str, set[str]] = {}
    for marker in markers:
        for match in _LITERAL.finditer(str(marker or "")):
            literals.setdefault(match[1] or match[4], set()).update((match[2] or match[3] or "").split())
    pythons = {
        python
        for name in _VERSIONS & literals.keys()
        for value in literals[name]
        for python in _around(value)
    }
    words = {value: at for at, name in enumerate(_PLATFORM) for value in literals.get(name, ())}
    platforms = {*_PLATFORMS, _NOBODYS, *(_platform(at, value) for value, at in words.items())}
    others = [("0", *sorted(literals.get(name, ()))) for name in _OTHERS]
    for python, platform in product(sorted(pythons) or [(3, 11, 4)], sorted(platforms)):
        full = ".".join(map(str, python))
        versions = dict.fromkeys(_VERSIONS, full) | {"python_version": f"{python[0]}.{python[1]}"}
        for values in product(*others):  # lazily: hostile markers have billions
            texts = dict(zip((*_PLATFORM, *_OTHERS), (*platform, *values), strict=True))
            yield versions | texts | {"extra": ""}


def _platform(at: int, value: str) -> tuple[str, str, str]:
    """Return the platform that a value belongs to, or an invented one."""
    return next((platform for platform in _PLATFORMS if platform[at] == value), (value, value, value))


def _around(literal: str) -> Iterator[tuple[int, int, int]]:
    """Yield the Python versions at a version, and just before and after it."""
    release = (*Version(literal.removesuffix(".*")).release, 0, 0)[:3]
    major, minor, micro = release
    for near in (-1, 0, 1):
        yield major, max(0, minor + near), 0
        yield major, max(0, minor + near), micro + 1
        yield major, minor, max(0, micro + near)
