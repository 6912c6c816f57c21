"""What was asked for, and whether that is anything at all where it is to be installed."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement

from pip_warden.errors import UsageError
from pip_warden.installer.requirements_file import displayed
from pip_warden.names import ProjectName


@dataclass(frozen=True, kw_only=True, slots=True)
class Named:
    """A requirement by name.

    Attributes:
        requirement: It, as PEP 508 text.
        project: Its normalised name.
        hashes: Each ``sha256:…`` demanded.
        settings: Each ``--config-settings`` value.
    """

    requirement: str
    project: ProjectName
    hashes: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()

    @property
    def marker(self) -> Marker | None:
        """Return where it is wanted, None where everywhere."""
        return Requirement(self.requirement).marker

    def rendered(self) -> str:
        """Spell it for pip."""
        options = [f"--hash={value}" for value in self.hashes]
        options += [f"--config-settings={shlex.quote(value)}" for value in self.settings]
        return " ".join([self.requirement, *options])


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalFile:
    """A wheel or sdist that the user has; it goes through the gate with the evidence beside it."""

    path: Path
    extras: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalProject:
    """A project directory: the user's own code."""

    path: Path
    extras: str = ""
    editable: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Everything that was asked for.

    Attributes:
        named: Requirements by name.
        files: Local wheels and sdists.
        projects: Local project directories.
        constraints: Constraints.
        options: Options that requirements files set for the whole run.
        notes: What was dropped, for people.
    """

    named: tuple[Named, ...] = ()
    files: tuple[LocalFile, ...] = ()
    projects: tuple[LocalProject, ...] = ()
    constraints: tuple[Named, ...] = ()
    options: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def render(named: Iterable[Named]) -> str:
    """Spell requirements as the file that pip is given."""
    return "".join(f"{item.rendered()}\n" for item in named)


def check_wanted(
    wanted: Wanted, environment: Callable[[], Mapping[str, str]], *, build: Iterable[Named] = ()
) -> None:
    """Check that something is wanted where it is to be installed, and that every marker can be evaluated there.

    Args:
        wanted: Everything that was asked for.
        environment: Asks the target for the values of markers (PEP 508); only where there is a marker.
        build: Constraints on build dependencies.

    Raises:
        UsageError: ``nothing-to-install``: nothing was asked for, or every marker is false; ``bad-requirement``: nobody can say whether a marker is true.
    """
    if not (wanted.named or wanted.files or wanted.projects):
        raise nothing_wanted("no requirement at all")
    every = (*wanted.named, *wanted.constraints, *build)
    marked = {named: marker for named in every if (marker := named.marker) is not None}
    if not marked:
        return
    values = environment()
    not_wanted = {named for named, marker in marked.items() if not _holds(named, marker, values)}
    if not wanted.files and not wanted.projects and not_wanted.issuperset(wanted.named):
        listed = ", ".join(displayed(named.requirement) for named in wanted.named[:5])
        raise nothing_wanted(f"only requirements whose marker is false here: {listed}")


def nothing_wanted(found: str) -> UsageError:
    """Make the error for a run in which nothing would be judged: that is never a success."""
    return UsageError(
        "nothing-to-install",
        f"expected something to install, found {found}",
        hint="Name a package, or -r FILE. Markers are evaluated for the Python that is installed into (--python).",
    )


def _holds(named: Named, marker: Marker, environment: Mapping[str, str]) -> bool:
    try:
        return marker.evaluate({**environment, "extra": ""})
    except (ValueError, KeyError, RecursionError) as err:
        raise UsageError(
            "bad-requirement",
            f"expected a marker that can be evaluated (PEP 508), found {displayed(named.requirement)}",
            hint='Versions are compared with versions, and everything else with == and !=, or "in" and "not in".',
        ) from err
