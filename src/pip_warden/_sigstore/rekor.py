"""Looks up the entry of a signature that comes without it in Rekor v1.

The entry that the signature must have is built and looked up; the response has exactly that entry or none. A
search by digest would list all entries of the same file, whoever signed. The sigstore library is not needed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar, Protocol

from pip_warden._sigstore.checkpoint import read_checkpoint
from pip_warden._sigstore.fields import Fields, base64_of
from pip_warden._sigstore.wire import InclusionProof, LogEntry
from pip_warden.digests import Digest, digest_of
from pip_warden.errors import RegistryError
from pip_warden.strict_json import JSONValue, MalformedError, loads
from pip_warden.values import dataclass

_LARGEST_ANSWER = 1 << 20
_PATH = "/api/v1/log/entries/retrieve"
_HEX_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
_MOST_HASHES = 64
_VERSION = "0.0.1"


class RekorResponse(Protocol):
    """An HTTP response, read to its end."""

    @property
    def status(self) -> int:
        """The status code."""
        ...

    @property
    def body(self) -> bytes:
        """The whole body."""
        ...


class JSONPoster(Protocol):
    """The part of the HTTP client that is used here."""

    def post_json(self, url: str, payload: JSONValue, *, max_bytes: int) -> RekorResponse:
        """Send JSON and return the response, whatever its status.

        Raises:
            UndecidedError: No response, a broken one, or one larger than ``max_bytes``.
        """
        ...


@dataclass(frozen=True, kw_only=True, slots=True)
class Hashedrekord:
    """What a detached signature's log entry must say.

    Attributes:
        digest: SHA-256 of the file.
        signature: DER.
        pem: The certificate, PEM as it is logged.
    """

    kind: ClassVar[str] = "hashedrekord"
    digest: Digest
    signature: bytes
    pem: bytes

    def proposed(self) -> dict[str, JSONValue]:
        """Return the ``hashedrekord`` 0.0.1 entry."""
        spec: dict[str, JSONValue] = {
            "data": {"hash": {"algorithm": "sha256", "value": self.digest.hex}},
            "signature": {
                "content": base64_of(self.signature),
                "publicKey": {"content": base64_of(self.pem)},
            },
        }
        return {"apiVersion": _VERSION, "kind": self.kind, "spec": spec}

    def logged(self) -> dict[str, JSONValue]:
        """Return the entry as the log has it, which is as it was proposed."""
        return self.proposed()


@dataclass(frozen=True, kw_only=True, slots=True)
class LoggedEnvelope:
    """What the log entry of a signed statement must say.

    Attributes:
        envelope: The DSSE envelope as it was signed: JSON, UTF-8.
        payload: SHA-256 of its payload.
        signature: Its only signature, DER.
        pem: The certificate, PEM as it is logged.
    """

    kind: ClassVar[str] = "dsse"
    envelope: bytes
    payload: Digest
    signature: bytes
    pem: bytes

    def proposed(self) -> dict[str, JSONValue]:
        """Return the ``dsse`` 0.0.1 entry to propose, which holds the envelope."""
        content: dict[str, JSONValue] = {
            "envelope": self.envelope.decode(),
            "verifiers": [base64_of(self.pem)],
        }
        return {"apiVersion": _VERSION, "kind": self.kind, "spec": {"proposedContent": content}}

    def logged(self) -> dict[str, JSONValue]:
        """Return the entry as the log has it, which holds digests in the envelope's place."""
        signature: dict[str, JSONValue] = {
            "signature": base64_of(self.signature),
            "verifier": base64_of(self.pem),
        }
        spec: dict[str, JSONValue] = {
            "envelopeHash": {"algorithm": "sha256", "value": digest_of(self.envelope).hex},
            "payloadHash": {"algorithm": "sha256", "value": self.payload.hex},
            "signatures": [signature],
        }
        return {"apiVersion": _VERSION, "kind": self.kind, "spec": spec}


