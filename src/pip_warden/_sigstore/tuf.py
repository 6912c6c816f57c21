"""Fetches the public-good trusted root through TUF: only by an explicit command (design decision D7)."""

from __future__ import annotations

import json
from collections.abc import Callable

from sigstore.models import ClientTrustConfig

from pip_warden._sigstore.deadline import within
from pip_warden._sigstore.root import load_root
from pip_warden.display import escape_text
from pip_warden.errors import TrustRootError

_REPOSITORY = "https://tuf-repo-cdn.sigstore.dev"


def _from_tuf() -> str:
    # No public way, see below.
    return ClientTrustConfig.production().trusted_root._inner.to_json()  # noqa: SLF001


def fetch_public_good_root(*, seconds: float = 60, source: Callable[[], str] = _from_tuf) -> bytes:
    """Return the public-good Sigstore instance's trusted root, as JSON that can be stored and pinned.

    The library has no public way to write a root. Its cache file could be read again, but nothing would prove
    that these bytes are the ones that TUF verified; so the verified object itself is written, through its
    model's own serialiser. The meaning is that of TUF's target file, the bytes (and their digest) are not.

    Args:
        seconds: How long to wait; the library has no deadline of its own.
        source: Fetches, verifies and returns the root's JSON.

    Raises:
        TrustRootError: ``tuf-failed``: it could not be fetched or verified, or not in time;
            ``bad-trusted-root``: nothing can be verified with it.
    """
    try:
        found = within(seconds, source)
    except Exception as err:
        raise TrustRootError(
            "tuf-failed",
            f"expected the public-good trusted root from Sigstore's TUF repository ({_REPOSITORY}), "
            f"found: {_said(err)}",
            hint="Try again, or give a root that you have with `--trusted-root FILE`.",
        ) from err
    raw = json.dumps(json.loads(found), indent=2).encode() + b"\n"
    load_root(raw)
    return raw


def _said(err: BaseException) -> str:
    """Return what the library says, and what the system said below it, which the library leaves out."""
    said, below = str(err) or type(err).__name__, err.__cause__ or err.__context__
    why = ""
    while below is not None:
        if isinstance(below, OSError) and below.strerror:
            why = f" ({below.strerror})"
        below = below.__cause__ or below.__context__
    return escape_text(f"{said}{why}", 500)
