"""Step 7: a bundle's signature, its certificate and its log entry, proved under one trusted root.

The sigstore library does the cryptography. Around it, this module looks at what the library leaves open: that the parts of the root in
use were valid at the signing time, that no other key of the root is tried, that each proof of time that is offered holds by itself, and
that the entry is what it says it is. Only here may anything be caught: the library lets raw ``ValueError``s escape, and an exception is
a fault, never acceptance.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.certificate_transparency import SignatureAlgorithm
from rfc3161_client import TimeStampResponse
from sigstore.errors import CertValidationError
from sigstore.hashes import Hashed
from sigstore.models import Bundle
from sigstore.verify import Verifier
from sigstore_models.common.v1 import HashAlgorithm

from pip_warden._sigstore.body import V2, read_body
from pip_warden._sigstore.certificate import check_identifier, check_readable, names_issuer
from pip_warden._sigstore.claims import read_claims
from pip_warden._sigstore.fields import Malformed
from pip_warden._sigstore.proved import Envelope, Proved
from pip_warden._sigstore.root import Authority, Log, Root, Window
from pip_warden._sigstore.stamped import Stamp, read_stamp
from pip_warden._sigstore.wire import LogEntry, Proof, WireBundle
from pip_warden.digests import Digest
from pip_warden.faults import Fault

_PHRASES = (
    # What the library says (4.5.1), in the order in which it looks.
    ("not enough sources of verified time", "bad-signing-time"),
    ("duplicate timestamp", "bad-signing-time"),
    ("Timestamp Authorities", "bad-signing-time"),
    ("Integrated time only supported", "unsupported-log-entry"),
    ("SCT", "bad-sct"),
    ("Key usage", "bad-certificate"),
    ("Extended usage", "bad-certificate"),
    ("invalid inclusion promise", "bad-signing-time"),
    ("invalid log entry", "bad-log-entry"),
    ("Unsupported DSSE log entry", "unsupported-log-entry"),
    ("Expected entry type", "unsupported-log-entry"),
    ("Unsupported hashedrekord", "unsupported-log-entry"),
    ("expired at time of signing", "expired-certificate"),
    ("DSSE: invalid signature", "bad-signature"),
    ("Signature is invalid", "bad-signature"),
    ("message digest mismatch", "bad-signature"),
    ("log entry", "other-log-entry"),
)

_COARSEST = 2**31

_EXPECTED = {
    "bad-signing-time": "a signing time proved by the log's signed entry timestamp or by a trusted time-stamp authority",
    "unsupported-log-entry": "a log entry of kind hashedrekord or dsse",
    "bad-sct": "a certificate with one timestamp signed by a CT log of the trusted root",
    "bad-certificate": "a code-signing certificate",
    "bad-certificate-chain": "a certificate issued by a CA of the trusted root",
    "bad-log-entry": "a log entry with an inclusion proof under a checkpoint that its log signed",
    "other-log-entry": "a log entry of exactly this certificate, signature and content",
    "expired-certificate": "a certificate that was valid at the signing time",
    "bad-signature": "a signature over this file by the certificate's key",
}


class _NoError(Exception):
    """Carries a fault out of a check."""

    def __init__(self, code: str, found: str, *, expected: str = "", hint: str = "") -> None:
        super().__init__(found)
        self.fault = Fault(code=code, expected=expected or _EXPECTED[code], found=found, hint=hint)


class _Anyone:
    """A policy that leaves the identity to be judged afterwards: the library would report it before the signature."""

    def verify(self, cert: x509.Certificate) -> None:
        """Accept every certificate."""


@dataclass(frozen=True, slots=True)
class _Hearing:
    """A bundle with one proof of time, the time it claims, and the time stamp that is to prove it, if any."""

    bundle: Bundle
    moment: datetime
    stamp: Stamp | None


def prove(wire: WireBundle, digest: Digest, root: Root) -> Proved | Fault:
    """Verify a bundle for the file with a digest.

    For a DSSE envelope the signature says nothing of the file by itself: step 8 compares its statement with the file.

    Args:
        wire: The bundle, as it was read strictly.
        digest: SHA-256 of the file's bytes.
        root: The one trusted root to verify under.

    Returns:
        What is proved, or the fault. No exception escapes.
    """
    try:
        return _prove(wire, digest, root)
    except _NoError as no:
        return no.fault
    except Malformed as err:
        return Fault(code=err.code or "bad-bundle", expected="a Sigstore bundle", found=str(err))
    except Exception as err:  # noqa: BLE001 -- the one place where anything is caught; see above
        return Fault(
            code="signature-invalid",
            expected="a bundle that verifies under the trusted root",
            found=str(err) or type(err).__name__,
        )


def _prove(wire: WireBundle, digest: Digest, root: Root) -> Proved:
    proof = _check_described(wire)
    if wire.message_digest is not None and wire.message_digest != digest.raw():
        raise _NoError("bad-signature", f"a signature over a file with SHA-256 {wire.message_digest.hex()}")
    certificate = _load(wire.certificate)
    hearings = tuple(_hearings(wire))
    moments = tuple(hearing.moment for hearing in hearings)
    authority, ct_log = _authority(certificate, root, moments), _ct_log(certificate, root)
    log = _log(wire, root, moments)
    _check_place(wire.entry, proof, log)
    envelopes = []
    for hearing in hearings:
        verifier = root.verifier(authority, ct_log, log, _stampers(hearing, root))
        envelopes.append(_hear(hearing, verifier, wire, digest))
        _check_certificate_in_force(certificate, hearing.moment)
    claims = read_claims(hearings[0].bundle.signing_certificate)
    if isinstance(claims, Fault):
        raise _NoError(claims.code, claims.found, expected=claims.expected)
    _check_leaf(certificate)
    return Proved(
        claims=claims, envelope=envelopes[0], log_index=wire.entry.log_index, log_time=hearings[0].moment
    )


def _check_described(wire: WireBundle) -> Proof:
    """The entry has a proof, which is returned, and is of the kind and version that the bundle says."""
    entry = wire.entry
    if entry.proof is None:
        raise _NoError(
            "no-log-proof",
            "a log entry without one",
            expected="an inclusion proof with a signed checkpoint",
            hint="Bundles of version 0.1 may lack it; `cosign bundle` or a new signature gives one that has it.",
        )
    try:
        described = read_body(entry.body)
    except Malformed as err:
        raise _NoError(err.code or "bad-log-entry", str(err)) from err
    if described != (entry.kind, entry.version):
        raise _NoError("bad-log-entry", "an entry of another kind or version than the bundle says")
    if entry.version == V2 and entry.promise is not None:
        raise _NoError("bad-signing-time", "a signed entry timestamp, which Rekor v2 does not make")
    return entry.proof


def _check_place(entry: LogEntry, proof: Proof, log: Log) -> None:
    """The checkpoint is of this log, which is of the entry's version, and the entry is where the proof says.

    A key may sign for several logs: the origin tells them apart (C2SP ``tlog-checkpoint``), and is the host of the log's URL. Only a promise
    signs an index other than the proof's, as the logs of Rekor v1 that consist of several trees have them.
    """
    checkpoint = proof.checkpoint
    if checkpoint.signer != log.host:
        raise _NoError(
            "bad-log-entry",
            f"one of {checkpoint.signer[:80]!r}",
            expected=f"a checkpoint of the log {log.host!r}, as the trusted root names it",
        )
    is_v2 = entry.version == V2
    if bool(checkpoint.tree_id) is is_v2 or not (is_v2 or log.is_v1):
        raise _NoError("bad-log-entry", f"an entry of version {entry.version} in a log of another version")
    if entry.promise is None and entry.log_index != proof.log_index:
        raise _NoError("bad-log-entry", f"the index {entry.log_index}, where {proof.log_index} is proved")


def _load(der: bytes) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(der)
    except ValueError as err:
        raise _NoError("bad-certificate", str(err)) from err


def _check_leaf(certificate: x509.Certificate) -> None:
    """Every client reads it, and as the one that was verified."""
    try:
        check_readable(certificate)
    except Malformed as err:
        raise _NoError("bad-certificate", str(err)) from err


def _hearings(wire: WireBundle) -> Iterator[_Hearing]:
    """Split a bundle into one per proof of time.

    The library is content with one good proof of several. Here each is heard alone, so that none stays unread.
    """
    if wire.entry.promise is not None:
        moment = datetime.fromtimestamp(wire.entry.integrated_time, tz=UTC)
        yield _Hearing(_bundle(replace(wire, timestamps=())), moment, stamp=None)
    elif wire.timestamps and wire.entry.integrated_time:
        raise _NoError("bad-signing-time", "a time of the log entry that nobody signed, beside a time stamp")
    untimed = replace(wire.entry, promise=None, integrated_time=0)
    for stamp in wire.timestamps:
        bundle = _bundle(replace(wire, entry=untimed, timestamps=(stamp,)))
        read = _stamped(bundle, stamp)
        yield _Hearing(bundle, read.gen_time, stamp=read)
    if wire.entry.promise is None and not wire.timestamps:
        found = "a time that nobody signed" if wire.entry.integrated_time else "none"
        raise _NoError("no-signing-time", found, expected=_EXPECTED["bad-signing-time"])


def _bundle(wire: WireBundle) -> Bundle:
    try:
        return Bundle.from_json(wire.to_json())
    except Exception as err:
        raise _NoError("bad-bundle", str(err), expected="a bundle that the sigstore library reads") from err


def _stamped(bundle: Bundle, response: bytes) -> Stamp:
    try:
        data = bundle.verification_material.timestamp_verification_data
        stamps = data.rfc3161_timestamps if data else []
        times = [stamp.tst_info.gen_time for stamp in stamps]
        for stamp in stamps:
            _check_stamp(stamp)
        found = read_stamp(response)
    except Exception as err:
        raise _NoError("bad-signing-time", f"a time-stamp response that cannot be read: {err}") from err
    if times != [found.gen_time.replace(microsecond=0)]:
        raise _NoError("bad-signing-time", "a time-stamp response that the sigstore library reads otherwise")
    return found


def _check_stamp(stamp: TimeStampResponse) -> None:
    """Look at what some clients read and others refuse; nothing signs the set of certificates."""
    for der in stamp.signed_data.certificates:
        check_readable(x509.load_der_x509_certificate(der))
    check_identifier(stamp.tst_info.policy)
    stated = [getattr(stamp.tst_info.accuracy, unit, None) for unit in ("seconds", "millis", "micros")]
    if any(value is not None and not 0 <= value < _COARSEST for value in stated):
        raise Malformed("an accuracy beyond all bounds")


def _stampers(hearing: _Hearing, root: Root) -> tuple[Authority, ...]:
    """Return the time-stamp authorities that were in force at the moment, to the fraction of a second, and could sign when the signer says that it did.

    There are none where none is to prove it.
    """
    if hearing.stamp is None:
        return ()
    signed = hearing.stamp.signing_time or hearing.moment
    found = tuple(
        stamper
        for stamper in root.stampers
        if all(window.holds(hearing.moment) for window in _windows(stamper))
        and _validity(stamper.certificates[0]).holds(signed)
    )
    if not found:
        raise _NoError(
            "bad-signing-time", f"{hearing.moment.isoformat()}, where no authority of the root is valid"
        )
    return found


def _authority(certificate: x509.Certificate, root: Root, moments: tuple[datetime, ...]) -> Authority:
    issuers = [authority for authority in root.authorities if _issued(certificate, authority)]
    if not issuers:
        raise _NoError("bad-certificate-chain", f"the issuer {certificate.issuer.rfc4514_string()!r}")
    times = (certificate.not_valid_before_utc, *moments)
    for authority in issuers:
        if _outside(authority.window, times) is None:
            _check_chain_in_force(authority, moments)
            return authority
    raise _window_fault("certificate authority", issuers[-1].window, times)


def _check_chain_in_force(authority: Authority, moments: tuple[datetime, ...]) -> None:
    """No certificate of the chain had expired: the library looks no further up than the first that it trusts."""
    for ca in authority.certificates:
        window = _validity(ca)
        if (moment := _outside(window, moments)) is not None:
            name = ca.subject.rfc4514_string()
            raise _NoError(
                "bad-certificate-chain", f"the CA {name!r}, valid {window}, at {moment.isoformat()}"
            )


def _check_certificate_in_force(certificate: x509.Certificate, moment: datetime) -> None:
    """The library, which leaves out the fraction of a second, found it to be."""
    window = _validity(certificate)
    if not window.holds(moment):
        raise _expired(window, moment)


def _windows(authority: Authority) -> list[Window]:
    return [authority.window, *map(_validity, authority.certificates)]


def _validity(certificate: x509.Certificate) -> Window:
    return Window(start=certificate.not_valid_before_utc, end=certificate.not_valid_after_utc)


def _expired(window: Window, moment: datetime) -> _NoError:
    return _NoError("expired-certificate", f"{moment.isoformat()}, where the certificate is valid {window}")


def _issued(certificate: x509.Certificate, authority: Authority) -> bool:
    try:
        certificate.verify_directly_issued_by(authority.certificates[0])
        return names_issuer(certificate, authority.certificates[0])
    except (ValueError, TypeError, InvalidSignature, x509.DuplicateExtension):
        return False


def _ct_log(certificate: x509.Certificate, root: Root) -> Log:
    try:
        extension = certificate.extensions.get_extension_for_class(
            x509.PrecertificateSignedCertificateTimestamps
        )
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension) as err:
        raise _NoError("bad-sct", str(err)) from err
    stamps = list(extension.value)
    if len(stamps) != 1:
        raise _NoError("bad-sct", f"{len(stamps)} timestamps")
    stamp = stamps[0]
    log = _instance("CT log", root.ct_logs, stamp.log_id, (stamp.timestamp.replace(tzinfo=UTC),), "bad-sct")
    # The library takes the key's own algorithm, whatever the timestamp says.
    wanted = SignatureAlgorithm.RSA if log.is_rsa else SignatureAlgorithm.ECDSA
    if stamp.signature_algorithm is not wanted:
        raise _NoError(
            "bad-sct", f"one by {stamp.signature_algorithm.name}, of a log with a key for {wanted.name}"
        )
    return log


def _log(wire: WireBundle, root: Root, moments: tuple[datetime, ...]) -> Log:
    return _instance("transparency log", root.logs, wire.entry.log_id, moments, "bad-log-entry")


def _instance(
    what: str, logs: tuple[Log, ...], log_id: bytes, moments: tuple[datetime, ...], code: str
) -> Log:
    known = [log for log in logs if log_id in log.ids]
    if not known:
        raise _NoError(code, f"the unknown {what} {log_id.hex()}")
    for log in known:
        if _outside(log.window, moments) is None:
            return log
    raise _window_fault(what, known[-1].window, moments)


def _outside(window: Window, moments: tuple[datetime, ...]) -> datetime | None:
    return next((moment for moment in moments if not window.holds(moment)), None)


def _window_fault(what: str, window: Window, moments: tuple[datetime, ...]) -> _NoError:
    moment = _outside(window, moments) or moments[0]
    return _NoError(
        "outside-validity-window",
        f"{moment.isoformat()}",
        expected=f"a signing time within the validity of the {what} used: {window}",
        hint="The trusted root may be too old or too new for this signature: compare it with a fresh one (`pip-warden root update`).",
    )


def _hear(hearing: _Hearing, verifier: Verifier, wire: WireBundle, digest: Digest) -> Envelope | None:
    """Verify one bundle; its envelope is returned as the library verified it."""
    try:
        if wire.envelope is None:
            verifier.verify_artifact(
                Hashed(algorithm=HashAlgorithm.SHA2_256, digest=digest.raw()), hearing.bundle, _Anyone()
            )
            return None
        payload_type, payload = verifier.verify_dsse(hearing.bundle, _Anyone())
    except Exception as err:
        raise _diagnosis(err, hearing) from err
    return Envelope(payload_type=payload_type, payload=payload)


def _diagnosis(err: Exception, hearing: _Hearing) -> _NoError:
    """Give what the library says a code of ours."""
    window = _validity(hearing.bundle.signing_certificate)
    if not window.holds(hearing.moment):
        return _expired(window, hearing.moment)
    text = str(err) or type(err).__name__
    if isinstance(err, CertValidationError):
        return _NoError("bad-certificate-chain", text)
    code = next((code for phrase, code in _PHRASES if phrase in text), None)
    if code is None:
        return _NoError("signature-invalid", text, expected="a bundle that verifies under the trusted root")
    return _NoError(code, text)
