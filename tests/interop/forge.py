"""Forged bundles, pairs, certificates, time stamps and trusted roots, made from genuine ones of the stack.

Every key of the stack is available.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import secrets
import urllib.request
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from rfc3161_client import decode_timestamp_response

from interop.stack import keys
from interop.stack.places import HOST, KEYS, Port
from pip_warden.sandbox.sigstore import der, proposals
from pip_warden.sandbox.sigstore.ctlog import CtLog, sct_list
from pip_warden.sandbox.sigstore.tsa import TimestampAuthority, TimestampRequest
from pip_warden.sandbox.sigstore.wire import b64, new_key, pem, sign, spki

# Bundles and roots are JSON that is taken apart and reassembled.
JSON = dict[str, Any]
Log = Literal["v1", "v2"]

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
IN_TOTO = "application/vnd.in-toto+json"
_SHA256 = "2.16.840.1.101.3.4.2.1"
_SCT_LIST = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
_LOG_KEYS = {"tlogs": ("rekor1", "rekor2"), "ctlogs": ("ct",)}


# Parts of bundles


def material(bundle: JSON) -> JSON:
    """Return a bundle's verification material."""
    found: JSON = bundle["verificationMaterial"]
    return found


def entry(bundle: JSON) -> JSON:
    """Return a bundle's log entry."""
    found: JSON = material(bundle)["tlogEntries"][0]
    return found


def stamps(bundle: JSON) -> list[JSON]:
    """Return a bundle's time stamps."""
    found: list[JSON] = (
        material(bundle).setdefault("timestampVerificationData", {}).setdefault("rfc3161Timestamps", [])
    )
    return found


def signature(bundle: JSON) -> bytes:
    """Return the signature in a bundle."""
    return base64.b64decode(
        bundle["dsseEnvelope"]["signatures"][0]["sig"]
        if "dsseEnvelope" in bundle
        else bundle["messageSignature"]["signature"]
    )


def certificate(bundle: JSON) -> x509.Certificate:
    """Return the signing certificate in a bundle of version 0.3."""
    return x509.load_der_x509_certificate(base64.b64decode(material(bundle)["certificate"]["rawBytes"]))


def begins(bundle: JSON) -> datetime:
    """Return the start of its certificate's validity."""
    return certificate(bundle).not_valid_before_utc


def signed_at(bundle: JSON) -> datetime:
    """Return the signing time: by its log, or where that states no time, by its time stamp."""
    stated = int(entry(bundle).get("integratedTime", 0))
    if stated:
        return datetime.fromtimestamp(stated, tz=UTC)
    stamped = base64.b64decode(stamps(bundle)[0]["signedTimestamp"])
    return decode_timestamp_response(stamped).tst_info.gen_time


def with_stamps(bundle: JSON, *responses: bytes) -> JSON:
    """Return a bundle with exactly these time stamps."""
    forged = copy.deepcopy(bundle)
    stamps(forged)[:] = [{"signedTimestamp": b64(response)} for response in responses]
    return forged


def with_entries(bundle: JSON, *entries: JSON) -> JSON:
    """Return a bundle with exactly these log entries."""
    forged = copy.deepcopy(bundle)
    material(forged)["tlogEntries"] = list(entries)
    return forged


def mixed(bundle: JSON, other: JSON, *parts: str) -> JSON:
    """Return a bundle with parts of another.

    Args:
        bundle: The source of all other parts.
        other: The source of these parts.
        parts: Of ``signature`` (with the time stamps over it), ``payload`` (the statement, or the file's
            digest), ``certificate``, ``entry``.
    """
    forged, other = copy.deepcopy(bundle), copy.deepcopy(other)
    enveloped = "dsseEnvelope" in bundle
    content, foreign = (one["dsseEnvelope" if enveloped else "messageSignature"] for one in (forged, other))
    for part, holder, source, key in (
        ("signature", content, foreign, "signatures" if enveloped else "signature"),
        ("payload", content, foreign, "payload" if enveloped else "messageDigest"),
        ("certificate", material(forged), material(other), "certificate"),
        ("entry", material(forged), material(other), "tlogEntries"),
    ):
        if part in parts:
            holder[key] = source[key]
    if "signature" in parts:
        stamps(forged)[:] = stamps(other)
    return forged


