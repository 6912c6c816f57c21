"""The time-stamp authority (RFC 3161)."""

from __future__ import annotations

import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from pip_warden.sandbox.sigstore import ca, der
from pip_warden.sandbox.sigstore.errors import TimestampRefused
from pip_warden.sandbox.sigstore.wire import der as certificate_der
from pip_warden.sandbox.sigstore.wire import from_b64, new_key, sign

_POLICY = "1.3.6.1.4.1.57264.2"
_SHA1, _SHA256 = "1.3.14.3.2.26", "2.16.840.1.101.3.4.2.1"
_ALGORITHMS: Mapping[str, hashes.HashAlgorithm] = {
    _SHA256: hashes.SHA256(),
    "2.16.840.1.101.3.4.2.2": hashes.SHA384(),
    "2.16.840.1.101.3.4.2.3": hashes.SHA512(),
}
_NAMES = {"sha1": _SHA1} | {algorithm.name: dotted for dotted, algorithm in _ALGORITHMS.items()}
_SIGNED_DATA, _TST_INFO = "1.2.840.113549.1.7.2", "1.2.840.113549.1.9.16.1.4"
_CONTENT_TYPE, _MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
_SIGNING_TIME, _SIGNING_CERTIFICATE = "1.2.840.113549.1.9.5", "1.2.840.113549.1.9.16.2.47"
_ECDSA_SHA256 = "1.2.840.10045.4.3.2"
_EXTENSIONS = 0xA0
_UNREADABLE = "Error generating timestamp response"
_WEAK = "Weak hash algorithm in timestamp request"
_WRONG_LENGTH = "Message digest has incorrect length for specified algorithm"
_OTHER_POLICY = "unaccepted policy: requested TSA policy is not supported by the TSA"
_WITH_EXTENSIONS = "unaccepted extension: requested extensions are not supported by the TSA"
_LONG_OID = "OID should be comprised of at most 128 components"


@dataclass(frozen=True, kw_only=True, slots=True)
class TimestampRequest:
    """The content of a time-stamp request.

    Attributes:
        algorithm: The hash's object identifier.
        digest: The hash.
        nonce: A number to repeat in the response, if any.
        with_certificates: Whether the response shall carry the signer's certificate.
    """

    algorithm: str
    digest: bytes
    nonce: int | None = None
    with_certificates: bool = True

    @classmethod
    def over(cls, data: bytes) -> TimestampRequest:
        """Return the request for some bytes, hashed with SHA-256."""
        return cls(algorithm=_SHA256, digest=hashlib.sha256(data).digest())

    @classmethod
    def parse(cls, data: bytes) -> TimestampRequest:
        """Read a TimeStampReq (RFC 3161 section 2.4.1) of whatever version.

        Raises:
            TimestampRefused: It is not one, or requests what this authority does not do.
        """
        try:
            (request,) = der.read(data)
            version, imprint, *rest = der.read(request.content)
            algorithm, digest = der.read(imprint.content)
            hash_oid, *_ = der.read(algorithm.content)
            if (request.tag, version.tag, hash_oid.tag) != (der.SEQUENCE, der.INTEGER, der.OID):
                raise ValueError("unexpected elements")
        except ValueError as err:
            raise TimestampRefused(_UNREADABLE, reason=str(err)) from err
        known = {der.oid(dotted): dotted for dotted in _NAMES.values()}
        numbers = [item.integer() for item in rest if item.tag == der.INTEGER]
        asked = cls(
            algorithm=known.get(hash_oid.raw, ""),
            digest=digest.content,
            nonce=numbers[0] if numbers else None,
            with_certificates=any(item.tag == der.BOOLEAN and item.content != b"\x00" for item in rest),
        )
        policies = [item.raw for item in rest if item.tag == der.OID]
        asked._check(own_policy=all(policy == der.oid(_POLICY) for policy in policies))
        if any(item.tag == _EXTENSIONS for item in rest):
            raise TimestampRefused(_WITH_EXTENSIONS)
        return asked

    @classmethod
    def parse_json(cls, data: bytes) -> TimestampRequest:
        """Read a JSON request: `artifactHash` (base64), `hashAlgorithm`, `nonce`, and so on.

        Also `certificates` and `tsaPolicyOID`.

        Raises:
            TimestampRefused: It is not one, or requests what this authority does not do.
        """
        try:
            given = _JsonRequest.read(json.loads(data))
        except (ValueError, TypeError) as err:
            raise TimestampRefused(_UNREADABLE, reason=str(err)) from err
        if given.policy and not re.fullmatch(r"[+-]?[0-9]+(\.[+-]?[0-9]+){0,128}", given.policy):
            raise TimestampRefused(_LONG_OID)
        asked = cls(
            algorithm=_NAMES.get(given.algorithm.lower(), ""),
            digest=given.digest,
            nonce=given.nonce,
            with_certificates=given.certificates,
        )
        asked._check(own_policy=given.policy in {"", _POLICY})
        return asked

    def _check(self, *, own_policy: bool) -> None:
        if self.algorithm == _SHA1:
            raise TimestampRefused(_WEAK)
        if self.algorithm not in _ALGORITHMS:
            raise TimestampRefused(_UNREADABLE, reason="unknown hash")
        if len(self.digest) != _ALGORITHMS[self.algorithm].digest_size:
            raise TimestampRefused(_WRONG_LENGTH)
        if not own_policy:
            raise TimestampRefused(_OTHER_POLICY)

    def imprint(self) -> bytes:
        """Return the MessageImprint."""
        return der.sequence(der.sequence(der.oid(self.algorithm), der.null()), der.octets(self.digest))


