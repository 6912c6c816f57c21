"""Step 8, subject: what was signed is this artifact.

A DSSE payload is parsed once, from the verified bytes, by a strict reader: in-toto statements v0.1 (which
cosign writes) and v1 (in-toto attestation framework, ``spec/v1/statement.md``).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pip_warden._sigstore.fields import Fields
from pip_warden._sigstore.result import Envelope
from pip_warden.artifact.model import Artifact
from pip_warden.digests import OTHERS
from pip_warden.faults import Fault
from pip_warden.strict_json import JSONValue, MalformedError, kind_of, loads_object

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPES = ("https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1")
PUBLISH = "https://docs.pypi.org/attestations/publish/v1"
PROVENANCE = "https://slsa.dev/provenance/v1"
EVIDENCE_OF_PUBLICATION = frozenset({PUBLISH, PROVENANCE})
"""Other predicates (SBOM, test result, …) may only add requirements, unless the pin lists the type."""

_LARGEST_STATEMENT = 16 << 20
_MOST_SUBJECTS, _MOST_DIGESTS = 1024, 32  # as many as sigstore-go reads
_KEYS = frozenset({"_type", "subject", "predicateType", "predicate"})
_TEXTS = ("name", "uri", "downloadLocation", "mediaType")
_ENUM_NAMES = frozenset({"SHA2_256", "SHA2_384", "SHA2_512"})
"""Names that only sigstore-go reads as ``sha256`` and so on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """A file that a statement is about.

    Attributes:
        name: Its name.
        sha256: Its SHA-256 in hexadecimal, "" where the statement has none.
        others: ``(algorithm, hexadecimal)`` of every other digest that can be computed here.
    """

    name: str
    sha256: str
    others: tuple[tuple[str, str], ...] = ()

    def is_of(self, artifact: Artifact) -> bool:
        """Return whether it has the artifact's name and SHA-256, and no digest that the artifact lacks."""
        same = (self.name, self.sha256) == (artifact.name.filename, artifact.digest.hex)
        return same and artifact.has_digests(dict(self.others))


@dataclass(frozen=True, kw_only=True, slots=True)
class Statement:
    """A verified in-toto statement.

    Attributes:
        predicate_type: URI of the predicate's type.
        subjects: Each subject entry.
        predicate: The predicate; never changed.
    """

    predicate_type: str
    subjects: tuple[Subject, ...]
    predicate: JSONValue = field(hash=False)

    def names(self, artifact: Artifact) -> bool:
        """Return whether a single subject entry is the artifact."""
        return any(subject.is_of(artifact) for subject in self.subjects)


def check_subject(
    statement: Statement | Fault | None, artifact: Artifact, predicate_types: frozenset[str]
) -> Fault | None:
    """Judge whether the signed statement is about the artifact.

    Args:
        statement: The result of :func:`read_statement` for the verified envelope; None for a message
            signature, which names nothing: step 4 proved name and version, and step 7 verified it over this
            artifact's digest.
        artifact: The file.
        predicate_types: What counts as evidence of publication.
    """
    if statement is None or isinstance(statement, Fault):
        return statement
    if statement.predicate_type not in predicate_types:
        return Fault(
            code="predicate-type-refused",
            expected=f"evidence of publication: {' or '.join(sorted(predicate_types))}",
            found=statement.predicate_type,
            hint="A signed statement of another type says something about the file, "
            "but not that it was published.",
        )
    if not statement.names(artifact):
        return Fault(
            code="subject-mismatch",
            expected=f"one subject {artifact.name} with SHA-256 {artifact.digest}",
            found=", ".join(map(_spelled, statement.subjects[:4])),
            hint="The statement was signed for another file.",
        )
    return None


def _spelled(subject: Subject) -> str:
    others = "".join(f" and {algorithm} {value[:140]}" for algorithm, value in subject.others)
    return f"{subject.name} with SHA-256 {subject.sha256 or '(none)'}{others}"


def read_statement(envelope: Envelope) -> Statement | Fault:
    """Read a verified payload strictly: no duplicate or unknown keys, other types, or empty subject list."""
    if envelope.payload_type != PAYLOAD_TYPE:
        return Fault(code="payload-type-refused", expected=PAYLOAD_TYPE, found=envelope.payload_type)
    try:
        document = loads_object(envelope.payload, max_bytes=_LARGEST_STATEMENT)
    except MalformedError as err:
        return _bad(f"a payload that is {err}")
    if document.get("_type") not in STATEMENT_TYPES:
        return _bad(f"_type {document.get('_type')!r}")
    if not document.keys() <= _KEYS:
        return _bad(f"unknown keys {', '.join(sorted(document.keys() - _KEYS))}")
    predicate_type = document.get("predicateType")
    if not isinstance(predicate_type, str) or not predicate_type:
        return _bad("no predicateType")
    fault = _check_predicate(predicate_type, document.get("predicate"))
    if fault is not None:
        return fault
    return _read_subjects(predicate_type, document.get("subject"), document.get("predicate"))


def _check_predicate(predicate_type: str, predicate: JSONValue) -> Fault | None:
    """Check that a predicate is an object; only PyPI's publish attestation has none (:data:`PUBLISH`)."""
    if predicate is None and predicate_type == PUBLISH:
        return None
    return None if isinstance(predicate, dict) else _bad(f"a predicate that is {kind_of(predicate)}")


def _read_subjects(predicate_type: str, listed: JSONValue, predicate: JSONValue) -> Statement | Fault:
    if not isinstance(listed, list) or not listed:
        return _bad("no subject")
    if len(listed) > _MOST_SUBJECTS:
        return _bad(f"{len(listed)} subjects, more than {_MOST_SUBJECTS}")
    subjects = []
    for entry in listed:
        try:
            subjects.append(_read_subject(Fields(entry, "a subject")))
        except MalformedError as err:
            return _bad(str(err))
    return Statement(predicate_type=predicate_type, subjects=tuple(subjects), predicate=predicate)


def _read_subject(fields: Fields) -> Subject:
    """Read a ``ResourceDescriptor``; also fields that are not used must be of their type.

    Raises:
        MalformedError: It is not one, or has no name or digest.
    """
    name, *_ = (fields.text(key, None if key == "name" else "") for key in _TEXTS)
    fields.data("content", empty=True)
    fields.optional("annotations")
    digests = fields.take("digest")
    fields.done()
    if not isinstance(digests, dict) or not digests:
        raise MalformedError("a subject without digest")
    if len(digests) > _MOST_DIGESTS:
        raise MalformedError(f"a subject with {len(digests)} digests, more than {_MOST_DIGESTS}")
    if unclear := _ENUM_NAMES & digests.keys():
        raise MalformedError(f"a digest named {min(unclear)}, which means something to some readers only")
    texts = {algorithm: value for algorithm, value in digests.items() if isinstance(value, str)}
    if texts.keys() != digests.keys():
        raise MalformedError("a digest that is no text")
    others = tuple((algorithm, value) for algorithm, value in texts.items() if algorithm in OTHERS)
    return Subject(name=name, sha256=texts.get("sha256", ""), others=others)


def _bad(found: str) -> Fault:
    return Fault(
        code="bad-statement",
        expected="an in-toto statement (v1 or v0.1) with subjects and a typed predicate",
        found=found,
        hint="What was signed cannot be read as a statement about a file; the publisher's tool is at fault.",
    )
