"""The transparency log, Rekor v1: shards, entries, promises and checkpoints."""

from __future__ import annotations

import dataclasses
import secrets
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import ec

from pip_warden.sandbox.sigstore.errors import EntryExists
from pip_warden.sandbox.sigstore.key_history import KeyHistory
from pip_warden.sandbox.sigstore.lies import HONEST, Lie
from pip_warden.sandbox.sigstore.merkle import MerkleTree, leaf_hash
from pip_warden.sandbox.sigstore.proposals import VERSION, Proposal, examine
from pip_warden.sandbox.sigstore.wire import JSONObject, b64, canonical_json, key_id, new_key, sign

_UUID_CHARACTERS = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class LoggedEntry:
    """An entry with its proofs at one size of the tree.

    Attributes:
        uuid: Tree id and leaf hash, 80 hexadecimal characters.
        kind: `hashedrekord` or `dsse`.
        body: The canonical body.
        integrated_time: Seconds since 1970.
        log_id: SHA-256 of the shard's key.
        log_index: Index over all shards.
        leaf_index: Index within the shard.
        tree_size: Size of the tree that the proof is for.
        root: Its root hash.
        hashes: The audit path.
        checkpoint: The signed note for that root.
        promise: The signed entry timestamp.
    """

    uuid: str
    kind: str
    body: bytes
    integrated_time: int
    log_id: bytes
    log_index: int
    leaf_index: int
    tree_size: int
    root: bytes
    hashes: tuple[bytes, ...]
    checkpoint: str
    promise: bytes

    def promised(self) -> bytes:
        """Return what the signed entry timestamp covers."""
        return canonical_json(
            {
                "body": b64(self.body),
                "integratedTime": self.integrated_time,
                "logID": self.log_id.hex(),
                "logIndex": self.log_index,
            }
        )

    def rekor_json(self) -> JSONObject:
        """Return the entry as in Rekor's API, under its UUID."""
        proof = {
            "checkpoint": self.checkpoint,
            "hashes": [value.hex() for value in self.hashes],
            "logIndex": self.leaf_index,
            "rootHash": self.root.hex(),
            "treeSize": self.tree_size,
        }
        return {
            self.uuid: {
                "body": b64(self.body),
                "integratedTime": self.integrated_time,
                "logID": self.log_id.hex(),
                "logIndex": self.log_index,
                "verification": {"inclusionProof": proof, "signedEntryTimestamp": b64(self.promise)},
            }
        }

    def bundle_json(self) -> JSONObject:
        """Return the entry as in a bundle's `tlogEntries`, defaults written out."""
        return {
            "logIndex": str(self.log_index),
            "logId": {"keyId": b64(self.log_id)},
            "kindVersion": {"kind": self.kind, "version": VERSION},
            "integratedTime": str(self.integrated_time),
            "inclusionPromise": {"signedEntryTimestamp": b64(self.promise)},
            "inclusionProof": {
                "logIndex": str(self.leaf_index),
                "rootHash": b64(self.root),
                "treeSize": str(self.tree_size),
                "hashes": [b64(value) for value in self.hashes],
                "checkpoint": {"envelope": self.checkpoint},
            },
            "canonicalizedBody": b64(self.body),
        }


@dataclass(frozen=True, kw_only=True, slots=True)
class _Leaf:
    kind: str
    body: bytes
    integrated_time: int


