"""SHA-256, the only digest that is used here; and others that statements may have next to it."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from pip_warden.errors import UsageError
from pip_warden.values import dataclass

_HEX = re.compile(r"[0-9a-f]{64}", re.ASCII)
_CHUNK = 1 << 20
_OTHERS = {
    *("md5", "sha1", "sha224", "sha384", "sha512", "sha512_224", "sha512_256", "blake2b", "blake2s"),
    *("sha3_224", "sha3_256", "sha3_384", "sha3_512"),
}
OTHERS = frozenset(_OTHERS & hashlib.algorithms_available)
"""Other algorithms that can be computed here, by their names in an in-toto ``DigestSet``.

Source: in-toto attestation framework, ``spec/v1/digest_set.md``.
"""


@dataclass(frozen=True, slots=True)
class Digest:
    """A SHA-256 value as 64 lower-case hexadecimal digits."""

    hex: str

    def __post_init__(self) -> None:
        if not _HEX.fullmatch(self.hex):
            raise UsageError(
                "invalid-digest", f"expected 64 lower-case hexadecimal digits, found {self.hex!r}"
            )

    def __str__(self) -> str:
        return self.hex

    def matches(self, other: Digest) -> bool:
        """Compare in constant time."""
        return hmac.compare_digest(self.hex, other.hex)

    def raw(self) -> bytes:
        """Return the 32 bytes."""
        return bytes.fromhex(self.hex)


class Hasher:
    """Hashes a stream piece by piece."""

    def __init__(self) -> None:
        self._state = hashlib.sha256()

    def update(self, data: bytes) -> None:
        """Add a piece."""
        self._state.update(data)

    def digest(self) -> Digest:
        """Return the digest of everything so far."""
        return Digest(self._state.hexdigest())


def digest_of(data: bytes) -> Digest:
    """Hash bytes."""
    return Digest(hashlib.sha256(data).hexdigest())


def digest_of_stream(stream: BinaryIO) -> Digest:
    """Hash a stream to its end, in constant memory.

    Raises:
        OSError: It cannot be read.
    """
    hasher = Hasher()
    for piece in _pieces(stream):
        hasher.update(piece)
    return hasher.digest()


def digest_of_file(path: Path) -> Digest:
    """Hash a file in constant memory.

    Raises:
        OSError: The file cannot be read.
    """
    with path.open("rb") as stream:
        return digest_of_stream(stream)


def other_digests(path: Path, algorithms: Iterable[str]) -> tuple[Digest, dict[str, str]]:
    """Hash a file by SHA-256 and by some of :data:`OTHERS`, in one pass and constant memory.

    Returns:
        The SHA-256, and by algorithm the digest in hexadecimal.

    Raises:
        OSError: The file cannot be read.
    """
    hasher = Hasher()
    states = {name: hashlib.new(name, usedforsecurity=False) for name in algorithms}
    with path.open("rb") as stream:
        for piece in _pieces(stream):
            hasher.update(piece)
            for state in states.values():
                state.update(piece)
    return hasher.digest(), {name: state.hexdigest() for name, state in states.items()}


def copied(source: BinaryIO, copy: BinaryIO) -> tuple[Digest, int]:
    """Copy a stream to its end, and return the SHA-256 and the size of what was copied.

    Raises:
        OSError: It cannot be read, or the copy cannot be written.
    """
    hasher, size = Hasher(), 0
    for piece in _pieces(source):
        hasher.update(piece)
        size += len(piece)
        copy.write(piece)
    return hasher.digest(), size


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    return iter(lambda: stream.read(_CHUNK), b"")
