"""Evidence whose bytes somebody has: read by what it is, whatever its name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pip_warden.evidence.bundle import read_bundle
from pip_warden.evidence.model import BadItem, EvidenceForm, Item
from pip_warden.evidence.pep740 import LARGEST_PROVENANCE, read_attestation, read_provenance
from pip_warden.faults import Fault
from pip_warden.strict_json import MalformedError, loads_object

_MOST = 64
"""Pieces of evidence for one file that are looked at."""


def read_offered(evidence: Iterable[bytes]) -> Iterator[Item | BadItem]:
    """Read each piece of evidence when it is asked for.

    Args:
        evidence: The bytes of bundles, PEP 740 attestations or provenance objects; what iterating over it
            raises passes.

    Raises:
        TypeError: A piece is no bytes.
    """
    for number, raw in enumerate(evidence, start=1):
        label = f"evidence #{number}"
        if not isinstance(raw, bytes):
            raise TypeError(f"expected evidence as bytes, found {type(raw).__name__}")
        if number > _MOST:
            yield _capped(label)
            return
        yield from read_any(label, raw)


def read_any(label: str, raw: bytes) -> tuple[Item | BadItem, ...]:
    """Read evidence by what it is, whatever its name.

    What is neither attestation nor provenance is read as a bundle, and refused as one.

    Args:
        label: Where it came from, for people.
        raw: The bytes.
    """
    try:
        keys = loads_object(raw, max_bytes=LARGEST_PROVENANCE).keys()
    except MalformedError:
        keys = {}.keys()
    if "attestation_bundles" in keys:
        return read_provenance(label, raw)
    if "verification_material" in keys:
        return (read_attestation(label, raw),)
    return (read_bundle(label, raw),)


def _capped(label: str) -> BadItem:
    fault = Fault(
        code="too-much-evidence",
        expected=f"at most {_MOST} pieces of evidence for a file",
        found="more; the others were not looked at",
    )
    return BadItem(label=label, form=EvidenceForm.BUNDLE, fault=fault)
