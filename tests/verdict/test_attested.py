"""Step 10, statements: provenance that agrees with the certificate, and annotations, one statement each."""

from __future__ import annotations

from typing import Any

import pytest

import samples
from builds import CLAIMS, COMMIT, JOB, OTHER, REPOSITORY, changed, ours
from pip_warden._sigstore.result import CertificateClaims
from pip_warden.strict_json import JSONValue
from pip_warden.trust.model import Requirements
from pip_warden.verdict.attested import ANNOTATIONS, SignedStatement
from pip_warden.verdict.statement import PROVENANCE, PUBLISH, Statement

BUILT = Requirements(provenance=PROVENANCE)
NOTED = Requirements(annotations=(("release", "v{version}"),))


def _witness(
    predicate: JSONValue, type_: str = PROVENANCE, claims: CertificateClaims = CLAIMS
) -> SignedStatement:
    statement = Statement(predicate_type=type_, subjects=(), predicate=predicate)
    return SignedStatement(statement=statement, claims=claims)


def _code(require: Requirements, *witnesses: SignedStatement) -> str | None:
    fault = samples.unmet(require, witnesses)
    return fault.code if fault else None


GOOD = ours()


def test_good_provenance_passes_beside_bad() -> None:
    assert _code(BUILT, _witness(GOOD)) is None
    assert _code(BUILT, _witness(None), _witness(GOOD)) is None


def test_no_statement_of_the_kind_is_none() -> None:
    assert _code(BUILT) == "provenance-missing"
    assert _code(BUILT, _witness(GOOD, PUBLISH)) == "provenance-missing"
    assert _code(NOTED) == "annotation-missing"
    assert _code(NOTED, _witness({"annotations": {"release": "v1.0"}}, PUBLISH)) == "annotation-missing"


def test_provenance_that_does_not_agree_with_its_certificate_is_refused() -> None:
    """What is compared: test_provenance.py."""
    assert _code(BUILT, _witness(None)) == "provenance-mismatch"
    assert _code(BUILT, _witness(ours(ref="refs/heads/main"))) == "provenance-mismatch"


@pytest.mark.parametrize(
    ("require", "code"),
    [
        ({"source_repository": REPOSITORY}, None),
        ({"source_repository": "https://gitlab.example.com/acme/other"}, "provenance-mismatch"),
        ({"source_revision": COMMIT}, None),
        ({"source_revision": OTHER}, "source-revision-mismatch"),
    ],
)
def test_the_code_that_is_required(require: dict[str, Any], code: str | None) -> None:
    assert _code(Requirements(provenance=PROVENANCE, **require), _witness(GOOD)) == code


@pytest.mark.parametrize(
    ("invocation", "code"),
    [(JOB, None), (f"{REPOSITORY}/-/jobs/72", "build-not-confirmed"), (None, "build-not-confirmed")],
)
@pytest.mark.parametrize("type_", [PROVENANCE, None])
def test_a_build_that_must_be_confirmed(invocation: str | None, code: str | None, type_: str | None) -> None:
    require = Requirements(provenance=type_, confirmed_build=True)
    predicate = changed(ours(), "runDetails.metadata.invocationId", invocation)

    assert _code(require, _witness(predicate)) == code
    assert _code(require) == "provenance-missing"
    assert _code(BUILT, _witness(predicate)) is None


def test_the_older_predicate_is_told_where_there_is_no_other() -> None:
    old = _witness({}, "https://slsa.dev/provenance/v0.2")
    fault = samples.unmet(BUILT, (old,))

    assert fault is not None
    assert (fault.code, "v0.2" in fault.found) == ("provenance-missing", True)
    assert _code(BUILT, old, _witness(None)) == "provenance-mismatch"
    assert _code(BUILT, old, _witness(GOOD)) is None


def test_a_revision_alone_needs_provenance() -> None:
    assert _code(Requirements(source_revision=COMMIT), _witness(GOOD)) is None
    assert _code(Requirements(source_revision=COMMIT)) == "provenance-missing"


@pytest.mark.parametrize(
    ("annotations", "code"),
    [
        ({"release": "v1.0"}, None),
        ({"release": "v1.1"}, "annotation-mismatch"),
        ({"release": "v{version}"}, "annotation-mismatch"),
        ({"Release": "v1.0"}, "annotation-missing"),
        ({"release": None}, "annotation-missing"),
        ({"release": "v1.0", "reviewed": True}, "bad-statement"),
        ({}, "annotation-missing"),
        (None, "annotation-missing"),
    ],
)
def test_annotations(annotations: JSONValue, code: str | None) -> None:
    assert _code(NOTED, _witness({"annotations": annotations}, ANNOTATIONS)) == code


def test_what_one_statement_has_met_no_other_takes_back() -> None:
    assert _code(BUILT, _witness(GOOD), _witness(None)) is None
    assert _code(BUILT, _witness(None), _witness(ours("git"))) == "provenance-mismatch"


def test_two_requirements_of_one_kind_of_statement_are_two() -> None:
    """A pin may call any predicate type its provenance."""
    both = Requirements(provenance=ANNOTATIONS, annotations=(("release", "v{version}"),))

    assert _code(both, _witness({"annotations": {"release": "v1.0"}}, ANNOTATIONS)) == "provenance-mismatch"


def test_the_fault_of_the_first_statement_of_a_kind_is_told() -> None:
    first, second = None, ours("git")
    told = samples.unmet(BUILT, [_witness(first), _witness(second)])

    assert told is not None
    assert told == samples.unmet(BUILT, [_witness(first)])
    assert told != samples.unmet(BUILT, [_witness(second)])


def test_another_value_is_told_rather_than_a_statement_without_one() -> None:
    """An image that is signed and then annotated has two statements, and the first says less."""
    silent = _witness({"annotations": {}}, ANNOTATIONS)
    other = _witness({"annotations": {"release": "v1.1"}}, ANNOTATIONS)

    for order in ((silent, other), (other, silent)):
        told = samples.unmet(NOTED, list(order))
        assert told is not None
        assert (told.code, told.found) == ("annotation-mismatch", "v1.1")
