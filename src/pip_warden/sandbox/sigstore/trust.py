"""The configuration of clients: trusted root, signing config, client trust config."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pip_warden.sandbox.sigstore.ca import ORGANIZATION, CertificateAuthority
from pip_warden.sandbox.sigstore.ctlog import CtLog
from pip_warden.sandbox.sigstore.key_history import Generation, KeyHistory
from pip_warden.sandbox.sigstore.rekor import Shard
from pip_warden.sandbox.sigstore.tsa import TimestampAuthority
from pip_warden.sandbox.sigstore.wire import JSONObject, b64, der, spki, timestamp

TRUSTED_ROOT = "application/vnd.dev.sigstore.trustedroot+json;version=0.1"
SIGNING_CONFIG = "application/vnd.dev.sigstore.signingconfig.v0.2+json"
TRUST_CONFIG = "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json"
TIMESTAMP_PATH = "/api/v1/timestamp"


@dataclass(frozen=True, kw_only=True, slots=True)
class Urls:
    """The origins of the services, without a path.

    The names only have to resolve for signers; no client contacts the CT log.
    """

    fulcio: str = "https://fulcio.sandbox.invalid"
    rekor: str = "https://rekor.sandbox.invalid"
    tsa: str = "https://tsa.sandbox.invalid"
    ct: str = "https://ct.sandbox.invalid"
    oidc: str = "https://oidc.sandbox.invalid"


class _Log(Protocol):
    @property
    def public_key(self) -> ec.EllipticCurvePublicKey: ...
    @property
    def log_id(self) -> bytes: ...


def trusted_root(
    urls: Urls,
    authorities: KeyHistory[CertificateAuthority],
    ct_logs: KeyHistory[CtLog],
    shards: KeyHistory[Shard],
    timestamp_authorities: KeyHistory[TimestampAuthority],
) -> JSONObject:
    """Return `trusted_root.json`: every trusted generation with its validity."""
    return {
        "mediaType": TRUSTED_ROOT,
        "tlogs": [_log(urls.rekor, item.holder, item.valid_for()) for item in shards.trusted()],
        "certificateAuthorities": [_authority(urls.fulcio, item) for item in authorities.trusted()],
        "ctlogs": [_log(urls.ct, item.holder, item.valid_for()) for item in ct_logs.trusted()],
        "timestampAuthorities": [
            _authority(urls.tsa + TIMESTAMP_PATH, item) for item in timestamp_authorities.trusted()
        ],
    }


def signing_config(urls: Urls, start: datetime) -> JSONObject:
    """Return `signing_config.json`, version 0.2; each list has a selector: sigstore-python requires it."""

    def services(url: str) -> list[JSONObject]:
        valid_for = {"start": timestamp(start)}
        return [{"url": url, "majorApiVersion": 1, "validFor": valid_for, "operator": ORGANIZATION}]

    return {
        "mediaType": SIGNING_CONFIG,
        "caUrls": services(urls.fulcio),
        "oidcUrls": services(urls.oidc),
        "rekorTlogUrls": services(urls.rekor),
        "tsaUrls": services(urls.tsa + TIMESTAMP_PATH),
        "rekorTlogConfig": {"selector": "ANY"},
        "tsaConfig": {"selector": "ANY"},
    }


def trust_config(root: JSONObject, signing: JSONObject) -> JSONObject:
    """Return `trust_config.json`, both in one."""
    return {"mediaType": TRUST_CONFIG, "trustedRoot": root, "signingConfig": signing}


def _log(url: str, log: _Log, valid_for: JSONObject) -> JSONObject:
    return {
        "baseUrl": url,
        "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": b64(spki(log.public_key)),
            "keyDetails": "PKIX_ECDSA_P256_SHA_256",
            "validFor": valid_for,
        },
        "logId": {"keyId": b64(log.log_id)},
    }


def _authority(
    url: str, item: Generation[CertificateAuthority] | Generation[TimestampAuthority]
) -> JSONObject:
    chain = item.holder.chain
    return {
        "subject": {"organization": ORGANIZATION, "commonName": _common_name(chain[-1])},
        "uri": url,
        "certChain": {"certificates": [{"rawBytes": b64(der(certificate))} for certificate in chain]},
        "validFor": item.valid_for(),
    }


def _common_name(certificate: x509.Certificate) -> str:
    return str(certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)
