"""The tree of RFC 6962, property by property."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pip_warden.sandbox.sigstore.merkle import MerkleTree, leaf_hash, node_hash

LEAVES = st.lists(st.binary(max_size=8), min_size=1, max_size=40)


def tree_of(leaves: list[bytes]) -> MerkleTree:
    tree = MerkleTree()
    for leaf in leaves:
        tree.append(leaf)
    return tree


def naive_root(leaves: list[bytes]) -> bytes:
    """Return MTH(D[n]) as written in section 2.1."""
    if not leaves:
        return hashlib.sha256().digest()
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    left = 1
    while left * 2 < len(leaves):
        left *= 2
    return node_hash(naive_root(leaves[:left]), naive_root(leaves[left:]))


def root_from_inclusion(leaf: bytes, index: int, size: int, proof: tuple[bytes, ...]) -> bytes:
    """Return the root an audit path leads to (RFC 9162 section 2.1.3.2)."""
    node, last, value = index, size - 1, leaf_hash(leaf)
    for step in proof:
        assert last > 0
        if node & 1 or node == last:
            value = node_hash(step, value)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            value = node_hash(value, step)
        node, last = node >> 1, last >> 1
    assert last == 0
    return value


def roots_from_consistency(
    first: int, second: int, root: bytes, proof: tuple[bytes, ...]
) -> tuple[bytes, bytes]:
    """Return both roots a consistency proof leads to (RFC 9162 section 2.1.4.2)."""
    path = list(proof)
    if first & (first - 1) == 0:
        path.insert(0, root)
    node, last = first - 1, second - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = path[0]
    for step in path[1:]:
        assert last > 0
        if node & 1 or node == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, step)
        node, last = node >> 1, last >> 1
    assert last == 0
    return old, new


@given(LEAVES)
def test_the_root_is_that_of_the_definition(leaves: list[bytes]) -> None:
    tree = tree_of(leaves)

    assert tree.root() == naive_root(leaves)
    assert [tree.root(size) for size in range(len(leaves))] == [
        naive_root(leaves[:n]) for n in range(len(leaves))
    ]


@given(LEAVES, st.data())
def test_every_leaf_is_proved_in_every_tree_that_has_it(leaves: list[bytes], data: st.DataObject) -> None:
    tree = tree_of(leaves)
    size = data.draw(st.integers(1, len(leaves)))
    index = data.draw(st.integers(0, size - 1))

    proof = tree.inclusion_proof(index, size)

    assert root_from_inclusion(leaves[index], index, size, proof) == tree.root(size)


@given(LEAVES, st.data())
def test_every_tree_grew_out_of_every_earlier_one(leaves: list[bytes], data: st.DataObject) -> None:
    tree = tree_of(leaves)
    second = data.draw(st.integers(1, len(leaves)))
    first = data.draw(st.integers(1, second))

    proof = tree.consistency_proof(first, second)

    if first == second:
        assert proof == ()
    else:
        roots = roots_from_consistency(first, second, tree.root(first), proof)
        assert roots == (tree.root(first), tree.root(second))


@given(LEAVES)
def test_a_leaf_is_found_at_its_first_place(leaves: list[bytes]) -> None:
    tree = tree_of(leaves)

    assert [tree.find(leaf_hash(leaf)) for leaf in leaves] == [leaves.index(leaf) for leaf in leaves]
    assert tree.find(leaf_hash(b"not among them")) is None


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert MerkleTree().root() == hashlib.sha256().digest()


@pytest.mark.parametrize("ask", [(0, 0), (1, 1), (-1, 1), (0, 2)])
def test_there_is_no_proof_of_what_is_not_there(ask: tuple[int, int]) -> None:
    with pytest.raises(IndexError):
        tree_of([b"only"]).inclusion_proof(*ask)


@pytest.mark.parametrize("ask", [(0, 1), (2, 1), (1, 2)])
def test_there_is_no_consistency_with_what_is_not_there(ask: tuple[int, int]) -> None:
    with pytest.raises(IndexError):
        tree_of([b"only"]).consistency_proof(*ask)
