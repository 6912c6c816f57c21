"""Names with a syntax: projects, versions and the file names of wheels and sdists.

Each has one parser, so that a type is the proof that the rule was checked. Sources: PEP 503 (normalised
names), PEP 440 (versions), PEP 427 (wheel file names), PEP 625 (sdist file names).
"""

from __future__ import annotations

import math
import re
from typing import Literal, NewType

from packaging.utils import (
    InvalidName,
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import InvalidVersion, Version

from pip_warden.display import without_secrets
from pip_warden.errors import UsageError
from pip_warden.values import dataclass

ProjectName = NewType("ProjectName", str)
"""A PEP 503-normalised project name."""

_SAFE_FILENAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+!-]*", re.ASCII)
_LONGEST_FILENAME = 255
_MOST_TAGS = 256
"""Most compatibility tags of one wheel; real ones have a few, some dozens at most."""


def parse_project_name(text: str) -> ProjectName:
    """Return the PEP 503-normalised form of a project name.

    Raises:
        UsageError: ``invalid-name``: it is not a project name (PEP 508 grammar).
    """
    try:
        return ProjectName(str(canonicalize_name(text, validate=True)))
    except InvalidName as err:
        raise UsageError(
            "invalid-name", f"expected a project name (PEP 508), found {without_secrets(text)!r}"
        ) from err


def parse_version(text: str) -> Version:
    """Return a PEP 440 version.

    Raises:
        UsageError: ``invalid-version``: it is not a PEP 440 version.
    """
    try:
        return Version(text)
    except ValueError as err:  # InvalidVersion, or more digits than Python reads
        raise UsageError(
            "invalid-version", f"expected a PEP 440 version, found {without_secrets(text)!r}"
        ) from err


def parse_release(text: str) -> tuple[ProjectName, Version]:
    """Read ``NAME==VERSION``.

    Raises:
        UsageError: ``version-needed``: there is no ``==``; ``invalid-name``; ``invalid-version``.
    """
    name, equals, version = text.partition("==")
    if not equals:
        raise UsageError("version-needed", f"expected NAME==VERSION, found {without_secrets(text)!r}")
    return parse_project_name(name), parse_version(version)


def parse_name_or_release(text: str) -> tuple[ProjectName, Version | None]:
    """Read ``NAME``, or ``NAME==VERSION``.

    Raises:
        UsageError: ``invalid-name`` or ``invalid-version``.
    """
    name, equals, version = text.partition("==")
    return parse_project_name(name), parse_version(version) if equals else None


@dataclass(frozen=True, kw_only=True, slots=True)
class ArtifactName:
    """The file name of a wheel or sdist, and its parts.

    Attributes:
        filename: The name, unchanged; safe as one path segment.
        project: The normalised project name in it.
        version: The version in it.
        kind: ``"wheel"`` or ``"sdist"``.
        build: The wheel's build tag as text, ``""`` where there is none.
        tags: The wheel's compatibility tags, each ``"py3-none-any"``; empty for an sdist.
    """

    filename: str
    project: ProjectName
    version: Version
    kind: Literal["wheel", "sdist"]
    build: str = ""
    tags: frozenset[str] = frozenset()

    def __str__(self) -> str:
        return self.filename

    @property
    def choice(self) -> tuple[ProjectName, Version, str, str, frozenset[str]]:
        """Return all that an installer chooses a file by, however it is spelled (PEP 503, 440, 427)."""
        return self.project, self.version, self.kind, self.build, self.tags


def _count_tags(filename: str) -> int:
    """Return how many tags a wheel's name expands to (PEP 425, compressed tag sets).

    Each of three parts may list several. They are counted before they are expanded: 255 characters have room
    for 68,921 tags.
    """
    return math.prod(part.count(".") + 1 for part in filename.removesuffix(".whl").split("-")[-3:])


def parse_artifact_name(filename: str) -> ArtifactName:
    """Read the file name of a wheel (PEP 427) or ``.tar.gz`` sdist (PEP 625).

    Legacy forms that installers have to guess (``.zip`` sdists, eggs) are not artifacts here.

    Raises:
        UsageError: ``invalid-filename``: it is neither, or it is not one plain path segment.
    """
    problem = UsageError(
        "invalid-filename", f"expected the file name of a wheel or .tar.gz sdist, found {filename!r}"
    )
    if len(filename) > _LONGEST_FILENAME or not _SAFE_FILENAME.fullmatch(filename):
        raise problem
    try:
        if filename.endswith(".whl"):
            if _count_tags(filename) > _MOST_TAGS:
                raise problem
            name, version, build, tags = parse_wheel_filename(filename)
            return ArtifactName(
                filename=filename,
                project=ProjectName(str(name)),
                version=version,
                kind="wheel",
                build="".join(str(part) for part in build),
                tags=frozenset(str(tag) for tag in tags),
            )
        if filename.endswith(".tar.gz"):
            sdist_name, sdist_version = parse_sdist_filename(filename)
            return ArtifactName(
                filename=filename, project=ProjectName(str(sdist_name)), version=sdist_version, kind="sdist"
            )
    except (InvalidWheelFilename, InvalidSdistFilename, InvalidVersion) as err:
        raise problem from err
    raise problem
