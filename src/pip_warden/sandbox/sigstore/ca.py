"""The certificate authority: a root, an intermediate, and ten-minute leaves with an embedded promise."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from pip_warden.sandbox.sigstore.ctlog import CtLog, sct_list
from pip_warden.sandbox.sigstore.identity import CertificateIdentity
from pip_warden.sandbox.sigstore.lies import HONEST, Lie
from pip_warden.sandbox.sigstore.wire import PublicKey, new_key, spki

ORGANIZATION = "pip-warden sandbox"
YEARS = timedelta(days=3650)
_SCT_LIST = ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")


def name(common_name: str) -> x509.Name:
    """Return the distinguished name of one of the sandbox's authorities."""
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, ORGANIZATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def key_usage(*, signs_data: bool) -> x509.KeyUsage:
    """Return the key usage of a leaf, or of an authority."""
    return x509.KeyUsage(
        digital_signature=signs_data,
        key_cert_sign=not signs_data,
        crl_sign=not signs_data,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def authority(
    subject: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: tuple[x509.Name, ec.EllipticCurvePrivateKey],
    *,
    start: datetime,
    path_length: int,
    usage: ObjectIdentifier | None = None,
) -> x509.Certificate:
    """Make the certificate of a root or intermediate.

    Args:
        subject: Its name.
        key: Its key.
        issuer: Name and key of the issuer; its own for a root.
        start: Start of its validity, which lasts ten years.
        path_length: How many CAs may follow.
        usage: The only extended key usage of what it issues, for an intermediate.
    """
    builder = (
        _blank(subject, key.public_key(), issuer[0], start, YEARS)
        .add_extension(key_usage(signs_data=False), critical=True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(_issued_by(issuer[1]), critical=False)
    )
    if usage is not None:
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    return builder.sign(issuer[1], hashes.SHA384())


def _blank(
    subject: x509.Name, key: PublicKey, issuer: x509.Name, start: datetime, lifetime: timedelta
) -> x509.CertificateBuilder:
    start = start.replace(microsecond=0)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + lifetime)
    )


def _issued_by(key: ec.EllipticCurvePrivateKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


@dataclass(frozen=True, kw_only=True, slots=True)
class Issued:
    """A leaf, its chain up to the root, and the poisoned precertificate that was logged."""

    leaf: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    precertificate: x509.Certificate


class CertificateAuthority:
    """Issue code-signing certificates as Fulcio does."""

    def __init__(self, start: datetime) -> None:
        root_key, root_name = ec.generate_private_key(ec.SECP384R1()), name("sandbox-fulcio")
        self._key = ec.generate_private_key(ec.SECP384R1())
        self.root = authority(root_name, root_key, (root_name, root_key), start=start, path_length=1)
        self.intermediate = authority(
            name("sandbox-fulcio-intermediate"),
            self._key,
            (root_name, root_key),
            start=start,
            path_length=0,
            usage=ExtendedKeyUsageOID.CODE_SIGNING,
        )

    @property
    def chain(self) -> tuple[x509.Certificate, ...]:
        """The intermediate and the root."""
        return self.intermediate, self.root

    def issue(
        self,
        key: PublicKey,
        identity: CertificateIdentity,
        log: CtLog,
        *,
        moment: datetime,
        lie: Lie = HONEST,
    ) -> Issued:
        """Issue a certificate: precertificate, promise, final certificate (RFC 6962 section 3.1)."""
        builder = self._leaf(key, identity, moment, lie.lifetime)
        # The log signs the certificate before poison or promise is added.
        tbs = builder.sign(self._key, hashes.SHA384()).tbs_certificate_bytes
        poisoned = builder.add_extension(x509.PrecertPoison(), critical=True).sign(self._key, hashes.SHA384())
        issuer_key_hash = hashlib.sha256(spki(self._key.public_key())).digest()
        if lie.sct != "absent":
            chosen = CtLog() if lie.sct == "foreign" else log
            signer = new_key() if lie.sct == "forged" else None
            sct = chosen.add_precertificate(tbs, issuer_key_hash, moment, signer=signer)
            extension = x509.UnrecognizedExtension(_SCT_LIST, sct_list(sct))
            builder = builder.add_extension(extension, critical=False)
        leaf = builder.sign(self._key, hashes.SHA384())
        return Issued(leaf=leaf, chain=self.chain, precertificate=poisoned)

    def _leaf(
        self, key: PublicKey, identity: CertificateIdentity, moment: datetime, lifetime: timedelta
    ) -> x509.CertificateBuilder:
        builder = (
            _blank(x509.Name([]), key, self.intermediate.subject, moment, lifetime)
            .add_extension(key_usage(signs_data=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
            .add_extension(_issued_by(self._key), critical=False)
            .add_extension(x509.SubjectAlternativeName([identity.general_name()]), critical=True)
        )
        for extension in identity.x509_extensions():
            builder = builder.add_extension(extension, critical=False)
        return builder
