"""The requirements of a run, and the check that there is anything to install."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from packaging.markers import Marker
from packaging.requirements import Requirement

from pip_warden.errors import UsageError
from pip_warden.installer.requirements_file import redact_credentials
from pip_warden.names import ProjectName
from pip_warden.values import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class NamedRequirement:
    """A requirement by name.

    Attributes:
        requirement: The requirement as PEP 508 text.
        project: Its normalised name.
        hashes: Each required ``sha256:…``.
        settings: Each ``--config-settings`` value.
        origin: Where the user wrote it, as pip says it: ``-r FILE (line N)``; ``""``: the command line.
    """

    requirement: str
    project: ProjectName
    hashes: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    origin: str = field(default="", compare=False)

    @property
    def marker(self) -> Marker | None:
        """Its marker, None where it has none."""
        return Requirement(self.requirement).marker

    def rendered(self) -> str:
        """Return it as a line of the file that pip is given."""
        options = [f"--hash={value}" for value in self.hashes]
        options += [f"--config-settings={shlex.quote(value)}" for value in self.settings]
        return " ".join([self.requirement, *options])


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalFile:
    """A local wheel or sdist; it goes through the gate with the evidence next to it.

    ``origin`` is as in :class:`NamedRequirement`.
    """

    path: Path
    extras: str = ""
    origin: str = field(default="", compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class LocalProject:
    """A project directory: the user's own code. ``origin`` is as in :class:`NamedRequirement`."""

    path: Path
    extras: str = ""
    editable: bool = False
    origin: str = field(default="", compare=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """All requirements of a run.

    Attributes:
        named: Requirements by name.
        files: Local wheels and sdists.
        projects: Local project directories.
        constraints: Constraints.
        options: Options that requirements files set for the whole run.
        notes: What was dropped, for people.
    """

    named: tuple[NamedRequirement, ...] = ()
    files: tuple[LocalFile, ...] = ()
    projects: tuple[LocalProject, ...] = ()
    constraints: tuple[NamedRequirement, ...] = ()
    options: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def render(named: Iterable[NamedRequirement]) -> str:
    """Return requirements as the content of the file that pip is given."""
    return "".join(f"{item.rendered()}\n" for item in named)


def check_wanted(
    wanted: Wanted, environment: Callable[[], Mapping[str, str]], *, build: Iterable[NamedRequirement] = ()
) -> None:
    """Check that there is something to install in the target, and that every marker can be evaluated there.

    Args:
        wanted: All requirements.
        environment: Asks the target for its values of marker variables (PEP 508); called only if there is a
            marker.
        build: Constraints on build dependencies.

    Raises:
        UsageError: ``nothing-to-install``: there is no requirement, or every marker is false;
            ``bad-requirement``: a marker cannot be evaluated.
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
        listed = ", ".join(redact_credentials(named.requirement) for named in wanted.named[:5])
        raise nothing_wanted(f"only requirements whose marker is false here: {listed}")


def nothing_wanted(found: str) -> UsageError:
    """Make the error for a run in which nothing would be judged: that is never a success."""
    return UsageError(
        "nothing-to-install",
        f"expected something to install, found {found}",
        hint="Name a package, or -r FILE. Markers are evaluated for the Python "
        "that is installed into (--python).",
    )


def _holds(named: NamedRequirement, marker: Marker, environment: Mapping[str, str]) -> bool:
    try:
        return marker.evaluate({**environment, "extra": ""})
    except (ValueError, KeyError, RecursionError) as err:
        raise UsageError(
            "bad-requirement",
            f"expected a marker that can be evaluated (PEP 508), "
            f"found {redact_credentials(named.requirement)}",
            hint="Versions are compared with versions, and everything else "
            'with == and !=, or "in" and "not in".',
        ) from err
