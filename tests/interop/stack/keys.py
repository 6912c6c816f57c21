"""Keys and certificates of the stack, made once. They protect nothing: it is a throw-away on loopback."""

from __future__ import annotations

from pathlib import Path

from interop.stack.operated import ran
from interop.stack.places import STATE


def make(state: Path) -> None:
    """Write keys and chains, once: ``ca``, ``ct``, ``rekor1``, ``rekor2``, ``tsa`` below ``keys``."""
    if not (state / "keys" / "complete").exists():
        ran("keys", state=state)


def password(name: str) -> bytes:
    """Return the password of one of the stack's keys: ``ca`` and ``ct`` have one."""
    return (STATE / "secrets" / name).read_bytes().strip()
