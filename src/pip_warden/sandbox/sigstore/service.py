"""The embedded Sigstore: one object that holds the state of CA, CT log, transparency log and time stamps."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

from cryptography import x509

from pip_warden.sandbox.clock import SandboxClock
from pip_warden.sandbox.sigstore import products, trust
from pip_warden.sandbox.sigstore.ca import CertificateAuthority
from pip_warden.sandbox.sigstore.ctlog import CtLog
from pip_warden.sandbox.sigstore.identity import Claims, identify
from pip_warden.sandbox.sigstore.key_history import Generation, KeyHistory
from pip_warden.sandbox.sigstore.lies import HONEST, BundleForm, Lie
from pip_warden.sandbox.sigstore.proposals import IN_TOTO
from pip_warden.sandbox.sigstore.rekor import LoggedEntry, Rekor
from pip_warden.sandbox.sigstore.tokens import JwksFor, verify_token
from pip_warden.sandbox.sigstore.tsa import TimestampAuthority, TimestampRequest
from pip_warden.sandbox.sigstore.wire import JSONObject, PublicKey, pem


def no_issuer(_issuer: str) -> None:
    """Return no keys: the issuers of a service without OIDC."""


class SigstoreService:
    """Issue, log, stamp and sign, honestly or not, in process or over HTTP.

    Args:
        clock: The sandbox's clock, real time by default.
        jwks_for: Returns an issuer's JSON Web Key Set, or None for an issuer that is not configured. Only
            tokens are checked with it; claims given as a mapping are trusted.
        issuers: What `GET /api/v2/configuration` lists.
        start: Start of validity of the first keys and authorities; a day before the clock's time by default.
        urls: The URLs of the services. The log's name in checkpoints is the host of its URL.

    Attributes:
        clock: As given.
        authorities: The CA's generations.
        ct_logs: The CT log's generations.
        rekor: The transparency log.
        timestamp_authorities: The time-stamp authority's generations.
        urls: The URLs of the services.
        lying: What the services do wrong unless a call says otherwise.
    """

    def __init__(
        self,
        clock: SandboxClock | None = None,
        *,
        jwks_for: JwksFor = no_issuer,
        issuers: Iterable[str] = (),
        start: datetime | None = None,
        urls: trust.Urls | None = None,
    ) -> None:
        self.clock = clock or SandboxClock()
        self.jwks_for = jwks_for
        self.issuers = list(issuers)
        self.start = (start or self.clock.now() - timedelta(days=1)).replace(microsecond=0)
        self.authorities = KeyHistory(CertificateAuthority(self.start), self.start)
        self.ct_logs = KeyHistory(CtLog(), self.start)
        self.urls = urls or trust.Urls()
        self.rekor = Rekor(urlsplit(self.urls.rekor).hostname or "", self.start)
        self.timestamp_authorities = KeyHistory(TimestampAuthority(self.start), self.start)
        self.lying = HONEST
        self._lock = threading.RLock()

    # Services

    def issue(
        self, who: Claims | str, public_key: PublicKey, *, lie: Lie | None = None
    ) -> tuple[x509.Certificate, ...]:
        """Issue a certificate and return it with its chain: leaf, intermediate, root.

        Args:
            who: GitLab ID token claims, trusted; or a token, verified.
            public_key: The key to certify.
            lie: What to do wrong; by default as `lying` says.

        Raises:
            TokenRefused: The token does not verify, or the claims name no subject.
        """
        lie = lie or self.lying
        with self._lock:
            now = self.clock.now()
            claims = verify_token(who, self.jwks_for, now) if isinstance(who, str) else who
            identity = identify(claims, lie)
            authority = CertificateAuthority(self.start) if lie.ca == "foreign" else self.authorities.current
            moment = now - lie.certificate_age
            issued = authority.issue(public_key, identity, self.ct_logs.current, moment=moment, lie=lie)
            return issued.leaf, *issued.chain

    def log(self, proposed: object, *, lie: Lie | None = None) -> LoggedEntry:
        """Append a proposed entry to the transparency log.

        Raises:
            EntryRefused: It does not verify.
            EntryExists: The log already has it.
        """
        with self._lock:
            return self.rekor.append(proposed, self.clock.now(), lie or self.lying)

    def stamp(self, request: TimestampRequest | bytes, *, lie: Lie | None = None) -> bytes:
        """Return a TimeStampResp for a time-stamp request, or for some bytes.

        Args:
            request: A parsed request, or the bytes to stamp.
            lie: What to do wrong; by default as `lying` says.
        """
        lie = lie or self.lying
        with self._lock:
            if lie.timestamp == "other":
                request = b"something else"
            parsed = TimestampRequest.over(request) if isinstance(request, bytes) else request
            stamper = (
                TimestampAuthority(self.start)
                if lie.timestamp == "foreign"
                else self.timestamp_authorities.current
            )
            return stamper.stamp(parsed, self.clock.now().replace(microsecond=0))

    def lie(self, **fields: Any) -> None:
        """Let every service lie from now on, by the fields of `Lie`; without any, be honest again."""
        self.lying = Lie(**fields)

    # Rotation

    def rotate_ca(self, *, end: bool = True, forget: bool = False) -> None:
        """Activate a new CA; see `KeyHistory.rotate`."""
        self.authorities.rotate(CertificateAuthority(self._second()), self._second(), end=end, forget=forget)

    def rotate_ct(self, *, end: bool = True, forget: bool = False) -> None:
        """Activate a new CT log; see `KeyHistory.rotate`."""
        self.ct_logs.rotate(CtLog(), self._second(), end=end, forget=forget)

    def rotate_rekor(self, *, end: bool = True, forget: bool = False) -> None:
        """Activate a new shard of the transparency log; see `KeyHistory.rotate`."""
        self.rekor.rotate(self._second(), end=end, forget=forget)

    def rotate_tsa(self, *, end: bool = True, forget: bool = False) -> None:
        """Activate a new time-stamp authority; see `KeyHistory.rotate`."""
        self.timestamp_authorities.rotate(
            TimestampAuthority(self._second()), self._second(), end=end, forget=forget
        )

    def _second(self) -> datetime:
        # Times in certificates, entries and stamps are whole seconds, rounded down: validity must not
        # start later.
        return self.clock.now().replace(microsecond=0)

    # Products

    def sign_blob(
        self, data: bytes, claims: Claims, *, form: BundleForm | None = None, lie: Lie | None = None
    ) -> JSONObject:
        """Sign bytes and return a bundle with a message signature."""
        return products.blob(self, data, claims, form or BundleForm(), lie or self.lying)

    def sign_detached(
        self,
        data: bytes,
        claims: Claims,
        *,
        crt: Literal["pem", "base64"] = "pem",
        lie: Lie | None = None,
    ) -> tuple[bytes, bytes]:
        """Sign bytes and return `.sig` (base64) and `.crt`; the signature is logged.

        Args:
            data: What to sign.
            claims: ID token claims.
            crt: `pem`, or `base64` of PEM as cosign writes it.
            lie: What to do wrong.
        """
        return products.detached(self, data, claims, lie or self.lying, crt=crt)

    def sign_statement(
        self,
        statement: bytes | Mapping[str, object],
        claims: Claims,
        payload_type: str = IN_TOTO,
        *,
        timestamp: bool = False,
        form: BundleForm | None = None,
        lie: Lie | None = None,
    ) -> JSONObject:
        """Sign an in-toto statement, or any other payload, and return a bundle with a DSSE envelope."""
        form = form or BundleForm(timestamp=timestamp)
        return products.statement(self, _payload(statement), payload_type, claims, form, lie or self.lying)

    def pep740(
        self,
        statement: bytes | Mapping[str, object],
        claims: Claims,
        *,
        form: BundleForm | None = None,
        lie: Lie | None = None,
    ) -> JSONObject:
        """Sign a statement and return a PEP 740 attestation object."""
        bundle = self.sign_statement(statement, claims, form=form, lie=lie)
        return products.attestation(bundle)

    # Configuration

    def trusted_root(self, urls: trust.Urls | None = None) -> JSONObject:
        """Return `trusted_root.json` for the services at some URLs, by default `self.urls`."""
        return trust.trusted_root(
            urls or self.urls, self.authorities, self.ct_logs, self.rekor.shards, self.timestamp_authorities
        )

    def signing_config(self, urls: trust.Urls | None = None) -> JSONObject:
        """Return `signing_config.json`."""
        return trust.signing_config(urls or self.urls, self.start)

    def trust_config(self, urls: trust.Urls | None = None) -> JSONObject:
        """Return `trust_config.json`, what `sigstore --trust-config` takes."""
        return trust.trust_config(self.trusted_root(urls), self.signing_config(urls))

    def state(self) -> JSONObject:
        """Return everything public, for a dump."""
        shards = [
            {"tree_id": str(shard.tree_id), "log_id": shard.log_id.hex(), "size": len(shard.tree)}
            for shard in self.rekor.shards
        ]
        entries = [
            shard.entry(index).rekor_json() for shard in self.rekor.shards for index in range(len(shard.tree))
        ]
        return {
            "now": self.clock.now().isoformat(),
            "trusted_root": self.trusted_root(),
            "certificate_authorities": [_chain(item) for item in self.authorities.generations],
            "timestamp_authorities": [_chain(item) for item in self.timestamp_authorities.generations],
            "ct_logs": [{"log_id": log.log_id.hex(), "size": len(log.tree)} for log in self.ct_logs],
            "shards": shards,
            "entries": entries,
        }


def _chain(generation: Generation[CertificateAuthority] | Generation[TimestampAuthority]) -> JSONObject:
    chain = [pem(certificate).decode() for certificate in generation.holder.chain]
    return {"chain": chain, "trusted": generation.trusted, "valid_for": generation.valid_for()}


def _payload(statement: bytes | Mapping[str, object]) -> bytes:
    return (
        statement if isinstance(statement, bytes) else json.dumps(statement, separators=(",", ":")).encode()
    )
