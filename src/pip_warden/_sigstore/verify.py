"""Step 7: a bundle's signature, its certificate and its log entry, proved under one trusted root.

The sigstore library does the cryptography. What it does not check is checked around it: the parts of the root
in use were valid at the signing time and no other key of the root is tried (:mod:`.in_force`), each proof of
time holds by itself (:mod:`.timed`), and here, the entry is of the kind and place that the bundle says. Only
here are all exceptions caught: the library lets raw ``ValueError``s escape, and an exception is a fault,
never acceptance.
"""

from __future__ import annotations

from cryptography import x509
from sigstore.hashes import Hashed
from sigstore.verify import Verifier
from sigstore_models.common.v1 import HashAlgorithm

from pip_warden._sigstore.body import V2, read_body
from pip_warden._sigstore.certificate import check_readable
from pip_warden._sigstore.claims import read_claims
from pip_warden._sigstore.in_force import (
    authority_of,
    check_in_force,
    ct_log_of,
    log_of,
    named_issuer,
    timestamp_authorities_of,
)
from pip_warden._sigstore.result import Envelope, VerificationResult
from pip_warden._sigstore.root import Root
from pip_warden._sigstore.root_parts import Authority, Log
from pip_warden._sigstore.timed import TimedBundle, timed_bundles
from pip_warden._sigstore.verification_faults import from_library_error, text_of, verification_fault
from pip_warden._sigstore.wire import InclusionProof, LogEntry, WireBundle
from pip_warden.digests import Digest
from pip_warden.faults import Fault, FaultError
from pip_warden.strict_json import MalformedError


class _Anyone:
    """A policy that accepts every identity: it is judged later, the library would report it too early."""

    def verify(self, cert: x509.Certificate) -> None:
        """Accept every certificate."""


def verify_bundle(wire: WireBundle, digest: Digest, root: Root) -> VerificationResult | Fault:
    """Verify a bundle for the file with a digest.

    A DSSE envelope's signature alone does not cover the file: step 8 compares its statement with the file.

    Args:
        wire: The bundle, read strictly.
        digest: SHA-256 of the file's bytes.
        root: The trusted root to verify under.

    Returns:
        What is proved, or the fault. No exception escapes.
    """
    try:
        return _prove(wire, digest, root)
    except FaultError as err:
        return err.fault
    except MalformedError as err:
        return Fault(code=err.code or "bad-bundle", expected="a Sigstore bundle", found=str(err))
    except Exception as err:  # noqa: BLE001 -- the one place where everything is caught; see above
        return Fault(
            code="signature-invalid",
            expected="a bundle that verifies under the trusted root",
            found=text_of(err),
        )


def _prove(wire: WireBundle, digest: Digest, root: Root) -> VerificationResult:
    proof = _check_described(wire)
    if wire.message_digest is not None and wire.message_digest != digest.raw():
        raise verification_fault(
            "bad-signature", f"a signature over a file with SHA-256 {wire.message_digest.hex()}"
        )
    try:
        bundles = tuple(timed_bundles(wire))
    except Exception:
        # Whatever else is wrong: if the certificate cannot be read, that is its fault.
        _check_loads(wire.certificate)
        raise
    certificate = bundles[0].bundle.signing_certificate
    moments = tuple(timed.moment for timed in bundles)
    try:
        authority = authority_of(certificate, root, moments, named=named_issuer(certificate, root))
        return _prove_issued(wire, digest, root, authority, bundles, proof)
    except Exception:
        # Whatever else is wrong: if the certificate only names the authority, that is its fault.
        authority_of(certificate, root, moments)
        raise


