"""Certificate authorities: trusted instead of the usual ones, in addition to them, or not at all."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from loopback import Answer, FakeTime, Server, serve
from pip_warden.errors import NetworkError
from pip_warden.sandbox import tls
from pip_warden.transport import NetworkSettings, Transport


@pytest.fixture
def authority(tmp_path: Path) -> tuple[Path, ssl.SSLContext]:
    ca_file, files = tls.make(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    return ca_file, context


@pytest.fixture
def secure(authority: tuple[Path, ssl.SSLContext]) -> Iterator[Server]:
    with serve(tls=authority[1]) as server:
        server.routes["/a"] = Answer(body=b"ok")
        yield server


@pytest.mark.parametrize("setting", ["ca_file", "extra_ca_file"])
def test_a_private_authority_is_trusted_when_named(
    setting: str, secure: Server, authority: tuple[Path, ssl.SSLContext]
) -> None:
    ca = authority[0]
    settings = NetworkSettings(ca_file=ca) if setting == "ca_file" else NetworkSettings(extra_ca_file=ca)

    with Transport(settings) as client:
        assert client.get(secure.url + "/a", max_bytes=10).body == b"ok"


def test_a_private_authority_is_not_trusted_by_itself(secure: Server) -> None:
    time = FakeTime()
    with Transport(clock=time.clock) as client, pytest.raises(NetworkError) as caught:
        client.get(secure.url + "/a", max_bytes=10)

    assert caught.value.code == "tls-failed"
    assert "--cert" in caught.value.hint
    assert time.naps == []


def test_https_is_never_left_for_http(secure: Server, authority: tuple[Path, ssl.SSLContext]) -> None:
    with serve() as plain, Transport(NetworkSettings(ca_file=authority[0])) as client:
        secure.routes["/a"] = Answer(status=302, headers={"Location": plain.url + "/x"})
        with pytest.raises(NetworkError) as caught:
            client.get(secure.url + "/a", max_bytes=10)

        assert caught.value.code == "insecure-redirect"
        assert plain.asked == []
