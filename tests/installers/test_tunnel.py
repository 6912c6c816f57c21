"""Tunnels to registries: with the password, to known origins, and with TLS that the server ends."""

from __future__ import annotations

import base64
import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from installers.registries import CONTENT, FILE, Registries, TunnelServer, wait_for_threads
from installers.witness import LONGEST_WAIT
from pip_warden.errors import RefusedError
from pip_warden.installer import tunnel as tunnel_module
from pip_warden.installer.authority import RunAuthority, make_authority
from pip_warden.installer.connection import Request
from pip_warden.installer.tunnel import asked_origin, is_for

HOST = "gitlab.example.com"
_SOON = 5.0
"""Seconds: less than a handshake has, and more than anything here takes."""

ORIGIN, OTHER, ADDRESS = f"https://{HOST}", "https://pypi.example.org:8443", "https://203.0.113.7"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> RunAuthority:
    return make_authority([ORIGIN, OTHER, ADDRESS], tmp_path_factory.mktemp("authority"))


@pytest.fixture
def registries(tmp_path: Path) -> Registries:
    return Registries(frozenset({ORIGIN, OTHER, ADDRESS}), tmp_path)


@pytest.fixture
def server(registries: Registries, authority: RunAuthority) -> Iterator[TunnelServer]:
    with TunnelServer(registries, authority) as made:
        yield made
    wait_for_threads()


def _password(server: TunnelServer) -> str:
    parts = urlsplit(server.proxy_url)
    token = base64.b64encode(f"{parts.username}:{parts.password}".encode()).decode()
    return f"Proxy-Authorization: Basic {token}"


def _connect(server: TunnelServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", urlsplit(server.proxy_url).port or 0), timeout=LONGEST_WAIT)


def _lines(*lines: str) -> bytes:
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def _head(stream: socket.socket) -> bytes:
    """Read the head of an answer, and nothing that follows."""
    raw = b""
    while not raw.endswith(b"\r\n\r\n") and (byte := stream.recv(1)):
        raw += byte
    return raw


def _rest(stream: socket.socket) -> bytes:
    raw = b""
    with contextlib.suppress(ConnectionResetError):
        while chunk := stream.recv(1 << 16):
            raw += chunk
    return raw


def _opened(server: TunnelServer, target: str = f"{HOST}:443") -> socket.socket:
    """Return a connection of which TLS is expected next."""
    stream = _connect(server)
    stream.sendall(_lines(f"CONNECT {target} HTTP/1.1", f"Host: {target}", _password(server)))
    assert _head(stream) == b"HTTP/1.1 200 Connection established\r\n\r\n"
    return stream


def _trusting(authority: RunAuthority) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(authority.ca_file))
    context.set_alpn_protocols(["h2", "http/1.1"])
    return context


def _entered(
    server: TunnelServer, authority: RunAuthority, target: str = f"{HOST}:443", name: str = HOST
) -> ssl.SSLSocket:
    return _trusting(authority).wrap_socket(_opened(server, target), server_hostname=name)


def _asked(stream: socket.socket, *lines: str) -> tuple[int, bytes]:
    """Send a request on a connection that stays open; return status and content."""
    stream.sendall(_lines(*lines))
    head = _head(stream)
    length = next(
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    )
    content = b""
    while len(content) < length and (chunk := stream.recv(length - len(content))):
        content += chunk
    return int(head.split()[1]), content


