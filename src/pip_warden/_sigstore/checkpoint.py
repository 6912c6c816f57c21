"""Strict reader of transparency log checkpoints (signed notes): every byte is read.

Sources: the C2SP specifications ``signed-note`` and ``tlog-checkpoint``; Rekor v1 writes the origin ``HOST -
TREEID`` and signs as ``HOST``, Rekor v2 signs as its origin.
"""

from __future__ import annotations

import re

from pip_warden._sigstore.fields import canonical_base64
from pip_warden.strict_json import MalformedError
from pip_warden.values import dataclass

_ORIGIN = re.compile(r"(?P<signer>[^\s+]+)(?: - (?P<tree>[1-9][0-9]*))?", re.ASCII)
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_SIGNATURE = re.compile(r"— (?P<name>[^\s+]+) (?P<signature>[A-Za-z0-9+/=]+)")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_MOST_SIGNATURES = 100  # as many as Go's `note` reads
_SHORTEST_SIGNATURE = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Checkpoint:
    """A signed statement of a log's size and root.

    Attributes:
        text: The note with the log's own signature line alone, ready for the sigstore library.
        signer: Name of the log, as its signature line has it.
        tree_id: Id of its tree; "" for Rekor v2, whose logs have one tree.
        size: Number of entries.
        root_hash: The Merkle tree's root.
    """

    text: str
    signer: str
    tree_id: str
    size: int
    root_hash: bytes


def read_checkpoint(text: str, log_id: bytes, where: str) -> Checkpoint:
    """Read a checkpoint.

    The log's own signature line must be there exactly once, under the name that the origin says. Witnesses
    may cosign a Rekor v2 checkpoint: such lines must be well-formed, but are left out of the result, since
    nothing verifies them. Rekor v1 has no witnesses.

    Args:
        text: The signed note.
        log_id: Id of the log; its first four bytes are the signature's key hint.
        where: Path for messages.

    Raises:
        MalformedError: It is not strictly a checkpoint.
    """
    if _CONTROL.search(text):
        raise MalformedError(f"{where} has a control character, which no signed note has")
    body, gap, signatures = text.partition("\n\n")
    lines = body.split("\n")
    if not gap or "\n\n" in signatures or len(lines) < 3 or not signatures.endswith("\n"):
        raise MalformedError(f"{where} is not a signed note with a checkpoint")
    origin, size, root = lines[:3]
    if not _SIZE.fullmatch(size):
        raise MalformedError(f"{where} has no canonical tree size")
    root_hash = canonical_base64(root, f"the root hash in {where}")
    named = _ORIGIN.fullmatch(origin)
    if named is None:
        raise MalformedError(f"the origin of {where} is neither HOST nor 'HOST - TREEID'")
    signer, tree_id = named["signer"], named["tree"] or ""
    most = 1 if tree_id else _MOST_SIGNATURES
    own = _own_line(signatures[:-1].split("\n"), signer, log_id, where, most=most)
    return Checkpoint(
        text=f"{body}\n\n{own}\n", signer=signer, tree_id=tree_id, size=int(size), root_hash=root_hash
    )


def _own_line(lines: list[str], signer: str, log_id: bytes, where: str, *, most: int) -> str:
    if len(lines) > most:
        raise MalformedError(f"{where} has more signatures than such a log makes")
    # A log that changes its key signs with both for a while; only the key of the log entry counts.
    own = [line for line in lines if _signer(line, where) == (signer, log_id[:4])]
    if len(own) != 1:
        raise MalformedError(
            f"{where} is not signed exactly once by its origin's {signer[:80]!r} "
            "with the key of the log entry"
        )
    return own[0]


def _signer(line: str, where: str) -> tuple[str, bytes]:
    match = _SIGNATURE.fullmatch(line)
    if match is None:
        raise MalformedError(f"{where} has a malformed signature line")
    signature = canonical_base64(match["signature"], f"a signature in {where}")
    if len(signature) < _SHORTEST_SIGNATURE:
        raise MalformedError(f"{where} has a signature that is too short")
    return match["name"], signature[:4]
