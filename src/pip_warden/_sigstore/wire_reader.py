"""Strict reader of a Sigstore bundle: what is not understood is refused.

Source: protobuf-specs ``sigstore_bundle.proto``, ``sigstore_rekor.proto``, ``sigstore_common.proto``. This
module does not import the sigstore library, so that reading evidence stays cheap.
"""

from __future__ import annotations

from pip_warden._sigstore.checkpoint import read_checkpoint
from pip_warden._sigstore.fields import Fields, canonical_base64
from pip_warden._sigstore.wire import V0_3, InclusionProof, LogEntry, WireBundle, WireEnvelope
from pip_warden.strict_json import JSONValue, MalformedError, loads_object

LARGEST_BUNDLE = 1 << 20
"""Bytes; real bundles have about ten thousand, provenance up to a few hundred thousand."""

V0_1 = "application/vnd.dev.sigstore.bundle+json;version=0.1"
V0_2 = "application/vnd.dev.sigstore.bundle+json;version=0.2"
V0_3_OLD = "application/vnd.dev.sigstore.bundle+json;version=0.3"
_WITH_CHAIN = frozenset({V0_1, V0_2})
_KNOWN = _WITH_CHAIN | {V0_3, V0_3_OLD}

_HASH = 32
_MOST_TIMESTAMPS = 32
_MOST_CERTIFICATES = 10
_MOST_HASHES = 64


def parse_bundle(raw: bytes) -> WireBundle:
    """Read a bundle's bytes.

    Raises:
        MalformedError: It is not strictly a Sigstore bundle of a known version.
    """
    return _read(Fields(loads_object(raw, max_bytes=LARGEST_BUNDLE), "bundle"))


def _read(whole: Fields) -> WireBundle:
    media_type = whole.text("mediaType")
    if media_type not in _KNOWN:
        raise MalformedError(f"the media type {media_type[:80]!r}", code="unknown-bundle-version")
    material = whole.child("verificationMaterial")
    if material.has("publicKey"):
        raise MalformedError("a bundle signed with a bare key", code="key-signed-bundle")
    certificate = _certificate(material, media_type)
    entry = _one_entry(material)
    if media_type == V0_1 and entry.promise is None:
        raise MalformedError("a bundle of version 0.1 has no signed entry timestamp")
    timestamps = _timestamps(material)
    material.done()
    signature, message_digest, envelope = _content(whole)
    whole.done()
    return WireBundle(
        certificate=certificate,
        entry=entry,
        timestamps=timestamps,
        signature=signature,
        message_digest=message_digest,
        envelope=envelope,
    )


def _certificate(material: Fields, media_type: str) -> bytes:
    """Take the leaf certificate.

    Further certificates of old bundles must be its chain, and are left out: only the trusted root names CAs.
    """
    one, several = "certificate", "x509CertificateChain"
    if material.has(one if media_type in _WITH_CHAIN else several):
        raise MalformedError(f"{material.where} has a certificate in the form of another version")
    if media_type not in _WITH_CHAIN:
        return _raw(material.child(one))
    chain = material.child(several)
    certificates = [_raw(fields) for fields in chain.children("certificates", most=_MOST_CERTIFICATES)]
    chain.done()
    if not certificates:
        raise MalformedError(f"{chain.where} is empty")
    _check_chain(certificates, chain.where)
    return certificates[0]


def _check_chain(raw: list[bytes], where: str) -> None:
    """Check that each certificate was issued by the next (``sigstore_common.proto``)."""
    if len(raw) == 1:
        return
    from pip_warden._sigstore.certificate import chain_of

    try:
        chain_of(raw)
    except MalformedError as err:
        raise MalformedError(f"{where} is no chain of certificates: {err}") from err


def _raw(fields: Fields) -> bytes:
    raw = fields.data("rawBytes")
    fields.done()
    return raw


def _one_entry(material: Fields) -> LogEntry:
    entries = material.children("tlogEntries", most=_MOST_CERTIFICATES)
    if len(entries) != 1:
        raise MalformedError(f"the bundle has {len(entries)} log entries, not exactly one")
    return read_entry(entries[0])


def read_envelope(raw: bytes) -> tuple[bytes, WireEnvelope]:
    """Read a DSSE envelope with exactly one signature that comes without a bundle, and return both.

    Raises:
        MalformedError: It is not strictly a DSSE envelope of one signature without a key id.
    """
    return _envelope(Fields(loads_object(raw, max_bytes=LARGEST_BUNDLE), "envelope"))


