"""What was found out by looking: claims, but for digests, sizes and what is marked as verified."""

from __future__ import annotations

from datetime import datetime

from pip_warden._sigstore.described import ClaimedCertificate
from pip_warden.artifact.model import Artifact
from pip_warden.faults import Fault
from pip_warden.report.model import Report
from pip_warden.values import dataclass
from pip_warden.verdict.statement import Subject


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimedLogEntry:
    """A log entry, as the evidence tells of it.

    Attributes:
        kind: Kind and version of the entry.
        index: Its global index.
        log: The name of the log, "" where no checkpoint says it.
        log_id: Id of the log in hexadecimal.
        logged_at: When the log says that it took it, None where it does not.
        has_proof: Whether an inclusion proof comes with it.
    """

    kind: str
    index: int
    log: str
    log_id: str
    logged_at: datetime | None
    has_proof: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimedProvenance:
    """What a SLSA predicate says of a build; None for what it does not say.

    Attributes:
        builder: URI of what built it.
        build_type: URI of what its parameters mean.
        sources: What it was built from: each URI with its digest as ``ALGORITHM:VALUE``, "" where none.
        invocation: What ran.
        started_on: When the build started.
        finished_on: When it finished.
    """

    builder: str | None
    build_type: str | None
    sources: tuple[tuple[str, str], ...] = ()
    invocation: str | None = None
    started_on: str | None = None
    finished_on: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimedStatement:
    """An in-toto statement, as it was found.

    Attributes:
        predicate_type: URI of what is said.
        subjects: What it is about.
        annotations: Its annotations, ``(key, text)``.
        provenance: How it was built, where it says so.
    """

    predicate_type: str
    subjects: tuple[Subject, ...]
    annotations: tuple[tuple[str, str], ...] = ()
    provenance: ClaimedProvenance | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ClaimedPiece:
    """A bundle, attestation, signature, certificate, envelope, statement or receipt.

    Attributes:
        label: Where it came from, for people.
        kind: What it is, for people.
        certificate: The certificate in it.
        entry: The log entry in it.
        timestamps: How many RFC 3161 time stamps are in it.
        sha256: The digest, in hexadecimal, of the file that it says to sign or to be of; None for none.
        statement: The statement in it.
        facts: What else it says, ``(name, value)``.
        fault: Why it can be no evidence, None where that takes verification.
        is_verified: Whether it was proved in this call, under a pinned identity, for the file at hand.
    """

    label: str
    kind: str
    certificate: ClaimedCertificate | None = None
    entry: ClaimedLogEntry | None = None
    timestamps: int = 0
    sha256: str | None = None
    statement: ClaimedStatement | None = None
    facts: tuple[tuple[str, str], ...] = ()
    fault: Fault | None = None
    is_verified: bool = False

    @property
    def says_nothing(self) -> bool:
        """Return whether nothing of it could be read."""
        said = (self.certificate, self.entry, self.sha256, self.statement)
        return self.fault is not None and not self.facts and all(each is None for each in said)


@dataclass(frozen=True, kw_only=True, slots=True)
class InspectedFile:
    """A wheel or sdist.

    Attributes:
        filename: Its name.
        artifact: The file; None where it was not fetched.
        fault: Why it was not fetched, or what is wrong with its archive.
        evidence: What was found for it.
        is_verified: Whether it was accepted in this call.
    """

    filename: str
    artifact: Artifact | None
    fault: Fault | None = None
    evidence: tuple[ClaimedPiece, ...] = ()
    is_verified: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Inspection:
    """The result.

    Attributes:
        about: What was asked about, for people: without what may be a secret.
        files: Each wheel and sdist.
        pieces: What is no such file.
        report: The verdicts, where they were asked for.
    """

    about: str
    files: tuple[InspectedFile, ...] = ()
    pieces: tuple[ClaimedPiece, ...] = ()
    report: Report | None = None

    @property
    def all_pieces(self) -> tuple[ClaimedPiece, ...]:
        """Return every piece, those of the files too."""
        return (*self.pieces, *(piece for file in self.files for piece in file.evidence))

    @property
    def is_verified(self) -> bool:
        """Return whether all was accepted, and each piece of it proved: else it is headed as unverified."""
        marks = [each.is_verified for each in self.files] + [each.is_verified for each in self.all_pieces]
        return self.report is not None and self.report.exit_code == 0 and bool(marks) and all(marks)
