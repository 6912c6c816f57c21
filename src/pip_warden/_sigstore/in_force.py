"""Which parts of the trusted root a bundle uses, and whether each was in force at the time.

The sigstore library does not check every end of the windows in which the parts of a root are valid, and
tries one key after the other. Here exactly those CA, CT log, transparency log and time-stamp authorities are
chosen that can have made what the bundle contains.
"""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.x509.certificate_transparency import SignatureAlgorithm

from pip_warden._sigstore.certificate import names_issuer, value_of
from pip_warden._sigstore.root import Root
from pip_warden._sigstore.root_parts import Authority, Log, Window, validity_of
from pip_warden._sigstore.timed import TimedBundle
from pip_warden._sigstore.verification_faults import text_of, verification_fault
from pip_warden.faults import FaultError

Moments = tuple[datetime, ...]


def named_issuer(certificate: x509.Certificate, root: Root) -> Authority | None:
    """Return the authority that issued a certificate if any of the root did, None where names cannot tell.

    The signature is left to the library: its verifier trusts this authority alone, which has no second
    certificate of that name.
    """
    authority = root.issuer(certificate.issuer)
    if authority is None or not names_issuer(certificate, authority.certificates[0]):
        return None
    return authority


def authority_of(
    certificate: x509.Certificate, root: Root, moments: Moments, *, named: Authority | None = None
) -> Authority:
    """Return the certificate authority that issued a certificate and was in force at the moments of signing.

    Args:
        certificate: A signer's certificate.
        root: The trusted root.
        moments: The proved times of signing.
        named: What :func:`named_issuer` returned: then the signature remains to be proved.

    Raises:
        FaultError: ``bad-certificate-chain`` or ``outside-validity-window``.
    """
    issuers = [named] if named else [each for each in root.authorities if _issued(certificate, each)]
    if not issuers:
        raise verification_fault(
            "bad-certificate-chain", f"the issuer {certificate.issuer.rfc4514_string()!r}"
        )
    times = (certificate.not_valid_before_utc, *moments)
    for authority in issuers:
        if _outside(authority.window, times) is None:
            _check_chain_in_force(authority, moments)
            return authority
    raise _window_fault("certificate authority", issuers[-1].window, times)


def _check_chain_in_force(authority: Authority, moments: Moments) -> None:
    """Check that no certificate of the chain had expired: the library stops at the first that it trusts."""
    for ca, window in zip(authority.certificates, authority.validities, strict=True):
        if (moment := _outside(window, moments)) is not None:
            name = ca.subject.rfc4514_string()
            raise verification_fault(
                "bad-certificate-chain", f"the CA {name!r}, valid {window}, at {moment.isoformat()}"
            )


def check_in_force(certificate: x509.Certificate, moment: datetime) -> None:
    """Check a signer's certificate's validity to the fraction of a second, which the library ignores.

    Raises:
        FaultError: ``expired-certificate``.
    """
    window = validity_of(certificate)
    if not window.holds(moment):
        raise verification_fault(
            "expired-certificate", f"{moment.isoformat()}, where the certificate is valid {window}"
        )


def _issued(certificate: x509.Certificate, authority: Authority) -> bool:
    try:
        certificate.verify_directly_issued_by(authority.certificates[0])
        return names_issuer(certificate, authority.certificates[0])
    except (ValueError, TypeError, InvalidSignature, x509.DuplicateExtension):
        return False


def ct_log_of(certificate: x509.Certificate, root: Root) -> Log:
    """Return the CT log whose one SCT a certificate has, made while the log was in force.

    Raises:
        FaultError: ``bad-sct`` or ``outside-validity-window``.
    """
    try:
        listed = value_of(certificate, x509.PrecertificateSignedCertificateTimestamps)
    except (ValueError, x509.DuplicateExtension) as err:
        raise verification_fault("bad-sct", text_of(err)) from err
    if listed is None:
        raise verification_fault("bad-sct", "no timestamp")
    stamps = list(listed)
    if len(stamps) != 1:
        raise verification_fault("bad-sct", f"{len(stamps)} timestamps")
    stamp = stamps[0]
    log = _instance("CT log", root.ct_logs, stamp.log_id, (stamp.timestamp.replace(tzinfo=UTC),), "bad-sct")
    # The library uses the key's own algorithm, whatever the SCT says.
    wanted = SignatureAlgorithm.RSA if log.is_rsa else SignatureAlgorithm.ECDSA
    if stamp.signature_algorithm is not wanted:
        raise verification_fault(
            "bad-sct", f"one by {stamp.signature_algorithm.name}, of a log with a key for {wanted.name}"
        )
    return log


def log_of(log_id: bytes, root: Root, moments: Moments) -> Log:
    """Return the transparency log with an id that was in force at these moments.

    Raises:
        FaultError: ``bad-log-entry`` or ``outside-validity-window``.
    """
    return _instance("transparency log", root.logs, log_id, moments, "bad-log-entry")


def timestamp_authorities_of(timed: TimedBundle, root: Root) -> tuple[Authority, ...]:
    """Return the time-stamp authorities that can have made a bundle's time stamp.

    They were in force at its moment, to the fraction of a second, and their certificate was valid at the
    signing time that it states. Empty where the bundle's time is not proved by a time stamp.

    Raises:
        FaultError: ``bad-signing-time``: no authority can have made it.
    """
    if timed.stamp is None:
        return ()
    signed = timed.stamp.signing_time or timed.moment
    found = tuple(
        stamper
        for stamper in root.timestamp_authorities
        if all(window.holds(timed.moment) for window in (stamper.window, *stamper.validities))
        and stamper.validities[0].holds(signed)
    )
    if not found:
        raise verification_fault(
            "bad-signing-time", f"{timed.moment.isoformat()}, where no authority of the root is valid"
        )
    return found


def _instance(what: str, logs: tuple[Log, ...], log_id: bytes, moments: Moments, code: str) -> Log:
    known = [log for log in logs if log_id in log.ids]
    if not known:
        raise verification_fault(code, f"the unknown {what} {log_id.hex()}")
    for log in known:
        if _outside(log.window, moments) is None:
            return log
    raise _window_fault(what, known[-1].window, moments)


def _outside(window: Window, moments: Moments) -> datetime | None:
    return next((moment for moment in moments if not window.holds(moment)), None)


def _window_fault(what: str, window: Window, moments: Moments) -> FaultError:
    moment = _outside(window, moments) or moments[0]
    return verification_fault(
        "outside-validity-window",
        f"{moment.isoformat()}",
        expected=f"a signing time within the validity of the {what} used: {window}",
        hint="The trusted root may be too old or too new for this signature: compare it with a fresh one "
        "(`pip-warden root update`).",
    )
