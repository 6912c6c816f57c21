"""What a verified bundle proves, as plain values that need no sigstore library."""

from __future__ import annotations

from datetime import datetime

from pip_warden.values import dataclass

CLAIM_NUMBERS = {
    "issuer": 8,
    "build-signer-uri": 9,
    "build-signer-digest": 10,
    "runner-environment": 11,
    "source-repository": 12,
    "source-digest": 13,
    "source-ref": 14,
    "project-id": 15,
    "owner": 16,
    "owner-id": 17,
    "build-config-uri": 18,
    "build-config-digest": 19,
    "build-trigger": 20,
    "run-invocation": 21,
    "visibility": 22,
    "environment": 23,
    "token-subject": 24,
}
"""Names of Fulcio's certificate extensions 1.3.6.1.4.1.57264.1.N (fulcio ``docs/oid-info.md``)."""


@dataclass(frozen=True, kw_only=True, slots=True)
class CertificateClaims:
    """What the certificate of a verified bundle says.

    Attributes:
        issuer: The OIDC issuer, of extension 1 (raw); extension 8 (DER), which the oldest certificates lack,
            has the same value.
        subjects: Every subject alternative name (URI or e-mail address); a well-formed certificate has
            exactly one.
        values: ``(name, value)`` of every extension of :data:`CLAIM_NUMBERS` that is present, sorted by
            number.
        not_before: The certificate's ``not_valid_before``, aware UTC: the signing time used for judging.
        not_after: Its ``not_valid_after``, aware UTC.
    """

    issuer: str
    subjects: tuple[str, ...]
    values: tuple[tuple[str, str], ...]
    not_before: datetime
    not_after: datetime

    def get(self, name: str) -> str | None:
        """Return the claim with a name of :data:`CLAIM_NUMBERS`, None where the certificate lacks it."""
        for known, value in self.values:
            if known == name:
                return value
        return None


@dataclass(frozen=True, kw_only=True, slots=True)
class Envelope:
    """A verified DSSE envelope: type and bytes of its payload."""

    payload_type: str
    payload: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class VerificationResult:
    """The result of step 7 for one bundle.

    Attributes:
        claims: The claims of its certificate.
        envelope: The verified DSSE envelope; None for a message signature over the artifact's digest.
        log_index: Global index of its log entry.
        log_time: Integrated time (aware UTC) where a signed entry timestamp proved it, else the RFC 3161
            time.
    """

    claims: CertificateClaims
    envelope: Envelope | None
    log_index: int
    log_time: datetime
