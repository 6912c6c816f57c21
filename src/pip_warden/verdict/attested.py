"""Step 10, what statements must say: provenance and annotations.

A statement counts only if its item passed steps 7, 9 and 10 under the very identity of the item that the acceptance rests on, and names this
artifact. What it says is compared with the certificate that signed *it*.
"""

from __future__ import annotations

from dataclasses import dataclass

from packaging.version import Version

from pip_warden._sigstore.proved import Claims
from pip_warden.faults import Fault
from pip_warden.strict_json import JSONValue
from pip_warden.trust.pins import Requirements
from pip_warden.verdict.statement import PROVENANCE, Statement

ANNOTATIONS = "https://gitlab.com/pip-warden/pip-warden/-/blob/main/docs/annotations-predicate.md#v1"
_COMMIT_ALGORITHMS = frozenset({"gitCommit", "sha1"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Witness:
    """A statement about the artifact, and the certificate that signed it."""

    statement: Statement
    claims: Claims


def needs_statements(require: Requirements) -> bool:
    """Tell whether a pin requires what only statements can say."""
    return require.provenance is not None or bool(require.annotations) or require.source_revision is not None


def check_statements(require: Requirements, witnesses: tuple[Witness, ...], version: Version) -> Fault | None:
    """Judge what the statements say: one of each kind that is required must say all of it."""
    if require.provenance is not None or require.source_revision is not None:
        wanted = require.provenance or PROVENANCE
        fault = _best(
            [
                _check_provenance(witness, require)
                for witness in witnesses
                if witness.statement.predicate_type == wanted
            ],
            Fault(
                code="provenance-missing",
                expected=f"a signed statement {wanted}",
                found="none by the pinned identity",
                hint=_HINT,
            ),
        )
        if fault is not None:
            return fault
    if not require.annotations:
        return None
    return _best(
        [
            _check_annotations(witness, require, version)
            for witness in witnesses
            if witness.statement.predicate_type == ANNOTATIONS
        ],
        Fault(
            code="annotation-missing",
            expected="signed annotations",
            found="none by the pinned identity",
            hint=_HINT,
        ),
    )


_HINT = "The publisher makes it with `pip-warden attest`."


def _best(faults: list[Fault | None], missing: Fault) -> Fault | None:
    """One good statement is needed; without any, the fault is that there is none."""
    if not faults:
        return missing
    return None if None in faults else faults[0]


def _check_provenance(witness: Witness, require: Requirements) -> Fault | None:
    """Strict source correlation: exactly one resolved dependency, of claim 12's repository at claim 13's commit."""
    repository, commit = witness.claims.get("source-repository"), witness.claims.get("source-digest")
    if repository is None or commit is None:
        return _mismatch("a certificate with source repository and commit", "one without")
    if require.source_repository is not None and repository != require.source_repository:
        return _mismatch(f"source repository {require.source_repository}", repository)
    if require.source_revision is not None and commit != require.source_revision:
        return Fault(
            code="source-revision-mismatch",
            expected=f"commit {require.source_revision}",
            found=f"{commit} in the certificate",
        )
    dependencies = _at(witness.statement.predicate, "buildDefinition", "resolvedDependencies")
    if not isinstance(dependencies, list) or len(dependencies) != 1:
        return _mismatch("exactly one resolved dependency", _counted(dependencies))
    only = dependencies[0]
    uri, digests = (only.get("uri"), only.get("digest")) if isinstance(only, dict) else (None, None)
    if uri != f"git+{repository}":
        return _mismatch(f"git+{repository}, as in the certificate", str(uri))
    if not isinstance(digests, dict) or not digests or not digests.keys() <= _COMMIT_ALGORITHMS:
        return _mismatch("a gitCommit digest and nothing else", str(digests))
    if any(value != commit for value in digests.values()):
        return _mismatch(
            f"commit {commit}, as in the certificate", ", ".join(str(value) for value in digests.values())
        )
    return None


def _check_annotations(witness: Witness, require: Requirements, version: Version) -> Fault | None:
    said = _at(witness.statement.predicate, "annotations")
    for key, template in require.annotations:
        wanted = template.replace("{version}", str(version))
        found = said.get(key) if isinstance(said, dict) else None
        if found is None:
            return Fault(code="annotation-missing", expected=f"annotation {key}={wanted}", found="none")
        if found != wanted:
            return Fault(code="annotation-mismatch", expected=f"annotation {key}={wanted}", found=str(found))
    return None


def _at(value: JSONValue, *keys: str) -> JSONValue:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _counted(value: JSONValue) -> str:
    return str(len(value)) if isinstance(value, list) else "none"


def _mismatch(expected: str, found: str) -> Fault:
    return Fault(
        code="provenance-mismatch",
        expected=expected,
        found=found,
        hint="The provenance speaks of other code than the certificate: the job's variables were overridden, or the statement is forged.",
    )
