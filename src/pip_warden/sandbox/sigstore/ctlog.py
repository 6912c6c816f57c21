"""The certificate-transparency log: signed certificate timestamps (RFC 6962 section 3)."""

from __future__ import annotations

import struct
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric import ec

from pip_warden.sandbox.sigstore import der
from pip_warden.sandbox.sigstore.merkle import MerkleTree
from pip_warden.sandbox.sigstore.wire import key_id, new_key, sign

_V1, _TIMESTAMP, _PRECERT, _SHA256, _ECDSA = 0, 0, 1, 4, 3


class CtLog:
    """Log precertificates and return the promise."""

    def __init__(self) -> None:
        self.key = new_key()
        self.tree = MerkleTree()

    @property
    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The key its promises are verified with."""
        return self.key.public_key()

    @property
    def log_id(self) -> bytes:
        """SHA-256 of its key."""
        return key_id(self.public_key)

    def add_precertificate(
        self,
        tbs: bytes,
        issuer_key_hash: bytes,
        moment: datetime,
        *,
        signer: ec.EllipticCurvePrivateKey | None = None,
    ) -> bytes:
        """Log a precertificate and return the promise, TLS-encoded (section 3.2).

        Args:
            tbs: The TBSCertificate without poison and without promises.
            issuer_key_hash: SHA-256 of the issuer's key.
            moment: The promise's time.
            signer: Another key than the log's: a forgery in the log's name.
        """
        milliseconds = int(moment.timestamp() * 1000)
        entry = issuer_key_hash + len(tbs).to_bytes(3, "big") + tbs
        timestamped = struct.pack("!QH", milliseconds, _PRECERT) + entry + b"\x00\x00"
        signature = sign(signer or self.key, bytes((_V1, _TIMESTAMP)) + timestamped)
        self.tree.append(bytes((_V1, 0)) + timestamped)  # MerkleTreeLeaf, section 3.4
        head = struct.pack("!B32sQH", _V1, self.log_id, milliseconds, 0)
        return head + struct.pack("!BBH", _SHA256, _ECDSA, len(signature)) + signature


def sct_list(*scts: bytes) -> bytes:
    """Return the value of the certificate extension that embeds promises (section 3.3)."""
    listed = b"".join(struct.pack("!H", len(sct)) + sct for sct in scts)
    return der.octets(struct.pack("!H", len(listed)) + listed)
