"""The trusted roots of a trust file, each read, checked against its pinned digest and parsed once, when first needed."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pip_warden.trust.pins import RootPin
from pip_warden.trust.roots import read_root

if TYPE_CHECKING:
    from pip_warden._sigstore.root import Root


class RootShelf(Mapping[str, "Root"]):
    """Trusted roots by the name of their pin. Safe to use from several threads."""

    def __init__(self, pins: tuple[RootPin, ...]) -> None:
        self._pins = {pin.name: pin for pin in pins}
        self._loaded: dict[str, Root] = {}
        self._lock = threading.Lock()

    def __getitem__(self, name: str) -> Root:
        """Return a root.

        Raises:
            KeyError: No pin has that name.
            TrustRootError: The file is missing, has another digest, or is no trusted root.
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
