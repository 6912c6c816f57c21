"""Strict reader of a trusted root.

A part that cannot be used is left out and reported: a new kind of key must not break what can be verified.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from cryptography.x509.oid import ExtendedKeyUsageOID

from pip_warden._sigstore.certificate import (
    chain_of,
    check_authorities,
    check_readable,
    check_tsa_certificate,
)
from pip_warden._sigstore.fields import Fields
from pip_warden._sigstore.root_parts import Authority, Log, Parts, Window
from pip_warden.strict_json import JSONValue, MalformedError, loads_object

MEDIA_TYPE = "application/vnd.dev.sigstore.trustedroot+json;version=0.1"
_LARGEST = 8 << 20
_MOST_PARTS = 256
_MOST_CERTIFICATES = 10
_KEY_TYPES: dict[str, type] = {
    "PKIX_RSA_PKCS1V15_2048_SHA256": rsa.RSAPublicKey,
    "PKIX_RSA_PKCS1V15_3072_SHA256": rsa.RSAPublicKey,
    "PKIX_RSA_PKCS1V15_4096_SHA256": rsa.RSAPublicKey,
    "PKIX_ECDSA_P256_SHA_256": ec.EllipticCurvePublicKey,
    "PKIX_ECDSA_P384_SHA_384": ec.EllipticCurvePublicKey,
    "PKIX_ECDSA_P521_SHA_512": ec.EllipticCurvePublicKey,
    "PKIX_ED25519": ed25519.Ed25519PublicKey,
}

_RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})"
)
"""How protobuf JSON writes a time; ISO 8601 has many more forms, which not every client reads."""

T = TypeVar("T")


def read_parts(raw: bytes) -> Parts:
    """Read a trusted root strictly, part by part.

    Raises:
        MalformedError: It is not a trusted root, or nothing can be verified with it.
    """
    whole = Fields(loads_object(raw, max_bytes=_LARGEST), "trusted root")
    media_type = whole.text("mediaType")
    if media_type != MEDIA_TYPE:
        raise MalformedError(f"the media type {media_type[:80]!r}")
    dropped: list[str] = []
    parts = Parts(
        authorities=_usable(whole, "certificateAuthorities", _read_issuer, dropped),
        ct_logs=_usable(whole, "ctlogs", _read_ct_log, dropped),
        logs=_usable(whole, "tlogs", _read_log, dropped),
        timestamp_authorities=_usable(whole, "timestampAuthorities", _read_stamper, dropped),
        dropped=tuple(dropped),
    )
    whole.done()
    for name, found in (
        ("certificate authority", parts.authorities),
        ("CT log", parts.ct_logs),
        ("transparency log", parts.logs),
    ):
        if not found:
            raise MalformedError("; ".join([f"no usable {name}", *dropped]))
    return parts


def _usable(whole: Fields, key: str, read: Callable[[Fields], T], dropped: list[str]) -> tuple[T, ...]:
    found = []
    for at, value in enumerate(whole.items(key, most=_MOST_PARTS)):
        try:
            found.append(read(Fields(value, f"{key}[{at}]")))
        except Exception as err:  # noqa: BLE001 -- future keys fail in unknown ways; leaving out is safe
            dropped.append(f"{key}[{at}]: {err}")
    return tuple(found)


def _read_issuer(fields: Fields) -> Authority:
    issuer = _read_authority(fields)
    check_authorities(issuer.certificates, ExtendedKeyUsageOID.CODE_SIGNING)
    return issuer


def _read_stamper(fields: Fields) -> Authority:
    stamper = _read_authority(fields)
    leaf, *authorities = stamper.certificates
    check_tsa_certificate(leaf)
    check_authorities(tuple(authorities), ExtendedKeyUsageOID.TIME_STAMPING)
    return stamper


def _read_authority(fields: Fields) -> Authority:
    subject = fields.optional("subject") or Fields({}, "subject")
    name: dict[str, JSONValue] = {
        "organization": subject.text("organization", ""),
        "commonName": subject.text("commonName", ""),
    }
    subject.done()
    chain = fields.child("certChain")
    raw = []
    for certificate in chain.children("certificates", most=_MOST_CERTIFICATES):
        raw.append(certificate.text("rawBytes"))
        certificate.data("rawBytes")
        certificate.done()
    chain.done()
    window = _window(fields.child("validFor"))
    for ignored in ("uri", "operator"):
        fields.text(ignored, "")
    fields.done()
    part: dict[str, JSONValue] = {
        "subject": name,
        "certChain": {"certificates": [{"rawBytes": text} for text in raw]},
        "validFor": _window_json(window),
    }
    return Authority(certificates=_linked(raw), window=window, part=part)


def _linked(raw: list[str]) -> tuple[x509.Certificate, ...]:
    """Load a chain whose every certificate is issued by the next, the last by itself.

    The library trusts each of them as an anchor by itself.
    """
    certificates = chain_of(Fields({"c": text}, "certificate").data("c") for text in raw)
    if not certificates:
        raise MalformedError("no certificate")
    for certificate in certificates:
        check_readable(certificate)
    certificates[-1].verify_directly_issued_by(certificates[-1])
    return certificates


def _read_ct_log(fields: Fields) -> Log:
    log = _read_log(fields)
    if not log.is_v1:
        raise MalformedError(f"{fields.where}.logId is not the digest of its key")
    return log


def _read_log(fields: Fields) -> Log:
    url = fields.text("baseUrl")
    if (algorithm := fields.text("hashAlgorithm", "")) != "SHA2_256":
        raise MalformedError(f"{fields.where} hashes with {algorithm[:40]!r}")
    key = fields.child("publicKey")
    raw, details = key.data("rawBytes"), key.text("keyDetails")
    wanted = _KEY_TYPES.get(details)
    if wanted is None:
        raise MalformedError(f"{key.where} is a key of unsupported type {details[:40]!r}")
    loaded = load_der_public_key(raw)
    if not isinstance(loaded, wanted):
        raise MalformedError(f"{key.where} is no key of type {details}")
    if loaded.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != raw:
        raise MalformedError(f"{key.where} is a key in another form than DER's, or with a compressed point")
    window = _window(key.child("validFor"))
    key_text = key.text("rawBytes")
    key.done()
    ids = [_id(fields.child("logId"))]
    if (checkpoint_id := fields.optional("checkpointKeyId")) is not None:
        ids.append(_id(checkpoint_id))
    fields.text("operator", "")
    log_id = fields.child("logId").text("keyId")
    fields.done()
    part: dict[str, JSONValue] = {
        "baseUrl": url,
        "hashAlgorithm": "SHA2_256",
        "publicKey": {"rawBytes": key_text, "keyDetails": details, "validFor": _window_json(window)},
        "logId": {"keyId": log_id},
    }
    return Log(
        url=url.rstrip("/"),
        ids=frozenset(ids),
        key_digest=hashlib.sha256(raw).digest(),
        is_rsa=wanted is rsa.RSAPublicKey,
        window=window,
        part=part,
    )


def _id(fields: Fields) -> bytes:
    value = fields.data("keyId")
    fields.done()
    return value


def _window(fields: Fields) -> Window:
    start = _moment(fields, "start")
    end = _moment(fields, "end") if fields.has("end") else None
    fields.done()
    return Window(start=start, end=end)


def _moment(fields: Fields, key: str) -> datetime:
    text = fields.text(key)
    if not _RFC_3339.fullmatch(text):
        raise MalformedError(f"{fields.where}.{key} is no RFC 3339 time")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as err:
        raise MalformedError(f"{fields.where}.{key} is no RFC 3339 time") from err
    return moment.astimezone(UTC)


def _window_json(window: Window) -> dict[str, JSONValue]:
    """Write a window for the library.

    It excludes the last moment for time-stamp authorities, and checks no other end.
    """
    ends = {"end": (window.end + timedelta(microseconds=1)).isoformat()} if window.end else {}
    return {"start": window.start.isoformat(), **ends}