def find_log_entry(
    transport: JSONPoster, urls: Sequence[str], wanted: Hashedrekord | LoggedEnvelope
) -> LogEntry | None:
    """Look an entry up in each Rekor v1 instance, up to the first that has it.

    Args:
        transport: The HTTP client.
        urls: Base URLs of the instances.
        wanted: What the entry must say.

    Returns:
        The entry, checked only to be the one looked up, not verified. None where every instance says that it
        has none, or can have none since the signature is not the certificate's over the file.

    Raises:
        RegistryError: ``bad-rekor-answer``: a response is neither the entry nor none.
        UndecidedError: An instance could not be reached.
    """
    for url in urls:
        reply = transport.post_json(
            url.rstrip("/") + _PATH, {"entries": [wanted.proposed()]}, max_bytes=_LARGEST_ANSWER
        )
        found = _read(reply, url, wanted)
        if found is not None:
            return found
    return None


def _read(reply: RekorResponse, url: str, wanted: Hashedrekord | LoggedEnvelope) -> LogEntry | None:
    if reply.status == 404:
        return None
    try:
        answer = loads(reply.body, max_bytes=_LARGEST_ANSWER) if reply.status in (200, 400) else None
        if reply.status == 400 and isinstance(answer, dict) and answer.get("code") == 400:
            # Rekor verifies the proposed entry: it has none for a signature that is not over the file.
            return None
        if reply.status != 200:
            raise MalformedError(f"status {reply.status}")
        if answer == []:
            return None
        return _entry(answer, wanted)
    except MalformedError as err:
        raise RegistryError(
            "bad-rekor-answer",
            f"expected the log entry or an empty list from {url}, found: {err}",
            hint="Nothing is wrong with the file as far as is known. Try again later.",
            status=reply.status,
        ) from err


def _entry(answer: JSONValue, wanted: Hashedrekord | LoggedEnvelope) -> LogEntry:
    if not isinstance(answer, list) or len(answer) != 1:
        raise MalformedError("not a list of exactly one entry")
    only = answer[0]
    if not isinstance(only, dict) or len(only) != 1:
        raise MalformedError("not one entry under its id")
    fields = Fields(next(iter(only.values())), "entry")
    body = fields.data("body")
    if loads(body, max_bytes=_LARGEST_ANSWER) != wanted.logged():
        raise MalformedError("another entry than the one asked for")
    verification = fields.child("verification")
    log_id = _hex(fields.take("logID"), "entry.logID")
    return LogEntry(
        log_index=_number(fields.take("logIndex"), "entry.logIndex"),
        log_id=log_id,
        kind=wanted.kind,
        version=_VERSION,
        integrated_time=_number(fields.take("integratedTime"), "entry.integratedTime"),
        promise=verification.data("signedEntryTimestamp"),
        proof=_proof(verification.child("inclusionProof"), log_id),
        body=body,
    )


def _proof(fields: Fields, log_id: bytes) -> InclusionProof:
    root_hash = _hex(fields.take("rootHash"), "rootHash")
    tree_size = _number(fields.take("treeSize"), "treeSize")
    checkpoint = read_checkpoint(fields.text("checkpoint"), log_id, "checkpoint")
    log_index = _number(fields.take("logIndex"), "inclusionProof.logIndex")
    if (checkpoint.size, checkpoint.root_hash) != (tree_size, root_hash) or log_index >= tree_size:
        raise MalformedError("an inclusion proof of another tree than its checkpoint's")
    return InclusionProof(
        log_index=log_index,
        tree_size=tree_size,
        root_hash=root_hash,
        hashes=tuple(_hex(item, "hashes") for item in fields.items("hashes", most=_MOST_HASHES)),
        checkpoint=checkpoint,
    )


def _hex(value: JSONValue, where: str) -> bytes:
    if not isinstance(value, str) or not _HEX_HASH.fullmatch(value):
        raise MalformedError(f"{where} is not 64 lower-case hexadecimal digits")
    return bytes.fromhex(value)


def _number(value: JSONValue, where: str) -> int:
    if type(value) is not int or not 0 <= value < 2**63:
        raise MalformedError(f"{where} is no whole number")
    return value
