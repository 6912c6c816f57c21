"""Evidence of an artifact's identity: every form is read into one Sigstore bundle."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from pip_warden._sigstore.wire import WireBundle
from pip_warden.faults import Fault


class EvidenceForm(StrEnum):
    """The forms of evidence (design decision D4)."""

    BUNDLE = "bundle"
    """``FILE.sigstore.json``: a Sigstore bundle; also the older ``FILE.sigstore``."""
    DSSE_BUNDLE = "dsse-bundle"
    """``FILE.<kind>.sigstore.json``: an attestation as a bundle."""
    PEP740 = "pep740"
    """``FILE.publish.attestation``, ``FILE.slsa.attestation``, or an index's provenance object."""
    DETACHED = "detached"
    """``FILE.sig`` + ``FILE.crt``, completed by the log entry found in Rekor v1."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """An item of evidence that was parsed strictly, not verified.

    Attributes:
        label: Where it came from, for people: a file name, with ``#2`` and so on for further rows or entries.
        form: Its form.
        wire: Its Sigstore bundle, read strictly and once.
    """

    label: str
    form: EvidenceForm
    wire: WireBundle


@dataclass(frozen=True, kw_only=True, slots=True)
class BadItem:
    """An item of evidence that exists and cannot be read."""

    label: str
    form: EvidenceForm
    fault: Fault


Evidence = tuple[Item | BadItem, ...]
"""Every item found for an artifact, best form first; empty is a refusal."""
