"""Signs files: a bundle next to each, verified before it is written."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from io import BytesIO
from pathlib import Path
from typing import Literal

from pip_warden._sigstore.result import VerificationResult
from pip_warden._sigstore.sign import Signatory
from pip_warden._sigstore.verify import verify_bundle
from pip_warden._sigstore.wire import WireBundle
from pip_warden.digests import Digest, digest_of_file
from pip_warden.disk import draft_beside
from pip_warden.errors import UndecidedError, UsageError
from pip_warden.evidence.arguments import artifacts_among
from pip_warden.evidence.bundle import read_bundle
from pip_warden.evidence.detached import pem_of
from pip_warden.evidence.model import Item
from pip_warden.evidence.names import BUNDLE, CERTIFICATE, SIGNATURE
from pip_warden.faults import Fault
from pip_warden.publish.existing import Job, Made, check_places, kept_evidence
from pip_warden.publish.same import Judge
from pip_warden.publish.side_by_side import side_by_side
from pip_warden.publish.token import TokenClaims
from pip_warden.values import dataclass

CrtFormat = Literal["pem", "base64"]
_DSSE = b"DSSEv1 "
REKOR_V1 = "0.0.1"
"""Version of the entries that Rekor v1 makes (``hashedrekord`` and ``dsse``); Rekor v2 makes 0.0.2."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Signed:
    """One file that was signed, or attested.

    Attributes:
        path: The file.
        written: The evidence files that were written.
        proved: What that evidence proves.
        kept: The evidence files that were there, and stay.
    """

    path: Path
    written: tuple[Path, ...]
    proved: VerificationResult
    kept: tuple[Path, ...] = ()


