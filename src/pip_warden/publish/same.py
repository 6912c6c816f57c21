"""Is evidence that is there already what would be made now? Then it stays, and nothing more is logged."""

from __future__ import annotations

from pip_warden._sigstore.result import CertificateClaims, VerificationResult
from pip_warden._sigstore.root import Root
from pip_warden._sigstore.verify import verify_bundle
from pip_warden._sigstore.wire import WireBundle
from pip_warden._sigstore.wire_reader import LARGEST_BUNDLE
from pip_warden.digests import Digest
from pip_warden.evidence.model import BadItem, Item
from pip_warden.faults import Fault
from pip_warden.publish.token import TokenClaims
from pip_warden.strict_json import MalformedError, loads_object
from pip_warden.values import dataclass

_PROVENANCE = "https://slsa.dev/provenance/v1"


class OtherError(Exception):
    """What is there is not what would be made."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Judge:
    """By what evidence that is there may stay.

    Attributes:
        root: The trusted root.
        claimed: Who signs now, as the token says; None keeps nothing.
        stamps: How many time stamps it must have.
    """

    root: Root
    claimed: TokenClaims | None
    stamps: int

    def same(
        self, item: Item | BadItem, digest: Digest, statement: bytes | None
    ) -> tuple[WireBundle, VerificationResult]:
        """Return a bundle that may stay, and what it proves.

        It verifies for the digest, under the identity, the project and the commit of the token now, and says
        the same: a statement may differ in when the build ended, and in nothing else.

        Args:
            item: The evidence.
            digest: What it must be about.
            statement: What it must say; None where the digest itself is signed.

        Raises:
            OtherError: What is different.
        """
        if not isinstance(item, Item):
            raise OtherError(item.fault.found)
        proved = verify_bundle(item.wire, digest, self.root)
        if isinstance(proved, Fault):
            raise OtherError(f"{proved.code}: {proved.found}")
        _check_same(proved, statement)
        _check_signer(proved.claims, self.claimed)
        if len(item.wire.timestamps) < self.stamps:
            raise OtherError(f"{len(item.wire.timestamps)} time stamps of {self.stamps}")
        return item.wire, proved


def _check_signer(claims: CertificateClaims, claimed: TokenClaims | None) -> None:
    if claimed is None:
        raise OtherError("it cannot be compared with a token")
    wanted = (claimed.claimed_certificate_issuer, claimed.claimed_subject)
    if (claims.issuer, *claims.subjects) != wanted:
        raise OtherError(f"signed by {', '.join(claims.subjects)} of {claims.issuer}")
    for name, value in claimed.claimed_place:
        if claims.get(name) != value:
            raise OtherError(f"signed with the {name} {claims.get(name)}, not {value}")


def _check_same(proved: VerificationResult, statement: bytes | None) -> None:
    if statement is None:
        if proved.envelope is not None:
            raise OtherError("a statement, not a signature of the file")
        return
    if proved.envelope is None:
        raise OtherError("a signature of the file, not a statement")
    try:
        same = _lasting(proved.envelope.payload) == _lasting(statement)
    except MalformedError as err:
        raise OtherError(str(err)) from err
    if not same:
        raise OtherError("a statement that says something else")


def _lasting(statement: bytes) -> dict[str, object]:
    """Return what a statement says, but for when the build ended: that is new each time it is made."""
    said: dict[str, object] = dict(loads_object(statement, max_bytes=LARGEST_BUNDLE))
    if said.get("predicateType") == _PROVENANCE:
        at: object = said
        for step in ("predicate", "runDetails", "metadata"):
            at = at.get(step) if isinstance(at, dict) else None
        if isinstance(at, dict):
            at.pop("finishedOn", None)
    return said
