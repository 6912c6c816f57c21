"""Files of trusted roots: a pinned one is used only if its bytes have the pinned digest; one that the user names is there to be pinned."""

from __future__ import annotations

from pathlib import Path

from pip_warden.digests import digest_of
from pip_warden.errors import TrustRootError, UsageError
from pip_warden.trust.pins import RootPin

_LARGEST = 8 << 20  # bytes; the public-good root has about 7,000


def read_root(pin: RootPin) -> bytes:
    """Return the bytes of a trusted root; they are what was hashed, so nobody can change them in between.

    Raises:
        TrustRootError: ``trusted-root-missing``: the file that the trust file names cannot be read; ``trusted-root-digest``: its
            bytes are not those that were pinned.
    """
    try:
        with pin.path.open("rb") as stream:
            data = stream.read(_LARGEST + 1)
    except OSError as err:
        raise TrustRootError(
            "trusted-root-missing",
            f"expected the trusted root {pin.name!r} at {pin.path}, found {err.strerror or 'no such file'}",
            hint="Commit it beside the trust file; the first `pip-warden trust add` writes it there.",
        ) from err
    found = digest_of(data)
    if len(data) > _LARGEST or not found.matches(pin.sha256):
        raise TrustRootError(
            "trusted-root-digest",
            f"expected the trusted root {pin.path} to have SHA-256 {pin.sha256}, found {found}",
            hint="Restore the file. A newer root is pinned with `pip-warden root update --trusted-root FILE`, which compares it with this one.",
        )
    return data


def read_named(path: Path) -> bytes:
    """Return the bytes of a trusted root that the user names.

    Raises:
        UsageError: ``no-such-file``.
    """
    try:
        return path.read_bytes()
    except OSError as err:
        raise UsageError("no-such-file", f"expected a trusted root in {path}, found none readable") from err