def as_version(bundle: JSON, version: str) -> JSON:
    """Return a bundle of version 0.3 as one of 0.1 or 0.2."""
    old = copy.deepcopy(bundle)
    old["mediaType"] = f"application/vnd.dev.sigstore.bundle+json;version={version}"
    material(old)["x509CertificateChain"] = {"certificates": [material(old).pop("certificate")]}
    return old


def pair(bundle: JSON) -> tuple[bytes, bytes]:
    """Return a bundle's detached signature and certificate, as cosign writes them."""
    return base64.b64encode(signature(bundle)), base64.b64encode(pem(certificate(bundle)))


# Time


def at_another_time(bundle: JSON) -> JSON:
    """Return a bundle whose entry claims to have been logged a second later."""
    forged = copy.deepcopy(bundle)
    entry(forged)["integratedTime"] = str(int(entry(bundle).get("integratedTime") or _now()) + 1)
    return forged


def unpromised(bundle: JSON) -> JSON:
    """Return a bundle without a signed entry timestamp, so that the entry's time is not vouched for."""
    forged = copy.deepcopy(bundle)
    entry(forged).pop("inclusionPromise", None)
    return forged


def _now() -> int:
    return int(datetime.now(UTC).timestamp())


def stamp(data: bytes) -> bytes:
    """Return the real authority's time stamp over bytes, of now."""
    algorithm = der.sequence(der.oid(_SHA256), der.null())
    imprint = der.sequence(algorithm, der.octets(hashlib.sha256(data).digest()))
    nonce = der.integer(secrets.randbits(63))
    query = der.sequence(der.integer(1), imprint, nonce, der.tlv(der.BOOLEAN, b"\xff"))
    return _post(f"{Port.TSA.url}/api/v1/timestamp", query, "application/timestamp-query")


def stranger_stamp(data: bytes, *, named: bool = False) -> bytes:
    """Return an untrusted authority's time stamp over bytes, of now.

    If `named`, it has the real authority's name and certificate.
    """
    stranger = TimestampAuthority(datetime.now(UTC) - timedelta(hours=1))
    if named:
        stranger.leaf = x509.load_pem_x509_certificates((KEYS / "tsa-chain.pem").read_bytes())[0]
    return stranger.stamp(TimestampRequest.over(data), datetime.now(UTC).replace(microsecond=0))


def a_second_later(response: bytes) -> bytes:
    """Return a time stamp that states a second later than was signed."""
    at = response.index(b"\x18\x0f") + 2  # a GeneralizedTime of whole seconds
    form = "%Y%m%d%H%M%SZ"
    said = datetime.strptime(response[at : at + 15].decode("ascii"), form).replace(tzinfo=UTC)
    return response[:at] + (said + timedelta(seconds=1)).strftime(form).encode() + response[at + 15 :]


# Certificates


