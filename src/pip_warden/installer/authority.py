"""The run's certificate authorities: by them a tool takes the loopback server for its registry.

Each host has an authority of its own, whose name constraints (RFC 5280 section 4.2.1.10) leave it that host
alone: one authority for ``example.com`` and ``api.example.com`` could not exclude the first's subdomains.
Its key signs one certificate and is forgotten. Only the child is told of them, by its environment.
"""

from __future__ import annotations

import ipaddress
import os
import re
import secrets
import ssl
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pip_warden.transport.urls import origin_of
from pip_warden.values import dataclass, field

_VARIABLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT")
_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_DNS_NAME = re.compile(rf"(?=.{{1,253}}\Z)({_LABEL}\.)*(?![0-9]+\Z){_LABEL}", re.ASCII)
"""A last label of digits alone is an address to some (``127.1``), and no certificate may name it."""

_EARLIER, _LATER = timedelta(hours=1), timedelta(hours=24)
"""From when to when a certificate is valid, seen from now: the child's clock is ours, give or take."""

_NOWHERE = "index.pip-warden.invalid"
"""Where mail and URIs may be (RFC 2606): what names them as permitted forbids all others of their kind."""


@dataclass(frozen=True, kw_only=True, slots=True)
class RunAuthority:
    """What ends TLS in place of some registries.

    Attributes:
        ca_file: The certificates of the run's authorities (PEM), and no others.
        contexts: How the loopback server ends TLS for each host.
    """

    ca_file: Path
    contexts: Mapping[str, ssl.SSLContext] = field(repr=False, hash=False)

    def context_for(self, origin: str) -> ssl.SSLContext | None:
        """Return how TLS is ended for an origin, None where no authority may sign for its host."""
        return self.contexts.get(origin_of(origin).host)

    def environment(self) -> dict[str, str]:
        """Return the variables that make a tool trust the run's authorities alone."""
        return dict.fromkeys(_VARIABLES, str(self.ca_file))


@dataclass(frozen=True, kw_only=True, slots=True)
class Issuer:
    """A certificate authority for one host. Whoever has it can sign: it lives for one signature.

    Attributes:
        host: The host.
        certificate: Its own.
        key: Its key.
    """

    host: str
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey = field(repr=False)

    @classmethod
    def new(cls, host: str) -> Issuer:
        """Make one that may sign for a host and for nothing else."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = _named(f"{secrets.token_hex(8)}, of one run")
        certificate = (
            _blank(name, name, key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(signs_certificates=True), critical=True)
            .add_extension(_constraints(host), critical=True)
            .add_extension(_server_alone(), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        return cls(host=host, certificate=certificate, key=key)

    def certify(self, key: ec.EllipticCurvePublicKey) -> x509.Certificate:
        """Sign a server's certificate for the host."""
        issued_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        return (
            _blank(_named("a loopback server"), self.certificate.subject, key)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(_server_alone(), critical=False)
            .add_extension(x509.SubjectAlternativeName([_name_of(self.host)]), critical=False)
            .add_extension(issued_by, critical=False)
            .sign(self.key, hashes.SHA256())
        )


def make_authority(origins: Iterable[str], directory: Path) -> RunAuthority:
    """Make authorities for the hosts of some origins.

    Args:
        origins: ``https://gitlab.example.com:8443``. Those of http need none. A host that no certificate can
            name gets none: nothing is answered for it.
        directory: The run's private directory.

    Raises:
        NetworkError: ``insecure-url``: one of them is no origin.
        OSError: The directory cannot be written.
    """
    asked = {origin.host for origin in map(origin_of, origins) if origin.scheme == "https"}
    # A tool may take an empty file for a mistake, and trust the whole world: there is always one.
    hosts = sorted(filter(_can_be_named, asked)) or [_NOWHERE]
    ends = {host: _end_of(host, directory) for host in hosts}
    ca_file = directory / "run-ca.pem"
    ca_file.write_bytes(b"".join(ca.public_bytes(Encoding.PEM) for _, ca in ends.values()))
    return RunAuthority(ca_file=ca_file, contexts={host: context for host, (context, _) in ends.items()})


def _end_of(host: str, directory: Path) -> tuple[ssl.SSLContext, x509.Certificate]:
    issuer, key = Issuer.new(host), ec.generate_private_key(ec.SECP256R1())
    context = _serving(issuer.certify(key.public_key()), key, directory)

    def refuse_others(_stream: object, asked: str | None, _context: object) -> int | None:
        """Refuse a client that asks for another host (RFC 6066 section 3); for an address, none is named."""
        return None if asked is None or asked.lower() == host else ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME

    context.sni_callback = refuse_others
    return context, issuer.certificate


def _serving(
    certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey, directory: Path
) -> ssl.SSLContext:
    """Return how a server ends TLS with a certificate.

    OpenSSL takes a key from a file alone: it is written encrypted, and gone when this returns.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_TICKET | ssl.OP_NO_RENEGOTIATION
    context.num_tickets = 0
    context.set_alpn_protocols(["http/1.1"])
    passphrase = secrets.token_bytes(32).hex().encode()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase))
    file = directory / f"run-{secrets.token_hex(8)}.pem"
    try:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
            stream.write(certificate.public_bytes(Encoding.PEM) + pem)
        context.load_cert_chain(file, password=passphrase)
    finally:
        file.unlink(missing_ok=True)
    return context


def _can_be_named(host: str) -> bool:
    return isinstance(_name_of(host), x509.IPAddress) or _DNS_NAME.fullmatch(host) is not None


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _name_of(host: str) -> x509.DNSName | x509.IPAddress:
    address = _address(host)
    return x509.DNSName(host) if address is None else x509.IPAddress(address)


def _constraints(host: str) -> x509.NameConstraints:
    """Permit a host alone.

    A kind of name that is not mentioned is free: so each is. ``host`` means its subdomains too, and ``.host``
    only these, to OpenSSL and webpki; an empty name is every name.
    """
    networks = {4: "0.0.0.0/0", 6: "::/0"}
    address = _address(host)
    if address is None:
        permitted: x509.GeneralName = x509.DNSName(host)
        forbidden = x509.DNSName(f".{host}")
    else:
        permitted = x509.IPAddress(ipaddress.ip_network(address))
        forbidden = x509.DNSName("")
        del networks[address.version]
    others = [x509.IPAddress(ipaddress.ip_network(network)) for network in networks.values()]
    return x509.NameConstraints(
        permitted_subtrees=[permitted, x509.RFC822Name(_NOWHERE), x509.UniformResourceIdentifier(_NOWHERE)],
        excluded_subtrees=[forbidden, *others],
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _server_alone() -> x509.ExtendedKeyUsage:
    return x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])


def _named(text: str) -> x509.Name:
    # No common name: some read it as a host's.
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, f"pip-warden, {text}")])


def _blank(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _EARLIER)
        .not_valid_after(now + _LATER)
    )
