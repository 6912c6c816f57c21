"""The run's certificate authorities: each can sign for its host, and for nothing else."""

from __future__ import annotations

import ipaddress
import os
import secrets
import ssl
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import NameOID

from installers.registries import Registries, TunnelServer
from pip_warden.errors import NetworkError
from pip_warden.installer.authority import Issuer, RunAuthority, make_authority
from pip_warden.installer.environment import child_environment

HOST = "gitlab.example.com"
UV = Path(sys.executable).with_name("uv")


@dataclass(frozen=True)
class Misuse:
    """What somebody does with an authority's key who has got hold of it.

    Attributes:
        host: Whose authority it is.
        names: What the certificate is made for.
        asked: What a client asks for, whom that certificate would do.
    """

    host: str
    names: tuple[str, ...]
    asked: str


MISUSES = [
    Misuse(HOST, ("evil.example.com",), "evil.example.com"),
    Misuse(HOST, ("example.com",), "example.com"),
    Misuse(HOST, (HOST, "evil.example.com"), "evil.example.com"),
    Misuse(HOST, (f"sub.{HOST}",), f"sub.{HOST}"),
    Misuse(HOST, (f"*.{HOST}",), f"sub.{HOST}"),
    Misuse(HOST, ("*.example.com",), "evil.example.com"),
    Misuse(HOST, (f"evil{HOST}",), f"evil{HOST}"),
    Misuse(HOST, ("127.0.0.1",), "127.0.0.1"),
    Misuse(HOST, (HOST, "203.0.113.7"), "203.0.113.7"),
    Misuse(HOST, ("::1",), "::1"),
    Misuse("203.0.113.7", ("203.0.113.8",), "203.0.113.8"),
    Misuse("203.0.113.7", ("203.0.113.7", "::1"), "::1"),
    Misuse("203.0.113.7", ("203.0.113.7", HOST), HOST),
    Misuse("203.0.113.7", ("localhost",), "localhost"),
    Misuse("2001:db8::7", ("2001:db8::8",), "2001:db8::8"),
    Misuse("2001:db8::7", ("2001:db8::7", "203.0.113.7"), "203.0.113.7"),
    Misuse("2001:db8::7", (HOST,), HOST),
]
HOSTS = [HOST, "127.0.0.1", "2001:db8::7", "under_score.example.com"]


def _name(text: str) -> x509.DNSName | x509.IPAddress:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _signed(issuer: Issuer, key: ec.EllipticCurvePublicKey, *instead: x509.ExtensionType) -> x509.Certificate:
    """Sign what is like a good certificate but for some extensions."""
    good = issuer.certify(key)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, secrets.token_hex(4))]))
        .issuer_name(good.issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(good.not_valid_before_utc)
        .not_valid_after(good.not_valid_after_utc)
    )
    values = {extension.oid: extension.value for extension in good.extensions}
    critical = {extension.oid for extension in good.extensions if extension.critical}
    for oid, value in (values | {value.oid: value for value in instead}).items():
        made = made.add_extension(value, critical=oid in critical)
    return made.sign(issuer.key, hashes.SHA256())


@dataclass(frozen=True)
class Chain:
    """A server's certificates, with the key of the first."""

    certificates: tuple[x509.Certificate, ...]
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def misusing(cls, issuer: Issuer, names: tuple[str, ...]) -> Chain:
        """Have certificates for other names."""
        key = ec.generate_private_key(ec.SECP256R1())
        names_of = x509.SubjectAlternativeName([_name(name) for name in names])
        return cls((_signed(issuer, key.public_key(), names_of),), key)

    @classmethod
    def behind(cls, issuer: Issuer, name: str) -> Chain:
        """Have a certificate of an authority that the authority has signed."""
        between = ec.generate_private_key(ec.SECP256R1())
        certificate = _signed(
            issuer,
            between.public_key(),
            x509.BasicConstraints(ca=True, path_length=None),
            issuer.certificate.extensions.get_extension_for_class(x509.KeyUsage).value,
            x509.SubjectKeyIdentifier.from_public_key(between.public_key()),
        )
        below = cls.misusing(Issuer(host=name, certificate=certificate, key=between), (name,))
        return cls((*below.certificates, certificate), below.key)

    def context(self, directory: Path) -> ssl.SSLContext:
        """Return how a server shows them."""
        pem = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file = directory / "chain.pem"
        file.write_bytes(_pem(*self.certificates) + pem)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


def _pem(*certificates: x509.Certificate) -> bytes:
    return b"".join(certificate.public_bytes(Encoding.PEM) for certificate in certificates)