def test_one_tunnel_serves_request_after_request(
    server: TunnelServer, registries: Registries, authority: RunAuthority
) -> None:
    with _entered(server, authority) as stream:
        assert (stream.version(), stream.selected_alpn_protocol()) == ("TLSv1.3", "http/1.1")
        assert _asked(stream, "GET /simple/acme/ HTTP/1.1", f"Host: {HOST}")[0] == 200
        file = f"GET /files/{FILE} HTTP/1.1", f"Host: {HOST}:443"
        assert _asked(stream, *file) == (200, CONTENT)
        assert _asked(stream, *file, "Range: bytes=2-5") == (206, CONTENT[2:6])
        assert _asked(stream, f"GET {ORIGIN}/nothing HTTP/1.1", "Host: GitLab.Example.com")[0] == 404
        stream.sendall(_lines(*file, "Connection: close"))
        assert _rest(stream).endswith(CONTENT)  # with a goodbye of TLS: else it would be an error
    assert registries.asked[0] == f"GET {ORIGIN}/simple/acme/"
    assert registries.asked[3] == f"GET {ORIGIN}/nothing"
    assert (server.strays, server.mistrusts) == ((), ())


@pytest.mark.parametrize(
    ("target", "name", "host"),
    [
        ("pypi.example.org:8443", "pypi.example.org", "pypi.example.org:8443"),
        ("PyPI.example.ORG:8443", "pypi.example.org", "pypi.example.org:8443"),
        ("203.0.113.7:443", "203.0.113.7", "203.0.113.7"),
    ],
)
def test_each_origin_has_its_certificate(
    server: TunnelServer, registries: Registries, authority: RunAuthority, target: str, name: str, host: str
) -> None:
    with _entered(server, authority, target, name) as stream:
        assert _asked(stream, "GET /simple/acme/ HTTP/1.1", f"Host: {host}")[0] == 200
    assert registries.asked == [f"GET https://{host}/simple/acme/"]


def test_http_1_0_opens_a_tunnel_too(server: TunnelServer, authority: RunAuthority) -> None:
    """Python's own client does so before 3.12."""
    with _connect(server) as stream:
        stream.sendall(_lines(f"CONNECT {HOST}:443 HTTP/1.0", _password(server)))
        assert _head(stream).startswith(b"HTTP/1.1 200 ")
        with _trusting(authority).wrap_socket(stream, server_hostname=HOST) as inside:
            assert _asked(inside, "GET /simple/acme/ HTTP/1.1", f"Host: {HOST}")[0] == 200


@pytest.mark.parametrize("password", ["", "Proxy-Authorization: Basic eDp5", "Authorization: Basic eDp5"])
def test_without_the_password_there_is_no_tunnel(server: TunnelServer, password: str) -> None:
    with _connect(server) as stream:
        lines = [f"CONNECT {HOST}:443 HTTP/1.1", f"Host: {HOST}:443", *([password] if password else [])]
        assert _asked(stream, *lines)[0] == 407
        # It may be asked for again, on the same connection.
        stream.sendall(_lines(f"CONNECT {HOST}:443 HTTP/1.1", f"Host: {HOST}:443", _password(server)))
        assert _head(stream).startswith(b"HTTP/1.1 200 ")
    assert server.strays == ()


@pytest.mark.parametrize(
    "target",
    [
        "evil.example.com:443",
        f"sub.{HOST}:443",
        f"{HOST}:8443",
        f"{HOST}:80",
        f"{HOST}.:443",
        f"{HOST}",
        f"{HOST}:",
        f"{HOST}:0443",
        f"{HOST}:65979",
        f"{HOST}:+443",
        f"{HOST}:443/",
        f"{HOST}:443#a",
        f"evil.example.com:443#{HOST}:443",
        f"https://{HOST}:443",
        f"/{HOST}:443",
        "[203.0.113.7]:443",
        "[::ffff:203.0.113.7]:443",
        "3405803783:443",
        "pypi.example.org:443",
        "*",
    ],
)
def test_other_targets_are_refused_and_remembered(
    server: TunnelServer, registries: Registries, target: str
) -> None:
    with _connect(server) as stream:
        asked = _asked(stream, f"CONNECT {target} HTTP/1.1", f"Host: {HOST}:443", _password(server))
    assert (asked[0], server.strays, registries.asked) == (403, (f"CONNECT {target}",), [])