@dataclass(frozen=True, kw_only=True, slots=True)
class _JsonRequest:
    digest: bytes
    algorithm: str
    policy: str
    nonce: int | None
    certificates: bool

    @classmethod
    def read(cls, value: object) -> _JsonRequest:
        """Read the fields of a JSON value.

        Raises:
            ValueError: The hash is not base64.
            TypeError: A field is of another type.
        """
        given = {} if value is None else value
        if not isinstance(given, dict):
            raise TypeError("not an object")
        texts = [given.get(name) or "" for name in ("artifactHash", "hashAlgorithm", "tsaPolicyOID")]
        nonce, certificates = given.get("nonce"), given.get("certificates") or False
        if not (
            all(isinstance(text, str) for text in texts)
            and isinstance(nonce, int | None)
            and isinstance(certificates, bool)
        ):
            raise TypeError("a field of another type")
        return cls(
            digest=from_b64(texts[0]),
            algorithm=texts[1],
            policy=texts[2],
            nonce=nonce,
            certificates=certificates,
        )


class TimestampAuthority:
    """Stamp digests; a root of its own, and a leaf that may only stamp."""

    def __init__(self, start: datetime) -> None:
        root_key, root_name = new_key(), ca.name("sandbox-tsa-root")
        self.root = ca.authority(root_name, root_key, (root_name, root_key), start=start, path_length=0)
        self._key = new_key()
        self.leaf = _leaf(self._key, root_key, self.root)

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """The leaf and the root."""
        return self.leaf, self.root

    def stamp(self, request: TimestampRequest, moment: datetime) -> bytes:
        """Answer a request with a granted TimeStampResp (RFC 3161 section 2.4.2)."""
        info = der.sequence(
            der.integer(1),
            der.oid(_POLICY),
            request.imprint(),
            der.integer(secrets.randbits(160)),
            der.generalized_time(moment),
            der.sequence(der.integer(1)),  # accurate to a second
            b"" if request.nonce is None else der.integer(request.nonce),
            der.explicit(0, der.explicit(4, self.leaf.subject.public_bytes())),  # the signer: a directoryName
        )
        granted = der.sequence(der.integer(0))
        return der.sequence(granted, self._token(info, moment, request))

    def _token(self, info: bytes, moment: datetime, request: TimestampRequest) -> bytes:
        sha256 = der.sequence(der.oid(_SHA256))
        attributes = der.set_of(
            _attribute(_CONTENT_TYPE, der.oid(_TST_INFO)),
            _attribute(_SIGNING_TIME, der.utc_time(moment)),
            _attribute(_MESSAGE_DIGEST, der.octets(hashlib.sha256(info).digest())),
            _attribute(_SIGNING_CERTIFICATE, self._signing_certificate(request.algorithm)),
        )
        signer = der.sequence(
            der.integer(1),
            der.sequence(self.leaf.issuer.public_bytes(), der.integer(self.leaf.serial_number)),
            sha256,
            b"\xa0" + attributes[1:],  # signed as a SET, sent as [0] IMPLICIT (RFC 5652 section 5.4)
            der.sequence(der.oid(_ECDSA_SHA256)),
            der.octets(sign(self._key, attributes)),
        )
        signed_data = der.sequence(
            der.integer(3),
            der.set_of(sha256),
            der.sequence(der.oid(_TST_INFO), der.explicit(0, der.octets(info))),
            der.explicit(0, certificate_der(self.leaf) if request.with_certificates else b""),
            der.set_of(signer),
        )
        return der.sequence(der.oid(_SIGNED_DATA), der.explicit(0, signed_data))

    def _signing_certificate(self, algorithm: str) -> bytes:
        """Return the ESS attribute that binds the certificate (RFC 5816), by the request's hash algorithm."""
        fingerprint = self.leaf.fingerprint(_ALGORITHMS[algorithm])
        named = b"" if algorithm == _SHA256 else der.sequence(der.oid(algorithm), der.null())
        issuer = der.sequence(der.explicit(4, self.leaf.issuer.public_bytes()))
        serial = der.sequence(issuer, der.integer(self.leaf.serial_number))
        return der.sequence(der.sequence(der.sequence(named, der.octets(fingerprint), serial)))


def _attribute(oid: str, value: bytes) -> bytes:
    return der.sequence(der.oid(oid), der.set_of(value))


def _leaf(
    key: ec.EllipticCurvePrivateKey, root_key: ec.EllipticCurvePrivateKey, root: x509.Certificate
) -> x509.Certificate:
    issued_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(ca.name("sandbox-tsa"))
        .issuer_name(root.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(root.not_valid_before_utc)
        .not_valid_after(root.not_valid_after_utc)
        .add_extension(ca.key_usage(signs_data=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(issued_by, critical=False)
        .sign(root_key, hashes.SHA256())
    )