class Shard:
    """One tree of the log with the key it signs with."""

    def __init__(self, host: str, offset: int) -> None:
        self.host = host
        self.offset = offset
        self.tree_id = secrets.randbits(62) | 1 << 62  # positive, and 16 hexadecimal digits long
        self.key = new_key()
        self.tree = MerkleTree()
        self.leaves: list[_Leaf] = []

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The key that promises and checkpoints are verified with."""
        return self.key.public_key()

    @property
    def log_id(self) -> bytes:
        """SHA-256 of the key."""
        return key_id(self.public_key)

    def checkpoint(self, size: int | None = None, signer: ec.EllipticCurvePrivateKey | None = None) -> str:
        """Return the signed note over the first `size` leaves, by default over all.

        Its origin is `HOST - TREE ID`; its key hint the first four bytes of the log id, as in Rekor v1.
        """
        size = len(self.tree) if size is None else size
        note = f"{self.host} - {self.tree_id}\n{size}\n{b64(self.tree.root(size))}\n"
        signature = self.log_id[:4] + sign(signer or self.key, note.encode())
        return f"{note}\n\u2014 {self.host} {b64(signature)}\n"

    def uuid(self, leaf: bytes) -> str:
        """Return the entry id of a leaf hash."""
        return f"{self.tree_id:016x}{leaf.hex()}"

    def append(self, proposal: Proposal, moment: datetime) -> int:
        """Append an entry and return its index.

        Raises:
            EntryExists: This tree already has it.
        """
        leaf = leaf_hash(proposal.body)
        if self.tree.find(leaf) is not None:
            raise EntryExists(self.uuid(leaf))
        added = _Leaf(kind=proposal.kind, body=proposal.body, integrated_time=int(moment.timestamp()))
        self.leaves.append(added)
        return self.tree.append(proposal.body)

    def entry(self, index: int) -> LoggedEntry:
        """Return an entry with proofs for the tree as it is now.

        Raises:
            IndexError: There is no such entry.
        """
        leaf = self.leaves[index]
        entry = LoggedEntry(
            uuid=self.uuid(self.tree.leaf(index)),
            kind=leaf.kind,
            body=leaf.body,
            integrated_time=leaf.integrated_time,
            log_id=self.log_id,
            log_index=self.offset + index,
            leaf_index=index,
            tree_size=len(self.tree),
            root=self.tree.root(),
            hashes=self.tree.inclusion_proof(index),
            checkpoint=self.checkpoint(),
            promise=b"",
        )
        return dataclasses.replace(entry, promise=sign(self.key, entry.promised()))

    def bend(self, entry: LoggedEntry, lie: Lie) -> LoggedEntry:
        """Return an entry of this shard as changed by a lie."""
        if lie.promise == "forged":
            entry = dataclasses.replace(entry, promise=sign(new_key(), entry.promised()))
        if lie.checkpoint == "forged":
            entry = dataclasses.replace(entry, checkpoint=self.checkpoint(entry.tree_size, new_key()))
        if lie.proof == "broken":
            entry = dataclasses.replace(entry, hashes=(*entry.hashes[:-1], secrets.token_bytes(32)))
        return entry


class Rekor:
    """Append entries and look them up."""

    def __init__(self, host: str, start: datetime) -> None:
        self.host = host
        self.shards = KeyHistory(Shard(host, 0), start)
        self._index: dict[str, list[str]] = {}

    def rotate(self, moment: datetime, *, end: bool = True, forget: bool = False) -> None:
        """Freeze the active shard and open a new one with its own key; indexes continue."""
        active = self.shards.current
        fresh = Shard(self.host, active.offset + len(active.tree))
        self.shards.rotate(fresh, moment, end=end, forget=forget)

    def append(self, proposed: object, moment: datetime, lie: Lie = HONEST) -> LoggedEntry:
        """Check a proposed entry and append it to the active shard.

        Raises:
            EntryRefused: It does not verify.
            EntryExists: The active shard has it.
        """
        proposal = examine(proposed)
        shard = self.shards.current
        entry = shard.entry(shard.append(proposal, moment))
        for key in proposal.index:
            self._index.setdefault(key.lower(), []).append(entry.uuid)
        return shard.bend(entry, lie)

    def by_index(self, log_index: int, lie: Lie = HONEST) -> LoggedEntry | None:
        """Return the entry with a global index, or None."""
        for shard in self.shards:
            if 0 <= log_index - shard.offset < len(shard.tree):
                return shard.bend(shard.entry(log_index - shard.offset), lie)
        return None

    def by_uuid(self, uuid: str, lie: Lie = HONEST) -> LoggedEntry | None:
        """Return the entry with an id, with or without its tree, or None.

        Raises:
            ValueError: It is not hexadecimal.
        """
        leaf = bytes.fromhex(uuid[-_UUID_CHARACTERS:])
        tree = uuid[:-_UUID_CHARACTERS]
        found = (shard for shard in self.shards if not tree or int(tree, 16) == shard.tree_id)
        return next((entry for shard in found for entry in self._in_shard(shard, leaf, lie)), None)

    def by_proposal(self, proposed: object, lie: Lie = HONEST) -> list[LoggedEntry]:
        """Return the entries, one per shard at most, that equal a proposed one.

        Raises:
            EntryRefused: The proposed one does not verify.
        """
        leaf = leaf_hash(examine(proposed).body)
        return [entry for shard in self.shards for entry in self._in_shard(shard, leaf, lie)]

    def search(self, key: str) -> list[str]:
        """Return the ids of *all* entries of any signer with a digest (`sha256:HEX`), key (`HEX`) or subject.

        Oldest first.
        """
        return list(dict.fromkeys(self._index.get(key.lower(), ())))

    @staticmethod
    def _in_shard(shard: Shard, leaf: bytes, lie: Lie) -> list[LoggedEntry]:
        index = shard.tree.find(leaf)
        return [] if index is None else [shard.bend(shard.entry(index), lie)]