@pytest.mark.parametrize("user", ["user", "user:hunter2", "hunter2:", "a@hunter2"])
@pytest.mark.parametrize("host", [HOST, "evil.example.com"])
def test_a_user_in_a_target_is_refused_and_not_told(
    server: TunnelServer, registries: Registries, user: str, host: str
) -> None:
    """So asks urllib for ``https://user:password@host``."""
    with _connect(server) as stream:
        asked = _asked(stream, f"CONNECT {user}@{host}:443 HTTP/1.1", f"Host: {host}:443", _password(server))
    assert (asked[0], server.strays, registries.asked) == (403, (f"CONNECT ***@{host}:443",), [])


def test_without_registries_or_authority_there_is_no_tunnel(
    registries: Registries, authority: RunAuthority
) -> None:
    nothing = Registries(frozenset(), registries.directory)
    unable = RunAuthority(ca_file=authority.ca_file, contexts={})
    for answers, able in [(registries, None), (registries, unable), (nothing, authority)]:
        with TunnelServer(answers, able) as server, _connect(server) as stream:
            target = f"CONNECT {HOST}:443 HTTP/1.1", f"Host: {HOST}:443"
            assert _asked(stream, *target, _password(server))[0] == 403
        assert server.strays == (f"CONNECT {HOST}:443",)


@pytest.mark.parametrize(
    ("line", "host"),
    [
        ("GET /simple/acme/", "evil.example.com"),
        ("GET /simple/acme/", "pypi.example.org:8443"),
        ("GET /simple/acme/", f"{HOST}:8443"),
        ("GET /simple/acme/", f"sub.{HOST}"),
        ("GET /simple/acme/", f"{HOST}."),
        ("GET /simple/acme/", f"user@{HOST}"),
        ("GET /simple/acme/", f"{HOST}/"),
        ("GET /simple/acme/", ""),
        (f"GET {OTHER}/simple/acme/", HOST),
        (f"GET http://{HOST}/simple/acme/", HOST),
        (f"GET {ORIGIN}.evil.example.com/simple/acme/", HOST),
        (f"GET {ORIGIN}@evil.example.com/simple/acme/", HOST),
        ("GET http://index.pip-warden.invalid/simple/acme/", "index.pip-warden.invalid"),
        ("POST http://index.pip-warden.invalid/run/plan", HOST),
        ("OPTIONS *", HOST),
        (f"CONNECT {HOST}:443", f"{HOST}:443"),
        ("CONNECT pypi.example.org:8443", HOST),
    ],
)
def test_what_is_for_another_origin_ends_the_tunnel(
    server: TunnelServer, registries: Registries, authority: RunAuthority, line: str, host: str
) -> None:
    with _entered(server, authority) as stream:
        stream.sendall(_lines(f"{line} HTTP/1.1", f"Host: {host}", _password(server), "Connection: close"))
        assert _rest(stream).split(b" ")[1] == b"421"
    assert (registries.asked, server.strays) == ([], ())


def test_who_names_no_host_ends_the_tunnel(server: TunnelServer, authority: RunAuthority) -> None:
    with _entered(server, authority) as stream:
        stream.sendall(_lines("GET /simple/acme/ HTTP/1.0"))
        assert _rest(stream).split(b" ")[1] == b"421"


def test_who_asks_for_another_host_gets_no_certificate(
    server: TunnelServer, registries: Registries, authority: RunAuthority
) -> None:
    with _opened(server) as stream, pytest.raises(ssl.SSLError, match=r"(?i)unrecognized.name"):
        _trusting(authority).wrap_socket(stream, server_hostname="pypi.example.org")
    assert registries.asked == []


def test_who_asks_for_no_host_gets_the_tunnels(server: TunnelServer, authority: RunAuthority) -> None:
    context = _trusting(authority)
    context.check_hostname = False
    with context.wrap_socket(_opened(server)) as stream:
        assert stream.getpeercert()["subjectAltName"] == (("DNS", HOST),)  # type: ignore[index]