def read_entry(fields: Fields) -> LogEntry:
    """Read a log entry.

    Raises:
        MalformedError: It is not strictly a ``TransparencyLogEntry``.
    """
    log = fields.child("logId")
    log_id = log.data("keyId", size=_HASH)
    log.done()
    kind = fields.child("kindVersion")
    kind_name, kind_version = kind.text("kind"), kind.text("version")
    kind.done()
    promise = fields.optional("inclusionPromise")
    entry = LogEntry(
        log_index=fields.number("logIndex"),
        log_id=log_id,
        kind=kind_name,
        version=kind_version,
        integrated_time=fields.number("integratedTime"),
        promise=promise.data("signedEntryTimestamp") if promise else None,
        proof=_proof(fields.optional("inclusionProof"), log_id),
        body=fields.data("canonicalizedBody"),
    )
    if promise:
        promise.done()
        if not entry.integrated_time:
            raise MalformedError(f"{promise.where} signs a time that is not there")
    fields.done()
    return entry


def _proof(fields: Fields | None, log_id: bytes) -> InclusionProof | None:
    if fields is None:
        return None
    log_index, tree_size = fields.number("logIndex"), fields.number("treeSize")
    root_hash = fields.data("rootHash", size=_HASH)
    hashes = tuple(_hash(item, fields.where) for item in fields.items("hashes", most=_MOST_HASHES))
    holder = fields.optional("checkpoint")
    fields.done()
    if holder is None:
        return None
    checkpoint = read_checkpoint(holder.text("envelope"), log_id, holder.where)
    holder.done()
    if (checkpoint.size, checkpoint.root_hash) != (tree_size, root_hash) or log_index >= tree_size:
        raise MalformedError(f"{fields.where} speaks of another tree than its checkpoint")
    return InclusionProof(
        log_index=log_index, tree_size=tree_size, root_hash=root_hash, hashes=hashes, checkpoint=checkpoint
    )


def _hash(item: JSONValue, where: str) -> bytes:
    # A proof has one for each level of the log's tree; whatever is wrong with it, the fields tell.
    if type(item) is str and len(found := canonical_base64(item, f"{where}.hashes.hash")) == _HASH:
        return found
    return Fields({"hash": item}, f"{where}.hashes").data("hash", size=_HASH)


def _timestamps(material: Fields) -> tuple[bytes, ...]:
    holder = material.optional("timestampVerificationData")
    if holder is None:
        return ()
    found = []
    for fields in holder.children("rfc3161Timestamps", most=_MOST_TIMESTAMPS):
        found.append(fields.data("signedTimestamp"))
        fields.done()
    holder.done()
    if len(set(found)) != len(found):
        raise MalformedError(f"{holder.where} repeats a timestamp")
    return tuple(found)


def _content(whole: Fields) -> tuple[bytes, bytes | None, WireEnvelope | None]:
    message, envelope = whole.optional("messageSignature"), whole.optional("dsseEnvelope")
    if message is not None and envelope is None:
        return *_message(message), None
    if envelope is not None and message is None:
        signature, content = _envelope(envelope)
        return signature, None, content
    raise MalformedError("the bundle does not have exactly one of messageSignature and dsseEnvelope")


def _message(fields: Fields) -> tuple[bytes, bytes]:
    signature = fields.data("signature")
    digest = fields.child("messageDigest")
    fields.done()
    if digest.text("algorithm", "") != "SHA2_256":
        raise MalformedError(f"{digest.where}.algorithm is not SHA2_256")
    value = digest.data("digest", size=_HASH)
    digest.done()
    return signature, value


def _envelope(fields: Fields) -> tuple[bytes, WireEnvelope]:
    content = WireEnvelope(
        payload_type=fields.text("payloadType", ""), payload=fields.data("payload", empty=True)
    )
    signatures = fields.children("signatures", most=_MOST_TIMESTAMPS)
    fields.done()
    if len(signatures) != 1:
        raise MalformedError(f"{fields.where} has {len(signatures)} signatures, not exactly one")
    signature = signatures[0].data("sig")
    # Nothing signs the key id, and a certificate needs none.
    if signatures[0].text("keyid", ""):
        raise MalformedError(f"{signatures[0].where} has a key id")
    signatures[0].done()
    return signature, content
