"""Proposed log entries: checked, and canonicalized as Rekor v1 stores them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from pip_warden.sandbox.sigstore.errors import EntryRefused
from pip_warden.sandbox.sigstore.wire import (
    PublicKey,
    b64,
    canonical_json,
    from_b64,
    narrow,
    pem,
    spki_pem,
    verify,
)

VERSION = "0.0.1"
IN_TOTO = "application/vnd.in-toto+json"
_HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposal:
    """An entry whose signatures hold, ready to be appended.

    Attributes:
        kind: `hashedrekord` or `dsse`.
        body: The canonical body, which is the leaf.
        index: What the search index finds it by: digests as `sha256:HEX`, subjects as they are.
    """

    kind: str
    body: bytes
    index: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Verifier:
    """A certificate or key given with a signature, as Rekor writes it back."""

    key: PublicKey
    canonical: bytes
    subjects: tuple[str, ...]

    def index(self) -> tuple[str, ...]:
        """Return what the search index finds it by."""
        return f"sha256:{hashlib.sha256(self.canonical).hexdigest()}", *self.subjects


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return what a DSSE signature is over (the DSSE protocol's pre-authentication encoding)."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def hashedrekord(digest: str, signature: bytes, verifier: bytes) -> dict[str, object]:
    """Return the entry to propose for a signature over a SHA-256 digest (hexadecimal)."""
    return {
        "apiVersion": VERSION,
        "kind": "hashedrekord",
        "spec": {
            "data": {"hash": {"algorithm": "sha256", "value": digest}},
            "signature": {"content": b64(signature), "publicKey": {"content": b64(verifier)}},
        },
    }


def dsse(envelope: str, verifier: bytes) -> dict[str, object]:
    """Return the entry to propose for a DSSE envelope (its JSON text)."""
    content = {"envelope": envelope, "verifiers": [b64(verifier)]}
    return {"apiVersion": VERSION, "kind": "dsse", "spec": {"proposedContent": content}}


def examine(proposed: object) -> Proposal:
    """Check a proposed entry and return it in canonical form.

    Raises:
        EntryRefused: It is of an unknown kind or version, malformed, or a signature in it does not hold.
    """
    kind, version = _text(proposed, "kind"), _text(proposed, "apiVersion")
    if version != VERSION or kind not in {"hashedrekord", "dsse"}:
        reason = f"unsupported entry {kind!r} version {version!r}"
        raise EntryRefused(reason)
    spec = _field(proposed, "spec")
    return _hashedrekord(spec) if kind == "hashedrekord" else _dsse(spec)


def _hashedrekord(spec: object) -> Proposal:
    algorithm = _text(spec, "data", "hash", "algorithm")
    digest = _text(spec, "data", "hash", "value")
    signature = _bytes(spec, "signature", "content")
    verifier = _verifier(_bytes(spec, "signature", "publicKey", "content"))
    _verify_digest(verifier.key, signature, algorithm, digest)
    body = {
        "apiVersion": VERSION,
        "kind": "hashedrekord",
        "spec": {
            "data": {"hash": {"algorithm": algorithm, "value": digest}},
            "signature": {"content": b64(signature), "publicKey": {"content": b64(verifier.canonical)}},
        },
    }
    index = (*verifier.index(), f"{algorithm}:{digest}")
    return Proposal(kind="hashedrekord", body=canonical_json(body), index=index)


def _verify_digest(key: PublicKey, signature: bytes, algorithm: str, digest: str) -> None:
    if algorithm not in _HASHES:
        reason = f"unsupported hash {algorithm!r}"
        raise EntryRefused(reason)
    prehashed = utils.Prehashed(_HASHES[algorithm])
    try:
        value = bytes.fromhex(digest)
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, value, ec.ECDSA(prehashed))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, value, padding.PKCS1v15(), prehashed)
        else:
            reason = "ed25519 cannot sign a digest"
            raise EntryRefused(reason)
    except InvalidSignature as err:
        reason = "verifying signature: invalid signature when validating ASN.1 encoded signature"
        raise EntryRefused(reason) from err
    except ValueError as err:
        reason = f"invalid digest: {err}"
        raise EntryRefused(reason) from err


def _dsse(spec: object) -> Proposal:
    text = _text(spec, "proposedContent", "envelope")
    try:
        envelope: object = json.loads(text)
    except ValueError as err:
        reason = f"envelope is not JSON: {err}"
        raise EntryRefused(reason) from err
    given = [_verifier(_decoded(item)) for item in _list(spec, "proposedContent", "verifiers")]
    payload_type = _text(envelope, "payloadType")
    payload = _bytes(envelope, "payload")
    signed = {
        _text(item, "sig"): _who_signed(_bytes(item, "sig"), pae(payload_type, payload), given)
        for item in _list(envelope, "signatures")
    }
    if not signed:
        reason = "the envelope has no signatures"
        raise EntryRefused(reason)
    payload_hash = hashlib.sha256(payload).hexdigest()
    envelope_hash = hashlib.sha256(text.encode()).hexdigest()
    body = {
        "apiVersion": VERSION,
        "kind": "dsse",
        "spec": {
            "envelopeHash": {"algorithm": "sha256", "value": envelope_hash},
            "payloadHash": {"algorithm": "sha256", "value": payload_hash},
            "signatures": [
                {"signature": sig, "verifier": b64(signed[sig].canonical)} for sig in sorted(signed)
            ],
        },
    }
    keys = [key for verifier in signed.values() for key in verifier.index()]
    index = (*keys, f"sha256:{payload_hash}", f"sha256:{envelope_hash}", *_subjects(payload_type, payload))
    return Proposal(kind="dsse", body=canonical_json(body), index=index)


def _who_signed(signature: bytes, data: bytes, given: list[Verifier]) -> Verifier:
    for verifier in given:
        try:
            verify(verifier.key, signature, data)
        except InvalidSignature:
            continue
        return verifier
    reason = "could not verify envelope: accepted signatures do not match threshold, Found: 0, Expected 1"
    raise EntryRefused(reason)


def _subjects(payload_type: str, payload: bytes) -> list[str]:
    """Return the digests of an in-toto statement's subjects; Rekor ignores what it cannot read."""
    if payload_type != IN_TOTO:
        return []
    try:
        subjects = _list(json.loads(payload), "subject")
        return [
            f"{algorithm}:{value}"
            for subject in subjects
            for algorithm, value in _mapping(_field(subject, "digest")).items()
        ]
    except (ValueError, EntryRefused):
        return []