def _prove_issued(
    wire: WireBundle,
    digest: Digest,
    root: Root,
    authority: Authority,
    bundles: tuple[TimedBundle, ...],
    proof: InclusionProof,
) -> VerificationResult:
    """Prove everything else of a bundle whose certificate names an authority as its issuer."""
    certificate, moments = bundles[0].bundle.signing_certificate, tuple(timed.moment for timed in bundles)
    ct_log = ct_log_of(certificate, root)
    log = log_of(wire.entry.log_id, root, moments)
    _check_place(wire.entry, proof, log)
    envelopes = []
    for timed in bundles:
        verifier = root.verifier(authority, ct_log, log, timestamp_authorities_of(timed, root))
        envelopes.append(_verified(timed, verifier, wire, digest))
        check_in_force(certificate, timed.moment)
    claims = read_claims(certificate)
    if isinstance(claims, Fault):
        raise FaultError(claims)
    _check_leaf(certificate)
    return VerificationResult(
        claims=claims, envelope=envelopes[0], log_index=wire.entry.log_index, log_time=bundles[0].moment
    )


def _check_described(wire: WireBundle) -> InclusionProof:
    """Check the entry's kind and version against the bundle, and return its inclusion proof."""
    entry = wire.entry
    if entry.proof is None:
        raise verification_fault(
            "no-log-proof",
            "a log entry without one",
            expected="an inclusion proof with a signed checkpoint",
            hint="Bundles of version 0.1 may lack it; "
            "`cosign bundle` or a new signature gives one that has it.",
        )
    try:
        described = read_body(entry.body)
    except MalformedError as err:
        raise verification_fault(err.code or "bad-log-entry", str(err)) from err
    if described != (entry.kind, entry.version):
        raise verification_fault("bad-log-entry", "an entry of another kind or version than the bundle says")
    if entry.version == V2 and entry.promise is not None:
        raise verification_fault("bad-signing-time", "a signed entry timestamp, which Rekor v2 does not make")
    return entry.proof


def _check_place(entry: LogEntry, proof: InclusionProof, log: Log) -> None:
    """Check that the checkpoint is this log's, of the entry's version, and the entry at the proof's place.

    A key may sign for several logs: they differ in their origin (C2SP ``tlog-checkpoint``), which is the host
    of the log's URL. Only a promise signs an index other than the proof's, as in logs of Rekor v1 that
    consist of several trees.
    """
    checkpoint = proof.checkpoint
    if checkpoint.signer != log.host:
        raise verification_fault(
            "bad-log-entry",
            f"one of {checkpoint.signer[:80]!r}",
            expected=f"a checkpoint of the log {log.host!r}, as the trusted root names it",
        )
    is_v2 = entry.version == V2
    if bool(checkpoint.tree_id) is is_v2 or not (is_v2 or log.is_v1):
        raise verification_fault(
            "bad-log-entry", f"an entry of version {entry.version} in a log of another version"
        )
    if entry.promise is None and entry.log_index != proof.log_index:
        raise verification_fault(
            "bad-log-entry", f"the index {entry.log_index}, where {proof.log_index} is proved"
        )


def _check_loads(der: bytes) -> None:
    try:
        x509.load_der_x509_certificate(der)
    except (ValueError, x509.InvalidVersion) as err:
        raise verification_fault("bad-certificate", str(err)) from err


def _check_leaf(certificate: x509.Certificate) -> None:
    """Check that every client reads it, and reads the certificate that was verified."""
    try:
        check_readable(certificate)
    except MalformedError as err:
        raise verification_fault("bad-certificate", str(err)) from err


def _verified(timed: TimedBundle, verifier: Verifier, wire: WireBundle, digest: Digest) -> Envelope | None:
    """Verify one bundle with the library, and return its envelope as the library verified it."""
    try:
        if wire.envelope is None:
            verifier.verify_artifact(
                Hashed(algorithm=HashAlgorithm.SHA2_256, digest=digest.raw()), timed.bundle, _Anyone()
            )
            return None
        payload_type, payload = verifier.verify_dsse(timed.bundle, _Anyone())
    except Exception as err:
        # The library has other messages, too, for a certificate that had expired.
        check_in_force(timed.bundle.signing_certificate, timed.moment)
        raise from_library_error(err) from err
    return Envelope(payload_type=payload_type, payload=payload)
