"""The time-stamp authority (RFC 3161)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from pip_warden.sandbox.sigstore import ca, der
from pip_warden.sandbox.sigstore.errors import TimestampRefused
from pip_warden.sandbox.sigstore.wire import der as certificate_der
from pip_warden.sandbox.sigstore.wire import new_key, sign

_POLICY = "1.3.6.1.4.1.57264.2"
_SHA256 = "2.16.840.1.101.3.4.2.1"
_DIGEST_SIZES = {_SHA256: 32, "2.16.840.1.101.3.4.2.2": 48, "2.16.840.1.101.3.4.2.3": 64}
_SIGNED_DATA, _TST_INFO = "1.2.840.113549.1.7.2", "1.2.840.113549.1.9.16.1.4"
_CONTENT_TYPE, _MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
_SIGNING_TIME, _SIGNING_CERTIFICATE = "1.2.840.113549.1.9.5", "1.2.840.113549.1.9.16.2.47"
_ECDSA_SHA256 = "1.2.840.10045.4.3.2"


@dataclass(frozen=True, kw_only=True, slots=True)
class TimestampRequest:
    """What a client wants stamped.

    Attributes:
        imprint: The MessageImprint's DER, copied into the answer.
        nonce: The nonce's DER, or nothing.
        with_certificates: Whether the answer shall carry the signer's certificate.
    """

    imprint: bytes
    nonce: bytes = b""
    with_certificates: bool = True

    @classmethod
    def over(cls, data: bytes) -> TimestampRequest:
        """Ask for the time of some bytes, hashed with SHA-256."""
        algorithm = der.sequence(der.oid(_SHA256), der.null())
        return cls(imprint=der.sequence(algorithm, der.octets(hashlib.sha256(data).digest())))

    @classmethod
    def parse(cls, data: bytes) -> TimestampRequest:
        """Read a TimeStampReq (RFC 3161 section 2.4.1).

        Raises:
            TimestampRefused: It is not one, or its hash is not of the SHA-2 family.
        """
        try:
            (request,) = der.read(data)
            version, imprint, *rest = der.read(request.content)
            algorithm, digest = der.read(imprint.content)
            hash_oid, *_ = der.read(algorithm.content)
        except ValueError as err:
            message = "Error parsing the timestamp request"
            raise TimestampRefused(message, reason=str(err)) from err
        sizes = {der.oid(dotted): size for dotted, size in _DIGEST_SIZES.items()}
        if (
            request.tag != der.SEQUENCE
            or version.integer() != 1
            or sizes.get(hash_oid.raw) != len(digest.content)
        ):
            message = "Error parsing the timestamp request"
            raise TimestampRefused(message, reason="unknown version or hash, or a digest of the wrong length")
        nonce = b"".join(item.raw for item in rest if item.tag == der.INTEGER)
        wants = any(item.tag == der.BOOLEAN and item.content != b"\x00" for item in rest)
        return cls(imprint=imprint.raw, nonce=nonce, with_certificates=wants)


class TimestampAuthority:
    """Stamp digests; a root of its own, and a leaf that may only stamp."""

    def __init__(self, start: datetime) -> None:
        root_key, root_name = new_key(), ca.name("sandbox-tsa-root")
        self.root = ca.authority(root_name, root_key, (root_name, root_key), start=start, path_length=0)
        self._key = new_key()
        self.leaf = _leaf(self._key, root_key, self.root)
        self._serial = 0

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """The leaf and the root."""
        return self.leaf, self.root

    def stamp(self, request: TimestampRequest, moment: datetime) -> bytes:
        """Answer a request with a granted TimeStampResp (RFC 3161 section 2.4.2)."""
        self._serial += 1
        info = der.sequence(
            der.integer(1),
            der.oid(_POLICY),
            request.imprint,
            der.integer(self._serial),
            der.generalized_time(moment),
            der.sequence(der.integer(1)),  # accurate to a second
            request.nonce,
        )
        granted = der.sequence(der.integer(0))
        return der.sequence(granted, self._token(info, moment, with_certificates=request.with_certificates))

    def _token(self, info: bytes, moment: datetime, *, with_certificates: bool) -> bytes:
        sha256 = der.sequence(der.oid(_SHA256))
        attributes = der.set_of(
            _attribute(_CONTENT_TYPE, der.oid(_TST_INFO)),
            _attribute(_SIGNING_TIME, der.utc_time(moment)),
            _attribute(_MESSAGE_DIGEST, der.octets(hashlib.sha256(info).digest())),
            _attribute(_SIGNING_CERTIFICATE, self._signing_certificate()),
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
            der.explicit(0, certificate_der(self.leaf)) if with_certificates else b"",
            der.set_of(signer),
        )
        return der.sequence(der.oid(_SIGNED_DATA), der.explicit(0, signed_data))

    def _signing_certificate(self) -> bytes:
        """Return the ESS attribute that binds the certificate (RFC 5816)."""
        fingerprint = hashlib.sha256(certificate_der(self.leaf)).digest()
        issuer = der.sequence(der.explicit(4, self.leaf.issuer.public_bytes()))
        serial = der.sequence(issuer, der.integer(self.leaf.serial_number))
        return der.sequence(der.sequence(der.sequence(der.octets(fingerprint), serial)))


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
