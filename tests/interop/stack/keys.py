"""Keys and certificates of the stack, made once. They protect nothing: it is a throw-away on loopback."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PASSWORD = "loopback"
_PKCS8, _PEM = PrivateFormat.PKCS8, Encoding.PEM
Key = ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def make(directory: Path) -> None:
    """Write every missing key, public key and chain: ``ca``, ``ct``, ``rekor1``, ``rekor2``, ``tsa``."""
    if (directory / "complete").exists():
        return
    directory.mkdir(parents=True, exist_ok=True)
    locked = BestAvailableEncryption(PASSWORD.encode())
    ca, tsa_root, tsa = _p256(), _p256(), _p256()
    _write(directory, "ca", ca, locked)
    (directory / "ca.pem").write_bytes(_pem(_authority("Fulcio of the stack", ca)))
    ct = _p256()
    _write(
        directory, "ct", ct, locked, PrivateFormat.TraditionalOpenSSL
    )  # Trillian reads only the old encryption
    _write(directory, "rekor1", _p256(), NoEncryption())
    _write(directory, "rekor2", ed25519.Ed25519PrivateKey.generate(), NoEncryption())
    _write(directory, "tsa", tsa, NoEncryption())
    root = _authority("Time stamps of the stack", tsa_root)
    chain = _pem(_stamper(tsa, root, tsa_root)) + _pem(root)
    (directory / "tsa-chain.pem").write_bytes(chain)
    (directory / "complete").touch()


def _p256() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _write(
    directory: Path, name: str, key: Key, lock: KeySerializationEncryption, form: PrivateFormat = _PKCS8
) -> None:
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (directory / f"{name}.key").write_bytes(key.private_bytes(_PEM, form, lock))
    (directory / f"{name}.pub").write_bytes(public)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(_PEM)


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "stack"),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder(subject_name=subject, issuer_name=issuer, public_key=key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=3650))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, digital_signature: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        key_cert_sign=not digital_signature,
        crl_sign=not digital_signature,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _authority(common: str, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = _name(common)
    return (
        _builder(name, name, key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .add_extension(_usage(digital_signature=False), critical=True)
        .sign(key, hashes.SHA256())
    )


def _stamper(
    key: ec.EllipticCurvePrivateKey, root: x509.Certificate, root_key: ec.EllipticCurvePrivateKey
) -> x509.Certificate:
    return (
        _builder(_name("Stamper of the stack"), root.subject, key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING]), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), critical=False
        )
        .sign(root_key, hashes.SHA256())
    )
