"""Runs the stack as an operator is told to in ``docs/self-managed.md``: by its script, with our addresses."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from interop.stack.places import BIN, FILES, HOST, ROOT, STATE, Port
from interop.stack.supervisor import StackError

EXAMPLE = ROOT / "examples" / "self-managed"
SCRIPT = EXAMPLE / "sigstore.sh"
FRESH = STATE / "fresh"
"""The state of the second Rekors, for tests that need an empty log; they have the keys of the first."""

_STACK = {
    "GITLAB": Port.GITLAB.url,
    "ORGANIZATION": "stack",
    "FULCIO_URL": Port.FULCIO.url,
    "REKOR1_URL": Port.REKOR1.url,
    "REKOR2_URL": Port.REKOR2.url,
    "TIMESTAMPS_URL": Port.TSA.url,
    "BIN": str(BIN),
    "SCHEMA": str(FILES / "trillian.sql"),
    "HOST": HOST,
    "MYSQL_PORT": Port.MYSQL,
    "TRILLIAN_PORT": Port.TRILLIAN,
    "TRILLIAN_HTTP_PORT": Port.TRILLIAN_HTTP,
    "SIGNER_PORT": Port.SIGNER,
    "SIGNER_HTTP_PORT": Port.SIGNER_HTTP,
    "CT_PORT": Port.CT,
    "FULCIO_PORT": Port.FULCIO,
    "FULCIO_GRPC_PORT": Port.FULCIO_GRPC,
    "FULCIO_METRICS_PORT": Port.FULCIO_METRICS,
    "REKOR1_PORT": Port.REKOR1,
    "REKOR2_PORT": Port.REKOR2,
    "REKOR2_GRPC_PORT": Port.REKOR2_GRPC,
    "REKOR2_METRICS_PORT": Port.REKOR2_METRICS,
    "TIMESTAMPS_PORT": Port.TSA,
}
_FRESH = {
    "REKOR1_URL": Port.FRESH_REKOR1.url,
    "REKOR2_URL": Port.FRESH_REKOR2.url,
    "REKOR1_PORT": Port.FRESH_REKOR1,
    "REKOR2_PORT": Port.FRESH_REKOR2,
    "REKOR2_GRPC_PORT": Port.FRESH_REKOR2_GRPC,
    "REKOR2_METRICS_PORT": Port.FRESH_REKOR2_METRICS,
}


def filled(settings: str, values: Mapping[str, object]) -> str:
    """Return the example's settings with other values.

    Raises:
        StackError: They name something else than the settings do.
    """
    for name, value in values.items():
        line = re.findall(rf"(?m)^{name}=.*$", settings)
        if len(line) != 1:
            raise StackError(f"expected {name} once in the settings, found it {len(line)} times")
        settings = settings.replace(f"{line[0]}\n", f"{name}={value}\n")
    return settings


def ran(*words: str, state: Path = STATE) -> None:
    """Run one command of the script.

    Raises:
        StackError: It failed.
    """
    environment = os.environ | {"SIGSTORE_SETTINGS": str(settle(state))}
    result = subprocess.run(
        [str(SCRIPT), *words], env=environment, capture_output=True, text=True, check=False
    )
    if result.returncode:
        raise StackError(f"sigstore.sh {' '.join(words)} failed:\n{result.stdout}{result.stderr}")


def settle(state: Path) -> Path:
    """Write the settings of a state, and return their path: the script finds it in ``SIGSTORE_SETTINGS``."""
    own = (_FRESH if state == FRESH else {}) | {"DIR": str(state)}
    state.mkdir(parents=True, exist_ok=True)
    if state == FRESH:
        for name in ("keys", "secrets"):
            if not (state / name).is_symlink():
                (state / name).symlink_to(STATE / name)
    path = state / "settings"
    values = {
        name: int(value) if isinstance(value, Port) else value for name, value in (_STACK | own).items()
    }
    path.write_text(filled((EXAMPLE / "settings").read_text(encoding="utf-8"), values), encoding="utf-8")
    return path
