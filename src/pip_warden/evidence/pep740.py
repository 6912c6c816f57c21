"""Step 6 for PEP 740: reads attestation and provenance objects strictly, into Sigstore bundles."""

from __future__ import annotations

import json

from pip_warden._sigstore.fields import Fields
from pip_warden._sigstore.wire import WireBundle, WireEnvelope
from pip_warden._sigstore.wire_reader import LARGEST_BUNDLE, read_entry
from pip_warden.evidence.bundle import bad_item, item_of, what_it_is_instead
from pip_warden.evidence.model import BadItem, EvidenceForm, Item
from pip_warden.strict_json import JSONValue, MalformedError, loads

LARGEST_PROVENANCE = 8 << 20
"""Bytes: a provenance object holds several attestations."""

_IN_TOTO = "application/vnd.in-toto+json"
_MOST = 32
_EXPECTED = "a PEP 740 attestation, version 1"


def read_attestation(label: str, raw: bytes) -> Item | BadItem:
    """Read an attestation object, the content of ``FILE.publish.attestation``."""
    fault = what_it_is_instead(raw, _EXPECTED)
    if fault is not None:
        return BadItem(label=label, form=EvidenceForm.PEP740, fault=fault)
    try:
        value = loads(raw, max_bytes=LARGEST_BUNDLE)
    except MalformedError as err:
        return bad_item(label, EvidenceForm.PEP740, err, code="bad-attestation", expected=_EXPECTED)
    return _item(label, value)


def read_provenance(label: str, raw: bytes) -> tuple[Item | BadItem, ...]:
    """Read a provenance object, as an index serves it, into one item per attestation.

    The publisher that the index names proves nothing and is ignored. The result is never empty: an object
    without any attestation is a bad item.
    """
    fault = what_it_is_instead(raw, "a PEP 740 provenance object", largest=LARGEST_PROVENANCE)
    if fault is not None:
        return (BadItem(label=label, form=EvidenceForm.PEP740, fault=fault),)
    try:
        values = _attestations(Fields(loads(raw, max_bytes=LARGEST_PROVENANCE), "provenance"))
    except MalformedError as err:
        expected = "a PEP 740 provenance object, version 1, with at least one attestation"
        return (bad_item(label, EvidenceForm.PEP740, err, code="bad-provenance", expected=expected),)
    return tuple(_item(label if at == 0 else f"{label}#{at + 1}", value) for at, value in enumerate(values))


def _attestations(whole: Fields) -> list[JSONValue]:
    _check_version(whole)
    found: list[JSONValue] = []
    for bundle in whole.children("attestation_bundles", most=_MOST):
        Fields(bundle.take("publisher"), f"{bundle.where}.publisher")
        values = bundle.items("attestations", most=_MOST)
        bundle.done()
        if not values:
            raise MalformedError(f"{bundle.where} has no attestation", code="no-attestations")
        found.extend(values)
    whole.done()
    if not found:
        raise MalformedError("no attestation bundle at all", code="no-attestations")
    return found


def _check_version(fields: Fields) -> None:
    version = fields.take("version")
    # True == 1 in Python, and 1.0 is another spelling.
    if type(version) is not int or version != 1:
        raise MalformedError(_version(version), code="unknown-attestation-version")


def _version(version: object) -> str:
    return "no version" if version is None else f"version {json.dumps(version)}"[:80]


def _item(label: str, value: JSONValue) -> Item | BadItem:
    try:
        return item_of(label, EvidenceForm.PEP740, _wire(Fields(value, "attestation")))
    except MalformedError as err:
        return bad_item(label, EvidenceForm.PEP740, err, code="bad-attestation", expected=_EXPECTED)


def _wire(whole: Fields) -> WireBundle:
    _check_version(whole)
    material, envelope = whole.child("verification_material"), whole.child("envelope")
    whole.done()
    entries = material.children("transparency_entries", most=_MOST)
    if len(entries) != 1:
        raise MalformedError(f"{len(entries)} transparency entries, not exactly one")
    certificate = material.data("certificate")
    material.done()
    payload, signature = envelope.data("statement"), envelope.data("signature")
    envelope.done()
    return WireBundle(
        certificate=certificate,
        entry=read_entry(entries[0]),
        timestamps=(),
        signature=signature,
        message_digest=None,
        envelope=WireEnvelope(payload_type=_IN_TOTO, payload=payload),
    )
