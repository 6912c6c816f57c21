"""Attests files: signed in-toto statements next to each, verified before they are written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from pip_warden._sigstore.fields import base64_of
from pip_warden._sigstore.sign import Signatory
from pip_warden._sigstore.wire import WireBundle
from pip_warden._sigstore.wire_reader import LARGEST_BUNDLE
from pip_warden.digests import Digest
from pip_warden.display import escape_text
from pip_warden.errors import InternalError, UsageError
from pip_warden.evidence.names import ATTESTATION, ATTESTATION_KINDS, BUNDLE
from pip_warden.publish.existing import Job
from pip_warden.publish.sign import REKOR_V1, Signed, make_all
from pip_warden.publish.token import TokenClaims
from pip_warden.strict_json import JSONValue

Predicate = tuple[str, str, Mapping[str, JSONValue]]
"""What is said of a file: a short name (``slsa``, ``annotations``, or any other), the URI of the predicate's
type, and the predicate."""

LARGEST_STATEMENT = (LARGEST_BUNDLE - (64 << 10)) // 4 * 3
"""Bytes of a statement: a bundle has it in base64, beside a certificate, a log entry and time stamps."""

_STATEMENT = "https://in-toto.io/Statement/v1"


def attest_files(
    paths: Iterable[Path],
    by: Signatory,
    statements: Sequence[Predicate],
    *,
    directory: Path | None = None,
    overwrite: bool = False,
    claimed: TokenClaims | None = None,
) -> list[Signed]:
    """Sign each statement about each file and write it as ``FILE.<kind>.sigstore.json``.

    Where the log is Rekor v1, a PEP 740 copy is written as ``FILE.<kind>.attestation``; PEP 740 has no field
    for an RFC 3161 time stamp.

    Args:
        paths: The files.
        by: The signer.
        statements: What is said of each.
        directory: Where evidence is written; next to each file where None.
        overwrite: Replace existing evidence.
        claimed: Who signs; a statement of the same signer that is there already, and says the same, stays.
            None keeps nothing.

    Raises:
        UsageError: ``evidence-exists`` or ``cannot-write``.
        UndecidedError: ``signing-failed``, ``no-timestamp`` or ``token-ran-out``.
        UndecidedError: ``unverifiable-signature``.
    """
    jobs = [_job(path, said) for path in paths for said in statements]
    return make_all(jobs, by, directory, overwrite=overwrite, claimed=claimed)


def _job(path: Path, said: Predicate) -> Job:
    kind, predicate_type, predicate = said
    name, copy = f"{path.name}.{kind}{BUNDLE}", f"{path.name}.{kind}{ATTESTATION}"

    def contents(wire: WireBundle, raw: bytes) -> dict[str, bytes]:
        has_copy = (
            kind in ATTESTATION_KINDS and wire.entry.version == REKOR_V1 and wire.entry.promise is not None
        )
        return {name: raw} | ({copy: pep740(wire)} if has_copy else {})

    return Job(
        path=path,
        bundle=name,
        others=(copy,),
        statement=lambda digest: statement(path.name, digest, predicate_type, predicate),
        contents=contents,
    )


def statement(
    filename: str, digest: Digest, predicate_type: str, predicate: Mapping[str, JSONValue]
) -> bytes:
    """Return an in-toto statement v1 about one file, in one spelling."""
    return spelled_statement({"name": filename, "digest": {"sha256": digest.hex}}, predicate_type, predicate)


def spelled_statement(
    subject: Mapping[str, JSONValue], predicate_type: str, predicate: Mapping[str, JSONValue]
) -> bytes:
    """Return an in-toto statement v1 about one subject, in one spelling.

    Raises:
        UsageError: ``bad-predicate``: it is not UTF-8, as a variable of a job may be; or too large to be read
            by anybody once it is signed.
    """
    document = {
        "_type": _STATEMENT,
        "subject": [dict(subject)],
        "predicateType": predicate_type,
        "predicate": dict(predicate),
    }
    try:
        spelled = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    except UnicodeEncodeError as err:
        found = escape_text(err.object[max(0, err.start - 20) : err.end])
        raise UsageError(
            "bad-predicate",
            f"expected text in UTF-8 to be signed, found `{found}`",
            hint="It is from a variable of the job, such as the name of a branch, or from an option.",
        ) from err
    if len(spelled) > LARGEST_STATEMENT:
        raise UsageError(
            "bad-predicate",
            f"expected a statement of at most {LARGEST_STATEMENT} bytes, found {len(spelled)}",
            hint="Nothing was signed. Nobody would read its bundle: sign a digest of what is so large.",
        )
    return spelled


def pep740(wire: WireBundle) -> bytes:
    """Rewrite a bundle with a DSSE envelope as a PEP 740 attestation object, version 1."""
    if wire.envelope is None:
        raise InternalError("bug", "a statement was signed without an envelope")
    attestation: dict[str, JSONValue] = {
        "version": 1,
        "verification_material": {
            "certificate": base64_of(wire.certificate),
            "transparency_entries": [wire.entry.value()],
        },
        "envelope": {"statement": base64_of(wire.envelope.payload), "signature": base64_of(wire.signature)},
    }
    return json.dumps(attestation).encode()
