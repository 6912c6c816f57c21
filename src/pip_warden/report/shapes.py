"""What documents in JSON hold, as types: ``docs/report.schema.json`` is made of them.

Nothing is imported from here where a document is written: tests hold each against the schema, and no key may
be there that is not described here. What is in ``snake_case`` and may be absent is ``NotRequired``. Foreign
text is what it was, never shortened or escaped but as JSON does it.
"""

from __future__ import annotations

from typing import Literal, NotRequired, TypedDict

Outcomes = Literal[
    "accepted",
    "refused",
    "undecided",
    "local",
    "present_not_verified",
    "verified_earlier_unchanged",
    "built_from_a_verified_sdist_not_comparable",
    "pinned",
    "pinned_already",
    "not_judged",
]


class ToolShape(TypedDict):
    """What printed the document."""

    name: Literal["pip-warden"]
    version: str | None


class FaultShape(TypedDict):
    """One fault of a trust file.

    Attributes:
        path: Where in the file: package[3].identity[0].issuer.
        message: What is wrong.
    """

    path: str
    message: str


class ErrorShape(TypedDict):
    """What ended a run.

    Attributes:
        code: Stable, explained by `pip-warden explain CODE`.
        message: What was expected and what was found.
        hint: What to do next.
        faults: Every fault of a trust file; empty for other errors.
    """

    code: str
    message: str
    hint: str | None
    faults: list[FaultShape]


class Envelope(TypedDict):
    """What every document has, however the command ended.

    Attributes:
        schema_version: Another number where a key is removed or changes its meaning. Keys may be added.
        command: The command without the program's name; pip-warden where none of its commands was typed.
        exit_code: 0 ok; 1 refused; 2 usage; 3 undecided; 4 the installer or the delivery failed; 70 a bug;
            129, 130, 143 ended by a signal.
        error: What ended the run; null where nothing did, or where each file says it.
    """

    schema_version: Literal[1]
    tool: ToolShape
    command: str
    exit_code: int
    error: ErrorShape | None


class PlaceShape(TypedDict):
    """Where a package was asked for.

    Attributes:
        text: The requirement, its URLs without what lets somebody in; null where it was not looked up.
        path: The requirements file or lock.
        line: Its line, from 1.
    """

    text: str | None
    path: str
    line: int


class HashBasisShape(TypedDict):
    """Accepted for its digest: what it is, not who published it.

    Attributes:
        reason: Why it is exempt, as the trust file says.
        expires: The last day, where it has one.
    """

    basis: Literal["hash"]
    reason: str
    expires: NotRequired[str]


class IdentityBasisShape(TypedDict):
    """Accepted for who published it; all of it is proved.

    Attributes:
        evidence: The label of what proved it.
        root: The name of the trusted root.
        signed_at: Begin of the certificate's validity.
        log_index: Of the transparency log's entry.
        claims: The certificate's claims, by name.
    """

    basis: Literal["identity"]
    evidence: str
    form: str
    root: str
    issuer: str
    subject: str
    signed_at: str
    log_index: int
    claims: dict[str, str]


class ItemShape(TypedDict):
    """A piece of evidence that is not good, and why.

    Attributes:
        step: The step of the verdict, from 1 to 10.
    """

    evidence: str
    form: str
    step: int
    code: str
    expected: str
    found: str


class RefusalShape(TypedDict):
    """Why a file or an image was refused.

    Attributes:
        code: Stable, explained by `pip-warden explain CODE`.
        did_you_mean: Names that are near to what is not known.
        step: The step of the verdict that said no, from 1 to 10.
    """

    code: str
    did_you_mean: list[str]
    step: int
    step_name: str
    expected: str
    found: str
    hint: str | None


class DoubtShape(TypedDict):
    """Why there is no verdict."""

    code: str
    message: str
    hint: str | None


class PassedShape(TypedDict):
    """A check that passed."""

    step: int
    step_name: str
    found: str


class ProvenanceShape(TypedDict):
    """How it was built: what begins with claimed is only the statement's own word.

    Attributes:
        left_out: Keys whose value was too long, and is null here.
    """

    build_type: str | None
    builder_id: str | None
    source_repository: str | None
    source_revision: str | None
    source_ref: str | None
    build_trigger: str | None
    config_path: str | None
    invocation_id: str | None
    invocation: str | None
    claimed_started_on: str | None
    claimed_finished_on: str | None
    left_out: list[str]


class StatementShape(TypedDict):
    """A statement that the accepted identity signed."""

    evidence: str
    form: str
    predicate_type: str
    issuer: str
    subject: str
    signed_at: str
    log_index: int
    logged_at: str
    annotations: NotRequired[dict[str, str]]
    annotations_left_out: NotRequired[int]
    provenance: NotRequired[ProvenanceShape]


class JudgedShape(TypedDict):
    """What is said of a file or an image alike.

    Attributes:
        sha256: Of the bytes that were judged; null where there are none.
        source: Its source in the trust file; null for a local file.
        accepted: Why it was accepted; there where it was.
        refused: Why not; there where it was not.
        undecided: Why there is no verdict; there where there is none.
        refused_early: Why it was refused before a file was judged; there where it was.
        unheard_evidence: The code for which further evidence was not looked at.
    """

    outcome: Outcomes
    sha256: str | None
    source: str | None
    note: str | None
    accepted: NotRequired[HashBasisShape | IdentityBasisShape]
    refused: NotRequired[RefusalShape]
    undecided: NotRequired[DoubtShape]
    refused_early: NotRequired[DoubtShape]
    bad_evidence: NotRequired[list[ItemShape]]
    verified_statements: NotRequired[list[StatementShape]]
    unverified_statements: NotRequired[list[ItemShape]]
    unheard_evidence: NotRequired[str | None]
    passed: NotRequired[list[PassedShape]]


class FileShape(JudgedShape):
    """A file of a run, or a package of which no file was judged.

    Attributes:
        file: The file's name; else the package's, a path, or how it was asked for.
        project: The normalized project that it is named after.
        version: The version that it is named after.
        requirement: Where it was asked for, where that is known.
        url: Where its source has it, without credentials, query and fragment; null where that is unknown.
    """

    file: str
    project: str | None
    version: str | None
    requirement: PlaceShape | None
    url: str | None


class ImageShape(JudgedShape):
    """An image of a run.

    Attributes:
        digest: Of the manifest that was judged; null where it was not even fetched.
    """

    image: str
    repository: str
    tag: str | None
    digest: str | None
