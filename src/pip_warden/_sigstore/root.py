"""A trusted root: who may issue certificates, log and stamp them, and when.

The sigstore library reads a root whole or not at all, and does not look at the end of the windows in which its parts are valid. So the
root is read here, part by part: what cannot be used is left out and named (a new kind of key must not break what can be verified), and
a verifier is built around exactly the CA, CT log and transparency log that one bundle names. That verifier has no other key to try.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from cryptography.x509.oid import ExtendedKeyUsageOID
from sigstore.models import ClientTrustConfig
from sigstore.verify import Verifier

from pip_warden._sigstore.certificate import chain_of, check_authorities, check_readable, check_stamper
from pip_warden._sigstore.fields import Fields, Malformed
from pip_warden.digests import Digest, digest_of
from pip_warden.errors import TrustRootError
from pip_warden.strict_json import JSONValue, StrictJSONError, loads_object

# The library warns through logging, whose last resort prints; this package prints nothing.
logging.getLogger("sigstore").addHandler(logging.NullHandler())

_MEDIA_TYPE = "application/vnd.dev.sigstore.trustedroot+json;version=0.1"
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
"""How protobuf JSON writes a time; ISO 8601 knows many more forms, which not everybody reads."""

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """When a part of the root is valid; both ends belong to it (protobuf-specs, `TimeRange`), and no end means: still valid."""

    start: datetime
    end: datetime | None

    def holds(self, moment: datetime) -> bool:
        """Say whether a moment lies within."""
        return self.start <= moment and (self.end is None or moment <= self.end)

    def __str__(self) -> str:
        return f"{self.start.isoformat()} to {self.end.isoformat() if self.end else 'now'}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Authority:
    """A certificate authority.

    Attributes:
        certificates: Its chain, the issuing certificate first.
        window: When it may be relied on.
        part: The same as JSON text for the sigstore library.
    """

    certificates: tuple[x509.Certificate, ...]
    window: Window
    part: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Log:
    """An instance of a transparency log or CT log.

    Attributes:
        url: Where it answers.
        ids: Its ids, as entries and SCTs name it.
        key_digest: SHA-256 of its public key (DER): the id of every CT log and Rekor v1 instance.
        is_rsa: Whether that is an RSA key.
        window: When its key may be relied on.
        part: The same as JSON text for the sigstore library.
    """

    url: str
    ids: frozenset[bytes]
    key_digest: bytes
    is_rsa: bool
    window: Window
    part: str

    @property
    def is_v1(self) -> bool:
        """Whether its id is that of Rekor v1, or of a CT log (RFC 6962 section 3.2)."""
        return self.key_digest in self.ids

    @property
    def host(self) -> str:
        """The host where it answers, spelled as in its URL: its name in what it signs. "" where the URL has none."""
        try:
            parts = urlsplit(self.url)
            host, place = parts.hostname or "", parts.netloc.rpartition("@")[2]
        except ValueError:
            return ""
        start = place.lower().find(host)
        return place[start : start + len(host)]


class Root:
    """A trusted root, read once. Safe to use from several threads.

    Attributes:
        sha256: Digest of the bytes it was read from.
        authorities: Its certificate authorities.
        ct_logs: Its CT logs.
        logs: Its transparency logs.
        stampers: Its time-stamp authorities.
        dropped: What was left out, each with its path and why.
    """

    def __init__(self, *, sha256: Digest, parts: _Parts) -> None:
        self.sha256 = sha256
        self.authorities = parts.authorities
        self.ct_logs = parts.ct_logs
        self.logs = parts.logs
        self.dropped = parts.dropped
        self.stampers = parts.stampers
        self._verifiers: dict[tuple[str, ...], Verifier] = {}
        self._lock = threading.Lock()

    @property
    def rekor_v1_urls(self) -> tuple[str, ...]:
        """URLs of the Rekor v1 instances, the newest first, each once."""
        newest_first = sorted(self.logs, key=lambda log: log.window.start, reverse=True)
        return tuple(dict.fromkeys(log.url for log in newest_first if log.is_v1))

    def rekor_url_for(self, log_id: bytes) -> str | None:
        """Return where the log with an id answers, None where the root does not have it."""
        return next((log.url for log in self.logs if log_id in log.ids), None)

    def verifier(
        self, authority: Authority, ct_log: Log, log: Log, stampers: tuple[Authority, ...]
    ) -> Verifier:
        """Return the verifier that trusts these three and, for time stamps, these authorities."""
        stamping = tuple(stamper.part for stamper in stampers)
        key = (authority.part, ct_log.part, log.part, *stamping)
        with self._lock:
            if key not in self._verifiers:
                self._verifiers[key] = _verifier(authority.part, ct_log.part, log.part, stamping)
            return self._verifiers[key]


def load_root(raw: bytes) -> Root:
    """Read a trusted root from bytes whose digest was checked.

    Raises:
        TrustRootError: ``bad-trusted-root``: it is no trusted root, or nothing can be verified with it.
    """
    try:
        whole = Fields(loads_object(raw, max_bytes=_LARGEST), "trusted root")
        media_type = whole.text("mediaType")
        if media_type != _MEDIA_TYPE:
            raise Malformed(f"the media type {media_type[:80]!r}")
        parts = _read_parts(whole)
    except (StrictJSONError, Malformed) as err:
        raise TrustRootError(
            "bad-trusted-root",
            f"expected a Sigstore trusted root ({_MEDIA_TYPE}), found: {err}",
            hint="Fetch it again with `pip-warden root update`, or restore the file that was pinned.",
        ) from err
    return Root(sha256=digest_of(raw), parts=parts)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Parts:
    authorities: tuple[Authority, ...]
    ct_logs: tuple[Log, ...]
    logs: tuple[Log, ...]
    stampers: tuple[Authority, ...]
    dropped: tuple[str, ...]


def _read_parts(whole: Fields) -> _Parts:
    dropped: list[str] = []
    parts = _Parts(
        authorities=_usable(whole, "certificateAuthorities", _read_issuer, dropped),
        ct_logs=_usable(whole, "ctlogs", _read_ct_log, dropped),
        logs=_usable(whole, "tlogs", _read_log, dropped),
        stampers=_usable(whole, "timestampAuthorities", _read_stamper, dropped),
        dropped=tuple(dropped),
    )
    whole.done()
    for name, found in (
        ("certificate authority", parts.authorities),
        ("CT log", parts.ct_logs),
        ("transparency log", parts.logs),
    ):
        if not found:
            raise Malformed("; ".join([f"no usable {name}", *dropped]))
    return parts


def _usable(whole: Fields, key: str, read: Callable[[Fields], T], dropped: list[str]) -> tuple[T, ...]:
    found = []
    for at, value in enumerate(whole.items(key, most=_MOST_PARTS)):
        try:
            found.append(read(Fields(value, f"{key}[{at}]")))
        except Exception as err:  # noqa: BLE001 -- keys of tomorrow fail in ways nobody can list; left out is safe
            dropped.append(f"{key}[{at}]: {err}")
    return tuple(found)


def _read_issuer(fields: Fields) -> Authority:
    issuer = _read_authority(fields)
    check_authorities(issuer.certificates, ExtendedKeyUsageOID.CODE_SIGNING)
    return issuer


def _read_stamper(fields: Fields) -> Authority:
    stamper = _read_authority(fields)
    leaf, *authorities = stamper.certificates
    check_stamper(leaf)
    check_authorities(tuple(authorities), ExtendedKeyUsageOID.TIME_STAMPING)
    return stamper


def _read_authority(fields: Fields) -> Authority:
    subject = fields.optional("subject") or Fields({}, "subject")
    name = {
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
    part = {
        "subject": name,
        "certChain": {"certificates": [{"rawBytes": text} for text in raw]},
        "validFor": _window_json(window),
    }
    return Authority(certificates=_linked(raw), window=window, part=json.dumps(part))


def _linked(raw: list[str]) -> tuple[x509.Certificate, ...]:
    """Load a chain whose every certificate is issued by the next, the last by itself; the library takes each for an anchor of its own."""
    certificates = chain_of(Fields({"c": text}, "certificate").data("c") for text in raw)
    if not certificates:
        raise Malformed("no certificate")
    for certificate in certificates:
        check_readable(certificate)
    certificates[-1].verify_directly_issued_by(certificates[-1])
    return certificates


def _read_ct_log(fields: Fields) -> Log:
    log = _read_log(fields)
    if not log.is_v1:
        raise Malformed(f"{fields.where}.logId is not the digest of its key")
    return log


def _read_log(fields: Fields) -> Log:
    url = fields.text("baseUrl")
    if (algorithm := fields.text("hashAlgorithm", "")) != "SHA2_256":
        raise Malformed(f"{fields.where} hashes with {algorithm[:40]!r}")
    key = fields.child("publicKey")
    raw, details = key.data("rawBytes"), key.text("keyDetails")
    wanted = _KEY_TYPES.get(details)
    if wanted is None:
        raise Malformed(f"{key.where} is a key of unsupported type {details[:40]!r}")
    loaded = load_der_public_key(raw)
    if not isinstance(loaded, wanted):
        raise Malformed(f"{key.where} is no key of type {details}")
    if loaded.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != raw:
        raise Malformed(f"{key.where} is a key in another form than DER's, or with a compressed point")
    window = _window(key.child("validFor"))
    key_text = key.text("rawBytes")
    key.done()
    ids = [_id(fields.child("logId"))]
    if (checkpoint_id := fields.optional("checkpointKeyId")) is not None:
        ids.append(_id(checkpoint_id))
    fields.text("operator", "")
    log_id = fields.child("logId").text("keyId")
    fields.done()
    part = {
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
        part=json.dumps(part),
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
        raise Malformed(f"{fields.where}.{key} is no RFC 3339 time")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as err:
        raise Malformed(f"{fields.where}.{key} is no RFC 3339 time") from err
    return moment.astimezone(UTC)


def _window_json(window: Window) -> dict[str, str]:
    """Write a window for the library, which leaves out its last moment (of time-stamp authorities; it looks at no other end)."""
    ends = {"end": (window.end + timedelta(microseconds=1)).isoformat()} if window.end else {}
    return {"start": window.start.isoformat(), **ends}


def _verifier(authority: str, ct_log: str, log: str, stampers: tuple[str, ...]) -> Verifier:
    root: dict[str, JSONValue] = {
        "mediaType": _MEDIA_TYPE,
        "tlogs": [json.loads(log)],
        "certificateAuthorities": [json.loads(authority)],
        "ctlogs": [json.loads(ct_log)],
        "timestampAuthorities": [json.loads(stamper) for stamper in stampers],
    }
    config = {
        "mediaType": "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
        "trustedRoot": root,
        "signingConfig": {"mediaType": "application/vnd.dev.sigstore.signingconfig.v0.2+json"},
    }
    return Verifier(trusted_root=ClientTrustConfig.from_json(json.dumps(config)).trusted_root)
