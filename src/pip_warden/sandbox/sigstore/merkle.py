"""The Merkle tree of RFC 6962 section 2.1."""

from __future__ import annotations

import hashlib


def leaf_hash(data: bytes) -> bytes:
    """Hash a leaf."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into their parent."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def split(size: int) -> int:
    """Return the largest power of two smaller than a size of at least two."""
    return 1 << ((size - 1).bit_length() - 1)


class MerkleTree:
    """Append leaves; prove that one is included, and that a tree grew out of an earlier one."""

    def __init__(self) -> None:
        self._leaves: list[bytes] = []
        self._places: dict[bytes, int] = {}
        self._complete: dict[tuple[int, int], bytes] = {}

    def __len__(self) -> int:
        return len(self._leaves)

    def append(self, data: bytes) -> int:
        """Append a leaf's data and return its index."""
        index = len(self._leaves)
        self._leaves.append(leaf_hash(data))
        self._places.setdefault(self._leaves[index], index)
        return index

    def find(self, leaf: bytes) -> int | None:
        """Return the first index of a leaf hash, or None."""
        return self._places.get(leaf)

    def leaf(self, index: int) -> bytes:
        """Return the leaf hash at an index.

        Raises:
            IndexError: There is no such leaf.
        """
        return self._leaves[index]

    def root(self, size: int | None = None) -> bytes:
        """Return the root hash of the first `size` leaves, by default of all.

        Raises:
            IndexError: The tree is smaller than that.
        """
        size = self._checked(len(self) if size is None else size)
        return self._subtree(0, size) if size else hashlib.sha256().digest()

    def inclusion_proof(self, index: int, size: int | None = None) -> tuple[bytes, ...]:
        """Return the audit path of a leaf (RFC 6962 section 2.1.1), lowest first.

        Raises:
            IndexError: There is no such leaf in a tree of that size.
        """
        size = self._checked(len(self) if size is None else size)
        if not 0 <= index < size:
            message = f"leaf {index} is not in a tree of {size}"
            raise IndexError(message)
        return tuple(self._path(index, 0, size))

    def consistency_proof(self, first: int, second: int) -> tuple[bytes, ...]:
        """Return the proof that the tree of `second` leaves extends that of `first` (section 2.1.2).

        Raises:
            IndexError: The sizes are not 0 < first <= second <= the tree's size.
        """
        if not 0 < first <= self._checked(second):
            message = f"no consistency proof from {first} to {second} leaves"
            raise IndexError(message)
        return tuple(self._subproof(first, 0, second, whole=True))

    def _checked(self, size: int) -> int:
        if not 0 <= size <= len(self):
            message = f"the tree has {len(self)} leaves, not {size}"
            raise IndexError(message)
        return size

    def _subtree(self, start: int, size: int) -> bytes:
        if size == 1:
            return self._leaves[start]
        if (start, size) in self._complete:
            return self._complete[start, size]
        left = split(size)
        value = node_hash(self._subtree(start, left), self._subtree(start + left, size - left))
        if size & (size - 1) == 0:  # a complete subtree never changes again
            self._complete[start, size] = value
        return value

    def _path(self, index: int, start: int, size: int) -> list[bytes]:
        if size == 1:
            return []
        left = split(size)
        if index < left:
            return [*self._path(index, start, left), self._subtree(start + left, size - left)]
        return [*self._path(index - left, start + left, size - left), self._subtree(start, left)]

    def _subproof(self, first: int, start: int, size: int, *, whole: bool) -> list[bytes]:
        if first == size:
            return [] if whole else [self._subtree(start, size)]
        left = split(size)
        if first <= left:
            rest = self._subtree(start + left, size - left)
            return [*self._subproof(first, start, left, whole=whole), rest]
        rest = self._subtree(start, left)
        return [*self._subproof(first - left, start + left, size - left, whole=False), rest]