def files_to_sign(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Check what is to be signed; evidence among the paths is skipped, so ``dist/*`` can be given twice.

    Raises:
        UsageError: ``nothing-to-sign`` or ``not-signable``, or as for
            :func:`~pip_warden.evidence.arguments.artifacts_among`.
    """
    nothing = UsageError(
        "nothing-to-sign",
        "expected at least one file, found none",
        hint="An empty dist/ is an error: zero files are never a success.",
    )
    files = artifacts_among(paths, nothing=nothing)
    for path in files:
        with path.open("rb") as stream:
            if stream.read(len(_DSSE)) == _DSSE:
                raise UsageError(
                    "not-signable",
                    f"expected a plain file, found that {path.name} begins like a DSSE envelope",
                    hint="Its signature could be taken for that of a statement.",
                )
    return files


def sign_files(
    paths: Iterable[Path],
    by: Signatory,
    *,
    directory: Path | None = None,
    detached: bool = False,
    crt_format: CrtFormat = "pem",
    overwrite: bool = False,
    claimed: TokenClaims | None = None,
) -> list[Signed]:
    """Sign files, verify each bundle, and write it as ``FILE.sigstore.json``.

    Args:
        paths: The files; hashed in constant memory.
        by: The signer.
        directory: Where evidence is written; next to each file where None.
        detached: Also write ``FILE.sig`` and ``FILE.crt``, as in the GitLab tutorial.
        crt_format: PEM, or base64 of PEM as cosign 2 writes it.
        overwrite: Replace existing evidence.
        claimed: Who signs; evidence of the same signer that is there already stays. None keeps nothing.

    Raises:
        UsageError: ``evidence-exists``, ``cannot-write`` or ``detached-needs-rekor-v1``.
        UndecidedError: ``signing-failed``, ``no-timestamp`` or ``token-ran-out``.
        UndecidedError: ``unverifiable-signature``: the new signature does not verify.
    """
    if detached and by.services.log_version != 1:
        raise _no_detached()

    def job(path: Path) -> Job:
        name = f"{path.name}{BUNDLE}"

        def contents(wire: WireBundle, raw: bytes) -> dict[str, bytes]:
            pair = detached_pair(path, wire, crt_format) if detached else {}
            return {name: raw} | pair

        pair = (f"{path.name}{SIGNATURE}", f"{path.name}{CERTIFICATE}") if detached else ()
        return Job(path=path, bundle=name, others=pair, statement=None, contents=contents)

    return make_all([job(path) for path in paths], by, directory, overwrite=overwrite, claimed=claimed)


def make_all(
    jobs: Sequence[Job],
    by: Signatory,
    directory: Path | None,
    *,
    overwrite: bool,
    claimed: TokenClaims | None,
) -> list[Signed]:
    """Make evidence side by side, and write it file by file, in the order of the jobs.

    What is there already, and whether the rest can be written, is found out for all before the first is
    made. What fails leaves written what was made before it, and nothing behind it.

    Raises:
        UsageError: ``evidence-exists`` or ``cannot-write``.
        WardenError: What making one raised.
    """
    check_places(jobs, directory)
    judge = Judge(root=by.root, claimed=claimed, stamps=by.stamps)
    kept = [None] * len(jobs) if overwrite else kept_evidence(jobs, directory, judge)

    def write(made: Made) -> Signed:
        where = directory or made.path.parent
        return Signed(
            path=made.path,
            written=write_all(where, made.contents, overwrite=overwrite),
            proved=made.proved,
            kept=tuple(where / name for name in made.kept),
        )

    def make(item: tuple[Job, Made | None]) -> Made:
        job, there = item
        return there or _made(job, by)

    return side_by_side(zip(jobs, kept, strict=True), make, write)


def _made(job: Job, by: Signatory) -> Made:
    digest = digest_of_file(job.path)
    statement = job.statement(digest) if job.statement else None
    bundle = by.sign_digest(digest) if statement is None else by.sign_statement(statement)
    wire, proved = checked(job.path.name, bundle, digest, by)
    return Made(path=job.path, contents=job.contents(wire, bundle), proved=proved)


def checked(name: str, bundle: bytes, digest: Digest, by: Signatory) -> tuple[WireBundle, VerificationResult]:
    """Read a new bundle, and verify it as strictly as its consumers will.

    The library only logs a failed time stamp, so that their number is checked here.

    Raises:
        UndecidedError: ``unverifiable-signature`` or ``no-timestamp``.
    """
    item = read_bundle(name, bundle)
    if not isinstance(item, Item):
        raise _unverifiable(name, item.fault)
    proved = verify_bundle(item.wire, digest, by.root)
    if isinstance(proved, Fault):
        raise _unverifiable(name, proved)
    if len(item.wire.timestamps) < by.stamps:
        raise UndecidedError(
            "no-timestamp",
            f"expected {by.stamps} time stamps in the signature of {name}, found {len(item.wire.timestamps)}",
            hint="Nothing was written or stored for it.",
        )
    return item.wire, proved


def _unverifiable(name: str, fault: Fault) -> UndecidedError:
    return UndecidedError(
        "unverifiable-signature",
        f"expected the new signature of {name} to verify, found {fault.code}: "
        f"expected {fault.expected}, found {fault.found}",
        hint="Nothing was written or stored. The servers of the trust config are not those of its trusted "
        "root, or a log signs under another host name than its URL's; a consumer would refuse it.",
    )


def detached_pair(path: Path, wire: WireBundle, crt_format: CrtFormat) -> dict[str, bytes]:
    """Split a bundle into ``FILE.sig`` and ``FILE.crt``.

    Raises:
        UsageError: ``detached-needs-rekor-v1``.
    """
    if wire.entry.version != REKOR_V1:
        raise _no_detached()
    pem = pem_of(wire.certificate)
    crt = pem if crt_format == "pem" else base64.b64encode(pem) + b"\n"
    return {
        f"{path.name}{SIGNATURE}": base64.b64encode(wire.signature) + b"\n",
        f"{path.name}{CERTIFICATE}": crt,
    }


def _no_detached() -> UsageError:
    return UsageError(
        "detached-needs-rekor-v1",
        "expected a Rekor v1 log for --detached, found another",
        hint="A detached signature carries no log entry; only Rekor v1 can be asked for it. "
        "Leave --detached out: the bundle has all.",
    )


def write_all(directory: Path, contents: dict[str, bytes], *, overwrite: bool) -> tuple[Path, ...]:
    """Write every file whole, or none where one exists with other content.

    Raises:
        UsageError: ``evidence-exists`` or ``cannot-write``.
    """
    there = [name for name in contents if (directory / name).exists()]
    if there and not overwrite:
        raise UsageError(
            "evidence-exists",
            f"expected no evidence yet, found {', '.join(there)} in {directory}",
            hint="--overwrite replaces it.",
        )
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, content in contents.items():
            with draft_beside(directory / name, BytesIO(content), mode=0o644) as put:
                put()
    except OSError as err:
        raise UsageError("cannot-write", f"expected to write to {directory}, found {err.strerror}") from err
    return tuple(directory / name for name in contents)