def _python_says(ca: bytes, server: ssl.SSLContext, host: str) -> str:
    """Shake hands in memory, as strictly as Python 3.13 does, and return what its client says."""
    client = ssl.create_default_context(cadata=ca.decode())
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(back, there, server_hostname=host)
    theirs = server.wrap_bio(there, back, server_side=True)
    for _ in range(4):
        for side in (ours, theirs):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                pass
            except ssl.SSLCertVerificationError as err:
                return err.verify_message
    assert ours.version() == "TLSv1.3"
    return "accepted"


def _openssl_says(directory: Path, ca: bytes, chain: Chain, host: str) -> str:
    """Return what ``openssl verify`` says, as strictly as it can."""
    for name, content in (
        ("ca", ca),
        ("leaf", _pem(chain.certificates[0])),
        ("rest", _pem(*chain.certificates[1:])),
    ):
        (directory / f"{name}.pem").write_bytes(content)
    files = ["-CAfile", "ca.pem", *(["-untrusted", "rest.pem"] if chain.certificates[1:] else []), "leaf.pem"]
    asked = ["-verify_ip" if isinstance(_name(host), x509.IPAddress) else "-verify_hostname", host]
    run = subprocess.run(
        ["openssl", "verify", "-x509_strict", "-purpose", "sslserver", *asked, *files],
        cwd=directory,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.returncode == 0) == ("leaf.pem: OK" in run.stdout)
    return "accepted" if run.returncode == 0 else run.stderr


def _origin(host: str) -> str:
    return f"https://[{host}]" if ":" in host else f"https://{host}"


def _of_run(
    certificate: x509.Certificate, context: ssl.SSLContext, host: str, directory: Path
) -> RunAuthority:
    ca_file = directory / "ca-file.pem"
    ca_file.write_bytes(_pem(certificate))
    return RunAuthority(ca_file=ca_file, contexts={host: context})


@pytest.mark.parametrize("host", HOSTS)
def test_python_accepts_what_is_made_for_its_host(tmp_path: Path, host: str) -> None:
    authority = make_authority([f"{_origin(host)}:8443"], tmp_path)
    context = authority.context_for(_origin(host))
    assert context is not None
    assert _python_says(authority.ca_file.read_bytes(), context, host) == "accepted"


@pytest.mark.parametrize("misuse", MISUSES, ids=str)
def test_python_says_no(tmp_path: Path, misuse: Misuse) -> None:
    issuer = Issuer.new(misuse.host)
    context = Chain.misusing(issuer, misuse.names).context(tmp_path)
    said = _python_says(_pem(issuer.certificate), context, misuse.asked)
    assert said in {"permitted subtree violation", "excluded subtree violation"}


def test_nobody_signs_for_an_authority(tmp_path: Path) -> None:
    issuer = Issuer.new(HOST)
    context = Chain.behind(issuer, HOST).context(tmp_path)
    assert _python_says(_pem(issuer.certificate), context, HOST) == "path length constraint exceeded"


@pytest.mark.parametrize(
    "name",
    [
        x509.RFC822Name(f"somebody@{HOST}"),
        x509.UniformResourceIdentifier(f"https://{HOST}/"),
    ],
    ids=str,
)
def test_other_kinds_of_names_are_excluded_too(tmp_path: Path, name: x509.GeneralName) -> None:
    issuer, key = Issuer.new(HOST), ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName([x509.DNSName(HOST), name])
    chain = Chain((_signed(issuer, key.public_key(), names),), key)
    said = _python_says(_pem(issuer.certificate), chain.context(tmp_path), HOST)
    assert said == "permitted subtree violation"


def test_hosts_below_each_other_each_have_an_authority(tmp_path: Path) -> None:
    hosts = [
        "example.com",
        "api.example.com",
        "v1.api.example.com",
        *(f"h{n}.example.org" for n in range(40)),
    ]
    authority = make_authority([*map(_origin, hosts), "http://127.0.0.1:8080"], tmp_path)
    assert sorted(authority.contexts) == sorted(hosts)
    for host in hosts[:4]:
        assert _python_says(authority.ca_file.read_bytes(), authority.contexts[host], host) == "accepted"


def test_where_nothing_speaks_tls_nothing_is_trusted(tmp_path: Path) -> None:
    """An empty file could be taken for a mistake, by a tool that then trusts the world."""
    authority = make_authority(["http://127.0.0.1:8080"], tmp_path)
    (certificate,) = x509.load_pem_x509_certificates(authority.ca_file.read_bytes())
    constraints = certificate.extensions.get_extension_for_class(x509.NameConstraints).value
    assert x509.DNSName("index.pip-warden.invalid") in (constraints.permitted_subtrees or [])
    assert authority.context_for("http://127.0.0.1:8080") is None


