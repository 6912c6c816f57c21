"""Signs distribution files in every form in which evidence is published."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal

from pip_warden.sandbox.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pip_warden.sandbox.handles import Job
    from pip_warden.sandbox.packages import File
    from pip_warden.sandbox.sigstore import Lie, SigstoreService

EvidenceForm = Literal["bundle", "detached", "pep740", "slsa", "publish-bundle", "slsa-bundle"]
"""Forms of evidence: a bundle over the file, ``.sig`` + ``.crt``, PEP 740 attestations, or DSSE bundles."""

PUBLISH = "https://docs.pypi.org/attestations/publish/v1"
PROVENANCE = "https://slsa.dev/provenance/v1"


def sign(
    signer: SigstoreService, file: File, job: Job, forms: Sequence[EvidenceForm], *, lie: Lie | None = None
) -> dict[str, bytes]:
    """Return evidence for a file, by file name as pip-warden and the tutorial expect it.

    Raises:
        SandboxError: A form is unknown.
    """
    found: dict[str, bytes] = {}
    for form in forms:
        found |= _signed(signer, file, job, form, lie)
    return found


def statement(file: File, predicate_type: str, predicate: Mapping[str, object] | None) -> dict[str, object]:
    """Return an in-toto statement about one file."""
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": file.name, "digest": {"sha256": file.sha256}}],
        "predicateType": predicate_type,
        "predicate": predicate,
    }


def provenance(job: Job) -> dict[str, object]:
    """Return a SLSA 1.0 provenance predicate about a job, as GitLab's runner words it."""
    claims = job.claims()
    source = f"{claims['iss']}/{claims['project_path']}"
    return {
        "buildDefinition": {
            "buildType": "https://docs.gitlab.com/ci/runners/provenance_metadata/",
            "externalParameters": {"entryPoint": "release", "source": source},
            "internalParameters": {"job": str(claims["job_id"]), "name": "sandbox"},
            "resolvedDependencies": [{"uri": source, "digest": {"gitCommit": claims["sha"]}}],
        },
        "runDetails": {
            "builder": {"id": f"{source}/-/runners/{claims['runner_id']}"},
            "metadata": {"invocationId": str(claims["job_id"])},
        },
    }


def _signed(
    signer: SigstoreService, file: File, job: Job, form: EvidenceForm, lie: Lie | None
) -> dict[str, bytes]:
    claims = job.claims()
    publish = statement(file, PUBLISH, None)
    match form:
        case "bundle":
            return {f"{file.name}.sigstore.json": _json(signer.sign_blob(file.data, claims, lie=lie))}
        case "detached":
            signature, certificate = signer.sign_detached(file.data, claims, lie=lie)
            return {f"{file.name}.sig": signature, f"{file.name}.crt": certificate}
        case "pep740":
            return {f"{file.name}.publish.attestation": _json(signer.pep740(publish, claims, lie=lie))}
        case "publish-bundle":
            return {
                f"{file.name}.publish.sigstore.json": _json(signer.sign_statement(publish, claims, lie=lie))
            }
        case "slsa":
            built = statement(file, PROVENANCE, provenance(job))
            return {f"{file.name}.slsa.attestation": _json(signer.pep740(built, claims, lie=lie))}
        case "slsa-bundle":
            built = statement(file, PROVENANCE, provenance(job))
            return {f"{file.name}.slsa.sigstore.json": _json(signer.sign_statement(built, claims, lie=lie))}
        case _:
            msg = f"unknown form of evidence {form!r}"
            raise SandboxError(msg)


def _json(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
