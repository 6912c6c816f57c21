"""The Sigstore bundle as values, and the canonical form in which it is written.

Source: protobuf-specs ``sigstore_bundle.proto``, ``sigstore_rekor.proto``, ``sigstore_common.proto``. This
module does not import the sigstore library, so that reading evidence stays cheap.
"""

from __future__ import annotations

import json

from pip_warden._sigstore.checkpoint import Checkpoint
from pip_warden._sigstore.fields import base64_of
from pip_warden.strict_json import JSONValue
from pip_warden.values import dataclass

V0_3 = "application/vnd.dev.sigstore.bundle.v0.3+json"

_PLAIN = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)

JSONObject = dict[str, JSONValue]


@dataclass(frozen=True, kw_only=True, slots=True)
class InclusionProof:
    """The proof that an entry is in the tree whose root the checkpoint signs."""

    log_index: int
    tree_size: int
    root_hash: bytes
    hashes: tuple[bytes, ...]
    checkpoint: Checkpoint

    def value(self) -> JSONObject:
        """Return the proof as protobuf JSON."""
        return {
            "logIndex": str(self.log_index),
            "treeSize": str(self.tree_size),
            "rootHash": base64_of(self.root_hash),
            "hashes": [base64_of(item) for item in self.hashes],
            "checkpoint": {"envelope": self.checkpoint.text},
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class LogEntry:
    """An entry of a transparency log.

    Attributes:
        log_index: Its global index.
        log_id: Id of the log.
        kind: Kind of entry, such as ``dsse``.
        version: Version of the kind.
        integrated_time: Seconds since the epoch, 0 where the log states none.
        promise: The signed entry timestamp (SET), None where absent.
        proof: The inclusion proof, None where there is none with a checkpoint.
        body: The canonicalised body.
    """

    log_index: int
    log_id: bytes
    kind: str
    version: str
    integrated_time: int
    promise: bytes | None
    proof: InclusionProof | None
    body: bytes

    def value(self) -> JSONObject:
        """Return the entry as protobuf JSON."""
        result: JSONObject = {
            "logIndex": str(self.log_index),
            "logId": {"keyId": base64_of(self.log_id)},
            "kindVersion": {"kind": self.kind, "version": self.version},
            "integratedTime": str(self.integrated_time),
            "canonicalizedBody": base64_of(self.body),
        }
        if self.promise is not None:
            result["inclusionPromise"] = {"signedEntryTimestamp": base64_of(self.promise)}
        if self.proof is not None:
            result["inclusionProof"] = self.proof.value()
        return result


@dataclass(frozen=True, kw_only=True, slots=True)
class WireEnvelope:
    """A DSSE envelope's type and payload, not verified."""

    payload_type: str
    payload: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class WireBundle:
    """A bundle, not verified.

    Attributes:
        certificate: The signing certificate, DER.
        entry: The log entry.
        timestamps: RFC 3161 time-stamp responses, DER.
        signature: The signature over the message or the envelope.
        message_digest: SHA-256 that the bundle states for the message; None where it holds an envelope.
        envelope: The DSSE envelope; None where the bundle signs a message.
    """

    certificate: bytes
    entry: LogEntry
    timestamps: tuple[bytes, ...]
    signature: bytes
    message_digest: bytes | None
    envelope: WireEnvelope | None

    @property
    def weight(self) -> int:
        """Number of bytes and characters in it.

        As JSON, where bytes become base64, it is no longer than twice that and 8 KiB.
        """
        entry, envelope = self.entry, self.envelope
        parts = [self.certificate, self.signature, self.message_digest, *self.timestamps]
        parts += [entry.body, entry.promise, None if envelope is None else envelope.payload]
        texts = [entry.kind, entry.version, "" if envelope is None else envelope.payload_type]
        texts += ["" if entry.proof is None else entry.proof.checkpoint.text]
        return sum(len(part or b"") for part in parts) + sum(map(len, texts))

    def to_json(self) -> bytes:
        """Write the bundle in version 0.3 with every default of protobuf JSON filled in."""
        stamps: list[JSONValue] = [{"signedTimestamp": base64_of(stamp)} for stamp in self.timestamps]
        material: JSONObject = {
            "certificate": {"rawBytes": base64_of(self.certificate)},
            "tlogEntries": [self.entry.value()],
            "timestampVerificationData": {"rfc3161Timestamps": stamps},
        }
        whole = {"mediaType": V0_3, "verificationMaterial": material, **self._content()}
        return _PLAIN.encode(whole).encode()

    def _content(self) -> JSONObject:
        if self.envelope is not None:
            envelope: JSONObject = {
                "payload": base64_of(self.envelope.payload),
                "payloadType": self.envelope.payload_type,
                "signatures": [{"sig": base64_of(self.signature)}],
            }
            return {"dsseEnvelope": envelope}
        message: JSONObject = {"signature": base64_of(self.signature)}
        if self.message_digest is not None:
            message["messageDigest"] = {"algorithm": "SHA2_256", "digest": base64_of(self.message_digest)}
        return {"messageSignature": message}
