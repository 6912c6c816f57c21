"""What a project directory asks for: its static dependencies, and those of extras and groups that are named.

The project itself is of no index: where an extra or a group names it (``mine[test]``), its own extras are
meant, and nothing is looked up under its name.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from packaging.dependency_groups import DependencyGroupInclude, DependencyGroupResolver
from packaging.markers import Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from pip_warden.artifact.pyproject import Pyproject, local_project, read_groups
from pip_warden.display import escape_text
from pip_warden.errors import UsageError
from pip_warden.faults import Fault
from pip_warden.values import dataclass

FILE = "pyproject.toml"
_DEEPEST = 64
"""How many groups or extras may include each other in a row."""
_MOST = 1000
"""How many extras may be gone through: two that include the next two, and so on, would have no end."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """What of a project is wanted beside its dependencies.

    Attributes:
        extras: Names of ``[project.optional-dependencies]``.
        groups: Names of ``[dependency-groups]`` (PEP 735).
    """

    extras: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


def dependencies_of(directory: Path, choice: Choice) -> tuple[str, ...]:
    """Return the requirements of a project, its own name resolved.

    Raises:
        UsageError: ``bad-lock-file``: there is no readable ``pyproject.toml``; ``dynamic-dependencies``;
            ``no-such-extra``, ``no-such-group``, ``bad-dependency-group``.
    """
    where = escape_text(str(directory / FILE))
    found, groups = local_project(directory), read_groups(directory)
    for fault in (found, groups):
        if isinstance(fault, Fault):
            raise UsageError(
                "bad-lock-file", f"{where}: expected {fault.expected}, found {escape_text(fault.found)}"
            )
    assert isinstance(found, Pyproject)  # noqa: S101 -- no fault, as seen above
    assert isinstance(groups, dict)  # noqa: S101 -- as well
    project = _Project(where, found)
    texts = [*project.dependencies(is_needed=not choice.groups or bool(choice.extras))]
    texts += [text for extra in choice.extras for text in project.of_extra(extra)]
    texts += [text for group in choice.groups for text in project.expanded(_group(groups, group, where))]
    return tuple(dict.fromkeys(texts))


class _Project:
    """A project's requirements.

    Args:
        where: Its file, for people.
        found: What that says.
    """

    def __init__(self, where: str, found: Pyproject) -> None:
        self._where = where
        self._found = found
        self._steps = 0
        self._optional = {canonicalize_name(extra): texts for extra, texts in (found.optional or ())}

    def dependencies(self, *, is_needed: bool) -> Iterator[str]:
        """Yield the dependencies; a file of groups alone, without a project, has none."""
        if self._found.dependencies is None and (is_needed or self._found.has_project):
            raise UsageError(
                "dynamic-dependencies",
                f"expected [project] dependencies in {self._where}, found none that can be read without "
                "building it",
                hint="Lock the project with your tool, and name the lock: --lock FILE.",
            )
        yield from self.expanded(self._found.dependencies or ())

    def of_extra(self, name: str) -> Iterator[str]:
        """Yield what an extra asks for."""
        yield from self._extra(name, (), ())

    def expanded(
        self, texts: Iterable[str], markers: tuple[Marker, ...] = (), within: tuple[str, ...] = ()
    ) -> Iterator[str]:
        """Yield requirements, with the project's own extras in the place of its name."""
        for text in texts:
            try:
                requirement = Requirement(text)
            except InvalidRequirement:
                yield text  # whoever reads it next says what is wrong with it
                continue
            own = (*markers, requirement.marker) if requirement.marker else markers
            if str(canonicalize_name(requirement.name)) != self._found.project:
                if own:
                    requirement.marker = Marker(" and ".join(f"({each})" for each in own))
                yield str(requirement)
                continue
            for extra in sorted(requirement.extras):
                # Around a circle nothing is added that the outer one has not.
                if canonicalize_name(extra) not in within:
                    yield from self._extra(extra, own, within)

    def _extra(self, name: str, markers: tuple[Marker, ...], within: tuple[str, ...]) -> Iterator[str]:
        key = canonicalize_name(name)
        if self._found.optional is None or key not in self._optional:
            known = ", ".join(self._optional) or "none"
            raise UsageError(
                "no-such-extra",
                f"expected an extra {escape_text(name)} in [project.optional-dependencies] of {self._where}, "
                f"found {escape_text(known, 500)}",
            )
        self._steps += 1
        if len(within) >= _DEEPEST or self._steps > _MOST:
            raise _bad(self._where, f"extras that include {_DEEPEST} others in a row, or {_MOST} in all")
        yield from self.expanded(self._optional[key], markers, (*within, key))


def _group(groups: dict[str, object], name: str, where: str) -> Iterator[str]:
    """Yield what a group asks for, each included group once."""
    done: set[str] = set()

    def walk(group: str, within: tuple[str, ...]) -> Iterator[str]:
        key = canonicalize_name(group)
        if key in within:
            raise _bad(where, f"a circle: {' includes '.join((*within, key))}")
        if key not in {canonicalize_name(each) for each in groups}:
            known = escape_text(", ".join(groups) or "none", 500)
            raise UsageError(
                "no-such-group",
                f"expected a group {escape_text(group)} in [dependency-groups] of {where}, found {known}",
            )
        if len(within) >= _DEEPEST:
            raise _bad(where, f"groups that include {_DEEPEST} others in a row")
        if key in done:
            return
        for item in _parsed(groups, key, where):
            if isinstance(item, DependencyGroupInclude):
                yield from walk(item.include_group, (*within, key))
            else:
                yield str(item)
        done.add(key)

    yield from walk(name, ())


def _parsed(
    groups: dict[str, object], name: str, where: str
) -> Sequence[Requirement | DependencyGroupInclude]:
    try:
        return DependencyGroupResolver(groups).lookup(name)  # type: ignore[arg-type]  # it checks them itself
    except ExceptionGroup as err:
        raise _bad(where, "; ".join(str(each) for each in err.exceptions)) from err


def _bad(where: str, found: str) -> UsageError:
    return UsageError(
        "bad-dependency-group",
        f"expected [dependency-groups] (PEP 735) and extras of {where} that name requirements or each other, "
        f"found {escape_text(found, 500)}",
    )
