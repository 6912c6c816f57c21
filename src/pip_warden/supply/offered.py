"""What a program offers in place of the trust file's sources. Nothing of it is believed.

Its bytes are hashed, read and judged as ever.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol

from pip_warden.artifact.limits import CHUNK
from pip_warden.artifact.model import Artifact
from pip_warden.artifact.receive import receive
from pip_warden.digests import Digest, Hasher
from pip_warden.display import escape_text
from pip_warden.errors import NetworkError, RefusedError, UndecidedError, UsageError
from pip_warden.evidence.model import BadItem, Item
from pip_warden.evidence.offered import read_offered
from pip_warden.index.candidate import Candidate, IndexPage
from pip_warden.measures import UNMEASURED, Measures
from pip_warden.names import ArtifactName, ProjectName, parse_artifact_name
from pip_warden.supply.ahead import Background
from pip_warden.supply.model import LARGEST_FILE
from pip_warden.supply.own_page import own_page
from pip_warden.trust.model import Entry, IdentityEntry, Probe, TrustFile
from pip_warden.values import dataclass

_MOST_FILES = 100_000
"""Names on one page; the largest projects have some ten thousand."""


class Supply(Protocol):
    """A source of files of one's own: a directory, a bucket, a mirror. It proves nothing.

    Methods may be called from several threads at once. What one raises, but for errors of this package, is
    ``supply-failed``: undecided.
    """

    def page(self, project: str, /) -> Iterable[str]:
        """Return the names of the wheels and sdists of a project; none where there is none.

        Args:
            project: The project's normalised name.
        """
        ...

    def file(self, filename: str, /) -> BinaryIO:
        """Open a file for reading, from its beginning; it is closed when it was read.

        Args:
            filename: A name that :meth:`page` returned.
        """
        ...

    def evidence(self, filename: str, sha256: str, /) -> Iterable[bytes]:
        """Return what speaks for a file: Sigstore bundles, PEP 740 attestations or provenance objects.

        Args:
            filename: The file's name.
            sha256: The digest of the bytes that :meth:`file` gave, in hexadecimal.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class _Taken:
    """What was read of a file."""

    digest: Digest
    size: int


class OfferedSupply:
    """Asks a caller's supply, and tells the gate.

    What comes from there has no page of the pinned source: it is listed on an
    :func:`~pip_warden.supply.own_page.own_page`, as what the vault holds is.

    Args:
        offered: The caller's supply.
        trust: The trust file.
        measures: Told what files cost.
    """

    def __init__(self, offered: Supply, *, trust: TrustFile, measures: Measures = UNMEASURED) -> None:
        self._measures = measures
        self._offered = offered
        self._trust = trust

    def page(self, project: ProjectName, entry: Entry | Probe) -> IndexPage:
        """List what is offered of a project.

        Raises:
            UndecidedError: ``supply-failed``.
        """
        source = self._trust.source(entry.source)
        names, ignored = self._names(project)
        return own_page(project, source, entry, [(name, None) for name in names], ignored)

    def receive(self, candidate: Candidate, directory: Path) -> Artifact:
        """Copy a file into a private directory, hash it on the way, and inspect the copy.

        Raises:
            UndecidedError: ``supply-failed``, or ``too-large``, or ``cannot-store``.
        """
        return receive(candidate, self._copy, directory, max_bytes=LARGEST_FILE, measures=self._measures)

    def expect_evidence(
        self, candidate: Candidate, entry: IdentityEntry | Probe, background: Background
    ) -> None:
        """Do nothing: it is asked for when it is needed."""

    def evidence(
        self,
        candidate: Candidate,
        artifact: Artifact,
        entry: IdentityEntry | Probe,  # noqa: ARG002 -- the protocol's
    ) -> Iterator[Item | BadItem]:
        """Read what is offered for a file, one item after the other, each when it is asked for.

        Raises:
            UndecidedError: ``supply-failed``.
        """
        name = candidate.name.filename
        with _asked(f"the evidence of {name}"):
            offered = iter(self._offered.evidence(name, artifact.digest.hex))
        return read_offered(_each(offered, f"the evidence of {name}"))

    def _names(self, project: ProjectName) -> tuple[list[ArtifactName], tuple[tuple[str, str], ...]]:
        with _asked(f"the files of {project}"):
            listed = _listed(self._offered.page(str(project)))
        names, ignored = [], []
        for name in dict.fromkeys(listed):
            try:
                names.append(parse_artifact_name(name))
            except UsageError as err:
                ignored.append((name, err.message))
        return names, tuple(ignored)

    def _copy(self, url: str, *, to: BinaryIO, max_bytes: int, label: str) -> _Taken:  # noqa: ARG002 -- has no URL
        what = f"the file {label}"
        hasher, size = Hasher(), 0
        with _opened(partial(self._offered.file, label), what) as stream:
            while piece := _piece(stream, what):
                size += len(piece)
                if size > max_bytes:
                    raise NetworkError(
                        "too-large", f"expected at most {max_bytes} bytes of {label}, found more"
                    )
                hasher.update(piece)
                to.write(piece)
        return _Taken(digest=hasher.digest(), size=size)


def _listed(names: Iterable[object]) -> list[str]:
    if isinstance(names, str):
        raise TypeError("a page is str, not several of them")
    listed: list[str] = []
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"a file name is {type(name).__name__}, not str")
        if len(listed) == _MOST_FILES:
            raise ValueError(f"a page has more than {_MOST_FILES} names")
        listed.append(name)
    return listed


@contextmanager
def _opened(open_file: Callable[[], BinaryIO], what: str) -> Iterator[BinaryIO]:
    with _asked(what):
        stream = open_file()
    try:
        yield stream
    finally:
        with _asked(what):
            stream.close()


def _piece(stream: BinaryIO, what: str) -> bytes:
    with _asked(what):
        piece = stream.read(CHUNK)
        if not isinstance(piece, bytes):
            raise TypeError(f"read() returned {type(piece).__name__}, not bytes")
        return piece


def _each(offered: Iterator[bytes], what: str) -> Iterator[bytes]:
    while True:
        with _asked(what):
            try:
                item = next(offered)
            except StopIteration:
                return
            if not isinstance(item, bytes):
                raise TypeError(f"an item is {type(item).__name__}, not bytes")
        yield item


@contextmanager
def _asked(what: str) -> Iterator[None]:
    """Convert whatever a caller's supply raises: it could not be told, which is never a yes.

    Raises:
        UndecidedError: ``supply-failed``.
    """
    try:
        yield
    except (RefusedError, UndecidedError):
        raise
    except Exception as err:
        raise UndecidedError(
            "supply-failed",
            f"expected {what} from the caller's supply, "
            f"found {type(err).__name__}: {escape_text(str(err), 200)}",
            hint="The error that it raised is this one's __cause__.",
        ) from err
