"""Sends the loopback server requests that HTTP clients would tidy up."""

from __future__ import annotations

import base64
import socket
from urllib.parse import urlsplit

from installers.witness import LONGEST_WAIT
from pip_warden.installer.gate_port import HOST
from pip_warden.installer.server import Server


def ask(
    server: Server,
    target: str,
    *headers: str,
    method: str = "GET",
    password: str | None = None,
    body: bytes = b"",
) -> tuple[int, dict[str, str], bytes]:
    """Send a request unchanged: HTTP clients normalise what a test needs irregular."""
    parts = urlsplit(server.proxy_url)
    if password is None:
        token = base64.b64encode(f"{parts.username}:{parts.password}".encode()).decode()
        password = f"Proxy-Authorization: Basic {token}"
    lines = [f"{method} {target} HTTP/1.1", f"Host: {HOST}", "Connection: close", *headers]
    lines += [password] if password else []
    with socket.create_connection(("127.0.0.1", parts.port or 0), timeout=LONGEST_WAIT) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        raw = b""
        while chunk := connection.recv(65536):
            raw += chunk
    head, _, content = raw.partition(b"\r\n\r\n")
    status, *fields = head.decode("latin-1").split("\r\n")
    return (
        int(status.split()[1]),
        {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in fields)},
        content,
    )