@dataclass(frozen=True, kw_only=True, slots=True)
class Hand:
    """A key with a certificate: both ours, whatever the certificate claims."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    def unlogged(self, data: bytes) -> JSON:
        """Sign a file, without a log entry."""
        digest = hashlib.sha256(data).digest()
        parts: JSON = {
            "certificate": {"rawBytes": b64(self.certificate.public_bytes(_DER))},
            "tlogEntries": [],
            "timestampVerificationData": {"rfc3161Timestamps": []},
        }
        message = {
            "messageDigest": {"algorithm": "SHA2_256", "digest": b64(digest)},
            "signature": b64(sign(self.key, data)),
        }
        return {"mediaType": MEDIA_TYPE, "verificationMaterial": parts, "messageSignature": message}

    def bundle(self, data: bytes, log: Log) -> JSON:
        """Sign a file, have a log enter it and, where the log signs no time, the authority stamp it."""
        made = self.unlogged(data)
        signed = signature(made)
        made = with_entries(made, logged(hashlib.sha256(data).digest(), signed, self.certificate, log))
        return with_stamps(made, stamp(signed)) if log == "v2" else made

    def statement(self, payload: bytes) -> JSON:
        """Sign an in-toto statement, have Rekor v2 enter it and the authority stamp it."""
        pae = b"DSSEv1 %d %b %d %b" % (len(IN_TOTO), IN_TOTO.encode(), len(payload), payload)
        made = self.unlogged(pae)
        del made["messageSignature"]
        signed = sign(self.key, pae)
        envelope = {"payload": b64(payload), "payloadType": IN_TOTO, "signatures": [{"sig": b64(signed)}]}
        made["dsseEnvelope"] = envelope
        made = with_entries(made, logged(hashlib.sha256(pae).digest(), signed, self.certificate, "v2"))
        return with_stamps(made, stamp(signed))


_DER = Encoding.DER


def certified(
    like: x509.Certificate,
    *,
    sct: Literal["good", "none", "stranger", "named", "other"] = "good",
    stranger: bool = False,
    is_over: bool = False,
    without: Collection[str] = (),
) -> Hand:
    """Have the real CA's key certify a key of ours as another certificate's holder.

    Args:
        like: The certificate whose subject and claims to copy.
        sct: The embedded timestamp: the CT log's; none; another log's; another key's in the log's name; the
            log's of another certificate.
        stranger: Whether another key issues it, in the CA's name.
        is_over: Whether it ended in the second in which the other one began, which is in the CA's own time.
        without: Extensions not to copy, by their numbers.
    """
    key, ca = new_key(), new_key() if stranger else _private("ca")
    start = like.not_valid_before_utc if is_over else datetime.now(UTC).replace(microsecond=0)
    end = start if is_over else start + timedelta(minutes=10)
    builder = _leaf(like, key.public_key(), (start, end), without)
    promise = None if sct == "none" else _sct(builder, ca, start, sct)
    if sct == "other":
        promise = like.extensions.get_extension_for_oid(_SCT_LIST).value.public_bytes()
    if promise is not None:
        builder = builder.add_extension(x509.UnrecognizedExtension(_SCT_LIST, promise), critical=False)
    return Hand(key=key, certificate=builder.sign(ca, hashes.SHA256()))


def _leaf(
    like: x509.Certificate,
    key: ec.EllipticCurvePublicKey,
    valid: tuple[datetime, datetime],
    without: Collection[str],
) -> x509.CertificateBuilder:
    builder = (
        x509.CertificateBuilder()
        .subject_name(like.subject)
        .issuer_name(like.issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(valid[0])
        .not_valid_after(valid[1])
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )
    for extension in like.extensions:
        anew = extension.oid in {_SCT_LIST, x509.SubjectKeyIdentifier.oid}
        if not anew and extension.oid.dotted_string not in without:
            builder = builder.add_extension(extension.value, critical=extension.critical)
    return builder


def _sct(
    builder: x509.CertificateBuilder, ca: ec.EllipticCurvePrivateKey, moment: datetime, kind: str
) -> bytes:
    log = CtLog()
    if kind != "stranger":
        log.key = _private("ct")
    tbs = builder.sign(ca, hashes.SHA256()).tbs_certificate_bytes
    issuer = hashlib.sha256(spki(ca.public_key())).digest()
    signer = new_key() if kind == "named" else None
    return sct_list(log.add_precertificate(tbs, issuer, moment, signer=signer))


def _private(name: str) -> ec.EllipticCurvePrivateKey:
    key = load_pem_private_key((KEYS / f"{name}.key").read_bytes(), keys.password(name))
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    return key


# Log entries


def logged(digest: bytes, signature: bytes, certificate: x509.Certificate, log: Log) -> JSON:
    """Have a real Rekor enter a signature over a file, and return the entry as in bundles."""
    if log == "v1":
        proposed = proposals.hashedrekord(digest.hex(), signature, pem(certificate))
        answer = json.loads(_post(f"{Port.REKOR1.url}/api/v1/log/entries", proposed))
        return _entry_v1(next(iter(answer.values())))
    verifier = {
        "x509Certificate": {"rawBytes": b64(certificate.public_bytes(_DER))},
        "keyDetails": "PKIX_ECDSA_P256_SHA_256",
    }
    request = {"signature": {"content": b64(signature), "verifier": verifier}, "digest": b64(digest)}
    found: JSON = json.loads(
        _post(f"{Port.REKOR2.url}/api/v2/log/entries", {"hashedRekordRequestV002": request})
    )
    return found


def _entry_v1(answer: JSON) -> JSON:
    proof = answer["verification"]["inclusionProof"]
    return {
        "logIndex": str(answer["logIndex"]),
        "logId": {"keyId": _hex_b64(answer["logID"])},
        "kindVersion": {"kind": "hashedrekord", "version": "0.0.1"},
        "integratedTime": str(answer["integratedTime"]),
        "inclusionPromise": {"signedEntryTimestamp": answer["verification"]["signedEntryTimestamp"]},
        "inclusionProof": {
            "logIndex": str(proof["logIndex"]),
            "rootHash": _hex_b64(proof["rootHash"]),
            "treeSize": str(proof["treeSize"]),
            "hashes": [_hex_b64(item) for item in proof["hashes"]],
            "checkpoint": {"envelope": proof["checkpoint"]},
        },
        "canonicalizedBody": answer["body"],
    }


def _hex_b64(text: str) -> str:
    return b64(bytes.fromhex(text))


def _post(url: str, payload: bytes | JSON, content_type: str = "application/json") -> bytes:
    data = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    headers = {"Content-Type": content_type, "Accept": "*/*"}
    request = urllib.request.Request(url, data=data, headers=headers)  # noqa: S310 -- our own loopback URLs
    with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
        body: bytes = answer.read()
    return body


# Trusted roots


def _windows(root: JSON, part: str) -> Iterator[JSON]:
    for item in root[part]:
        yield (item["publicKey"] if part in _LOG_KEYS else item)["validFor"]


def retired(root: JSON, part: str) -> JSON:
    """Return a root in which a part's validity ended a second after it began, before anything was signed."""
    forged = copy.deepcopy(root)
    for window in _windows(forged, part):
        start = datetime.fromisoformat(window["start"])
        window["end"] = (start + timedelta(seconds=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return forged


def premature(root: JSON, part: str) -> JSON:
    """Return a root in which a part's validity begins long after anything here was signed."""
    forged = copy.deepcopy(root)
    for window in _windows(forged, part):
        window["start"] = "2100-01-01T00:00:00Z"
    return forged


def rekeyed(root: JSON, others: Path, *parts: str) -> JSON:
    """Return a root whose parts keep names and addresses, with the keys of another stack in a directory."""
    forged = copy.deepcopy(root)
    keys.make(others)
    chains = {"certificateAuthorities": "ca.pem", "timestampAuthorities": "tsa-chain.pem"}
    for part in parts:
        if part in chains:
            chain = x509.load_pem_x509_certificates((others / "keys" / chains[part]).read_bytes())
            listed = [{"rawBytes": b64(one.public_bytes(_DER))} for one in chain]
            forged[part][0]["certChain"]["certificates"] = listed
        else:
            for log, name in zip(forged[part], _LOG_KEYS[part], strict=True):
                _rekey(log, (others / "keys" / f"{name}.pub").read_bytes())
    return forged


def _rekey(log: JSON, public: bytes) -> None:
    """Set a log's key and the id that follows from it (RFC 6962 section 3.2; C2SP `signed-note`)."""
    key = load_pem_public_key(public)
    raw = key.public_bytes(_DER, PublicFormat.SubjectPublicKeyInfo)
    named = raw
    if isinstance(key, ed25519.Ed25519PublicKey):
        named = HOST.encode() + b"\n\x01" + key.public_bytes_raw()
    log["publicKey"]["rawBytes"] = b64(raw)
    log["logId"] = {"keyId": b64(hashlib.sha256(named).digest())}


NEW_PART = "an unknown kind of part"


def with_news(root: JSON) -> dict[str, JSON]:
    """Return roots with one unknown future element each, by its name."""
    nobody = copy.deepcopy(root["tlogs"][0]) | {"baseUrl": "https://log.example.com"}
    nobody["logId"] = {"keyId": b64(hashlib.sha256(b"tomorrow").digest())}

    def log(details: str) -> JSON:
        key: JSON = nobody["publicKey"] | {"rawBytes": b64(b"tomorrow"), "keyDetails": details}
        return {**nobody, "publicKey": key}

    unreadable = copy.deepcopy(root["certificateAuthorities"][0])
    unreadable["certChain"]["certificates"] = [{"rawBytes": b64(b"tomorrow")}]
    return {
        "a log with a key of a kind that nobody uses yet": root
        | {"tlogs": [*root["tlogs"], log("ML_DSA_65")]},
        "a log with a key of a kind without a name yet": root | {"tlogs": [*root["tlogs"], log("TOMORROW")]},
        "a CA whose certificate cannot be read": root
        | {"certificateAuthorities": [*root["certificateAuthorities"], unreadable]},
        "a log with an unknown field": root | {"tlogs": [*root["tlogs"], nobody | {"tomorrow": "x"}]},
        NEW_PART: root | {"tomorrow": [{"baseUrl": "https://log.example.com"}]},
    }
