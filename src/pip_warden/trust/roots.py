"""Reads files of trusted roots: pinned ones, whose digest is checked, and ones that the user names."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pip_warden.digests import digest_of
from pip_warden.disk import open_regular
from pip_warden.errors import TrustRootError, UsageError
from pip_warden.trust.model import RootPin

if TYPE_CHECKING:
    from pip_warden._sigstore.root import Root

_LARGEST = 8 << 20  # bytes; the public-good root has about 7,000


def read_root(pin: RootPin) -> bytes:
    """Return the bytes of a pinned trusted root: the same that were hashed, so they cannot change between.

    Raises:
        TrustRootError: ``trusted-root-missing``: the file that the trust file names cannot be read;
            ``trusted-root-digest``: its bytes are not the pinned ones.
    """
    try:
        with open_regular(pin.path, follow=True) as stream:
            data = stream.read(_LARGEST + 1)
    except OSError as err:
        raise TrustRootError(
            "trusted-root-missing",
            f"expected the trusted root {pin.name!r} at {pin.path}, found {err.strerror or 'no such file'}",
            hint="Commit it next to the trust file; the first `pip-warden trust add` writes it there.",
        ) from err
    found = digest_of(data)
    if len(data) > _LARGEST or not found.matches(pin.sha256):
        raise TrustRootError(
            "trusted-root-digest",
            f"expected the trusted root {pin.path} to have SHA-256 {pin.sha256}, found {found}",
            hint="Restore the file. A newer root is pinned with "
            "`pip-warden root update --trusted-root FILE`, which compares it with this one.",
        )
    return data


def read_root_file(path: Path) -> bytes:
    """Return the bytes of a trusted root that the user names.

    Raises:
        UsageError: ``no-such-file``.
    """
    try:
        with open_regular(path, follow=True) as stream:
            return stream.read()
    except OSError as err:
        raise UsageError("no-such-file", f"expected a trusted root in {path}, found none readable") from err


class PinnedRoots(Mapping[str, "Root"]):
    """The trusted roots of a trust file by name: each read, checked and parsed once, when first needed.

    Safe to use from several threads.
    """

    def __init__(self, pins: tuple[RootPin, ...]) -> None:
        self._pins = {pin.name: pin for pin in pins}
        self._loaded: dict[str, Root] = {}
        self._lock = threading.Lock()

    def __getitem__(self, name: str) -> Root:
        """Return a root.

        Raises:
            KeyError: No pin has that name.
            TrustRootError: The file is missing, has another digest, or is not a trusted root.
        """
        # The sigstore library takes a third of a second to import, so only a run that verifies pays for it.
        from pip_warden._sigstore.root import load_root

        with self._lock:
            if name not in self._loaded:
                self._loaded[name] = load_root(read_root(self._pins[name]))
            return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._pins)

    def __len__(self) -> int:
        return len(self._pins)

    def load_all(self) -> None:
        """Load every root.

        Raises:
            TrustRootError: As for item access.
        """
        for name in self:
            self[name]