@pytest.mark.parametrize("host", ["a..b", "-a.example", "gitlab.example.com.", "127.1", "0x7f.1", "a" * 64])
def test_a_host_that_no_certificate_can_name_has_no_authority(tmp_path: Path, host: str) -> None:
    """It must not spoil those of the others: some refuse all certificates for one malformed name."""
    authority = make_authority([_origin(host), _origin(HOST)], tmp_path)
    assert list(authority.contexts) == [HOST]
    assert authority.context_for(_origin(host)) is None


def test_only_origins_are_taken(tmp_path: Path) -> None:
    with pytest.raises(NetworkError) as caught:
        make_authority(["https://a@evil.example.com"], tmp_path)
    assert caught.value.code == "insecure-url"
    assert list(tmp_path.iterdir()) == []


def test_what_the_certificates_say(tmp_path: Path) -> None:
    issuer, key = Issuer.new(HOST), ec.generate_private_key(ec.SECP256R1())
    leaf = issuer.certify(key.public_key())
    now = datetime.now(UTC)
    for certificate in (issuer.certificate, leaf):
        assert timedelta(minutes=59) < now - certificate.not_valid_before_utc < timedelta(minutes=62)
        assert timedelta(hours=23) < certificate.not_valid_after_utc - now <= timedelta(hours=24)
    critical = {extension.oid for extension in issuer.certificate.extensions if extension.critical}
    assert critical == {x509.BasicConstraints.oid, x509.KeyUsage.oid, x509.NameConstraints.oid}
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert list(names) == [x509.DNSName(HOST)]
    authority = make_authority([_origin(HOST)], tmp_path)
    assert authority.environment() == dict.fromkeys(
        ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT"), str(tmp_path / "run-ca.pem")
    )
    assert "key" not in repr(issuer) + repr(authority)


def test_the_servers_key_is_on_the_disk_encrypted_and_for_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []
    load = ssl.SSLContext.load_cert_chain

    def watched(self: ssl.SSLContext, certfile: Path, **more: bytes) -> None:
        seen.append((certfile.read_bytes(), certfile.stat().st_mode & 0o777, certfile.parent))
        load(self, certfile, **more)

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", watched)
    authority = make_authority([_origin(HOST), "https://127.0.0.1:8443"], tmp_path)
    assert list(tmp_path.iterdir()) == [authority.ca_file]
    assert b"PRIVATE" not in authority.ca_file.read_bytes()
    assert len(seen) == 2
    for content, mode, directory in seen:
        assert (mode, directory) == (0o600, tmp_path)
        assert content.count(b"-----BEGIN ENCRYPTED PRIVATE KEY-----") == content.count(b"PRIVATE") // 2 == 1
        with pytest.raises(TypeError, match="encrypted"):
            load_pem_private_key(content[content.index(b"-----BEGIN ENCRYPTED") :], None)


