"""A detached pair needs a response of Rekor, once. If it is down, slow or faulty, nothing is decided.

A bundle does not need it.
"""

from __future__ import annotations

import json
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from interop.clients import Bench, Evidence, by_warden, cosign_pair, cosign_sign
from interop.stack import services, supervisor
from interop.stack.places import HOST, TRUST, Port
from pip_warden.sandbox import Sandbox

pytestmark = pytest.mark.interop


@pytest.fixture
def bench(gitlab: Sandbox, tmp_path: Path) -> Bench:
    return Bench.of(gitlab, tmp_path)


def _verify(bench: Bench, evidence: Evidence, root: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return by_warden(replace(bench, root=root), evidence, *more)


@contextmanager
def _without_rekor() -> Iterator[None]:
    supervisor.stop("rekor-v1")
    try:
        yield
    finally:
        supervisor.start(services.rekor_v1())


def _root_with(bench: Bench, url: str) -> Path:
    """Write the stack's trusted root with Rekor v1 at another address."""
    root = json.loads((TRUST / "trusted_root.json").read_bytes())
    for log in root["tlogs"]:
        log["baseUrl"] = url if log["baseUrl"] == Port.REKOR1.url else log["baseUrl"]
    path = bench.path("elsewhere.json")
    path.write_text(json.dumps(root), encoding="utf-8")
    return path


def test_while_rekor_is_down_a_pair_is_undecided_and_a_bundle_verifies(bench: Bench) -> None:
    pair, bundle = cosign_pair(bench, "v1"), cosign_sign(bench, "v1")
    root = TRUST / "trusted_root.json"
    with _without_rekor():
        undecided = _verify(bench, pair, root, "--retries=0")
        meanwhile = _verify(bench, bundle, root, "--retries=0")
    again = _verify(bench, pair, root)

    assert (undecided.returncode, meanwhile.returncode, again.returncode) == (3, 0, 0), undecided.stderr
    assert "[unreachable]" in undecided.stdout + undecided.stderr
    assert Port.REKOR1.url in undecided.stdout + undecided.stderr


Answer = Callable[[BaseHTTPRequestHandler], None]


def _says(status: int, body: bytes, kind: str = "application/json") -> Answer:
    def answer(request: BaseHTTPRequestHandler) -> None:
        request.send_response(status)
        request.send_header("Content-Type", kind)
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    return answer


def _breaks_off(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n[{"
    )
    request.close_connection = True


GARBAGE: dict[str, Answer] = {
    "a page": _says(200, b"<html>welcome to the hotel</html>", "text/html"),
    "nothing": _says(200, b""),
    "null": _says(200, b"null"),
    "a number": _says(200, b"7"),
    "an object": _says(200, b"{}"),
    "an entry without a proof": _says(200, b'[{"108e": {"body": "e30=", "logIndex": 1}}]'),
    "half an answer": _breaks_off,
    "a failure": _says(500, b'{"code": 500, "message": "trillian is away"}'),
    "a gateway's failure": _says(502, b"<html>bad gateway</html>", "text/html"),
    "a proxy's refusal": _says(403, b"<html>no</html>", "text/html"),
    "a proxy's 400": _says(400, b"<html>bad request</html>", "text/html"),
    "a redirect to nowhere": _says(302, b""),
}


@contextmanager
def _impostor(answer: Answer) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            answer(self)

        def log_message(self, *_: object) -> None:  # quiet
            return

    with ThreadingHTTPServer((HOST, 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{HOST}:{server.server_address[1]}"
        server.shutdown()


def test_nonsense_from_rekor_leaves_a_pair_undecided(bench: Bench) -> None:
    pair, bundle = cosign_pair(bench, "v1"), cosign_sign(bench, "v1")
    found = {}
    for name, answer in GARBAGE.items():
        with _impostor(answer) as url:
            root = _root_with(bench, url)
            done = _verify(bench, pair, root, "--retries=0")
            meanwhile = _verify(bench, bundle, root, "--retries=0")
        said = done.stdout + done.stderr
        found[name] = (done.returncode, url in said, "Traceback" in said, meanwhile.returncode)

    assert found == dict.fromkeys(GARBAGE, (3, True, False, 0))


def test_a_rekor_that_never_answers_leaves_a_pair_undecided(bench: Bench) -> None:
    pair = cosign_pair(bench, "v1")
    with socket.create_server((HOST, 0)) as silent:  # accepts connections, and nothing more
        root = _root_with(bench, f"http://{HOST}:{silent.getsockname()[1]}")
        done = _verify(bench, pair, root, "--retries=0", "--timeout=1")

    assert done.returncode == 3, done.stdout + done.stderr
    assert "[timed-out]" in done.stdout + done.stderr


def test_a_pair_that_was_verified_once_verifies_offline(bench: Bench) -> None:
    pair, root = cosign_pair(bench, "v1"), TRUST / "trusted_root.json"
    never = _verify(bench, pair, root, "--offline")
    once = _verify(bench, pair, root)
    with _without_rekor():
        later = _verify(bench, pair, root, "--offline")

    assert (never.returncode, once.returncode, later.returncode) == (3, 0, 0), never.stderr + later.stderr
