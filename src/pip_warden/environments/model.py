"""What is installed in a Python environment, and how it compares with what was accepted."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from pip_warden.digests import Digest
from pip_warden.faults import Fault
from pip_warden.names import ArtifactName
from pip_warden.values import dataclass, field


@dataclass(frozen=True, kw_only=True, slots=True)
class InstalledDistribution:
    """A distribution in a directory of packages (PyPA specification "Recording installed projects").

    Attributes:
        site: The directory of packages: ``…/site-packages``.
        folder: Name of its directory there: ``acme_widgets-1.0.dist-info``.
        name: Its project, as METADATA spells it; the folder's where that cannot be read.
        version: Its version, as METADATA spells it; the folder's where that cannot be read.
        state: SHA-256 over its RECORD, METADATA and ``direct_url.json``: it differs as soon as one does.
        stamps: By key (:meth:`SiteLayout.key`) size, times and number of the files that its RECORD names.
    """

    site: Path
    folder: str
    name: str
    version: str
    state: Digest
    stamps: Mapping[str, tuple[int, ...]] = field(default_factory=dict, compare=False, repr=False)

    @property
    def subject(self) -> str:
        """Return its name and version, for people."""
        return f"{self.name} {self.version}"

    @property
    def release(self) -> tuple[str, Version] | None:
        """Return its normalized name (PEP 503) and version (PEP 440); None where they are none."""
        try:
            return str(canonicalize_name(self.name)), Version(self.version)
        except (InvalidVersion, ValueError):
            return None

    def is_of(self, archive: ArtifactName) -> bool:
        """Return whether it is of an archive's release."""
        return self.release == (archive.project, archive.version)


@dataclass(frozen=True, kw_only=True, slots=True)
class Snapshot:
    """What is installed in some environments at one time.

    Attributes:
        sites: The directories of packages that were there.
        distributions: What is in them, by directory and folder.
        unowned: What lies beside them, or among an environment's scripts, and no RECORD names, and a virtual
            environment's ``pyvenv.cfg``: path and state (SHA-256; of a directory that of the names and sizes
            in it).
    """

    sites: tuple[Path, ...] = ()
    distributions: tuple[InstalledDistribution, ...] = ()
    unowned: tuple[tuple[Path, Digest], ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class AcceptedArchive:
    """A file that was accepted in this run, with the run's own copy of it.

    Attributes:
        name: Its name.
        digest: The digest that was judged.
        path: The private copy that was judged.
    """

    name: ArtifactName
    digest: Digest
    path: Path


class Likeness(StrEnum):
    """How something that an installer changed compares with what was accepted."""

    SAME = "as accepted"
    BUILT = "built from an accepted sdist, not comparable"
    LOCAL = "the user's own project"
    PRESENT = "present, not verified"
    """It was there before, and there is nothing to compare it with."""
    OTHER = "not through the gate"


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """What an installer changed, compared.

    Attributes:
        subject: ``acme-widgets 1.0``, or the path of what no distribution has.
        likeness: The result.
        fault: What differs, where it is not through the gate: code ``not-through-gate``; of what was there
            before ``changed-after-install`` or ``receipt-differs``.
        distribution: The distribution; None of what no distribution has.
        archive: What it is as, or the one sdist that it can be built from; None where there is none.
    """

    subject: str
    likeness: Likeness
    fault: Fault | None = None
    distribution: InstalledDistribution | None = field(default=None, compare=False, repr=False)
    archive: AcceptedArchive | None = field(default=None, compare=False, repr=False)
