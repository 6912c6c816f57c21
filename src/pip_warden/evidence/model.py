"""Evidence of an artifact's identity: every form is read into one Sigstore bundle."""

from __future__ import annotations

from enum import StrEnum

from pip_warden._sigstore.wire import WireBundle
from pip_warden.faults import Fault
from pip_warden.values import dataclass


class EvidenceForm(StrEnum):
    """The forms of evidence (design decisions D4 and D19)."""

    BUNDLE = "bundle"
    """``FILE.sigstore.json``: a Sigstore bundle; also the older ``FILE.sigstore``."""
    DSSE_BUNDLE = "dsse-bundle"
    """``FILE.<kind>.sigstore.json``: an attestation as a bundle."""
    PEP740 = "pep740"
    """``FILE.publish.attestation``, ``FILE.slsa.attestation``, or an index's provenance object."""
    DETACHED = "detached"
    """``FILE.sig`` + ``FILE.crt``, completed by the log entry found in Rekor v1."""
    REFERRER = "referrer"
    """An image's: a Sigstore bundle in an artifact that refers to the image, as cosign 3 stores it."""
    IMAGE_SIGNATURE = "image-signature"
    """An image's: a simple signing payload under the tag ``sha256-HEX.sig``, completed as DETACHED is."""
    IMAGE_ATTESTATION = "image-attestation"
    """An image's: a DSSE envelope under the tag ``sha256-HEX.att``, completed as DETACHED is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """An item of evidence that was parsed strictly, not verified.

    Attributes:
        label: Where it came from, for people: a file name, with ``#2`` and so on for further rows or entries.
        form: Its form.
        wire: Its Sigstore bundle, read strictly and once.
        payload: What was signed, where that is not the file itself: cosign 2's simple signing payload; None
            otherwise.
    """

    label: str
    form: EvidenceForm
    wire: WireBundle
    payload: bytes | None = None

    @property
    def is_statement(self) -> bool:
        """Return whether something is said in it, beside the digest that is signed."""
        return self.wire.envelope is not None or self.payload is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class BadItem:
    """An item of evidence that exists and cannot be read."""

    label: str
    form: EvidenceForm
    fault: Fault


Evidence = tuple[Item | BadItem, ...]
"""Every item found for an artifact, best form first; empty is a refusal."""
