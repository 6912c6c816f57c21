"""Step 8, subject: what was signed is this file, or this image.

A DSSE payload is parsed once, from the verified bytes, by a strict reader: in-toto statements v0.1 (which
cosign writes) and v1 (in-toto attestation framework, ``spec/v1/statement.md``).
"""

from __future__ import annotations

from pip_warden._sigstore.fields import Fields
from pip_warden._sigstore.result import Envelope
from pip_warden.faults import Fault
from pip_warden.strict_json import JSONValue, MalformedError, kind_of, loads_object
from pip_warden.values import dataclass, field
from pip_warden.verdict.judged import Judged, JudgedImage, noun

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPES = ("https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1")
PUBLISH = "https://docs.pypi.org/attestations/publish/v1"
PROVENANCE = "https://slsa.dev/provenance/v1"
COSIGN_SIGN = "https://sigstore.dev/cosign/sign/v1"
"""The signature of an image: an empty predicate; annotations lie in the subject (cosign 3, ``sign``)."""
EVIDENCE_OF_PUBLICATION = frozenset({PUBLISH, PROVENANCE})
"""Other predicates (SBOM, test result, …) may only add requirements, unless the pin lists the type."""
_EVIDENCE_OF_IMAGES = frozenset({COSIGN_SIGN, PROVENANCE})

_LARGEST_STATEMENT = 16 << 20
_MOST_SUBJECTS, _MOST_DIGESTS = 1024, 32  # as many as sigstore-go reads
_KEYS = frozenset({"_type", "subject", "predicateType", "predicate"})
_TEXTS = ("name", "uri", "downloadLocation", "mediaType")
_ENUM_NAMES = frozenset({"SHA2_256", "SHA2_384", "SHA2_512"})
"""Names that only sigstore-go reads as ``sha256`` and so on."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Subject:
    """A file or an image that a statement is about.

    Attributes:
        name: Its name, "" where the statement has none.
        sha256: Its SHA-256 in hexadecimal, "" where the statement has none.
        others: ``(algorithm, value)`` of every other digest.
        annotations: What is annotated about it, of any kind; None where nothing is. Never changed.
    """

    name: str
    sha256: str
    others: tuple[tuple[str, str], ...] = ()
    annotations: JSONValue = field(default=None, hash=False)

    def is_of(self, judged: Judged) -> bool:
        """Return whether it has the judged one's name and SHA-256, and no digest that that one lacks."""
        same = self.sha256 == judged.digest.hex and judged.is_called(self.name)
        return same and judged.has_digests(dict(self.others))


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

    def names(self, judged: Judged) -> bool:
        """Return whether a single subject entry is the file, or the image."""
        return any(subject.is_of(judged) for subject in self.subjects)


def publication_of(judged: Judged) -> frozenset[str]:
    """Return the predicate types that say that a file, or an image, was published."""
    return _EVIDENCE_OF_IMAGES if isinstance(judged, JudgedImage) else EVIDENCE_OF_PUBLICATION


def check_subject(
    statement: Statement | Fault | None, judged: Judged, predicate_types: frozenset[str]
) -> Fault | None:
    """Judge whether the signed statement is about the file, or the image.

    Args:
        statement: The result of :func:`read_statement` for the verified envelope; None for a message
            signature, which names nothing: step 4 proved a file's name and version, and step 7 verified it
            over this file's digest. Of a manifest it does not say that it is an image that somebody signed.
        judged: The file, or the image.
        predicate_types: What counts as evidence of publication.
    """
    if isinstance(statement, Fault):
        return statement
    if statement is None:
        return _unnamed(judged) if isinstance(judged, JudgedImage) else None
    if statement.predicate_type not in predicate_types:
        return Fault(
            code="predicate-type-refused",
            expected=f"evidence of publication: {' or '.join(sorted(predicate_types))}",
            found=statement.predicate_type,
            hint=f"A signed statement of another type says something about the {noun(judged)}, "
            "but not that it was published.",
        )
    if not statement.names(judged):
        return Fault(
            code="subject-mismatch",
            expected=f"one subject {judged.name} with SHA-256 {judged.digest}",
            found=", ".join(map(_spelled, statement.subjects[:4])),
            hint=f"The statement was signed for another {noun(judged)}.",
        )
    return None


def _unnamed(image: JudgedImage) -> Fault:
    return Fault(
        code="subject-mismatch",
        expected=f"a signed statement that {image.name} is an image",
        found="a signature over the bytes of its manifest",
        hint="It signs a file that happens to be a manifest. Ask the image's publisher to sign the image.",
    )


def _spelled(subject: Subject) -> str:
    others = "".join(f" and {algorithm[:40]} {value[:140]}" for algorithm, value in subject.others[:4])
    return f"{subject.name or '(no name)'} with SHA-256 {subject.sha256 or '(none)'}{others}"


def read_statement(envelope: Envelope, *, named: bool = True) -> Statement | Fault:
    """Read a verified payload strictly: no duplicate or unknown keys, other types, or empty subject list.

    Args:
        envelope: The envelope.
        named: Whether each subject must have a name: a file must, an image has none but its digest.
    """
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
    subjects = _read_subjects(document.get("subject"), named=named)
    if isinstance(subjects, Fault):
        return subjects
    return Statement(predicate_type=predicate_type, subjects=subjects, predicate=document.get("predicate"))


def _check_predicate(predicate_type: str, predicate: JSONValue) -> Fault | None:
    """Check that a predicate is an object; only PyPI's publish attestation has none (:data:`PUBLISH`)."""
    if predicate is None and predicate_type == PUBLISH:
        return None
    return None if isinstance(predicate, dict) else _bad(f"a predicate that is {kind_of(predicate)}")


def _read_subjects(listed: JSONValue, *, named: bool) -> tuple[Subject, ...] | Fault:
    if not isinstance(listed, list) or not listed:
        return _bad("no subject")
    if len(listed) > _MOST_SUBJECTS:
        return _bad(f"{len(listed)} subjects, more than {_MOST_SUBJECTS}")
    try:
        return tuple(_read_subject(Fields(entry, "a subject"), named=named) for entry in listed)
    except MalformedError as err:
        return _bad(str(err))


def _read_subject(fields: Fields, *, named: bool) -> Subject:
    """Read a ``ResourceDescriptor``; also fields that are not used must be of their type.

    Raises:
        MalformedError: It is not one, or has no digest, or no name where it must have one.
    """
    name, *_ = (fields.text(key, None if named and key == "name" else "") for key in _TEXTS)
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
    sha256 = texts.pop("sha256", "")
    return Subject(
        name=name, sha256=sha256, others=tuple(texts.items()), annotations=fields.take("annotations")
    )


def _bad(found: str) -> Fault:
    return Fault(
        code="bad-statement",
        expected="an in-toto statement (v1 or v0.1) with subjects and a typed predicate",
        found=found,
        hint="What was signed cannot be read as a statement about a file or an image; the publisher's tool "
        "is at fault.",
    )
