"""The products of signing: bundles, detached signatures, PEP 740 attestations."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from pip_warden.sandbox.sigstore import proposals
from pip_warden.sandbox.sigstore.lies import BundleForm, Lie, MediaType
from pip_warden.sandbox.sigstore.wire import JSONObject, b64, der, new_key, pem, sign

if TYPE_CHECKING:
    from pip_warden.sandbox.sigstore.identity import Claims
    from pip_warden.sandbox.sigstore.rekor import LoggedEntry
    from pip_warden.sandbox.sigstore.wire import PublicKey


class Services(Protocol):
    """The services a signer needs: the CA, the transparency log and the time-stamp authority."""

    def issue(
        self, who: Claims | str, public_key: PublicKey, *, lie: Lie | None = None
    ) -> tuple[x509.Certificate, ...]:
        """Issue a certificate and return it with its chain."""
        ...

    def log(self, proposed: object, *, lie: Lie | None = None) -> LoggedEntry:
        """Append a proposed entry to the transparency log."""
        ...

    def stamp(self, request: bytes, *, lie: Lie | None = None) -> bytes:
        """Time-stamp some bytes."""
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class _Hand:
    """One ephemeral key with its certificate: signs once, then is discarded."""

    key: ec.EllipticCurvePrivateKey
    leaf: x509.Certificate
    lie: Lie

    def shown(self, honest: bytes, data: bytes) -> bytes:
        """Return the published signature: the honest one, or another key's."""
        return sign(new_key(), data) if self.lie.signature == "foreign" else honest

    def logged(self, honest: bytes, data: bytes) -> bytes:
        """Return the logged signature: the honest one, or another over the same data."""
        return sign(self.key, data) if self.lie.entry == "another" else honest


def _hand(services: Services, claims: Claims, lie: Lie) -> _Hand:
    key = new_key()
    return _Hand(key=key, leaf=services.issue(claims, key.public_key(), lie=lie)[0], lie=lie)


def _sign_bytes(
    services: Services, data: bytes, claims: Claims, lie: Lie
) -> tuple[x509.Certificate, bytes, LoggedEntry]:
    hand = _hand(services, claims, lie)
    honest = sign(hand.key, data)
    digest = hashlib.sha256(data).hexdigest()
    proposed = proposals.hashedrekord(digest, hand.logged(honest, data), pem(hand.leaf))
    return hand.leaf, hand.shown(honest, data), services.log(proposed, lie=lie)


def blob(services: Services, data: bytes, claims: Claims, form: BundleForm, lie: Lie) -> JSONObject:
    """Sign bytes and return a bundle with a message signature."""
    leaf, signature, entry = _sign_bytes(services, data, claims, lie)
    content = {
        "messageSignature": {
            "messageDigest": {"algorithm": "SHA2_256", "digest": b64(hashlib.sha256(data).digest())},
            "signature": b64(signature),
        }
    }
    stamps = [services.stamp(signature, lie=lie)] if form.timestamp else []
    return _bundle(leaf, entry, stamps, content, form)


def detached(
    services: Services, data: bytes, claims: Claims, lie: Lie, *, crt: Literal["pem", "base64"]
) -> tuple[bytes, bytes]:
    """Sign bytes and return the contents of `.sig` and `.crt`."""
    leaf, signature, _ = _sign_bytes(services, data, claims, lie)
    certificate = pem(leaf)
    return base64.b64encode(signature), certificate if crt == "pem" else base64.b64encode(certificate)


def statement(
    services: Services, payload: bytes, payload_type: str, claims: Claims, form: BundleForm, lie: Lie
) -> JSONObject:
    """Sign a payload and return a bundle with a DSSE envelope."""
    hand = _hand(services, claims, lie)
    data = proposals.pae(payload_type, payload)
    honest = sign(hand.key, data)
    logged = _envelope(payload, payload_type, hand.logged(honest, data))
    entry = services.log(proposals.dsse(json.dumps(logged), pem(hand.leaf)), lie=lie)
    signature = hand.shown(honest, data)
    stamps = [services.stamp(signature, lie=lie)] if form.timestamp else []
    return _bundle(
        hand.leaf, entry, stamps, {"dsseEnvelope": _envelope(payload, payload_type, signature)}, form
    )


def _envelope(payload: bytes, payload_type: str, signature: bytes) -> JSONObject:
    return {"payload": b64(payload), "payloadType": payload_type, "signatures": [{"sig": b64(signature)}]}


def attestation(bundle: JSONObject) -> JSONObject:
    """Return a PEP 740 attestation object with the content of a 0.3 bundle with an envelope."""
    material, envelope = bundle["verificationMaterial"], bundle["dsseEnvelope"]
    return {
        "version": 1,
        "verification_material": {
            "certificate": material["certificate"]["rawBytes"],
            "transparency_entries": material["tlogEntries"],
        },
        "envelope": {"statement": envelope["payload"], "signature": envelope["signatures"][0]["sig"]},
    }


def _bundle(
    leaf: x509.Certificate, entry: LoggedEntry, stamps: list[bytes], content: JSONObject, form: BundleForm
) -> JSONObject:
    certificate = {"rawBytes": b64(der(leaf))}
    chained = form.media_type in {MediaType.V01, MediaType.V02}
    logged = entry.bundle_json()
    for key, kept in (
        ("inclusionPromise", form.promise),
        ("inclusionProof", form.proof),
        ("integratedTime", form.integrated_time),
    ):
        if not kept:
            del logged[key]
    material: JSONObject = (
        {"x509CertificateChain": {"certificates": [certificate]}} if chained else {"certificate": certificate}
    )
    material["tlogEntries"] = [logged]
    material["timestampVerificationData"] = {
        "rfc3161Timestamps": [{"signedTimestamp": b64(stamp)} for stamp in stamps]
    }
    bundle = {"mediaType": form.media_type.value, "verificationMaterial": material} | content
    return without_defaults(bundle) if form.omit_defaults else bundle


def without_defaults(message: JSONObject) -> JSONObject:
    """Leave out zero numbers, empty strings, lists and messages, as Go's protobuf JSON does."""
    cleaned: JSONObject = {}
    for key, value in message.items():
        if isinstance(value, dict):
            cleaned[key] = without_defaults(value)
        elif isinstance(value, list) and value:
            cleaned[key] = [without_defaults(item) if isinstance(item, dict) else item for item in value]
        elif value not in ("0", "", [], 0):
            cleaned[key] = value
    return cleaned
