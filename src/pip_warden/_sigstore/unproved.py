"""Why a bundle does not verify, in codes of ours.

The sigstore library tells its reasons apart by their texts alone, so they are sorted by what occurs in them; a test holds every phrase
against the library that is installed.
"""

from __future__ import annotations

from sigstore.errors import CertValidationError

from pip_warden.faults import Fault, FaultError

PHRASES = (
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
"""What the texts of the library hold, and the code for it; the first that occurs counts."""

EXPECTED = {
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
"""What was expected instead, by code."""


def unproved(code: str, found: str, *, expected: str = "", hint: str = "") -> FaultError:
    """Make what a check raises.

    Args:
        code: The fault's code.
        found: What was found.
        expected: What was expected; by default what :data:`EXPECTED` has for the code.
        hint: What to do.
    """
    return FaultError(Fault(code=code, expected=expected or EXPECTED[code], found=found, hint=hint))


def as_the_library_says(err: Exception) -> FaultError:
    """Give what the library raised a code of ours."""
    text = str(err) or type(err).__name__
    if isinstance(err, CertValidationError):
        return unproved("bad-certificate-chain", text)
    code = next((code for phrase, code in PHRASES if phrase in text), None)
    if code is None:
        return unproved("signature-invalid", text, expected="a bundle that verifies under the trusted root")
    return unproved(code, text)
