"""Registries that exist in the loopback server alone, for tests of what leads to them."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from installers.fake_backend import FakeBackend, wheel
from installers.witness import LONGEST_WAIT
from pip_warden.installer.authority import RunAuthority
from pip_warden.installer.connection import Request, Response
from pip_warden.installer.server import Server

FILE = "acme-1.0-py3-none-any.whl"
CONTENT = wheel("acme", "1.0")
PAGE = f'<!DOCTYPE html><a href="/files/{FILE}#sha256={hashlib.sha256(CONTENT).hexdigest()}">{FILE}</a>'


@dataclass
class Registries:
    """Has one project at each of its origins."""

    origins: frozenset[str]
    directory: Path
    asked: list[str] = field(default_factory=list)
    long: int = 0

    def has(self, url: str) -> bool:
        return any(url.startswith(f"{origin}/") for origin in self.origins)

    def answer(self, request: Request) -> Response | None:
        self.asked.append(f"{request.method} {request.url}")
        path = urlsplit(request.url).path
        if path == "/simple/acme/":
            return Response(content=PAGE.encode(), media_type="text/html; charset=utf-8")
        if path == f"/files/{FILE}":
            file = self.directory / FILE
            file.write_bytes(CONTENT)
            if self.long:
                os.truncate(file, self.long)
            return Response(file=file.open("rb"), media_type="application/octet-stream")
        return None


class TunnelServer(Server):
    """A server that answers what comes through a tunnel from registries like these."""

    def __init__(
        self,
        registries: Registries,
        authority: RunAuthority | None,
        *,
        on_denial: Callable[[], None] = lambda: None,
    ) -> None:
        backend = FakeBackend(registries.directory)
        super().__init__(backend, on_denial=on_denial, registries=registries, authority=authority)
        self._fake = registries

    def answer(self, request: Request, body: bytes) -> Response:
        if not request.origin:
            return super().answer(request, body)
        return self._fake.answer(request) or Response(status=404, media_type="text/plain")


def wait_for_threads() -> None:
    """Wait until each connection of servers that have ended is dealt with."""
    for thread in threading.enumerate():
        if thread.name.startswith("loopback-"):
            thread.join(LONGEST_WAIT)
            assert not thread.is_alive()
