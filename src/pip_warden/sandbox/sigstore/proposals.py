"""Proposed log entries: checked, and canonicalized as Rekor v1 stores them."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from pip_warden.sandbox.sigstore.errors import EntryMalformed, EntryRefused
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
_SEMVER = (
    r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)"
    r"(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?(?:\+([0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*))?$"
)
_HASHES: Mapping[str, hashes.HashAlgorithm] = {
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Proposal:
    """An entry whose signatures verify, ready to be appended.

    Attributes:
        kind: `hashedrekord` or `dsse`.
        body: The canonical body, which is the leaf.
        index: Its keys in the search index: digests as `sha256:HEX`, keys as `HEX`, subjects as they are.
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
        """Return its key in the search index."""
        return hashlib.sha256(self.canonical).hexdigest(), *self.subjects


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return what a DSSE signature covers (the DSSE protocol's pre-authentication encoding)."""
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
        EntryMalformed: It has not even the outline of an entry.
        EntryRefused: It is of an unknown version, malformed, or one of its signatures does not verify.
    """
    kind, version, spec = _outline(proposed)
    if version != VERSION:
        why = f"unable to locate entry for version {version}"
        raise EntryRefused(f"{kind} implementation for version '{version}' not found: {why}")
    if not isinstance(spec, dict):
        raise EntryRefused(f"unsupported input type {_go_type(spec)} for DecodeEntry")
    return _hashedrekord(spec) if kind == "hashedrekord" else _dsse(spec)


def _outline(proposed: object) -> tuple[str, str, object]:
    """Return kind, version and specification, as go-openapi reads and validates them."""
    entry = proposed if isinstance(proposed, dict) else {}
    kind, version = entry.get("kind") or "", entry.get("apiVersion")
    if not isinstance(proposed, dict) or not isinstance(kind, str) or not isinstance(version, str | None):
        reason = "json: cannot unmarshal into Go value of type models.targetedProposedEntry"
        raise EntryMalformed(reason, status=500, code=500)
    if not kind:
        raise EntryMalformed("kind in body is required", code=602)
    if kind not in {"hashedrekord", "dsse"}:
        raise EntryMalformed(f'invalid kind value: "{kind}"')
    if version is None:
        raise EntryMalformed("apiVersion in body is required", code=602)
    if not re.fullmatch(_SEMVER.strip("^$"), version):
        raise EntryMalformed(f"apiVersion in body should match '{_SEMVER}'", code=605)
    if entry.get("spec") is None:
        raise EntryMalformed("spec in body is required", code=602)
    return kind, version, entry["spec"]


def _go_type(value: object) -> str:
    return {str: "string", bool: "bool", list: "[]interface {}"}.get(type(value), "json.Number")


def _invalid(*reasons: str) -> EntryRefused:
    return EntryRefused("\n".join(("validation failure list:", *reasons)))


def _hashedrekord(spec: Mapping[str, object]) -> Proposal:
    given, digested = _object(spec, "signature"), _object(_object(spec, "data") or {}, "hash")
    signature = _bytes(given or {}, "content", "signature content")
    public_key = _object(given or {}, "publicKey")
    encoded = _bytes(public_key or {}, "content", "public key content")
    absent = [
        f"{name} in body is required"
        for name, part in (("data", digested), ("signature", given))
        if part is None
    ]
    if absent or digested is None:
        raise _invalid(*absent)
    algorithm, digest = _hash(digested)
    if public_key is None:
        raise EntryRefused("missing public key")
    verifier = _verifier(encoded)
    if len(digest) != 2 * _HASHES[algorithm].digest_size:
        raise EntryRefused("invalid value for hash")
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


def _hash(digested: Mapping[str, object]) -> tuple[str, str]:
    algorithm, digest = digested.get("algorithm"), digested.get("value")
    for name, value in (("algorithm", algorithm), ("value", digest)):
        if not isinstance(value, str):
            raise _invalid(f"data.data.hash.data.hash.{name} in body is required")
    if algorithm not in _HASHES:
        raise _invalid(
            f"data.data.hash.data.hash.algorithm in body should be one of [{' '.join(sorted(_HASHES))}]"
        )
    return str(algorithm), str(digest)


def _verify_digest(key: PublicKey, signature: bytes, algorithm: str, digest: str) -> None:
    prehashed = utils.Prehashed(_HASHES[algorithm])
    if not signature:
        raise EntryRefused("verifying signature: X509 signature has not been initialized")
    try:
        value = bytes.fromhex(digest)
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, value, ec.ECDSA(prehashed))
        elif isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, value, padding.PKCS1v15(), prehashed)
        else:
            raise EntryRefused("ed25519 cannot sign a digest")
    except InvalidSignature as err:
        form = "ASN.1" if signature.startswith(b"\x30") else "IEEE_P1363"
        reason = f"verifying signature: invalid signature when validating {form} encoded signature"
        raise EntryRefused(reason) from err
    except ValueError as err:
        raise EntryRefused(f"invalid digest: {err}") from err


def _dsse(spec: Mapping[str, object]) -> Proposal:
    content = _object(spec, "proposedContent")
    if content is None:
        raise EntryRefused(
            "either proposedContent or envelopeHash, payloadHash, and signatures must be present"
        )
    text, given = _proposed(content)
    try:
        envelope: object = json.loads(text)
    except ValueError as err:
        raise EntryRefused(str(err)) from err
    if not isinstance(envelope, dict):
        raise EntryRefused("json: cannot unmarshal into Go value of type dsse.Envelope")
    payload_type, payload, signatures = _read_envelope(envelope)
    signed = _who_signed(signatures, pae(payload_type, payload), given)
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


def _proposed(content: Mapping[str, object]) -> tuple[str, list[bytes]]:
    """Return the envelope's text and the keys or certificates that came with it."""
    where, text, listed = "proposedContent.proposedContent", content.get("envelope"), content.get("verifiers")
    items = listed if isinstance(listed, list) else []
    given = [
        _decoded(item, "failed parsing base64 data for verifier")
        for item in items
        if isinstance(item, str) and item
    ]
    if not isinstance(text, str):
        raise _invalid(f"{where}.envelope in body is required")
    if not isinstance(listed, list):
        raise _invalid(f"{where}.verifiers in body is required")
    if not given:
        raise _invalid(f"{where}.verifiers in body should have at least 1 items")
    return text, given


def _read_envelope(envelope: Mapping[str, object]) -> tuple[str, bytes, dict[str, bytes]]:
    """Return payload type, payload, and the signatures by their text."""
    listed = envelope.get("signatures")
    texts = [
        str(item["sig"])
        for item in (listed if isinstance(listed, list) else [])
        if isinstance(item, dict) and isinstance(item.get("sig"), str)
    ]
    if not texts:
        raise EntryRefused("DSSE envelope must contain 1 or more signatures")
    payload_type, payload = envelope.get("payloadType") or "", envelope.get("payload") or ""
    if not isinstance(payload_type, str) or not isinstance(payload, str):
        raise EntryRefused("json: cannot unmarshal into Go struct field Envelope of type string")
    return payload_type, _dsse_bytes(payload), {text: _dsse_bytes(text) for text in texts}


def _dsse_bytes(text: str) -> bytes:
    """Decode base64 of either alphabet, as DSSE allows."""
    try:
        return from_b64(text.replace("-", "+").replace("_", "/"))
    except ValueError as err:
        reason = (
            "could not verify envelope: unable to base64 decode payload (is payload in the right format?)"
        )
        raise EntryRefused(reason) from err


def _who_signed(signatures: Mapping[str, bytes], data: bytes, given: list[bytes]) -> dict[str, Verifier]:
    """Return who made each signature; while some have no signer, every given key must have made one."""
    signed: dict[str, Verifier] = {}
    for encoded in given:
        if len(signed) == len(signatures):
            break
        verifier = _verifier(encoded, "could not parse public key as x509: ")
        made = {text: verifier for text, signature in signatures.items() if _holds(verifier, signature, data)}
        if not made:
            reason = "accepted signatures do not match threshold, Found: 0, Expected 1"
            raise EntryRefused(f"could not verify envelope: {reason}")
        signed |= made
    if len(signed) < len(signatures):
        raise EntryRefused("all signatures must have a key that verifies it")
    return signed


def _holds(verifier: Verifier, signature: bytes, data: bytes) -> bool:
    try:
        verify(verifier.key, signature, data)
    except InvalidSignature:
        return False
    return True


def _subjects(payload_type: str, payload: bytes) -> list[str]:
    """Return the digests of an in-toto statement's subjects; Rekor ignores those it cannot read."""
    if payload_type != IN_TOTO:
        return []
    try:
        statement: object = json.loads(payload)
    except ValueError:
        return []
    subjects = statement.get("subject") if isinstance(statement, dict) else None
    digests = [
        item.get("digest")
        for item in (subjects if isinstance(subjects, list) else [])
        if isinstance(item, dict)
    ]
    return [
        f"{name}:{value}" for digest in digests if isinstance(digest, dict) for name, value in digest.items()
    ]


def _verifier(data: bytes, where: str = "") -> Verifier:
    try:
        if b"BEGIN CERTIFICATE" in data:
            certificate = x509.load_pem_x509_certificates(data)[0]
            return Verifier(
                key=narrow(certificate.public_key()), canonical=pem(certificate), subjects=_names(certificate)
            )
        key = narrow(load_pem_public_key(data))
    except (ValueError, UnsupportedAlgorithm) as err:
        known = (
            "x509: malformed certificate"
            if b"BEGIN CERTIFICATE" in data
            else "invalid public key: failure decoding PEM"
        )
        raise EntryRefused(where + known) from err
    return Verifier(key=key, canonical=spki_pem(key), subjects=())


def canonical_key(data: bytes) -> bytes:
    """Return a key or certificate in PEM as the log writes it.

    Raises:
        EntryRefused: It is neither.
    """
    return _verifier(data).canonical


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return ()
    return tuple(
        name.value for name in names if isinstance(name, x509.UniformResourceIdentifier | x509.RFC822Name)
    )


def _object(value: Mapping[str, object], name: str) -> Mapping[str, object] | None:
    found = value.get(name)
    return found if isinstance(found, dict) else None


def _bytes(value: Mapping[str, object], name: str, what: str) -> bytes:
    """Return bytes; a value that is not text counts as absent."""
    found = value.get(name)
    return _decoded(found, f"failed parsing base64 data for {what}") if isinstance(found, str) else b""


def _decoded(text: str, what: str) -> bytes:
    try:
        return from_b64(text)
    except ValueError as err:
        wrong = re.search(r"[^A-Za-z0-9+/]", text)
        at = wrong.start() if wrong else len(text)
        raise EntryRefused(f"{what}: illegal base64 data at input byte {at}") from err