def _verifier(data: bytes) -> Verifier:
    try:
        if b"BEGIN CERTIFICATE" in data:
            certificate = x509.load_pem_x509_certificates(data)[0]
            return Verifier(
                key=narrow(certificate.public_key()), canonical=pem(certificate), subjects=_names(certificate)
            )
        key = narrow(load_pem_public_key(data))
    except ValueError as err:
        reason = f"invalid public key: {err}"
        raise EntryRefused(reason) from err
    return Verifier(key=key, canonical=spki_pem(key), subjects=())


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(
        name.value for name in names if isinstance(name, x509.UniformResourceIdentifier | x509.RFC822Name)
    )


def _field(value: object, *path: str) -> object:
    for step in path:
        value = _mapping(value).get(step)
    return value


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        reason = f"expected an object, found {type(value).__name__}"
        raise EntryRefused(reason)
    return value


def _text(value: object, *path: str) -> str:
    found = _field(value, *path)
    if not isinstance(found, str) or not found:
        reason = f"{'.'.join(path)} in body is required"
        raise EntryRefused(reason)
    return found


def _list(value: object, *path: str) -> list[object]:
    found = _field(value, *path)
    if not isinstance(found, list):
        reason = f"{'.'.join(path)} in body is required"
        raise EntryRefused(reason)
    return found


def _bytes(value: object, *path: str) -> bytes:
    return _decoded(_text(value, *path))


def _decoded(text: object) -> bytes:
    try:
        encoded = str(text)
        if "-" in encoded or "_" in encoded:  # DSSE allows the URL-safe alphabet as well
            return base64.urlsafe_b64decode(encoded)
        return from_b64(encoded)
    except (ValueError, binascii.Error) as err:
        reason = str(err)
        raise EntryRefused(reason) from err
