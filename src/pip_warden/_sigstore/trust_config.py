"""Reads the trusted root of a Sigstore client trust config, or the public-good instance's."""

from __future__ import annotations

import json

from pip_warden._sigstore.root import Root, load_root
from pip_warden._sigstore.tuf import fetch_public_good_root
from pip_warden.errors import TrustRootError, UsageError
from pip_warden.strict_json import MalformedError, loads_object

_LARGEST = 8 << 20


def root_of_trust_config(trust_config: bytes | None) -> Root:
    """Return the trusted root that signatures of a Sigstore instance verify under.

    Args:
        trust_config: A client trust config as JSON; None for the public-good instance, fetched by TUF.

    Raises:
        UsageError: ``bad-trust-config``.
        TrustRootError: The trusted root in it cannot be used, or TUF failed.
    """
    if trust_config is None:
        return load_root(_public_good())
    try:
        config = loads_object(trust_config, max_bytes=_LARGEST)
    except MalformedError as err:
        raise UsageError("bad-trust-config", f"expected a Sigstore client trust config, found {err}") from err
    root = config.get("trustedRoot")
    if not isinstance(root, dict):
        raise UsageError(
            "bad-trust-config",
            "expected a Sigstore client trust config with its trustedRoot, found none in it",
            hint="A trusted root alone is no trust config.",
        )
    return load_root(json.dumps(root).encode())


def _public_good() -> bytes:
    try:
        return fetch_public_good_root()
    except TrustRootError as err:
        if err.code != "tuf-failed":
            raise
        hint = (
            "Try again. If another Sigstore signed, name it: `--trust-config FILE`, as for `pip-warden sign`."
        )
        raise TrustRootError(err.code, err.message, hint=hint) from err
