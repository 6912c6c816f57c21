"""Step 10, requirements of statements: provenance and annotations.

A statement counts only if it names this file or image, and its item passed steps 7, 9 and 10 under the same
identity as the item that the acceptance is based on. It is compared with the certificate that signed *it*.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

from pip_warden._sigstore.result import CertificateClaims
from pip_warden.faults import Fault
from pip_warden.strict_json import JSONValue, kind_of
from pip_warden.trust.model import Requirements
from pip_warden.trust.segments import fill, spelled_for
from pip_warden.values import dataclass
from pip_warden.verdict.judged import Judged, JudgedImage
from pip_warden.verdict.provenance import Invocation, read_provenance
from pip_warden.verdict.statement import COSIGN_SIGN, PROVENANCE, Statement

ANNOTATIONS = "https://gitlab.com/pip-warden/pip-warden/-/blob/main/docs/annotations-predicate.md#v1"


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedStatement:
    """A statement about the file or image, and the certificate that signed it."""

    statement: Statement
    claims: CertificateClaims


_OLDER = "https://slsa.dev/provenance/v0."
_HINT = "The publisher makes it with `pip-warden attest`."
_IMAGE_HINT = (
    "The publisher makes it as the image is signed (`cosign sign -a`) or attested (`cosign attest`)."
)


@dataclass(frozen=True, slots=True)
class _StatementRequirement:
    """A check that one statement of a kind must pass."""

    predicate_type: str
    missing: Fault
    check: Callable[[SignedStatement], Fault | None]


class StatementRequirements:
    """A pin's requirements of statements, and which are unmet; once met, a requirement stays met.

    Args:
        require: What the pin requires.
        judged: What is judged.
    """

    def __init__(self, require: Requirements, judged: Judged) -> None:
        self._unmet = {demand: demand.missing for demand in _demands(require, judged)}
        self._older = ""

    @property
    def unmet(self) -> Fault | None:
        """The fault of the first requirement that no statement meets so far.

        It says what is wrong with the first statement of its kind, or that there is none. A statement that
        says nothing of an annotation is no better than none: another, that says something else, is told of.
        """
        fault = next(iter(self._unmet.values()), None)
        if fault is not None and fault.code == "provenance-missing" and self._older:
            return replace(fault, found=f"{self._older}, which is another predicate and is not read")
        return fault

    def are_met_by(self, said: SignedStatement) -> bool:
        """Return whether one statement meets all that is unmet of its type; it is not added."""
        wanted = [demand for demand in self._unmet if demand.predicate_type == said.statement.predicate_type]
        return all(demand.check(said) is None for demand in wanted)

    def add(self, witness: SignedStatement) -> None:
        """Check one more statement."""
        if witness.statement.predicate_type.startswith(_OLDER):
            self._older = witness.statement.predicate_type
        for demand, said in list(self._unmet.items()):
            if witness.statement.predicate_type != demand.predicate_type:
                continue
            fault = demand.check(witness)
            if fault is None:
                del self._unmet[demand]
            elif said.code == demand.missing.code:
                self._unmet[demand] = fault


def _demands(require: Requirements, judged: Judged) -> Iterator[_StatementRequirement]:
    if require.provenance is not None or require.source_revision is not None or require.confirmed_build:
        wanted = require.provenance or PROVENANCE
        missing = _missing("provenance-missing", f"a signed statement {wanted}", judged)
        yield _StatementRequirement(wanted, missing, partial(_check_provenance, require=require))
    if require.annotations:
        missing = _missing("annotation-missing", "signed annotations", judged)
        check = partial(_check_annotations, require=require, judged=judged)
        yield _StatementRequirement(annotating(judged), missing, check)


def _missing(code: str, expected: str, judged: Judged) -> Fault:
    hint = _IMAGE_HINT if isinstance(judged, JudgedImage) else _HINT
    return Fault(code=code, expected=expected, found="none by the pinned identity", hint=hint)


def _check_provenance(witness: SignedStatement, require: Requirements) -> Fault | None:
    """Check that it agrees with its own certificate, and that both are what the pin requires."""
    provenance = read_provenance(witness.statement.predicate, witness.claims)
    if isinstance(provenance, Fault):
        return provenance
    if require.source_repository is not None and provenance.repository != require.source_repository:
        return Fault(
            code="provenance-mismatch",
            expected=f"source repository {require.source_repository}",
            found=provenance.repository,
            hint="It was built from another project.",
        )
    if require.source_revision is not None and provenance.commit != require.source_revision:
        return Fault(
            code="source-revision-mismatch",
            expected=f"commit {require.source_revision}",
            found=f"{provenance.commit} in the certificate",
        )
    if require.confirmed_build and provenance.invocation is not Invocation.CONFIRMED:
        return Fault(
            code="build-not-confirmed",
            expected=f"provenance of the job that signed, {witness.claims.get('run-invocation') or '(none)'}",
            found=provenance.invocation_id or "provenance that names no job",
            hint="Another job built it than the certificate names, or the provenance does not say "
            "which: nothing proves how it was built, nor on which runner.",
        )
    return None


def annotating(judged: Judged) -> str:
    """Return the predicate type of the statements that annotate it: of an image, that is its signature."""
    return COSIGN_SIGN if isinstance(judged, JudgedImage) else ANNOTATIONS


def _check_annotations(witness: SignedStatement, require: Requirements, judged: Judged) -> Fault | None:
    said = _annotations(witness.statement, judged)
    for key, template in require.annotations:
        wanted = fill(template, judged.release)
        shown = f"annotation {key}={wanted or spelled_for(template, judged.release)}"
        found = said.get(key) if isinstance(said, dict) else None
        if found is None:
            return Fault(code="annotation-missing", expected=shown, found="none")
        if found != wanted:
            return Fault(code="annotation-mismatch", expected=shown, found=str(found))
    read = read_annotations(witness.statement, judged)
    return read if isinstance(read, Fault) else None


def read_annotations(statement: Statement, judged: Judged) -> tuple[tuple[str, str], ...] | Fault:
    """Return annotations, a text each, in the order in which they were written; else why they are none.

    Args:
        statement: A statement of the type that :func:`annotating` returns.
        judged: What is judged. Those of an image are what its own subject entry says, and no other.
    """
    found = _annotations(statement, judged)
    if not isinstance(found, dict):
        return _bad_annotations(f"annotations that are {kind_of(found)}")
    texts = tuple((key, value) for key, value in found.items() if isinstance(value, str))
    if len(texts) != len(found):
        return _bad_annotations("an annotation that is no text")
    return texts


def _annotations(statement: Statement, judged: Judged) -> JSONValue:
    if not isinstance(judged, JudgedImage):
        return _at(statement.predicate, "annotations")
    own = [subject for subject in statement.subjects if subject.is_of(judged)]
    # Of two entries for the same image nothing says which one counts.
    return (own[0].annotations or {}) if len(own) == 1 else None


def _bad_annotations(found: str) -> Fault:
    return Fault(code="bad-statement", expected="annotations, each a text", found=found)


def _at(value: JSONValue, *keys: str) -> JSONValue:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
