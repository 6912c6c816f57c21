"""What steps 6 to 10 found about the good item of evidence: each check that its pin asked for."""

from __future__ import annotations

from collections.abc import Iterator

from pip_warden.trust.model import Identity, Requirements
from pip_warden.trust.segments import Release, fill
from pip_warden.verdict.judged import Judged, noun
from pip_warden.verdict.model import Passed, SignedBy, Step
from pip_warden.verdict.statement import PROVENANCE, Statement

_CLAIMS = (
    ("runner_environment", "runner-environment"),
    ("source_ref", "source-ref"),
    ("environment", "environment"),
    ("visibility", "visibility"),
)


def passed_by(
    signed: SignedBy, statement: Statement | None, identity: Identity, require: Requirements, judged: Judged
) -> Iterator[Passed]:
    """Yield what each step found about the item that an acceptance rests on.

    Args:
        signed: What it proved.
        statement: Its signed statement; None for a signature over the digest.
        identity: The identity of the pin that it met.
        require: What the pin requires besides.
        judged: What was judged.
    """
    yield Passed(Step.EVIDENCE, f"{signed.label} ({signed.form.value})")
    logged = f"log index {signed.log_index}, logged at {signed.log_time:%Y-%m-%d %H:%M:%S} UTC"
    yield Passed(Step.SIGNATURE, f"certificate of the trusted root {signed.root}, {logged}")
    about = "signed over the file's digest"
    if statement is not None:
        about = f"a statement {statement.predicate_type} names this {noun(judged)} and its digest"
    yield Passed(Step.SUBJECT, about)
    yield Passed(Step.IDENTITY, ", ".join(_identity(signed, identity)))
    yield from (Passed(Step.POLICY, found) for found in _policy(signed, identity, require))
    yield from (Passed(Step.POLICY, found) for found in _statements(require, judged.release))


def _identity(signed: SignedBy, identity: Identity) -> Iterator[str]:
    yield signed.claims.subjects[0]
    yield f"issuer {signed.claims.issuer}"
    if identity.project_id is not None:
        yield f"project id {identity.project_id}"
    if identity.not_before is not None or identity.not_after is not None:
        yield f"signed on {signed.claims.not_before:%Y-%m-%d}, within its dates"


def _policy(signed: SignedBy, identity: Identity, require: Requirements) -> Iterator[str]:
    claims = signed.claims
    if not identity.is_account:
        yield f"source-repository {claims.get('source-repository')}, the subject's own"
        yield f"build-trigger {claims.get('build-trigger')}"
    if require.source_repository is not None:
        yield f"source-repository {claims.get('source-repository')}, as the pin requires"
    if require.demanded_repository is not None:
        yield f"source-repository {claims.get('source-repository')}, as the command line demands"
    for field, name in _CLAIMS:
        if getattr(require, field) is not None:
            yield f"{name} {claims.get(name)}"


def _statements(require: Requirements, release: Release) -> Iterator[str]:
    """Yield what is required of signed statements: all of it is met, or nothing would be accepted."""
    if require.provenance is not None or require.source_revision is not None or require.confirmed_build:
        yield f"provenance {require.provenance or PROVENANCE}, which agrees with its certificate"
    if require.confirmed_build:
        yield "confirmed-build: the certified job is the one that built"
    if require.source_revision is not None:
        yield f"source-revision {require.source_revision}"
    for key, template in require.annotations:
        yield f"annotation {key}={fill(template, release)}"
