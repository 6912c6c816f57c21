"""Paths and ports: tools in a cache that outlives runs, state that does not, ports on loopback."""

from __future__ import annotations

import os
from enum import IntEnum
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
CACHE = Path(os.environ.get("INTEROP_CACHE") or ROOT / ".cache").resolve()
BIN = CACHE / "bin"
FILES = CACHE / "files"
NODE = CACHE / "node_modules" / ".bin"
PYTHON = CACHE / "python"
STATE = CACHE / "stack"
KEYS, LOGS, PIDS, TRUST = (STATE / name for name in ("keys", "logs", "pids", "trust"))
HOST = "127.0.0.1"


class Port(IntEnum):
    """Every port; those of the second Rekors are for tests that need an empty log."""

    MYSQL = 17306
    TRILLIAN = 17090
    TRILLIAN_HTTP = 17091
    SIGNER = 17190
    SIGNER_HTTP = 17191
    CT = 17962
    GITLAB = 17080
    FULCIO = 17555
    FULCIO_GRPC = 17554
    FULCIO_METRICS = 17213
    REKOR1 = 17302
    REKOR2 = 17303
    REKOR2_GRPC = 17301
    REKOR2_METRICS = 17214
    TSA = 17304
    TUF = 17305
    FRESH_REKOR1 = 17402
    FRESH_REKOR2 = 17403
    FRESH_REKOR2_GRPC = 17401
    FRESH_REKOR2_METRICS = 17215
    DISTRIBUTION = 17500
    DISTRIBUTION_HEALTH = 17501
    GGCR = 17502

    @property
    def url(self) -> str:
        """Return the origin at this port."""
        return f"http://{HOST}:{self.value}"
