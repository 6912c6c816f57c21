"""What the document of ``inspect`` holds, as types; see :mod:`pip_warden.report.shapes`."""

from __future__ import annotations

from typing import NotRequired, TypedDict

from pip_warden.report.command_shapes import MirrorShape, UnpinnedShape
from pip_warden.report.shapes import FileShape


class PairShape(TypedDict):
    """A name, and what is said under it."""

    name: str
    value: str


class FoundFault(TypedDict):
    """Why something can be no evidence, or was not read."""

    code: str
    expected: str
    found: str


class SaidCertificate(TypedDict):
    """What a certificate says."""

    sha256: str
    subjects: list[str]
    issuer: str | None
    claims: list[PairShape]
    issued_by: str
    serial: str
    not_before: str
    not_after: str


class SaidLogEntry(TypedDict):
    """What evidence tells of its log entry."""

    kind: str
    index: int
    log: str | None
    log_id: str
    logged_at: str | None
    has_proof: bool


class SaidSubject(TypedDict):
    """What a statement is about."""

    name: str | None
    sha256: str | None
    others: list[PairShape]


class SaidSource(TypedDict):
    """What something was built from."""

    uri: str
    digest: str | None


class SaidProvenance(TypedDict):
    """What a SLSA predicate says of a build; null for what it does not say."""

    builder: str | None
    build_type: str | None
    sources: list[SaidSource]
    invocation: str | None
    started_on: str | None
    finished_on: str | None


class SaidStatement(TypedDict):
    """What an in-toto statement says."""

    predicate_type: str
    subjects: list[SaidSubject]
    annotations: list[PairShape]
    provenance: SaidProvenance | None


class SaidPiece(TypedDict):
    """A bundle, attestation, signature, certificate, envelope, statement or receipt.

    Attributes:
        verified: Whether it was proved in this very call, for the file at hand.
    """

    evidence: str
    kind: str
    verified: bool
    certificate: SaidCertificate | None
    log_entry: SaidLogEntry | None
    timestamps: int
    sha256: str | None
    statement: SaidStatement | None
    facts: list[PairShape]
    fault: FoundFault | None


class SaidMetadata(TypedDict):
    """What an archive says of itself."""

    name: str
    version: str
    requires_python: str | None
    requires: list[str]
    build_requires: list[str]
    tags: list[str]


class SaidFile(TypedDict):
    """A wheel or sdist, with what was found for it.

    Attributes:
        verified: Whether it was accepted in this very call.
    """

    file: str
    verified: bool
    sha256: NotRequired[str]
    size: NotRequired[int]
    metadata: NotRequired[SaidMetadata]
    evidence: list[SaidPiece]
    fault: FoundFault | None


class SaidShape(TypedDict):
    """What was found by looking; and with --verify what a report says, too.

    Attributes:
        verified: Whether all of it was proved in this very call.
        about: What was asked about, without what may let somebody in.
    """

    verified: bool
    about: str
    inspected_files: list[SaidFile]
    inspected_evidence: list[SaidPiece]
    trust_file: NotRequired[str | None]
    target: NotRequired[str | None]
    installer_exit_code: NotRequired[int | None]
    files: NotRequired[list[FileShape]]
    unpinned: NotRequired[list[UnpinnedShape]]
    mirrors: NotRequired[list[MirrorShape]]
    warnings: NotRequired[list[str]]
