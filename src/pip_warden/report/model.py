"""What a run reports: one line for every file, and what else a reader must know."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from enum import StrEnum
from typing import Literal, NoReturn

from pip_warden.errors import UndecidedError, WardenError
from pip_warden.faults import Fault
from pip_warden.names import ArtifactName
from pip_warden.oci.names import ImageReference
from pip_warden.trust.model import RootPin, Source
from pip_warden.values import dataclass
from pip_warden.verdict.judged import JudgedImage
from pip_warden.verdict.model import Accepted, AcceptedImage, Refused, Step, StepFailure, VerdictError


class Outcome(StrEnum):
    """How a run ended for one file (design decision D11)."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNDECIDED = "undecided"
    LOCAL = "local"
    """The user's own project directory: allowed, not judged."""
    PRESENT = "present, not verified"
    """Already installed before the run."""
    EARLIER = "verified earlier, unchanged"
    """Already installed, from an archive that was judged again: every file is as it brings it."""
    BUILT = "built from a verified sdist, not comparable"
    """Already installed, and its sdist was judged again; what a build makes of it cannot be compared."""
    PINNED = "pinned"
    """Pinned by this run, which was shown who publishes it or what it is; nothing was accepted."""
    PINNED_BEFORE = "pinned already"
    """In the trust file before the run, which did not look at it."""
    NOT_JUDGED = "not judged"
    """The run ended before it."""


BAD = frozenset({Outcome.REFUSED, Outcome.UNDECIDED})
"""What keeps a run from being a success."""

VERIFIED = frozenset({Outcome.ACCEPTED, Outcome.EARLIER})
"""What was accepted in this run, whenever it was installed; with a line's verdict, where there is a pin."""

PINS = frozenset({Outcome.PINNED, Outcome.PINNED_BEFORE})
"""What is in the trust file when the run has ended, and says nothing of any file."""

UNVERIFIED = frozenset({Outcome.PRESENT, Outcome.BUILT})
"""What was there before, and is not known to be what was accepted: ``--strict`` refuses it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Unpinned:
    """A name that the trust file does not know, and who wanted it."""

    project: str
    wanted_by: str
    requirement: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Place:
    """A line of a file of the user's: where a package was asked for, or is pinned.

    Attributes:
        path: The file, as the user named it or as it was found.
        line: Its line, from 1.
        text: What it says there: the requirement; ``""`` where nobody looked.
    """

    path: str
    line: int
    text: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One file or image of a run.

    Attributes:
        subject: File name, or project name where there is no file; an image with its digest.
        outcome: How the run ended for it.
        sha256: Digest of the bytes judged, ``""`` where there are none.
        source: Name of its source, ``""`` for a local file.
        verdict: The verdict, for judged files.
        undecided: Why nothing could be said, for undecided ones.
        early: Why it was refused where no file was judged: an index and a lock that disagree; or why it
            could not be asked about, where the request is wrong.
        note: One more thing to know.
        image: The image that the line is about, with the digest that was judged, if any was; None for a file.
        url: Where its source has it, without credentials, query and fragment; ``""`` where that is unknown.
    """

    subject: str
    outcome: Outcome
    sha256: str = ""
    source: str = ""
    verdict: Accepted | AcceptedImage | Refused | None = None
    undecided: UndecidedError | None = None
    early: WardenError | None = None
    note: str = ""
    image: ImageReference | None = None
    url: str = ""

    @property
    def code(self) -> str:
        """Return the code of a refusal or of what could not be decided, ``""`` for anything else."""
        if isinstance(self.verdict, Refused):
            return self.verdict.code
        return self.unjudged.code if self.unjudged is not None else ""

    @property
    def unjudged(self) -> WardenError | None:
        """Return the error of what is refused or undecided without a verdict, None for anything else."""
        return self.undecided or self.early

    @property
    def accepted_name(self) -> ArtifactName | None:
        """Return the parsed name of an accepted file."""
        return self.verdict.artifact.name if isinstance(self.verdict, Accepted) else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Report:
    """A whole run.

    Attributes:
        command: The command's name.
        exit_code: What the process exits with.
        lines: Every file, or image.
        unpinned: Every unpinned name known when the run ended.
        warnings: What the user should look at.
        target: The Python installed into, ``""`` where nothing is installed.
        trust_file: The trust file used, ``""`` for a command-line identity.
        installer_code: The installer's own exit code, None where none ran.
        error: What ended the run, where no line says it.
        sources: The trust file's sources, for the commands that are suggested, and with the mirrors in use.
        roots: The trust file's trusted roots: each was used only with the digest that is pinned.
        with_statements: Whether it is said what signed statements say.
        with_successes: Whether it is said what was checked and passed.
        about: What its lines are about.
        places: Where each project was asked for, by its normalized name: in a requirements file or a lock.
        done: What was done besides, or would be: what became of something (``uploaded``), and its name.
    """

    command: str
    exit_code: int
    lines: tuple[Line, ...] = ()
    unpinned: tuple[Unpinned, ...] = ()
    warnings: tuple[str, ...] = ()
    target: str = ""
    trust_file: str = ""
    installer_code: int | None = None
    error: WardenError | None = None
    sources: tuple[Source, ...] = ()
    roots: tuple[RootPin, ...] = ()
    with_statements: bool = False
    with_successes: bool = False
    about: Literal["files", "images"] = "files"
    places: tuple[tuple[str, Place], ...] = ()
    done: tuple[tuple[str, str], ...] = ()

    @property
    def mirrors(self) -> tuple[tuple[str, str], ...]:
        """Return each source whose pages and files come from a mirror, with the mirror's URL.

        One of which nothing was asked is left out; of what failed before its source was known, all are told.
        """
        is_unknown = any(not line.source and line.outcome in BAD for line in self.lines)
        used = {line.source for line in self.lines}
        return tuple(
            (source.name, source.mirror)
            for source in self.sources
            if source.mirror is not None and (is_unknown or source.name in used)
        )

    def __bool__(self) -> NoReturn:
        """A report is not a truth value: look at its exit code."""
        raise TypeError("a report has no truth value; only exit_code 0 is a success")