def test_a_key_that_cannot_be_loaded_is_gone_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_arguments: object, **_more: object) -> None:
        raise OSError("no")

    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", fails)
    with pytest.raises(OSError, match="no"):
        make_authority([_origin(HOST)], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_outside_of_the_run_nobody_trusts_it(tmp_path: Path) -> None:
    authority = make_authority([_origin(HOST)], tmp_path)
    of_another_run = _pem(Issuer.new(HOST).certificate)
    assert _python_says(of_another_run, authority.contexts[HOST], HOST) != "accepted"
    assert not set(authority.environment().values()) & set(os.environ.values())


@pytest.mark.interop
@pytest.mark.parametrize("host", HOSTS)
def test_openssl_accepts(tmp_path: Path, host: str) -> None:
    issuer = Issuer.new(host)
    chain = Chain.misusing(issuer, (host,))
    assert _openssl_says(tmp_path, _pem(issuer.certificate), chain, host) == "accepted"


@pytest.mark.interop
@pytest.mark.parametrize("misuse", MISUSES, ids=str)
def test_openssl_says_no(tmp_path: Path, misuse: Misuse) -> None:
    issuer = Issuer.new(misuse.host)
    chain = Chain.misusing(issuer, misuse.names)
    assert "subtree violation" in _openssl_says(tmp_path, _pem(issuer.certificate), chain, misuse.asked)


@pytest.mark.interop
def test_openssl_knows_no_authority_below_it(tmp_path: Path) -> None:
    issuer = Issuer.new(HOST)
    said = _openssl_says(tmp_path, _pem(issuer.certificate), Chain.behind(issuer, HOST), HOST)
    assert "path length constraint exceeded" in said


@dataclass
class Attempt:
    """What came of it that a tool was to install from ``https://HOST/simple/``.

    Attributes:
        code: The tool's exit code.
        said: What it printed.
        asked: What it asked the registry for.
        mistrusts: What the server noticed.
    """

    code: int
    said: str
    asked: list[str]
    mistrusts: tuple[str, ...]


def _command(tool: str, index: str, target: Path) -> list[str]:
    if tool == "uv":
        words = ["pip", "install", "--python", sys.executable, "--target", str(target)]
        return [str(UV), *words, "--index-url", index, "acme"]
    words = ["-m", "pip", "--isolated", "install", "--retries", "0", "--target", str(target)]
    return [sys.executable, "-I", *words, "--index-url", index, "acme"]


def _attempt(tool: str, directory: Path, authority: RunAuthority, host: str) -> Attempt:
    origin = _origin(host)
    registries = Registries(frozenset({origin}), directory)
    private = directory / "child"
    private.mkdir()
    with TunnelServer(registries, authority) as server:
        environment = child_environment({"PATH": os.defpath}, proxy_url=server.proxy_url, private=private)
        # pip takes its certificates from the command line alone where it is isolated.
        command = _command(tool, f"{origin}/simple/", directory / "target")
        command += ["--cert", str(authority.ca_file)] if tool == "pip" else []
        run = subprocess.run(
            command,
            env=environment | authority.environment() | {"UV_HTTP_RETRIES": "0"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
    assert server.strays == ()
    return Attempt(run.returncode, run.stdout, registries.asked, server.mistrusts)


@pytest.mark.parametrize(
    ("tool", "host"),
    [
        ("uv", HOST),
        ("pip", HOST),
        *(
            pytest.param(tool, host, marks=pytest.mark.interop)
            for tool in ("uv", "pip")
            for host in HOSTS[1:]
            # uv 0.13.9 speaks TLS with no IPv6 address through a proxy ("Invalid Server Name").
            if tool == "pip" or ":" not in host
        ),
    ],
)
def test_tools_accept(tmp_path: Path, tool: str, host: str) -> None:
    attempt = _attempt(tool, tmp_path, make_authority([_origin(host)], tmp_path), host)
    assert attempt.code == 0, attempt.said
    assert (tmp_path / "target" / "acme.py").exists()
    assert attempt.mistrusts == ()


@pytest.mark.parametrize(
    ("tool", "misuse"),
    [
        ("uv", MISUSES[0]),
        *(
            pytest.param(tool, misuse, marks=pytest.mark.interop)
            for tool, misuses in (("uv", MISUSES), ("pip", MISUSES[::3]))
            for misuse in misuses
            if tool == "pip" or ":" not in misuse.asked
        ),
    ],
    ids=str,
)
def test_tools_say_no(tmp_path: Path, tool: str, misuse: Misuse) -> None:
    issuer = Issuer.new(misuse.host)
    context = Chain.misusing(issuer, misuse.names).context(tmp_path)
    authority = _of_run(issuer.certificate, context, misuse.asked, tmp_path)
    attempt = _attempt(tool, tmp_path, authority, misuse.asked)
    assert attempt.code != 0
    assert attempt.asked == []
    assert attempt.mistrusts == (
        f"{_origin(misuse.asked)}, by {'uv/0.13.9' if tool == 'uv' else 'a client'}",
    )


@pytest.mark.interop
@pytest.mark.parametrize(("tool", "host"), [("uv", f"sub.{HOST}"), ("pip", f"sub.{HOST}"), ("pip", HOST)])
def test_tools_take_nothing_from_an_authority_below_it(tmp_path: Path, tool: str, host: str) -> None:
    """webpki, uv's, reads no path length of what it is told to trust; the constraints it does."""
    issuer = Issuer.new(HOST)
    context = Chain.behind(issuer, host).context(tmp_path)
    attempt = _attempt(tool, tmp_path, _of_run(issuer.certificate, context, host, tmp_path), host)
    assert (attempt.code != 0, attempt.asked) == (True, [])


@pytest.mark.interop
def test_a_tool_that_does_not_read_the_variables_gets_nothing(tmp_path: Path) -> None:
    authority = make_authority([_origin(HOST)], tmp_path)
    other = RunAuthority(ca_file=tmp_path / "none.pem", contexts=authority.contexts)
    other.ca_file.write_bytes(_pem(Issuer.new(HOST).certificate))
    attempt = _attempt("uv", tmp_path, other, HOST)
    assert (attempt.code != 0, attempt.asked, len(attempt.mistrusts)) == (True, [], 1)