def test_old_tls_is_not_spoken(server: TunnelServer, authority: RunAuthority) -> None:
    context = _trusting(authority)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    with _opened(server) as stream, pytest.raises(ssl.SSLError):
        context.wrap_socket(stream, server_hostname=HOST)


def test_tls_1_2_is_spoken(server: TunnelServer, authority: RunAuthority) -> None:
    context = _trusting(authority)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    with context.wrap_socket(_opened(server), server_hostname=HOST) as stream:
        assert _asked(stream, "GET /simple/acme/ HTTP/1.1", f"Host: {HOST}")[0] == 200


def test_who_does_not_trust_the_run_is_named_once(
    server: TunnelServer, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(2):
        with _connect(server) as stream:
            target = f"CONNECT {HOST}:443 HTTP/1.1", f"Host: {HOST}:443", "User-Agent: uv/0.13.9 {}"
            stream.sendall(_lines(*target, _password(server)))
            assert _head(stream).startswith(b"HTTP/1.1 200 ")
            context = ssl.create_default_context()
            with pytest.raises(ssl.SSLCertVerificationError):
                context.wrap_socket(stream, server_hostname=HOST)
    server._listener.end()
    assert server.mistrusts == (f"{ORIGIN}, by uv/0.13.9",)
    assert (server.strays, caplog.text) == ((), "")


def test_the_end_waits_for_what_a_client_says_of_the_certificate(
    server: TunnelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tool may have ended for that. Here a client says it once somebody waits for it, and no sooner."""
    begun, awaited = threading.Event(), threading.Event()

    def late(self: tunnel_module.Tunnel, _stream: ssl.SSLSocket) -> None:
        begun.set()
        assert awaited.wait(LONGEST_WAIT)
        self.on_mistrust()
        raise ssl.SSLError

    class Answering(threading.Thread):
        def join(self, timeout: float | None = None) -> None:
            awaited.set()
            super().join(timeout)

    monkeypatch.setattr(tunnel_module.Tunnel, "shake_hands", late)
    monkeypatch.setattr(threading, "Thread", Answering)
    try:
        with _opened(server):
            assert begun.wait(LONGEST_WAIT)
            awaited.clear()
            server._listener.end()
            said = server.mistrusts
    finally:
        awaited.set()
    assert said == (f"{ORIGIN}, by a client",)


@pytest.mark.parametrize("instead", [b"", b"GET /simple/acme/ HTTP/1.1\r\n\r\n", b"\x16\x03\x01\xff\xff"])
def test_what_is_no_handshake_is_no_mistrust(
    server: TunnelServer, registries: Registries, caplog: pytest.LogCaptureFixture, instead: bytes
) -> None:
    with _opened(server) as stream:
        stream.sendall(instead)
        with contextlib.suppress(OSError):  # the server may have closed it by now
            stream.shutdown(socket.SHUT_WR)
        assert CONTENT not in _rest(stream)
    assert (registries.asked, server.mistrusts, caplog.text) == ([], (), "")


def test_a_handshake_has_seconds(server: TunnelServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tunnel_module, "_LONGEST_HANDSHAKE", 0.01)
    with _opened(server) as stream:
        stream.settimeout(_SOON)
        assert _rest(stream) == b""
    assert server.mistrusts == ()


@pytest.mark.parametrize("more", [b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n"])
def test_who_does_not_wait_for_the_tunnel_gets_none(server: TunnelServer, more: bytes) -> None:
    with _connect(server) as stream:
        stream.sendall(_lines(f"CONNECT {HOST}:443 HTTP/1.1", "Host: a", _password(server)) + more)
        assert _rest(stream).startswith(b"HTTP/1.1 400 ")


def test_a_request_for_a_tunnel_has_no_content(server: TunnelServer) -> None:
    with _connect(server) as stream:
        target = f"CONNECT {HOST}:443 HTTP/1.1", "Host: a", "Content-Length: 4"
        stream.sendall(_lines(*target, _password(server)))
        assert _rest(stream).startswith(b"HTTP/1.1 400 ")


def test_after_a_denial_there_is_no_tunnel(server: TunnelServer, registries: Registries) -> None:
    server._deny(RefusedError("not-pinned", "expected a pin, found none"))
    with _connect(server) as stream:
        target = f"CONNECT {HOST}:443 HTTP/1.1", f"Host: {HOST}:443"
        asked = _asked(stream, *target, _password(server))
    assert (asked[0], b"not-pinned" in asked[1], server.strays) == (403, True, ())


def test_what_comes_through_a_tunnel_is_known(server: TunnelServer) -> None:
    """Its request had the password; nobody sends that to a registry."""
    inside = Request(method="GET", target="/", headers=(), origin=ORIGIN)
    outside = Request(method="GET", target=f"{ORIGIN}/", headers=())
    assert (server.knows(inside), server.knows(outside)) == (True, False)


@pytest.mark.parametrize("moment", ["opened", "in the handshake", "entered", "reading nothing"])
def test_the_end_of_the_run_ends_each_tunnel(
    registries: Registries, authority: RunAuthority, moment: str
) -> None:
    with TunnelServer(registries, authority) as server:
        stream = _opened(server)
        if moment == "in the handshake":
            stream.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
        elif moment != "opened":
            stream = _trusting(authority).wrap_socket(stream, server_hostname=HOST)
            assert _asked(stream, "GET /simple/acme/ HTTP/1.1", f"Host: {HOST}")[0] == 200
        if moment == "reading nothing":
            registries.long = 1 << 28
            stream.sendall(_lines(f"GET /files/{FILE} HTTP/1.1", f"Host: {HOST}"))
            assert stream.recv(1)
    wait_for_threads()
    with stream, contextlib.suppress(ssl.SSLError):
        assert len(_rest(stream)) < 1 << 28
    assert not server._listener._open


def test_a_connection_that_is_dropped_while_tls_is_put_over_it_ends(
    server: TunnelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then its old socket is empty, and the new one not known yet."""
    wrap = tunnel_module.Tunnel.wrap

    def dropping(self: tunnel_module.Tunnel, stream: socket.socket) -> ssl.SSLSocket:
        made = wrap(self, stream)
        for connection in server._listener._open:
            connection.abort()
        return made

    monkeypatch.setattr(tunnel_module.Tunnel, "wrap", dropping)
    with _opened(server) as stream:
        stream.settimeout(_SOON)
        assert _rest(stream) == b""


_HOSTS = st.one_of(
    st.sampled_from([HOST, HOST.upper(), "[::1]", "[::1", "::1", "127.0.0.1", "a b", "ü.example", "", "a@b"]),
    st.text(max_size=12),
    st.from_regex(r"[A-Za-z0-9._-]{1,12}", fullmatch=True),
)
_PORTS = st.one_of(
    st.integers(-1, 70000).map(lambda port: f":{port}"), st.sampled_from(["", ":", ":0443", ":4４3", ":443 "])
)


@given(_HOSTS, _PORTS, st.booleans())
def test_an_authority_is_an_origin_or_nothing(host: str, port: str, needs_port: bool) -> None:
    origin = asked_origin(f"{host}{port}", needs_port=needs_port)
    if origin is None:
        return
    assert port or not needs_port
    number = int(port[1:] or 0) if port else 443
    spelled = f"https://{host.lower()}{'' if number == 443 else f':{number}'}"
    assert (origin, 0 < number < 1 << 16) == (spelled, True)
    # What it is read as is read as the same again.
    assert asked_origin(origin.removeprefix("https://"), needs_port=False) == origin
    assert is_for(origin, url=f"{origin}/", host=f"{host}{port}")


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_other_origin_is_this_one(url: str, host: str) -> None:
    wanted = {HOST, f"{HOST}:443"}
    assert is_for(ORIGIN, url=f"{ORIGIN}/", host=host) == (host.lower() in wanted)
    assert is_for(ORIGIN, url=url, host=HOST) == url.startswith(f"{ORIGIN}/")