def line_of(verdict: Accepted | Refused, *, source: str = "", sha256: str = "") -> Line:
    """Make the line of a judged file."""
    match verdict:
        case Accepted(artifact=artifact):
            return Line(
                subject=artifact.name.filename,
                outcome=Outcome.ACCEPTED,
                sha256=artifact.digest.hex,
                source=source,
                verdict=verdict,
            )
        case Refused(subject=subject):
            return Line(
                subject=subject, outcome=Outcome.REFUSED, sha256=sha256, source=source, verdict=verdict
            )


def refused_line(subject: str, fault: Fault) -> Line:
    """Make the line of what did not come from where the trust file says: step 2, and no file was judged."""
    return line_of(Refused(subject=subject, failure=StepFailure(Step.ORIGIN, fault)))


def image_line(
    image: JudgedImage | ImageReference, verdict: AcceptedImage | Refused | UndecidedError, note: str = ""
) -> Line:
    """Make the line of an image, judged or not.

    Args:
        image: The image that was judged; or how it was named, where it was not even fetched.
        verdict: The verdict, or why there is none.
        note: One more thing to know.
    """
    sha256, name = ("", image) if isinstance(image, ImageReference) else (image.digest.hex, image.name)
    line = Line(subject=str(name), outcome=Outcome.UNDECIDED, sha256=sha256, note=note, image=name)
    match verdict:
        case AcceptedImage():
            return replace(line, outcome=Outcome.ACCEPTED, verdict=verdict)
        case Refused():
            return replace(line, outcome=Outcome.REFUSED, verdict=verdict)
        case _:
            return replace(line, undecided=verdict)


def error_line(subject: str, error: WardenError, *, source: str = "") -> Line:
    """Make the line of what an error says: its verdict's, where it has one."""
    match error:
        case VerdictError(refused=refused):
            return line_of(refused, source=source)
        case UndecidedError():
            return Line(subject=subject, outcome=Outcome.UNDECIDED, source=source, undecided=error)
        case _:
            return Line(subject=subject, outcome=Outcome.REFUSED, source=source, early=error)


def undecided_line(name: ArtifactName | str, error: UndecidedError) -> Line:
    """Make the line of a file or page nothing could be said about."""
    return Line(subject=str(name), outcome=Outcome.UNDECIDED, undecided=error)


def unsaid(error: WardenError | None, lines: Iterable[Line]) -> WardenError | None:
    """Return the error that ended a run; None where there is none, or a line says it already."""
    return None if error is None or error.code in {line.code for line in lines} else error
