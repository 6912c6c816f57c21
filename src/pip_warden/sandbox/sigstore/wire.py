"""Encodings that all parts of the embedded Sigstore use."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

# Products of the sandbox are JSON that tests take apart and tamper with.
JSONObject = dict[str, Any]
_SHA256 = hashes.SHA256()
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey


def b64(data: bytes) -> str:
    """Encode bytes as padded standard base64."""
    return base64.b64encode(data).decode("ascii")


def from_b64(text: str) -> bytes:
    """Decode padded standard base64.

    Raises:
        ValueError: It is not base64.
    """
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as err:
        message = f"not base64: {err}"
        raise ValueError(message) from err


def canonical_json(value: object) -> bytes:
    """Encode JSON canonically (RFC 8785), for objects of strings, integers, lists and objects.

    The keys used here are ASCII, where Python's order of code points is RFC 8785's order of UTF-16 units.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


def timestamp(moment: datetime) -> str:
    """Write a moment as protobuf JSON does."""
    text = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f".{moment.microsecond:06d}" if moment.microsecond else ""
    return f"{text}{fraction}Z"


def spki(key: PublicKey | ec.EllipticCurvePublicKey) -> bytes:
    """Return a public key's DER SubjectPublicKeyInfo."""
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def spki_pem(key: PublicKey) -> bytes:
    """Return a public key's PEM SubjectPublicKeyInfo."""
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def key_id(key: ec.EllipticCurvePublicKey) -> bytes:
    """Return a log's id: SHA-256 of its key (RFC 6962 section 3.2)."""
    return hashlib.sha256(spki(key)).digest()


def der(certificate: x509.Certificate) -> bytes:
    """Return a certificate's DER."""
    return certificate.public_bytes(serialization.Encoding.DER)


def pem(certificate: x509.Certificate) -> bytes:
    """Return a certificate's PEM."""
    return certificate.public_bytes(serialization.Encoding.PEM)


def narrow(key: object) -> PublicKey:
    """Return the key if Sigstore knows its kind.

    Raises:
        ValueError: Another kind of key, or one too weak.
    """
    match key:
        case ec.EllipticCurvePublicKey() if key.curve.name in {"secp256r1", "secp384r1", "secp521r1"}:
            return key
        case rsa.RSAPublicKey() if key.key_size >= 2048:
            return key
        case ed25519.Ed25519PublicKey():
            return key
        case _:
            message = f"unsupported or weak key: {type(key).__name__}"
            raise ValueError(message)


def default_hash(key: PublicKey) -> hashes.HashAlgorithm:
    """Return the hash that Sigstore pairs with a key: that of the curve's size, and SHA-256 for RSA."""
    curve = key.curve.name if isinstance(key, ec.EllipticCurvePublicKey) else ""
    return {"secp384r1": hashes.SHA384(), "secp521r1": hashes.SHA512()}.get(curve, hashes.SHA256())


def verify(key: PublicKey, signature: bytes, data: bytes, algorithm: hashes.HashAlgorithm = _SHA256) -> None:
    """Check a signature over data; Ed25519 has its own hash.

    Raises:
        InvalidSignature: From `cryptography`, when it does not verify.
    """
    if isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, data, ec.ECDSA(algorithm))
    elif isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, data, padding.PKCS1v15(), algorithm)
    else:
        key.verify(signature, data)


def sign(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    """Sign data with ECDSA and SHA-256, DER-encoded."""
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


def new_key() -> ec.EllipticCurvePrivateKey:
    """Make a P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())
