"""Step 9, identity: issuer, subject, project id and signing date are those of one identity of the pin."""

from __future__ import annotations

from datetime import UTC

from pip_warden._sigstore.result import CertificateClaims
from pip_warden.faults import Fault
from pip_warden.trust.model import Identity
from pip_warden.trust.segments import Release, spelled_for

_HINT = (
    "If this signer is right, review why it changed and pin it with `pip-warden trust add` (an image's with "
    "--image); if not, another identity published it."
)


def match_identity(
    claims: CertificateClaims, identities: tuple[Identity, ...], release: Release
) -> Identity | Fault:
    """Return the identity that the certificate proves, or the fault of the closest identity.

    Args:
        claims: The claims of the verified certificate.
        identities: The pin's identities under the root that verified it.
        release: The release that is judged, for ``{version}`` and ``{tag}``.
    """
    closest: tuple[int, Fault] | None = None
    for identity in identities:
        outcome = _compare(claims, identity, release)
        if outcome is None:
            return identity
        if closest is None or outcome[0] > closest[0]:
            closest = outcome
    if closest is None:
        return Fault(
            code="issuer-mismatch",
            expected="an identity of this trusted root",
            found="none is pinned",
            hint=_HINT,
        )
    return closest[1]


def _compare(claims: CertificateClaims, identity: Identity, release: Release) -> tuple[int, Fault] | None:
    """Return None where everything agrees, else the number of the differing part, and its fault."""
    if claims.issuer != identity.issuer:
        return 1, _fault("issuer-mismatch", f"issuer {identity.issuer}", claims.issuer)
    if len(claims.subjects) != 1:
        return 2, _fault("identity-mismatch", "exactly one subject", f"{len(claims.subjects)} subjects")
    if not identity.subject.matches(claims.subjects[0], release):
        return 2, _fault(
            "identity-mismatch", f"signer {spelled_for(identity.subject.text, release)}", claims.subjects[0]
        )
    if identity.project_id is not None and claims.get("project-id") != identity.project_id:
        found = claims.get("project-id") or "no project id"
        return 3, _fault("project-id-mismatch", f"the signer's project id {identity.project_id}", found)
    return _compare_dates(claims, identity)


def _compare_dates(claims: CertificateClaims, identity: Identity) -> tuple[int, Fault] | None:
    """Compare the signing time with the identity's dates, to the end of the day, UTC.

    Old releases stay good after an identity is retired.
    """
    signed = claims.not_before.astimezone(UTC).date()
    if identity.not_before is not None and signed < identity.not_before:
        return 4, _fault(
            "signed-outside-dates", f"signed on or after {identity.not_before}", f"signed on {signed}"
        )
    if identity.not_after is not None and signed > identity.not_after:
        return 4, _fault(
            "signed-outside-dates", f"signed on or before {identity.not_after}", f"signed on {signed}"
        )
    return None


def _fault(code: str, expected: str, found: str) -> Fault:
    return Fault(code=code, expected=expected, found=found, hint=_HINT)
