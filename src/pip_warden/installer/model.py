"""The interface between the loopback server and the gate."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pip_warden.names import ProjectName
from pip_warden.values import dataclass

if TYPE_CHECKING:
    from pip_warden.index.candidate import Candidate
    from pip_warden.installer.connection import Request, Response


@dataclass(frozen=True, kw_only=True, slots=True)
class ListedFile:
    """One file of a page, as shown to an installer.

    Attributes:
        filename: File name.
        sha256: The digest claimed or pinned for it, ``""`` where there is none; the installer checks it.
        yanked: None where not yanked, else the reason, which may be empty.
        upload_time: ISO 8601, UTC; None where unknown.
        size: Bytes; None where unknown.
        url: Where its registry has it, without a fragment.
    """

    filename: str
    sha256: str
    yanked: str | None = None
    upload_time: str | None = None
    size: int | None = None
    url: str = ""

    @classmethod
    def of(cls, candidate: Candidate) -> ListedFile:
        """Return an index page's entry, as an installer is to see it."""
        digest, uploaded = candidate.claimed_sha256, candidate.claimed_upload_time
        return cls(
            filename=candidate.name.filename,
            sha256="" if digest is None else digest.hex,
            yanked=candidate.claimed_yanked,
            upload_time=None if uploaded is None else uploaded.isoformat().replace("+00:00", "Z"),
            size=candidate.claimed_size,
            url=candidate.url,
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class ServedFile:
    """A sealed file.

    Attributes:
        metadata: Its core metadata, which is all that most requests are for.
        hand_over: Puts it where the server may read it, hashed once more.
    """

    metadata: bytes
    hand_over: Callable[[], Path]

    @property
    def path(self) -> Path:
        """Return where the server may read the file, handed over now.

        Raises:
            RefusedError: Its bytes are no longer those that were judged.
            UndecidedError: There is no space left for it.
        """
        return self.hand_over()


@dataclass(frozen=True, kw_only=True, slots=True)
class LinkRequest:
    """A requirement with a link that is not the index's.

    Attributes:
        name: Its name, ``""`` where only the link is known.
        url: Where it leads.
        wanted_by: What requires it, ``""`` where unknown.
    """

    name: str
    url: str
    wanted_by: str


@dataclass(frozen=True, kw_only=True, slots=True)
class PlannedInstall:
    """One distribution that is about to be installed.

    Attributes:
        name: Its project, as its metadata spells it.
        version: Its version.
        source: The URL that it comes from: a wheel, or what the wheel was built from.
        wheel: The wheel.
    """

    name: str
    version: str
    source: str
    wheel: Path


class Backend(Protocol):
    """The gate, as seen by the server. Every method raises RefusedError or UndecidedError."""

    def page(self, project: ProjectName) -> tuple[ListedFile, ...]:
        """List a project's files that may be requested."""

    def file(self, project: ProjectName, filename: str) -> ServedFile:
        """Fetch, judge and seal a file."""

    def sent(self, filename: str) -> None:
        """Remember that the installer takes a whole file, and not only its metadata."""

    def carried(self, size: int) -> None:
        """Count the bytes of a piece of an answer's body that is about to be sent."""

    def link(self, asked: LinkRequest) -> str:
        """Allow a link that is not the index's, and return the URL to record for it (PEP 610)."""

    def plan(self, items: tuple[PlannedInstall, ...]) -> None:
        """Check everything that is about to be installed."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FileQuestion:
    """A file that was asked for by its URL at a registry.

    Attributes:
        filename: The last segment of its path, decoded; without ``.metadata``.
        url: The whole URL, without a fragment and without ``.metadata``.
        sha256: The digest that its path has, ``""`` where a registry's paths have none.
    """

    filename: str
    url: str
    sha256: str = ""


class RegistryBackend(Protocol):
    """The gate, as seen by who asks for the registries' own paths.

    Every method raises RefusedError or UndecidedError: the run is ended then. None means that there is
    nothing here: the tool may look at its next index.
    """

    def page_at(
        self, project: ProjectName, source: str, registry: str | None, group: str | None = None
    ) -> tuple[ListedFile, ...] | None:
        """List a project's files as its source has them.

        Args:
            project: The project.
            source: Name of the source whose page is asked for.
            registry: Path or id of the project in whose registry it is looked for; None for a group's, or for
                an index that has no projects.
            group: Path or id of the group in whose registry it is looked for: its files are listed there.

        Returns:
            The files; None where the project is pinned to another place.
        """

    def file_at(self, asked: FileQuestion) -> ServedFile | None:
        """Fetch, judge and seal a file that a listing names, or a lock."""

    def release_at(self, project: ProjectName, version: str, source: str) -> ReleaseFacts | None:
        """Return what judged files say of a release (PyPI's JSON API)."""

    def sent(self, filename: str) -> None:
        """Remember that the tool takes a whole file, and not only its metadata."""

    def carried(self, size: int) -> None:
        """Count the bytes of a piece of an answer's body that is about to be sent."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ReleaseFacts:
    """A release, as judged files describe it.

    Attributes:
        name: Its project, normalised.
        version: Its version, as its page has it.
        requires_dist: Its requirements, of one judged wheel; None where it has none: those of an sdist may be
            others when it is built.
        requires_python: ``Requires-Python`` of a judged file, None where absent.
        summary: ``Summary`` of the same, ``""`` where absent.
        files: The files of the release that may be requested.
    """

    name: ProjectName
    version: str
    requires_dist: tuple[str, ...] | None
    requires_python: str | None
    summary: str
    files: tuple[ListedFile, ...]


class RegistryAnswers(Protocol):
    """What is answered in place of registries, as seen by the server."""

    @property
    def origins(self) -> frozenset[str]:
        """Return the origins that are answered for: ``https://gitlab.example.com:8443``."""

    def has(self, url: str) -> bool:
        """Return whether a URL is one of theirs."""

    def answer(self, request: Request) -> Response | None:
        """Answer a request for such a URL; None where nothing is ever asked so.

        Raises:
            WardenError: The run is to be ended.
        """
