"""Step 6 for images that cosign 2 signed: its signatures and attestations, each a layer under a tag.

The layer is what was signed, its annotations have signature and certificate. They also have what the log
promised, which proves no inclusion (ADR 3): the entry is looked up, as for a detached signature, and what the
annotations say of it is not read; nor are the CAs that they name, since only the trusted root does.

Sources: cosign, ``specs/SIGNATURE_SPEC.md`` and ``specs/ATTESTATION_SPEC.md``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from pip_warden._sigstore.fields import base64_of
from pip_warden._sigstore.rekor import Hashedrekord, LoggedEnvelope
from pip_warden._sigstore.wire import LogEntry, WireBundle, WireEnvelope
from pip_warden._sigstore.wire_reader import read_envelope
from pip_warden.digests import digest_of
from pip_warden.evidence.bundle import bad_item, item_of, what_it_is_instead
from pip_warden.evidence.detached import Pair, complete, pem_of, read_pair
from pip_warden.evidence.model import BadItem, EvidenceForm, Item
from pip_warden.faults import Fault
from pip_warden.strict_json import MalformedError

LARGEST_PAYLOAD = 64 << 10
"""Bytes of the largest simple signing payload; real ones have a few hundred."""

_SIGNATURE = "dev.cosignproject.cosign/signature"
_CERTIFICATE = "dev.sigstore.cosign/certificate"

ImageEntryFinder = Callable[[Hashedrekord | LoggedEnvelope], LogEntry | None]
"""Looks up the log entry of what cosign 2 signed, as :func:`pip_warden._sigstore.rekor.find_log_entry` does.

Raises UndecidedError where the log could not be reached.
"""


def read_image_signature(
    label: str, payload: bytes, annotations: Mapping[str, str], find_entry: ImageEntryFinder | None
) -> Item | BadItem:
    """Read a simple signing payload, whose signature is in the annotations.

    What the payload says is judged, not read here.

    Args:
        label: Where it came from, for people.
        payload: The layer.
        annotations: The layer's.
        find_entry: How its log entry is looked up; None where it must not be.

    Raises:
        UndecidedError: The transparency log could not be asked.
    """
    form = EvidenceForm.IMAGE_SIGNATURE
    fault = what_it_is_instead(payload, "a simple signing payload", largest=LARGEST_PAYLOAD)
    pair = fault or _pair(label, annotations.get(_SIGNATURE, ""), annotations)
    if isinstance(pair, Fault):
        return BadItem(label=label, form=form, fault=pair)
    if find_entry is None:
        return BadItem(label=label, form=form, fault=_not_asked())
    digest = digest_of(payload)
    done = complete(pair, digest, find_entry(pair.wanted(digest)))
    return replace(done, form=form, payload=payload) if isinstance(done, Item) else _unlogged(label, form)


def read_image_attestation(
    label: str, raw: bytes, annotations: Mapping[str, str], find_entry: ImageEntryFinder | None
) -> Item | BadItem:
    """Read a DSSE envelope, whose certificate is in the annotations.

    Args:
        label: Where it came from, for people.
        raw: The layer.
        annotations: The layer's.
        find_entry: How its log entry is looked up; None where it must not be.

    Raises:
        UndecidedError: The transparency log could not be asked.
    """
    form = EvidenceForm.IMAGE_ATTESTATION
    fault = what_it_is_instead(raw, "a DSSE envelope")
    if fault is not None:
        return BadItem(label=label, form=form, fault=fault)
    try:
        signature, envelope = read_envelope(raw)
    except MalformedError as err:
        return bad_item(
            label, form, err, code="bad-envelope", expected="a DSSE envelope with exactly one signature"
        )
    pair = _pair(label, base64_of(signature), annotations)
    if isinstance(pair, Fault):
        return BadItem(label=label, form=form, fault=pair)
    if find_entry is None:
        return BadItem(label=label, form=form, fault=_not_asked())
    return _attested(pair, raw, envelope, find_entry)


def _attested(pair: Pair, raw: bytes, envelope: WireEnvelope, find_entry: ImageEntryFinder) -> Item | BadItem:
    """Complete an envelope by its log entry."""
    form, payload = EvidenceForm.IMAGE_ATTESTATION, digest_of(envelope.payload)
    pem = pem_of(pair.certificate)
    entry = find_entry(LoggedEnvelope(envelope=raw, payload=payload, signature=pair.signature, pem=pem))
    if entry is None:
        return _unlogged(pair.label, form)
    wire = WireBundle(
        certificate=pair.certificate,
        entry=entry,
        timestamps=(),
        signature=pair.signature,
        message_digest=None,
        envelope=envelope,
    )
    return item_of(pair.label, form, wire)


def _pair(label: str, signature: str, annotations: Mapping[str, str]) -> Pair | Fault:
    certificate = annotations.get(_CERTIFICATE, "")
    if not certificate:
        return Fault(
            code="key-signed-bundle",
            expected=f"a certificate in the annotation {_CERTIFICATE}",
            found="none: it is signed with a bare key",
        )
    return read_pair(label, signature.encode(), certificate.encode())


def _not_asked() -> Fault:
    return Fault(
        code="log-lookup-offline",
        expected="evidence that verifies offline",
        found="what cosign 2 signed, whose log entry would have to be looked up",
        hint="`pip-warden image verify REF` looks it up, once the repository is pinned; or have the image "
        "signed anew, with cosign 3.",
    )


def _unlogged(label: str, form: EvidenceForm) -> BadItem:
    fault = Fault(
        code="no-log-entry",
        expected="an entry in the transparency log for exactly this signature, certificate and content",
        found="none",
        hint="It was changed, or signed under another Sigstore instance than the trusted root's; or it is an "
        "attestation of the log's kind `intoto`, which is not read.",
    )
    return BadItem(label=label, form=form, fault=fault)
