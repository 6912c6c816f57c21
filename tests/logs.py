"""Log entries that a log's key could sign: each is the only leaf of its tree."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import rfc8785
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

JSON = dict[str, Any]
Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey

_SPKI = PublicFormat.SubjectPublicKeyInfo


def id_of(key: Key, host: str) -> bytes:
    """Return the id of a log: for Rekor v2 with an Ed25519 key C2SP ``signed-note``'s, else RFC 6962's."""
    public = key.public_key()
    if isinstance(public, ed25519.Ed25519PublicKey):
        return hashlib.sha256(host.encode() + b"\n\x01" + public.public_bytes_raw()).digest()
    return hashlib.sha256(public.public_bytes(Encoding.DER, _SPKI)).digest()


def proof(body: bytes, key: Key, log_id: bytes, *, origin: str, signer: str = "") -> JSON:
    """Return the inclusion proof of a tree that has this one leaf.

    Args:
        body: The entry's body.
        key: The log's key.
        log_id: Its id, whose beginning is the key hint.
        origin: First line of the checkpoint.
        signer: Name in the signature line; by default the origin's host.
    """
    root = hashlib.sha256(b"\0" + body).digest()
    note = f"{origin}\n1\n{b64(root)}\n"
    line = b64(log_id[:4] + _sign(key, note.encode()))
    return {
        "logIndex": "0",
        "treeSize": "1",
        "rootHash": b64(root),
        "hashes": [],
        "checkpoint": {"envelope": f"{note}\n\u2014 {signer or origin.partition(' - ')[0]} {line}\n"},
    }


def entry_v2(body: bytes, key: Key, host: str, *, origin: str = "", kind: str = "hashedrekord") -> JSON:
    """Return an entry of Rekor v2, with the version that its body states."""
    log_id = id_of(key, host)
    version = "0.0.1" if b'"apiVersion":"0.0.1"' in body else "0.0.2"
    return {
        "logIndex": "0",
        "logId": {"keyId": b64(log_id)},
        "kindVersion": {"kind": kind, "version": version},
        "inclusionProof": proof(body, key, log_id, origin=origin or host),
        "canonicalizedBody": b64(body),
    }


def hashedrekord_v2(digest: bytes, signature: bytes, certificate: bytes) -> JSON:
    """Return Rekor v2's entry for a signature of a SHA-256 digest by a P-256 key with a certificate (DER)."""
    verifier = {
        "keyDetails": "PKIX_ECDSA_P256_SHA_256",
        "x509Certificate": {"rawBytes": b64(certificate)},
    }
    content = {
        "data": {"algorithm": "SHA2_256", "digest": b64(digest)},
        "signature": {"content": b64(signature), "verifier": verifier},
    }
    return {"apiVersion": "0.0.2", "kind": "hashedrekord", "spec": {"hashedRekordV002": content}}


def canonical(value: JSON) -> bytes:
    """Return JSON as logs write it (RFC 8785)."""
    return rfc8785.dumps(value)


def b64(data: bytes) -> str:
    """Return base64."""
    return base64.b64encode(data).decode("ascii")


def _sign(key: Key, data: bytes) -> bytes:
    return (
        key.sign(data) if isinstance(key, ed25519.Ed25519PrivateKey) else key.sign(data, ec.ECDSA(SHA256()))
    )
