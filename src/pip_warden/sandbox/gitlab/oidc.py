"""The OIDC issuer: keys, discovery, and ID tokens with GitLab's claims (reference 5.2)."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import secrets
import threading
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_EXPONENT, _BITS = 65537, 2048


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _b64_int(value: int) -> str:
    return _b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


@functools.cache
def _first_key() -> rsa.RSAPrivateKey:
    """Return the key that every issuer of this process begins with; to make one takes a while."""
    return rsa.generate_private_key(_EXPONENT, _BITS)


@functools.cache
def _kid(key: rsa.RSAPrivateKey) -> str:
    """Return a key's thumbprint (:rfc:`7638`)."""
    numbers = key.public_key().public_numbers()
    canonical = json.dumps(
        {"e": _b64_int(numbers.e), "kty": "RSA", "n": _b64_int(numbers.n)}, separators=(",", ":")
    )
    return _b64(hashlib.sha256(canonical.encode()).digest())


class OidcIssuer:
    """Sign ID tokens with RS256 and publish the key that verifies them."""

    def __init__(self, issuer: Callable[[], str]) -> None:
        self._issuer = issuer
        self._lock = threading.Lock()
        self._key: rsa.RSAPrivateKey | None = None

    @property
    def issuer(self) -> str:
        """Return the ``iss`` of tokens."""
        return self._issuer()

    def rotate(self) -> None:
        """Replace the key: tokens signed so far no longer verify."""
        with self._lock:
            self._key = rsa.generate_private_key(_EXPONENT, _BITS)

    def discovery(self) -> dict[str, object]:
        """Return the OpenID Connect discovery document."""
        return {
            "issuer": self.issuer,
            "jwks_uri": f"{self.issuer}/oauth/discovery/keys",
            "authorization_endpoint": f"{self.issuer}/oauth/authorize",
            "token_endpoint": f"{self.issuer}/oauth/token",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        }

    def jwks(self) -> dict[str, object]:
        """Return the public key as a JSON Web Key Set."""
        key = self._private()
        numbers = key.public_key().public_numbers()
        n, e = _b64_int(numbers.n), _b64_int(numbers.e)
        return {"keys": [{"kty": "RSA", "kid": _kid(key), "n": n, "e": e, "use": "sig", "alg": "RS256"}]}

    def sign(self, claims: Mapping[str, object]) -> str:
        """Return a compact JWS over the claims."""
        key = self._private()
        header = {"kid": _kid(key), "typ": "JWT", "alg": "RS256"}
        body = ".".join(
            _b64(json.dumps(part, separators=(",", ":")).encode()) for part in (header, dict(claims))
        )
        signature = key.sign(body.encode(), padding.PKCS1v15(), hashes.SHA256())
        return f"{body}.{_b64(signature)}"

    def _private(self) -> rsa.RSAPrivateKey:
        with self._lock:
            if self._key is None:
                self._key = _first_key()
            return self._key


def token_id() -> str:
    """Return a fresh ``jti``."""
    return secrets.token_hex(16)
