"""Why a bundle does not verify, as stable codes.

The sigstore library's reasons differ only in their texts, so they are sorted by phrases that occur in them; a
test compares every phrase with the installed library.
"""

from __future__ import annotations

import re

from sigstore.errors import CertValidationError

from pip_warden.faults import Fault, FaultError

PHRASES = (
    # The library's phrases (4.5.1), in the order in which it checks.
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
"""Phrases in the library's texts and their codes; the first that occurs counts."""

EXPECTED = {
    "bad-signing-time": "a signing time proved by the log's signed entry timestamp "
    "or by a trusted time-stamp authority",
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


_CLASS = re.compile(r"<class '(?:\w+\.)*(\w+)'>")


def verification_fault(code: str, found: str, *, expected: str = "", hint: str = "") -> FaultError:
    """Return the fault that a check raises.

    Args:
        code: The fault's code.
        found: What was found.
        expected: What was expected; by default the text of :data:`EXPECTED` for the code.
        hint: What to do.
    """
    return FaultError(Fault(code=code, expected=expected or EXPECTED[code], found=found, hint=hint))


def text_of(err: Exception) -> str:
    """Return the text of a library's exception, with bare names for the Python classes in it."""
    return _CLASS.sub(r"\1", str(err)) or type(err).__name__


def from_library_error(err: Exception) -> FaultError:
    """Convert the library's exception into a fault with a stable code."""
    text = text_of(err)
    if isinstance(err, CertValidationError):
        return verification_fault("bad-certificate-chain", text)
    code = next((code for phrase, code in PHRASES if phrase in text), None)
    if code is None:
        return verification_fault(
            "signature-invalid", text, expected="a bundle that verifies under the trusted root"
        )
    return verification_fault(code, text)
